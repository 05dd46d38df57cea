//! From a request to an accepted run: read it, resolve its inputs, commit it, hand it over, and wait for it if asked to.

mod accept;
mod again;
mod ask;
mod batch;
mod digest;
mod door;
mod images;
mod key;
mod known;
mod options;
mod outcome;
mod parts;
mod probe;
mod read;
mod reference;
mod resolve;
mod target;
mod wait;

pub(crate) use accept::{Receipt, Submission, accept};
pub(crate) use again::{Earlier, Keyed};
pub(crate) use ask::{Ask, Ready};
pub(crate) use batch::{accept_batch, batch_again};
pub(crate) use digest::Digest;
pub(crate) use door::{Door, QueueOf, Visit, queues_of};
pub(crate) use key::idempotency_key;
pub(crate) use known::Known;
pub(crate) use options::{RunOptions, unknown_fields};
pub(crate) use outcome::{Asked, Outcome, RunAccepted, mark_replayed, outcome, respond, respond_with};
pub(crate) use probe::{ImageHeader, Probe, probe};
pub(crate) use read::{Source, read};
pub(crate) use resolve::resolve;
pub(crate) use target::Target;
pub(crate) use wait::parse as parse_wait;
