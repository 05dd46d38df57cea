//! What a caller wants to have run.

use millrace_turns::Turn;

use crate::Tensor;

/// Rows of one caller: one tensor per input of the graph, in its order, all with the same number of rows.
#[derive(Debug)]
pub struct Rows {
    pub(super) inputs: Vec<Tensor>,
    pub(super) turn: Turn,
}

impl Rows {
    /// `inputs`, at their caller's turn.
    #[must_use]
    pub fn new(turn: Turn, inputs: Vec<Tensor>) -> Self {
        Self { inputs, turn }
    }
}

/// Rows of nobody in particular.
impl From<Vec<Tensor>> for Rows {
    fn from(inputs: Vec<Tensor>) -> Self {
        Self::new(Turn::default(), inputs)
    }
}
