//! Workflows that answer for themselves.

use millrace_telemetry::MetricsHandle;
use reqwest::Method;
use serde_json::json;

use crate::support::{Follower, Player, World};

#[tokio::test]
async fn a_workflow_that_answers_500_is_no_failure_of_the_servers() -> anyhow::Result<()> {
    let metrics = MetricsHandle::install()?;
    let world = World::start().await?;
    let reply = json!({"name": "reply", "nodes": [
        {"id": "reply", "type": "api_response", "inputs": {"body": "out of bolts", "status": 500}},
    ]});
    let mut feed = Follower::open(world.request(Method::GET, "/api/v1/events?types=execute")).await?;
    let request =
        world.request(Method::POST, "/api/v1/executions?wait=20s").json(&json!({"workflow": reply}));
    let playing = async {
        let run = feed.expect("execute").await?.data["executionid"].as_str().unwrap_or_default().parse()?;
        let mut player = Player::new(world.bus.clone(), run);
        player.start().await?;
        player.complete(json!({"reply": {"body": "out of bolts", "status": 500}})).await
    };
    let client = async {
        let response = request.send().await?;
        anyhow::Ok((response.status().as_u16(), response.text().await?))
    };
    let (answer, played) = tokio::join!(client, playing);
    played?;
    assert_eq!(answer?, (500, "\"out of bolts\"".to_owned()));
    let text = metrics.render();
    let counted = |name: &str, label: &str| {
        text.lines().any(|line| line.starts_with(name) && line.contains(label) && line.ends_with(" 1"))
    };
    assert!(counted("millrace_workflow_answers_total{", r#"status="500""#), "{text}");
    assert!(counted("millrace_http_requests_total{", r#"status="answered""#), "{text}");
    assert!(!counted("millrace_http_requests_total{", r#"status="500""#), "{text}");
    world.stop().await
}
