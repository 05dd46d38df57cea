//! Ultralytics segmentation exports (YOLOv8-seg, 11-seg, 26-seg …): the detection head with a few coefficients per anchor beside
//! it, or rows of finished boxes with theirs, and prototype planes; a mask is their sum by the coefficients. Masks are made in the
//! picture's own size, as the package does with `retina_masks=True` (8.4, `ops.process_mask_native`).

use millrace_contracts::ModelId;
use millrace_contracts::values::{Rle, RleRuns};
use millrace_vision::{Frame, Letterbox, Placement};

use super::nms::{Candidate, suppress};
use super::segment::{SegmentMode, SegmentParams, Segmenter, allowed};
use super::transformers::has_no_numbers;
use super::ultralytics_detect::{
    FINISHED, candidates, finished, has_finished_boxes, input_shape, labels_of, prepared,
    refuse_other_pictures,
};
use super::{DetectParams, Entry, Family, Prepared, Segment};
use crate::graph::GraphPort;
use crate::masks::Planes;
use crate::{ElementType, Facts, InferenceError, Tensor};

pub(super) const ENTRY: Entry = Entry {
    name: "ultralytics-segment",
    recognises: |facts| {
        facts.text("task") == Some("segment")
            && ["names", "stride"].iter().all(|key| facts.text(key).is_some())
    },
    make: |facts| UltralyticsSegment::new(facts).map(|family| Box::new(family) as Box<dyn Family>),
};

/// Prototypes have a quarter of the network's sides.
const PROTOTYPE_STRIDE: f64 = 4.0;

struct UltralyticsSegment {
    id: ModelId,
    labels: Vec<String>,
    shape: Letterbox,
    /// Whether it says that its boxes are finished.
    finished: bool,
}

/// What was found, and the coefficients of all that might have been.
struct Head<'a> {
    found: Vec<Candidate>,
    data: &'a [f32],
    /// Where the first coefficient of the first anchor is.
    first: usize,
    /// How far it is from anchor to anchor, and from one coefficient to the next.
    strides: [usize; 2],
}

/// The prototypes of one picture.
struct Prototypes<'a> {
    data: &'a [f32],
    count: usize,
    height: usize,
    width: usize,
}

/// How prototypes lie over a picture: enlarged by `factor` first, then cut, then brought to the picture's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cut {
    factor: usize,
    rows: [usize; 2],
    columns: [usize; 2],
}

impl UltralyticsSegment {
    fn new(facts: &Facts) -> Result<Self, InferenceError> {
        refuse_other_pictures(facts)?;
        let ([input], [first, second]) = (facts.inputs.as_slice(), facts.outputs.as_slice()) else {
            return Err(facts.unsupported("a segmentation export has one input and two outputs"));
        };
        // The session brings half precision to single and back.
        let float = |port: &&GraphPort| matches!(port.element, ElementType::F32 | ElementType::F16);
        if ![input, first, second].iter().all(float) {
            return Err(facts.unsupported("it takes or gives whole numbers; export it with int8=False"));
        }
        let finished = has_finished_boxes(facts)?;
        Ok(Self { id: facts.id.clone(), labels: labels_of(facts)?, shape: input_shape(facts)?, finished })
    }

    /// Reads the head of a graph with so many prototypes; none where it is of another shape, or names a class there is not.
    fn head<'a>(&self, head: &'a Tensor, count: usize, params: &DetectParams) -> Option<Head<'a>> {
        let (&[1, first, second], data, classes) = (head.shape(), head.data(), self.labels.len()) else {
            return None;
        };
        let channels = 4 + classes + count;
        // As of detectors: raw anchors are columns, finished boxes rows.
        if second == FINISHED + count && (self.finished || first != channels) {
            let found = finished(data, second, classes, params)?;
            return Some(Head { found, data, first: FINISHED, strides: [second, 1] });
        }
        (first == channels).then(|| {
            let found = suppress(candidates(data, second, classes, params), params);
            Head { found, data, first: (4 + classes) * second, strides: [1, second] }
        })
    }

    fn odd(&self, outputs: &[Tensor]) -> InferenceError {
        let shapes: Vec<&[usize]> = outputs.iter().map(Tensor::shape).collect();
        let detail = format!(
            "{shapes:?} instead of [1, {} + coefficients, anchors] or [1, boxes, 6 + coefficients] and [1, coefficients, height, \
             width]",
            4 + self.labels.len()
        );
        InferenceError::Output { id: self.id.clone(), detail }
    }
}

impl Family for UltralyticsSegment {
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

impl Segmenter for UltralyticsSegment {
    fn modes(&self) -> &'static [SegmentMode] {
        &[SegmentMode::Instance]
    }

    fn prepare(&self, frame: &Frame) -> Result<Prepared, InferenceError> {
        prepared(frame, self.shape)
    }

    fn read(
        &self,
        outputs: &[Tensor],
        placement: &Placement,
        params: &SegmentParams,
    ) -> Result<Vec<Segment>, InferenceError> {
        allowed(&self.id, params.mode, self.modes())?;
        let [head, prototypes] = outputs else { return Err(self.odd(outputs)) };
        let &[1, count, height, width] = prototypes.shape() else { return Err(self.odd(outputs)) };
        if height * width == 0 || prototypes.data().len() != count * height * width {
            return Err(self.odd(outputs));
        }
        // What a prototype counts may be turned round.
        let endless = prototypes.data().iter().any(|value| !value.is_finite());
        for (what, has) in [("boxes", has_no_numbers(head.data())), ("prototypes", endless)] {
            if has {
                let detail = format!("its {what} have values that are not numbers (NaN or infinity)");
                return Err(InferenceError::Output { id: self.id.clone(), detail });
            }
        }
        let usual = DetectParams::default();
        let (confidence, iou, max_detections) = (params.confidence, params.iou, params.max_segments);
        let params = DetectParams { confidence, iou, max_detections, ..usual };
        let head = self.head(head, count, &params).ok_or_else(|| self.odd(outputs))?;
        let prototypes = Prototypes { data: prototypes.data(), count, height, width };
        let cut = cut([height, width], placement.source);
        let segment = |one: &Candidate| {
            let own = head.coefficients(one.anchor, count);
            let bbox = placement.box_to_source(one.bbox);
            let mask = prototypes.mask(&own, cut, bbox, placement.source)?;
            let class_name = self.labels[one.class].clone();
            Some(Segment { class_id: one.class, class_name, confidence: Some(one.score), bbox, mask })
        };
        // Boxes without a pixel go.
        Ok(head.found.iter().filter_map(segment).collect())
    }
}

impl Head<'_> {
    fn coefficients(&self, anchor: usize, count: usize) -> Vec<f32> {
        let [anchors, parts] = self.strides;
        (0..count).map(|part| self.data[self.first + anchor * anchors + part * parts]).collect()
    }
}

impl Prototypes<'_> {
    /// The mask with these coefficients, inside its box; none when it has no pixel there.
    fn mask(&self, coefficients: &[f32], cut: Cut, bbox: [f32; 4], source: (u32, u32)) -> Option<Rle> {
        let area = self.height * self.width;
        let mut logits = vec![0.0f32; area];
        for (coefficient, plane) in coefficients.iter().zip(self.data.chunks_exact(area)).take(self.count) {
            logits.iter_mut().zip(plane).for_each(|(sum, value)| *sum += coefficient * value);
        }
        let planes = Planes::of_rows(1, self.height, self.width, &logits)?;
        let planes = planes.resized([self.height * cut.factor, self.width * cut.factor]);
        let planes = planes.part(cut.rows, cut.columns)?;
        // A pixel is inside when its column and row, whole numbers, are: from the first at or after the edge.
        let first = |edge: f32, side: u32| (edge.max(0.0).ceil() as usize).min(side as usize);
        let [x1, y1, x2, y2] = bbox;
        let (left, right) = (first(x1, source.0), first(x2, source.0));
        let (top, bottom) = (first(y1, source.1), first(y2, source.1));
        let mut runs = RleRuns::new([source.1, source.0]);
        planes.each_column([source.1 as usize, source.0 as usize], left..right, |x, blend| {
            let start = x as u64 * u64::from(source.1);
            for (y, _) in blend.column(0).enumerate().take(bottom).skip(top).filter(|(_, logit)| *logit > 0.0)
            {
                runs.ones(start + y as u64, 1);
            }
        });
        (!runs.is_empty()).then(|| runs.finish())
    }
}

/// Where the picture lies in its prototypes, with the package's roundings: those of Python, to the even neighbour.
fn cut([height, width]: [usize; 2], source: (u32, u32)) -> Cut {
    let sides = [(height, source.1), (width, source.0)];
    let gain_of = |scale: f64| {
        sides.iter().map(|&(side, own)| scale * side as f64 / f64::from(own)).fold(f64::INFINITY, f64::min)
    };
    let shown = |own: u32, gain: f64| ((f64::from(own) * gain).round_ties_even() as usize).max(1);
    // The padding of the network's input; the smallest enlargement of the prototypes that has it on whole pixels.
    let gain = gain_of(PROTOTYPE_STRIDE);
    let padding = sides
        .iter()
        .map(|&(side, own)| (4 * side).saturating_sub(shown(own, gain)))
        .fold(0, |all, side| all | side);
    let factor = match (padding | (padding / 2)) & 3 {
        0 => 1,
        2 => 2,
        _ => 4,
    };
    let gain = gain_of(factor as f64);
    let range = |(side, own): (usize, u32)| {
        let (whole, shown) = (side * factor, shown(own, gain));
        let start = ((whole as f64 - shown as f64) / 2.0 - 0.1).round_ties_even().max(0.0) as usize;
        [start, start + shown]
    };
    Cut { factor, rows: range(sides[0]), columns: range(sides[1]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_padding_is_cut_off_on_whole_pixels() {
        // A square fills all; a wide picture has bars above and below, 160 / 480 × 320 = 106.67 → 107 rows of 160.
        assert_eq!(cut([40, 40], (384, 384)), Cut { factor: 1, rows: [0, 40], columns: [0, 40] });
        assert_eq!(cut([40, 40], (480, 320)), Cut { factor: 4, rows: [26, 133], columns: [0, 160] });
        // 160 − 120 = 40: a quarter of half of it is a whole number.
        assert_eq!(cut([40, 40], (640, 480)), Cut { factor: 1, rows: [5, 35], columns: [0, 40] });
        // 160 − 156 = 4: half of it is two pixels of the network, half a prototype.
        assert_eq!(cut([40, 40], (160, 156)), Cut { factor: 2, rows: [1, 79], columns: [0, 80] });
        assert_eq!(cut([40, 40], (1, 1)), Cut { factor: 1, rows: [0, 40], columns: [0, 40] });
        assert_eq!(cut([40, 40], (4000, 1)).rows, [79, 80]);
    }
}
