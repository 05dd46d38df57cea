//! What is marked on a picture: detections, masks of a segmentation, or both.

use millrace_contracts::values::{Detection, ImageValue, MaskItem, Rle};
use millrace_contracts::{ErrorKind, JobError};

use crate::job::JobContext;
use crate::values;

/// Both as boxes: a mask is the box around it. Masks with nothing in them have none.
pub(super) fn boxes(context: &JobContext, image: &ImageValue) -> Result<Vec<Detection>, JobError> {
    let mut boxes = detections(context, image)?;
    boxes.extend(masks(context, image)?.into_iter().filter_map(boxed));
    Ok(boxes)
}

fn boxed(item: MaskItem) -> Option<Detection> {
    Some(Detection {
        detection_id: String::new(),
        class_id: item.class_id,
        class_name: item.class_name,
        // A class map says what is where, not how sure it is.
        confidence: item.confidence.unwrap_or(1.0),
        bbox: item.mask.bbox()?.map(|side| side as f32),
        mask: None,
        keypoints: None,
        tracker_id: None,
        parent_id: None,
    })
}

/// The detections, in pixels of `image`; none when there are only masks. Where nothing says what to mark there is no picture
/// either: one with nothing marked would say that nothing was found.
pub(super) fn detections(context: &JobContext, image: &ImageValue) -> Result<Vec<Detection>, JobError> {
    if !values::has(context, "detections") {
        if values::has(context, "masks") {
            return Ok(Vec::new());
        }
        let message = "neither `detections` nor `masks` has a value, so there is nothing to go by";
        return Err(JobError::new(ErrorKind::InvalidInput, message).at("/inputs/detections"));
    }
    Ok(values::detections_on(context, "detections", image)?.items)
}

/// The masks, each of `image`'s size; none when there are only detections, which are asked for first.
pub(super) fn masks(context: &JobContext, image: &ImageValue) -> Result<Vec<MaskItem>, JobError> {
    if !values::has(context, "masks") {
        return Ok(Vec::new());
    }
    Ok(values::masks_on(context, "masks", image)?.items)
}

/// A detection's mask, if it is one of all of `image` and has a pixel.
pub(super) fn mask_of(mask: Option<Rle>, image: &ImageValue) -> Option<Rle> {
    mask.filter(|mask| mask.size == [image.height, image.width] && mask.bbox().is_some())
}
