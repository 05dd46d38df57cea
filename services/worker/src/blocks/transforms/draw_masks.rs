//! `draw_masks`: masks laid over their picture.

use futures::FutureExt;
use futures::future::BoxFuture;
use millrace_blocks::transforms::draw_masks::Config;
use millrace_contracts::JobError;
use millrace_contracts::values::{Detection, ImageValue, MaskItem};
use millrace_vision::{Layer, MaskStyle, draw_masks};

use super::bounds::check_pixels;
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
    check_pixels(layers.iter().map(|layer| area(layer, config.outline)))?;
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
    let detections = marked::detections(context, image)?;
    let count = detections.len();
    let layer = |item: Detection| {
        let mask = marked::mask_of(item.mask, image)?;
        Some(Layer {
            mask,
            class_id: item.class_id,
            class_name: item.class_name,
            tracker_id: item.tracker_id,
        })
    };
    let mut layers: Vec<Layer> = detections.into_iter().filter_map(layer).collect();
    let bare = count - layers.len();
    if bare > 0 {
        context.warn(format!("{bare} of {count} detections have no mask of this picture"));
    }
    let layer = |item: MaskItem| {
        let MaskItem { mask, class_id, class_name, .. } = item;
        Layer { mask, class_id, class_name, tracker_id: None }
    };
    layers.extend(marked::masks(context, image)?.into_iter().map(layer));
    Ok(layers)
}

/// The pixels that are looked at to draw it: those of its box, where an outline has to be found.
fn area(layer: &Layer, outline: u32) -> u64 {
    match outline {
        0 => layer.mask.area(),
        _ => layer.mask.bbox().map_or(0, |[x1, y1, x2, y2]| u64::from(x2 - x1) * u64::from(y2 - y1)),
    }
}
