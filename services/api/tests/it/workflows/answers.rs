//! Workflows that answer for themselves.

use reqwest::Method;
use serde_json::json;

use crate::support::{Follower, Player, World, counted};

#[tokio::test]
async fn a_workflow_that_answers_500_is_no_failure_of_the_servers() -> anyhow::Result<()> {
    let metrics = counted();
    let before = metrics.render();
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
    let after = metrics.render();
    let of = |status: &str| format!(r#"route="/api/v1/executions",status="{status}""#);
    for (name, label, counts) in [
        ("millrace_workflow_answers_total{", r#"status="500""#, true),
        ("millrace_http_requests_total{", &of("answered"), true),
        ("millrace_http_requests_total{", &of("500"), false),
    ] {
        let rose = sum(&after, name, label) > sum(&before, name, label);
        assert_eq!(rose, counts, "{name}{label}: {after}");
    }
    world.stop().await
}

/// What the lines of `name` with `label` count.
fn sum(text: &str, name: &str, label: &str) -> f64 {
    let lines = text.lines().filter(|line| line.starts_with(name) && line.contains(label));
    lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
}
