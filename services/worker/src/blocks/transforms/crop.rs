//! `crop`: one picture per detection, or one fixed region.

use futures::FutureExt;
use futures::future::BoxFuture;
use millrace_blocks::transforms::crop::{Config, Mode};
use millrace_contracts::values::{Detection, Detections, ImageValue};
use millrace_contracts::{ErrorKind, JobError};
use millrace_vision::{Frame, PixelBox, crop};
use serde_json::{Value, json};

use super::bounds::check_crops;
use crate::images::{Made, pixels, store};
use crate::job::{JobContext, Outputs, Stage};
use crate::values;

pub(crate) fn run(context: &JobContext) -> BoxFuture<'_, Result<Outputs, JobError>> {
    cut(context).boxed()
}

async fn cut(context: &JobContext) -> Result<Outputs, JobError> {
    let config: Config = values::config(context)?;
    let image = values::image(context, "image")?;
    match config.mode {
        Mode::Detections => cut_detections(context, &config, &image).await,
        Mode::Absolute => cut_region(context, &config, &image, |share, _| share).await,
        // Shares beyond the picture are clamped before they are multiplied.
        Mode::Relative => {
            cut_region(context, &config, &image, |share, side| share.clamp(0.0, 1.0) * side).await
        }
    }
}

/// One crop per detection, in their order, each with its own detection shifted into it.
async fn cut_detections(
    context: &JobContext,
    config: &Config,
    image: &ImageValue,
) -> Result<Outputs, JobError> {
    let detections = values::detections_on(context, "detections", image)?;
    let frame = pixels(context, "image", image).await?;
    let mut parts = Vec::new();
    for (number, detection) in detections.items.into_iter().enumerate() {
        let corners = detection.bbox.map(f64::from);
        let part = padded(corners, config, size_of(&frame));
        match too_small(part, config) {
            Some(why) => {
                context.warn(format!("detection {number} ({}) was left out: {why}", detection.class_name));
            }
            None => parts.push((detection, part)),
        }
    }
    check_crops(parts.iter().map(|(_, part)| *part))?;
    let (mut crops, mut shifted) = (Vec::new(), Vec::new());
    for (detection, part) in parts {
        let made = cut_out(context, image, &frame, part).await?;
        let parent_id = Some(detection.detection_id.clone()).filter(|id| !id.is_empty());
        let made = Made { parent_id, ..made };
        let value = store(context, made).await?;
        shifted.push(json!(Detections {
            image_id: Some(value.blob),
            width: value.width,
            height: value.height,
            lineage: values::lineage_of(&value),
            items: vec![moved(detection, part)],
        }));
        crops.push(value.to_value());
    }
    Ok(Outputs::from_iter([
        ("crops".to_owned(), Value::Array(crops)),
        ("detections".to_owned(), Value::Array(shifted)),
    ]))
}

/// The configured region. Unlike a detection it cannot be left out: an empty one is the caller's mistake.
async fn cut_region(
    context: &JobContext,
    config: &Config,
    image: &ImageValue,
    scale: fn(f64, f64) -> f64,
) -> Result<Outputs, JobError> {
    let missing = || {
        JobError::new(ErrorKind::InvalidConfig, "this mode needs `region`: [x1, y1, x2, y2]")
            .at("/config/region")
    };
    let region = config.region.ok_or_else(missing)?;
    let [x1, y1, x2, y2] = region;
    let frame = pixels(context, "image", image).await?;
    let (width, height) = (f64::from(frame.width()), f64::from(frame.height()));
    let corners = [scale(x1, width), scale(y1, height), scale(x2, width), scale(y2, height)];
    let part = padded(corners, config, size_of(&frame));
    if let Some(why) = too_small(part, config) {
        let message = format!(
            "the region {region:?} of a picture of {width} x {height} pixels cannot be cut out: {why}"
        );
        return Err(JobError::new(ErrorKind::InvalidInput, message).at("/config/region"));
    }
    let value = if part == whole(&frame) {
        image.clone()
    } else {
        let made = cut_out(context, image, &frame, part).await?;
        store(context, made).await?
    };
    Ok(Outputs::from_iter([("image".to_owned(), value.to_value())]))
}

async fn cut_out(
    context: &JobContext,
    image: &ImageValue,
    frame: &Frame,
    part: PixelBox,
) -> Result<Made, JobError> {
    let whole = frame.clone();
    let cut = context.cpu(Stage::Inference, move || crop(&whole, part)).await?;
    Ok(Made::derived(image, cut, part.to_parent()))
}

fn size_of(frame: &Frame) -> (u32, u32) {
    (frame.width(), frame.height())
}

fn whole(frame: &Frame) -> PixelBox {
    PixelBox { x: 0, y: 0, width: frame.width(), height: frame.height() }
}

/// Padding first, then whole pixels, then the picture's edges.
fn padded([x1, y1, x2, y2]: [f64; 4], config: &Config, size: (u32, u32)) -> PixelBox {
    let (across, down) = config.padding.of(x2 - x1, y2 - y1);
    PixelBox::from_corners([x1 - across, y1 - down, x2 + across, y2 + down], size)
}

fn too_small(part: PixelBox, config: &Config) -> Option<String> {
    let (width, height, least) = (part.width, part.height, config.min_size);
    if part.is_empty() {
        return Some("it has no area inside the picture".to_owned());
    }
    (width < least || height < least).then(|| format!("it is {width} x {height} pixels, min_size is {least}"))
}

/// The detection in pixels of its crop.
fn moved(detection: Detection, part: PixelBox) -> Detection {
    let (left, top) = (part.x as f32, part.y as f32);
    let (width, height) = (part.width as f32, part.height as f32);
    let [x1, y1, x2, y2] = detection.bbox;
    let across = |x: f32| (x - left).clamp(0.0, width);
    let down = |y: f32| (y - top).clamp(0.0, height);
    let keypoints = detection
        .keypoints
        .map(|points| points.into_iter().map(|[x, y, score]| [x - left, y - top, score]).collect());
    Detection { bbox: [across(x1), down(y1), across(x2), down(y2)], keypoints, mask: None, ..detection }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(value: Value) -> Config {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn padding_comes_before_rounding_and_clamping() {
        let pixels = config(json!({"padding": 3}));
        assert_eq!(
            padded([10.0, 10.0, 20.0, 30.0], &pixels, (100, 32)),
            PixelBox { x: 7, y: 7, width: 16, height: 25 }
        );
        let percent = config(json!({"padding": "10%"}));
        // 10 % of 10 wide and of 20 high.
        assert_eq!(
            padded([10.0, 10.0, 20.0, 30.0], &percent, (100, 100)),
            PixelBox { x: 9, y: 8, width: 12, height: 24 }
        );
    }

    #[test]
    fn what_is_too_small_says_why() {
        let config = config(json!({"min_size": 8}));
        let part = |width, height| PixelBox { x: 0, y: 0, width, height };
        assert!(too_small(part(0, 9), &config).unwrap().contains("no area"));
        assert!(too_small(part(9, 7), &config).unwrap().contains("min_size is 8"));
        assert_eq!(too_small(part(8, 8), &config), None);
    }
}
