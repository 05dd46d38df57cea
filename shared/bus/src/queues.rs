//! The job queues: one per (pool, model), three streams each by priority, group `workers`. Within a priority, flows wait in
//! lists of their own and take weighted turns into the stream.

mod callers;
mod claim;
mod depth;
mod drop;
mod enqueue;
mod find;
mod hand_back;
mod keep;
mod key;
mod newcomers;
mod reader;
mod registry;
mod shares;
mod take;

pub use callers::Callers;
pub use claim::Takeover;
pub use depth::QueueDepth;
pub use key::QueueKey;
pub(crate) use key::QueueName;
pub use reader::{JobDelivery, JobQueues, Wanted};
