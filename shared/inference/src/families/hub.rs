//! What the families of Hugging Face folders read beside the graph: `config.json`, labels, and the image processor.

use millrace_vision::Frame;
use serde_json::{Map, Value};

use super::Prepared;
use super::transformers::processor;
use crate::{Facts, ImageProcessor, InferenceError};

/// `config.json`; empty where there is none.
pub(super) fn config(facts: &Facts) -> Value {
    Value::Object(facts.config.clone())
}

/// The names of `count` classes, or of those that are named. What has no name is called `LABEL_n`, as `transformers` does.
pub(super) fn labels(config: &Value, count: Option<usize>) -> Vec<String> {
    let named = config["id2label"].as_object();
    let count = count.or(named.map(Map::len)).unwrap_or(0);
    let name = |index: usize| named?.get(&index.to_string())?.as_str().map(str::to_owned);
    (0..count).map(|index| name(index).unwrap_or_else(|| format!("LABEL_{index}"))).collect()
}

/// The way from a frame to `pixel_values`, and to `pixel_mask` where the graph takes one.
pub(super) struct Pixels {
    processor: ImageProcessor,
    masked: bool,
}

impl Pixels {
    pub(super) fn open(facts: &Facts) -> Result<Self, InferenceError> {
        let pixels = facts.inputs.iter().find(|port| port.name == "pixel_values");
        let planes = pixels.and_then(|port| port.shape.get(1).copied().flatten()).unwrap_or(3);
        let processor = processor(facts, planes)?;
        Ok(Self { processor, masked: facts.inputs.iter().any(|port| port.name == "pixel_mask") })
    }

    pub(super) fn prepare(&self, frame: &Frame) -> Result<Prepared, InferenceError> {
        let pixels = self.processor.prepare(frame)?;
        let mut inputs = vec![pixels.values];
        inputs.extend(self.masked.then_some(pixels.mask));
        Ok(Prepared { inputs, placement: pixels.placement })
    }
}
