//! `grid_builder`: several pictures as one.

use futures::FutureExt;
use futures::future::BoxFuture;
use millrace_blocks::transforms::grid_builder::{Columns, Config};
use millrace_contracts::{ErrorKind, JobError};
use millrace_vision::{Encoding, Filter, FitMode, Frame, Grid, Target, plan_resize};
use serde_json::Value;

use crate::error::of_vision;
use crate::images::{Made, check_size, pixels, store};
use crate::job::{JobContext, Outputs, Stage};
use crate::values;

pub(crate) fn run(context: &JobContext) -> BoxFuture<'_, Result<Outputs, JobError>> {
    arrange(context).boxed()
}

async fn arrange(context: &JobContext) -> Result<Outputs, JobError> {
    let config: Config = values::config(context)?;
    let images = values::images(context, "images")?;
    let grid = Grid {
        columns: match config.columns {
            Columns::Auto => None,
            Columns::Number(number) => Some(number),
        },
        cell_width: config.cell_width,
        cell_height: config.cell_height,
        gap: config.gap,
        ground: config.background.rgb,
    };
    let (width, height) = grid.canvas(images.len());
    let too_large = |side: u64| u32::try_from(side).unwrap_or(u32::MAX);
    check_size(context, (too_large(width), too_large(height)))?;
    let mut cells = Vec::with_capacity(images.len());
    for image in &images {
        let frame = pixels(context, "images", image).await?;
        // One picture at a time in full size: what is kept is as small as its cell.
        let small = context.cpu(Stage::Preprocess, move || shrunk(&frame, &grid)).await?;
        cells.push(small.map_err(|error| of_vision(&error).at("/inputs/images"))?);
    }
    let labels = labels(context, config.labels)?;
    let painted = context.cpu(Stage::Inference, move || grid.paint(&cells, &labels)).await?;
    let frame = painted.map_err(|error| of_vision(&error))?;
    let made = Made::root(frame, Encoding::Png);
    let value = store(context, made).await?;
    Ok(Outputs::from_iter([("image".to_owned(), value.to_value())]))
}

fn shrunk(frame: &Frame, grid: &Grid) -> Result<Frame, millrace_vision::VisionError> {
    let cell = Target { width: Some(grid.cell_width), height: Some(grid.cell_height) };
    plan_resize((frame.width(), frame.height()), cell, FitMode::Fit).paint(
        frame,
        Filter::Bilinear,
        grid.ground,
    )
}

/// The texts of the input, or else of the configuration; numbers and such as JSON writes them.
fn labels(context: &JobContext, configured: Option<Vec<String>>) -> Result<Vec<String>, JobError> {
    match context.inputs.get("labels") {
        None | Some(Value::Null) => Ok(configured.unwrap_or_default()),
        Some(Value::Array(items)) => Ok(items.iter().map(text).collect()),
        Some(_) => Err(JobError::new(ErrorKind::InvalidInput, "the labels are no list").at("/inputs/labels")),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
