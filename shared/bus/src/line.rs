//! The line in front of the orchestrators: how many runs are under way at once, and who is next. Within a priority flows
//! take weighted turns. A run holds its place from its admission to its end, except while it only waits for time; its message
//! stays here until it has begun, so that whoever dies in between loses nothing. All keys share one hash tag: the order is exact.

mod join;
mod leave;
mod mend;
mod place;
mod view;

pub use leave::LineNews;
pub use mend::Standing;
pub use place::PlaceInLine;
pub use view::{FlowInLine, LevelOfLine, LineView};

use millrace_contracts::ExecutionId;
use redis::Value;

use crate::{Bus, BusError, keys, reply, scripts};

/// How many runs may be under way at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineLimit {
    /// Runs in all.
    pub running: u64,
    /// Runs beyond that, of flows that have none under way: a newcomer need not wait for a run to end.
    pub reserve: u64,
}

/// A run that was let in, and the message its inbox is to get.
pub(crate) struct Admitted {
    pub(crate) run: ExecutionId,
    pub(crate) message: Vec<u8>,
}

impl Admitted {
    /// A run and its message.
    fn of(what: &'static str, run: Value, message: Value) -> Result<Self, BusError> {
        let run = reply::text(what, run)?;
        let run = run
            .parse()
            .map_err(|error| BusError::Reply { what, detail: format!("a run's id in the line: {error}") })?;
        Ok(Self { run, message: reply::bytes(what, message)? })
    }
}

impl Bus {
    /// Puts the messages of admitted runs into their inboxes. Where that fails, [`Bus::mend_line`] sends them again.
    async fn send_admitted(&self, admitted: Vec<Admitted>) -> Result<(), BusError> {
        let append = |Admitted { run, message }: Admitted| {
            let inbox = self.keys().inbox(self.partition_of(run));
            let mut append = scripts::APPEND.on(&[&inbox], message.len() + 128);
            append.arg(keys::MESSAGE).arg(message);
            append
        };
        self.send("hand over admitted runs", admitted.into_iter().map(append).collect()).await.map(drop)
    }
}
