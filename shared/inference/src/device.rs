//! Where sessions run: the CPU, or an NVIDIA GPU by the runtime's CUDA or TensorRT provider. Rule: a device that is asked
//! for by name is used or refused; otherwise the best one that works is taken, and why it is no better one is told.

mod providers;
mod survey;

use std::fmt;
use std::path::Path;

use ort::memory::AllocationDevice;

use crate::{InferenceError, Runtime};
pub use providers::GpuSettings;

/// What a session runs on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// The GPU of this number, by CUDA.
    Cuda(u32),
    /// The GPU of this number, by TensorRT, and by CUDA what TensorRT does not know.
    TensorRt(u32),
}

/// What was chosen, and on what grounds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    /// The device.
    pub device: Device,
    /// The GPU's name, as its driver says it.
    pub gpu_model: Option<String>,
    /// Why it is no better one; empty when there is no better one.
    pub why_not_better: Vec<String>,
}

impl Device {
    /// Where a session's arena is.
    pub(crate) fn memory(self) -> (AllocationDevice<'static>, i32) {
        match self {
            Self::Cpu => (AllocationDevice::CPU, 0),
            Self::Cuda(index) | Self::TensorRt(index) => (AllocationDevice::CUDA, number(index)),
        }
    }
}

/// The number of a GPU as the runtime takes it.
fn number(index: u32) -> i32 {
    i32::try_from(index).unwrap_or(i32::MAX)
}

impl fmt::Display for Device {
    /// `cpu`, `cuda:0`, `tensorrt:0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
            Self::TensorRt(index) => write!(f, "tensorrt:{index}"),
        }
    }
}

impl Chosen {
    /// The device `wanted`, or without a wish the best that works: the first GPU by CUDA, else the CPU. TensorRT, which
    /// builds an engine for every model it loads, is used only when it is asked for. Loads the library and, where a GPU
    /// may be used, runs a tiny graph on it: not for the async runtime.
    ///
    /// # Errors
    /// [`InferenceError::DeviceUnavailable`] for a device that is asked for and does not work; the library cannot be
    /// loaded.
    pub fn of(library: &Path, wanted: Option<Device>) -> Result<Self, InferenceError> {
        let runtime = Runtime::load(library)?;
        let library = &runtime.info().library;
        match wanted {
            Some(Device::Cpu) => Ok(Self::default()),
            Some(device) => match survey::fault(&runtime, library, device) {
                None => Ok(Self::gpu(device, Vec::new())),
                Some(why) => Err(InferenceError::DeviceUnavailable { device, why }),
            },
            None => Ok(match survey::fault(&runtime, library, Device::Cuda(0)) {
                None => Self::gpu(Device::Cuda(0), survey::beyond_cuda(library)),
                Some(why) => Self { why_not_better: vec![format!("no CUDA: {why}")], ..Self::default() },
            }),
        }
    }

    fn gpu(device: Device, why_not_better: Vec<String>) -> Self {
        let gpu_model = match device {
            Device::Cpu => None,
            Device::Cuda(index) | Device::TensorRt(index) => survey::gpu_model(index),
        };
        Self { device, gpu_model, why_not_better }
    }
}
