//! Hugging Face image classifiers (`…ForImageClassification`: ViT, DeiT, Swin, ConvNeXT, EfficientNet, ResNet, BEiT,
//! MobileNet …), and those of timm: logits to shares as `transformers`' image-classification pipeline makes them.

use millrace_vision::Frame;
use serde_json::Value;

use super::transformers::{Intake, RowFacts, class_count, is_for, labels, row};
use super::{Classifier, Entry, Family, Prepared, Scoring};
use crate::preprocess::timm_data;
use crate::shares::{sigmoid, softmax};
use crate::{Facts, InferenceError, Tensor};

pub(super) const ENTRY: Entry = Entry {
    name: "transformers-classify",
    recognises: |facts| {
        // A model of timm without a head gives something else.
        let is_timm = timm_data(&facts.config).is_some() && facts.output("logits").is_ok();
        is_for(facts, "ForImageClassification") || is_timm
    },
    make: |facts| TransformersClassify::new(facts).map(|family| Box::new(family) as Box<dyn Family>),
};

struct TransformersClassify {
    row: RowFacts,
    intake: Intake,
    labels: Vec<String>,
    logits: usize,
    multi_label: bool,
}

impl TransformersClassify {
    fn new(facts: &Facts) -> Result<Self, InferenceError> {
        let logits = facts.output_or_only("logits")?;
        let count = match facts.outputs[logits].shape.as_slice() {
            [_, Some(count)] => *count,
            [_, None] => class_count(facts),
            shape => {
                return Err(facts.unsupported(format!("its logits {shape:?} are not one row of classes")));
            }
        };
        let problem = facts.config.get("problem_type").and_then(Value::as_str);
        match problem {
            None | Some("single_label_classification" | "multi_label_classification") => {}
            Some(other) => return Err(facts.unsupported(format!("its problem_type is {other}"))),
        }
        Ok(Self {
            row: RowFacts { id: facts.id.clone() },
            intake: Intake::new(facts)?,
            labels: labels(facts, count)?,
            logits,
            // With a single class there is nothing to share with.
            multi_label: problem == Some("multi_label_classification") || count == 1,
        })
    }
}

impl Family for TransformersClassify {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn task(&self) -> &'static str {
        "classification"
    }

    fn labels(&self) -> &[String] {
        &self.labels
    }

    fn classifier(&self) -> Option<&dyn Classifier> {
        Some(self)
    }
}

impl Classifier for TransformersClassify {
    fn scaled_size(&self, source: (u32, u32)) -> (u32, u32) {
        self.intake.scaled_size(source)
    }

    fn prepare(&self, frame: &Frame) -> Result<Prepared, InferenceError> {
        self.intake.prepare(frame)
    }

    fn scores(&self, outputs: &[Tensor], scoring: Scoring) -> Result<Vec<f32>, InferenceError> {
        let ([count], logits) = row(&self.row, outputs, self.logits)?;
        if count != self.labels.len() {
            let detail = format!("{count} classes instead of {}", self.labels.len());
            return Err(InferenceError::Output { id: self.row.id.clone(), detail });
        }
        let mut scores = logits.to_vec();
        if self.multi_label || scoring == Scoring::MultiLabel {
            scores.iter_mut().for_each(|score| *score = sigmoid(*score));
        } else {
            softmax(&mut scores);
        }
        Ok(scores)
    }
}
