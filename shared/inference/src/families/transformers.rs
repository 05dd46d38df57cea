//! What the families of Hugging Face folders have in common: labels, the image processor, and the graph's inputs.

use millrace_vision::Frame;
use serde_json::Value;

use super::Prepared;
use crate::preprocess::{image_processor_of, timm_data};
use crate::{ElementType, Facts, ImageProcessor, InferenceError, MOST_SIDE, Tensor};

/// Classes that a label may be one of, at most.
const MOST_LABELS: usize = 1_000_000;

/// Whether one of its architectures is for `task`, such as `ForObjectDetection`. What follows the task
/// (`ForImageClassificationWithTeacher`) changes how the model was taught, not what it gives.
pub(super) fn is_for(facts: &Facts, task: &str) -> bool {
    facts.architectures().any(|architecture| architecture.contains(task))
}

/// The names of `count` classes by index: the owner's, else `id2label`, else timm's `label_names`. What has no name is called
/// `LABEL_n`, as `transformers` does.
pub(super) fn labels(facts: &Facts, count: usize) -> Result<Vec<String>, InferenceError> {
    if let Some(labels) = &facts.overrides.labels {
        if labels.len() == count {
            return Ok(labels.clone());
        }
        let detail = format!("millrace.toml names {} labels, the graph has {count} classes", labels.len());
        return Err(facts.unsupported(detail));
    }
    if count > MOST_LABELS {
        return Err(facts.unsupported(format!("it has {count} classes, {MOST_LABELS} are allowed")));
    }
    let mut labels: Vec<String> = (0..count).map(|index| format!("LABEL_{index}")).collect();
    let named = facts.config.get("id2label").and_then(Value::as_object);
    for (key, name) in named.into_iter().flatten() {
        let place = key.parse::<usize>().ok().and_then(|index| labels.get_mut(index));
        if let (Some(place), Some(name)) = (place, name.as_str()) {
            name.clone_into(place);
        }
    }
    let listed = listed_by_timm(facts).filter(|_| named.is_none());
    for (place, name) in labels.iter_mut().zip(listed.into_iter().flatten()) {
        if let Some(name) = name.as_str() {
            name.clone_into(place);
        }
    }
    Ok(labels)
}

/// The names that a configuration of timm lists.
fn listed_by_timm(facts: &Facts) -> Option<&Vec<Value>> {
    of_timm(facts, "label_names").find_map(Value::as_array)
}

/// What a configuration of timm says, beside the rest or in a table of its own.
fn of_timm<'a>(facts: &'a Facts, key: &'a str) -> impl Iterator<Item = &'a Value> {
    [facts.config.get(key), timm_data(&facts.config).and_then(|data| data.get(key))].into_iter().flatten()
}

/// How many classes the model says it has: its labels, else `num_labels`, else what timm counts or lists, else the two that
/// `transformers` assumes.
pub(super) fn class_count(facts: &Facts) -> usize {
    let last = |labels: &serde_json::Map<String, Value>| {
        labels.keys().filter_map(|key| key.parse::<usize>().ok()).filter(|&key| key < MOST_LABELS).max()
    };
    let named = facts.config.get("id2label").and_then(Value::as_object).and_then(last).map(|last| last + 1);
    let told = facts.config.get("num_labels").and_then(Value::as_u64).map(|count| count as usize);
    let owner = facts.overrides.labels.as_ref().map(Vec::len);
    let counted = || of_timm(facts, "num_classes").find_map(Value::as_u64).map(|count| count as usize);
    let listed = || listed_by_timm(facts).map(Vec::len);
    owner.or(named).or(told).or_else(counted).or_else(listed).unwrap_or(2)
}

/// What goes into an input of the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Feed {
    Pixels,
    Mask,
}

impl Feed {
    fn of(facts: &Facts, input: &str) -> Option<Self> {
        match input {
            _ if facts.pixels().is_some_and(|port| port.name == input) => Some(Self::Pixels),
            "pixel_mask" => Some(Self::Mask),
            _ => None,
        }
    }
}

/// The way from a frame to the graph's inputs.
pub(super) struct Intake {
    processor: ImageProcessor,
    feeds: Vec<Feed>,
    /// Height and width of the mask, each as the graph has it; none for the picture's own.
    mask_sides: [Option<usize>; 2],
}

impl Intake {
    /// Matches the image processor with a graph that takes pictures and nothing else.
    pub(super) fn new(facts: &Facts) -> Result<Self, InferenceError> {
        if let Some(other) = facts.inputs.iter().find(|port| Feed::of(facts, &port.name).is_none()) {
            let detail = format!("its graph has an input {:?}, which is not known", other.name);
            return Err(facts.unsupported(detail));
        }
        Self::beside_texts(facts)
    }

    /// As [`Intake::new`], for a graph that takes texts too: those are somebody else's matter.
    pub(super) fn beside_texts(facts: &Facts) -> Result<Self, InferenceError> {
        let feeds = facts.inputs.iter().filter_map(|port| Feed::of(facts, &port.name)).collect();
        let shape = match facts.pixels().map(|port| port.shape.as_slice()) {
            Some(&[_, planes, height, width]) => (planes, height, width),
            _ => return Err(facts.unsupported("its graph has no input pixel_values of four axes")),
        };
        let told = facts.config.get("num_channels").and_then(Value::as_u64).map(|planes| planes as usize);
        let planes = shape.0.or(told).unwrap_or(3);
        let processor = processor(facts, planes)?;
        if let (Some((width, height)), (_, Some(own_height), Some(own_width))) =
            (processor.fixed_size(), shape)
            && (width as usize, height as usize) != (own_width, own_height)
        {
            return Err(facts.unsupported(format!(
                "its image processor makes pictures of {width} x {height}, its graph takes {own_width} x {own_height}"
            )));
        }
        Ok(Self { processor, feeds, mask_sides: mask_sides(facts)? })
    }

    /// Width and height that a picture of `source` pixels is scaled to.
    pub(super) fn scaled_size(&self, source: (u32, u32)) -> (u32, u32) {
        self.processor.scaled_size(source)
    }

    /// The picture's `pixel_values` alone.
    pub(super) fn values(&self, frame: &Frame) -> Result<Tensor, InferenceError> {
        Ok(self.processor.prepare(frame)?.values)
    }

    /// The picture as the graph takes it.
    pub(super) fn prepare(&self, frame: &Frame) -> Result<Prepared, InferenceError> {
        let pixels = self.processor.prepare(frame)?;
        let mut mask = self.feeds.contains(&Feed::Mask).then(|| pixels.mask_of(self.mask_sides));
        let mut values = Some(pixels.values);
        let inputs = self.feeds.iter().filter_map(|feed| match feed {
            Feed::Pixels => values.take(),
            Feed::Mask => mask.take(),
        });
        Ok(Prepared { inputs: inputs.collect(), placement: pixels.placement })
    }
}

/// Sides of a `pixel_mask` that the graph insists on. Exports of DETR take one of 64 x 64 whatever the picture's size: their
/// exporter left those axes as they were in its example. The model stretches the mask to its features in any case.
fn mask_sides(facts: &Facts) -> Result<[Option<usize>; 2], InferenceError> {
    let Some(port) = facts.input("pixel_mask") else { return Ok([None; 2]) };
    let &[_, height, width] = port.shape.as_slice() else {
        return Err(facts.unsupported("its graph has an input pixel_mask that has not three axes"));
    };
    if port.element != ElementType::I64 {
        let detail = format!("its graph takes a pixel_mask of {}, not of int64", port.element.as_str());
        return Err(facts.unsupported(detail));
    }
    let sides = [height, width];
    if sides.iter().flatten().any(|side| !(1..=MOST_SIDE as usize).contains(side)) {
        return Err(facts.unsupported(format!("the sides of its pixel_mask are not 1 to {MOST_SIDE}")));
    }
    Ok(sides)
}

/// What its `preprocessor_config.json`, or the processor's own file, asks for.
fn processor(facts: &Facts, planes: usize) -> Result<ImageProcessor, InferenceError> {
    let Some(fields) = &facts.preprocessor else {
        return Err(InferenceError::FileMissing {
            id: facts.id.clone(),
            file: "preprocessor_config.json".to_owned(),
            need:
                "it says how the model wants its pixels, or else processor_config.json does; copy it from where the model \
                   comes from, or write a [preprocess] table into its millrace.toml"
                    .to_owned(),
        });
    };
    let is_named =
        ["image_processor_type", "feature_extractor_type"].iter().any(|key| fields.contains_key(*key));
    let mut fields = std::borrow::Cow::Borrowed(fields);
    if let Some(class) = image_processor_of(facts.model_type()).filter(|_| !is_named) {
        fields.to_mut().insert("image_processor_type".to_owned(), class.into());
    }
    ImageProcessor::read(&fields, planes)
        .map_err(|fault| facts.unsupported(format!("its image processor: {fault}")))
}

/// Whether any of them is not a number, or more than any: half precision that overflows. As little as can be is what masked
/// classes have.
pub(super) fn has_no_numbers(values: &[f32]) -> bool {
    values.iter().any(|value| value.is_nan() || *value == f32::INFINITY)
}

/// One row's numbers in `outputs[at]`, of so many axes after the first, all of them numbers.
pub(super) fn row<'a, const AXES: usize>(
    facts: &RowFacts,
    outputs: &'a [Tensor],
    at: usize,
) -> Result<([usize; AXES], &'a [f32]), InferenceError> {
    let fault = |detail: String| InferenceError::Output { id: facts.id.clone(), detail };
    let tensor = outputs.get(at).ok_or_else(|| fault(format!("output {at} is missing")))?;
    let shape = tensor.shape().split_first().filter(|(rows, _)| **rows == 1);
    let axes = shape.and_then(|(_, axes)| <[usize; AXES]>::try_from(axes).ok());
    let axes = axes.filter(|_| tensor.data().len() == tensor.shape().iter().product::<usize>());
    let axes = axes.ok_or_else(|| fault(format!("output {at} has the shape {:?}", tensor.shape())))?;
    if has_no_numbers(tensor.data()) {
        return Err(fault(format!("output {at} has values that are not numbers (NaN or infinity)")));
    }
    Ok((axes, tensor.data()))
}

/// What an error about a row names.
pub(super) struct RowFacts {
    pub(super) id: millrace_contracts::ModelId,
}
