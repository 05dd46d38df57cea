//! `tile`: a large picture as overlapping smaller ones.

use futures::FutureExt;
use futures::future::BoxFuture;
use millrace_blocks::transforms::tile::{Config, Edge};
use millrace_contracts::values::ImageValue;
use millrace_contracts::{ErrorKind, JobError};
use millrace_vision::{Frame, PixelBox, TileEdge, Tiling, crop};
use serde_json::Value;

use crate::images::{Made, pixels, store};
use crate::job::{JobContext, Outputs, Stage};
use crate::values;

/// Tiles of one picture: more are a mistake in the settings, and a flood of pictures to store.
const MOST_TILES: u64 = 4_096;
/// Tiles in the making at once: enough to keep the pixel threads busy, few enough to keep memory small.
const AT_ONCE: usize = 4;

pub(crate) fn run(context: &JobContext) -> BoxFuture<'_, Result<Outputs, JobError>> {
    slice(context).boxed()
}

async fn slice(context: &JobContext) -> Result<Outputs, JobError> {
    let config: Config = values::config(context)?;
    let image = values::image(context, "image")?;
    let frame = pixels(context, "image", &image).await?;
    let tiling = Tiling {
        width: config.slice_width,
        height: config.slice_height,
        overlap_x: config.overlap_x,
        overlap_y: config.overlap_y,
        edge: match config.edge {
            Edge::Shift => TileEdge::Shift,
            Edge::Truncate => TileEdge::Truncate,
        },
    };
    let size = (frame.width(), frame.height());
    let count = tiling.count(size);
    if count > MOST_TILES {
        let message = format!(
            "a picture of {} x {} pixels would become {count} tiles, more than the {MOST_TILES} allowed; choose larger tiles \
             or less overlap",
            size.0, size.1
        );
        return Err(JobError::new(ErrorKind::InvalidConfig, message).at("/config"));
    }
    let parts = tiling.tiles(size).map(|part| cut(context, &image, &frame, part));
    let tiles: Vec<Value> = context.in_parts(parts, (count as usize, AT_ONCE)).await?;
    Ok(Outputs::from_iter([("count".to_owned(), tiles.len().into()), ("tiles".to_owned(), tiles.into())]))
}

async fn cut(
    context: &JobContext,
    image: &ImageValue,
    frame: &Frame,
    part: PixelBox,
) -> Result<Value, JobError> {
    if (part.width, part.height) == (frame.width(), frame.height()) {
        return Ok(image.to_value());
    }
    let whole = frame.clone();
    let tile = context.cpu(Stage::Inference, move || crop(&whole, part)).await?;
    Ok(store(context, Made::derived(image, tile, part.to_parent())).await?.to_value())
}
