//! `smoothing`: a picture without its noise, or without its detail.

use futures::FutureExt;
use futures::future::BoxFuture;
use millrace_blocks::transforms::smoothing::{Config, Method};
use millrace_contracts::JobError;
use millrace_vision::{Smoothing, smooth};

use crate::images::{Made, pixels, store};
use crate::job::{JobContext, Outputs, Stage};
use crate::values;

pub(crate) fn run(context: &JobContext) -> BoxFuture<'_, Result<Outputs, JobError>> {
    soften(context).boxed()
}

async fn soften(context: &JobContext) -> Result<Outputs, JobError> {
    let config: Config = values::config(context)?;
    let image = values::image(context, "image")?;
    let frame = pixels(context, "image", &image).await?;
    let how = match config.method {
        Method::Average => Smoothing::Average,
        Method::Gaussian => Smoothing::Gaussian,
        Method::Median => Smoothing::Median,
        Method::Bilateral => Smoothing::Bilateral,
    };
    let kernel = config.kernel_size;
    let smoothed = context.cpu(Stage::Inference, move || smooth(&frame, how, kernel)).await?;
    let value = store(context, Made::in_place(&image, smoothed)).await?;
    Ok(Outputs::from_iter([("image".to_owned(), value.to_value())]))
}
