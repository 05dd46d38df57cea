//! The pictures among a run's outputs: each by its address, and within the answer for who asks for that, which spares one more
//! request for each.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::{StreamExt, stream};
use millrace_blobs::Blobs;
use millrace_contracts::BlobId;
use millrace_contracts::values::ImageValue;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::params::{Params, wrong};
use crate::problem::Problem;

/// Bytes of pictures, before they are encoded, that one answer takes along.
const MAX_BYTES: u64 = 16 << 20;
/// So long a store is given for them: whoever waits for the answer of a run that has ended is not told to send it again.
const PATIENCE: Duration = Duration::from_secs(5);
/// Calls of the store at once.
const READS_AT_ONCE: usize = 8;
/// After so many that do not fit, or are not there, no more are asked for.
const MOST_MISSES: usize = 64;

/// How pictures stand in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pictures {
    /// Each with the address of its bytes.
    Links,
    /// With the bytes too.
    Base64,
}

impl Pictures {
    /// What is asked for by `?images=`.
    pub(crate) fn read(params: &Params) -> Result<Self, Problem> {
        match params.text("images") {
            None | Some("links") => Ok(Self::Links),
            Some("base64") => Ok(Self::Base64),
            Some(other) => Err(wrong("images", other, "links or base64")),
        }
    }
}

/// Gives every picture inside `value` the address of its bytes, as `url`.
pub(crate) fn images_as_links(value: &mut Value) {
    of_each(value, &mut |blob, picture| picture["url"] = format!("/api/v1/blobs/{blob}").into());
}

/// Puts the bytes of every picture inside `value` beside its address, as `base64`; how many pictures stay without: those that no
/// room is left for, those whose blob cannot be read, and those that a slow store has not given in time.
pub(super) async fn images_inline(blobs: &Blobs, value: &mut Value) -> u32 {
    let deadline = Instant::now() + PATIENCE;
    let chosen = fitting(blobs, places(value), deadline).await;
    let reads = chosen.into_iter().map(|blob| async move { (blob, blobs.get_once(blob).await) });
    let mut reads = stream::iter(reads).buffer_unordered(READS_AT_ONCE);
    let mut encoded = HashMap::new();
    while let Ok(Some((blob, read))) = timeout_at(deadline, reads.next()).await {
        match read {
            Ok(bytes) => _ = encoded.insert(blob, STANDARD.encode(&bytes)),
            Err(error) => tracing::debug!(%blob, %error, "a picture is shown by its address alone"),
        }
    }
    let mut omitted = 0;
    of_each(value, &mut |blob, picture| match encoded.get(&blob) {
        Some(text) => picture["base64"] = text.as_str().into(),
        None => omitted += 1,
    });
    omitted
}

/// The pictures that there is room for, the first ones first. Their sizes are asked for before they are read: a blob may be far
/// larger than any answer.
async fn fitting(blobs: &Blobs, places: Vec<(BlobId, u64)>, deadline: Instant) -> Vec<BlobId> {
    let sizes =
        places.into_iter().map(|(blob, places)| async move { (blob, places, blobs.head(blob).await) });
    let mut sizes = stream::iter(sizes).buffered(READS_AT_ONCE);
    let (mut chosen, mut left, mut misses) = (Vec::new(), MAX_BYTES, 0);
    while misses < MOST_MISSES
        && let Ok(Some((blob, places, size))) = timeout_at(deadline, sizes.next()).await
    {
        let room = size.ok().flatten().and_then(|bytes| left.checked_sub(bytes.checked_mul(places)?));
        match room {
            Some(room) => {
                left = room;
                chosen.push(blob);
            }
            None => misses += 1,
        }
    }
    chosen
}

/// The pictures in the order in which they stand, each with the number of its places.
fn places(value: &mut Value) -> Vec<(BlobId, u64)> {
    let mut places: Vec<(BlobId, u64)> = Vec::new();
    let mut known = HashMap::new();
    of_each(value, &mut |blob, _| {
        let at = *known.entry(blob).or_insert(places.len());
        match places.get_mut(at) {
            Some((_, count)) => *count += 1,
            None => places.push((blob, 1)),
        }
    });
    places
}

fn of_each(value: &mut Value, act: &mut impl FnMut(BlobId, &mut Value)) {
    if let Some(picture) = ImageValue::from_value(value) {
        act(picture.blob, value);
        return;
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| of_each(item, act)),
        Value::Object(fields) => fields.values_mut().for_each(|field| of_each(field, act)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn images_get_an_address_at_any_depth() {
        let id = BlobId::of(b"x");
        let mut value =
            json!({"answer": {"pictures": [ImageValue::root(id, 1, 1, "png").to_value()], "n": 1}});
        images_as_links(&mut value);
        assert_eq!(value["answer"]["pictures"][0]["url"], format!("/api/v1/blobs/{id}"));
        assert_eq!(value["answer"]["n"], 1);
    }

    #[test]
    fn places_are_counted_in_the_order_of_the_first() {
        let picture = |of: &[u8]| ImageValue::root(BlobId::of(of), 1, 1, "png").to_value();
        let mut value = json!({"b": [picture(b"1"), picture(b"2")], "a": {"again": picture(b"1")}});
        assert_eq!(places(&mut value), [(BlobId::of(b"1"), 2), (BlobId::of(b"2"), 1)]);
    }
}
