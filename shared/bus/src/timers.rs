//! Durable alarms: a sorted set per partition. Whoever sweeps first moves a due timer into the inbox; nobody else can.

use millrace_contracts::schedule::Cue;
use millrace_contracts::{Partition, UnixMillis};
use redis::Value;

use crate::{Bus, BusError, reply, scripts};

/// What one sweep did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimerSweep {
    /// Timers moved into the inbox. As many as asked for means that more may be due.
    pub fired: usize,
    /// When the earliest remaining timer is due.
    pub next_due: Option<UnixMillis>,
}

impl Bus {
    /// Moves timers of `partition` that are due at `now` into its inbox, at most `max`, each exactly once.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn fire_timers(
        &self,
        partition: Partition,
        now: UnixMillis,
        max: usize,
    ) -> Result<TimerSweep, BusError> {
        let what = "fire timers";
        let (timers, inbox) = (self.keys().timers(partition), self.keys().inbox(partition));
        let mut fire = scripts::FIRE_TIMERS.on(&[&timers, &inbox], 128);
        fire.arg(now.0).arg(max);
        let reply = self.send(what, vec![fire]).await?.pop().unwrap_or(Value::Nil);
        // Lua drops a nil at the end of an array, so the second element may be missing.
        let mut items = reply::array(what, reply)?.into_iter();
        let fired = reply::count(what, items.next().unwrap_or(Value::Int(0)))?;
        let next_due = match items.next() {
            None | Some(Value::Nil) => None,
            Some(score) => Some(UnixMillis(reply::integer(what, score)?)),
        };
        Ok(TimerSweep { fired: usize::try_from(fired).unwrap_or(usize::MAX), next_due })
    }

    /// Sets the cues of schedules among the timers of their partitions, each for its time. Setting one again moves it.
    ///
    /// # Errors
    /// Redis could not be reached; some may be set, and repeating all is safe.
    pub async fn set_cues(&self, cues: &[(UnixMillis, Cue)]) -> Result<(), BusError> {
        let set = |(at, cue): &(UnixMillis, Cue)| {
            let mut command = redis::cmd("ZADD");
            command.arg(self.keys().timers(cue.schedule_id.partition(self.partitions())));
            command.arg(at.0).arg(cue.to_string());
            command
        };
        self.send("set the timers of schedules", cues.iter().map(set).collect()).await.map(drop)
    }

    /// Removes the cues of schedules that were deleted, or are due at another time now. One that is not there is nothing.
    ///
    /// # Errors
    /// Redis could not be reached; some may be removed, and repeating all is safe.
    pub async fn drop_cues(&self, cues: &[Cue]) -> Result<(), BusError> {
        let remove = |cue: &Cue| {
            let mut command = redis::cmd("ZREM");
            command.arg(self.keys().timers(cue.schedule_id.partition(self.partitions())));
            command.arg(cue.to_string());
            command
        };
        self.send("remove the timers of schedules", cues.iter().map(remove).collect()).await.map(drop)
    }
}
