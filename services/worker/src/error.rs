//! What ends a worker, and how the faults of other crates become a job's error.

use millrace_blobs::BlobsError;
use millrace_bus::BusError;
use millrace_contracts::{ErrorKind, JobError};
use millrace_inference::InferenceError;
use millrace_objects::ObjectsError;
use millrace_tasks::TaskError;
use millrace_vision::VisionError;

/// Why a worker ended. A job's failure is never one of these.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// Redis.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// ONNX Runtime, which a worker of model pools cannot do without.
    #[error(transparent)]
    Inference(#[from] InferenceError),
    /// The model repository is in an object store whose settings make no sense.
    #[error("the model repository cannot be used: {0}")]
    Repository(#[from] ObjectsError),
    /// A thread could not be started.
    #[error("the worker could not start the thread {name}: {source}")]
    Thread {
        /// Its name.
        name: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// A task ended that had to live.
    #[error(transparent)]
    Task(#[from] TaskError),
}

/// A vision fault as a job's error.
pub(crate) fn of_vision(error: &VisionError) -> JobError {
    JobError::new(error.kind(), error.to_string())
}

/// An inference fault as a job's error.
pub(crate) fn of_inference(error: &InferenceError) -> JobError {
    let mut job_error = JobError::new(error.kind(), error.to_string());
    if matches!(error, InferenceError::ModelNotFound { .. }) {
        job_error.message.push_str(
            "; GET /api/v1/models lists the models there are, and a folder of that name with a model.onnx in the repository \
             makes one",
        );
    }
    match error {
        InferenceError::InvalidModelId { .. }
        | InferenceError::ModelNotFound { .. }
        | InferenceError::Load { .. }
        | InferenceError::Unsupported { .. }
        | InferenceError::WrongTask { .. } => job_error.at("/config/model_id"),
        _ => job_error,
    }
}

/// A blob store fault as a job's error: what is wrong with the data is the sender's, a store that fails may recover.
pub(crate) fn of_blobs(error: &BlobsError) -> JobError {
    let kind = match error {
        BlobsError::NotFound(_)
        | BlobsError::TooLarge { .. }
        | BlobsError::NotJson { .. }
        | BlobsError::TooDeep { .. } => ErrorKind::InvalidInput,
        BlobsError::Storage(_) => ErrorKind::Network,
        _ => ErrorKind::Internal,
    };
    JobError::new(kind, error.to_string())
}
