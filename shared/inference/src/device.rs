//! Where sessions run: the CPU, or an NVIDIA GPU by the runtime's CUDA or TensorRT provider. Rule: a device that is asked
//! for by name is used or refused; otherwise the best one that works is taken, and why it is no better one is told.

mod memory;
mod providers;
mod survey;

use std::fmt;
use std::path::Path;

use ort::memory::AllocationDevice;

use crate::{InferenceError, Runtime};
pub(crate) use memory::HostMemory;
pub use memory::Pinned;
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
    /// Whether inputs and outputs cross to it in pinned memory; none on the processor.
    pub pinned: Option<Pinned>,
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
            Some(device) => match survey::trial(&runtime, library, device) {
                Ok(pinned) => Ok(Self::gpu(device, pinned, Vec::new())),
                Err(why) => Err(InferenceError::DeviceUnavailable { device, why }),
            },
            None => Ok(match survey::trial(&runtime, library, Device::Cuda(0)) {
                Ok(pinned) => Self::gpu(Device::Cuda(0), pinned, survey::beyond_cuda(library)),
                Err(why) => Self { why_not_better: vec![format!("no CUDA: {why}")], ..Self::default() },
            }),
        }
    }

    fn gpu(device: Device, pinned: Pinned, why_not_better: Vec<String>) -> Self {
        let gpu_model = match device {
            Device::Cpu => None,
            Device::Cuda(index) | Device::TensorRt(index) => survey::gpu_model(index),
        };
        Self { device, gpu_model, pinned: Some(pinned), why_not_better }
    }
}

impl fmt::Display for Chosen {
    /// `cuda:0 (NVIDIA L4) with pinned memory`, `cpu; no CUDA: …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.device)?;
        self.gpu_model.iter().try_for_each(|name| write!(f, " ({name})"))?;
        self.pinned.iter().try_for_each(|pinned| write!(f, " {pinned}"))?;
        self.why_not_better.iter().try_for_each(|why| write!(f, "; {why}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_is_told_in_one_line() {
        let gpu = |pinned| Chosen {
            device: Device::Cuda(0),
            gpu_model: Some("NVIDIA L4".to_owned()),
            pinned: Some(pinned),
            why_not_better: Vec::new(),
        };
        assert_eq!(gpu(Pinned::Yes).to_string(), "cuda:0 (NVIDIA L4) with pinned memory");
        let refused = gpu(Pinned::No("none is left".to_owned())).to_string();
        assert_eq!(refused, "cuda:0 (NVIDIA L4) without pinned memory: none is left");
        let cpu = Chosen { why_not_better: vec!["no CUDA: no driver".to_owned()], ..Chosen::default() };
        assert_eq!(cpu.to_string(), "cpu; no CUDA: no driver");
    }
}
