//! What a model's first run is given: a blank, as its family prepares pictures and texts. It takes the ways, and the memory, of
//! what comes later, whatever sides and types the graph leaves open.

use millrace_vision::Frame;

use crate::{Family, InferenceError, Modality, Part, Tensor};

/// The blank picture, pixels: what a graph with free sides is usually shown, lying.
const PICTURE: (u32, u32) = (640, 480);

/// One row for the graph `part`; none for models of plain tensors, and for graphs that the family has no use for.
pub(crate) fn blank(family: &dyn Family, part: Part) -> Option<Result<Vec<Tensor>, InferenceError>> {
    let picture = || Frame::filled(PICTURE.0, PICTURE.1, [0; 3]);
    if let Some(embedder) = family.embedder() {
        let takes = |modality| embedder.part(modality).is_ok_and(|own| own == part);
        return if takes(Modality::Image) {
            Some(embedder.prepare_image(&picture()))
        } else {
            takes(Modality::Text).then(|| embedder.prepare_text(""))
        };
    }
    let prepared = if let Some(detector) = family.detector() {
        detector.prepare(&picture())
    } else if let Some(classifier) = family.classifier() {
        classifier.prepare(&picture())
    } else {
        family.segmenter()?.prepare(&picture())
    };
    Some(prepared.map(|prepared| prepared.inputs))
}
