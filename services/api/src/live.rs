//! Push: one subscription to the bus per process, fanned out in memory to a topic per run and to the firehose.
//! Pub/sub is a hint; the run's log is the truth, and every stream goes back to it whenever a number is missing.

mod filter;
mod firehose;
mod frame;
mod history;
mod hub;
mod lag;
mod run_stream;
mod start;
mod subscription;

pub(crate) use filter::TypeFilter;
pub(crate) use firehose::{FirehoseFilter, FirehoseStream};
pub(crate) use frame::kind_and_place;
pub(crate) use history::{History, PAGE, RunLog};
pub(crate) use hub::{Hub, subscribe_now};
pub(crate) use run_stream::{RunStream, StreamSettings};
pub(crate) use start::Start;
pub(crate) use subscription::{Signal, Subscription};
