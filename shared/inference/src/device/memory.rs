//! Host memory that a session's inputs are written to and its outputs land in. For a GPU it should be pinned: the GPU then
//! fetches and puts by itself, where the driver would first copy ordinary memory into pinned memory of its own. ONNX Runtime
//! hands it out of an arena of the session's, which keeps what it took until the session ends.

use std::fmt;

use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::session::Session;
use ort::value::{DynTensor, TensorElementType};

use super::{Device, number};

/// Whether inputs and outputs cross to a GPU in pinned memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pinned {
    /// They do.
    Yes,
    /// They cross in ordinary memory, for this reason.
    No(String),
}

impl fmt::Display for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yes => f.write_str("with pinned memory"),
            Self::No(why) => write!(f, "without pinned memory: {why}"),
        }
    }
}

/// Host memory of one session.
#[derive(Debug)]
pub(crate) struct HostMemory {
    inputs: Allocator,
    outputs: MemoryInfo<'static>,
    /// The GPU that it is pinned for.
    pinned_for: Option<i32>,
}

impl HostMemory {
    /// The best there is for a session on `device`; why it is not pinned, where it should be.
    pub(crate) fn of(session: &Session, device: Device) -> Result<(Self, Option<String>), ort::Error> {
        let pinned = match device {
            Device::Cpu => return Ok((Self::ordinary(session)?, None)),
            Device::Cuda(index) | Device::TensorRt(index) => Self::pinned(session, number(index)),
        };
        match pinned {
            Ok(pinned) => Ok((pinned, None)),
            Err(error) => Ok((Self::ordinary(session)?, Some(error.to_string()))),
        }
    }

    fn pinned(session: &Session, index: i32) -> Result<Self, ort::Error> {
        let place = |kind| MemoryInfo::new(AllocationDevice::CUDA_PINNED, index, AllocatorType::Device, kind);
        let inputs = Allocator::new(session, place(MemoryType::CPUInput)?)?;
        let memory = Self { inputs, outputs: place(MemoryType::CPUOutput)?, pinned_for: Some(index) };
        // The allocator may be there and have nothing to give: how much may be pinned is bounded.
        memory.tensor(TensorElementType::Uint8, &[1]).map(|_| memory)
    }

    /// Memory as any other, out of the session's arena on the processor.
    pub(crate) fn ordinary(session: &Session) -> Result<Self, ort::Error> {
        let inputs = Allocator::new(session, MemoryInfo::default())?;
        Ok(Self { inputs, outputs: MemoryInfo::default(), pinned_for: None })
    }

    pub(crate) fn is_pinned(&self) -> bool {
        self.pinned_for.is_some()
    }

    /// A tensor of zeros for an input.
    pub(crate) fn tensor(
        &self,
        element: TensorElementType,
        shape: &[usize],
    ) -> Result<DynTensor, ort::Error> {
        DynTensor::new(&self.inputs, element, shape)
    }

    /// Where outputs are to land.
    pub(crate) fn outputs(&self) -> &MemoryInfo<'static> {
        &self.outputs
    }

    /// What the session's arena of such memory has taken, bytes; none where it does not count.
    pub(crate) fn arena_bytes(&self, session: &Session) -> Option<u64> {
        let (device, index) = self
            .pinned_for
            .map_or((AllocationDevice::CPU, 0), |index| (AllocationDevice::CUDA_PINNED, index));
        millrace_arena::arena_bytes(session, device, index)
    }
}

#[cfg(test)]
impl HostMemory {
    /// Passes for pinned, where there is no GPU to pin for.
    pub(crate) fn feigning_pinned(self) -> Self {
        Self { pinned_for: Some(0), ..self }
    }
}
