//! What a caller wants to have run.

use millrace_turns::Turn;

use crate::Tensor;

/// Rows of one caller: one tensor per input of the graph, in its order, all with the same number of rows.
#[derive(Debug)]
pub struct Rows {
    pub(super) inputs: Vec<Tensor>,
    pub(super) turn: Turn,
    pub(super) lone: bool,
}

impl Rows {
    /// `inputs`, at their caller's turn; `lone` when they are all that its flow has in hand.
    #[must_use]
    pub fn new(turn: Turn, lone: bool, inputs: Vec<Tensor>) -> Self {
        Self { inputs, turn, lone }
    }
}

/// Rows of nobody in particular.
impl From<Vec<Tensor>> for Rows {
    fn from(inputs: Vec<Tensor>) -> Self {
        Self::new(Turn::default(), false, inputs)
    }
}
