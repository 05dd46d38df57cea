//! What every block with a model does: get the pixels ready, and run them (the model is the job's: `JobContext::model`).

use std::sync::Arc;
use std::time::Instant;

use millrace_contracts::values::ImageValue;
use millrace_contracts::{BlobId, JobError};
use millrace_inference::{InferenceError, Inferred, Model, Part, Tensor};
use millrace_vision::{Frame, Reduction};
use serde_json::{Value, json};

use crate::frames::Wanted;
use crate::images::check_reduced;
use crate::job::{JobContext, Stage};
use crate::values;

/// What a model's graph gives for the image on the port `image`, and what its family has to know of it to read that. The thread
/// that decodes the picture, where it is not decoded yet, gets it ready and puts it in the model's queue: no other comes between.
pub(super) async fn inferred<P: Send + 'static>(
    context: &JobContext,
    (model, part): (&Arc<Model>, Part),
    (image, reduction): (&ImageValue, Reduction),
    prepare: impl FnOnce(&Frame) -> Result<(Vec<Tensor>, P), InferenceError> + Send + 'static,
    failed: impl Fn(&InferenceError) -> JobError,
) -> Result<(Inferred, P), JobError> {
    let wanted = Wanted { blob: image.blob, reduction };
    let told = image.clone();
    let (begin, clock) = (context.begin(model, part), context.clock.clone());
    let work = move |frame: &Frame| {
        check_reduced(frame, (&told, reduction))?;
        let since = Instant::now();
        let prepared = prepare(frame);
        // Before the model's thread is woken, which may take this one's core.
        clock.add(Stage::Preprocess, since.elapsed());
        Ok(prepared.map(|(inputs, placement)| (begin(inputs), placement)))
    };
    let begun = context.on_frame(wanted, work).await.flatten();
    let begun = begun.map_err(|error: JobError| error.at("/inputs/image"))?;
    let (begun, placement) = begun.map_err(|error| failed(&error))?;
    Ok((context.begun((model, part), begun).await?, placement))
}

/// The pixels of the image on the port `image`.
pub(super) async fn pixels(context: &JobContext, image: &ImageValue) -> Result<Frame, JobError> {
    let frame = context.frame(image.blob).await;
    frame.map_err(|error| error.at("/inputs/image"))
}

/// What the ids of these detections begin with: the same for the same picture, model and settings, since a result that
/// is made again, or found in a cache, must be the same result.
pub(super) fn id_prefix(context: &JobContext, image: &ImageValue) -> String {
    let config = Value::Object(context.job.config.clone());
    prefix(&format!("{}{}{config}", context.job.task, image.blob), image)
}

/// Two tiles may have the same bytes: what is found on them differs by where it is.
fn prefix(made_of: &str, image: &ImageValue) -> String {
    let place = values::lineage_of(image).map(|lineage| json!([lineage, image.parent_id]).to_string());
    let made_of = format!("{made_of}{}", place.unwrap_or_default());
    BlobId::of(made_of.as_bytes()).to_string()[..12].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_of_the_same_bytes_are_told_apart_by_their_place() {
        let root = ImageValue::root(BlobId::of(b"tile"), 8, 8, "png");
        let whole = ImageValue::root(BlobId::of(b"whole"), 16, 8, "png").lineage;
        let tile =
            |x: f64| ImageValue { lineage: whole.derive([1.0, 0.0, x, 0.0, 1.0, 0.0]), ..root.clone() };
        let of = |image: &ImageValue| prefix("detection@1", image);
        assert_eq!(of(&tile(8.0)), of(&tile(8.0)));
        let cut = ImageValue { parent_id: Some("a-1".to_owned()), ..tile(8.0) };
        let all = [of(&root), of(&tile(0.0)), of(&tile(8.0)), of(&cut)];
        assert!((1..4).all(|place| !all[..place].contains(&all[place])), "{all:?}");
    }
}
