//! What a request says of a model, checked field by field; and the same as it is recorded, and as workers need it.

mod tensors;

use std::collections::BTreeMap;

use millrace_contracts::model::{FILES, Origin, RegisteredModel, is_model_file, is_model_name};
use millrace_contracts::{Fault, Faults, UnixMillis};
use millrace_store::ModelRecord;
use serde_json::{Map, Value, json};

use crate::body;
use crate::fields;
use crate::problem::{Code, Problem};

/// The fields of a request.
const FIELDS: [&str; 11] = [
    "id",
    "source",
    "task",
    "family",
    "labels",
    "class_mapping",
    "checkpoint",
    "sha256",
    "files",
    "preprocess",
    "image",
];
const SOURCES: [&str; 2] = ["trained", "url"];
const TASKS: [&str; 5] = ["detection", "classification", "embedding", "segmentation", "tensor"];
/// Classes that one model may name.
const MOST_LABELS: usize = 100_000;
const MOST_ADDRESS_BYTES: usize = 2_048;

/// Reads the model that a request describes.
pub(crate) fn read(mut fields: Map<String, Value>) -> Result<RegisteredModel, Problem> {
    let mut faults = Faults::default();
    let same = fields::take(&mut fields, "model_id");
    let [id, source, task, family, labels, mapping, checkpoint, sha256, files, preprocess, image] =
        FIELDS.map(|name| fields::take(&mut fields, name));
    fields::refuse_rest(&fields, "", &FIELDS, &mut faults);
    let model = RegisteredModel {
        id: read_id(id, same, &mut faults).into(),
        source: one_of("source", source, (&SOURCES, Some("trained")), &mut faults),
        task: one_of("task", task, (&TASKS, None), &mut faults),
        family: text("family", family, &mut faults),
        labels: read_labels(labels, mapping, &mut faults),
        checkpoint: read_origin("/checkpoint", checkpoint, &mut faults),
        sha256: read_sha256(sha256, &mut faults),
        files: read_files(files, &mut faults),
        preprocess: read_preprocess(preprocess, &mut faults),
        image: tensors::read_image(image, &mut faults),
        registered_at: None,
    };
    tensors::check(&model, &mut faults);
    if let (Origin::Blob(id), Some(sha256)) = (&model.checkpoint, &model.sha256)
        && id.to_string() != *sha256
    {
        faults.push(Fault::new("INVALID_VALUE", "/sha256", "the checkpoint is a blob with another SHA-256"));
    }
    faults.or(model).map_err(|faults| Problem::faults(Code::InvalidRequest, faults))
}

/// As it is recorded.
pub(crate) fn record_of(model: &RegisteredModel) -> ModelRecord {
    ModelRecord {
        id: model.id.clone(),
        source: model.source.clone(),
        family: model.family.clone(),
        task: model.task.clone(),
        labels: model.labels.clone(),
        size_bytes: None,
        digest: model.sha256.clone(),
        location: Some(model.checkpoint.clone().into()),
        metadata: json!({"files": model.files, "preprocess": model.preprocess, "image": model.image}),
        created_at: UnixMillis(0),
        updated_at: UnixMillis(0),
    }
}

/// As workers need it; none for a record that says of no file where it is.
pub(crate) fn registered(record: &ModelRecord) -> Option<RegisteredModel> {
    let part = |name: &str| record.metadata.get(name).cloned().unwrap_or_else(|| json!({}));
    let model = RegisteredModel {
        id: record.id.clone(),
        source: record.source.clone(),
        task: record.task.clone(),
        family: record.family.clone(),
        labels: record.labels.clone(),
        checkpoint: Origin::try_from(record.location.clone()?).ok()?,
        sha256: record.digest.clone(),
        files: serde_json::from_value(part("files")).ok()?,
        preprocess: serde_json::from_value(part("preprocess")).ok()?,
        image: serde_json::from_value(record.metadata.get("image").cloned().unwrap_or_default()).ok()?,
        registered_at: None,
    };
    let registered_at = model.has_addresses().then_some(record.updated_at);
    Some(RegisteredModel { registered_at, ..model })
}

fn missing(name: &str, faults: &mut Faults) {
    faults.push(Fault::new("MISSING_FIELD", format!("/{name}"), format!("there is no `{name}`")));
}

fn text(name: &str, value: Option<Value>, faults: &mut Faults) -> Option<String> {
    match value? {
        Value::String(text) => Some(text),
        other => {
            let message = format!("`{name}` is a text, not {}", body::type_name(&other));
            faults.push(Fault::new("INVALID_TYPE", format!("/{name}"), message));
            None
        }
    }
}

/// The name, which answers call `model_id`.
fn read_id(id: Option<Value>, same: Option<Value>, faults: &mut Faults) -> String {
    let (name, value) = match (id, same) {
        (None, None) => {
            missing("id", faults);
            return String::new();
        }
        (None, same) => ("model_id", same),
        (Some(id), same) => {
            if same.is_some_and(|same| same != id) {
                let message = "`id` and `model_id` are the same thing; send one of them";
                faults.push(Fault::new("INVALID_VALUE", "/model_id", message));
            }
            ("id", Some(id))
        }
    };
    let id = text(name, value, faults).unwrap_or_default();
    if !id.is_empty() && !is_model_name(&id) {
        let fault = Fault::new("INVALID_VALUE", format!("/{name}"), "this cannot name a model");
        faults.push(fault.hint("write letters, digits, '.', '_' and '-', folders separated by '/'"));
    }
    id
}

fn one_of(
    name: &str,
    value: Option<Value>,
    (known, usual): (&[&str], Option<&str>),
    faults: &mut Faults,
) -> String {
    match (value, usual) {
        (None, Some(usual)) => usual.to_owned(),
        (None, None) => {
            missing(name, faults);
            String::new()
        }
        (value, _) => {
            let text = text(name, value, faults).unwrap_or_default();
            if !text.is_empty() && !known.contains(&text.as_str()) {
                let fault =
                    Fault::new("INVALID_VALUE", format!("/{name}"), format!("this is no {name} of a model"));
                faults.push(fault.hint(format!("write {}", known.join(", "))));
            }
            text
        }
    }
}

/// A list of names, or a map from index to name without gaps.
fn read_labels(labels: Option<Value>, mapping: Option<Value>, faults: &mut Faults) -> Vec<String> {
    let (name, value) = match (labels, mapping) {
        (None, None) => return Vec::new(),
        (Some(labels), None) => ("labels", labels),
        (None, Some(mapping)) => ("class_mapping", mapping),
        (Some(_), Some(_)) => {
            let message = "`labels` and `class_mapping` say the same; send one of them";
            faults.push(Fault::new("INVALID_VALUE", "/class_mapping", message));
            return Vec::new();
        }
    };
    let named = match value {
        Value::Array(names) => names.into_iter().map(into_text).collect::<Option<Vec<_>>>(),
        Value::Object(names) => by_index(names),
        _ => None,
    };
    named.filter(|names| names.len() <= MOST_LABELS).unwrap_or_else(|| {
        let fault = Fault::new("INVALID_VALUE", format!("/{name}"), "these are not the names of classes");
        faults.push(fault.hint(format!(
            "write a list of texts, or {{\"0\": \"first\", \"1\": \"second\"}} without gaps; at most {MOST_LABELS}"
        )));
        Vec::new()
    })
}

fn into_text(value: Value) -> Option<String> {
    if let Value::String(text) = value { Some(text) } else { None }
}

fn by_index(names: Map<String, Value>) -> Option<Vec<String>> {
    let mut by_index = BTreeMap::new();
    for (index, name) in names {
        by_index.insert(index.parse::<usize>().ok()?, into_text(name)?);
    }
    let whole = by_index.keys().copied().eq(0..by_index.len());
    whole.then(|| by_index.into_values().collect())
}

fn read_origin(pointer: &str, value: Option<Value>, faults: &mut Faults) -> Origin {
    let nowhere = || Origin::Url(String::new());
    let Some(value) = value else {
        missing(pointer.trim_start_matches('/'), faults);
        return nowhere();
    };
    let read = into_text(value).ok_or_else(|| "this is not a text".to_owned());
    let read = read.and_then(|text| match text.len() {
        0..=MOST_ADDRESS_BYTES => Origin::try_from(text),
        _ => Err(format!("an address has at most {MOST_ADDRESS_BYTES} bytes")),
    });
    read.unwrap_or_else(|why| {
        let fault = Fault::new("INVALID_VALUE", pointer, why);
        faults.push(fault.hint("write https://… or blob:<sha256>, as POST /api/v1/blobs answers it"));
        nowhere()
    })
}

fn read_sha256(value: Option<Value>, faults: &mut Faults) -> Option<String> {
    let sha256 = text("sha256", value, faults)?.to_ascii_lowercase();
    let sound = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !sound {
        faults.push(Fault::new("INVALID_VALUE", "/sha256", "this is no SHA-256 of 64 hexadecimal digits"));
    }
    sound.then_some(sha256)
}

fn read_files(value: Option<Value>, faults: &mut Faults) -> BTreeMap<String, Origin> {
    let Some(value) = value else { return BTreeMap::new() };
    let Value::Object(files) = value else {
        faults.push(Fault::new("INVALID_TYPE", "/files", "`files` is an object of names and addresses"));
        return BTreeMap::new();
    };
    let mut read = BTreeMap::new();
    for (name, origin) in files {
        if is_model_file(&name) {
            let origin = read_origin(&format!("/files/{name}"), Some(origin), faults);
            read.insert(name, origin);
        } else {
            let fault =
                Fault::new("UNKNOWN_FIELD", "/files", format!("{name:?} is no file that models have"));
            faults.push(fault.hint(format!(
                "the files are {}, and those of weights, such as model.onnx_data",
                FILES.join(", ")
            )));
        }
    }
    read
}

fn read_preprocess(value: Option<Value>, faults: &mut Faults) -> Map<String, Value> {
    match value {
        None => Map::new(),
        // A setting that is null asks for nothing, and the file workers write has no word for it.
        Some(Value::Object(keys)) => keys.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        Some(_) => {
            let message = "`preprocess` is an object, with keys of preprocessor_config.json";
            faults.push(Fault::new("INVALID_TYPE", "/preprocess", message));
            Map::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(value: Value) -> Result<RegisteredModel, Vec<String>> {
        let Value::Object(fields) = value else { unreachable!("tests send objects") };
        read(fields).map_err(|problem| problem.errors().iter().map(|fault| fault.pointer.clone()).collect())
    }

    #[test]
    fn a_model_is_the_same_after_it_was_recorded() {
        let model = parsed(json!({
            "id": "acme/parts", "task": "detection", "checkpoint": "https://models.example/best.onnx",
            "sha256": "AB".repeat(32), "class_mapping": {"1": "nut", "0": "bolt"},
            "files": {"config.json": "https://models.example/config.json", "best.onnx_data": "https://models.example/best.onnx_data"},
            "preprocess": {"size": 320, "do_pad": null},
        }))
        .unwrap();
        assert_eq!(
            (model.source.as_str(), model.labels.clone()),
            ("trained", vec!["bolt".into(), "nut".into()])
        );
        let mut record = record_of(&model);
        record.updated_at = UnixMillis(7);
        let expected = RegisteredModel { registered_at: Some(UnixMillis(7)), ..model.clone() };
        assert_eq!(registered(&record), Some(expected), "what is at its address may change");
        let blob = Origin::Blob(millrace_contracts::BlobId::of(b"x"));
        let fixed = RegisteredModel { checkpoint: blob, files: [].into(), sha256: None, ..model };
        let record = ModelRecord { updated_at: UnixMillis(7), ..record_of(&fixed) };
        assert_eq!(registered(&record), Some(fixed), "a blob is what it is");
    }

    #[test]
    fn a_model_may_be_named_as_answers_name_it() {
        let named = |names: Value| {
            let mut model = json!({"task": "detection", "checkpoint": "https://x"});
            model.as_object_mut().unwrap().extend(names.as_object().unwrap().clone());
            parsed(model).map(|model| model.id.to_string())
        };
        for names in [json!({"model_id": "a"}), json!({"id": "a", "model_id": "a"})] {
            assert_eq!(named(names), Ok("a".to_owned()));
        }
        assert_eq!(named(json!({"id": "a", "model_id": "b"})), Err(vec!["/model_id".to_owned()]));
        assert_eq!(named(json!({"model_id": "../x"})), Err(vec!["/model_id".to_owned()]));
    }

    #[test]
    fn every_mistake_is_told_in_its_place() {
        let faults = parsed(json!({
            "id": "../x", "source": "pretrained", "task": "magic", "family": 7, "labels": [1], "checkpoint": "x.onnx",
            "sha256": "12", "files": {"run.sh": "https://x"}, "preprocess": [], "speed": "fast",
        }));
        let places = [
            "/speed",
            "/id",
            "/source",
            "/task",
            "/family",
            "/labels",
            "/checkpoint",
            "/sha256",
            "/files",
            "/preprocess",
        ];
        assert_eq!(faults.unwrap_err(), places);
        assert_eq!(parsed(json!({})).unwrap_err(), ["/id", "/task", "/checkpoint"]);
        let gap = json!({"id": "a", "task": "detection", "checkpoint": "https://x", "class_mapping": {"0": "a", "2": "b"}});
        assert_eq!(parsed(gap).unwrap_err(), ["/class_mapping"]);
    }
}
