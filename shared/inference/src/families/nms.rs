//! Non-maximum suppression as the Ultralytics reference does it, in single precision throughout so that ties and
//! thresholds fall the same way.

use crate::DetectParams;

/// Boxes considered at most, the best first (the reference's `max_nms`).
const MOST_CONSIDERED: usize = 30_000;
/// Boxes of different classes are moved so far apart that they cannot overlap (the reference's `max_wh`), pixels.
const CLASS_OFFSET: f32 = 7680.0;

/// A box before suppression, network pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Candidate {
    /// `[x1, y1, x2, y2]`.
    pub(super) bbox: [f32; 4],
    pub(super) score: f32,
    pub(super) class: usize,
    /// Its place among the model's anchors.
    pub(super) anchor: usize,
}

/// The survivors, best first: stable order by score, intersection over union strictly above the threshold suppresses.
pub(super) fn suppress(mut candidates: Vec<Candidate>, params: &DetectParams) -> Vec<Candidate> {
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    candidates.truncate(MOST_CONSIDERED);
    let offset = |candidate: &Candidate| {
        let shift = if params.agnostic { 0.0 } else { candidate.class as f32 * CLASS_OFFSET };
        candidate.bbox.map(|corner| corner + shift)
    };
    let mut kept: Vec<Candidate> = Vec::new();
    let mut kept_boxes: Vec<[f32; 4]> = Vec::new();
    for candidate in &candidates {
        if kept.len() >= params.max_detections {
            break;
        }
        let own = offset(candidate);
        if !kept_boxes.iter().any(|other| overlap(other, &own) > params.iou) {
            kept.push(*candidate);
            kept_boxes.push(own);
        }
    }
    kept
}

/// The best first, as many as may be. Models of queries are made to find each thing once, so nothing is suppressed, unless
/// suppression across classes is asked for: one query may be found under two names.
pub(super) fn settled(mut candidates: Vec<Candidate>, params: &DetectParams) -> Vec<Candidate> {
    if params.agnostic {
        return suppress(candidates, params);
    }
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    candidates.truncate(params.max_detections);
    candidates
}

/// Intersection over union.
fn overlap(a: &[f32; 4], b: &[f32; 4]) -> f32 {
    let width = (a[2].min(b[2]) - a[0].max(b[0])).max(0.0);
    let height = (a[3].min(b[3]) - a[1].max(b[1])).max(0.0);
    let shared = width * height;
    let area = |c: &[f32; 4]| (c[2] - c[0]) * (c[3] - c[1]);
    shared / (area(a) + area(b) - shared + 1e-12)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(x: f32, score: f32, class: usize) -> Candidate {
        Candidate { bbox: [x, 0.0, x + 10.0, 10.0], score, class, anchor: 0 }
    }

    fn scores(candidates: Vec<Candidate>, params: &DetectParams) -> Vec<f32> {
        suppress(candidates, params).iter().map(|kept| kept.score).collect()
    }

    #[test]
    fn the_weaker_of_two_goes_unless_the_class_differs() {
        let all = vec![
            candidate(1.0, 0.5, 0),
            candidate(0.0, 0.9, 0),
            candidate(0.5, 0.7, 1),
            candidate(50.0, 0.3, 0),
        ];
        let params = DetectParams { iou: 0.5, ..DetectParams::default() };
        assert_eq!(scores(all.clone(), &params), [0.9, 0.7, 0.3]);
        assert_eq!(scores(all.clone(), &DetectParams { agnostic: true, ..params.clone() }), [0.9, 0.3]);
        assert_eq!(scores(all, &DetectParams { max_detections: 1, ..params }), [0.9]);
    }

    #[test]
    fn exactly_the_threshold_does_not_suppress() {
        // 10 × 10 boxes shifted by 5: the overlap is 50 / 150, one third.
        let pair = vec![candidate(0.0, 0.9, 0), candidate(5.0, 0.8, 0)];
        let third = overlap(&pair[0].bbox, &pair[1].bbox);
        let at = |iou| DetectParams { iou, ..DetectParams::default() };
        assert_eq!(scores(pair.clone(), &at(third)).len(), 2);
        assert_eq!(scores(pair, &at(third - 1e-4)).len(), 1);
    }

    #[test]
    fn equal_scores_keep_their_order() {
        let params = DetectParams::default();
        let kept = suppress(
            vec![candidate(100.0, 0.5, 3), candidate(0.0, 0.5, 1), candidate(50.0, 0.5, 2)],
            &params,
        );
        assert_eq!(kept.iter().map(|kept| kept.class).collect::<Vec<_>>(), [3, 1, 2]);
    }
}
