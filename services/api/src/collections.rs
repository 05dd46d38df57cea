//! Collections of vectors: what requests say of them and their points, and why the store would not take it.

mod problem;
mod read;

pub(crate) use problem::{exists, problem};
pub(crate) use read::{nearest, new_collection, points};
