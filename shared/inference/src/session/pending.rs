//! A request in a model's queue, or in a run.

use std::sync::Arc;

use millrace_contracts::ModelId;
use tokio::sync::oneshot;

use super::queue::Queue;
use super::{Inferred, Tensor};
use crate::InferenceError;

/// A request that was put in the queue. Dropping it abandons the request.
#[derive(Debug)]
pub struct Pending {
    pub(super) id: ModelId,
    pub(super) queue: Arc<Queue>,
    pub(super) answer: oneshot::Receiver<Result<Inferred, InferenceError>>,
    /// What nobody holds is not run, or not to its end.
    pub(super) _waiting: Arc<()>,
}

impl Pending {
    /// What came of it. Numbers with a fraction are in single precision whatever the graph's own.
    ///
    /// # Errors
    /// As [`super::SessionThread::infer`].
    pub async fn inferred(self) -> Result<Inferred, InferenceError> {
        let mut inferred = self.ended().await?;
        inferred.outputs = inferred.outputs.into_iter().map(Tensor::in_single_precision).collect();
        Ok(inferred)
    }

    /// The same as the graph gave it.
    pub(super) async fn ended(self) -> Result<Inferred, InferenceError> {
        let Self { id, queue, answer, _waiting } = self;
        answer.await.unwrap_or_else(|_| Err(lost(&queue, &id)))
    }
}

/// Why nothing runs on the session any more.
pub(super) fn lost(queue: &Queue, id: &ModelId) -> InferenceError {
    queue.lost().unwrap_or_else(|| InferenceError::SessionLost { id: id.clone() })
}
