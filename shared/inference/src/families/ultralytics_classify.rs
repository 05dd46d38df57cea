//! Ultralytics classification exports: the shorter side scaled to the input's, its centre cut out, samples 0 to 1; shares
//! come out of the graph (`classify_transforms` and `ClassificationPredictor` of Ultralytics 8).

use std::sync::Arc;

use millrace_vision::{Around, Canvas, Frame, Levels, PixelBox, Placement, Resample, Sketch};

use super::transformers::{RowFacts, row};
use super::ultralytics_detect::{input_size, labels_of, refuse_other_pictures};
use super::{Classifier, Entry, Family, Prepared, Scoring};
use crate::{Facts, InferenceError, Tensor};

pub(super) const ENTRY: Entry = Entry {
    name: "ultralytics-classify",
    recognises: |facts| {
        facts.text("task") == Some("classify")
            && ["names", "stride"].iter().all(|key| facts.text(key).is_some())
    },
    make: |facts| UltralyticsClassify::new(facts).map(|family| Box::new(family) as Box<dyn Family>),
};

struct UltralyticsClassify {
    row: RowFacts,
    labels: Vec<String>,
    /// Side of the square it takes, pixels.
    side: u32,
    levels: Arc<Levels>,
}

impl UltralyticsClassify {
    fn new(facts: &Facts) -> Result<Self, InferenceError> {
        refuse_other_pictures(facts)?;
        // Where the graph leaves its sides open, the size it was exported for.
        let (side, height) = input_size(facts)?;
        if side != height {
            let detail =
                format!("it takes pictures of {side} x {height}; a classification export takes squares");
            return Err(facts.unsupported(detail));
        }
        let levels = Arc::new(Levels::new(&[0, 1, 2], |_, sample| f32::from(sample) / 255.0));
        Ok(Self { row: RowFacts { id: facts.id.clone() }, labels: labels_of(facts)?, side, levels })
    }
}

impl Family for UltralyticsClassify {
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

impl Classifier for UltralyticsClassify {
    fn scaled_size(&self, source: (u32, u32)) -> (u32, u32) {
        centre(source, self.side).scaled
    }

    fn prepare(&self, frame: &Frame) -> Result<Prepared, InferenceError> {
        let source = (frame.width(), frame.height());
        let (canvas, side) = (centre(source, self.side), self.side as usize);
        let sketch = Sketch::new(frame, Resample::Bilinear, canvas, Arc::clone(&self.levels))?;
        let tensor = Tensor::sketched(vec![1, 3, side, side], sketch)
            .expect("a canvas has three planes of its own size");
        let placement = Placement::stretch(source, canvas.scaled);
        Ok(Prepared { inputs: vec![tensor], placement })
    }

    fn scores(&self, outputs: &[Tensor], scoring: Scoring) -> Result<Vec<f32>, InferenceError> {
        if scoring == Scoring::MultiLabel {
            let modes = "shares of one class among all only; set multi_label to false".to_owned();
            return Err(InferenceError::WrongMode { id: self.row.id.clone(), wanted: "multi_label", modes });
        }
        let ([count], shares) = row(&self.row, outputs, 0)?;
        if count != self.labels.len() {
            let detail = format!("{count} classes instead of {}", self.labels.len());
            return Err(InferenceError::Output { id: self.row.id.clone(), detail });
        }
        Ok(shares.to_vec())
    }
}

/// torchvision's `Resize` and `CenterCrop`: the longer side is cut to a whole number, the margin rounded half to even.
fn centre(source: (u32, u32), side: u32) -> Canvas {
    let (width, height) = (u64::from(source.0), u64::from(source.1));
    let follow =
        |long: u64, short: u64| (u64::from(side) * long).checked_div(short).unwrap_or(0).min(1 << 20) as u32;
    let scaled = if width <= height { (side, follow(height, width)) } else { (follow(width, height), side) };
    let margin = |scaled: u32| (f64::from(scaled.saturating_sub(side)) / 2.0).round_ties_even() as u32;
    let window = PixelBox { x: margin(scaled.0), y: margin(scaled.1), width: side, height: side };
    Canvas { scaled, window, offset: (0, 0), size: (side, side), around: Around::Black }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_centre_is_where_torchvision_cuts_it() {
        let at = |width, height| {
            let canvas = centre((width, height), 224);
            (canvas.scaled, (canvas.window.x, canvas.window.y))
        };
        // 224 × 640 / 427 = 335.7 → 335; (335 − 224) / 2 = 55.5 → 56.
        assert_eq!(at(640, 427), ((335, 224), (56, 0)));
        assert_eq!(at(100, 301), ((224, 674), (0, 225)));
        assert_eq!(at(50, 50), ((224, 224), (0, 0)));
    }
}
