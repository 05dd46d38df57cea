//! Jobs that were asked for by themselves, by id: their ids are given out before anything of them is recorded. Rule: a note, not
//! the truth; it is looked at where the record has nothing yet, and expires.

use std::time::Duration;

use millrace_contracts::JobId;
use redis::Value;

use crate::lease::milliseconds;
use crate::{Bus, BusError, reply};

impl Bus {
    /// Notes what was asked for, as text that only its reader understands, for as long as `life`.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn note_job(&self, id: JobId, asked: &str, life: Duration) -> Result<(), BusError> {
        let mut set = redis::cmd("SET");
        set.arg(self.keys().job(id)).arg(asked).arg("PX").arg(milliseconds(life));
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
