//! How a picture becomes a tensor of a graph that does not say so itself: what an owner writes into a model's `millrace.toml`, or
//! registers with it.

use serde::{Deserialize, Serialize};

/// How a picture becomes a tensor, of a model that is run as plain tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ImageInput {
    /// The graph's input that takes it; its only one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// `[width, height]` the picture is stretched to, pixels.
    pub size: [u32; 2],
    /// Samples are multiplied by this first; 0 to 255 become 0 to 1 when absent.
    #[serde(default = "unit")]
    pub scale: f64,
    /// Taken off after that, red, green, blue; nothing when absent.
    #[serde(default)]
    pub mean: [f64; 3],
    /// Divided by after that, red, green, blue; 1 when absent.
    #[serde(default = "ones")]
    pub std: [f64; 3],
    /// Planes or interleaved; planes when absent.
    #[serde(default)]
    pub layout: Layout,
    /// The order of the colours; red first when absent.
    #[serde(default)]
    pub channels: Channels,
}

/// Where the colours of a picture lie in its tensor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// A plane for each: `[1, 3, height, width]`.
    #[default]
    Nchw,
    /// Beside each other: `[1, height, width, 3]`.
    Nhwc,
}

/// The order of the colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Channels {
    /// Red first.
    #[default]
    Rgb,
    /// Blue first.
    Bgr,
}

fn unit() -> f64 {
    1.0 / 255.0
}

fn ones() -> [f64; 3] {
    [1.0; 3]
}

impl ImageInput {
    /// Sides of pictures that a graph may be given, pixels.
    pub const MOST_SIDE: u32 = 16_384;

    /// What no picture can be made with, if it is asked for.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        if self.size.iter().any(|side| !(1..=Self::MOST_SIDE).contains(side)) {
            return Some(format!("the sides of `size` are 1 to {} pixels", Self::MOST_SIDE));
        }
        // As they are used.
        let single = |number: &f64| *number as f32;
        let numbers = self.mean.iter().chain(&self.std).chain([&self.scale]);
        if numbers.map(single).any(|number| !number.is_finite()) {
            return Some("a number of `scale`, `mean` or `std` is not finite".to_owned());
        }
        self.std
            .iter()
            .map(single)
            .any(|number| number == 0.0)
            .then(|| "a number of `std` is zero".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: Value) -> Result<ImageInput, String> {
        let read: ImageInput = serde_json::from_value(value).map_err(|error| error.to_string())?;
        read.fault().map_or(Ok(read), Err)
    }

    #[test]
    fn only_the_size_has_to_be_said_and_what_cannot_be_is_told() {
        let usual = read(json!({"size": [640, 480]})).unwrap();
        assert_eq!((usual.mean, usual.std, usual.layout), ([0.0; 3], [1.0; 3], Layout::Nchw));
        assert_eq!(read(json!(usual)), Ok(usual));
        for (odd, says) in [
            (json!({}), "size"),
            (json!({"size": [0, 4]}), "1 to 16384"),
            (json!({"size": [4, 4], "std": [1, 0, 1]}), "zero"),
            (json!({"size": [4, 4], "std": [1, 1e-60, 1]}), "zero"),
            (json!({"size": [4, 4], "mean": [1e60, 0, 1]}), "not finite"),
            (json!({"size": [4, 4], "layout": "chw"}), "nchw"),
            (json!({"size": [4, 4], "pad": true}), "pad"),
        ] {
            let error = read(odd).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
