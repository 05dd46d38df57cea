//! What `blur_region`, `draw_boxes`, `draw_masks` and `heatmap` work on: detections, or masks of a segmentation, or both.

use millrace_contracts::Kind;

use crate::block::{Problem, Subject};
use crate::ports::{InputPort, Placed};

/// The ports of these blocks; each says what it takes the two for.
pub(super) fn inputs(detections: &'static str, masks: &'static str) -> Vec<InputPort> {
    vec![
        InputPort::required("image", Kind::Image, "The picture."),
        InputPort::optional("detections", Kind::Detections, detections),
        InputPort::optional("masks", Kind::Segments, masks).or(Kind::Mask),
    ]
}

/// One of the two has to be wired.
pub(super) fn check(placed: &Placed<'_>) -> Vec<Problem> {
    if ["detections", "masks"].iter().any(|port| placed.inputs.contains_key(*port)) {
        return Vec::new();
    }
    vec![Problem {
        subject: Subject::MissingInput("detections"),
        message: "it needs `detections` or `masks`".to_owned(),
        hint: "wire a detection block's `detections`, or a segmentation block's `masks`".to_owned(),
    }]
}
