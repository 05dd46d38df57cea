//! `rotate_flip`: a picture turned, mirrored, or both.

use futures::FutureExt;
use futures::future::BoxFuture;
use millrace_blocks::transforms::rotate_flip::{Config, Flip};
use millrace_contracts::JobError;
use millrace_vision::Rotation;

use crate::images::{Made, check_size, pixels, store};
use crate::job::{JobContext, Outputs, Stage};
use crate::values;

pub(crate) fn run(context: &JobContext) -> BoxFuture<'_, Result<Outputs, JobError>> {
    turn(context).boxed()
}

async fn turn(context: &JobContext) -> Result<Outputs, JobError> {
    let config: Config = values::config(context)?;
    let image = values::image(context, "image")?;
    let rotation = Rotation {
        degrees: config.degrees,
        expand: config.expand,
        flip: millrace_vision::Flip {
            horizontal: matches!(config.flip, Flip::Horizontal | Flip::Both),
            vertical: matches!(config.flip, Flip::Vertical | Flip::Both),
        },
        fill: config.fill.rgb,
    };
    let value = if rotation.degrees.rem_euclid(360.0) == 0.0 && config.flip == Flip::None {
        // Already as it should be: the original bytes stay what they are.
        image
    } else {
        let frame = pixels(context, "image", &image).await?;
        let turned = rotation.plan((frame.width(), frame.height()));
        check_size(context, turned.canvas)?;
        let painted = context.cpu(Stage::Inference, move || rotation.paint(&frame)).await?;
        store(context, Made::derived(&image, painted, turned.to_parent)).await?
    };
    Ok(Outputs::from_iter([("image".to_owned(), value.to_value())]))
}
