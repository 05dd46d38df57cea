//! The loss of the device that models run on: after some errors of CUDA's nothing runs on it any more until the process is
//! started again. A worker that stayed would fail jobs faster than healthy ones do them, so it takes no more, gives back what it
//! has in hand, and ends with an error. Rule: a job that fails of the loss, or after it, is not reported. It stays claimed, is
//! taken over like those of a worker that died, and is counted like them: it may be what the device was lost of.

use std::sync::{Arc, OnceLock};

use millrace_inference::InferenceError;
use millrace_tasks::CancellationToken;

/// Whether the device is lost. Cheap to clone; all clones tell the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct DeviceLoss {
    first: Arc<OnceLock<InferenceError>>,
    noted: CancellationToken,
}

impl DeviceLoss {
    /// Notes what a run or a load met with, should it be that.
    pub(crate) fn note(&self, error: &InferenceError) {
        if matches!(error, InferenceError::DeviceLost { .. }) && self.first.set(error.clone()).is_ok() {
            tracing::error!(%error, "the device is lost: the worker gives its jobs back and ends, to be started again");
            self.noted.cancel();
        }
    }

    /// Whether it is lost.
    pub(crate) fn is_noted(&self) -> bool {
        self.noted.is_cancelled()
    }

    /// Waits until it is.
    pub(crate) async fn noted(&self) {
        self.noted.cancelled().await;
    }

    /// Waits for the loss, cancels `stop`, and ends with it.
    pub(crate) async fn watch(self, stop: CancellationToken) -> Result<(), InferenceError> {
        self.noted().await;
        stop.cancel();
        self.first.get().cloned().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_loss_of_a_device_ends_the_worker() {
        let (loss, stop) = (DeviceLoss::default(), CancellationToken::new());
        let detail = || "CUDA failure 700".to_owned();
        loss.note(&InferenceError::Run { id: "m".into(), detail: detail() });
        loss.note(&InferenceError::OutOfMemory { id: "m".into(), detail: detail() });
        assert!(!loss.is_noted());
        loss.note(&InferenceError::DeviceLost { id: "first".into(), detail: detail() });
        loss.note(&InferenceError::DeviceLost { id: "second".into(), detail: detail() });
        let ended = loss.clone().watch(stop.clone()).await.unwrap_err();
        assert!(ended.to_string().contains("the model first found: CUDA failure 700"), "{ended}");
        assert!(loss.is_noted() && stop.is_cancelled());
    }
}
