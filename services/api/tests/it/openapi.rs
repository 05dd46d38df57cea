//! `/openapi.json` and `/docs`.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use millrace_compiler::{NODE_FIELDS, WORKFLOW_FIELDS};
use reqwest::Method;
use serde_json::json;

use crate::support::World;

/// Set to write the document instead of comparing it.
const REFRESH: &str = "MILLRACE_REFRESH_OPENAPI";

#[tokio::test]
async fn the_committed_document_is_the_served_one() -> anyhow::Result<()> {
    let world = World::start().await?;
    // Not by `get`, which holds answers against the document that may be about to change.
    let served = world.request(Method::GET, "/api/v1/openapi.json").send().await?.text().await?;
    let committed = Path::new("../../docs/openapi.json");
    if std::env::var_os(REFRESH).is_some() {
        std::fs::write(committed, format!("{served}\n"))?;
    }
    assert!(
        std::fs::read_to_string(committed)?.trim_end() == served,
        "docs/openapi.json is not what the api serves: run `make openapi`, and commit what changed"
    );
    world.stop().await
}

#[tokio::test]
async fn operations_are_named_once_and_each_tells_its_problem_and_its_scope() -> anyhow::Result<()> {
    let world = World::start().await?;
    let document = world.get("/api/v1/openapi.json").await?.body;
    assert_eq!(document["openapi"], "3.1.0");
    let mut names = HashSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap().iter().filter(|(name, _)| *name != "parameters")
        {
            let name = operation["operationId"].as_str().unwrap_or_default().to_owned();
            assert!(!name.is_empty() && names.insert(name.clone()), "{method} {path}: {name:?}");
            assert!(operation["summary"].is_string(), "{name} has no summary");
            assert!(operation["tags"][0].is_string(), "{name} has no tag");
            assert!(
                operation["responses"]["default"]["content"]["application/problem+json"].is_object(),
                "{name}"
            );
            // Logging in and out is for everybody, and so is this document.
            let scope = &operation["security"][0]["api_key"][0];
            let known = ["read", "run", "admin"].iter().any(|known| scope == known);
            assert!(
                known || ["log_in", "log_out", "get_openapi"].contains(&name.as_str()),
                "{name}: {scope}"
            );
            let named: Vec<&str> = path.split(['{', '}']).skip(1).step_by(2).collect();
            let described: HashSet<_> = operation["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|parameter| parameter["in"] == "path")
                .filter_map(|parameter| parameter["name"].as_str())
                .collect();
            assert!(
                named.iter().all(|name| described.contains(name)) && named.len() == described.len(),
                "{name}: {described:?}"
            );
        }
    }
    assert!(names.len() > 30, "{names:?}");
    world.stop().await
}

/// Routes that are added past the annotations would be served and not described.
#[tokio::test]
async fn a_client_made_from_it_keeps_all_of_a_workflow_and_bytes_as_they_are() -> anyhow::Result<()> {
    let world = World::start().await?;
    let document = world.get("/api/v1/openapi.json").await?.body;
    for (name, fields) in [("Definition", &WORKFLOW_FIELDS[..]), ("Node", &NODE_FIELDS[..])] {
        let described = document["components"]["schemas"][name]["properties"].as_object().unwrap();
        let described: BTreeSet<&str> = described.keys().map(String::as_str).collect();
        assert_eq!(described, fields.iter().copied().collect(), "{name}");
    }
    // A client that writes null for what is not set would be refused.
    for name in ["Definition", "Node", "Retry"] {
        let schema = &document["components"]["schemas"][name];
        assert!(!schema.to_string().contains("\"null\""), "{schema:#}");
    }
    let paths =
        document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
    let mut bodies = Vec::new();
    for operation in paths {
        let answers = operation["responses"].as_object().into_iter().flat_map(|answers| answers.values());
        for body in answers.chain([&operation["requestBody"]]) {
            bodies.extend(body["content"].get("application/octet-stream"));
        }
    }
    assert!(bodies.len() >= 5, "{bodies:?}");
    for body in bodies {
        let named = body["schema"]["$ref"].as_str().and_then(|name| name.rsplit('/').next());
        let schema = named.map_or(&body["schema"], |name| &document["components"]["schemas"][name]);
        assert_eq!((&schema["type"], &schema["format"]), (&json!("string"), &json!("binary")), "{body}");
    }
    world.stop().await
}

#[test]
fn every_route_of_the_api_is_made_from_its_description() {
    let router = include_str!("../../src/router.rs");
    let bare: Vec<&str> =
        router.lines().filter(|line| line.contains(".route(") && !line.contains("\"/docs")).collect();
    assert!(bare.is_empty(), "use `.routes(routes!(…))`, and annotate the handler: {bare:#?}");
}

#[tokio::test]
async fn the_page_is_bundled_and_refers_to_nothing_elsewhere() -> anyhow::Result<()> {
    let world = World::start().await?;
    let page = world.get("/docs").await?;
    let html = String::from_utf8(page.bytes.clone())?;
    assert!(page.status == 200 && html.contains("swagger-ui"), "{html}");
    assert!(page.header("content-security-policy").contains("connect-src 'self'"));
    let files: Vec<&str> =
        html.split(['"', '\'']).filter(|text| text.ends_with(".js") || text.ends_with(".css")).collect();
    assert!(files.len() >= 3 && !files.iter().any(|file| file.contains("//")), "{files:?}");
    for file in files {
        let reply = world.get(&format!("/docs/{}", file.trim_start_matches("./"))).await?;
        assert_eq!(reply.status, 200, "{file}");
    }
    world.get("/docs/no-such-file.js").await?.problem(404, "ROUTE_NOT_FOUND");
    world.stop().await
}
