//! The first run of each session: whoever comes next finds memory, kernels and caches in place, whichever session serves it, and what
//! all of them hold is known.

use futures::future::join_all;

use super::{How, SessionThread};
use crate::graph::GraphPort;
use crate::{ElementType, InferenceError, Tensor};

/// A warm-up takes no more numbers than a large picture has.
const MOST_ZEROS: usize = 1 << 26;

impl SessionThread {
    /// Runs `inputs` once in each of its sessions, side by side.
    ///
    /// # Errors
    /// Of the first that failed; the others have run all the same.
    pub(crate) async fn warm_up(&self, inputs: Vec<Tensor>) -> Result<(), InferenceError> {
        // The last takes them, those before it copies: one session needs none.
        let each = std::iter::repeat_n(inputs, self.threads.len()).zip(0..=u16::MAX);
        let runs = each.map(|(inputs, session)| self.request(inputs.into(), How::Warming(session)));
        join_all(runs).await.into_iter().try_for_each(|run| run.map(drop))
    }

    /// Rows of zeros, where the graph says how large one is in every input, and takes nothing but numbers with a fraction.
    pub(crate) fn zeros(&self, rows: usize) -> Option<Vec<Tensor>> {
        let zeros = |port: &GraphPort| {
            let (first, sides) = port.shape.split_first()?;
            let mut shape = vec![first.unwrap_or(rows)];
            for side in sides {
                shape.push((*side)?);
            }
            let elements = shape.iter().try_fold(1usize, |product, side| product.checked_mul(*side))?;
            let float = matches!(port.element, ElementType::F32 | ElementType::F16);
            (float && elements <= MOST_ZEROS).then(|| Tensor::new(shape, vec![0.0; elements])).flatten()
        };
        self.inputs.iter().map(zeros).collect()
    }
}
