//! `embedding`: a picture or a text as a vector.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use millrace_blocks::models::embedding::{self, Config};
use millrace_contracts::values::{ImageValue, shortest_double};
use millrace_contracts::{ErrorKind, JobError, ModelId};
use millrace_inference::{InferenceError, Modality, Pooling, Tensor, normalised};
use millrace_vision::Frame;
use serde_json::{Value, json};

use super::inferring;
use crate::error::of_inference;
use crate::images::reduction;
use crate::job::{JobContext, Outputs, Stage};
use crate::values;

/// What is embedded.
enum Subject {
    Picture(ImageValue),
    Text(String),
}

pub(crate) fn run(context: &JobContext) -> BoxFuture<'_, Result<Outputs, JobError>> {
    embed(context).boxed()
}

async fn embed(context: &JobContext) -> Result<Outputs, JobError> {
    let config: Config = values::config(context)?;
    let id = ModelId::from(config.model_id.as_str());
    let subject = subject(context, &config)?;
    let model = context.model(&id).await?;
    let (of, place) = match subject {
        Subject::Picture(_) => (Modality::Image, "/inputs/image"),
        Subject::Text(_) if config.text.is_some() => (Modality::Text, "/config/text"),
        Subject::Text(_) => (Modality::Text, "/inputs/text"),
    };
    let failed = |error: &InferenceError| placed(error, place);
    let part = model.embedder().and_then(|embedder| embedder.part(of));
    let preparing = Arc::clone(&model);
    let inferred = match subject {
        Subject::Picture(image) => {
            let scaled =
                model.embedder().map_err(|error| failed(&error))?.scaled_size((image.width, image.height));
            let picture = (&image, reduction(&image, config.reduced_decode, scaled));
            let prepare = move |frame: &Frame| Ok((preparing.embedder()?.prepare_image(frame)?, ()));
            let graph = (&model, part.map_err(|error| failed(&error))?);
            inferring::inferred(context, graph, picture, prepare, failed).await?.0
        }
        Subject::Text(text) => {
            let prepare = move || preparing.embedder()?.prepare_text(&text);
            let inputs = context.cpu(Stage::Preprocess, prepare).await?.map_err(|error| failed(&error))?;
            context.infer_part(&model, part.map_err(|error| failed(&error))?, inputs).await?
        }
    };
    let (reading, pooling) = (Arc::clone(&model), config.pooling.map(pooling));
    let read = move |outputs: &[Tensor]| reading.embedder()?.read(of, outputs, pooling);
    let vector = context.read(inferred, read).await?.map_err(|error| failed(&error))?;
    let vector = finished(vector, config.normalize, &config.model_id)?;
    Ok(Outputs::from_iter([
        ("dimension".to_owned(), Value::from(vector.len())),
        ("embedding".to_owned(), json!(vector.into_iter().map(shortest_double).collect::<Vec<_>>())),
    ]))
}

/// What the job gives: a picture, or a text on the port or in the configuration.
fn subject(context: &JobContext, config: &Config) -> Result<Subject, JobError> {
    let given = |port: &str| context.inputs.get(port).filter(|value| !value.is_null());
    let wrong = |message: &str| JobError::new(ErrorKind::InvalidInput, message);
    match (given("image"), given("text"), &config.text) {
        (Some(_), None, None) => values::image(context, "image").map(Subject::Picture),
        (None, Some(text), None) => {
            let text =
                text.as_str().ok_or_else(|| wrong("the input \"text\" is not a text").at("/inputs/text"))?;
            Ok(Subject::Text(text.to_owned()))
        }
        (None, None, Some(text)) => Ok(Subject::Text(text.clone())),
        (None, None, None) => {
            Err(wrong("there is nothing to embed: neither a picture nor a text came").at("/inputs/image"))
        }
        _ => Err(wrong("a picture and a text, or two texts, came, and one vector is made of one")
            .at("/inputs/text")),
    }
}

/// A fault with its place: what the model does not take, or not in this way, lies with what was given.
fn placed(error: &InferenceError, place: &str) -> JobError {
    let job_error = of_inference(error);
    match error {
        InferenceError::MissingTower { .. } | InferenceError::Input { .. } => job_error.at(place),
        InferenceError::WrongPooling { .. } => job_error.at("/config/pooling"),
        _ => job_error,
    }
}

fn pooling(pooling: embedding::Pooling) -> Pooling {
    match pooling {
        embedding::Pooling::Cls => Pooling::Cls,
        embedding::Pooling::Mean => Pooling::Mean,
        embedding::Pooling::Pooler => Pooling::Pooler,
    }
}

/// The vector as it is given: no vector is better than one that cannot be compared.
fn finished(vector: Vec<f32>, normalize: bool, model: &str) -> Result<Vec<f32>, JobError> {
    let failed = |what: &str| {
        let message =
            format!("the model {model} gave {what}; look at its precision and at what it was given");
        Err(JobError::new(ErrorKind::Unsupported, message))
    };
    if vector.is_empty() {
        return failed("an empty vector");
    }
    if !normalize {
        return Ok(vector);
    }
    normalised(&vector).map_or_else(|| failed("a vector of zeros, which has no direction to normalize"), Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_that_cannot_be_compared_are_refused() {
        assert_eq!(finished(vec![3.0, 4.0], false, "m").unwrap(), [3.0, 4.0]);
        assert_eq!(finished(vec![0.0, 2.0], true, "m").unwrap(), [0.0, 1.0]);
        assert_eq!(finished(vec![0.0, 0.0], false, "m").unwrap(), [0.0, 0.0]);
        for (vector, normalize) in [(vec![0.0, 0.0], true), (vec![], false)] {
            assert_eq!(finished(vector, normalize, "m").unwrap_err().kind, ErrorKind::Unsupported);
        }
    }
}
