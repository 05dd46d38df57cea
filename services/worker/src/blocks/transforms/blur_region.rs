//! `blur_region`: what was detected, made unrecognisable.

use futures::FutureExt;
use futures::future::BoxFuture;
use millrace_blocks::transforms::blur_region::{Config, Method, Shape};
use millrace_contracts::JobError;
use millrace_contracts::values::{Detection, ImageValue};
use millrace_vision::{Blur, PixelBox, Region, blur_regions};

use super::bounds::check_work;
use super::marked;
use crate::error::of_vision;
use crate::images::{Made, pixels, store};
use crate::job::{JobContext, Outputs, Stage};
use crate::values;

pub(crate) fn run(context: &JobContext) -> BoxFuture<'_, Result<Outputs, JobError>> {
    hide(context).boxed()
}

async fn hide(context: &JobContext) -> Result<Outputs, JobError> {
    let config: Config = values::config(context)?;
    let image = values::image(context, "image")?;
    let detections = marked::detections(context, &image)?;
    let mut regions: Vec<Region> =
        detections.into_iter().map(|item| region(context, &config, &image, item)).collect();
    let masks = marked::masks(context, &image)?;
    regions.extend(masks.into_iter().filter_map(|item| Region::masked(item.mask)));
    let blur = match config.method {
        Method::Gaussian => Blur::Gaussian(config.kernel_size),
        Method::Box => Blur::Box(config.kernel_size),
        Method::Pixelate => Blur::Pixelate(config.pixel_size),
    };
    check_work(regions.iter().map(|region| blur.work(region.part)), "a `kernel_size` above 15")?;
    let frame = pixels(context, "image", &image).await?;
    let hidden = context.cpu(Stage::Inference, move || blur_regions(&frame, &regions, blur)).await?;
    let hidden = hidden.map_err(|error| of_vision(&error))?;
    let value = store(context, Made::in_place(&image, hidden)).await?;
    Ok(Outputs::from_iter([("image".to_owned(), value.to_value())]))
}

fn region(context: &JobContext, config: &Config, image: &ImageValue, item: Detection) -> Region {
    if config.shape == Shape::Mask {
        if let Some(region) = marked::mask_of(item.mask, image).and_then(Region::masked) {
            return region;
        }
        context.warn(format!(
            "the detection {} ({}) has no mask of this picture; its whole box was blurred",
            item.detection_id, item.class_name
        ));
    }
    let [x1, y1, x2, y2] = item.bbox.map(f64::from);
    let (across, down) = config.padding.of(x2 - x1, y2 - y1);
    let part =
        PixelBox::from_corners([x1 - across, y1 - down, x2 + across, y2 + down], (image.width, image.height));
    let shape = match config.shape {
        Shape::Ellipse => millrace_vision::Shape::Ellipse,
        Shape::Box | Shape::Mask => millrace_vision::Shape::Box,
    };
    Region { part, shape }
}
