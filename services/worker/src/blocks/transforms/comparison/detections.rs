//! Two sets of detections on one picture: which of one have a match in the other, as F1 and as a picture.

use millrace_blocks::transforms::comparison::{Config, Mode};
use millrace_contracts::JobError;
use millrace_contracts::values::Detection;
use millrace_vision::{BoxStyle, Frame, LabelStyle, Mark, VisionError, beside, draw_boxes};

use crate::error::of_vision;
use crate::images::{Made, pixels, store};
use crate::job::{JobContext, Outputs, Stage};
use crate::values;

pub(super) async fn compare(context: &JobContext, config: &Config) -> Result<Outputs, JobError> {
    let image = values::image(context, "image")?;
    let first = values::detections_on(context, "detections_a", &image)?.items;
    let second = values::detections_on(context, "detections_b", &image)?.items;
    let score = f1(&first, &second, config.iou_threshold as f32);
    let frame = pixels(context, "image", &image).await?;
    let apart = config.mode == Mode::SideBySide;
    let drawn = context.cpu(Stage::Inference, move || picture(&frame, &first, &second, apart)).await?;
    let made = Made::view(&image, drawn.map_err(|error| of_vision(&error))?);
    let made = if apart { Made { lineage: None, parent_id: None, ..made } } else { made };
    let value = store(context, made).await?;
    Ok(Outputs::from_iter([
        ("image".to_owned(), value.to_value()),
        ("score".to_owned(), score.into()),
        ("difference".to_owned(), (1.0 - score).into()),
    ]))
}

/// Twice the matches over all detections; 1 where there are none at all. Pairs are matched greedily, the greatest overlap
/// first, within a class.
fn f1(first: &[Detection], second: &[Detection], threshold: f32) -> f64 {
    if first.is_empty() && second.is_empty() {
        return 1.0;
    }
    let mut pairs: Vec<(f32, usize, usize)> = Vec::new();
    for (a, own) in first.iter().enumerate() {
        for (b, other) in second.iter().enumerate().filter(|(_, other)| other.class_name == own.class_name) {
            let overlap = own.iou(other);
            if overlap > 0.0 && overlap >= threshold {
                pairs.push((overlap, a, b));
            }
        }
    }
    pairs.sort_by(|(a, ..), (b, ..)| b.total_cmp(a));
    let (mut taken_a, mut taken_b) = (vec![false; first.len()], vec![false; second.len()]);
    let mut matches = 0;
    for (_, a, b) in pairs {
        if !taken_a[a] && !taken_b[b] {
            (taken_a[a], taken_b[b]) = (true, true);
            matches += 1;
        }
    }
    2.0 * f64::from(matches) / (first.len() + second.len()) as f64
}

/// Each set in its own colour.
fn picture(
    frame: &Frame,
    first: &[Detection],
    second: &[Detection],
    apart: bool,
) -> Result<Frame, VisionError> {
    let style = BoxStyle { labels: LabelStyle::ClassConfidence, ..BoxStyle::default() };
    let marks = |items: &[Detection], set: i64| -> Vec<Mark> {
        let mark = |item: &Detection| Mark {
            bbox: item.bbox,
            class_id: set,
            class_name: item.class_name.clone(),
            confidence: item.confidence,
            tracker_id: None,
        };
        items.iter().map(mark).collect()
    };
    if apart {
        let left = draw_boxes(frame, &marks(first, 0), &style)?;
        let right = draw_boxes(frame, &marks(second, 1), &style)?;
        return beside(&left, &right);
    }
    draw_boxes(frame, &[marks(first, 0), marks(second, 1)].concat(), &style)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(class: &str, bbox: [f32; 4]) -> Detection {
        serde_json::from_value(json!({"class_name": class, "bbox": bbox})).unwrap()
    }

    #[test]
    fn f1_counts_each_match_once() {
        let star = || found("star", [0.0, 0.0, 10.0, 10.0]);
        let shifted = found("star", [1.0, 0.0, 11.0, 10.0]);
        assert_eq!(f1(&[], &[], 0.5), 1.0);
        assert_eq!(f1(&[star()], &[], 0.5), 0.0);
        assert_eq!(f1(&[star()], std::slice::from_ref(&shifted), 0.5), 1.0);
        // Two that overlap one: only the better of them is a match.
        assert_eq!(f1(&[star()], &[star(), shifted], 0.5), 2.0 / 3.0);
        assert_eq!(f1(&[star()], &[found("moon", [0.0, 0.0, 10.0, 10.0])], 0.5), 0.0);
    }
}
