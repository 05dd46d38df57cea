//! Models that name what is on a picture: what a family of them is asked, and what it answers.

use millrace_vision::Frame;

use super::Prepared;
use crate::{InferenceError, Tensor};

/// How raw scores become shares between 0 and 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scoring {
    /// As the model says: one class out of many, unless it was made for several labels at once.
    #[default]
    Own,
    /// Every class by itself, whatever the model says.
    MultiLabel,
}

/// A family whose models classify.
pub trait Classifier: Send + Sync {
    /// Width and height that a picture of `source` pixels is scaled to before the graph sees it: what may be decoded
    /// at less than its own size for it.
    fn scaled_size(&self, source: (u32, u32)) -> (u32, u32);

    /// The picture as the graph wants it. Runs on a CPU thread.
    ///
    /// # Errors
    /// The pixels cannot be prepared.
    fn prepare(&self, frame: &Frame) -> Result<Prepared, InferenceError>;

    /// The score of every class by index, 0 to 1, out of the outputs of one row. Runs on a CPU thread.
    ///
    /// # Errors
    /// The outputs are not those of this family, or are no numbers.
    fn scores(&self, outputs: &[Tensor], scoring: Scoring) -> Result<Vec<f32>, InferenceError>;
}
