//! `resize`: a picture in another size.

use futures::FutureExt;
use futures::future::BoxFuture;
use millrace_blocks::transforms::resize::{Config, Interpolation, Mode};
use millrace_contracts::JobError;
use millrace_vision::{Filter, FitMode, Placement, Target, plan_resize};

use crate::error::of_vision;
use crate::images::{Made, check_size, pixels, store};
use crate::job::{JobContext, Outputs, Stage};
use crate::values;

pub(crate) fn run(context: &JobContext) -> BoxFuture<'_, Result<Outputs, JobError>> {
    scale(context).boxed()
}

async fn scale(context: &JobContext) -> Result<Outputs, JobError> {
    let config: Config = values::config(context)?;
    let image = values::image(context, "image")?;
    let frame = pixels(context, "image", &image).await?;
    let size = (frame.width(), frame.height());
    let placement =
        plan_resize(size, Target { width: config.width, height: config.height }, fit(config.mode));
    check_size(context, placement.canvas)?;
    let value = if placement == Placement::stretch(size, size) {
        // Already as it should be: the original bytes stay what they are.
        image
    } else {
        let (filter, pad) = (filter(config.interpolation), config.pad_color.rgb);
        let painted = context.cpu(Stage::Inference, move || placement.paint(&frame, filter, pad)).await?;
        let painted = painted.map_err(|error| of_vision(&error).at("/inputs/image"))?;
        store(context, Made::derived(&image, painted, placement.to_parent())).await?
    };
    Ok(Outputs::from_iter([("image".to_owned(), value.to_value())]))
}

fn fit(mode: Mode) -> FitMode {
    match mode {
        Mode::Stretch => FitMode::Stretch,
        Mode::Fit => FitMode::Fit,
        Mode::Letterbox => FitMode::Letterbox,
        Mode::Fill => FitMode::Fill,
    }
}

/// The antialiased filters: a picture that is shown or cut further should not shimmer.
fn filter(interpolation: Interpolation) -> Filter {
    match interpolation {
        Interpolation::Nearest => Filter::Nearest,
        Interpolation::Bilinear => Filter::Bilinear,
        Interpolation::Bicubic => Filter::Bicubic,
        Interpolation::Area => Filter::Area,
        Interpolation::Lanczos3 => Filter::Lanczos3,
    }
}
