//! Models with a class score for every pixel (SegFormer, and whatever else calls itself `…ForSemanticSegmentation`): coarse
//! `logits` out, enlarged to the picture, the best class of each pixel taken, as `post_process_semantic_segmentation` does.

use millrace_contracts::ModelId;
use millrace_vision::{Frame, Placement};

use super::segment::{SegmentMode, SegmentParams, Segmenter, named, size_of};
use super::transformers::{Intake, class_count, has_no_numbers, is_for, labels};
use super::{Entry, Family, Prepared, Segment};
use crate::masks::{Planes, Region, class_map};
use crate::{Facts, InferenceError, Tensor};

pub(super) const ENTRY: Entry = Entry {
    name: "semantic-segmentation",
    recognises: |facts| is_for(facts, "ForSemanticSegmentation"),
    make: |facts| SemanticSegmentation::new(facts).map(|family| Box::new(family) as Box<dyn Family>),
};

struct SemanticSegmentation {
    id: ModelId,
    labels: Vec<String>,
    intake: Intake,
    /// Where among the outputs the logits are.
    logits: usize,
}

impl SemanticSegmentation {
    fn new(facts: &Facts) -> Result<Self, InferenceError> {
        let logits = facts.output("logits")?;
        let shape = &facts.outputs[logits].shape;
        let &[_, classes, _, _] = shape.as_slice() else {
            return Err(facts.unsupported(format!("its logits {shape:?} are no planes, one per class")));
        };
        let labels = labels(facts, classes.unwrap_or_else(|| class_count(facts)))?;
        Ok(Self { id: facts.id.clone(), labels, intake: Intake::new(facts)?, logits })
    }
}

impl Family for SemanticSegmentation {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn task(&self) -> &'static str {
        "segmentation"
    }

    fn labels(&self) -> &[String] {
        &self.labels
    }

    fn segmenter(&self) -> Option<&dyn Segmenter> {
        Some(self)
    }
}

impl Segmenter for SemanticSegmentation {
    fn modes(&self) -> &'static [SegmentMode] {
        &[SegmentMode::Semantic]
    }

    fn prepare(&self, frame: &Frame) -> Result<Prepared, InferenceError> {
        self.intake.prepare(frame)
    }

    fn read(
        &self,
        outputs: &[Tensor],
        placement: &Placement,
        params: &SegmentParams,
    ) -> Result<Vec<Segment>, InferenceError> {
        super::segment::allowed(&self.id, params.mode, self.modes())?;
        let fault = |detail: String| InferenceError::Output { id: self.id.clone(), detail };
        let logits = outputs.get(self.logits).ok_or_else(|| fault("the logits are missing".to_owned()))?;
        if has_no_numbers(logits.data()) {
            return Err(fault("its logits have values that are not numbers (NaN or infinity)".to_owned()));
        }
        let planes = match *logits.shape() {
            [1, classes, height, width] => Planes::of_rows(classes, height, width, logits.data()),
            _ => None,
        };
        let planes = planes.ok_or_else(|| fault(format!("logits of the shape {:?}", logits.shape())))?;
        let map = class_map(&planes, size_of(placement)).into_iter().enumerate();
        let regions = map.filter_map(|(class, mask)| mask.map(|mask| Region { class, score: None, mask }));
        Ok(regions.filter_map(|region| named(region, &self.labels)).collect())
    }
}
