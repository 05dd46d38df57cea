//! What a request says, checked field by field, so that every mistake is told at once.

use millrace_config::Collections as Limits;
use millrace_contracts::{Fault, Faults};
use millrace_store::{Collections, Metric, Nearest, NewCollection, Point};
use serde_json::{Map, Value};

use crate::body;
use crate::fields::{self, take};
use crate::problem::{Code, Problem};

/// Characters of a collection's name.
const MAX_NAME: usize = 64;
/// Characters of a point's id.
const MAX_ID: usize = 256;
/// Matches of a search that does not say.
const USUAL_TOP_K: u32 = 10;
/// Mistakes of one request that are told.
const MOST_FAULTS: usize = 100;

/// Reads the collection that a request describes.
pub(crate) fn new_collection(mut fields: Map<String, Value>) -> Result<NewCollection, Problem> {
    let mut faults = Faults::default();
    let name = text(take(&mut fields, "name"), is_name).unwrap_or_else(|| {
        let fault = Fault::new("INVALID_NAME", "/name", "this cannot name a collection");
        let hint =
            format!("write 1 to {MAX_NAME} letters, digits, '-', '_' and '.', a letter or digit first");
        faults.push(fault.hint(hint));
        String::new()
    });
    let dimension = whole(
        take(&mut fields, "dimension").as_ref(),
        ("/dimension", Collections::MAX_DIMENSION),
        &mut faults,
    );
    let metric = match take(&mut fields, "metric") {
        None => Metric::default(),
        Some(given) => given.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| {
            faults.push(Fault::new("INVALID_VALUE", "/metric", "`metric` is cosine or dot"));
            Metric::default()
        }),
    };
    refuse_rest(fields, "", &["name", "dimension", "metric"], &mut faults);
    faults
        .or(NewCollection { name, dimension, metric })
        .map_err(|faults| Problem::faults(Code::InvalidRequest, faults))
}

/// Reads the points of a request.
pub(crate) fn points(mut fields: Map<String, Value>, limits: &Limits) -> Result<Vec<Point>, Problem> {
    let mut faults = Faults::default();
    let most = limits.max_batch as usize;
    let items = match take(&mut fields, "points") {
        Some(Value::Array(items)) if (1..=most).contains(&items.len()) => items,
        _ => {
            let fault =
                Fault::new("INVALID_VALUE", "/points", format!("`points` is a list of 1 to {most} points"));
            faults.push(fault.hint("send more in several requests"));
            Vec::new()
        }
    };
    let mut points = Vec::with_capacity(items.len());
    for (position, item) in items.into_iter().enumerate() {
        points.extend(point(item, &format!("/points/{position}"), limits, &mut faults));
        if faults.0.len() >= MOST_FAULTS {
            break;
        }
    }
    refuse_rest(fields, "", &["points"], &mut faults);
    faults.or(points).map_err(|faults| Problem::faults(Code::InvalidRequest, faults))
}

/// Reads what a request looks for.
pub(crate) fn nearest(mut fields: Map<String, Value>) -> Result<Nearest, Problem> {
    let mut faults = Faults::default();
    let vector = vector(take(&mut fields, "vector").as_ref(), "/vector", &mut faults);
    let top_k = match take(&mut fields, "top_k") {
        None => USUAL_TOP_K,
        given => whole(given.as_ref(), ("/top_k", Nearest::MAX_TOP_K), &mut faults),
    };
    let min_score = take(&mut fields, "min_score");
    if min_score.as_ref().is_some_and(|given| !given.is_number()) {
        faults.push(Fault::new("INVALID_VALUE", "/min_score", "`min_score` is a number"));
    }
    let filter = object(take(&mut fields, "filter"), "/filter", &mut faults);
    refuse_rest(fields, "", &["vector", "top_k", "min_score", "filter"], &mut faults);
    let nearest = Nearest { vector, top_k, min_score: min_score.and_then(|given| given.as_f64()), filter };
    faults.or(nearest).map_err(|faults| Problem::faults(Code::InvalidRequest, faults))
}

fn point(item: Value, place: &str, limits: &Limits, faults: &mut Faults) -> Option<Point> {
    let Value::Object(mut fields) = item else {
        faults.push(Fault::new("INVALID_TYPE", place, "a point is an object with `id` and `vector`"));
        return None;
    };
    let is_id = |text: &str| (1..=MAX_ID).contains(&text.chars().count()) && !text.contains(char::is_control);
    let id = text(take(&mut fields, "id"), is_id);
    if id.is_none() {
        let message = format!("`id` is a text of 1 to {MAX_ID} characters");
        faults.push(Fault::new("INVALID_VALUE", format!("{place}/id"), message));
    }
    let vector = vector(take(&mut fields, "vector").as_ref(), &format!("{place}/vector"), faults);
    let at_payload = format!("{place}/payload");
    let payload = object(take(&mut fields, "payload"), &at_payload, faults);
    let most = limits.max_payload;
    if serde_json::to_string(&payload).map_or(0, |text| text.len()) > most.as_usize() {
        faults.push(Fault::new("INVALID_VALUE", at_payload, format!("a payload has at most {most}")));
    }
    refuse_rest(fields, place, &["id", "vector", "payload"], faults);
    Some(Point { id: id.unwrap_or_default(), vector, payload })
}

fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.len() <= MAX_NAME && text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(plain)
}

fn text(given: Option<Value>, is_good: impl Fn(&str) -> bool) -> Option<String> {
    match given {
        Some(Value::String(text)) if is_good(&text) => Some(text),
        _ => None,
    }
}

/// A whole number from 1 to `most`.
fn whole(given: Option<&Value>, (place, most): (&str, u32), faults: &mut Faults) -> u32 {
    let number = given.and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
    number.filter(|number| (1..=most).contains(number)).unwrap_or_else(|| {
        let message = format!("`{}` is a whole number from 1 to {most}", place.trim_start_matches('/'));
        faults.push(Fault::new("INVALID_VALUE", place, message));
        1
    })
}

/// A vector: numbers that single precision can hold.
fn vector(given: Option<&Value>, place: &str, faults: &mut Faults) -> Vec<f32> {
    let number =
        |value: &Value| value.as_f64().map(|number| number as f32).filter(|number| number.is_finite());
    let numbers = match given {
        Some(Value::Array(items)) if items.len() <= Collections::MAX_DIMENSION as usize => {
            items.iter().map(number).collect::<Option<Vec<_>>>()
        }
        _ => None,
    };
    numbers.filter(|numbers| !numbers.is_empty()).unwrap_or_else(|| {
        let message =
            format!("a vector is a list of 1 to {} numbers of single precision", Collections::MAX_DIMENSION);
        faults.push(Fault::new("INVALID_VALUE", place, message));
        Vec::new()
    })
}

fn object(given: Option<Value>, place: &str, faults: &mut Faults) -> Map<String, Value> {
    match given {
        None => Map::new(),
        Some(Value::Object(fields)) => fields,
        Some(other) => {
            let message = format!("an object is wanted here, not {}", body::type_name(&other));
            faults.push(Fault::new("INVALID_TYPE", place, message));
            Map::new()
        }
    }
}

/// Refuses the fields that nothing has taken, as long as they say something; those that may be there are `known`.
fn refuse_rest(mut fields: Map<String, Value>, place: &str, known: &[&str], faults: &mut Faults) {
    fields.retain(|_, value| !value.is_null());
    fields::refuse_rest(&fields, place, known, faults);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "callers write literals")]
    fn fields(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    fn places<T>(read: Result<T, Problem>) -> Vec<String> {
        let problem = read.err().map(|problem| problem.errors().to_vec());
        problem.unwrap_or_default().into_iter().map(|fault| fault.pointer).collect()
    }

    #[test]
    fn what_is_left_out_is_as_usual() {
        let new = new_collection(fields(json!({"name": "a.b-c_1", "dimension": 3, "metric": null}))).unwrap();
        assert_eq!((new.dimension, new.metric), (3, Metric::Cosine));
        let wanted = nearest(fields(json!({"vector": [1, 0.5], "filter": null}))).unwrap();
        let usual = Nearest { vector: vec![1.0, 0.5], top_k: 10, min_score: None, filter: Map::new() };
        assert_eq!(wanted, usual);
        let read =
            points(fields(json!({"points": [{"id": "a", "vector": [1]}]})), &Limits::default()).unwrap();
        assert_eq!(read, [Point { id: "a".to_owned(), vector: vec![1.0], payload: Map::new() }]);
    }

    #[test]
    fn every_mistake_is_told_in_its_place() {
        let wrong = json!({"name": "a b", "dimension": 4097, "metric": "l2", "size": 1});
        assert_eq!(places(new_collection(fields(wrong))), ["/name", "/dimension", "/metric", "/size"]);
        for name in ["", ".", "-a", &"a".repeat(65), "ü"] {
            assert_eq!(
                places(new_collection(fields(json!({"name": name, "dimension": 1})))),
                ["/name"],
                "{name}"
            );
        }
        let wrong = json!({"vector": [], "top_k": 0, "min_score": "x", "filter": 1});
        assert_eq!(places(nearest(fields(wrong))), ["/vector", "/top_k", "/min_score", "/filter"]);
        let wrong = json!({"points": [
            {"id": "a", "vector": [1, "2"]}, {"id": "", "vector": [1], "payload": 3}, 4,
            {"id": "b", "vector": [1e39]}, {"id": "c\u{0}", "vector": [null], "text": ""},
            {"id": "d", "vector": [1], "payload": {"text": "x".repeat(17_000)}},
        ]});
        let expected = [
            "/points/0/vector",
            "/points/1/id",
            "/points/1/payload",
            "/points/2",
            "/points/3/vector",
            "/points/4/id",
            "/points/4/vector",
            "/points/4/text",
            "/points/5/payload",
        ];
        assert_eq!(places(points(fields(wrong), &Limits::default())), expected);
    }

    #[test]
    fn points_come_in_bounded_numbers_and_mistakes_are_told_in_bounded_numbers() {
        let limits = Limits { max_batch: 500, ..Limits::default() };
        let many = |count: usize, vector: Value| json!({"points": vec![json!({"id": "a", "vector": vector}); count]});
        assert_eq!(points(fields(many(500, json!([1]))), &limits).unwrap().len(), 500);
        assert_eq!(places(points(fields(many(501, json!([1]))), &limits)), ["/points"]);
        assert_eq!(places(points(fields(many(0, json!([1]))), &limits)), ["/points"]);
        assert_eq!(places(points(fields(many(500, json!([]))), &limits)).len(), MOST_FAULTS);
    }
}
