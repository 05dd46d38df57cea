//! Models that find boxes: what a family of them is asked, and what it answers.

use millrace_vision::{Frame, Placement};

use super::Prepared;
use crate::{InferenceError, Tensor};

/// A family whose models find boxes.
pub trait Detector: Send + Sync {
    /// Width and height that a picture of `source` pixels is scaled to before the graph sees it: what may be decoded
    /// at less than its own size for it.
    fn scaled_size(&self, source: (u32, u32)) -> (u32, u32);

    /// The picture as the graph wants it. Runs on a CPU thread.
    ///
    /// # Errors
    /// The pixels cannot be prepared.
    fn prepare(&self, frame: &Frame) -> Result<Prepared, InferenceError>;

    /// What the outputs of one row mean, most confident first, in pixels of the picture. Runs on a CPU thread.
    ///
    /// # Errors
    /// The outputs are not those of this family.
    fn read(
        &self,
        outputs: &[Tensor],
        placement: &Placement,
        params: &DetectParams,
    ) -> Result<Vec<Found>, InferenceError>;
}

/// What counts as found.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectParams {
    /// Only scores above this, 0 to 1.
    pub confidence: f32,
    /// Of two boxes that overlap by more than this (intersection over union) the weaker goes, 0 to 1.
    pub iou: f32,
    /// No more than this many.
    pub max_detections: usize,
    /// Only these classes, by index; all when none.
    pub classes: Option<Vec<usize>>,
    /// Whether boxes of different classes suppress each other too.
    pub agnostic: bool,
}

impl DetectParams {
    /// Whether boxes of this class are asked for.
    pub(super) fn wants(&self, class: usize) -> bool {
        self.classes.as_ref().is_none_or(|classes| classes.contains(&class))
    }
}

impl Default for DetectParams {
    /// Ultralytics' own defaults for prediction.
    fn default() -> Self {
        Self { confidence: 0.25, iou: 0.7, max_detections: 300, classes: None, agnostic: false }
    }
}

/// One box.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Index of its class.
    pub class_id: usize,
    /// Name of its class.
    pub class_name: String,
    /// 0 to 1.
    pub confidence: f32,
    /// `[x1, y1, x2, y2]`, pixels of the picture, as the family's reference gives them: Ultralytics clips to the picture,
    /// `transformers` does not.
    pub bbox: [f32; 4],
}
