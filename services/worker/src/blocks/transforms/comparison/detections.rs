//! Two sets of detections on one picture: which of one have a match in the other, as F1 and as a picture.

use std::collections::HashMap;

use millrace_blocks::transforms::comparison::{Config, Mode};
use millrace_contracts::values::Detection;
use millrace_contracts::{ErrorKind, JobError};
use millrace_vision::{BoxStyle, Frame, LabelStyle, Mark, VisionError, beside, beside_size, draw_boxes};

use crate::blocks::transforms::compared::{Compared, check_count};
use crate::error::of_vision;
use crate::images::{Made, check_size, pixels, store};
use crate::job::{JobContext, Outputs, Stage};
use crate::values;

/// Pairs of overlapping boxes that are matched at most: a few seconds' work, and 50 MB.
const MOST_PAIRS: usize = 4_000_000;

pub(super) async fn compare(context: &JobContext, config: &Config) -> Result<Outputs, JobError> {
    let image = values::image(context, "image")?;
    let first = values::detections_on(context, "detections_a", &image)?.items;
    let second = values::detections_on(context, "detections_b", &image)?.items;
    check_count(first.len() + second.len(), "detections_b")?;
    let frame = pixels(context, "image", &image).await?;
    let (apart, threshold) = (config.mode == Mode::SideBySide, config.iou_threshold as f32);
    if apart {
        check_size(context, beside_size((frame.width(), frame.height())))?;
    }
    let work = move || {
        let score = f1(&first, &second, threshold)?;
        let drawn = picture(&frame, &first, &second, apart).map_err(|error| of_vision(&error))?;
        Ok::<_, JobError>((score, drawn))
    };
    let (score, drawn) = context.cpu(Stage::Inference, work).await??;
    let made = Made::view(&image, drawn);
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
fn f1(first: &[Detection], second: &[Detection], threshold: f32) -> Result<f64, JobError> {
    if first.is_empty() && second.is_empty() {
        return Ok(1.0);
    }
    let mut pairs = pairs(first, second, threshold)?;
    pairs.sort_by(|(a, ..), (b, ..)| b.total_cmp(a));
    let (mut taken_a, mut taken_b) = (vec![false; first.len()], vec![false; second.len()]);
    let mut matches = 0;
    for (_, a, b) in pairs {
        let (taken_a, taken_b) = (&mut taken_a[a as usize], &mut taken_b[b as usize]);
        if !*taken_a && !*taken_b {
            (*taken_a, *taken_b) = (true, true);
            matches += 1;
        }
    }
    Ok(2.0 * f64::from(matches) / (first.len() + second.len()) as f64)
}

/// Every pair of one class that overlaps by the threshold or more: the overlap, and the positions.
fn pairs(
    first: &[Detection],
    second: &[Detection],
    threshold: f32,
) -> Result<Vec<(f32, u32, u32)>, JobError> {
    let mut by_class: HashMap<&str, Vec<(u32, Compared)>> = HashMap::new();
    for (b, other) in (0..).zip(second) {
        by_class.entry(&other.class_name).or_default().push((b, Compared::of(other)));
    }
    let mut pairs = Vec::new();
    for (a, own) in (0..).zip(first) {
        let (class, own) = (by_class.get(own.class_name.as_str()), Compared::of(own));
        for (b, other) in class.into_iter().flatten() {
            let overlap = own.iou(other);
            if overlap > 0.0 && overlap >= threshold {
                pairs.push((overlap, a, *b));
            }
        }
        if pairs.len() > MOST_PAIRS {
            let message = format!(
                "more than {MOST_PAIRS} pairs of the two sets overlap by {threshold} or more; raise `iou_threshold`, or leave \
                 boxes out that lie on others (a filter, or stitch with strategy nms)"
            );
            return Err(JobError::new(ErrorKind::InvalidInput, message).at("/inputs/detections_b"));
        }
    }
    Ok(pairs)
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
        assert_eq!(f1(&[], &[], 0.5), Ok(1.0));
        assert_eq!(f1(&[star()], &[], 0.5), Ok(0.0));
        assert_eq!(f1(&[star()], std::slice::from_ref(&shifted), 0.5), Ok(1.0));
        // Two that overlap one: only the better of them is a match.
        assert_eq!(f1(&[star()], &[star(), shifted], 0.5), Ok(2.0 / 3.0));
        assert_eq!(f1(&[star()], &[found("moon", [0.0, 0.0, 10.0, 10.0])], 0.5), Ok(0.0));
    }

    #[test]
    fn a_flood_of_overlapping_pairs_is_refused() {
        let heap = vec![found("star", [0.0, 0.0, 10.0, 10.0]); 2_001];
        let refused = f1(&heap, &heap, 0.5).unwrap_err();
        assert_eq!(refused.kind, ErrorKind::InvalidInput);
        assert!(refused.message.contains("iou_threshold"), "{refused}");
        let apart =
            (0..2_001).map(|at| found("star", [at as f32 * 20.0, 0.0, at as f32 * 20.0 + 10.0, 10.0]));
        let apart = apart.collect::<Vec<_>>();
        assert_eq!(f1(&apart, &apart, 0.5), Ok(1.0), "as many that lie apart are no trouble");
    }
}
