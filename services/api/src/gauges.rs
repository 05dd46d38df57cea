//! What the api tells as metrics by looking at it now and then.

pub(crate) mod queues;
pub(crate) mod streams;
mod workers;
