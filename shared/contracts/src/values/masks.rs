//! Masks over one image: a class map, or instances. Either way one item per region, each with its run lengths, so that
//! whoever draws or measures them needs one way only; a PNG of indices would need a table beside it, and could not hold
//! instances that overlap.

use serde::{Deserialize, Serialize};

use super::{Lineage, Rle, shortest};
use crate::BlobId;

/// Masks over one image, in its pixels. Empty is a result like any other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Masks {
    /// Whether the items are the classes of a class map or instances.
    pub kind: MasksKind,
    /// The image they were made on; none for masks fed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_id: Option<BlobId>,
    /// That image's width, pixels.
    pub width: u32,
    /// That image's height, pixels.
    pub height: u32,
    /// The image's own lineage, where it is not a root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<Lineage>,
    /// A class map: every class that occurs, by class id; together they cover each pixel at most once. Instances: most
    /// confident first where a model ranks them; of a panoptic result they cover each pixel at most once.
    pub items: Vec<MaskItem>,
}

/// What masks are: the kind of the port that carries them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MasksKind {
    /// A class map.
    Mask,
    /// Instances.
    Segments,
}

/// One class of a class map, or one instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MaskItem {
    /// Index of the class in the model's list.
    pub class_id: i64,
    /// Its name.
    pub class_name: String,
    /// 0 to 1; none for the classes of a class map, which has no scores.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "shortest::option")]
    pub confidence: Option<f32>,
    /// Pixels that are set.
    pub area: u64,
    /// The smallest box around them, `[x1, y1, x2, y2]`.
    #[serde(serialize_with = "shortest::many")]
    pub bbox: [f32; 4],
    /// Which pixels.
    pub mask: Rle,
}
