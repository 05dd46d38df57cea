//! Which queues exist: a sorted set by time of last use. Whoever enqueues notes it every time, so the set mends itself
//! after a loss; a queue that is empty and long unused is forgotten, so that it stays bounded.

use std::time::Duration;

use millrace_contracts::UnixMillis;
use millrace_contracts::job::Priority;
use redis::{Cmd, Value};

use super::key::QueueName;
use crate::workers::scored;
use crate::{Bus, BusError, reply, scripts};

impl Bus {
    /// The command that notes `names` as in use now and announces new ones.
    pub(crate) fn register_queues<'a>(&self, names: impl IntoIterator<Item = &'a QueueName>) -> Cmd {
        let mut register = scripts::REGISTER_QUEUES.on(&[&self.keys().queues()], 256);
        register.arg(self.keys().queues_channel()).arg(UnixMillis::now().0);
        for name in names {
            register.arg(name.to_string());
        }
        register
    }

    /// Every queue there is, with the time of its last use.
    pub(crate) async fn registered_queues(&self) -> Result<Vec<(QueueName, UnixMillis)>, BusError> {
        let what = "list the queues";
        let mut list = redis::cmd("ZRANGE");
        list.arg(self.keys().queues()).arg(0).arg(-1).arg("WITHSCORES");
        let listed = self.send(what, vec![list]).await?.pop().unwrap_or(Value::Nil);
        let named = |(name, used): (String, UnixMillis)| QueueName::parse(&name).map(|name| (name, used));
        Ok(scored(what, listed)?.into_iter().filter_map(named).collect())
    }

    /// Forgets `name` if it has been unused for `unused` and is empty. The registry is asked first: a job that arrives in between
    /// registers its queue again, and its stream is then not empty.
    pub(crate) async fn forget_queue_if_idle(
        &self,
        name: &QueueName,
        used: UnixMillis,
        unused: Duration,
    ) -> Result<bool, BusError> {
        let what = "forget an idle queue";
        let cutoff = UnixMillis::now().0 - i64::try_from(unused.as_millis()).unwrap_or(i64::MAX);
        if used.0 > cutoff {
            return Ok(false);
        }
        let mut forget = scripts::FORGET_QUEUE.on(&[&self.keys().queues()], 128);
        forget.arg(name.to_string()).arg(cutoff);
        let forgotten = self.send(what, vec![forget]).await?.pop().unwrap_or(Value::Int(0));
        if reply::integer(what, forgotten)? == 0 {
            return Ok(false);
        }
        let streams = Priority::ALL.map(|priority| self.keys().queue(&name.at(priority)));
        let retire = scripts::RETIRE_QUEUE.on(&[&streams[0], &streams[1], &streams[2]], 128);
        let retired = self.send(what, vec![retire]).await?.pop().unwrap_or(Value::Int(0));
        if reply::integer(what, retired)? == 0 {
            // Jobs still wait, with nobody to take them for an hour: the queue stays.
            self.send(what, vec![self.register_queues([name])]).await?;
            return Ok(false);
        }
        Ok(true)
    }
}
