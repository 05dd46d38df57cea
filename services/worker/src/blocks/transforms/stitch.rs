//! `stitch`: what was found on tiles or crops, as one set on the picture they were cut from.

pub(in crate::blocks) mod merge;

use futures::FutureExt;
use futures::future::BoxFuture;
use millrace_blocks::transforms::stitch::{Config, Strategy};
use millrace_contracts::values::{Detection, Detections};
use millrace_contracts::{ErrorKind, JobError};
use serde_json::{Value, json};

use super::compared::check_count;
use crate::job::{JobContext, Outputs, Stage};
use crate::values;
use merge::{Same, merged, suppressed};

pub(crate) fn run(context: &JobContext) -> BoxFuture<'_, Result<Outputs, JobError>> {
    join(context).boxed()
}

async fn join(context: &JobContext) -> Result<Outputs, JobError> {
    let config: Config = values::config(context)?;
    let image = values::image(context, "image")?;
    let Some(Value::Array(sets)) = context.inputs.get("detections") else {
        let message = "the input \"detections\" is not a list of detections; collect them first";
        return Err(JobError::new(ErrorKind::InvalidInput, message).at("/inputs/detections"));
    };
    let mut items: Vec<Detection> = Vec::new();
    // An item that failed and was collected as null found nothing.
    for (number, set) in sets.iter().enumerate().filter(|(_, set)| !set.is_null()) {
        let set = values::detections_of(set, &image)
            .map_err(|error| error.at(format!("/inputs/detections/{number}")))?;
        items.extend(set.items);
    }
    if config.strategy != Strategy::None {
        check_count(items.len(), "detections")?;
    }
    let same = Same { iou: config.iou_threshold as f32, class_aware: config.class_aware };
    let items = context
        .cpu(Stage::Inference, move || match config.strategy {
            Strategy::Nms => suppressed(items, same),
            Strategy::Nmm => merged(&items, same),
            Strategy::None => items,
        })
        .await?;
    let count = items.len();
    let whole = Detections {
        image_id: Some(image.blob),
        width: image.width,
        height: image.height,
        lineage: values::lineage_of(&image),
        items,
    };
    Ok(Outputs::from_iter([("detections".to_owned(), json!(whole)), ("count".to_owned(), count.into())]))
}
