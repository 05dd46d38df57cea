//! The registry of models: what a request says of one, the copy that workers read, and what is shown of a model.

mod copy;
mod failures;
mod list;
mod read;
mod view;

pub(crate) use copy::{keep_whole, note, take_out};
pub(crate) use failures::Failures;
pub(crate) use list::{Listed, Wanted, list};
pub(crate) use read::{read, record_of, registered};
pub(crate) use view::{Fleet, Known, page, unregistered};
