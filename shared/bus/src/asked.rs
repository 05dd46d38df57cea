//! Jobs that were asked for by themselves, by id: their ids are given out before anything of them is recorded. Rule: a note, not
//! the truth; it is looked at where the record has nothing yet, and expires.

use std::time::Duration;

use millrace_contracts::JobId;
use redis::Value;

use crate::lease::milliseconds;
use crate::{Bus, BusError, reply};

/// The record has a job once it waits in its queue; behind a long line that takes a while.
const LIFE: Duration = Duration::from_secs(60 * 60);

impl Bus {
    /// Notes what was asked for, as text that only its reader understands.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn note_job(&self, id: JobId, asked: &str) -> Result<(), BusError> {
        let mut set = redis::cmd("SET");
        set.arg(self.keys().job(id)).arg(asked).arg("PX").arg(milliseconds(LIFE));
        self.send("note a job", vec![set]).await.map(drop)
    }

    /// What was noted.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn noted_job(&self, id: JobId) -> Result<Option<String>, BusError> {
        let what = "look up a job";
        let mut get = redis::cmd("GET");
        get.arg(self.keys().job(id));
        match self.send(what, vec![get]).await?.pop() {
            None | Some(Value::Nil) => Ok(None),
            Some(found) => reply::text(what, found).map(Some),
        }
    }
}
