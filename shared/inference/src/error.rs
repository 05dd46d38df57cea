//! What can go wrong between a model id and its numbers, with the kind each fault has in the public contract.

use std::path::PathBuf;

use millrace_contracts::{ErrorKind, ModelId};
use millrace_vision::VisionError;

use crate::Device;
use crate::signs::{is_device_gone, is_device_lost, is_shortage};

/// A fault. Cloneable, because everyone who waits for one load hears of its failure.
#[derive(Debug, Clone, thiserror::Error)]
pub enum InferenceError {
    /// ONNX Runtime's library is not where it should be.
    #[error(
        "ONNX Runtime was not found at {path}; run scripts/setup.sh, or set ORT_DYLIB_PATH to the absolute path of \
         libonnxruntime.so (1.24 or newer)"
    )]
    LibraryMissing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The library is there and does not work.
    #[error(
        "ONNX Runtime at {path} could not be used: {detail}; run scripts/setup.sh to fetch the version this build \
         is made for"
    )]
    LibraryUnusable {
        /// Where it is.
        path: PathBuf,
        /// What the loader said.
        detail: String,
    },
    /// The device that was asked for does not work.
    #[error("the device {device} cannot be used: {why}; put that right, or set worker.device to auto")]
    DeviceUnavailable {
        /// Which.
        device: Device,
        /// What is missing.
        why: String,
    },
    /// The text cannot name a model.
    #[error(
        "{id:?} is not a model id: write letters, digits, '.', '_' and '-', folders separated by '/', no part beginning \
         with a dot"
    )]
    InvalidModelId {
        /// The text, cut to 80 characters.
        id: String,
    },
    /// No such folder, or no graph in it.
    #[error("no model {id}: {looked_for}")]
    ModelNotFound {
        /// Which.
        id: ModelId,
        /// What is missing, and what may have been meant.
        looked_for: String,
    },
    /// A file that the model needs is not in its folder.
    #[error("the model {id} has no {file}: {need}")]
    FileMissing {
        /// Which.
        id: ModelId,
        /// The file, relative to the model's folder.
        file: String,
        /// What it is needed for, and what to do.
        need: String,
    },
    /// The graph exists and does not load.
    #[error("the model {id} could not be loaded: {detail}")]
    Load {
        /// Which.
        id: ModelId,
        /// Why.
        detail: String,
    },
    /// No family knows the model, or its family cannot do it in this form.
    #[error("the model {id} is not supported: {detail}")]
    Unsupported {
        /// Which.
        id: ModelId,
        /// Why, and what to export instead.
        detail: String,
    },
    /// The model does something else than what was asked for.
    #[error(
        "the model {id} is made for {actual}, not for {wanted}{}; choose another model or another block",
        stranger.as_ref().map_or_else(String::new, |why| format!(": {why}"))
    )]
    WrongTask {
        /// Which.
        id: ModelId,
        /// What the block wants.
        wanted: &'static str,
        /// What it does.
        actual: &'static str,
        /// Why it is taken for that, of one that no family knows.
        stranger: Option<String>,
    },
    /// The model does what was asked for, but not in this way.
    #[error("the model {id} has no mode {wanted:?}; it has {modes}")]
    WrongMode {
        /// Which.
        id: ModelId,
        /// What was asked for.
        wanted: &'static str,
        /// What it has.
        modes: String,
    },
    /// The model's tokens cannot be pooled in this way, or it is not known in which they are.
    #[error(
        "the vectors of the model {id} cannot be pooled{}: {detail}",
        wanted.map_or_else(String::new, |wanted| format!(" by {wanted:?}"))
    )]
    WrongPooling {
        /// Which.
        id: ModelId,
        /// What was asked for, if anything was.
        wanted: Option<&'static str>,
        /// What is missing, and what to do.
        detail: String,
    },
    /// The model takes no pictures, or no texts.
    #[error(
        "the model {id} takes no {wanted}; give it what it takes, or choose a model that takes both, such as CLIP"
    )]
    MissingTower {
        /// Which.
        id: ModelId,
        /// `pictures` or `texts`.
        wanted: &'static str,
    },
    /// The input does not fit the graph.
    #[error("the input does not fit the model {id}: {detail}")]
    Input {
        /// Which.
        id: ModelId,
        /// Why.
        detail: String,
    },
    /// The pixels could not be prepared.
    #[error(transparent)]
    Vision(#[from] VisionError),
    /// The run ended for lack of memory.
    #[error("the model {id} ran out of memory: {detail}")]
    OutOfMemory {
        /// Which.
        id: ModelId,
        /// What the runtime said.
        detail: String,
    },
    /// There is no room for the model within the budget, whatever else is unloaded.
    #[error(
        "no room for the model {id}: it takes {need_bytes} bytes of memory, the budget is {budget_bytes}{}; raise \
         models.memory_budget, or unpin another model",
        if *taken_bytes > 0 { format!(", and {taken_bytes} are taken by models that must stay") } else { String::new() }
    )]
    NoRoom {
        /// Which.
        id: ModelId,
        /// What it takes, measured or guessed, bytes.
        need_bytes: u64,
        /// The budget, bytes.
        budget_bytes: u64,
        /// What pinned models take, bytes.
        taken_bytes: u64,
    },
    /// The cache's thread could not be started.
    #[error("the thread that keeps the models could not be started: {detail}")]
    Keeper {
        /// What the system said.
        detail: String,
    },
    /// The run failed.
    #[error("the model {id} failed: {detail}")]
    Run {
        /// Which.
        id: ModelId,
        /// What the runtime said.
        detail: String,
    },
    /// The outputs are not what the family expects.
    #[error("the model {id} gave an output that its family does not expect: {detail}")]
    Output {
        /// Which.
        id: ModelId,
        /// What was found.
        detail: String,
    },
    /// The session's thread is gone: it could not be opened anew after runs that failed.
    #[error("the session of the model {id} ended unexpectedly; the next run loads the model afresh")]
    SessionLost {
        /// Which.
        id: ModelId,
    },
    /// The process can use its device no more: CUDA says so of some errors, of whatever run or load they are met in. Nothing
    /// that runs there will succeed until the process is started again.
    #[error("the device is beyond use for this process, as the model {id} found: {detail}")]
    DeviceLost {
        /// Which found it.
        id: ModelId,
        /// What the runtime said.
        detail: String,
    },
    /// A thread could not be started.
    #[error("no thread could be started for the model {id}: {detail}")]
    Thread {
        /// Which.
        id: ModelId,
        /// What the system said.
        detail: String,
    },
}

impl InferenceError {
    /// The kind in the public contract.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::InvalidModelId { .. }
            | Self::WrongTask { .. }
            | Self::WrongMode { .. }
            | Self::WrongPooling { .. }
            | Self::MissingTower { .. } => ErrorKind::InvalidConfig,
            Self::ModelNotFound { .. } => ErrorKind::ModelNotFound,
            Self::LibraryMissing { .. }
            | Self::LibraryUnusable { .. }
            | Self::DeviceUnavailable { .. }
            | Self::FileMissing { .. }
            | Self::Load { .. }
            // Whoever asks again has it loaded afresh.
            | Self::SessionLost { .. } => ErrorKind::ModelLoadError,
            Self::Unsupported { .. } | Self::Output { .. } => ErrorKind::Unsupported,
            Self::Input { .. } => ErrorKind::InvalidInput,
            Self::Vision(error) => error.kind(),
            Self::OutOfMemory { .. } | Self::NoRoom { .. } | Self::Thread { .. } | Self::Keeper { .. } => {
                ErrorKind::OutOfMemory
            }
            // Another process may have one that works.
            Self::DeviceLost { .. } => ErrorKind::WorkerUnavailable,
            Self::Run { .. } => ErrorKind::Internal,
        }
    }

    /// A fault of a run, told apart by what the runtime said: it has no code for lack of memory, or for the loss of a device.
    pub(crate) fn of_run(id: &ModelId, detail: String) -> Self {
        let id = id.clone();
        match &detail {
            said if is_device_lost(said) => Self::DeviceLost { id, detail },
            said if is_shortage(said) => Self::OutOfMemory { id, detail },
            _ => Self::Run { id, detail },
        }
    }

    /// A fault of a load, told apart in the same way.
    pub(crate) fn of_load(id: &ModelId, detail: String) -> Self {
        let id = id.clone();
        match &detail {
            said if is_device_gone(said) => Self::DeviceLost { id, detail },
            said if is_shortage(said) => Self::OutOfMemory { id, detail },
            _ => Self::Load { id, detail },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_told_apart_by_what_the_runtime_says() {
        let of_both = |detail: &str| {
            [InferenceError::of_run, InferenceError::of_load]
                .map(|of| of(&"m".into(), detail.to_owned()).kind())
        };
        assert_eq!(of_both("Failed to allocate memory for requested buffer"), [ErrorKind::OutOfMemory; 2]);
        assert_eq!(of_both("CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED"), [ErrorKind::OutOfMemory; 2]);
        assert_eq!(
            of_both("CUDA failure 719: unspecified launch failure"),
            [ErrorKind::WorkerUnavailable; 2]
        );
        let gone = "CUDA failure 100: no CUDA-capable device is detected";
        assert_eq!(of_both(gone), [ErrorKind::Internal, ErrorKind::WorkerUnavailable]);
        assert_eq!(of_both("Invalid rank for input"), [ErrorKind::Internal, ErrorKind::ModelLoadError]);
    }
}
