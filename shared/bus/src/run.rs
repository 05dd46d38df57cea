//! Reading a run back: its state for the orchestrator, its log for replay.

use std::collections::HashMap;

use millrace_contracts::event::LogPosition;
use millrace_contracts::{Event, ExecutionId};
use redis::{Cmd, Value};

use crate::{Bus, BusError, keys, reply};

/// Field of the version in a run's hash.
pub(crate) const VERSION: &str = "v";

/// A run's state as it was last committed. What the fields mean is the orchestrator's affair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRun {
    /// Rises with every commit, from 1.
    pub version: u64,
    /// Field → bytes, without the version.
    pub fields: HashMap<String, Vec<u8>>,
}

impl Bus {
    /// The state of `run`; none when there is no such run, or no longer.
    ///
    /// # Errors
    /// Redis could not be reached, or the hash is not one of ours.
    pub async fn load_run(&self, run: ExecutionId) -> Result<Option<StoredRun>, BusError> {
        let mut loaded = self.load_runs(&[run]).await?;
        Ok(loaded.pop().flatten())
    }

    /// The states of several runs, in their order, in one round trip.
    ///
    /// # Errors
    /// As [`Bus::load_run`].
    pub async fn load_runs(&self, runs: &[ExecutionId]) -> Result<Vec<Option<StoredRun>>, BusError> {
        let load = |run: &ExecutionId| {
            let mut command = redis::cmd("HGETALL");
            command.arg(self.keys().run(self.partition_of(*run), *run));
            command
        };
        let replies = self.send("load runs", runs.iter().map(load).collect()).await?;
        replies.into_iter().map(stored_run).collect()
    }

    /// Drops the state and the log of `run`, which has ended.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn forget(&self, run: ExecutionId) -> Result<(), BusError> {
        let partition = self.partition_of(run);
        let mut command = redis::cmd("UNLINK");
        command.arg(self.keys().run(partition, run)).arg(self.keys().log(partition, run));
        self.send("forget a run", vec![command]).await.map(drop)
    }

    /// Durable events of `run` after a position, oldest first, at most `limit`. Empty also when the log has expired:
    /// [`Bus::log_end`] tells the difference.
    ///
    /// # Errors
    /// Redis could not be reached, or an entry does not read.
    pub async fn log(
        &self,
        run: ExecutionId,
        after: LogPosition,
        limit: usize,
    ) -> Result<Vec<Event>, BusError> {
        let decode = |(_, json): (LogPosition, String)| {
            serde_json::from_str(&json)
                .map_err(|error| BusError::Decode { what: "an event of a log", reason: error.to_string() })
        };
        self.log_text(run, after, limit).await?.into_iter().map(decode).collect()
    }

    /// As [`Bus::log`], with each event as the JSON it was written as.
    ///
    /// # Errors
    /// As [`Bus::log`].
    pub async fn log_text(
        &self,
        run: ExecutionId,
        after: LogPosition,
        limit: usize,
    ) -> Result<Vec<(LogPosition, String)>, BusError> {
        let mut command = redis::cmd("XRANGE");
        command.arg(self.log_key(run)).arg(format!("({after}")).arg("+").arg("COUNT").arg(limit);
        self.log_entries(command).await
    }

    /// The last position of the log of `run`; none when it has no log, or no longer.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn log_end(&self, run: ExecutionId) -> Result<Option<LogPosition>, BusError> {
        let mut command = redis::cmd("XREVRANGE");
        command.arg(self.log_key(run)).arg("+").arg("-").arg("COUNT").arg(1);
        Ok(self.log_entries(command).await?.pop().map(|(position, _)| position))
    }

    fn log_key(&self, run: ExecutionId) -> String {
        self.keys().log(self.partition_of(run), run)
    }

    async fn log_entries(&self, command: Cmd) -> Result<Vec<(LogPosition, String)>, BusError> {
        let what = "read a run's log";
        let decode = |mut entry: reply::RawEntry| {
            let fault = |reason: String| BusError::Decode { what: "an entry of a log", reason };
            let position = entry.id.0.parse::<LogPosition>().map_err(|error| fault(error.to_string()))?;
            let json = entry.take(keys::EVENT).ok_or_else(|| fault("it has no event".to_owned()))?;
            Ok((position, String::from_utf8(json).map_err(|error| fault(error.to_string()))?))
        };
        let reply = self.send(what, vec![command]).await?.pop().unwrap_or(Value::Nil);
        reply::entries(what, reply)?.into_iter().map(decode).collect()
    }
}

fn stored_run(value: Value) -> Result<Option<StoredRun>, BusError> {
    let what = "load runs";
    let pairs = reply::pairs(what, value)?;
    if pairs.is_empty() {
        return Ok(None);
    }
    let mut version = None;
    let mut fields = HashMap::with_capacity(pairs.len());
    for (field, value) in pairs {
        let field = reply::text(what, field)?;
        if field == VERSION {
            version = Some(reply::count(what, value)?);
        } else {
            fields.insert(field, reply::bytes(what, value)?);
        }
    }
    let missing = || BusError::Decode { what: "a run", reason: "its hash has no version".to_owned() };
    Ok(Some(StoredRun { version: version.ok_or_else(missing)?, fields }))
}
