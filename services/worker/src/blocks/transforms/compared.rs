//! Boxes that are compared with each other: nothing but what comparing asks for, and no more of them than take a few seconds.

use millrace_contracts::values::Detection;
use millrace_contracts::{ErrorKind, JobError};

/// Boxes that are compared with each other at most: their pairs are what takes time.
pub(in crate::blocks) const MOST_COMPARED: usize = 30_000;

/// A box with its area.
#[derive(Debug, Clone, Copy)]
pub(super) struct Compared {
    bbox: [f32; 4],
    area: f32,
}

impl Compared {
    pub(super) fn of(item: &Detection) -> Self {
        Self { bbox: item.bbox, area: item.area() }
    }

    /// As [`Detection::iou`].
    pub(super) fn iou(&self, other: &Self) -> f32 {
        let ([ax1, ay1, ax2, ay2], [bx1, by1, bx2, by2]) = (self.bbox, other.bbox);
        let both = (ax2.min(bx2) - ax1.max(bx1)).max(0.0) * (ay2.min(by2) - ay1.max(by1)).max(0.0);
        let either = self.area + other.area - both;
        if either > 0.0 { both / either } else { 0.0 }
    }
}

/// Refuses more boxes than may be compared; `port` is where they came in.
pub(super) fn check_count(count: usize, port: &str) -> Result<(), JobError> {
    if count <= MOST_COMPARED {
        return Ok(());
    }
    let message = format!(
        "{count} boxes would be compared with each other, and {MOST_COMPARED} are allowed; raise the `confidence` of what \
         finds them, or keep fewer with a filter's `top_n`"
    );
    Err(JobError::new(ErrorKind::InvalidInput, message).at(format!("/inputs/{port}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn overlaps_are_those_of_the_detections() {
        let found = |bbox: [f32; 4]| -> Detection { serde_json::from_value(json!({"bbox": bbox})).unwrap() };
        let boxes =
            [[0.0, 0.0, 10.0, 10.0], [4.0, 1.5, 14.0, 10.0], [30.0, 0.0, 31.0, 1.0], [5.0, 5.0, 5.0, 9.0]];
        for one in boxes.map(found) {
            for other in boxes.map(found) {
                assert_eq!(Compared::of(&one).iou(&Compared::of(&other)), one.iou(&other));
            }
        }
    }

    #[test]
    fn more_boxes_than_can_be_compared_are_refused_with_a_way_out() {
        assert_eq!(check_count(MOST_COMPARED, "detections"), Ok(()));
        let refused = check_count(40_000, "detections").unwrap_err();
        assert_eq!(
            (refused.kind, refused.pointer.as_deref()),
            (ErrorKind::InvalidInput, Some("/inputs/detections"))
        );
        assert!(refused.message.contains("40000 boxes") && refused.message.contains("top_n"), "{refused}");
    }
}
