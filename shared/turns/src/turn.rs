//! Who asks, and how often they are served.

use millrace_contracts::job::Priority;
use millrace_contracts::{Flow, Job};

/// Who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Turn {
    pub(crate) flow: Flow,
    pub(crate) priority: Priority,
}

impl Turn {
    /// Of a job's flow.
    #[must_use]
    pub fn of(job: &Job) -> Self {
        Self { flow: job.flow.clone(), priority: job.priority }
    }

    /// Whose it is.
    #[must_use]
    pub fn flow(&self) -> &str {
        &self.flow.id
    }

    /// How far a turn takes it: the less, the more turns it has.
    pub(crate) fn stride(&self) -> u64 {
        /// Divisible by every weight, 1 to 16, times every urgency.
        const STRIDE: u64 = 720_720 * 64;
        let urgency = match self.priority {
            Priority::High => 64,
            Priority::Normal => 8,
            Priority::Low => 1,
        };
        STRIDE / (urgency * u64::from(self.flow.weight.max(1)))
    }
}
