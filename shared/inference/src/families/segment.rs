//! What the families of segmentation models have in common.

use millrace_contracts::ModelId;
use millrace_contracts::values::Rle;
use millrace_vision::{Frame, Placement};

use super::Prepared;
use crate::masks::Region;
use crate::{InferenceError, Tensor};

/// A family whose models find regions.
pub trait Segmenter: Send + Sync {
    /// What its models can be asked for.
    fn modes(&self) -> &'static [SegmentMode];

    /// The picture as the graph wants it. Runs on a CPU thread.
    ///
    /// # Errors
    /// The pixels cannot be prepared.
    fn prepare(&self, frame: &Frame) -> Result<Prepared, InferenceError>;

    /// What the outputs of one row mean, on the picture's own pixels: the classes of a class map by class id, or
    /// instances, best first. Runs on a CPU thread.
    ///
    /// # Errors
    /// The outputs are not those of this family; a mode that it does not have.
    fn read(
        &self,
        outputs: &[Tensor],
        placement: &Placement,
        params: &SegmentParams,
    ) -> Result<Vec<Segment>, InferenceError>;
}

/// What is asked of a segmentation model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentMode {
    /// A class for every pixel.
    Semantic,
    /// Things, each with its mask; masks may overlap.
    Instance,
    /// Things and surroundings, each with its mask; no pixel in two.
    Panoptic,
}

impl SegmentMode {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Semantic => "semantic",
            Self::Instance => "instance",
            Self::Panoptic => "panoptic",
        }
    }
}

/// What counts as found.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentParams {
    /// What is asked for.
    pub mode: SegmentMode,
    /// Instances with a lower score are left out, 0 to 1. Has no meaning for class maps.
    pub confidence: f32,
    /// Of two boxes that overlap by more than this (intersection over union) the weaker goes, 0 to 1; for families that
    /// suppress boxes.
    pub iou: f32,
    /// No more instances than this.
    pub max_segments: usize,
}

/// One region.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Index of its class.
    pub class_id: usize,
    /// Name of its class.
    pub class_name: String,
    /// 0 to 1; none in a class map.
    pub confidence: Option<f32>,
    /// `[x1, y1, x2, y2]`, pixels of the picture: the box the model gave, else the smallest around the mask.
    pub bbox: [f32; 4],
    /// Which pixels; never empty.
    pub mask: Rle,
}

/// A region with its class's name; none where its mask is empty.
pub(super) fn named(region: Region, labels: &[String]) -> Option<Segment> {
    let bbox = region.mask.bbox()?.map(|side| side as f32);
    let Region { class, score, mask } = region;
    let class_name = labels.get(class).cloned().unwrap_or_else(|| class.to_string());
    Some(Segment { class_id: class, class_name, confidence: score, bbox, mask })
}

/// The size that masks have: `[height, width]` of the picture.
pub(super) fn size_of(placement: &Placement) -> [u32; 2] {
    [placement.source.1, placement.source.0]
}

/// Refuses a mode that a model does not have.
pub(super) fn allowed(id: &ModelId, mode: SegmentMode, modes: &[SegmentMode]) -> Result<(), InferenceError> {
    if modes.contains(&mode) {
        return Ok(());
    }
    let modes: Vec<&str> = modes.iter().map(|mode| mode.as_str()).collect();
    Err(InferenceError::WrongMode { id: id.clone(), wanted: mode.as_str(), modes: modes.join(", ") })
}
