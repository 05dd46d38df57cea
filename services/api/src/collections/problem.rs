//! The store's refusals, as far as collections have words of their own for them.

use millrace_contracts::Fault;
use millrace_store::{StoreError, VectorFault};

use crate::problem::{Code, Problem};

/// A failure on points; `place` is where in the request the vector of a position stands.
pub(crate) fn problem(error: StoreError, place: impl Fn(usize) -> String) -> Problem {
    let StoreError::Vector { position, fault } = &error else { return error.into() };
    let code = match fault {
        VectorFault::Dimension { .. } => "DIMENSION_MISMATCH",
        VectorFault::NotFinite | VectorFault::NoDirection => "INVALID_VALUE",
    };
    let fault = Fault::new(code, place(*position), format!("the vector cannot be compared: {fault}"));
    Problem::fault(Code::InvalidRequest, fault)
}

/// A failure to make a collection.
pub(crate) fn exists(error: StoreError) -> Problem {
    match error {
        StoreError::Conflict { .. } => Problem::new(
            Code::CollectionExists,
            "there is a collection of this name, of another dimension or metric; delete it first, or choose another name",
        ),
        other => other.into(),
    }
}
