//! Telling workers that jobs are no longer wanted. A hint: a worker that misses it wastes work, no more.

use millrace_contracts::{ExecutionId, JobId};
use serde::{Deserialize, Serialize};

use crate::{Bus, BusError};

/// Payload of the channel [`Bus::cancelled_channel`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abandon {
    /// The run.
    pub execution_id: ExecutionId,
    /// The jobs; all of the run's when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub job_ids: Vec<JobId>,
}

impl Abandon {
    /// Reads the payload of a live event of [`Bus::cancelled_channel`]; none when it is not one.
    #[must_use]
    pub fn from_payload(payload: &str) -> Option<Self> {
        serde_json::from_str(payload).ok()
    }

    /// Whether `job` of `run` is meant.
    #[must_use]
    pub fn covers(&self, run: ExecutionId, job: JobId) -> bool {
        self.execution_id == run && (self.job_ids.is_empty() || self.job_ids.contains(&job))
    }
}

impl Bus {
    /// The channel on which [`Abandon`] travels; subscribe to it with [`Bus::subscribe`].
    #[must_use]
    pub fn cancelled_channel(&self) -> String {
        self.keys().cancelled_channel()
    }

    /// Tells workers to drop jobs they have in hand or are about to take, in one pipeline.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn abandon(&self, abandoned: &[Abandon]) -> Result<(), BusError> {
        let publish = |abandon: &Abandon| {
            let payload = serde_json::to_vec(abandon).map_err(BusError::encode("a job cancellation"))?;
            let mut publish = redis::cmd("PUBLISH");
            publish.arg(self.cancelled_channel()).arg(payload);
            Ok(publish)
        };
        let commands = abandoned.iter().map(publish).collect::<Result<_, BusError>>()?;
        self.send("tell workers to drop jobs", commands).await.map(drop)
    }
}
