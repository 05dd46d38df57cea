//! Ultralytics detection exports with the YOLOv8 head (v8, 9, 11, 12 …): letterboxed RGB in, one column
//! `cx, cy, w, h, score per class` per anchor out. What the model does not say in its metadata is not assumed.

use millrace_vision::{Filter, Frame, Letterbox, Normalise, Placement, letterbox, nchw_from};
use serde_json::Value;

use super::nms::{Candidate, suppress};
use super::{DetectParams, Detector, Entry, Family, Found, Prepared};
use crate::graph::ElementType;
use crate::{Facts, InferenceError, Tensor};

pub(super) const ENTRY: Entry = Entry {
    name: "ultralytics-detect",
    recognises: |facts| {
        facts.text("task") == Some("detect")
            && ["names", "stride"].iter().all(|key| facts.text(key).is_some())
    },
    make: |facts| UltralyticsDetect::new(facts).map(|family| Box::new(family) as Box<dyn Family>),
};

struct UltralyticsDetect {
    id: millrace_contracts::ModelId,
    labels: Vec<String>,
    shape: Letterbox,
}

impl UltralyticsDetect {
    fn new(facts: &Facts) -> Result<Self, InferenceError> {
        refuse_other_forms(facts)?;
        let labels = labels_of(facts)?;
        Ok(Self { id: facts.id.clone(), labels, shape: input_shape(facts)? })
    }

    fn odd_output(&self, shape: &[usize]) -> InferenceError {
        InferenceError::Output {
            id: self.id.clone(),
            detail: format!("{shape:?} instead of [1, {}, anchors]", 4 + self.labels.len()),
        }
    }
}

/// Exports that end in another form than raw anchors, or take something else than single-precision RGB.
fn refuse_other_forms(facts: &Facts) -> Result<(), InferenceError> {
    refuse_other_heads(facts)?;
    let ([input], [output]) = (facts.inputs.as_slice(), facts.outputs.as_slice()) else {
        return Err(facts.unsupported("a detection export has one input and one output"));
    };
    if input.element != ElementType::F32 || output.element != ElementType::F32 {
        return Err(
            facts.unsupported("it is not in single precision; export it with half=False and int8=False")
        );
    }
    Ok(())
}

/// Exports whose boxes are no raw anchors any more, or that do not look at RGB pictures.
pub(super) fn refuse_other_heads(facts: &Facts) -> Result<(), InferenceError> {
    let args = facts.literal("args")?;
    let suppresses = args.as_ref().and_then(|args| args.get("nms")).and_then(Value::as_bool) == Some(true);
    if suppresses || facts.flag("end2end") {
        return Err(facts.unsupported(
            "its boxes are suppressed inside the graph; export it with nms=False (end2end=False)",
        ));
    }
    let Some(input) = facts.inputs.first() else {
        return Err(facts.unsupported("its graph has no input"));
    };
    if input.shape.len() != 4 || input.shape[1].is_some_and(|channels| channels != 3) {
        return Err(facts.unsupported(format!("its input {:?} is not a batch of RGB pictures", input.shape)));
    }
    Ok(())
}

/// The names by index. Indices that are not named are called by their number.
pub(super) fn labels_of(facts: &Facts) -> Result<Vec<String>, InferenceError> {
    let fault = || InferenceError::Load {
        id: facts.id.clone(),
        detail: "its names are no dict or list of texts".to_owned(),
    };
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(fault);
    match facts.literal("names")? {
        Some(Value::Array(names)) => names.iter().map(text).collect(),
        Some(Value::Object(names)) => {
            let index =
                |key: &String| key.parse::<usize>().ok().filter(|&index| index < 100_000).ok_or_else(fault);
            let count = names
                .keys()
                .map(index)
                .collect::<Result<Vec<_>, _>>()?
                .into_iter()
                .max()
                .map_or(0, |last| last + 1);
            let mut labels: Vec<String> = (0..count).map(|index| index.to_string()).collect();
            for (key, name) in &names {
                labels[index(key)?] = text(name)?;
            }
            Ok(labels)
        }
        _ => Err(fault()),
    }
}

/// The letterbox: the graph's own height and width where they are fixed; else the size it was exported for, padded to
/// the stride only, as the reference does for single pictures.
pub(super) fn input_shape(facts: &Facts) -> Result<Letterbox, InferenceError> {
    if let [_, _, Some(height), Some(width)] = facts.inputs[0].shape[..] {
        return Ok(Letterbox::new(width as u32, height as u32));
    }
    let number = |value: &Value| {
        value.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|&n| n > 0 && n <= 16_384)
    };
    let size = facts.literal("imgsz")?;
    let sides = match &size {
        Some(Value::Array(sides)) => sides.iter().map(number).collect::<Option<Vec<u32>>>(),
        Some(side) => number(side).map(|side| vec![side, side]),
        None => None,
    };
    let stride = facts.literal("stride")?.as_ref().and_then(number).unwrap_or(32);
    match sides.as_deref() {
        Some(&[height, width]) => Ok(Letterbox::new(width, height).multiple_of(stride)),
        _ => {
            Err(facts.unsupported("its input size is free and its metadata has no imgsz of [height, width]"))
        }
    }
}

impl Family for UltralyticsDetect {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn task(&self) -> &'static str {
        "detection"
    }

    fn labels(&self) -> &[String] {
        &self.labels
    }

    fn detector(&self) -> Option<&dyn Detector> {
        Some(self)
    }
}

impl Detector for UltralyticsDetect {
    fn prepare(&self, frame: &Frame) -> Result<Prepared, InferenceError> {
        let (canvas, placement) = letterbox(frame, self.shape, Filter::OpenCvLinear)?;
        let shape = vec![1, 3, canvas.height() as usize, canvas.width() as usize];
        let tensor = Tensor::new(shape, nchw_from(&canvas, &Normalise::UNIT));
        let tensor = tensor.expect("a canvas has three planes of its own size");
        Ok(Prepared { inputs: vec![tensor], placement })
    }

    fn read(
        &self,
        outputs: &[Tensor],
        placement: &Placement,
        params: &DetectParams,
    ) -> Result<Vec<Found>, InferenceError> {
        let Some(output) = outputs.first() else { return Err(self.odd_output(&[])) };
        let &[1, channels, anchors] = output.shape() else { return Err(self.odd_output(output.shape())) };
        if channels != 4 + self.labels.len() {
            return Err(self.odd_output(output.shape()));
        }
        let candidates = candidates(output.data(), anchors, self.labels.len(), params);
        let found = |kept: Candidate| Found {
            class_id: kept.class,
            class_name: self.labels[kept.class].clone(),
            confidence: kept.score,
            bbox: placement.box_to_source(kept.bbox),
        };
        Ok(suppress(candidates, params).into_iter().map(found).collect())
    }
}

/// The anchors whose best class scores strictly above the threshold. Of equal classes the first is the best.
pub(super) fn candidates(
    data: &[f32],
    anchors: usize,
    classes: usize,
    params: &DetectParams,
) -> Vec<Candidate> {
    let (boxes, scores) = data.split_at(4 * anchors);
    // Plane by plane rather than anchor by anchor: memory is read in order.
    let mut best = vec![(f32::NEG_INFINITY, 0usize); anchors];
    for class in 0..classes {
        let plane = &scores[class * anchors..(class + 1) * anchors];
        for (best, &score) in best.iter_mut().zip(plane) {
            if score > best.0 {
                *best = (score, class);
            }
        }
    }
    let wanted = |class: usize| params.classes.as_ref().is_none_or(|classes| classes.contains(&class));
    let above = best
        .into_iter()
        .enumerate()
        .filter(|(_, (score, class))| *score > params.confidence && wanted(*class));
    above
        .map(|(anchor, (score, class))| {
            let [x, y, width, height] = std::array::from_fn(|part| boxes[part * anchors + anchor]);
            let (half_width, half_height) = (width / 2.0, height / 2.0);
            let bbox = [x - half_width, y - half_height, x + half_width, y + half_height];
            Candidate { bbox, score, class, anchor }
        })
        .collect()
}
