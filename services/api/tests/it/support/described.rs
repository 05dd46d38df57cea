//! Every answer the tests get is held against the document: its operation, its status, its content type, its body.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{LazyLock, Mutex};

use jsonschema::Validator;
use reqwest::Method;
use serde_json::Value;

/// The committed document.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    // Read and not included: it is refreshed without building the tests anew.
    let path = Path::new("../../docs/openapi.json");
    let text = std::fs::read_to_string(path).expect("docs/openapi.json is there");
    serde_json::from_str(&text).expect("docs/openapi.json is JSON")
});

static VALIDATORS: LazyLock<Mutex<HashMap<String, Validator>>> = LazyLock::new(Mutex::default);

/// Checks an answer.
#[track_caller]
pub(crate) fn check(method: &Method, path: &str, status: u16, content_type: &str, body: &Value) {
    // HEAD is GET without the body.
    if *method == Method::HEAD {
        return;
    }
    let Some((operation, name)) = operation(method, path) else {
        // An address that does not exist, or has other methods, is answered so.
        assert!(
            matches!(status, 403..=405 | 421 | 503) || !path.starts_with("/api/"),
            "{method} {path} is not described"
        );
        return;
    };
    let responses = &operation["responses"];
    let described = if responses[status.to_string()].is_null() { "default" } else { &status.to_string() };
    assert!(status >= 400 || described != "default", "{method} {path} does not describe {status}");
    let content = &responses[described]["content"];
    let essence = content_type.split(';').next().unwrap_or_default();
    if essence != "application/json" && essence != "application/problem+json" {
        return;
    }
    assert!(!content[essence].is_null(), "{method} {path} does not describe {essence} for {status}");
    let key = format!("{name} {described} {essence}");
    let mut validators = VALIDATORS.lock().expect("no check panics with the lock held");
    let validator = validators.entry(key).or_insert_with(|| {
        let mut schema = content[essence]["schema"].clone();
        schema["components"] = DOCUMENT["components"].clone();
        jsonschema::draft202012::new(&schema).expect("the document's schemas are sound")
    });
    let faults: Vec<String> =
        validator.iter_errors(body).map(|fault| format!("{} at {}", fault, fault.instance_path())).collect();
    drop(validators);
    assert!(faults.is_empty(), "{method} {path} {status} is not as described: {faults:#?}\n{body:#}");
}

/// Every operation: its method, and its address with `none` in place of each parameter.
pub(crate) fn operations() -> Vec<(Method, String)> {
    let none = |part: &str| if part.starts_with('{') { "none".to_owned() } else { part.to_owned() };
    let paths = DOCUMENT["paths"].as_object().expect("the document has paths");
    let of = |(path, item): (&String, &Value)| {
        let address = path.split('/').map(none).collect::<Vec<_>>().join("/");
        let methods: Vec<String> = item.as_object().expect("a path is an object").keys().cloned().collect();
        methods.into_iter().filter_map(move |method| {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).ok()?;
            Some((method, address.clone()))
        })
    };
    let known = [Method::GET, Method::POST, Method::PUT, Method::DELETE];
    paths.iter().flat_map(of).filter(|(method, _)| known.contains(method)).collect()
}

/// The operation that serves `path`, with its name; addresses without parameters go first.
fn operation(method: &Method, path: &str) -> Option<(&'static Value, &'static str)> {
    let paths = DOCUMENT["paths"].as_object()?;
    let fits = |template: &str| {
        let (mut wanted, mut given) = (template.split('/'), path.split('/'));
        let same = wanted
            .by_ref()
            .zip(given.by_ref())
            .all(|(wanted, given)| wanted.starts_with('{') || wanted == given);
        same && template.split('/').count() == path.split('/').count()
    };
    let mut found: Vec<&String> = paths.keys().filter(|template| fits(template)).collect();
    found.sort_by_key(|template| template.contains('{'));
    let template = found.first()?;
    let operation = paths[*template].get(method.as_str().to_lowercase())?;
    Some((operation, operation["operationId"].as_str()?))
}
