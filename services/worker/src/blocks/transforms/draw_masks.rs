//! `draw_masks`: masks laid over their picture.

use futures::FutureExt;
use futures::future::BoxFuture;
use millrace_blocks::transforms::draw_masks::Config;
use millrace_contracts::JobError;
use millrace_contracts::values::{Detection, ImageValue};
use millrace_vision::{Layer, MaskStyle, Stencil, draw_masks};

use super::draw_boxes::color_by;
use super::marked;
use crate::images::{Made, pixels, store};
use crate::job::{JobContext, Outputs, Stage};
use crate::values;

pub(crate) fn run(context: &JobContext) -> BoxFuture<'_, Result<Outputs, JobError>> {
    draw(context).boxed()
}

async fn draw(context: &JobContext) -> Result<Outputs, JobError> {
    let config: Config = values::config(context)?;
    let image = values::image(context, "image")?;
    let layers = layers(context, &image)?;
    let frame = pixels(context, "image", &image).await?;
    let style = MaskStyle {
        opacity: config.opacity as f32,
        outline: config.outline,
        palette: config.palette.unwrap_or_default().into_iter().map(|color| color.rgb).collect(),
        color_by: color_by(config.color_by),
    };
    let drawn = context.cpu(Stage::Inference, move || draw_masks(&frame, &layers, &style)).await?;
    let value = store(context, Made::view(&image, drawn)).await?;
    Ok(Outputs::from_iter([("image".to_owned(), value.to_value())]))
}

fn layers(context: &JobContext, image: &ImageValue) -> Result<Vec<Layer>, JobError> {
    let size = (image.width, image.height);
    let detections = marked::detections(context, image)?;
    let layer = |item: &Detection| {
        let stencil = Stencil::of(item.mask.as_ref()?, size)?;
        Some(Layer { stencil, class_id: item.class_id, tracker_id: item.tracker_id })
    };
    let mut layers: Vec<Layer> = detections.iter().filter_map(layer).collect();
    let (count, bare) = (detections.len(), detections.len() - layers.len());
    if bare > 0 {
        context.warn(format!("{bare} of {count} detections have no mask of this picture"));
    }
    let masks = marked::masks(context, image)?;
    layers.extend(masks.iter().filter_map(|item| {
        let stencil = marked::stencil(item, image)?;
        Some(Layer { stencil, class_id: item.class_id, tracker_id: None })
    }));
    Ok(layers)
}
