//! The fleet: what each worker says of itself, and when it was last heard of.

use std::time::Duration;

use millrace_contracts::{UnixMillis, WorkerId};
use redis::Value;

use crate::lease::milliseconds;
use crate::{Bus, BusError, reply};

/// A worker, as last heard of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerRecord {
    /// Who.
    pub id: WorkerId,
    /// Its last sign of life.
    pub last_seen: UnixMillis,
    /// What it says of itself, JSON; none once its time to live has run out, which means that it is lost.
    pub info: Option<String>,
}

impl Bus {
    /// Notes that `worker` is alive, with what it says of itself; without another call within `ttl` it counts as lost.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn register_worker(
        &self,
        worker: &WorkerId,
        info_json: &str,
        ttl: Duration,
    ) -> Result<(), BusError> {
        let mut say = redis::cmd("SET");
        say.arg(self.keys().worker(worker)).arg(info_json).arg("PX").arg(milliseconds(ttl));
        let mut note = redis::cmd("ZADD");
        note.arg(self.keys().workers()).arg(UnixMillis::now().0).arg(worker.as_str());
        self.send("register a worker", vec![say, note]).await.map(drop)
    }

    /// Every worker that was registered and not removed, longest silent first. One that is removed meanwhile is not among them.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn workers(&self) -> Result<Vec<WorkerRecord>, BusError> {
        let what = "list the workers";
        let mut list = redis::cmd("ZRANGE");
        list.arg(self.keys().workers()).arg(0).arg(-1).arg("WITHSCORES");
        let listed = self.send(what, vec![list.clone()]).await?.pop().unwrap_or(Value::Nil);
        let seen = scored(what, listed)?;
        let get = |(id, _): &(String, UnixMillis)| {
            let mut get = redis::cmd("GET");
            get.arg(self.keys().worker(&id.as_str().into()));
            get
        };
        // The list once more afterwards: who says nothing may have left in between, and is not silent then.
        let mut infos = self.send(what, seen.iter().map(get).chain([list]).collect()).await?;
        let still = scored(what, infos.pop().unwrap_or(Value::Nil))?;
        let has_left = |id: &str, info: &Value| *info == Value::Nil && still.iter().all(|(one, _)| one != id);
        let record = |((id, last_seen), info)| {
            let info = match info {
                Value::Nil => None,
                info => Some(reply::text(what, info)?),
            };
            Ok(WorkerRecord { id: WorkerId::from(id), last_seen, info })
        };
        let told = seen.into_iter().zip(infos).filter(|((id, _), info)| !has_left(id, info));
        told.map(record).collect()
    }

    /// Takes `worker` off the list; true when it was on it, so that of several observers one reports the loss.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn remove_worker(&self, worker: &WorkerId) -> Result<bool, BusError> {
        let what = "remove a worker";
        let mut forget = redis::cmd("DEL");
        forget.arg(self.keys().worker(worker));
        let mut remove = redis::cmd("ZREM");
        remove.arg(self.keys().workers()).arg(worker.as_str());
        // Off the list first: who is on it and says nothing is taken for lost.
        let removed = self.send(what, vec![remove, forget]).await?.into_iter().next();
        Ok(reply::integer(what, removed.unwrap_or(Value::Int(0)))? == 1)
    }
}

/// Members with scores: pairs in RESP3, flat in RESP2.
pub(crate) fn scored(what: &'static str, value: Value) -> Result<Vec<(String, UnixMillis)>, BusError> {
    let items = reply::array(what, value)?;
    let nested = items.first().is_some_and(|item| matches!(item, Value::Array(_)));
    let pairs = if nested {
        items
            .into_iter()
            .map(|item| reply::tuple(what, item).map(|[a, b]| (a, b)))
            .collect::<Result<_, _>>()?
    } else {
        reply::pairs(what, Value::Array(items))?
    };
    let read = |(member, score)| Ok((reply::text(what, member)?, UnixMillis(reply::integer(what, score)?)));
    pairs.into_iter().map(read).collect()
}
