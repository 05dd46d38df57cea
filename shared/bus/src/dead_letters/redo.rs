//! Trying again what was set aside: after an upgrade that reads it, or when what was in its way is gone. It goes to the end of its
//! stream. That is sound for both kinds: a message is checked against its run's state, and an event is recorded by its own key,
//! however late and however often either comes.

use super::place::BuriedAt;
use crate::keys::Keys;
use crate::{Bus, BusError, reply, scripts};

/// What became of the wish to try a dead letter again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redone {
    /// It stands in its stream again, and is no dead letter any more.
    PutBack,
    /// There is no such letter.
    Unknown,
    /// What was kept is not all that it was: it stays.
    NotWhole,
}

impl Bus {
    /// Puts a dead letter back into its stream. One that is refused again becomes a new letter.
    ///
    /// # Errors
    /// Redis could not be reached; repeating it is harmless.
    pub async fn redo(&self, at: &BuriedAt) -> Result<Redone, BusError> {
        if at.partition.0 >= self.partitions() {
            return Ok(Redone::Unknown);
        }
        let what = "put a dead letter back";
        let stream = BuriedAt::stream(self.keys(), at.kind, at.partition);
        let mut redo = scripts::REDO.on(&[&stream, &Keys::dead(&stream)], 256);
        redo.arg(at.entry.as_str());
        let answer = self.send(what, vec![redo]).await?.pop();
        match answer.map(|answer| reply::integer(what, answer)).transpose()? {
            Some(1) => Ok(Redone::PutBack),
            Some(-1) => Ok(Redone::NotWhole),
            _ => Ok(Redone::Unknown),
        }
    }
}
