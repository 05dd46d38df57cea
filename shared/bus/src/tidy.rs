//! Keeping what only ever grows within bounds: queues nobody uses, and the names of consumers that are long gone. The
//! orchestrators' sweep does it in passing.

use std::time::Duration;

use millrace_contracts::job::Priority;
use redis::Cmd;

use crate::{Bus, BusError, keys, reply, scripts};

/// Due once in so long, per replica.
pub(crate) const EVERY: Duration = Duration::from_secs(600);
/// An empty queue may be unused, and a consumer that holds nothing silent, for so long.
const UNUSED: Duration = Duration::from_secs(3600);

impl Bus {
    /// Forgets empty queues that have been unused for an hour, and consumers that hold nothing and have been silent as
    /// long. A consumer that speaks again is simply there again.
    ///
    /// # Errors
    /// Redis could not be reached; the rest is left for the next time.
    pub async fn tidy(&self) -> Result<(), BusError> {
        for (name, used) in self.registered_queues().await? {
            self.forget_queue_if_idle(&name, used, UNUSED).await?;
        }
        let forgotten = self.forget_silent_consumers(UNUSED).await?;
        tracing::debug!(forgotten, "forgot consumers that were silent for an hour");
        Ok(())
    }

    /// Forgets consumers of all groups that hold nothing and have been silent for `silent`; answers how many.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn forget_silent_consumers(&self, silent: Duration) -> Result<u64, BusError> {
        let what = "forget silent consumers";
        let forget = |group: &'static str, stream: &str| -> Cmd {
            let mut forget = scripts::FORGET_CONSUMERS.on(&[stream], 128);
            forget.arg(group).arg(u64::try_from(silent.as_millis()).unwrap_or(u64::MAX));
            forget
        };
        let mut commands = Vec::new();
        for partition in self.all_partitions() {
            commands.push(forget(keys::ORCHESTRATORS, &self.keys().inbox(partition)));
            commands.push(forget(keys::WRITERS, &self.keys().events(partition)));
        }
        for (name, _) in self.registered_queues().await? {
            for priority in Priority::ALL {
                commands.push(forget(keys::WORKERS, &self.keys().queue(&name.at(priority))));
            }
        }
        let replies = self.send(what, commands).await?;
        replies.into_iter().map(|forgotten| reply::count(what, forgotten)).sum()
    }
}
