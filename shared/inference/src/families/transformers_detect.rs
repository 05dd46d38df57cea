//! Hugging Face detectors without suppression in their design: DETR, Conditional and Deformable DETR, Table Transformer,
//! YOLOS, RT-DETR (v1, v2), D-FINE, DEIM, RF-DETR, LW-DETR, DAB-DETR. Queries give a row of class logits and a box
//! `cx, cy, w, h` in shares of the picture; reading them follows `post_process_object_detection` of the class's image processor
//! (`transformers` 4.57, of those that came later 5.23).

use millrace_vision::{Frame, Placement};
use serde_json::Value;

use super::nms::{Candidate, settled};
use super::transformers::{Intake, RowFacts, class_count, is_for, labels, row};
use super::{DetectParams, Detector, Entry, Family, Found, Prepared};
use crate::shares::{sigmoid, softmax};
use crate::{Facts, InferenceError, Tensor};

pub(super) const ENTRY: Entry = Entry {
    name: "transformers-detect",
    recognises: |facts| is_for(facts, "ForObjectDetection"),
    make: |facts| TransformersDetect::new(facts).map(|family| Box::new(family) as Box<dyn Family>),
};

/// How logits become scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Head {
    /// A softmax over the classes and "no object", the last; each query is its best class (DETR, YOLOS).
    Softmax,
    /// Every class of every query by itself; of all of them the best so many, or as many as there are queries.
    Sigmoid { most: Option<usize> },
}

struct TransformersDetect {
    row: RowFacts,
    intake: Intake,
    labels: Vec<String>,
    head: Head,
    logits: usize,
    boxes: usize,
}

impl TransformersDetect {
    fn new(facts: &Facts) -> Result<Self, InferenceError> {
        let head = head_of(facts)?;
        let (logits, boxes) = (facts.output("logits")?, facts.output("pred_boxes")?);
        let columns = match facts.outputs[logits].shape.as_slice() {
            [_, _, columns] => *columns,
            shape => return Err(facts.unsupported(format!("its logits {shape:?} are not rows of queries"))),
        };
        let none = usize::from(head == Head::Softmax);
        let count = columns.map_or_else(|| class_count(facts), |columns| columns.saturating_sub(none));
        let row = RowFacts { id: facts.id.clone() };
        Ok(Self { row, intake: Intake::new(facts)?, labels: labels(facts, count)?, head, logits, boxes })
    }

    fn found(&self, candidate: &Candidate) -> Found {
        Found {
            class_id: candidate.class,
            class_name: self.labels[candidate.class].clone(),
            confidence: candidate.score,
            bbox: candidate.bbox,
        }
    }
}

fn head_of(facts: &Facts) -> Result<Head, InferenceError> {
    let focal = facts.config.get("use_focal_loss").and_then(Value::as_bool);
    match facts.model_type() {
        "detr" | "table-transformer" | "yolos" => Ok(Head::Softmax),
        "rt_detr" | "rt_detr_v2" | "d_fine" | "deimv2" if focal == Some(false) => Ok(Head::Softmax),
        "rt_detr" | "rt_detr_v2" | "d_fine" | "deimv2" | "rf_detr" => Ok(Head::Sigmoid { most: None }),
        "conditional_detr" | "deformable_detr" | "lw_detr" | "dab-detr" => Ok(Head::Sigmoid { most: Some(100) }),
        other => Err(facts.unsupported(format!(
            "how detectors of the model_type {other:?} are read is not known; known are detr, table-transformer, yolos, \
             rt_detr, rt_detr_v2, d_fine, deimv2, rf_detr, conditional_detr, deformable_detr, lw_detr, dab-detr"
        ))),
    }
}

impl Family for TransformersDetect {
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

impl Detector for TransformersDetect {
    fn scaled_size(&self, source: (u32, u32)) -> (u32, u32) {
        self.intake.scaled_size(source)
    }

    fn prepare(&self, frame: &Frame) -> Result<Prepared, InferenceError> {
        self.intake.prepare(frame)
    }

    fn read(
        &self,
        outputs: &[Tensor],
        placement: &Placement,
        params: &DetectParams,
    ) -> Result<Vec<Found>, InferenceError> {
        let ([queries, columns], logits) = row(&self.row, outputs, self.logits)?;
        let ([boxed, sides], boxes) = row(&self.row, outputs, self.boxes)?;
        let classes = columns.saturating_sub(usize::from(self.head == Head::Softmax));
        if boxed != queries || sides != 4 || classes != self.labels.len() {
            let detail = format!("logits of {queries} x {columns} with boxes of {boxed} x {sides}");
            return Err(InferenceError::Output { id: self.row.id.clone(), detail });
        }
        let scored = match self.head {
            Head::Softmax => best_classes(logits, columns),
            Head::Sigmoid { most } => best_pairs(logits, columns, most.unwrap_or(queries)),
        };
        let candidates = scored
            .into_iter()
            .filter(|(_, class, score)| *score > params.confidence && params.wants(*class))
            .map(|(query, class, score)| {
                let bbox = in_pixels(&boxes[query * 4..query * 4 + 4], placement.source);
                Candidate { bbox, score, class, anchor: query }
            })
            .collect();
        Ok(settled(candidates, params).iter().map(|kept| self.found(kept)).collect())
    }
}

/// The best class of every query that is not "no object", the last column: query, class, score.
fn best_classes(logits: &[f32], columns: usize) -> Vec<(usize, usize, f32)> {
    let mut shares = vec![0.0; columns];
    let best = |(query, row): (usize, &[f32])| {
        shares.copy_from_slice(row);
        softmax(&mut shares);
        let classes = shares[..columns - 1].iter().copied().enumerate();
        // Of equal ones the first, as torch's max on CPU.
        let best = classes.fold(None, |best: Option<(usize, f32)>, (class, score)| match best {
            Some(held) if held.1 >= score => Some(held),
            _ => Some((class, score)),
        });
        best.map(|(class, score)| (query, class, score))
    };
    logits.chunks_exact(columns.max(1)).enumerate().filter_map(best).collect()
}

/// The best so many pairs of query and class, by score: query, class, score.
fn best_pairs(logits: &[f32], columns: usize, most: usize) -> Vec<(usize, usize, f32)> {
    let mut order: Vec<usize> = (0..logits.len()).collect();
    let better = |a: &usize, b: &usize| logits[*b].total_cmp(&logits[*a]).then(a.cmp(b));
    if most < order.len() {
        order.select_nth_unstable_by(most, better);
        order.truncate(most);
    }
    order.sort_unstable_by(better);
    order.into_iter().map(|at| (at / columns, at % columns, sigmoid(logits[at]))).collect()
}

/// `cx, cy, w, h` in shares of the picture as corners in its pixels. Not clipped, as the reference does not.
pub(super) fn in_pixels(shares: &[f32], (width, height): (u32, u32)) -> [f32; 4] {
    let (x, y, half_width, half_height) = (shares[0], shares[1], 0.5 * shares[2], 0.5 * shares[3]);
    let (width, height) = (width as f32, height as f32);
    [
        (x - half_width) * width,
        (y - half_height) * height,
        (x + half_width) * width,
        (y + half_height) * height,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_its_best_class_unless_it_is_nothing() {
        let rows = [0.0, 2.0, 2.0, 0.0, /* second query */ -1.0, -2.0, -3.0, 5.0];
        let best = best_classes(&rows, 4);
        assert_eq!((best[0].0, best[0].1), (0, 1), "of equal classes the first");
        // softmax([0, 2, 2, 0])[1] = e² / (2 + 2e²)
        assert!((best[0].2 - 0.440_399).abs() < 1e-5);
        assert!(best[1].1 == 0 && best[1].2 < 0.01);
    }

    #[test]
    fn one_query_may_be_two_things() {
        let pairs = best_pairs(&[3.0, 2.0, -1.0, 0.0, 2.0, 1.0], 3, 3);
        let places: Vec<_> = pairs.iter().map(|(query, class, _)| (*query, *class)).collect();
        assert_eq!(places, [(0, 0), (0, 1), (1, 1)]);
        assert!((pairs[0].2 - 0.952_574).abs() < 1e-5);
        assert_eq!(best_pairs(&[1.0], 1, 100).len(), 1);
        assert!(best_pairs(&[], 0, 5).is_empty());
    }

    #[test]
    fn boxes_may_leave_the_picture() {
        assert_eq!(in_pixels(&[0.0, 0.5, 0.5, 2.0], (200, 100)), [-50.0, -50.0, 50.0, 150.0]);
    }
}
