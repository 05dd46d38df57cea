//! The providers that a session is opened with, and their options. Names, meanings and defaults of the options are those of
//! ONNX Runtime's page on the CUDA provider and of its `cuda_provider_options.h`. What is set here was never run on a GPU.

use ort::ep::{self, ArenaExtendStrategy, ExecutionProviderDispatch, cuda::ConvAlgorithmSearch};

use super::{Device, number};

/// What a session on a GPU may take, and how exactly it computes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GpuSettings {
    /// Most that a session's arena on the GPU may take, weights included, bytes; none for all there is. What cuDNN and
    /// cuBLAS allocate by themselves is not in it.
    pub max_bytes: Option<u64>,
    /// Whether products of matrices and convolutions in single precision may be computed in TF32: with 10 bits of mantissa
    /// instead of 23, and faster. By CUDA only; TensorRT does as it likes, unless `NVIDIA_TF32_OVERRIDE=0` is set.
    pub tf32: bool,
}

impl Device {
    /// The providers that a session is opened with, the preferred first. One that cannot be had is an error: nothing falls
    /// back to the CPU unnoticed.
    pub(crate) fn providers(self, gpu: GpuSettings) -> Vec<ExecutionProviderDispatch> {
        let cuda = |index| cuda(index, gpu).build().error_on_failure();
        let tensor_rt =
            |index| ep::TensorRT::default().with_device_id(number(index)).build().error_on_failure();
        match self {
            Self::Cpu => Vec::new(),
            Self::Cuda(index) => vec![cuda(index)],
            Self::TensorRt(index) => vec![tensor_rt(index), cuda(index)],
        }
    }
}

fn cuda(index: u32, gpu: GpuSettings) -> ep::CUDA {
    let cuda = ep::CUDA::default()
        .with_device_id(number(index))
        // By default an arena grows by powers of two, up to twice what is needed: the budget counts what was asked for.
        .with_arena_extend_strategy(ArenaExtendStrategy::SameAsRequested)
        // By default every algorithm is tried and timed for every new shape: batches change theirs all the time.
        .with_conv_algorithm_search(ConvAlgorithmSearch::Heuristic)
        // On by default: it rounds every factor to three digits, and the processor does not.
        .with_tf32(gpu.tf32);
    match gpu.max_bytes {
        // By default one model may take the whole card, and what comes after it finds none.
        Some(bytes) => cuda.with_memory_limit(usize::try_from(bytes).unwrap_or(usize::MAX)),
        None => cuda,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_what_the_runtime_calls_it() {
        let said = |gpu| format!("{:?}", cuda(3, gpu));
        let plain = said(GpuSettings::default());
        for option in ["device_id", "arena_extend_strategy", "kSameAsRequested", "HEURISTIC", "use_tf32"] {
            assert!(plain.contains(option), "{option}: {plain}");
        }
        assert!(!plain.contains("gpu_mem_limit"), "{plain}");
        let bounded = said(GpuSettings { max_bytes: Some(1 << 30), tf32: true });
        assert!(bounded.contains("gpu_mem_limit") && bounded.contains("1073741824"), "{bounded}");
        assert_ne!(said(GpuSettings { tf32: true, ..GpuSettings::default() }), plain);
        assert_eq!(Device::TensorRt(0).providers(GpuSettings::default()).len(), 2);
        assert!(Device::Cpu.providers(GpuSettings::default()).is_empty());
    }
}
