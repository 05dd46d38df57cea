//! The name of a job queue.

use std::fmt;

use millrace_contracts::job::Priority;
use millrace_contracts::{Job, ModelId, Pool};

/// One job stream: a pool, a model where the block has one, and a priority.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct QueueKey {
    /// Which workers.
    pub pool: Pool,
    /// Which model; none for blocks without one.
    pub model: Option<ModelId>,
    /// How urgent.
    pub priority: Priority,
}

impl QueueKey {
    /// The queue `job` belongs in.
    #[must_use]
    pub fn of(job: &Job) -> Self {
        Self {
            pool: job.pool.clone(),
            model: job.model.as_ref().map(|model| model.id.clone()),
            priority: job.priority,
        }
    }

    /// The queue's name in the registry, without the priority.
    pub(crate) fn name(&self) -> QueueName {
        QueueName { pool: self.pool.clone(), model: self.model.clone() }
    }
}

/// `fast|shapes-detector/normal`.
impl fmt::Display for QueueKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let model = self.model.as_ref().map_or("-", |model| model.as_str());
        write!(f, "{}|{model}/{}", self.pool, self.priority.as_str())
    }
}

/// A queue's name in the registry: `<pool>|<model or ->`. Pool names hold no bar.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct QueueName {
    pub(crate) pool: Pool,
    pub(crate) model: Option<ModelId>,
}

impl QueueName {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (pool, model) = text.split_once('|')?;
        let model = (model != "-").then(|| ModelId::from(model));
        Some(Self { pool: Pool::from(pool), model })
    }

    /// Whether its jobs are wanted.
    pub(super) fn is(&self, wanted: super::Wanted<'_>) -> bool {
        wanted(&self.pool, self.model.as_ref()) > 0
    }

    /// The stream of one priority.
    pub(crate) fn at(&self, priority: Priority) -> QueueKey {
        QueueKey { pool: self.pool.clone(), model: self.model.clone(), priority }
    }
}

impl fmt::Display for QueueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}|{}", self.pool, self.model.as_ref().map_or("-", |model| model.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_their_text_form() {
        for text in ["cpu|-", "fast|shapes-detector", "heavy|acme/defects|v3"] {
            assert_eq!(QueueName::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(QueueName::parse("cpu"), None);
    }
}
