//! What every block with a model does: get the pixels ready (the model is the job's: `JobContext::model`, as is running it).

use millrace_contracts::values::ImageValue;
use millrace_contracts::{BlobId, JobError};
use millrace_inference::InferenceError;
use millrace_vision::{Frame, Reduction};
use serde_json::Value;

use crate::frames::Wanted;
use crate::images::check_reduced;
use crate::job::{JobContext, Stage};

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
    let made_of = format!("{}{}{}", context.job.task, image.blob, Value::Object(context.job.config.clone()));
    BlobId::of(made_of.as_bytes()).to_string()[..12].to_owned()
}
