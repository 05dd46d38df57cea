//! Detections: what was found on one image, in that image's pixels.

use serde::{Deserialize, Serialize};

use super::{Lineage, Rle, shortest};
use crate::BlobId;

/// What was found on one image. Empty is a result like any other.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Detections {
    /// The image they were made on; none for detections fed in, which count as the consumer's own image's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_id: Option<BlobId>,
    /// That image's width, pixels; 0 when unknown.
    #[serde(default)]
    pub width: u32,
    /// That image's height, pixels; 0 when unknown.
    #[serde(default)]
    pub height: u32,
    /// The image's own lineage, where it is not a root: what takes the boxes to another image of the same root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<Lineage>,
    /// What was found, most confident first where a model made them.
    pub items: Vec<Detection>,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// Unique within the run's value.
    #[serde(default)]
    pub detection_id: String,
    /// Index of the class in the model's list; -1 when unknown.
    #[serde(default = "unknown_class")]
    pub class_id: i64,
    /// Name of the class.
    #[serde(default)]
    pub class_name: String,
    /// 0 to 1.
    #[serde(default = "certain", serialize_with = "shortest::one")]
    pub confidence: f32,
    /// `[x1, y1, x2, y2]` in pixels of the image, x1 ≤ x2 and y1 ≤ y2.
    #[serde(serialize_with = "shortest::many")]
    pub bbox: [f32; 4],
    /// The instance's mask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<Rle>,
    /// `[x, y, confidence]` each, in pixels of the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keypoints: Option<Vec<[f32; 3]>>,
    /// Identity over time, from a tracker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracker_id: Option<i64>,
    /// The detection whose crop it was found in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
}

fn unknown_class() -> i64 {
    -1
}

fn certain() -> f32 {
    1.0
}

impl Detection {
    /// Width × height of the box, square pixels.
    #[must_use]
    pub fn area(&self) -> f32 {
        let [x1, y1, x2, y2] = self.bbox;
        (x2 - x1).max(0.0) * (y2 - y1).max(0.0)
    }

    /// The boxes' intersection over their union, 0 to 1; 0 when neither has an area.
    #[must_use]
    pub fn iou(&self, other: &Self) -> f32 {
        let ([ax1, ay1, ax2, ay2], [bx1, by1, bx2, by2]) = (self.bbox, other.bbox);
        let both = (ax2.min(bx2) - ax1.max(bx1)).max(0.0) * (ay2.min(by2) - ay1.max(by1)).max(0.0);
        let either = self.area() + other.area() - both;
        if either > 0.0 { both / either } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_short_and_read_back_the_same() {
        let item = Detection {
            detection_id: "a".into(),
            class_id: 0,
            class_name: "star".into(),
            confidence: 0.988_528_5,
            bbox: [129.853_18, 70.834_68, 1e-7, 20_000.0],
            mask: None,
            keypoints: None,
            tracker_id: None,
            parent_id: None,
        };
        let json = serde_json::to_value(&item).unwrap();
        assert_eq!(json["bbox"].to_string(), "[129.85318,70.83468,1e-7,20000.0]");
        assert_eq!(json["confidence"].to_string(), "0.9885285");
        assert_eq!(serde_json::from_value::<Detection>(json).unwrap(), item);
    }
}
