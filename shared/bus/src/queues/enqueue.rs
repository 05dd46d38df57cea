//! Handing jobs to pools. A job enqueued twice is harmless: its id is its fencing token.

use std::collections::BTreeSet;

use millrace_contracts::{Event, Job};

use super::key::QueueKey;
use crate::publish::{event_json, publish_command};
use crate::{Bus, BusError, keys, scripts};

impl Bus {
    /// Appends `jobs` to their queues, in one pipeline. `events[i]`, the `inference:queued` of `jobs[i]`, is published
    /// in the same step; further events are published after them.
    ///
    /// # Errors
    /// Redis could not be reached; some may have been enqueued, and repeating all is safe.
    pub async fn enqueue(&self, jobs: &[Job], events: &[Event]) -> Result<(), BusError> {
        let mut commands = Vec::with_capacity(jobs.len() + 1 + events.len().saturating_sub(jobs.len()));
        let mut names = BTreeSet::new();
        for (at, job) in jobs.iter().enumerate() {
            let queue = QueueKey::of(job);
            let json = serde_json::to_vec(job).map_err(BusError::encode("a job"))?;
            let mut append = scripts::APPEND.on(&[&self.keys().queue(&queue)], json.len() + 1024);
            append.arg(keys::JOB).arg(json);
            if let Some(event) = events.get(at) {
                append.arg(event.kind.channel()).arg(event_json(event)?);
            }
            commands.push(append);
            names.insert(queue.name());
        }
        if !names.is_empty() {
            // After the jobs, so that whoever is woken finds them.
            commands.push(self.register_queues(&names));
        }
        for event in events.iter().skip(jobs.len()) {
            commands.push(publish_command(event)?);
        }
        self.send("enqueue jobs", commands).await.map(drop)
    }
}
