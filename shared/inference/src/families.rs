//! The families of models that are understood: how pixels go in and what the numbers mean. A new family is a file in
//! `families/` and a line in `FAMILIES`.

mod classifier;
mod detector;
mod dimension;
mod embed;
mod maskformer;
mod nms;
mod raw;
mod segformer;
mod segment;
mod towers;
mod transformers;
mod transformers_classify;
mod transformers_detect;
mod ultralytics_classify;
mod ultralytics_detect;
mod ultralytics_rtdetr;
mod ultralytics_segment;
mod vision_encoder;

pub use classifier::{Classifier, Scoring};
pub use detector::{DetectParams, Detector, Found};
pub use embed::{Embedder, Modality, Pooling, normalised};
pub use raw::{Given, MOST_ELEMENTS, RawModel};
pub use segment::{Segment, SegmentMode, SegmentParams, Segmenter};

use millrace_vision::Placement;

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

    /// The family as a classifier, if it is one.
    fn classifier(&self) -> Option<&dyn Classifier> {
        None
    }
}

/// A picture, prepared.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// One tensor of one row per input of the graph.
    pub inputs: Vec<Tensor>,
    /// Where the picture landed in it.
    pub placement: Placement,
}

/// How a family is recognised and made.
struct Entry {
    name: &'static str,
    recognises: fn(&Facts) -> bool,
    make: fn(&Facts) -> Result<Box<dyn Family>, InferenceError>,
}

/// Every family, in the order of asking.
const FAMILIES: &[Entry] = &[
    ultralytics_rtdetr::ENTRY,
    ultralytics_detect::ENTRY,
    ultralytics_segment::ENTRY,
    ultralytics_classify::ENTRY,
    transformers_detect::ENTRY,
    transformers_classify::ENTRY,
    towers::CLIP,
    towers::SIGLIP,
    maskformer::ENTRY,
    segformer::ENTRY,
    vision_encoder::ENTRY,
    raw::ENTRY,
];

/// The family of a model, by what it says of itself; plain tensors where that is none.
///
/// # Errors
/// [`InferenceError::Unsupported`] when its family cannot do it in this form, or it is of none and takes or gives something
/// else than tensors.
pub(crate) fn family_of(facts: &Facts) -> Result<Box<dyn Family>, InferenceError> {
    if let Some(name) = &facts.overrides.family {
        let entry = FAMILIES.iter().find(|entry| entry.name == name);
        let unknown = || {
            facts.unsupported(format!("its millrace.toml names the family {name:?}; there are {}", names()))
        };
        return (entry.ok_or_else(unknown)?.make)(facts);
    }
    if let Some(entry) = FAMILIES.iter().find(|entry| (entry.recognises)(facts)) {
        return (entry.make)(facts);
    }
    Err(facts.unsupported(format!(
        "{}, without all that its family reads; known families: {}; with family = \"raw\" in its millrace.toml it runs as \
         numbers in, numbers out",
        named_by(facts),
        names()
    )))
}

/// What a model says that it is, of one that no family recognises.
fn named_by(facts: &Facts) -> String {
    match facts.text("task") {
        Some(task) if facts.text("stride").is_some() => {
            format!("it is an Ultralytics export for the task {task:?}")
        }
        Some(task) => format!("its ONNX metadata names the task {task:?}"),
        None if !facts.model_type().is_empty() => format!(
            "its config.json says {} ({})",
            facts.model_type(),
            facts.architectures().collect::<Vec<_>>().join(", ")
        ),
        None => "neither its ONNX metadata nor its config.json names a family".to_owned(),
    }
}

/// The names of all families, in the order of asking.
#[must_use]
pub fn family_names() -> Vec<&'static str> {
    FAMILIES.iter().map(|entry| entry.name).collect()
}

fn names() -> String {
    family_names().join(", ")
}
