//! `detection`: boxes by a detection model, clipped to the image.

mod tiled;

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use millrace_blocks::models::detection::Config;
use millrace_contracts::values::{Detection, Detections, ImageValue};
use millrace_contracts::{JobError, ModelId};
use millrace_inference::{DetectParams, Found, Inferred, Model, Part, Prepared, Tensor};
use millrace_vision::{Frame, Placement, Reduction};
use serde_json::{Value, json};

use super::inferring;
use crate::error::of_inference;
use crate::images::reduction;
use crate::job::{JobContext, Outputs, Stage};
use crate::values;

pub(crate) fn run(context: &JobContext) -> BoxFuture<'_, Result<Outputs, JobError>> {
    detect(context).boxed()
}

async fn detect(context: &JobContext) -> Result<Outputs, JobError> {
    let config: Config = values::config(context)?;
    let image = values::image(context, "image")?;
    let id = ModelId::from(config.model_id.as_str());
    let model = context.model(&id).await?;
    let params = params(context, &config, &model);
    let items = match &config.tile {
        None => {
            let detector = model.detector().map_err(|error| of_inference(&error))?;
            let scaled = detector.scaled_size((image.width, image.height));
            let reduction = reduction(&image, config.reduced_decode, scaled);
            let preparing = Arc::clone(&model);
            let prepare = move |frame: &Frame| {
                let Prepared { inputs, placement } = preparing.detector()?.prepare(frame)?;
                Ok((inputs, placement))
            };
            let (graph, picture) = ((&model, Part::Main), (&image, reduction));
            let (inferred, placement) =
                inferring::inferred(context, graph, picture, prepare, of_inference).await?;
            let mut found = read(context, &model, inferred, (placement, params)).await?;
            found.iter_mut().for_each(|one| one.bbox = enlarged(one.bbox, reduction));
            items(&image, found)
        }
        Some(tile) => {
            let frame = inferring::pixels(context, &image).await?;
            let found = tiled::infer(context, &model, frame, (tile, &params)).await?;
            let items = items(&image, found);
            context.cpu(Stage::Postprocess, move || tiled::as_one_set(items, &params)).await?
        }
    };
    Ok(outputs(context, &image, items))
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

/// What the graph gave to boxes.
async fn read(
    context: &JobContext,
    model: &Arc<Model>,
    inferred: Inferred,
    (placement, params): (Placement, DetectParams),
) -> Result<Vec<Found>, JobError> {
    let reading = Arc::clone(model);
    let read = move |outputs: &[Tensor]| reading.detector()?.read(outputs, &placement, &params);
    context.read(inferred, read).await?.map_err(|error| of_inference(&error))
}

/// A box on a picture that was decoded at less than its size, in pixels of the picture.
fn enlarged(bbox: [f32; 4], reduction: Reduction) -> [f32; 4] {
    bbox.map(|side| side * reduction.factor() as f32)
}

/// The part of a box that is on the image; none when it does not even touch it. Some models give boxes that leave it. Boxes
/// without area that lie on it stay, as in their family's reference.
fn clipped(one: Found, image: &ImageValue) -> Option<Found> {
    let (width, height) = (image.width as f32, image.height as f32);
    let [x1, y1, x2, y2] = one.bbox;
    let bbox = [x1.clamp(0.0, width), y1.clamp(0.0, height), x2.clamp(0.0, width), y2.clamp(0.0, height)];
    (x2 >= 0.0 && y2 >= 0.0 && x1 <= width && y1 <= height).then_some(Found { bbox, ..one })
}

/// What was found and is on the image, without names of their own yet.
fn items(image: &ImageValue, found: Vec<Found>) -> Vec<Detection> {
    let item = |one: Found| Detection {
        detection_id: String::new(),
        class_id: one.class_id as i64,
        class_name: one.class_name,
        confidence: one.confidence,
        bbox: one.bbox,
        mask: None,
        keypoints: None,
        tracker_id: None,
        parent_id: image.parent_id.clone(),
    };
    found.into_iter().filter_map(|one| clipped(one, image)).map(item).collect()
}

fn outputs(context: &JobContext, image: &ImageValue, mut items: Vec<Detection>) -> Outputs {
    let prefix = inferring::id_prefix(context, image);
    let mut classes: Vec<String> = Vec::new();
    for (number, one) in items.iter_mut().enumerate() {
        one.detection_id = format!("{prefix}-{number}");
        if !classes.contains(&one.class_name) {
            classes.push(one.class_name.clone());
        }
    }
    let count = Value::from(items.len());
    let detections = Detections {
        image_id: Some(image.blob),
        width: image.width,
        height: image.height,
        lineage: values::lineage_of(image),
        items,
    };
    Outputs::from_iter([
        ("detections".to_owned(), json!(detections)),
        ("count".to_owned(), count),
        ("classes".to_owned(), json!(classes)),
    ])
}
