//! Detection in slices, for things that are small on a large picture: each slice by itself, in batches with the others,
//! and what was found as one set on the whole picture.

use std::sync::Arc;

use millrace_blocks::models::detection::Tile;
use millrace_contracts::values::Detection;
use millrace_contracts::{ErrorKind, JobError};
use millrace_inference::{DetectParams, Found, Model, Prepared};
use millrace_vision::{Frame, PixelBox, TileEdge, Tiling, crop};

use crate::blocks::transforms::compared::MOST_COMPARED;
use crate::blocks::transforms::stitch::merge::{Same, merged};
use crate::error::of_inference;
use crate::job::{JobContext, Stage};

/// Slices of one picture at most: enough for 50 megapixels in slices of 256 pixels.
const MOST_SLICES: u64 = 2_048;
/// Slices at work at once: a few batches' worth, so that the session is never idle and memory stays bounded.
const AT_ONCE: usize = 16;

/// What is found on all slices, slice by slice, in pixels of the whole picture.
pub(super) async fn infer(
    context: &JobContext,
    model: &Arc<Model>,
    frame: Frame,
    (tile, params): (&Tile, &DetectParams),
) -> Result<Vec<Found>, JobError> {
    let tiling = Tiling {
        width: tile.slice_width,
        height: tile.slice_height,
        overlap_x: tile.overlap_x,
        overlap_y: tile.overlap_y,
        edge: TileEdge::Shift,
    };
    let size = (frame.width(), frame.height());
    let count = tiling.count(size);
    if count > MOST_SLICES {
        let message = format!(
            "an image of {} x {} pixels makes {count} slices of {} x {}, more than {MOST_SLICES}; use larger slices or less overlap",
            size.0, size.1, tile.slice_width, tile.slice_height
        );
        return Err(JobError::new(ErrorKind::InvalidConfig, message).at("/config/tile"));
    }
    let slices = tiling.tiles(size).map(|slice| on_slice(context, model, frame.clone(), (slice, params)));
    let found: Vec<Vec<Found>> = context.in_parts(slices, (count as usize, AT_ONCE)).await?;
    Ok(found.into_iter().flatten().collect())
}

/// What was found on overlapping slices as one set: most confident first, the boxes of one thing made one, no more than may
/// be. Made one and not thinned out, because a slice's edge may show a piece of a thing better than the next slice shows the
/// whole of it: the piece alone would be the wrong box.
pub(super) fn as_one_set(mut items: Vec<Detection>, params: &DetectParams) -> Vec<Detection> {
    items.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    // The most confident ones of all slices: that many can be compared with each other.
    items.truncate(MOST_COMPARED);
    let mut items = merged(&items, Same { iou: params.iou, class_aware: !params.agnostic });
    items.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    items.truncate(params.max_detections);
    items
}

/// What is found on one slice, in pixels of the whole picture.
async fn on_slice(
    context: &JobContext,
    model: &Arc<Model>,
    frame: Frame,
    (slice, params): (PixelBox, &DetectParams),
) -> Result<Vec<Found>, JobError> {
    let (x, y) = (slice.x as f32, slice.y as f32);
    let preparing = Arc::clone(model);
    let prepare = move || preparing.detector()?.prepare(&crop(&frame, slice));
    let prepared = context.cpu(Stage::Preprocess, prepare).await?;
    let Prepared { inputs, placement } = prepared.map_err(|error| of_inference(&error))?;
    let inferred = context.infer(model, inputs).await?;
    let mut found = super::read(context, model, inferred, (placement, params.clone())).await?;
    for one in &mut found {
        let [x1, y1, x2, y2] = one.bbox;
        one.bbox = [x1 + x, y1 + y, x2 + x, y2 + y];
    }
    Ok(found)
}
