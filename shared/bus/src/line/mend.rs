//! What a crash leaves behind in the line: runs that were never sent, runs that ended without leaving, room that nobody
//! took. Whoever sweeps mends it; many may.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use millrace_contracts::message::{Accepted, Message};
use millrace_contracts::{ExecutionId, Partition, UnixMillis};
use redis::Value;

use super::{Admitted, LineLimit, LineNews};
use crate::keys::MESSAGE;
use crate::workers::scored;
use crate::{Bus, BusError, reply, scripts};

/// Messages sent again in one sweep, and runs looked at in one go to find them.
const RESENT_AT_ONCE: usize = 256;
/// Admitted runs looked at in one sweep, drawn by chance: over a few sweeps that is every one, however many there are.
const LOOKED_AT: i64 = 512;

/// Messages in hand that are looked through in one inbox; where there are more, nothing is sent again.
const IN_HAND: usize = 256;

/// From its admission, a message is in its inbox within so long, or was lost; clocks may differ by as much.
const SENT_WITHIN: Duration = Duration::from_secs(1);

/// What `PTTL` says of a key that is not there.
const NO_SUCH_KEY: i64 = -2;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It waits, or was admitted and has not begun: its message is kept.
    InLine,
    /// It was admitted then, and has begun.
    Admitted(UnixMillis),
    /// The line does not know it.
    Unknown,
}

impl Bus {
    /// Sets how many runs may be under way, for every process. Until then, and after a loss, nobody is admitted.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn limit_line(&self, limit: LineLimit) -> Result<(), BusError> {
        let mut set = redis::cmd("HSET");
        set.arg(self.keys().line_settings())
            .arg("limit")
            .arg(limit.running)
            .arg("reserve")
            .arg(limit.reserve);
        self.send("limit the runs under way", vec![set]).await.map(drop)
    }

    /// Mends the line: runs that should have begun `patience` ago, and whose message is not in a long inbox, are sent
    /// again; runs admitted longer ago than `stalled` that have ended leave; whoever has room is admitted.
    ///
    /// # Errors
    /// Redis could not be reached; the next sweep goes on.
    pub async fn mend_line(&self, patience: Duration, stalled: Duration) -> Result<(), BusError> {
        let resent = self.resend(patience).await?;
        let over = self.left_behind(stalled).await?;
        if resent + over.len() > 0 {
            tracing::warn!(resent, left = over.len(), "mended the line of runs after a crash");
        }
        metrics::counter!("millrace_line_resent_total").increment(resent as u64);
        metrics::counter!("millrace_line_left_behind_total").increment(over.len() as u64);
        self.leave_and_admit(&LineNews { ended: over, ..LineNews::default() }).await.map(drop)
    }

    async fn resend(&self, patience: Duration) -> Result<usize, BusError> {
        let what = "send the messages of admitted runs again";
        let lost = self.lost(patience).await?;
        if lost.is_empty() {
            return Ok(0);
        }
        let mut resend = scripts::RESEND_LINE.on(&[&self.keys().line()], lost.len() * 56 + 128);
        resend.arg(UnixMillis::now().0);
        for (run, since) in &lost {
            resend.arg(run).arg(since.0);
        }
        let reply = self.send(what, vec![resend]).await?.pop().unwrap_or(Value::Nil);
        let mut taken = Vec::with_capacity(lost.len());
        for run in reply::array(what, reply)? {
            let [run, message] = reply::tuple(what, run)?;
            taken.push(Admitted::of(what, run, message)?);
        }
        let count = taken.len();
        self.send_admitted(taken).await?;
        Ok(count)
    }

    /// Runs sent `patience` ago that have not begun, each with when that was, and whose message is lost: behind messages as old
    /// as its own it is late, and stays as it is, since what is lost shows only when those are gone; and so it does in hand.
    async fn lost(&self, patience: Duration) -> Result<Vec<(String, UnixMillis)>, BusError> {
        let what = "look for admitted runs that have not begun";
        let oldest = self.oldest_unread(&self.all_partitions().collect::<Vec<_>>()).await?;
        let is_lost = |run: &str, since: UnixMillis| {
            // What is no run's id has no inbox to wait in.
            let oldest = run.parse().ok().and_then(|run| oldest.get(&self.partition_of(run)));
            oldest.is_none_or(|oldest| *oldest > since.after(SENT_WITHIN))
        };
        let cutoff = before(UnixMillis::now(), patience);
        let mut lost = Vec::new();
        for page in 0.. {
            let mut look = redis::cmd("ZRANGEBYSCORE");
            look.arg(self.keys().line_unsent()).arg("-inf").arg(cutoff).arg("WITHSCORES");
            look.arg("LIMIT").arg(page * RESENT_AT_ONCE).arg(RESENT_AT_ONCE);
            let found = self.send(what, vec![look]).await?.pop().unwrap_or(Value::Nil);
            let found = scored(what, found)?;
            let is_last = found.len() < RESENT_AT_ONCE;
            let silent = found.into_iter().filter(|(run, since)| is_lost(run, *since)).collect();
            lost.extend(self.not_in_hand(silent, &oldest).await?);
            if is_last || lost.len() >= RESENT_AT_ONCE {
                break;
            }
        }
        lost.truncate(RESENT_AT_ONCE);
        Ok(lost)
    }

    /// Those of `runs` whose message is not in hand, where `unread` says what is not.
    async fn not_in_hand(
        &self,
        mut runs: Vec<(String, UnixMillis)>,
        unread: &HashMap<Partition, UnixMillis>,
    ) -> Result<Vec<(String, UnixMillis)>, BusError> {
        let what = "look for admitted runs in hand";
        let partition_of = |run: &str| run.parse().ok().map(|run| self.partition_of(run));
        let partitions: BTreeSet<Partition> = runs.iter().filter_map(|(run, _)| partition_of(run)).collect();
        let front = |partition: &Partition| {
            let mut command = redis::cmd("XRANGE");
            command.arg(self.keys().inbox(*partition)).arg("-").arg("+").arg("COUNT").arg(IN_HAND);
            command
        };
        let replies = self.send(what, partitions.iter().map(front).collect()).await?;
        for (partition, reply) in partitions.into_iter().zip(replies) {
            let entries = reply::entries(what, reply)?;
            let unread = unread.get(&partition);
            let last = entries.last().and_then(|entry| entry.id.time());
            let is_whole =
                entries.len() < IN_HAND || last.zip(unread).is_some_and(|(last, unread)| last >= *unread);
            let named = |message: &[u8]| match serde_json::from_slice(message) {
                Ok(Message::Execute(accepted)) => Some(accepted.execution_id),
                _ => None,
            };
            let in_hand: HashSet<String> =
                entries.iter().filter_map(|entry| Some(named(entry.get(MESSAGE)?)?.to_string())).collect();
            runs.retain(|(run, _)| {
                partition_of(run) != Some(partition) || (is_whole && !in_hand.contains(run))
            });
        }
        Ok(runs)
    }

    /// Runs admitted before `stalled` whose state is on its way out, or gone though they had begun.
    async fn left_behind(&self, stalled: Duration) -> Result<Vec<ExecutionId>, BusError> {
        let what = "look for runs that ended without leaving the line";
        let mut draw = redis::cmd("ZRANDMEMBER");
        draw.arg(self.keys().line_running()).arg(LOOKED_AT).arg("WITHSCORES");
        let drawn = self.send(what, vec![draw]).await?.pop().unwrap_or(Value::Nil);
        let cutoff = before(UnixMillis::now(), stalled);
        let old: Vec<ExecutionId> = scored(what, drawn)?
            .into_iter()
            .filter(|(_, admitted)| admitted.0 <= cutoff)
            .filter_map(|(run, _)| run.parse().ok())
            .collect();
        let standings = self.standings(&old).await?;
        // A live run's state does not expire; an ended one's does.
        let expiry = |run: &ExecutionId| {
            let mut expiry = redis::cmd("PTTL");
            expiry.arg(self.keys().run(self.partition_of(*run), *run));
            expiry
        };
        let replies = self.send(what, old.iter().map(expiry).collect()).await?;
        let mut over = Vec::new();
        for ((run, standing), reply) in old.into_iter().zip(standings).zip(replies) {
            let expiry_ms = reply::integer(what, reply)?;
            let has_begun = standing != Standing::InLine;
            if expiry_ms >= 0 || (expiry_ms == NO_SUCH_KEY && has_begun) {
                over.push(run);
            }
        }
        Ok(over)
    }

    /// Where each of `runs` stands, in their order, in one round trip.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn standings(&self, runs: &[ExecutionId]) -> Result<Vec<Standing>, BusError> {
        let what = "look for runs in the line";
        let mut commands = Vec::with_capacity(2 * runs.len());
        for run in runs.iter().map(ToString::to_string) {
            let mut waits = redis::cmd("HEXISTS");
            waits.arg(self.keys().line_messages()).arg(&run);
            let mut admitted = redis::cmd("ZSCORE");
            admitted.arg(self.keys().line_running()).arg(&run);
            commands.extend([waits, admitted]);
        }
        let mut replies = self.send(what, commands).await?.into_iter();
        let mut standings = Vec::with_capacity(runs.len());
        while let (Some(waits), Some(admitted)) = (replies.next(), replies.next()) {
            standings.push(if reply::integer(what, waits)? == 1 {
                Standing::InLine
            } else if reply::is_nil(&admitted) {
                Standing::Unknown
            } else {
                Standing::Admitted(UnixMillis(reply::integer(what, admitted)?))
            });
        }
        Ok(standings)
    }

    /// The command of a run that waits in the line, or was admitted and has not begun.
    ///
    /// # Errors
    /// Redis could not be reached, or what is there does not read.
    pub async fn run_in_line(&self, run: ExecutionId) -> Result<Option<Accepted>, BusError> {
        let mut get = redis::cmd("HGET");
        get.arg(self.keys().line_messages()).arg(run.to_string());
        let what = "look for a run in the line";
        let held = self.send(what, vec![get]).await?.pop().unwrap_or(Value::Nil);
        if reply::is_nil(&held) {
            return Ok(None);
        }
        let held = reply::bytes(what, held)?;
        // `<priority>|<ms since when>|<flow>|<message>`
        let message = held.splitn(4, |byte| *byte == b'|').nth(3).unwrap_or_default();
        match serde_json::from_slice(message) {
            Ok(Message::Execute(accepted)) => Ok(Some(*accepted)),
            Ok(_) => Ok(None),
            Err(error) => Err(BusError::Decode { what: "a run in the line", reason: error.to_string() }),
        }
    }
}

/// `pause` before `now`, ms.
fn before(now: UnixMillis, pause: Duration) -> i64 {
    now.0 - i64::try_from(pause.as_millis()).unwrap_or(i64::MAX)
}
