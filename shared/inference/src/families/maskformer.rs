//! Mask classification (MaskFormer, Mask2Former): per query the classes' logits and a coarse plane of mask logits, read as
//! a class map, as instances or as panoptic segments, as `transformers`' image processors do.

use millrace_contracts::ModelId;
use millrace_vision::{Frame, Placement};

use super::segment::{SegmentMode, SegmentParams, Segmenter, named, size_of};
use super::transformers::{Intake, class_count, has_no_numbers, labels};
use super::{Entry, Family, Prepared, Segment};
use crate::masks::{Planes, Queries};
use crate::{Facts, InferenceError, Tensor};

/// Mask2Former's masks are read at this size whatever size they come in, `[height, width]`.
const READ_AT: [usize; 2] = [384, 384];

pub(super) const ENTRY: Entry = Entry {
    name: "maskformer",
    recognises: |facts| {
        let has = |name: &str| facts.outputs.iter().any(|port| port.name == name);
        has("class_queries_logits") && has("masks_queries_logits")
    },
    make: |facts| MaskFormer::new(facts).map(|family| Box::new(family) as Box<dyn Family>),
};

struct MaskFormer {
    id: ModelId,
    labels: Vec<String>,
    intake: Intake,
    /// Where among the outputs the classes' and the masks' logits are.
    classes: usize,
    masks: usize,
    /// The size at which masks are read; their own when none.
    read_at: Option<[usize; 2]>,
}

impl MaskFormer {
    fn new(facts: &Facts) -> Result<Self, InferenceError> {
        let (classes, masks) = (facts.output("class_queries_logits")?, facts.output("masks_queries_logits")?);
        let counted = facts.outputs[classes].shape.get(2).copied().flatten();
        // The last is "nothing".
        let count = counted.map_or_else(|| class_count(facts), |count| count.saturating_sub(1));
        let labels = labels(facts, count)?;
        let read_at = (facts.model_type() == "mask2former").then_some(READ_AT);
        let intake = Intake::new(facts)?;
        Ok(Self { id: facts.id.clone(), labels, intake, classes, masks, read_at })
    }

    /// Whether all are numbers. As little as can be is what masked classes have; in a mask it would become NaN where the mask is
    /// enlarged.
    fn are_numbers(&self, outputs: &[Tensor]) -> bool {
        let data = |place: usize| outputs.get(place).map_or(&[][..], Tensor::data);
        !has_no_numbers(data(self.classes)) && data(self.masks).iter().all(|value| value.is_finite())
    }

    fn queries(&self, outputs: &[Tensor]) -> Option<Queries> {
        let (classes, masks) = (outputs.get(self.classes)?, outputs.get(self.masks)?);
        let (&[1, queries, row], &[1, planes, height, width]) = (classes.shape(), masks.shape()) else {
            return None;
        };
        if queries != planes {
            return None;
        }
        let planes = Planes::of_rows(planes, height, width, masks.data())?;
        let queries = Queries::new(classes.data(), row.checked_sub(1)?, planes)?;
        Some(match self.read_at {
            Some(size) => queries.resized(size),
            None => queries,
        })
    }
}

impl Family for MaskFormer {
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

impl Segmenter for MaskFormer {
    fn modes(&self) -> &'static [SegmentMode] {
        &[SegmentMode::Semantic, SegmentMode::Instance, SegmentMode::Panoptic]
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
        let fault = |detail: String| InferenceError::Output { id: self.id.clone(), detail };
        if !self.are_numbers(outputs) {
            return Err(fault("its queries have values that are not numbers (NaN or infinity)".to_owned()));
        }
        let shapes = || outputs.iter().map(Tensor::shape).collect::<Vec<_>>();
        let queries =
            self.queries(outputs).ok_or_else(|| fault(format!("queries of the shapes {:?}", shapes())))?;
        let size = size_of(placement);
        let mut regions = match params.mode {
            SegmentMode::Semantic => queries.semantic(size),
            SegmentMode::Instance => queries.instances(size, params.confidence),
            SegmentMode::Panoptic => queries.panoptic(size, params.confidence),
        };
        if params.mode != SegmentMode::Semantic {
            regions.truncate(params.max_segments);
        }
        Ok(regions.into_iter().filter_map(|region| named(region, &self.labels)).collect())
    }
}
