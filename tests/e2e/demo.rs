//! The main job: a detection workflow on a real picture, by each way an image may come in.

use anyhow::Context;
use reqwest::StatusCode;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::support::Stack;
use crate::support::client::expect;
use crate::support::events::{check_gapless, durable};
use crate::support::scenes::{base64, demo_workflow, image_input, scene};

#[tokio::test]
async fn a_detection_workflow_runs_whichever_way_the_picture_comes() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let client = stack.client();
    let workflow = demo_workflow()?;
    let name = image_input(&workflow)?.to_owned();
    let id = client.save(&workflow).await?;
    let picture = scene(0)?;

    let blob = client.upload(picture.clone()).await?;
    let by_blob = client.run(&id, json!({&name: format!("blob:{blob}")})).await?;
    let by_base64 = client.run(&id, json!({&name: base64(&picture)})).await?;
    let data_uri = format!("data:image/jpeg;base64,{}", base64(&picture));
    let by_data_uri = client.run(&id, json!({&name: data_uri})).await?;
    let form = Form::new().part(name.clone(), Part::bytes(picture).file_name("scene.jpg"));
    let answer = client.post_form(&format!("/workflows/{id}/run"), form).await?;
    let by_form = expect(answer, StatusCode::ACCEPTED).await?["execution_id"].clone();
    let by_form = by_form.as_str().context("an accepted run has an id")?.to_owned();

    let mut results = Vec::new();
    for run in [by_blob, by_base64, by_data_uri, by_form] {
        let events = client.follow(&run, "?from=0").await?;
        check_gapless(&events, 1)?;
        let ended = client.get_json(&format!("/executions/{run}")).await?;
        assert_eq!(ended["status"], "completed", "{ended}");
        results.push(ended["outputs"].clone());
    }
    assert!(results[0].as_object().is_some_and(|outputs| !outputs.is_empty()), "{}", results[0]);
    assert_eq!(results[0], results[1], "the same picture gives the same result");
    assert_eq!(results[0], results[2]);
    assert_eq!(results[0], results[3]);
    Ok(())
}

/// Golden: scene 0 through the whole system gives the boxes of the reference. Within 1 px and 0.01, as the decoders of
/// JPEG may differ by a level or two.
#[tokio::test]
async fn the_detections_are_those_of_the_reference() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let client = stack.client();
    let workflow = json!({
        "name": "reference",
        "nodes": [
            {"id": "photo", "type": "image_input"},
            {"id": "detect", "type": "detection", "inputs": {"image": "$inputs.photo"},
             "config": {"model_id": "shapes-detector", "confidence": 0.25, "iou_threshold": 0.7}},
            {"id": "answer", "type": "json_output", "inputs": {"found": "$nodes.detect.detections"}},
        ]
    });
    let run = client.run_unsaved(&workflow, json!({"photo": base64(&scene(0)?)})).await?;
    let ended = client.ended(&run).await?;
    assert_eq!(ended["status"], "completed", "{ended}");
    let items =
        ended["outputs"]["answer"]["found"]["items"].as_array().context("detections have items")?.clone();

    let golden = crate::support::stack::root().join("tests/goldens/shapes-detector/golden.json");
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(golden)?)?;
    let expected = &golden["cases"][0]["expected"];
    assert_eq!(golden["cases"][0]["params"]["conf"], 0.25);
    let boxes = expected["boxes"].as_array().context("a golden has boxes")?;
    assert_eq!(items.len(), boxes.len());
    for (at, item) in items.iter().enumerate() {
        for side in 0..4 {
            let (have, want) = (item["bbox"][side].as_f64(), boxes[at][side].as_f64());
            let distance = have.zip(want).map_or(f64::INFINITY, |(have, want)| (have - want).abs());
            assert!(distance < 1.0, "box {at}: {item} against {}", boxes[at]);
        }
        let (have, want) = (item["confidence"].as_f64(), expected["scores"][at].as_f64());
        assert!(have.zip(want).is_some_and(|(have, want)| (have - want).abs() < 0.01), "score {at}");
        assert_eq!(item["class_name"], expected["names"][at]);
    }
    Ok(())
}

/// A client that comes late, leaves and returns sees each durable event once: first a snapshot, then what follows.
#[tokio::test]
async fn a_client_resumes_where_it_left() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let client = stack.client();
    let workflow = demo_workflow()?;
    let name = image_input(&workflow)?.to_owned();
    let run = client.run_unsaved(&workflow, json!({&name: base64(&scene(1)?)})).await?;
    let whole = client.follow(&run, "?from=0").await?;
    let last = check_gapless(&whole, 1)?;
    assert!(last >= 4, "a run of several nodes has several events, found {last}");

    let resumed = client.follow_after(&run, "", Some("1-2")).await?;
    assert_eq!(check_gapless(&resumed, 3)?, last);
    let late = client.follow(&run, "").await?;
    assert_eq!(late[0].name, "snapshot");
    assert_eq!(late[0].data["seq"].as_u64(), Some(last));
    assert!(durable(&late).is_empty(), "the snapshot contains everything");

    let texts = |events: &[crate::support::events::SseEvent]| {
        durable(events).into_iter().map(|event| event.data.clone()).collect::<Vec<_>>()
    };
    assert_eq!(texts(&whole)[2..], texts(&resumed)[..], "an event reads the same whenever it is read");
    let missing = client.get(&format!("/executions/{}/events", uuid::Uuid::now_v7())).await?;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    Ok(())
}
