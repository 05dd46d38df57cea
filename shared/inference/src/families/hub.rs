//! What the families of Hugging Face folders read beside the graph: `config.json`, labels, and the image processor.

use millrace_vision::Frame;
use serde_json::{Map, Value};

use super::Prepared;
use crate::preprocess::ImageProcessor;
use crate::{Facts, InferenceError};

/// The largest settings file that is read, bytes: labels of tens of thousands of classes take two megabytes.
const MOST_BYTES: u64 = 16 << 20;

/// `config.json`; null where there is none.
pub(super) fn config(facts: &Facts) -> Result<Value, InferenceError> {
    Ok(object(facts, "config.json")?.map_or(Value::Null, Value::Object))
}

fn object(facts: &Facts, name: &str) -> Result<Option<Map<String, Value>>, InferenceError> {
    let fault = |detail: String| InferenceError::Load {
        id: facts.id.clone(),
        detail: format!("its {name}: {detail}"),
    };
    let places = [facts.folder.join(name), facts.folder.join("onnx").join(name)];
    let Some(path) = places.iter().find(|path| path.is_file()) else { return Ok(None) };
    let bytes = std::fs::metadata(path).map_err(|error| fault(error.to_string()))?.len();
    if bytes > MOST_BYTES {
        return Err(fault(format!("{bytes} bytes, {MOST_BYTES} are allowed")));
    }
    let text = std::fs::read(path).map_err(|error| fault(error.to_string()))?;
    serde_json::from_slice(&text).map(Some).map_err(|error| fault(error.to_string()))
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
        let fields = object(facts, "preprocessor_config.json")?.ok_or_else(|| InferenceError::Load {
            id: facts.id.clone(),
            detail: "it has no preprocessor_config.json, which says how it wants its pixels; copy it from where the model \
                     comes from"
                .to_owned(),
        })?;
        let processor = ImageProcessor::read(&fields, planes)
            .map_err(|fault| facts.unsupported(format!("preprocessor_config.json: {fault}")))?;
        Ok(Self { processor, masked: facts.inputs.iter().any(|port| port.name == "pixel_mask") })
    }

    pub(super) fn prepare(&self, frame: &Frame) -> Result<Prepared, InferenceError> {
        let pixels = self.processor.prepare(frame)?;
        let mut inputs = vec![pixels.values];
        inputs.extend(self.masked.then_some(pixels.mask));
        Ok(Prepared { inputs, placement: pixels.placement })
    }
}
