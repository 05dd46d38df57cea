//! `GET /executions`.

use serde_json::{Value, json};

use crate::support::{World, constant};

fn ids(page: &Value) -> Vec<&str> {
    page["executions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|run| run["execution_id"].as_str())
        .collect()
}

#[tokio::test]
async fn runs_are_listed_newest_first_in_pages_and_filtered() -> anyhow::Result<()> {
    let world = World::start().await?;
    let workflow = world.save(&constant()).await?;
    let mut runs = Vec::new();
    for team in ["a", "b", "a"] {
        let path = format!("/api/v1/workflows/{workflow}/run");
        let accepted = world.post(&path, &json!({"labels": {"team": team}})).await?;
        runs.insert(0, accepted.body["execution_id"].as_str().unwrap().to_owned());
    }
    let get = async |query: &str| {
        Ok::<_, anyhow::Error>(world.get(&format!("/api/v1/executions?{query}")).await?.body)
    };
    let first = get("limit=2").await?;
    assert_eq!(ids(&first), runs[..2]);
    let second = get(&format!("limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).await?;
    assert_eq!((ids(&second), &second["next_cursor"]), (vec![runs[2].as_str()], &json!(null)));
    assert_eq!(ids(&get("label=team:a").await?), [&runs[0], &runs[2]]);
    assert_eq!(ids(&get(&format!("workflow_id={workflow}&status=pending")).await?).len(), 3);
    assert!(ids(&get("status=failed").await?).is_empty());
    assert_eq!(ids(&get("from=2020-01-01T00:00:00Z").await?).len(), 3);
    assert!(ids(&get("to=2020-01-01T00:00:00Z").await?).is_empty());

    for (query, pointer) in [
        ("status=done", "/status"),
        ("workflow_id=7", "/workflow_id"),
        ("label=team", "/label"),
        ("from=yesterday", "/from"),
        ("schedule_id=7", "/schedule_id"),
        ("rerun_of=7", "/rerun_of"),
        ("limit=1000", "/limit"),
    ] {
        let refused = world.get(&format!("/api/v1/executions?{query}")).await?;
        refused.problem(400, "INVALID_QUERY").fault("INVALID_VALUE", None, pointer);
    }
    world.get("/api/v1/executions?cursor=%25").await?.problem(400, "INVALID_CURSOR");
    let twice = world.get("/api/v1/executions?status=failed&status=completed").await?;
    twice.problem(400, "INVALID_QUERY").fault("INVALID_VALUE", None, "/status");
    world.stop().await
}

#[tokio::test]
async fn a_listed_run_tells_what_its_workflow_is_called() -> anyhow::Result<()> {
    let world = World::start().await?;
    let workflow = world.save(&constant()).await?;
    world.post(&format!("/api/v1/workflows/{workflow}/run"), &json!({})).await?;
    let mut renamed = constant();
    renamed["name"] = json!("renamed");
    let put = world.request(reqwest::Method::PUT, &format!("/api/v1/workflows/{workflow}")).json(&renamed);
    assert_eq!(crate::support::Reply::of(put).await?.status, 200);
    // An unsaved one, one without a name, one with a text that Postgres cannot take apart, and one that is not read for its name.
    for (name, help) in [
        (json!("own"), String::new()),
        (json!(null), String::new()),
        (json!("odd"), "\0".to_owned()),
        (json!("large"), (0..20_000_u64).map(|n| (n * n).to_string()).collect()),
    ] {
        let mut definition = constant();
        definition["nodes"][0]["config"] = json!({"kind": "string", "default": help});
        match name {
            Value::Null => drop(definition.as_object_mut().map(|fields| fields.remove("name"))),
            name => definition["name"] = name,
        }
        let accepted = world.post("/api/v1/executions", &json!({"workflow": definition})).await?;
        assert_eq!(accepted.status, 202, "{accepted:?}");
    }
    let page = world.get("/api/v1/executions").await?.body;
    let names: Vec<&Value> =
        page["executions"].as_array().into_iter().flatten().map(|run| &run["workflow_name"]).collect();
    assert_eq!(names, [&json!(null), &json!("odd"), &json!(null), &json!("own"), &json!("renamed")]);
    world.stop().await
}

#[tokio::test]
async fn a_run_that_has_just_ended_is_listed_so_before_it_is_recorded() -> anyhow::Result<()> {
    let mut world = World::start().await?;
    let mut player = world.play().await?;
    player.start().await?;
    (player.meta.jobs_completed, player.meta.jobs_failed) = (2, 1);
    player.complete(json!({})).await?;
    let list = async |world: &World, query: &str| {
        let page = world.get(&format!("/api/v1/executions?{query}")).await?.body;
        anyhow::Ok(page["executions"].as_array().cloned().unwrap_or_default())
    };
    let listed = list(&world, "").await?.remove(0);
    assert_eq!((&listed["status"], &listed["execution_id"]), (&json!("completed"), &json!(player.run)));
    assert_eq!(
        (&listed["inference_jobs_completed"], &listed["inference_jobs_failed"]),
        (&json!(2), &json!(1))
    );
    let shown = world.get(&format!("/api/v1/executions/{}", player.run)).await?.body;
    for run in [&listed, &shown] {
        // From the same moment as the record and the event count from, however long it waited to begin.
        let taken =
            run["completed_at"].as_i64().zip(run["created_at"].as_i64()).map(|(end, begun)| end - begun);
        assert!(taken.is_some() && run["duration_ms"].as_i64() == taken, "{run}");
    }
    assert_eq!(list(&world, "status=pending").await?, [] as [Value; 0]);
    // Without Redis, what the record says.
    world.redis.server().kill().await;
    assert_eq!(list(&world, "").await?.remove(0)["status"], "pending");
    world.shut_down();
    Ok(())
}
