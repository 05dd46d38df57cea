//! From a model's coarse planes to masks of the picture's size. Rule: nothing of the picture's size is ever held but run
//! lengths and a few columns. Columns, because run lengths go by columns: each is made, read and forgotten.

mod blend;
mod class_map;
mod nearest;
mod queries;

pub use blend::Planes;
pub use class_map::class_map;
pub(crate) use class_map::winners;
pub(crate) use nearest::stretched;
pub(crate) use queries::{Queries, Region};
