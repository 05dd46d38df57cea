//! Schedules as requests and answers speak of them: read with every mistake named, shown with what comes next.

mod read;
mod view;

pub(crate) use read::{options, read};
pub(crate) use view::{Schedule, view};
