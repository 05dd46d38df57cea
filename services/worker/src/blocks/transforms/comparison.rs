//! `comparison`: two pictures, or two sets of detections on one, beside each other and in numbers.

mod detections;

use futures::FutureExt;
use futures::future::BoxFuture;
use millrace_blocks::transforms::comparison::{Config, Mode};
use millrace_contracts::JobError;
use millrace_vision::{Compared, View, beside_size, compare};

use crate::error::of_vision;
use crate::images::{Made, check_size, pixels, store};
use crate::job::{JobContext, Outputs, Stage};
use crate::values;

pub(crate) fn run(context: &JobContext) -> BoxFuture<'_, Result<Outputs, JobError>> {
    weigh(context).boxed()
}

async fn weigh(context: &JobContext) -> Result<Outputs, JobError> {
    let config: Config = values::config(context)?;
    if values::has(context, "detections_a") || values::has(context, "detections_b") {
        return detections::compare(context, &config).await;
    }
    let (first, second) = (values::image(context, "a")?, values::image(context, "b")?);
    let (a, b) = (pixels(context, "a", &first).await?, pixels(context, "b", &second).await?);
    if config.mode == Mode::SideBySide {
        check_size(context, beside_size((a.width(), a.height())))?;
    }
    let view = view(config.mode);
    let compared = context.cpu(Stage::Inference, move || compare(&a, &b, view)).await?;
    let Compared { image, score, difference } = compared.map_err(|error| of_vision(&error))?;
    // Two pictures side by side have another geometry than either.
    let made = match config.mode {
        Mode::SideBySide => Made { lineage: None, parent_id: None, ..Made::view(&first, image) },
        _ => Made::view(&first, image),
    };
    let value = store(context, made).await?;
    Ok(Outputs::from_iter([
        ("image".to_owned(), value.to_value()),
        ("score".to_owned(), score.into()),
        ("difference".to_owned(), difference.into()),
    ]))
}

fn view(mode: Mode) -> View {
    match mode {
        Mode::SideBySide => View::SideBySide,
        Mode::Overlay => View::Overlay,
        Mode::Difference => View::Difference,
        Mode::Ssim => View::Ssim,
    }
}
