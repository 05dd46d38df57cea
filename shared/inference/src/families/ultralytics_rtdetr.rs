//! RT-DETR as Ultralytics exports it: RGB stretched to the graph's size; out come queries, as rows `cx, cy, w, h, score per class`
//! or, of later versions, `cx, cy, w, h, score, class`, boxes in shares of the picture. Read as `RTDETRPredictor` does: nothing
//! is suppressed. Its metadata is that of a YOLO model but for its name, so this family is asked first.

use millrace_contracts::ModelId;
use millrace_vision::{Filter, Frame, Placement, resize};

use super::nms::{Candidate, settled};
use super::transformers::has_no_numbers;
use super::transformers_detect::in_pixels;
use super::ultralytics_detect::{input_size, labels_of, refuse_other_pictures, tensor_of};
use super::{DetectParams, Detector, Entry, Family, Found, Prepared};
use crate::{Facts, InferenceError, Tensor};

pub(super) const ENTRY: Entry = Entry {
    name: "ultralytics-rtdetr",
    recognises: |facts| {
        facts.text("task") == Some("detect") && facts.text("names").is_some() && is_rtdetr(facts)
    },
    make: |facts| UltralyticsRtdetr::new(facts).map(|family| Box::new(family) as Box<dyn Family>),
};

/// The exporter writes the stem of the model's file into the description (`Ultralytics rtdetr-l model …`), later versions the
/// class of its head.
fn is_rtdetr(facts: &Facts) -> bool {
    let description = facts.text("description").unwrap_or_default().to_ascii_lowercase();
    facts.text("head") == Some("RTDETRDecoder")
        || ["rtdetr", "rt-detr"].iter().any(|name| description.contains(name))
}

struct UltralyticsRtdetr {
    id: ModelId,
    labels: Vec<String>,
    /// Width and height.
    size: (u32, u32),
}

impl UltralyticsRtdetr {
    fn new(facts: &Facts) -> Result<Self, InferenceError> {
        refuse_other_pictures(facts)?;
        Ok(Self { id: facts.id.clone(), labels: labels_of(facts)?, size: input_size(facts)? })
    }

    /// The queries of an output on a picture of the size `source`, whatever their scores; none where it is of another shape or
    /// names a class there is not.
    fn queries(&self, output: &Tensor, source: (u32, u32)) -> Option<Vec<Candidate>> {
        let &[1, _, columns] = output.shape() else { return None };
        let classes = self.labels.len();
        let rows = || output.data().chunks_exact(columns);
        // With two classes both forms have six columns; a class is a whole number, a score hardly ever.
        let is_class = |row: &[f32]| row[5] == 0.0 || row[5] == 1.0;
        let is_settled = columns == 6 && (classes != 2 || rows().all(is_class));
        if columns != 4 + classes && !is_settled {
            return None;
        }
        let scored = |row: &[f32]| -> Option<(usize, f32)> {
            if !is_settled {
                // Of equal classes the first, as torch's max on CPU.
                let better = |best: (usize, f32), (class, &score): (usize, &f32)| {
                    if score > best.1 { (class, score) } else { best }
                };
                return Some(row[4..].iter().enumerate().fold((0, f32::NEG_INFINITY), better));
            }
            // A whole number, written as a float.
            (row[5] >= 0.0 && (row[5] as usize) < classes).then_some((row[5] as usize, row[4]))
        };
        let candidate = |(anchor, row): (usize, &[f32])| {
            let (class, score) = scored(row)?;
            Some(Candidate { bbox: clipped(in_pixels(&row[..4], source), source), score, class, anchor })
        };
        rows().enumerate().map(candidate).collect()
    }

    fn odd(&self, detail: String) -> InferenceError {
        InferenceError::Output { id: self.id.clone(), detail }
    }
}

impl Family for UltralyticsRtdetr {
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

impl Detector for UltralyticsRtdetr {
    fn scaled_size(&self, _: (u32, u32)) -> (u32, u32) {
        self.size
    }

    fn prepare(&self, frame: &Frame) -> Result<Prepared, InferenceError> {
        let (width, height) = self.size;
        let canvas = resize(frame, width, height, Filter::OpenCvLinear)?;
        let placement = Placement::stretch((frame.width(), frame.height()), self.size);
        Ok(Prepared { inputs: vec![tensor_of(&canvas)], placement })
    }

    fn read(
        &self,
        outputs: &[Tensor],
        placement: &Placement,
        params: &DetectParams,
    ) -> Result<Vec<Found>, InferenceError> {
        let output = outputs.first().ok_or_else(|| self.odd("it gives nothing".to_owned()))?;
        if has_no_numbers(output.data()) {
            return Err(self.odd("its boxes have values that are not numbers (NaN or infinity)".to_owned()));
        }
        let queries = self.queries(output, placement.source).ok_or_else(|| {
            let columns = 4 + self.labels.len();
            self.odd(format!("{:?} instead of [1, queries, {columns}] or [1, queries, 6]", output.shape()))
        })?;
        let above = queries
            .into_iter()
            .filter(|query| query.score > params.confidence && params.wants(query.class))
            .collect();
        let found = |kept: Candidate| Found {
            class_id: kept.class,
            class_name: self.labels[kept.class].clone(),
            confidence: kept.score,
            bbox: kept.bbox,
        };
        Ok(settled(above, params).into_iter().map(found).collect())
    }
}

/// A box within the picture.
fn clipped([x1, y1, x2, y2]: [f32; 4], (width, height): (u32, u32)) -> [f32; 4] {
    let (across, down) = (|x: f32| x.clamp(0.0, width as f32), |y: f32| y.clamp(0.0, height as f32));
    [across(x1), down(y1), across(x2), down(y2)]
}
