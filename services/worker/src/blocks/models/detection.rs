//! `detection`: boxes by a detection model.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use millrace_blocks::models::detection::Config;
use millrace_contracts::values::{Detection, Detections, ImageValue};
use millrace_contracts::{BlobId, ErrorKind, JobError, ModelId};
use millrace_inference::{DetectParams, Found, InferenceError, Model, Prepared};
use millrace_vision::Frame;
use serde_json::{Value, json};

use crate::error::of_inference;
use crate::job::{JobContext, Outputs, Stage};
use crate::values;

pub(crate) fn run(context: &JobContext) -> BoxFuture<'_, Result<Outputs, JobError>> {
    detect(context).boxed()
}

async fn detect(context: &JobContext) -> Result<Outputs, JobError> {
    let config: Config = values::config(context)?;
    refuse_what_is_to_come(&config)?;
    let image = values::image(context, "image")?;
    let id = ModelId::from(config.model_id.as_str());
    let pixels = async {
        let frame = context.frame(image.blob).await;
        frame.map_err(|error| error.at("/inputs/image"))
    };
    let (frame, model) = tokio::try_join!(pixels, context.model(&id))?;
    let params = params(context, &config, &model);
    let found = infer(context, &model, frame, params).await?;
    Ok(outputs(context, &image, found))
}

fn refuse_what_is_to_come(config: &Config) -> Result<(), JobError> {
    if config.tile.is_some() {
        let message = "detection in slices is not supported by this version; leave `tile` out";
        return Err(JobError::new(ErrorKind::Unsupported, message).at("/config/tile"));
    }
    Ok(())
}

fn params(context: &JobContext, config: &Config, model: &Model) -> DetectParams {
    let labels = &model.info().labels;
    let classes = config.class_filter.as_ref().map(|names| {
        let index = |name: &String| {
            let found = labels.iter().position(|label| label == name);
            if found.is_none() {
                context.warn(format!(
                    "class_filter names {name:?}, which {} does not know; its classes are {}",
                    config.model_id,
                    labels.join(", ")
                ));
            }
            found
        };
        names.iter().filter_map(index).collect()
    });
    DetectParams {
        confidence: config.confidence as f32,
        iou: config.iou_threshold as f32,
        max_detections: config.max_detections as usize,
        agnostic: config.agnostic_nms,
        classes,
    }
}

/// Pixels to boxes: prepared and read on the CPU pool, run on the session's thread.
async fn infer(
    context: &JobContext,
    model: &Arc<Model>,
    frame: Frame,
    params: DetectParams,
) -> Result<Vec<Found>, JobError> {
    let failed = |error: InferenceError| of_inference(&error);
    let preparing = Arc::clone(model);
    let prepare = move || preparing.detector()?.prepare(&frame);
    let Prepared { inputs, placement } = context.cpu(Stage::Preprocess, prepare).await?.map_err(failed)?;
    let inferred = context.infer(model, inputs).await?;
    let reading = Arc::clone(model);
    let read = move || reading.detector()?.read(&inferred.outputs, &placement, &params);
    context.cpu(Stage::Postprocess, read).await?.map_err(failed)
}

/// What the ids of these detections begin with: the same for the same picture, model and settings, since a result that
/// is made again, or found in a cache, must be the same result.
fn id_prefix(context: &JobContext, image: &ImageValue) -> String {
    let made_of = format!("{}{}{}", context.job.task, image.blob, Value::Object(context.job.config.clone()));
    BlobId::of(made_of.as_bytes()).to_string()[..12].to_owned()
}

fn outputs(context: &JobContext, image: &ImageValue, found: Vec<Found>) -> Outputs {
    let prefix = id_prefix(context, image);
    let mut classes: Vec<String> = Vec::new();
    for one in &found {
        if !classes.contains(&one.class_name) {
            classes.push(one.class_name.clone());
        }
    }
    let item = |(number, one): (usize, Found)| Detection {
        detection_id: format!("{prefix}-{number}"),
        class_id: one.class_id as i64,
        class_name: one.class_name,
        confidence: one.confidence,
        bbox: one.bbox,
        mask: None,
        keypoints: None,
        tracker_id: None,
        parent_id: image.parent_id.clone(),
    };
    let detections = Detections {
        image_id: Some(image.blob),
        width: image.width,
        height: image.height,
        lineage: values::lineage_of(image),
        items: found.into_iter().enumerate().map(item).collect(),
    };
    let count = Value::from(detections.items.len());
    Outputs::from_iter([
        ("detections".to_owned(), json!(detections)),
        ("count".to_owned(), count),
        ("classes".to_owned(), json!(classes)),
    ])
}
