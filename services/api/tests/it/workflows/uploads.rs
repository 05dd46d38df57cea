//! Submissions as multipart forms.

use millrace_contracts::BlobId;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::json;

use crate::support::{Reply, World, png, show};

fn picture(bytes: Vec<u8>) -> Part {
    Part::bytes(bytes).file_name("photo.png")
}

#[tokio::test]
async fn files_are_named_after_inputs() -> anyhow::Result<()> {
    let world = World::start().await?;
    let path = format!("/api/v1/workflows/{}/run", world.save(&show()).await?);
    let post = async |form: Form| Reply::of(world.request(Method::POST, &path).multipart(form)).await;

    let mut large = png(30, 20);
    large.resize(2_500_000, 7);
    let request = json!({"priority": "low", "input": {"min": 0.2}}).to_string();
    let accepted = post(Form::new().part("photo", picture(large.clone())).text("request", request)).await?;
    assert_eq!(accepted.status, 202, "{accepted:?}");
    let run = world.get(accepted.header("location")).await?.body;
    assert_eq!(run["input"]["photo"]["blob"], json!(BlobId::of(&large)));
    assert_eq!((&run["input"]["min"], &run["priority"]), (&json!(0.2), &json!("low")));

    let plain = post(Form::new().part("photo", picture(png(3, 2))).text("min", "0.9")).await?;
    assert_eq!(world.get(plain.header("location")).await?.body["input"]["min"], 0.9);

    let two = Form::new().part("photo", picture(png(3, 2))).part("photo", picture(png(4, 2)));
    post(two).await?.problem(422, "INVALID_INPUT").fault("INVALID_INPUT", Some("photo"), "/input/photo");
    let text = Form::new().part("photo", picture(b"this is a text file, called .png".to_vec()));
    post(text).await?.problem(422, "INVALID_INPUT").fault("UNSUPPORTED_IMAGE", Some("photo"), "/input/photo");
    let stray = Form::new().part("photo", picture(png(3, 2))).part("foto", picture(png(3, 2)));
    post(stray).await?.problem(422, "INVALID_INPUT").fault("UNKNOWN_INPUT", None, "/input/foto");
    post(Form::new().text("input", "{")).await?.problem(400, "MALFORMED_BODY");
    world.stop().await
}

#[tokio::test]
async fn a_definition_may_come_along_and_goes_first() -> anyhow::Result<()> {
    let world = World::start().await?;
    let post =
        async |form: Form| Reply::of(world.request(Method::POST, "/api/v1/executions").multipart(form)).await;
    let request = || json!({"workflow": show()}).to_string();
    let accepted = post(Form::new().text("request", request()).part("photo", picture(png(5, 5)))).await?;
    assert_eq!(accepted.status, 202, "{accepted:?}");
    // As `curl -F request=@workflow.json` sends it.
    let of_a_file = || Part::text(request()).file_name("workflow.json");
    let form = Form::new().part("request", of_a_file()).part("photo", picture(png(5, 5)));
    let accepted = post(form.part("input", Part::text("{\"min\": 0.1}").file_name("input.json"))).await?;
    assert_eq!(accepted.status, 202, "{accepted:?}");
    assert_eq!(world.get(accepted.header("location")).await?.body["input"]["min"], 0.1);
    let late = post(Form::new().part("photo", picture(png(5, 5))).text("request", request())).await?;
    late.problem(422, "INVALID_REQUEST").fault("MISSING_FIELD", None, "/workflow");
    let broken = json!({"workflow": {"nodes": [{"id": "a", "type": "teleport"}]}}).to_string();
    let refused = post(Form::new().text("request", broken)).await?;
    refused.problem(422, "INVALID_WORKFLOW").fault("UNKNOWN_BLOCK", Some("a"), "/workflow/nodes/0/type");
    world.stop().await
}

#[tokio::test]
async fn a_file_named_after_an_input_is_that_input() -> anyhow::Result<()> {
    let world = World::start().await?;
    let named = json!({"name": "named", "nodes": [
        {"id": "request", "type": "image_input"},
        {"id": "answer", "type": "json_output", "inputs": {"picture": "$inputs.request"}},
    ]});
    let path = format!("/api/v1/workflows/{}/run", world.save(&named).await?);
    let form = Form::new().part("request", picture(png(5, 5))).text("request", "{\"priority\": \"low\"}");
    let accepted = Reply::of(world.request(Method::POST, &path).multipart(form)).await?;
    assert_eq!(accepted.status, 202, "{accepted:?}");
    let run = world.get(accepted.header("location")).await?.body;
    assert_eq!((&run["input"]["request"]["width"], &run["priority"]), (&json!(5), &json!("low")));
    world.stop().await
}
