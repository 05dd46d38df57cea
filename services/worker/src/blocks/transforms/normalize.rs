//! `normalize`: the levels of a picture, mapped or evened out.

use futures::FutureExt;
use futures::future::BoxFuture;
use millrace_blocks::transforms::normalize::{Config, Equalize};
use millrace_contracts::{ErrorKind, JobError};
use millrace_vision::{Frame, equalize, linear};

use crate::images::{Made, pixels, store};
use crate::job::{JobContext, Outputs, Stage};
use crate::values;

pub(crate) fn run(context: &JobContext) -> BoxFuture<'_, Result<Outputs, JobError>> {
    level(context).boxed()
}

async fn level(context: &JobContext) -> Result<Outputs, JobError> {
    let config: Config = values::config(context)?;
    // A selector may bring what the compiler would have refused.
    if config.std.is_some_and(|std| std.contains(&0.0)) {
        let message = "a channel cannot be divided by 0; write numbers other than 0";
        return Err(JobError::new(ErrorKind::InvalidConfig, message).at("/config/std"));
    }
    let image = values::image(context, "image")?;
    let frame = pixels(context, "image", &image).await?;
    let made = context.cpu(Stage::Inference, move || mapped(&frame, &config)).await?;
    let value = store(context, Made::in_place(&image, made)).await?;
    Ok(Outputs::from_iter([("image".to_owned(), value.to_value())]))
}

fn mapped(frame: &Frame, config: &Config) -> Frame {
    match config.equalize {
        Some(Equalize::Histogram) => equalize(frame, millrace_vision::Equalize::Histogram),
        Some(Equalize::Clahe) => equalize(frame, millrace_vision::Equalize::Clahe),
        Some(Equalize::Stretch) => equalize(frame, millrace_vision::Equalize::Stretch),
        None => linear(
            frame,
            config.scale.unwrap_or(1.0 / 255.0),
            config.mean.unwrap_or([0.0; 3]),
            config.std.unwrap_or([1.0; 3]),
        ),
    }
}
