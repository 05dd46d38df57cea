//! `classification`: the likeliest classes by a classification model.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use millrace_blocks::models::classification::Config;
use millrace_contracts::{JobError, ModelId};
use millrace_inference::{InferenceError, Part, Scoring, Tensor};
use millrace_vision::Frame;
use serde_json::{Value, json};

use super::inferring;
use crate::error::of_inference;
use crate::images::reduction;
use crate::job::{JobContext, Outputs};
use crate::values;

pub(crate) fn run(context: &JobContext) -> BoxFuture<'_, Result<Outputs, JobError>> {
    classify(context).boxed()
}

async fn classify(context: &JobContext) -> Result<Outputs, JobError> {
    let config: Config = values::config(context)?;
    let image = values::image(context, "image")?;
    let id = ModelId::from(config.model_id.as_str());
    let model = context.model(&id).await?;
    let failed = |error: InferenceError| of_inference(&error);
    let scaled = model.classifier().map_err(failed)?.scaled_size((image.width, image.height));
    let reduction = reduction(&image, config.reduced_decode, scaled);
    let preparing = Arc::clone(&model);
    let prepare = move |frame: &Frame| Ok((preparing.classifier()?.prepare(frame)?.inputs, ()));
    let inferring =
        inferring::inferred(context, (&model, Part::Main), (&image, reduction), prepare, of_inference);
    let (inferred, ()) = inferring.await?;
    let reading = Arc::clone(&model);
    let scoring = if config.multi_label { Scoring::MultiLabel } else { Scoring::Own };
    let read = move |outputs: &[Tensor]| {
        let scores = reading.classifier()?.scores(outputs, scoring)?;
        Ok(best(&scores, &config))
    };
    let best = context.read(inferred, read).await?.map_err(failed)?;
    Ok(outputs(&best, &model.info().labels))
}

/// The classes that count, most confident first; of equal ones the one with the lower index.
fn best(scores: &[f32], config: &Config) -> Vec<(usize, f32)> {
    let least = config.threshold.map_or(f32::NEG_INFINITY, |threshold| threshold as f32);
    let mut ranked: Vec<(usize, f32)> =
        scores.iter().copied().enumerate().filter(|(_, score)| *score >= least).collect();
    let order = |a: &(usize, f32), b: &(usize, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    let count = config.top_k as usize;
    // A few of very many: putting all in order would take longer than making them.
    if count < ranked.len() {
        ranked.select_nth_unstable_by(count, order);
        ranked.truncate(count);
    }
    ranked.sort_unstable_by(order);
    ranked
}

fn outputs(ranked: &[(usize, f32)], labels: &[String]) -> Outputs {
    let name = |class: usize| labels.get(class).cloned().unwrap_or_default();
    let prediction = |&(class, score): &(usize, f32)| json!({"class_id": class, "class_name": name(class), "confidence": score});
    let first = ranked.first();
    Outputs::from_iter([
        ("predictions".to_owned(), ranked.iter().map(prediction).collect::<Value>()),
        ("top_class".to_owned(), json!(first.map(|(class, _)| name(*class)))),
        ("confidence".to_owned(), json!(first.map(|(_, score)| score))),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(top_k: u32, threshold: Option<f64>) -> Config {
        serde_json::from_value(json!({"model_id": "m", "top_k": top_k, "threshold": threshold})).unwrap()
    }

    #[test]
    fn the_best_come_first_and_equal_ones_in_order() {
        let scores = [0.1, 0.4, 0.1, 0.4];
        let classes = |config: &Config| best(&scores, config).iter().map(|one| one.0).collect::<Vec<_>>();
        assert_eq!(classes(&config(3, None)), [1, 3, 0]);
        assert_eq!(classes(&config(10, Some(0.2))), [1, 3]);
        assert!(classes(&config(10, Some(0.9))).is_empty());
        let none = outputs(&[], &[]);
        assert!(none["top_class"].is_null() && none["confidence"].is_null());
    }
}
