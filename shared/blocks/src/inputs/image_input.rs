//! `image_input`: a picture, or a list of pictures, that a run is given.

use millrace_contracts::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::block::{Block, Category, Example, Runner};
use crate::ports::{OutputPort, Outputs, Placed};
use crate::schema::{read_as, schema_of};

/// Configuration of `image_input`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Whether a run must give it. Where it is absent, the port reads null.
    #[serde(default = "yes")]
    pub required: bool,
    /// Pictures of more pixels than this are refused.
    #[serde(default = "fifty_megapixels")]
    #[schemars(range(min = 1, max = 1_000_000_000_u64))]
    pub max_pixels: u64,
    /// Only pictures of this format; any supported one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Whether it is a list of pictures, on the port `images`. When absent, it is one if the workflow reads the port
    /// `images` or feeds the input to a port that takes a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<bool>,
}

/// The picture formats that are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    Webp,
    /// BMP.
    Bmp,
    /// GIF, its first frame.
    Gif,
    /// TIFF, its first page.
    Tiff,
}

impl Format {
    /// The name on the wire, as in an image value's `format`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Bmp => "bmp",
            Self::Gif => "gif",
            Self::Tiff => "tiff",
        }
    }
}

fn yes() -> bool {
    true
}

fn fifty_megapixels() -> u64 {
    50_000_000
}

/// The block's description.
#[must_use]
pub fn block() -> Block {
    Block {
        name: "image_input",
        version: 1,
        category: Category::Input,
        title: "Image input",
        help: "A picture the run is given: blob id, base64, uploaded file or URL; or a list of these.",
        runner: Runner::Input,
        pure: true,
        config: schema_of::<Config>(),
        read: read_as::<Config>,
        expressions: &[],
        inputs: Vec::new(),
        further_inputs: None,
        outputs: Outputs::varying(vec![one(), many()], outputs),
        check: None,
        examples: vec![
            Example { title: "One picture", node: json!({"id": "photo", "type": "image_input"}) },
            Example {
                title: "A list of pictures",
                node: json!({"id": "photos", "type": "image_input", "config": {"list": true}}),
            },
        ],
    }
}

fn outputs(placed: &Placed<'_>) -> Vec<OutputPort> {
    let list = placed.config.get("list").and_then(serde_json::Value::as_bool).unwrap_or(false);
    vec![if list { many() } else { one() }]
}

fn one() -> OutputPort {
    OutputPort::new("image", Kind::Image, "The picture.")
}

fn many() -> OutputPort {
    OutputPort::new("images", Kind::list(Kind::Image), "The pictures, for a list input.")
}
