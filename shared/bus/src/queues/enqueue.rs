//! Handing jobs to pools. A job enqueued twice is harmless: its id is its fencing token.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use millrace_contracts::{Event, Flow, Job, UnixMillis};
use redis::Cmd;

use super::key::QueueKey;
use crate::publish::{event_json, publish_command};
use crate::{Bus, BusError, keys, scripts};

/// Jobs of a queue that are open to all workers at once, in the order they came; those behind them take turns.
/// Few, for a lone job that comes after them waits for all of them.
const OPEN_TO_ALL: usize = 2;
/// Most jobs in one script call: a fan-out of thousands must not hold up the others' commands.
const JOBS_PER_CALL: usize = 100;

impl Bus {
    /// Puts `jobs` into their queues, in one pipeline. `events[i]`, the `inference:queued` of `jobs[i]`, is published
    /// in the same step; further events are published after them.
    ///
    /// # Errors
    /// Redis could not be reached; some may have been enqueued, and repeating all is safe.
    pub async fn enqueue(&self, jobs: &[Job], events: &[Event]) -> Result<(), BusError> {
        let mut places: IndexMap<(QueueKey, &Flow), Vec<usize>> = IndexMap::new();
        for (at, job) in jobs.iter().enumerate() {
            places.entry((QueueKey::of(job), &job.flow)).or_default().push(at);
        }
        let mut commands = Vec::with_capacity(places.len() + 1);
        for ((queue, flow), places) in &places {
            for places in places.chunks(JOBS_PER_CALL) {
                let chosen = places.iter().map(|at| (&jobs[*at], events.get(*at)));
                commands.push(self.enqueue_command(queue, flow, chosen)?);
            }
        }
        let names: BTreeSet<_> = places.keys().map(|(queue, _)| queue.name()).collect();
        if !names.is_empty() {
            // After the jobs, so that whoever is woken finds them.
            commands.push(self.register_queues(&names));
        }
        for event in events.iter().skip(jobs.len()) {
            commands.push(publish_command(event)?);
        }
        self.send("enqueue jobs", commands).await.map(drop)
    }

    fn enqueue_command<'a>(
        &self,
        queue: &QueueKey,
        flow: &Flow,
        jobs: impl ExactSizeIterator<Item = (&'a Job, Option<&'a Event>)>,
    ) -> Result<Cmd, BusError> {
        let (stream, gone) = (self.keys().queue(queue), self.keys().gone(&queue.name()));
        let mut enqueue = scripts::ENQUEUE_JOBS.on(&[&stream, &gone], jobs.len() * 2048);
        enqueue.arg(keys::WORKERS).arg(UnixMillis::now().0).arg(&flow.id).arg(flow.weight).arg(OPEN_TO_ALL);
        enqueue.arg(self.keys().callers_channel());
        for (job, event) in jobs {
            let json = serde_json::to_vec(job).map_err(BusError::encode("a job"))?;
            // Queues drop the jobs of runs that are gone; one of no run is never dropped.
            let run = if job.outlives_run { String::new() } else { job.execution_id.to_string() };
            enqueue.arg(run).arg(json);
            match event {
                Some(event) => enqueue.arg(event.kind.channel()).arg(event_json(event)?),
                None => enqueue.arg("").arg(""),
            };
        }
        Ok(enqueue)
    }
}
