//! Whether a GPU can be used, looked at from the outside in: the provider's library, the driver, a run of a tiny graph.

use std::path::Path;

use millrace_onnx::{Element, Graph, Side};
use ort::session::Session;

use super::{Device, GpuSettings, HostMemory, Pinned};
use crate::Runtime;

const SHARED: &str = "libonnxruntime_providers_shared.so";
const CUDA: &str = "libonnxruntime_providers_cuda.so";
const TENSORRT: &str = "libonnxruntime_providers_tensorrt.so";
/// The driver's own library.
const DRIVER: &str = "libcuda.so.1";
/// One of CUDA's libraries: where it lies beside the runtime, so do the others.
const CUDA_RUNTIME: &str = "libcudart.so.13";
/// Where NVIDIA's driver describes the GPUs, one folder each.
const GPUS: &str = "/proc/driver/nvidia/gpus";

/// Whether `device` has pinned memory to give; the error says why it cannot be used at all.
pub(super) fn trial(runtime: &Runtime, library: &Path, device: Device) -> Result<Pinned, String> {
    missing(library, device).map_or(Ok(()), Err)?;
    preload(library);
    probe(runtime, device).map_err(|error| format!("a graph of one step does not run on it: {error}"))
}

/// What is there beside CUDA and not used.
pub(super) fn beyond_cuda(library: &Path) -> Vec<String> {
    let there = missing(library, Device::TensorRt(0)).is_none();
    let said =
        "TensorRT is there; it builds an engine for every model, so set worker.device to tensorrt to use it";
    there.then(|| said.to_owned()).into_iter().collect()
}

/// The first library that `device` needs and that is not there.
fn missing(library: &Path, device: Device) -> Option<String> {
    let needed: &[&str] = match device {
        Device::Cpu => &[],
        Device::Cuda(_) => &[SHARED, CUDA],
        Device::TensorRt(_) => &[SHARED, CUDA, TENSORRT],
    };
    let beside = |name: &&&str| !library.with_file_name(name).is_file();
    if let Some(name) = needed.iter().find(beside) {
        return Some(format!(
            "{name} is not beside {}: this is a build without it; scripts/setup.sh --gpu fetches one with it",
            library.display()
        ));
    }
    if device == Device::Cpu {
        return None;
    }
    let driver = ort::util::preload_dylib(DRIVER).err();
    driver.map(|error| format!("{DRIVER} of the NVIDIA driver cannot be loaded ({error})"))
}

/// Loads CUDA and cuDNN from beside the runtime where somebody put them there; the system's are found without.
fn preload(library: &Path) {
    let folder = library.parent().filter(|folder| folder.join(CUDA_RUNTIME).is_file());
    if let Some(folder) = folder
        && let Err(error) = ort::ep::cuda::preload_dylibs(Some(folder), Some(folder))
    {
        tracing::warn!(folder = %folder.display(), %error, "CUDA's libraries beside ONNX Runtime cannot all be loaded");
    }
}

/// Runs a graph of one step: what fails here would fail with every model. Then asks for pinned memory, as every model will.
fn probe(runtime: &Runtime, device: Device) -> Result<Pinned, ort::Error> {
    let sides = [Side::Fixed(1)];
    let mut graph = Graph::new("probe");
    graph.input("in", Element::F32, &sides).output("out", Element::F32, &sides);
    graph.node("Neg", &["in"], "out", &[]);
    let mut session = Session::builder(runtime.environment())?
        .with_execution_providers(device.providers(GpuSettings::default()))?
        .commit_from_memory(&graph.encode())?;
    let one = ort::value::Tensor::from_array(([1usize], vec![1.0f32]))?;
    session.run(ort::inputs![one])?;
    let (_, why_not_pinned) = HostMemory::of(&session, device)?;
    Ok(why_not_pinned.map_or(Pinned::Yes, Pinned::No))
}

/// The name of the GPU of this number. The driver's order is that of the bus, as CUDA's is only with
/// `CUDA_DEVICE_ORDER=PCI_BUS_ID`: with different GPUs in one machine the name may be a neighbour's.
pub(super) fn gpu_model(index: u32) -> Option<String> {
    let mut folders: Vec<_> = std::fs::read_dir(GPUS).ok()?.flatten().map(|entry| entry.path()).collect();
    folders.sort();
    let text = std::fs::read_to_string(folders.get(index as usize)?.join("information")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("Model:")).map(|name| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_missing_library_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("libonnxruntime.so.1");
        let said = |device| missing(&library, device).unwrap();
        assert_eq!(missing(&library, Device::Cpu), None);
        assert!(said(Device::Cuda(0)).contains(SHARED) && said(Device::Cuda(0)).contains("setup.sh --gpu"));
        for name in [SHARED, CUDA] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        assert!(said(Device::TensorRt(0)).contains(TENSORRT));
        // With everything beside it, what may still be missing is the driver.
        assert!(missing(&library, Device::Cuda(0)).is_none_or(|said| said.contains(DRIVER)));
        assert!(beyond_cuda(&library).is_empty());
    }
}
