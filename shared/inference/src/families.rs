//! The families of models that are understood: how pixels go in and what the numbers mean. A new family is a file in
//! `families/` and a line in `FAMILIES`.

mod nms;
mod ultralytics_detect;

use millrace_vision::{Frame, Placement};

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
const FAMILIES: &[Entry] = &[ultralytics_detect::ENTRY];

/// The family of a model, by what it says of itself.
///
/// # Errors
/// [`InferenceError::Unsupported`] when no family knows it, or its family cannot do it in this form.
pub(crate) fn family_of(facts: &Facts) -> Result<Box<dyn Family>, InferenceError> {
    if let Some(entry) = FAMILIES.iter().find(|entry| (entry.recognises)(facts)) {
        return (entry.make)(facts);
    }
    let known: Vec<&str> = FAMILIES.iter().map(|entry| entry.name).collect();
    let is = match facts.text("task") {
        Some(task) if facts.text("stride").is_some() => {
            format!("it is an Ultralytics export for the task {task:?}")
        }
        _ => "its ONNX metadata names no family".to_owned(),
    };
    Err(facts.unsupported(format!("{is}; known families: {}", known.join(", "))))
}
