//! Jobs of flows that a worker has nothing of in hand: what it keeps a few hands free for, so that a lone job behind a batch
//! does not wait for a job of the batch to end.

use std::sync::Arc;

use millrace_contracts::job::Priority;
use redis::Cmd;

use super::Wanted;
use super::callers::Callers;
use super::key::QueueName;
use super::reader::{JobDelivery, JobQueues};
use super::take::Take;
use crate::{BusError, keys, scripts};

impl JobQueues {
    /// Of each queue that is wanted, at most `max` queues in turn, one job of a flow that is not in `in_hand`, where there
    /// is one. Who called is answered by it. Does not wait.
    ///
    /// Cancel-safe, as [`JobQueues::read`].
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn read_newcomers(
        &mut self,
        wanted: Wanted<'_>,
        in_hand: &[String],
        max: usize,
    ) -> Result<Vec<JobDelivery>, BusError> {
        self.finish_take().await?;
        if self.ready.is_empty() {
            // Before the look, so that who calls during it is heard.
            self.callers.answer(in_hand);
            self.refresh_if_due().await?;
            let mut queues: Vec<QueueName> =
                self.known.keys().filter(|name| name.is(wanted)).cloned().collect();
            if !queues.is_empty() {
                self.turn = (self.turn + 1) % queues.len();
                queues.rotate_left(self.turn);
            }
            queues.truncate(max);
            let commands = queues.iter().map(|name| self.newcomers_command(name, in_hand)).collect();
            let asked = queues.into_iter().map(|name| (name, 1)).collect();
            self.taking = Some(Take::begin(&self.bus, asked, commands));
            self.finish_take().await?;
        }
        Ok(self.hand_out(max))
    }

    /// Flows that began to wait while others had jobs before them, as far as they were heard.
    #[must_use]
    pub fn callers(&self) -> Arc<Callers> {
        Arc::clone(&self.callers)
    }

    fn newcomers_command(&self, name: &QueueName, in_hand: &[String]) -> Cmd {
        let streams = Priority::ALL.map(|priority| self.bus.keys().queue(&name.at(priority)));
        let keys = [&*self.bus.keys().gone(name), &streams[0], &streams[1], &streams[2]];
        let mut take = scripts::TAKE_NEWCOMERS.on(&keys, 256 + in_hand.len() * 40);
        take.arg(keys::WORKERS).arg(self.reader.consumer()).arg(in_hand);
        take
    }
}
