//! The families of models that are understood: how pixels go in and what the numbers mean. A new family is a file in
//! `families/` and a line in `FAMILIES`.

mod embed;
mod hub;
mod maskformer;
mod nms;
mod raw;
mod segformer;
mod segment;
mod towers;
mod ultralytics_detect;
mod ultralytics_segment;
mod vision_encoder;

pub use embed::{Embedder, Modality, Pooling, normalised};
pub use raw::{Given, MOST_ELEMENTS, RawModel};
pub use segment::{Segment, SegmentMode, SegmentParams, Segmenter};

use millrace_vision::{Frame, Placement};

use crate::overrides::Overrides;
use crate::{Facts, InferenceError, Tensor};

/// A kind of model, made for one model by its facts.
pub trait Family: Send + Sync {
    /// Its name, such as `ultralytics-detect`.
    fn name(&self) -> &'static str;

    /// What its models are made for, such as `detection`.
    fn task(&self) -> &'static str;

    /// The names of the classes by index; empty for families without classes.
    fn labels(&self) -> &[String];

    /// The family as a detector, if it is one.
    fn detector(&self) -> Option<&dyn Detector> {
        None
    }

    /// The family as one that gives vectors, if it is one.
    fn embedder(&self) -> Option<&dyn Embedder> {
        None
    }

    /// The family as one of plain tensors, if it is one.
    fn raw(&self) -> Option<&RawModel> {
        None
    }

    /// The family as one that finds regions, if it is one.
    fn segmenter(&self) -> Option<&dyn Segmenter> {
        None
    }
}

/// A family whose models find boxes.
pub trait Detector: Send + Sync {
    /// The picture as the graph wants it. Runs on a CPU thread.
    ///
    /// # Errors
    /// The pixels cannot be prepared.
    fn prepare(&self, frame: &Frame) -> Result<Prepared, InferenceError>;

    /// What the outputs of one row mean, most confident first, in pixels of the picture. Runs on a CPU thread.
    ///
    /// # Errors
    /// The outputs are not those of this family.
    fn read(
        &self,
        outputs: &[Tensor],
        placement: &Placement,
        params: &DetectParams,
    ) -> Result<Vec<Found>, InferenceError>;
}

/// A picture, prepared.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// One tensor of one row per input of the graph.
    pub inputs: Vec<Tensor>,
    /// Where the picture landed in it.
    pub placement: Placement,
}

/// What counts as found.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectParams {
    /// Only scores above this, 0 to 1.
    pub confidence: f32,
    /// Of two boxes that overlap by more than this (intersection over union) the weaker goes, 0 to 1.
    pub iou: f32,
    /// No more than this many.
    pub max_detections: usize,
    /// Only these classes, by index; all when none.
    pub classes: Option<Vec<usize>>,
    /// Whether boxes of different classes suppress each other too.
    pub agnostic: bool,
}

impl Default for DetectParams {
    /// Ultralytics' own defaults for prediction.
    fn default() -> Self {
        Self { confidence: 0.25, iou: 0.7, max_detections: 300, classes: None, agnostic: false }
    }
}

/// One box.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Index of its class.
    pub class_id: usize,
    /// Name of its class.
    pub class_name: String,
    /// 0 to 1.
    pub confidence: f32,
    /// `[x1, y1, x2, y2]`, pixels of the picture, clipped to it.
    pub bbox: [f32; 4],
}

/// How a family is recognised and made.
struct Entry {
    name: &'static str,
    recognises: fn(&Facts) -> bool,
    make: fn(&Facts) -> Result<Box<dyn Family>, InferenceError>,
}

/// Every family, in the order of asking.
const FAMILIES: &[Entry] = &[
    ultralytics_detect::ENTRY,
    ultralytics_segment::ENTRY,
    towers::CLIP,
    towers::SIGLIP,
    maskformer::ENTRY,
    segformer::ENTRY,
    vision_encoder::ENTRY,
    raw::ENTRY,
];

/// The family of a model, by what it says of itself.
///
/// # Errors
/// [`InferenceError::Unsupported`] when no family knows it, or its family cannot do it in this form.
pub(crate) fn family_of(facts: &Facts) -> Result<Box<dyn Family>, InferenceError> {
    if let Some(name) = Overrides::read(&facts.id, &facts.folder)?.family {
        let entry = FAMILIES.iter().find(|entry| entry.name == name);
        let unknown = || {
            facts.unsupported(format!("its millrace.toml names the family {name:?}; there are {}", names()))
        };
        return (entry.ok_or_else(unknown)?.make)(facts);
    }
    if let Some(entry) = FAMILIES.iter().find(|entry| (entry.recognises)(facts)) {
        return (entry.make)(facts);
    }
    let is = match facts.text("task") {
        Some(task) if facts.text("stride").is_some() => {
            format!("it is an Ultralytics export for the task {task:?}")
        }
        _ => "neither its ONNX metadata nor its config.json names a family".to_owned(),
    };
    Err(facts.unsupported(format!(
        "{is}; known families: {}; with family = \"raw\" in its millrace.toml it runs as numbers in, numbers out",
        names()
    )))
}

/// The families' names, for messages.
fn names() -> String {
    FAMILIES.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", ")
}

/// Whether the model's `config.json` names an architecture that ends so.
fn is_made_for(facts: &Facts, ending: &str) -> bool {
    let config = hub::config(facts).unwrap_or_default();
    let names =
        config["architectures"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str);
    names.into_iter().any(|name| name.ends_with(ending))
}
