//! What models run on, as people write it: `auto`, `cpu`, `cuda`, `cuda:1`, `tensorrt:0`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What models run on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Device {
    /// The best there is.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// An NVIDIA GPU, by its number.
    Cuda(u32),
    /// The same by TensorRT, and by CUDA what TensorRT does not know.
    TensorRt(u32),
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
            Self::TensorRt(index) => write!(f, "tensorrt:{index}"),
        }
    }
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, number) = match text.split_once(':') {
            Some((kind, number)) => (kind, number.parse::<u32>().ok()),
            None => (text, Some(0)),
        };
        match (kind, number, text) {
            ("cuda", Some(index), _) => Ok(Self::Cuda(index)),
            ("tensorrt", Some(index), _) => Ok(Self::TensorRt(index)),
            (_, _, "auto") => Ok(Self::Auto),
            (_, _, "cpu") => Ok(Self::Cpu),
            _ => Err(format!("{text:?} is no device; write auto, cpu, cuda, cuda:N, tensorrt or tensorrt:N")),
        }
    }
}

impl Serialize for Device {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Device {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_read_as_they_are_written() {
        for device in [Device::Auto, Device::Cpu, Device::Cuda(3), Device::TensorRt(0)] {
            assert_eq!(device.to_string().parse(), Ok(device));
        }
        assert_eq!("cuda".parse(), Ok(Device::Cuda(0)));
        for odd in ["", "gpu", "cpu:0", "auto:1", "cuda:", "cuda:-1", "CUDA"] {
            assert!(odd.parse::<Device>().unwrap_err().contains("cuda:N"), "{odd}");
        }
    }
}
