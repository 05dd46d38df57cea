//! Requests that are sent again with their `Idempotency-Key`.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::support::{Reply, World, constant, png, show};

/// A workflow that takes anything.
fn anything() -> Value {
    json!({"name": "anything", "nodes": [
        {"id": "x", "type": "parameter_input", "config": {"kind": "any", "default": 0}},
        {"id": "answer", "type": "json_output", "inputs": {"x": "$inputs.x"}},
    ]})
}

/// Another version of [`constant`], which asks for one more input.
fn asks_for_more() -> Value {
    let mut more = constant();
    let nodes = more["nodes"].as_array_mut().expect("a list of nodes");
    nodes.push(json!({"id": "wanted", "type": "parameter_input", "config": {"kind": "string"}}));
    more
}

impl World {
    /// Changes a workflow, twice, and deletes it, and after each checks what is answered to who sends again.
    async fn changes(
        &self,
        workflow: &str,
        unchanged: impl AsyncFn(&str) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let at = format!("/api/v1/workflows/{workflow}");
        let mut slower = constant();
        slower["nodes"][0]["config"]["default"] = json!(0.7);
        for other in [slower, asks_for_more()] {
            let put = Reply::of(self.request(Method::PUT, &at).json(&other)).await?;
            assert_eq!(put.status, 200, "{put:?}");
            unchanged("changed").await?;
        }
        assert_eq!(Reply::of(self.request(Method::DELETE, &at)).await?.status, 204);
        unchanged("deleted").await
    }
}

#[tokio::test]
async fn a_run_is_found_again_whatever_became_of_its_workflow() -> anyhow::Result<()> {
    let world = World::start().await?;
    let workflow = world.save(&constant()).await?;
    let path = format!("/api/v1/workflows/{workflow}/run");
    let body = json!({"input": {"min": 0.2}});
    let first = world.post_keyed(&path, &body, "k").await?;
    assert_eq!(first.status, 202, "{first:?}");
    let unchanged = async |what: &str| {
        let again = world.post_keyed(&path, &body, "k").await?;
        assert_eq!((again.status, &again.body), (202, &first.body), "{what}");
        assert_eq!(again.header("idempotency-replayed"), "true");
        let other = world.post_keyed(&path, &json!({"input": {"min": 0.3}}), "k").await?;
        other.problem(422, "IDEMPOTENCY_KEY_REUSED");
        Ok(())
    };
    world.changes(&workflow, unchanged).await?;
    world.post_keyed(&path, &body, "fresh").await?.problem(410, "GONE");
    world.stop().await
}

#[tokio::test]
async fn a_batch_is_found_again_whatever_became_of_its_workflow() -> anyhow::Result<()> {
    let world = World::start().await?;
    let workflow = world.save(&constant()).await?;
    let path = format!("/api/v1/workflows/{workflow}/run-batch");
    let body = json!({"inputs": [{"min": 0.1}, {"min": 0.2}], "timeout_ms": 5000});
    let first = world.post_keyed(&path, &body, "k").await?;
    assert_eq!((first.status, first.header("idempotency-replayed")), (202, ""), "{first:?}");
    let unchanged = async |what: &str| {
        let again = world.post_keyed(&path, &body, "k").await?;
        assert_eq!((again.status, &again.body), (202, &first.body), "{what}");
        assert_eq!(again.header("idempotency-replayed"), "true");
        let sooner = json!({"inputs": body["inputs"], "timeout_ms": 4000});
        world.post_keyed(&path, &sooner, "k").await?.problem(422, "IDEMPOTENCY_KEY_REUSED");
        Ok(())
    };
    world.changes(&workflow, unchanged).await?;
    world.stop().await
}

#[tokio::test]
async fn a_form_is_found_again_by_the_version_it_was_sent_to() -> anyhow::Result<()> {
    let world = World::start().await?;
    let workflow = world.save(&show()).await?;
    let path = format!("/api/v1/workflows/{workflow}/run");
    let send = async || {
        let photo = Part::bytes(png(3, 2)).file_name("photo.png");
        let form = Form::new().part("photo", photo).text("min", "0.5");
        let request = world.request(Method::POST, &path).header("idempotency-key", "k");
        Reply::of(request.multipart(form)).await
    };
    let first = send().await?;
    assert_eq!(first.status, 202, "{first:?}");
    // Of the version that follows neither is an input, and a file would be read as text.
    let put = world.request(Method::PUT, &format!("/api/v1/workflows/{workflow}")).json(&anything());
    assert_eq!(Reply::of(put).await?.status, 200);
    let again = send().await?;
    assert_eq!((again.status, &again.body), (202, &first.body));
    world.stop().await
}

#[tokio::test]
async fn what_the_record_writes_otherwise_is_the_same_when_it_is_sent_again() -> anyhow::Result<()> {
    let world = World::start().await?;
    let path = format!("/api/v1/workflows/{}/run", world.save(&anything()).await?);
    let plain = json!({"input": {"x": 1}, "timeout_ms": 5000});
    let odd = [
        plain.clone(),
        json!({"input": {"x": 1e16}}),
        json!({"input": {"x": -0.0}}),
        json!({"input": {"x": "a\u{0}b"}}),
        json!({"input": {"x": {"a\u{0}": 1}}}),
        json!({"labels": {"a\u{0}": "b\u{0}"}}),
    ];
    for (at, body) in odd.iter().enumerate() {
        let key = format!("k-{at}");
        let first = world.post_keyed(&path, body, &key).await?;
        assert_eq!(first.status, 202, "{first:?}");
        let again = world.post_keyed(&path, body, &key).await?;
        assert_eq!((again.status, &again.body), (202, &first.body), "{body}");
    }
    for other in [json!({"input": {"x": 1}, "timeout_ms": 4000}), json!({"input": {"x": 1}})] {
        world.post_keyed(&path, &other, "k-0").await?.problem(422, "IDEMPOTENCY_KEY_REUSED");
    }
    let turned = world.request(Method::POST, &path).header("idempotency-key", "k-0");
    let turned = turned.header("content-type", "application/json");
    let again = Reply::of(turned.body("{\"timeout_ms\": 5000, \"input\": {\"x\": 1}}")).await?;
    assert_eq!(again.header("idempotency-replayed"), "true", "{again:?}");
    world.stop().await
}

#[tokio::test]
async fn a_definition_that_came_along_is_part_of_what_is_asked_for() -> anyhow::Result<()> {
    let world = World::start().await?;
    let send = async |definition: Value| {
        world.post_keyed("/api/v1/executions", &json!({"workflow": definition}), "k").await
    };
    let (first, again) = (send(constant()).await?, send(constant()).await?);
    assert_eq!((first.status, &again.body), (202, &first.body), "{again:?}");
    assert_eq!(again.header("idempotency-replayed"), "true");
    for other in [anything(), json!({"name": "no workflow"})] {
        send(other).await?.problem(422, "IDEMPOTENCY_KEY_REUSED");
    }
    world.stop().await
}
