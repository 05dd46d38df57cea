//! Ultralytics detection exports (YOLOv8 to 12, YOLOv10 and other end-to-end ones, exports with suppression inside):
//! letterboxed RGB in; out come anchors `cx, cy, w, h, score per class`, as columns or rows, or rows of finished boxes
//! `x1, y1, x2, y2, score, class`. What the model does not say in its metadata is not assumed.

use millrace_vision::{Filter, Frame, Letterbox, Normalise, Placement, letterbox, nchw_from};
use serde_json::Value;

use super::nms::{Candidate, suppress};
use super::transformers::has_no_numbers;
use super::{DetectParams, Detector, Entry, Family, Found, Prepared};
use crate::graph::ElementType;
use crate::{Facts, InferenceError, MOST_SIDE, Tensor};

pub(super) const ENTRY: Entry = Entry {
    name: "ultralytics-detect",
    recognises: |facts| {
        facts.text("task") == Some("detect")
            && ["names", "stride"].iter().all(|key| facts.text(key).is_some())
    },
    make: |facts| UltralyticsDetect::new(facts).map(|family| Box::new(family) as Box<dyn Family>),
};

/// What a finished box begins with: corners, score, class.
pub(super) const FINISHED: usize = 6;

struct UltralyticsDetect {
    id: millrace_contracts::ModelId,
    labels: Vec<String>,
    shape: Letterbox,
    /// Whether it says that its boxes are finished.
    finished: bool,
}

impl UltralyticsDetect {
    fn new(facts: &Facts) -> Result<Self, InferenceError> {
        refuse_other_forms(facts)?;
        let labels = labels_of(facts)?;
        let finished = has_finished_boxes(facts)?;
        Ok(Self { id: facts.id.clone(), labels, shape: input_shape(facts)?, finished })
    }

    /// Rows whose boxes are shares of the picture are RT-DETR's. Its exports say so, unless the model was called something else.
    fn refuse_shares(&self, rows: &[f32], columns: usize) -> Result<(), InferenceError> {
        let mut boxes = rows.chunks_exact(columns).map(|row| &row[..4]);
        if rows.is_empty() || !boxes.all(|sides| sides.iter().all(|side| (0.0..=1.0).contains(side))) {
            return Ok(());
        }
        let detail = "its boxes are shares of the picture, as those of RT-DETR; write family = \"ultralytics-rtdetr\" into its \
                      millrace.toml";
        Err(InferenceError::Output { id: self.id.clone(), detail: detail.to_owned() })
    }

    fn odd_output(&self, shape: &[usize]) -> InferenceError {
        InferenceError::Output {
            id: self.id.clone(),
            detail: format!("{shape:?} instead of [1, {}, anchors] or [1, boxes, 6]", 4 + self.labels.len()),
        }
    }
}

/// Exports that take something else than RGB in single or half precision.
fn refuse_other_forms(facts: &Facts) -> Result<(), InferenceError> {
    let ([input], [output]) = (facts.inputs.as_slice(), facts.outputs.as_slice()) else {
        return Err(facts.unsupported("a detection export has one input and one output"));
    };
    let float = |element| matches!(element, ElementType::F32 | ElementType::F16);
    if !float(input.element) || !float(output.element) {
        return Err(facts.unsupported("it takes or gives whole numbers; export it with int8=False"));
    }
    refuse_other_pictures(facts)
}

/// Whether boxes come out of the graph finished: suppressed inside, or never found twice.
pub(super) fn has_finished_boxes(facts: &Facts) -> Result<bool, InferenceError> {
    let args = facts.literal("args")?;
    let suppressed = args.as_ref().and_then(|args| args.get("nms")).and_then(Value::as_bool) == Some(true);
    Ok(suppressed || facts.flag("end2end"))
}

/// Exports that do not look at RGB pictures.
pub(super) fn refuse_other_pictures(facts: &Facts) -> Result<(), InferenceError> {
    let Some(input) = facts.inputs.first() else {
        return Err(facts.unsupported("its graph has no input"));
    };
    if input.shape.len() != 4 || input.shape[1].is_some_and(|channels| channels != 3) {
        return Err(facts.unsupported(format!("its input {:?} is not a batch of RGB pictures", input.shape)));
    }
    Ok(())
}

/// The names by index: the owner's, else the metadata's.
pub(super) fn labels_of(facts: &Facts) -> Result<Vec<String>, InferenceError> {
    let Some(labels) = &facts.overrides.labels else { return names_of(facts) };
    // Metadata may be gone, or unreadable: the owner's word stands then.
    if let Some(named) = names_of(facts).ok().filter(|named| named.len() != labels.len()) {
        let detail = format!("millrace.toml names {} labels, its metadata {}", labels.len(), named.len());
        return Err(facts.unsupported(detail));
    }
    Ok(labels.clone())
}

/// The names of the metadata. Indices that are not named are called by their number.
fn names_of(facts: &Facts) -> Result<Vec<String>, InferenceError> {
    let fault = || InferenceError::Load {
        id: facts.id.clone(),
        detail: "the names in its metadata are no dict or list of texts; write labels into its millrace.toml"
            .to_owned(),
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

/// A picture as such a graph takes it.
pub(super) fn prepared(frame: &Frame, shape: Letterbox) -> Result<Prepared, InferenceError> {
    let (canvas, placement) = letterbox(frame, shape, Filter::OpenCvLinear)?;
    Ok(Prepared { inputs: vec![tensor_of(&canvas)], placement })
}

/// The pixels of a picture of the graph's size, from 0 to 1.
pub(super) fn tensor_of(canvas: &Frame) -> Tensor {
    let shape = vec![1, 3, canvas.height() as usize, canvas.width() as usize];
    let tensor = Tensor::new(shape, nchw_from(canvas, &Normalise::UNIT));
    tensor.expect("a canvas has three planes of its own size")
}

/// The letterbox: the graph's own height and width where they are fixed; else the size it was exported for, padded to
/// the stride only, as the reference does for single pictures.
pub(super) fn input_shape(facts: &Facts) -> Result<Letterbox, InferenceError> {
    let (width, height) = input_size(facts)?;
    if facts.inputs[0].shape[2..].iter().all(Option::is_some) {
        return Ok(Letterbox::new(width, height));
    }
    let stride = facts.literal("stride")?.as_ref().and_then(side).unwrap_or(32);
    Ok(Letterbox::new(width, height).multiple_of(stride))
}

/// Width and height of the pictures that the graph takes, or was exported for.
pub(super) fn input_size(facts: &Facts) -> Result<(u32, u32), InferenceError> {
    if let [_, _, Some(height), Some(width)] = facts.inputs[0].shape[..] {
        let sides = (side(&width.into()), side(&height.into()));
        let (Some(width), Some(height)) = sides else {
            let detail =
                format!("it takes pictures of {width} x {height}; sides are 1 to {MOST_SIDE} pixels");
            return Err(facts.unsupported(detail));
        };
        return Ok((width, height));
    }
    let size = facts.literal("imgsz")?;
    let sides = match &size {
        Some(Value::Array(sides)) => sides.iter().map(side).collect::<Option<Vec<u32>>>(),
        Some(one) => side(one).map(|one| vec![one, one]),
        None => None,
    };
    match sides.as_deref() {
        Some(&[height, width]) => Ok((width, height)),
        _ => {
            Err(facts.unsupported("its input size is free and its metadata has no imgsz of [height, width]"))
        }
    }
}

/// A number of pixels that a side may have.
fn side(value: &Value) -> Option<u32> {
    let side = value.as_u64().and_then(|number| u32::try_from(number).ok());
    side.filter(|side| (1..=MOST_SIDE).contains(side))
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
    fn scaled_size(&self, source: (u32, u32)) -> (u32, u32) {
        self.shape.place(source).scaled
    }

    fn prepare(&self, frame: &Frame) -> Result<Prepared, InferenceError> {
        prepared(frame, self.shape)
    }

    fn read(
        &self,
        outputs: &[Tensor],
        placement: &Placement,
        params: &DetectParams,
    ) -> Result<Vec<Found>, InferenceError> {
        let Some(output) = outputs.first() else { return Err(self.odd_output(&[])) };
        let &[1, first, second] = output.shape() else { return Err(self.odd_output(output.shape())) };
        if has_no_numbers(output.data()) {
            let detail = "its boxes have values that are not numbers (NaN or infinity)".to_owned();
            return Err(InferenceError::Output { id: self.id.clone(), detail });
        }
        let (data, classes) = (output.data(), self.labels.len());
        let columns = 4 + classes;
        // Rows of six are finished boxes, as the reference has it, however many classes there are: raw anchors are columns.
        let kept = if second == FINISHED && (self.finished || first != columns) {
            // Rows of noughts fill up what was found to as many as there may be.
            let found: Vec<f32> =
                data.chunks_exact(FINISHED).filter(|row| row[4] > 0.0).flatten().copied().collect();
            self.refuse_shares(&found, FINISHED)?;
            finished(data, FINISHED, classes, params).ok_or_else(|| self.odd_output(output.shape()))?
        } else if first == columns {
            suppress(candidates(data, second, classes, params), params)
        } else if second == columns {
            self.refuse_shares(data, columns)?;
            suppress(candidates(&transposed(data, second), first, classes, params), params)
        } else {
            return Err(self.odd_output(output.shape()));
        };
        let found = |kept: Candidate| Found {
            class_id: kept.class,
            class_name: self.labels[kept.class].clone(),
            confidence: kept.score,
            bbox: placement.box_to_source(kept.bbox),
        };
        Ok(kept.into_iter().map(found).collect())
    }
}

/// Rows of so many columns, as columns.
fn transposed(rows: &[f32], columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|column| rows.iter().skip(column).step_by(columns).copied()).collect()
}

/// Boxes that were suppressed inside the graph, rows of so many columns, as its reference reads them: those above the threshold,
/// in their order, no more than may be. As of [`settled`](super::nms::settled) ones, those of different classes are suppressed
/// where that is asked for. None when one has a class that there is no name for.
pub(super) fn finished(
    data: &[f32],
    columns: usize,
    classes: usize,
    params: &DetectParams,
) -> Option<Vec<Candidate>> {
    let mut kept = Vec::new();
    let rows = data.chunks_exact(columns).enumerate();
    for (anchor, row) in rows.filter(|(_, row)| row[4] > params.confidence) {
        // A whole number, written as a float.
        let class = row[5] as usize;
        if row[5] < 0.0 || class >= classes {
            return None;
        }
        if params.wants(class) && (params.agnostic || kept.len() < params.max_detections) {
            kept.push(Candidate { bbox: [row[0], row[1], row[2], row[3]], score: row[4], class, anchor });
        }
    }
    if params.agnostic {
        return Some(suppress(kept, params));
    }
    kept.sort_by(|a, b| b.score.total_cmp(&a.score));
    Some(kept)
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
    let above = best
        .into_iter()
        .enumerate()
        .filter(|(_, (score, class))| *score > params.confidence && params.wants(*class));
    above
        .map(|(anchor, (score, class))| {
            let [x, y, width, height] = std::array::from_fn(|part| boxes[part * anchors + anchor]);
            let (half_width, half_height) = (width / 2.0, height / 2.0);
            let bbox = [x - half_width, y - half_height, x + half_width, y + half_height];
            Candidate { bbox, score, class, anchor }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finished_boxes_are_taken_as_they_are() {
        let rows = [
            [0.0, 0.0, 10.0, 10.0, 0.9, 1.0],
            [0.0, 0.0, 10.0, 10.0, 0.8, 1.0],
            [5.0, 5.0, 9.0, 9.0, 0.7, 0.0],
            [0.0; 6],
        ]
        .concat();
        let scores = |params: &DetectParams| -> Vec<f32> {
            finished(&rows, FINISHED, 2, params).unwrap().iter().map(|kept| kept.score).collect()
        };
        assert_eq!(scores(&DetectParams::default()), [0.9, 0.8, 0.7], "nothing is suppressed again");
        assert_eq!(scores(&DetectParams { classes: Some(vec![0]), ..DetectParams::default() }), [0.7]);
        assert_eq!(scores(&DetectParams { max_detections: 1, ..DetectParams::default() }), [0.9]);
        assert_eq!(finished(&rows, FINISHED, 1, &DetectParams::default()), None, "class 1 has no name");
    }

    #[test]
    fn what_is_found_under_two_names_is_one_where_that_is_asked_for() {
        let rows = [
            [0.0, 0.0, 10.0, 10.0, 0.8, 1.0],
            [0.0, 0.0, 10.0, 10.0, 0.9, 0.0],
            [50.0, 0.0, 60.0, 9.0, 0.7, 1.0],
        ]
        .concat();
        let scores = |params: &DetectParams| -> Vec<f32> {
            finished(&rows, FINISHED, 2, params).unwrap().iter().map(|kept| kept.score).collect()
        };
        let agnostic = DetectParams { agnostic: true, ..DetectParams::default() };
        assert_eq!(scores(&agnostic), [0.9, 0.7]);
        assert_eq!(scores(&DetectParams { max_detections: 1, ..agnostic }), [0.9], "the best, not the first");
        assert_eq!(scores(&DetectParams::default()), [0.9, 0.8, 0.7]);
    }

    #[test]
    fn rows_and_columns_say_the_same() {
        let columns = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        assert_eq!(transposed(&[1.0, 4.0, 2.0, 5.0, 3.0, 6.0], 2), columns);
    }
}
