//! `classification`: the likeliest classes by a classification model.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use millrace_blocks::models::classification::Config;
use millrace_contracts::{JobError, ModelId};
use millrace_inference::{InferenceError, Scoring};
use serde_json::{Value, json};

use super::inferring;
use crate::error::of_inference;
use crate::job::{JobContext, Outputs, Stage};
use crate::values;

pub(crate) fn run(context: &JobContext) -> BoxFuture<'_, Result<Outputs, JobError>> {
    classify(context).boxed()
}

async fn classify(context: &JobContext) -> Result<Outputs, JobError> {
    let config: Config = values::config(context)?;
    let image = values::image(context, "image")?;
    let id = ModelId::from(config.model_id.as_str());
    let (frame, model) = tokio::try_join!(inferring::pixels(context, &image), context.model(&id))?;
    let failed = |error: InferenceError| of_inference(&error);
    let preparing = Arc::clone(&model);
    let prepare = move || preparing.classifier()?.prepare(&frame);
    let prepared = context.cpu(Stage::Preprocess, prepare).await?.map_err(failed)?;
    let inferred = context.infer(&model, prepared.inputs).await?;
    let reading = Arc::clone(&model);
    let scoring = if config.multi_label { Scoring::MultiLabel } else { Scoring::Own };
    let read = move || reading.classifier()?.scores(&inferred.outputs, scoring);
    let scores = context.cpu(Stage::Postprocess, read).await?.map_err(failed)?;
    Ok(outputs(&best(&scores, &config), &model.info().labels))
}

/// The classes that count, most confident first; of equal ones the one with the lower index.
fn best(scores: &[f32], config: &Config) -> Vec<(usize, f32)> {
    let least = config.threshold.map_or(f32::NEG_INFINITY, |threshold| threshold as f32);
    let mut ranked: Vec<(usize, f32)> =
        scores.iter().copied().enumerate().filter(|(_, score)| *score >= least).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranked.truncate(config.top_k as usize);
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
