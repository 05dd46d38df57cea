//! Port values as blocks take them: typed, and on the right image.

use millrace_blocks::settings;
use millrace_contracts::values::{Detection, Detections, ImageValue, Lineage, Masks};
use millrace_contracts::{BlobId, ErrorKind, JobError};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::job::JobContext;

/// The block's configuration, if what selectors put there is allowed there.
pub(crate) fn config<T: DeserializeOwned>(context: &JobContext) -> Result<T, JobError> {
    settings::read(&context.job.task, &context.config, context.inputs.keys().map(String::as_str))
}

/// The image on a port.
pub(crate) fn image(context: &JobContext, port: &str) -> Result<ImageValue, JobError> {
    let value = context.inputs.get(port).filter(|value| !value.is_null());
    let at = |error: JobError| error.at(format!("/inputs/{port}"));
    let value = value.ok_or_else(|| at(wrong(format!("the input {port:?} is missing"))))?;
    ImageValue::from_value(value).ok_or_else(|| at(wrong(format!("the input {port:?} is not an image"))))
}

/// Whether a port has a value.
pub(crate) fn has(context: &JobContext, port: &str) -> bool {
    context.inputs.get(port).is_some_and(|value| !value.is_null())
}

/// The images on a port, in their order.
pub(crate) fn images(context: &JobContext, port: &str) -> Result<Vec<ImageValue>, JobError> {
    let at = |error: JobError| error.at(format!("/inputs/{port}"));
    let Some(Value::Array(items)) = context.inputs.get(port) else {
        return Err(at(wrong(format!("the input {port:?} is not a list of images"))));
    };
    let image = |(number, item): (usize, &Value)| {
        let message = || at(wrong(format!("item {number} of the input {port:?} is not an image")));
        ImageValue::from_value(item).ok_or_else(message)
    };
    items.iter().enumerate().map(image).collect()
}

/// The masks on a port, which have to be of `image` itself or of a picture that shows the same pixel by pixel, and of its
/// size: a raster does not follow an affine map.
pub(crate) fn masks_on(context: &JobContext, port: &str, image: &ImageValue) -> Result<Masks, JobError> {
    let at = |error: JobError| error.at(format!("/inputs/{port}"));
    let value = context.inputs.get(port).unwrap_or(&Value::Null);
    let read = Masks::deserialize(value);
    let masks = read.map_err(|error| at(wrong(format!("the input {port:?} is no masks: {error}"))))?;
    if let Some(made_on) = masks.image_id.filter(|id| *id != image.blob) {
        let made = Place::of(made_on, (masks.width, masks.height), masks.lineage);
        if !made.is_that_of(image) {
            return Err(at(mismatch("masks", made_on, image)));
        }
    }
    let size = [image.height, image.width];
    if let Some(odd) = masks.items.iter().position(|item| item.mask.size != size) {
        let ([height, width], [rows, columns]) = (size, masks.items[odd].mask.size);
        let message = format!(
            "DETECTIONS_IMAGE_MISMATCH: mask {odd} has {columns} x {rows} pixels, the image {width} x {height}; wire the \
             image that the masks were made on"
        );
        return Err(at(wrong(message)));
    }
    Ok(masks)
}

/// The detections on a port, in pixels of `image`: a set, or a bare list of items.
///
/// A set that was made on another image is taken to this one where both come from the same root; otherwise it is refused.
pub(crate) fn detections_on(
    context: &JobContext,
    port: &str,
    image: &ImageValue,
) -> Result<Detections, JobError> {
    let at = |error: JobError| error.at(format!("/inputs/{port}"));
    match context.inputs.get(port) {
        None | Some(Value::Null) => Err(at(wrong(format!("the input {port:?} is missing")))),
        Some(value) => detections_of(value, image).map_err(at),
    }
}

/// Detections in pixels of `image`, as [`detections_on`].
pub(crate) fn detections_of(value: &Value, image: &ImageValue) -> Result<Detections, JobError> {
    let read = match value {
        Value::Array(_) => {
            Vec::<Detection>::deserialize(value).map(|items| Detections { items, ..Detections::default() })
        }
        _ => Detections::deserialize(value),
    };
    on_image(read.map_err(|error| wrong(format!("these are no detections: {error}")))?, image)
}

fn wrong(message: String) -> JobError {
    JobError::new(ErrorKind::InvalidInput, message)
}

/// Where something was made: the map to the root, and how much of it there is.
struct Place {
    lineage: Lineage,
    size: (u32, u32),
}

impl Place {
    fn of(made_on: BlobId, (width, height): (u32, u32), lineage: Option<Lineage>) -> Self {
        let lineage = lineage.unwrap_or_else(|| Lineage::root(made_on, width, height));
        Self { lineage, size: (width, height) }
    }

    /// Whether `image` shows the same part of the same root, pixel by pixel, as what is painted on or smoothed does.
    fn is_that_of(&self, image: &ImageValue) -> bool {
        self.lineage == image.lineage && self.size == (image.width, image.height)
    }
}

fn on_image(given: Detections, image: &ImageValue) -> Result<Detections, JobError> {
    let made_on = given.image_id.filter(|id| *id != image.blob);
    let made = made_on.map(|id| (id, Place::of(id, (given.width, given.height), given.lineage)));
    let Some((made_on, Place { lineage: own, .. })) = made.filter(|(_, place)| !place.is_that_of(image))
    else {
        let (width, height) = (image.width, image.height);
        return Ok(Detections {
            image_id: Some(image.blob),
            width,
            height,
            lineage: lineage_of(image),
            ..given
        });
    };
    if own.root != image.lineage.root {
        return Err(mismatch("detections", made_on, image));
    }
    let items = given.items.into_iter().map(|item| carried(item, &own, image)).collect::<Option<Vec<_>>>();
    let items = items.ok_or_else(|| mismatch("detections", made_on, image))?;
    // What lies outside is not on this image.
    let items = items.into_iter().filter(|item| item.area() > 0.0).collect();
    Ok(Detections {
        image_id: Some(image.blob),
        width: image.width,
        height: image.height,
        lineage: lineage_of(image),
        items,
    })
}

/// An image's lineage where it says more than the image's own id.
pub(crate) fn lineage_of(image: &ImageValue) -> Option<Lineage> {
    (image.lineage.root != image.blob).then_some(image.lineage)
}

fn mismatch(what: &str, made_on: BlobId, image: &ImageValue) -> JobError {
    wrong(format!(
        "DETECTIONS_IMAGE_MISMATCH: the {what} were made on image {made_on}, not on {} or an image of the same root; wire \
         the image that they were made on",
        image.blob
    ))
}

/// One detection, carried over the common root and clipped to `image`; none when the map cannot be inverted.
fn carried(item: Detection, from: &Lineage, image: &ImageValue) -> Option<Detection> {
    let carry = |x: f32, y: f32| {
        let (root_x, root_y) = from.point_to_root(f64::from(x), f64::from(y));
        image.lineage.point_from_root(root_x, root_y)
    };
    let [x1, y1, x2, y2] = item.bbox;
    let corners = [carry(x1, y1)?, carry(x2, y1)?, carry(x1, y2)?, carry(x2, y2)?];
    // The upright box around the four corners: exact unless the map rotates by other than quarter turns.
    let across = corners.map(|(x, _)| x.clamp(0.0, f64::from(image.width)) as f32);
    let down = corners.map(|(_, y)| y.clamp(0.0, f64::from(image.height)) as f32);
    let least = |values: [f32; 4]| values.into_iter().fold(f32::INFINITY, f32::min);
    let most = |values: [f32; 4]| values.into_iter().fold(f32::NEG_INFINITY, f32::max);
    let keypoints = item.keypoints.as_ref().map(|points| {
        points
            .iter()
            .map(|&[x, y, score]| carry(x, y).map(|(x, y)| [x as f32, y as f32, score]))
            .collect::<Option<Vec<_>>>()
    });
    let keypoints = match keypoints {
        Some(mapped) => Some(mapped?),
        None => None,
    };
    let bbox = [least(across), least(down), most(across), most(down)];
    // A mask is a raster of the image it was made on; it does not follow an affine map.
    Some(Detection { bbox, keypoints, mask: None, ..item })
}

#[cfg(test)]
mod tests {
    use millrace_contracts::values::Rle;

    use super::*;

    fn detection(bbox: [f32; 4]) -> Detection {
        serde_json::from_value(serde_json::json!({"bbox": bbox, "class_name": "star"})).unwrap()
    }

    fn root() -> ImageValue {
        ImageValue::root(BlobId::of(b"root"), 200, 100, "png")
    }

    fn crop(x: f64, y: f64) -> ImageValue {
        let lineage = root().lineage.derive([1.0, 0.0, x, 0.0, 1.0, y]);
        ImageValue {
            blob: BlobId::of(b"crop"),
            width: 50,
            height: 40,
            format: "png".into(),
            lineage,
            parent_id: None,
        }
    }

    fn set(image: &ImageValue, items: Vec<Detection>) -> Detections {
        Detections {
            image_id: Some(image.blob),
            width: image.width,
            height: image.height,
            lineage: lineage_of(image),
            items,
        }
    }

    #[test]
    fn detections_follow_the_lineage_both_ways() {
        let down = on_image(
            set(&root(), vec![detection([30.0, 20.0, 45.0, 35.0]), detection([0.0, 0.0, 5.0, 5.0])]),
            &crop(20.0, 10.0),
        );
        let down = down.unwrap();
        assert_eq!(down.items.len(), 1, "what lies outside is gone");
        assert_eq!(down.items[0].bbox, [10.0, 10.0, 25.0, 25.0]);
        let up = on_image(down, &root()).unwrap();
        assert_eq!(up.items[0].bbox, [30.0, 20.0, 45.0, 35.0]);
        assert_eq!((up.image_id, up.width), (Some(root().blob), 200));
    }

    #[test]
    fn masks_follow_to_a_picture_of_the_same_place() {
        let masked = || {
            let mut item = detection([1.0, 2.0, 3.0, 4.0]);
            item.mask = Some(Rle::of_columns([100, 200], (0..20_000).map(|place| place < 5)).unwrap());
            item
        };
        let smoothed = ImageValue { blob: BlobId::of(b"smoothed"), ..root() };
        let taken = on_image(set(&root(), vec![masked()]), &smoothed).unwrap();
        assert_eq!((taken.image_id, &taken.items), (Some(smoothed.blob), &vec![masked()]));
        let back = on_image(taken, &root()).unwrap();
        assert_eq!((back.image_id, back.lineage, &back.items), (Some(root().blob), None, &vec![masked()]));
        // The upper left corner begins at the same pixel, and is not the same picture.
        let taken = on_image(set(&root(), vec![masked()]), &crop(0.0, 0.0)).unwrap();
        assert_eq!(taken.items, [detection([1.0, 2.0, 3.0, 4.0])]);
    }

    #[test]
    fn detections_of_another_image_are_refused() {
        let other = ImageValue::root(BlobId::of(b"other"), 200, 100, "png");
        let refused = on_image(set(&other, vec![]), &root()).unwrap_err();
        assert_eq!(refused.kind, ErrorKind::InvalidInput);
        assert!(refused.message.contains("DETECTIONS_IMAGE_MISMATCH"), "{refused}");
    }

    #[test]
    fn detections_without_an_image_are_the_images_own() {
        let fed = Detections { items: vec![detection([1.0, 2.0, 3.0, 4.0])], ..Detections::default() };
        let taken = on_image(fed, &root()).unwrap();
        assert_eq!((taken.image_id, taken.items[0].bbox), (Some(root().blob), [1.0, 2.0, 3.0, 4.0]));
    }
}
