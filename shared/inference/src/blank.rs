//! What a model's first run is given: a blank, as its family prepares pictures and texts. It takes the ways, and the memory, of
//! what comes later, whatever sides and types the graph leaves open.

use millrace_vision::Frame;

use crate::{Family, InferenceError, Modality, Part, Tensor};

/// The blank picture, pixels: what a graph with free sides is usually shown, lying.
const PICTURE: (u32, u32) = (640, 480);
/// The same, standing.
const STANDING: (u32, u32) = (480, 640);

/// One row for the graph `part`; none for models of plain tensors, and for graphs that the family has no use for.
pub(crate) fn blank(family: &dyn Family, part: Part) -> Option<Result<Vec<Tensor>, InferenceError>> {
    let Some(embedder) = family.embedder() else { return picture(family, PICTURE) };
    let takes = |modality| embedder.part(modality).is_ok_and(|own| own == part);
    if takes(Modality::Image) {
        picture(family, PICTURE)
    } else {
        takes(Modality::Text).then(|| embedder.prepare_text(""))
    }
}

/// Width and height of the pictures that its graph is given; none where that depends on the picture, or it takes none. Asked of
/// the family itself, with two pictures: graphs often leave their sides open, and settings say in many ways what becomes of one.
pub(crate) fn input_size(family: &dyn Family) -> Option<[u32; 2]> {
    if family.embedder().is_some_and(|embedder| embedder.part(Modality::Image).is_err()) {
        return None;
    }
    let size = |of| sides(&picture(family, of)?.ok()?);
    size(PICTURE).filter(|lying| size(STANDING).as_ref() == Some(lying))
}

/// A blank picture of this size, prepared.
fn picture(family: &dyn Family, (width, height): (u32, u32)) -> Option<Result<Vec<Tensor>, InferenceError>> {
    let frame = Frame::filled(width, height, [0; 3]);
    if let Some(embedder) = family.embedder() {
        return Some(embedder.prepare_image(&frame));
    }
    let prepared = if let Some(detector) = family.detector() {
        detector.prepare(&frame)
    } else if let Some(classifier) = family.classifier() {
        classifier.prepare(&frame)
    } else {
        family.segmenter()?.prepare(&frame)
    };
    Some(prepared.map(|prepared| prepared.inputs))
}

/// Those of the picture among a graph's inputs: a row of three planes.
fn sides(inputs: &[Tensor]) -> Option<[u32; 2]> {
    inputs.iter().find_map(|tensor| match *tensor.shape() {
        [1, 3, height, width] => Some([u32::try_from(width).ok()?, u32::try_from(height).ok()?]),
        _ => None,
    })
}
