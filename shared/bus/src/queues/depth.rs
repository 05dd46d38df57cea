//! How full the queues are: what autoscaling and `GET /queues` look at.

use std::time::Duration;

use millrace_contracts::job::Priority;
use millrace_contracts::{ModelId, Pool, UnixMillis};
use redis::Value;
use serde::Serialize;

use super::key::QueueName;
use crate::{Bus, BusError, keys, reply, scripts};

/// One queue at one priority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QueueDepth {
    /// Which workers.
    pub pool: Pool,
    /// Which model; none for blocks without one.
    pub model: Option<ModelId>,
    /// How urgent.
    pub priority: Priority,
    /// Jobs nobody has taken yet.
    pub waiting: u64,
    /// Jobs with a worker.
    pub pending: u64,
    /// How long the oldest waiting job has waited, milliseconds; none when none waits.
    pub oldest_ms: Option<u64>,
}

impl Bus {
    /// The depth of every queue, three priorities each, in one pipeline.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn queue_depths(&self) -> Result<Vec<QueueDepth>, BusError> {
        let names: Vec<QueueName> =
            self.registered_queues().await?.into_iter().map(|(name, _)| name).collect();
        self.depths_of(&names).await
    }

    /// The queues of `pools` that hold jobs of models: pool and model.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn model_queues(&self, pools: &[Pool]) -> Result<Vec<(Pool, ModelId)>, BusError> {
        let registered = self.registered_queues().await?.into_iter();
        let of_model = registered.filter_map(|(name, _)| Some((name.pool, name.model?)));
        Ok(of_model.filter(|(pool, _)| pools.contains(pool)).collect())
    }

    /// How long the oldest waiting job of each of `queues` has waited, at any priority; none where none waits.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn oldest_waiting(
        &self,
        queues: &[(Pool, ModelId)],
    ) -> Result<Vec<Option<Duration>>, BusError> {
        let name =
            |(pool, model): &(Pool, ModelId)| QueueName { pool: pool.clone(), model: Some(model.clone()) };
        let names: Vec<QueueName> = queues.iter().map(name).collect();
        let depths = self.depths_of(&names).await?;
        let oldest = |depths: &[QueueDepth]| depths.iter().filter_map(|depth| depth.oldest_ms).max();
        Ok(depths.chunks(Priority::ALL.len()).map(|three| oldest(three).map(Duration::from_millis)).collect())
    }

    /// The depths of `names`, three per queue in the order of [`Priority::ALL`].
    pub(crate) async fn depths_of(&self, names: &[QueueName]) -> Result<Vec<QueueDepth>, BusError> {
        let what = "measure the queues";
        let measure = |name: &QueueName| {
            let streams = Priority::ALL.map(|priority| self.keys().queue(&name.at(priority)));
            let mut command = scripts::QUEUE_DEPTH.on(&[&streams[0], &streams[1], &streams[2]], 256);
            command.arg(keys::WORKERS);
            command
        };
        let replies = self.send(what, names.iter().map(measure).collect()).await?;
        let now = UnixMillis::now();
        let mut depths = Vec::with_capacity(names.len() * Priority::ALL.len());
        for (name, reply) in names.iter().zip(replies) {
            for (priority, depth) in Priority::ALL.into_iter().zip(reply::array(what, reply)?) {
                depths.push(read_depth(what, name, priority, now, depth)?);
            }
        }
        Ok(depths)
    }
}

fn read_depth(
    what: &'static str,
    name: &QueueName,
    priority: Priority,
    now: UnixMillis,
    value: Value,
) -> Result<QueueDepth, BusError> {
    let [waiting, pending, oldest] = reply::tuple(what, value)?;
    let oldest = reply::text(what, oldest)?.parse::<i64>().ok().map(UnixMillis);
    Ok(QueueDepth {
        pool: name.pool.clone(),
        model: name.model.clone(),
        priority,
        waiting: reply::count(what, waiting)?,
        pending: reply::count(what, pending)?,
        oldest_ms: oldest.map(|since| now.since(since)),
    })
}
