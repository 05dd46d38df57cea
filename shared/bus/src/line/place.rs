//! Where one run stands in the line.

use millrace_contracts::{ExecutionId, UnixMillis};
use redis::Value;
use serde::Serialize;

use crate::{Bus, BusError, reply, scripts};

/// Flows whose turns are reckoned with; the position of a run is short by what further ones would take.
const FLOWS: usize = 1_000;

/// A run's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlaceInLine {
    /// From 1: it would be the so-many-th to begin if nobody came or went. The shares of lower priorities are left out.
    pub position: u64,
    /// Runs of its own workflow before it.
    pub ahead_of_flow: u64,
    /// How long it has waited, milliseconds.
    pub waiting_ms: u64,
}

impl Bus {
    /// The place of `run`; none when it does not wait.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn place_in_line(&self, run: ExecutionId) -> Result<Option<PlaceInLine>, BusError> {
        let what = "look for a run's place in the line";
        let mut ask = scripts::PLACE_IN_LINE.on(&[&self.keys().line()], 128);
        ask.arg(run.to_string()).arg(FLOWS);
        let found = self.send(what, vec![ask]).await?.pop().unwrap_or(Value::Nil);
        let mut found = reply::array(what, found)?.into_iter();
        let (Some(ahead), Some(own), Some(since)) = (found.next(), found.next(), found.next()) else {
            return Ok(None);
        };
        Ok(Some(PlaceInLine {
            position: reply::count(what, ahead)? + 1,
            ahead_of_flow: reply::count(what, own)?,
            waiting_ms: UnixMillis::now().since(UnixMillis(reply::integer(what, since)?)),
        }))
    }
}
