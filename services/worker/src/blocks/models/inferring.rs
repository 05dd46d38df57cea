//! What every block with a model does: get the pixels ready (the model is the job's: `JobContext::model`, as is running it).

use millrace_contracts::values::ImageValue;
use millrace_contracts::{BlobId, JobError};
use millrace_inference::InferenceError;
use millrace_vision::{Frame, Reduction};
use serde_json::{Value, json};

use crate::frames::Wanted;
use crate::images::check_reduced;
use crate::job::{JobContext, Stage};
use crate::values;

/// What a model's family makes of the image on the port `image`, by the thread that decodes it where it is not decoded yet.
pub(super) async fn prepared<T: Send + 'static>(
    context: &JobContext,
    (image, reduction): (&ImageValue, Reduction),
    prepare: impl FnOnce(&Frame) -> Result<T, InferenceError> + Send + 'static,
) -> Result<Result<T, InferenceError>, JobError> {
    let wanted = Wanted { blob: image.blob, reduction };
    let told = image.clone();
    let work = move |frame: &Frame| {
        check_reduced(frame, (&told, reduction))?;
        Ok(prepare(frame))
    };
    let prepared = context.on_frame(wanted, Stage::Preprocess, work).await.flatten();
    prepared.map_err(|error: JobError| error.at("/inputs/image"))
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
