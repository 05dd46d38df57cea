//! `resize`: a picture in another size.

use futures::FutureExt;
use futures::future::BoxFuture;
use millrace_blocks::transforms::resize::{Config, Interpolation, Mode};
use millrace_contracts::JobError;
use millrace_vision::{Filter, FitMode, Placement, Target, plan_resize};

use crate::error::of_vision;
use crate::images::{Made, check_size, reduced_pixels, reduction, store};
use crate::job::{JobContext, Outputs, Stage};
use crate::values;

/// How many pixels a filter is given for one that it makes: with fewer, people see it (Pillow's `thumbnail` has this
/// `reducing_gap` too).
const GAP: f64 = 2.0;

pub(crate) fn run(context: &JobContext) -> BoxFuture<'_, Result<Outputs, JobError>> {
    scale(context).boxed()
}

async fn scale(context: &JobContext) -> Result<Outputs, JobError> {
    let config: Config = values::config(context)?;
    let image = values::image(context, "image")?;
    let target = Target { width: config.width, height: config.height };
    let plan = |size| plan_resize(size, target, fit(config.mode));
    let told = (image.width, image.height);
    let reduction = reduction(&image, config.reduced_decode, enough(told, &plan(told)));
    let (frame, size) = reduced_pixels(context, "image", (&image, reduction)).await?;
    let placement = plan(size);
    check_size(context, placement.canvas)?;
    let value = if placement == Placement::stretch(size, size) {
        // Already as it should be: the original bytes stay what they are.
        image
    } else {
        let (filter, pad) = (filter(config.interpolation), config.pad_color.rgb);
        let on_frame = placement.of_reduced(reduction);
        let painted = context.cpu(Stage::Inference, move || on_frame.paint(&frame, filter, pad)).await?;
        let painted = painted.map_err(|error| of_vision(&error).at("/inputs/image"))?;
        store(context, Made::derived(&image, painted, placement.to_parent())).await?
    };
    Ok(Outputs::from_iter([("image".to_owned(), value.to_value())]))
}

/// The least that a picture may be decoded at, so that the part of it that is used lands well where it is placed.
fn enough(size: (u32, u32), placement: &Placement) -> (u32, u32) {
    let gain = placement.gain();
    let side = |own: u32, gain: f64| (f64::from(own) * gain * GAP).ceil() as u32;
    (side(size.0, gain.0), side(size.1, gain.1))
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
