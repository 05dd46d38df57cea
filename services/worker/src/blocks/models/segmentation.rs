//! `segmentation`: which pixels belong to what.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use millrace_blocks::models::segmentation::{Config, Mode};
use millrace_contracts::values::{Detection, Detections, ImageValue, MaskItem, Masks, MasksKind};
use millrace_contracts::{JobError, ModelId};
use millrace_inference::{InferenceError, Part, Prepared, Segment, SegmentMode, SegmentParams};
use millrace_vision::{Frame, Reduction};
use serde_json::{Map, Value, json};

use super::inferring;
use crate::error::of_inference;
use crate::job::{JobContext, Outputs, Stage};
use crate::values;

pub(crate) fn run(context: &JobContext) -> BoxFuture<'_, Result<Outputs, JobError>> {
    segment(context).boxed()
}

async fn segment(context: &JobContext) -> Result<Outputs, JobError> {
    let config: Config = values::config(context)?;
    let image = values::image(context, "image")?;
    let id = ModelId::from(config.model_id.as_str());
    let model = context.model(&id).await?;
    let params = params(&config);
    let mode = params.mode;
    let preparing = Arc::clone(&model);
    let prepare = move |frame: &Frame| {
        let Prepared { inputs, placement } = preparing.segmenter()?.prepare(frame)?;
        Ok((inputs, placement))
    };
    let (graph, picture) = ((&model, Part::Main), (&image, Reduction::None));
    let (inferred, placement) = inferring::inferred(context, graph, picture, prepare, failed).await?;
    let reading = Arc::clone(&model);
    let prefix = inferring::id_prefix(context, &image);
    // On the CPU pool however few numbers there are: masks are as large as the picture, and run lengths of large pictures are long.
    let read = move || {
        let segments = reading.segmenter()?.read(&inferred.outputs, &placement, &params)?;
        Ok(outputs(&prefix, &image, mode, segments))
    };
    context.cpu(Stage::Postprocess, read).await?.map_err(|error: InferenceError| failed(&error))
}

fn failed(error: &InferenceError) -> JobError {
    let job_error = of_inference(error);
    if matches!(error, InferenceError::WrongMode { .. }) { job_error.at("/config/mode") } else { job_error }
}

fn params(config: &Config) -> SegmentParams {
    SegmentParams {
        mode: match config.mode {
            Mode::Semantic => SegmentMode::Semantic,
            Mode::Instance => SegmentMode::Instance,
            Mode::Panoptic => SegmentMode::Panoptic,
        },
        confidence: config.confidence as f32,
        iou: config.iou_threshold as f32,
        max_segments: config.max_detections as usize,
    }
}

fn outputs(prefix: &str, image: &ImageValue, mode: SegmentMode, segments: Vec<Segment>) -> Outputs {
    let (mut items, mut found) = (Vec::new(), Vec::new());
    let mut areas: Map<String, Value> = Map::new();
    for (number, segment) in segments.into_iter().enumerate() {
        let Segment { class_id, class_name, confidence, bbox, mask } = segment;
        let area = mask.area();
        let so_far = areas.get(&class_name).and_then(Value::as_u64).unwrap_or(0);
        areas.insert(class_name.clone(), Value::from(so_far + area));
        let around = mask.bbox().map_or(bbox, |corners| corners.map(|corner| corner as f32));
        found.push(Detection {
            detection_id: format!("{prefix}-{number}"),
            class_id: class_id as i64,
            class_name: class_name.clone(),
            // A class map says what is where, not how sure it is.
            confidence: confidence.unwrap_or(1.0),
            bbox,
            mask: Some(mask.clone()),
            keypoints: None,
            tracker_id: None,
            parent_id: image.parent_id.clone(),
        });
        items.push(MaskItem { class_id: class_id as i64, class_name, confidence, area, bbox: around, mask });
    }
    let kind = if mode == SegmentMode::Semantic { MasksKind::Mask } else { MasksKind::Segments };
    let (image_id, width, height) = (Some(image.blob), image.width, image.height);
    let lineage = values::lineage_of(image);
    let masks = Masks { kind, image_id, width, height, lineage, items };
    let detections = Detections { image_id, width, height, lineage, items: found };
    Outputs::from_iter([
        ("masks".to_owned(), json!(masks)),
        ("detections".to_owned(), json!(detections)),
        ("areas".to_owned(), Value::Object(areas)),
    ])
}
