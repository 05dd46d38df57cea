//! Pictures by URL: fetched, measured by their header and stored, as if they had been sent along. Nothing is decoded here.

use futures::FutureExt;
use futures::future::BoxFuture;
use millrace_blocks::inputs::image_input::Config;
use millrace_contracts::fault::pointer_token;
use millrace_contracts::values::{ImageUrl, ImageValue};
use millrace_contracts::{ErrorKind, JobError};
use millrace_fetch::header::HeaderMap;
use millrace_fetch::{FetchError, read};
use millrace_vision::{Limits, probe};
use serde_json::Value;

use crate::error::{of_blobs, of_vision};
use crate::job::{JobContext, Outputs, Stage};
use crate::outside::of_fetch;
use crate::values;

/// Pictures of one input that are fetched at once.
const AT_ONCE: usize = 8;

pub(crate) fn run(context: &JobContext) -> BoxFuture<'_, Result<Outputs, JobError>> {
    fetch_all(context).boxed()
}

/// The job has one input, the port of the input node, whose value is a picture or lists of them.
async fn fetch_all(context: &JobContext) -> Result<Outputs, JobError> {
    let config: Config = values::config(context)?;
    let mut outputs = context.inputs.clone();
    for value in outputs.values_mut() {
        let mut wanted = Vec::new();
        find(value, String::new(), &mut wanted);
        let pictures = (wanted.len(), AT_ONCE);
        let fetching = wanted.into_iter().map(|(below, picture)| fetch(context, &config, below, picture));
        let fetched = context.in_parts(fetching, pictures).await?;
        for (below, image) in fetched {
            *value.pointer_mut(&below).expect("the picture was found there") = image.to_value();
        }
    }
    Ok(outputs)
}

/// Every picture to fetch inside `value`, with its place. As deep as the input's kind, which is bounded.
fn find(value: &Value, below: String, wanted: &mut Vec<(String, ImageUrl)>) {
    if let Some(picture) = ImageUrl::from_value(value) {
        wanted.push((below, picture));
    } else if let Value::Array(items) = value {
        items.iter().enumerate().for_each(|(index, item)| find(item, format!("{below}/{index}"), wanted));
    }
}

async fn fetch(
    context: &JobContext,
    config: &Config,
    below: String,
    picture: ImageUrl,
) -> Result<(String, ImageValue), JobError> {
    let place = || format!("/input/{}{below}", pointer_token(context.job.node_id.as_str()));
    let image = fetch_one(context, config, &picture).await.map_err(|error| error.at(place()))?;
    Ok((below, image))
}

async fn fetch_one(
    context: &JobContext,
    config: &Config,
    picture: &ImageUrl,
) -> Result<ImageValue, JobError> {
    let outside = &context.shared.outside;
    let limit = outside.picture_timeout();
    let fetching = async {
        let answer = outside.fetcher.get(&picture.url, HeaderMap::new()).await?;
        read(answer, outside.max_picture_bytes()).await
    };
    let fetched = context.clock.time(Stage::Fetch, tokio::time::timeout(limit, fetching)).await;
    let fetched = fetched.unwrap_or_else(|_| {
        let detail = format!("the picture did not come within {} ms", limit.as_millis());
        Err(FetchError::Network { host: "the server".to_owned(), detail })
    });
    let bytes = fetched.map_err(|error| {
        let error = of_fetch(&error);
        JobError { message: format!("the picture could not be fetched: {}", error.message), ..error }
    })?;
    // The least of three: the input's own, that of the server which took the run, and the worker's.
    let at_the_door = picture.max_pixels.unwrap_or(u64::MAX);
    let limits = Limits {
        max_pixels: config.max_pixels.min(at_the_door).min(context.shared.frames.max_pixels()),
        max_bytes: outside.max_picture_bytes(),
    };
    let head = bytes.clone();
    let header = context.cpu(Stage::Decode, move || probe(&head, &limits)).await?;
    let header = header.map_err(|error| of_vision(&error))?;
    let format = header.format.as_str();
    if let Some(wanted) = config.format.map(|format| format.as_str()).filter(|wanted| *wanted != format) {
        let message = format!("this is a {format} file, and the input takes {wanted} only");
        return Err(JobError::new(ErrorKind::InvalidInput, message));
    }
    let stored = context.clock.time(Stage::Upload, context.shared.blobs.put(bytes)).await;
    let blob = stored.map_err(|error| of_blobs(&error))?;
    Ok(ImageValue::root(blob, header.width, header.height, format))
}
