//! Devices: the one that is asked for or a clear refusal, and the best there is otherwise.

use millrace_contracts::ErrorKind;
use millrace_inference::{Chosen, Device, InferenceError, library_from_environment};

use crate::ORT_VERSION;

#[test]
fn the_best_device_is_taken_and_a_missing_one_refused() {
    let library = library_from_environment(ORT_VERSION).unwrap();
    assert_eq!(Chosen::of(&library, Some(Device::Cpu)).unwrap(), Chosen::default());
    let best = Chosen::of(&library, None).unwrap();
    assert_eq!(
        best.pinned.is_some(),
        best.device != Device::Cpu,
        "only a GPU has use for pinned memory: {best}"
    );
    let named = Chosen::of(&library, Some(Device::Cuda(0)));
    if best.device == Device::Cpu {
        assert!(best.why_not_better[0].starts_with("no CUDA: "), "{:?}", best.why_not_better);
        let error = named.unwrap_err();
        assert!(
            matches!(error, InferenceError::DeviceUnavailable { device: Device::Cuda(0), .. }),
            "{error}"
        );
        assert_eq!(error.kind(), ErrorKind::ModelLoadError);
        assert!(error.to_string().contains("worker.device"), "{error}");
    } else {
        assert_eq!(named.unwrap().device, best.device);
    }
    // No machine has so many.
    assert!(Chosen::of(&library, Some(Device::Cuda(4_000))).is_err());
}
