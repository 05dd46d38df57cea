//! The job queues: one per (pool, model), three streams each by priority, group `workers`.

mod claim;
mod depth;
mod enqueue;
mod keep;
mod key;
mod reader;
mod registry;
mod shares;
mod take;

pub use depth::QueueDepth;
pub use key::QueueKey;
pub use reader::{JobDelivery, JobQueues};
