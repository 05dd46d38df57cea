//! What the families of embedding models have in common.

use millrace_contracts::ModelId;
use millrace_vision::Frame;

use crate::{InferenceError, Part, Tensor};

/// A family whose models give vectors.
pub trait Embedder: Send + Sync {
    /// The graph that a picture or a text goes through.
    ///
    /// # Errors
    /// [`InferenceError::MissingTower`] when the model takes none of it.
    fn part(&self, of: Modality) -> Result<Part, InferenceError>;

    /// How many numbers its vectors have, where that is known before there is one; of the usual pooling.
    fn dimension(&self) -> Option<u32>;

    /// Width and height that a picture of `source` pixels is scaled to before the graph sees it: what may be decoded
    /// at less than its own size for it.
    fn scaled_size(&self, source: (u32, u32)) -> (u32, u32);

    /// The picture as its graph wants it. Runs on a CPU thread.
    ///
    /// # Errors
    /// [`InferenceError::MissingTower`]; the pixels cannot be prepared.
    fn prepare_image(&self, frame: &Frame) -> Result<Vec<Tensor>, InferenceError>;

    /// The text as its graph wants it. Runs on a CPU thread.
    ///
    /// # Errors
    /// [`InferenceError::MissingTower`]; a text that is too long to be meant.
    fn prepare_text(&self, text: &str) -> Result<Vec<Tensor>, InferenceError>;

    /// The vector in the outputs of one row, as the graph gives it. Runs on a CPU thread.
    ///
    /// # Errors
    /// The outputs are not those of this family, or not for this pooling; a vector with something that is no number.
    fn read(
        &self,
        of: Modality,
        outputs: &[Tensor],
        pooling: Option<Pooling>,
    ) -> Result<Vec<f32>, InferenceError>;
}

/// What is embedded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modality {
    /// A picture.
    Image,
    /// A text.
    Text,
}

impl Modality {
    /// What it is called in messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Image => "pictures",
            Self::Text => "texts",
        }
    }
}

/// How a model's tokens become one vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// The class token.
    Cls,
    /// The mean of the patches: class and register tokens are not in it.
    Mean,
    /// The model's own head.
    Pooler,
}

impl Pooling {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cls => "cls",
            Self::Mean => "mean",
            Self::Pooler => "pooler",
        }
    }
}

/// The vector, which is none with a number in it that is none.
pub(super) fn of_numbers(id: &ModelId, vector: Vec<f32>) -> Result<Vec<f32>, InferenceError> {
    if vector.iter().all(|number| number.is_finite()) {
        return Ok(vector);
    }
    let detail = "its vector has values that are not numbers (NaN or infinity); look at its precision and at what it was given";
    Err(InferenceError::Output { id: id.clone(), detail: detail.to_owned() })
}

/// The vector with length one; none when it has no direction: all zeros, or a number that is none.
#[must_use]
pub fn normalised(vector: &[f32]) -> Option<Vec<f32>> {
    // In double precision: the squares of large numbers leave single precision.
    let length = vector.iter().map(|&number| f64::from(number).powi(2)).sum::<f64>().sqrt();
    let scaled = || vector.iter().map(|&number| (f64::from(number) / length) as f32).collect();
    (length.is_finite() && length > 0.0).then(scaled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_a_direction_is_normalised() {
        assert_eq!(normalised(&[3.0, 4.0]), Some(vec![0.6, 0.8]));
        let large = normalised(&[3e30, 4e30]).unwrap();
        assert!((large[0] - 0.6).abs() < 1e-6 && (large[1] - 0.8).abs() < 1e-6);
        assert_eq!(normalised(&[1e-40, 0.0]), Some(vec![1.0, 0.0]));
        for odd in [&[0.0, 0.0][..], &[f32::NAN, 1.0], &[f32::INFINITY, 1.0], &[]] {
            assert_eq!(normalised(odd), None, "{odd:?}");
        }
    }
}
