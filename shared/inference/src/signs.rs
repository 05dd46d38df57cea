//! What the runtime's words mean. It has one code for nearly everything, so that lack of memory and a device that is beyond
//! use are told apart from other faults by what CUDA, its libraries and TensorRT say.

/// Signs that memory was short, the device's or the machine's; in lower case.
const SHORTAGE: [&str; 12] = [
    // CUDA's and TensorRT's, also as "Cuda Runtime (out of memory)".
    "out of memory",
    "cuda_error_out_of_memory",
    "cudaerrormemoryallocation",
    // cuBLAS, cuDNN and cuFFT, which take memory of their own.
    "_alloc_failed",
    // cuDNN from version 9 on, and cuRAND.
    "allocation_failed",
    // TensorRT: "Error Code 2: OutOfMemory (Requested size was …)", and what it says around it.
    "outofmemory",
    "user allocator error allocating",
    "could not be allocated",
    // The runtime's own.
    "bad_alloc",
    "failed to allocate",
    // Of an arena that is as large as it may be: on a GPU it has a limit.
    "is smaller than requested bytes",
    "cannot allocate memory",
];

/// Signs that the process can use the device no more, in lower case: CUDA says of each of these errors that the process has
/// to be ended and started again. Until then every call gives the same error, whatever it is about.
const LOST: [&str; 14] = [
    "an illegal memory access was encountered",
    "cudaerrorillegaladdress",
    "cuda_error_illegal_address",
    "unspecified launch failure",
    "cuda_error_launch_failed",
    "the launch timed out and was terminated",
    "device-side assert triggered",
    "hardware stack error",
    "an illegal instruction was encountered",
    "misaligned address",
    "operation not supported on global/shared address space",
    "invalid program counter",
    "uncorrectable ecc error encountered",
    "context is destroyed",
];

/// Signs, in lower case, that a device that worked when the process began is not there any more. A single run may say so of
/// something that passes; a session that cannot be opened for it is another matter.
const GONE: [&str; 5] = [
    "no cuda-capable device is detected",
    "all cuda-capable devices are busy or unavailable",
    "cuda failure 101: invalid device ordinal",
    "cuda failure 999: unknown error",
    "gpu is lost",
];

/// Whether memory was short.
pub(crate) fn is_shortage(detail: &str) -> bool {
    has(detail, &SHORTAGE)
}

/// Whether a run found the device beyond use for this process.
pub(crate) fn is_device_lost(detail: &str) -> bool {
    has(detail, &LOST)
}

/// Whether opening a session did.
pub(crate) fn is_device_gone(detail: &str) -> bool {
    has(detail, &LOST) || has(detail, &GONE)
}

fn has(detail: &str, signs: &[&str]) -> bool {
    let lower = detail.to_ascii_lowercase();
    signs.iter().any(|sign| lower.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As ONNX Runtime wraps what CUDA's libraries say.
    fn cuda_call(failure: &str) -> String {
        format!(
            "Non-zero status code returned while running Conv node. Name:'/model.0/conv/Conv' Status Message: {failure} ; GPU=0 ; \
             hostname=w1 ; file=/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc ; line=123 ; expr=f(x);"
        )
    }

    #[test]
    fn lack_of_memory_is_told_by_whoever_ran_out_of_it() {
        let of_calls = [
            "CUDA failure 2: out of memory",
            "CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED",
            "CUDNN failure 2: CUDNN_STATUS_ALLOC_FAILED",
            "CUDNN failure 4003: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
            "CUFFT failure 2: CUFFT_ALLOC_FAILED",
            "CURAND failure 102: CURAND_STATUS_ALLOCATION_FAILED",
        ];
        let others = [
            "[virtualMemoryBuffer.cpp::resizePhysical::154] Error Code 2: OutOfMemory (Requested size was 16581132288 bytes.)",
            "[defaultAllocator.cpp::allocate::31] Error Code 1: Cuda Runtime (out of memory)",
            "Requested amount of GPU memory (15485030400 bytes) could not be allocated.",
            "[tunable_graph.cpp:create:117] autotuning: User allocator error allocating 15485030400-byte buffer",
            "BFCArena::AllocateRawInternal Available memory of 0 is smaller than requested bytes of 97517568",
            "BFCArena::AllocateRawInternal(size_t, bool) Failed to allocate memory for requested buffer of size 2830172160",
            "Exception during initialization: std::bad_alloc",
            "mmap failed: Cannot allocate memory",
        ];
        let all = of_calls.map(cuda_call).into_iter().chain(others.map(str::to_owned));
        for detail in all {
            assert!(is_shortage(&detail) && !is_device_gone(&detail), "{detail}");
        }
    }

    #[test]
    fn a_device_is_lost_when_cuda_says_so_for_good() {
        for failure in [
            "CUDA failure 700: an illegal memory access was encountered",
            "CUDA failure 77: an illegal memory access was encountered",
            "CUDA failure 719: unspecified launch failure",
            "CUDA failure 710: device-side assert triggered",
            "CUDA failure 214: uncorrectable ECC error encountered",
            "CUDA failure 716: misaligned address",
            "CUDA error cudaErrorIllegalAddress",
        ] {
            let detail = cuda_call(failure);
            assert!(is_device_lost(&detail) && is_device_gone(&detail) && !is_shortage(&detail), "{detail}");
        }
        let by_tensor_rt = "[cudaResources.cpp::~ScopedCudaStream::47] Error Code 1: Cuda Runtime (an illegal memory access was encountered)";
        assert!(is_device_lost(by_tensor_rt));
    }

    #[test]
    fn a_device_that_went_away_is_missed_by_who_opens_a_session() {
        for failure in [
            "CUDA failure 100: no CUDA-capable device is detected",
            "CUDA failure 46: all CUDA-capable devices are busy or unavailable",
            "CUDA failure 101: invalid device ordinal",
            "CUDA failure 999: unknown error",
        ] {
            let detail = cuda_call(failure);
            assert!(is_device_gone(&detail) && !is_device_lost(&detail), "{detail}");
        }
    }

    #[test]
    fn what_passes_or_is_the_models_own_is_neither() {
        for detail in [
            cuda_call("CUDNN failure 8: CUDNN_STATUS_EXECUTION_FAILED"),
            cuda_call("CUBLAS failure 13: CUBLAS_STATUS_EXECUTION_FAILED"),
            cuda_call("CUDA failure 98: invalid device function"),
            "Invalid rank for input: images Got: 3 Expected: 4".to_owned(),
            "indices element out of data bounds, idx=5 must be within the inclusive range [-1,0]".to_owned(),
            "an unknown error".to_owned(),
        ] {
            assert!(!is_shortage(&detail) && !is_device_gone(&detail), "{detail}");
        }
    }
}
