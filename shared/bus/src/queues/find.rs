//! Which jobs are in no queue any more: what a run that stands still sends again. Sending a job that is still there would do its
//! work twice for nothing.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use millrace_contracts::{Job, JobId};
use redis::Value;

use super::key::QueueKey;
use crate::{Bus, BusError, reply, scripts};

/// Entries of one queue that are looked at. A longer one is taken to hold everything: it moves, and is looked at again later.
const MOST: usize = 2000;

impl Bus {
    /// Those of `jobs` that are in no queue, be it waiting or with a worker; one script call per queue.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn missing_jobs(&self, jobs: &[Job]) -> Result<HashSet<JobId>, BusError> {
        let what = "look for jobs";
        let mut queues: BTreeMap<String, (BTreeSet<&str>, Vec<String>)> = BTreeMap::new();
        for job in jobs {
            let (flows, ids) = queues.entry(self.keys().queue(&QueueKey::of(job))).or_default();
            flows.insert(&*job.flow.id);
            ids.push(job.id.to_string());
        }
        let find = |(stream, (flows, ids)): (String, (BTreeSet<&str>, Vec<String>))| {
            let mut find = scripts::FIND_JOBS.on(&[&stream], ids.len() * 40 + 128);
            find.arg(MOST).arg(flows.len());
            find.arg(flows.into_iter().collect::<Vec<_>>()).arg(ids);
            find
        };
        let replies = self.send(what, queues.into_iter().map(find).collect()).await?;
        let mut missing = HashSet::new();
        for reply in replies {
            if matches!(reply, Value::Nil | Value::Boolean(false)) {
                continue;
            }
            for id in reply::array(what, reply)? {
                missing.extend(reply::text(what, id)?.parse::<JobId>().ok());
            }
        }
        Ok(missing)
    }
}
