//! What the sweeper asks before it starts a run again or wakes it: has it live state, has that changed, may its command
//! still be in line, and its end be still to be recorded?

use std::collections::HashMap;

use millrace_contracts::{ExecutionId, Partition, UnixMillis};

use redis::{Cmd, Value};

use crate::keys::ORCHESTRATORS;
use crate::run::VERSION;
use crate::{Bus, BusError, reply, scripts};

impl Bus {
    /// The version that each of `runs` has, in their order, in one round trip; none for one without live state.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn versions(&self, runs: &[ExecutionId]) -> Result<Vec<Option<u64>>, BusError> {
        let what = "look for live runs";
        let version = |reply| match reply {
            Value::Nil => Ok(None),
            version => reply::count(what, version).map(Some),
        };
        self.field_of(what, runs, VERSION).await?.into_iter().map(version).collect()
    }

    /// One field of each of `runs`, in their order, in one round trip; none where there is no such run or field.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn fields(&self, runs: &[ExecutionId], field: &str) -> Result<Vec<Option<Vec<u8>>>, BusError> {
        let what = "read a field of runs";
        let bytes = |reply| match reply {
            Value::Nil => Ok(None),
            bytes => reply::bytes(what, bytes).map(Some),
        };
        self.field_of(what, runs, field).await?.into_iter().map(bytes).collect()
    }

    /// A field of each of these runs, in their order, in one round trip; none where there is no such run or field.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn fields_of(&self, asked: &[(ExecutionId, String)]) -> Result<Vec<Option<Vec<u8>>>, BusError> {
        let what = "read fields of runs";
        let bytes = |reply| match reply {
            Value::Nil => Ok(None),
            bytes => reply::bytes(what, bytes).map(Some),
        };
        let read = |(run, field): &(ExecutionId, String)| self.field_command(*run, field);
        self.send(what, asked.iter().map(read).collect()).await?.into_iter().map(bytes).collect()
    }

    async fn field_of(
        &self,
        what: &'static str,
        runs: &[ExecutionId],
        field: &str,
    ) -> Result<Vec<Value>, BusError> {
        self.send(what, runs.iter().map(|run| self.field_command(*run, field)).collect()).await
    }

    fn field_command(&self, run: ExecutionId, field: &str) -> Cmd {
        let mut command = redis::cmd("HGET");
        command.arg(self.keys().run(self.partition_of(run), run)).arg(field);
        command
    }

    /// When the oldest message that waits in each inbox was sent, by Redis's clock; inboxes that hold none are left out.
    /// Messages in hand do not count: one that is put off again and again may be there for days.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn oldest_unread(
        &self,
        partitions: &[Partition],
    ) -> Result<HashMap<Partition, UnixMillis>, BusError> {
        let first = |partition| {
            let mut command = scripts::FIRST_UNREAD.on(&[&self.keys().inbox(partition)], 32);
            command.arg(ORCHESTRATORS);
            command
        };
        self.first_times("look for the oldest messages", partitions, first).await
    }

    /// When the oldest event that is still to be recorded was told in each partition, by Redis's clock; partitions of which all
    /// is recorded are left out.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn oldest_unrecorded(
        &self,
        partitions: &[Partition],
    ) -> Result<HashMap<Partition, UnixMillis>, BusError> {
        let first = |partition| {
            let mut command = redis::cmd("XRANGE");
            command.arg(self.keys().events(partition)).arg("-").arg("+").arg("COUNT").arg(1);
            command
        };
        self.first_times("look for the oldest events", partitions, first).await
    }

    /// The time of the first entry that each partition's command answers.
    async fn first_times(
        &self,
        what: &'static str,
        partitions: &[Partition],
        first: impl Fn(Partition) -> Cmd,
    ) -> Result<HashMap<Partition, UnixMillis>, BusError> {
        let replies = self.send(what, partitions.iter().copied().map(first).collect()).await?;
        let mut times = HashMap::new();
        for (partition, reply) in partitions.iter().zip(replies) {
            let entry = reply::entries(what, reply)?.into_iter().next();
            if let Some(time) = entry.and_then(|entry| entry.id.time()) {
                times.insert(*partition, time);
            }
        }
        Ok(times)
    }
}
