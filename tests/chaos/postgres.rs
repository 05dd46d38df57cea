//! Invariant 6: Postgres may be away for minutes. Runs go on, streams go on, submissions are refused with the time to come back,
//! and afterwards every event is recorded once.

use std::time::{Duration, Instant};

use anyhow::Context;
use futures::future::try_join_all;
use millrace_testkit::eventually;
use reqwest::header::RETRY_AFTER;
use serde_json::{Value, json};

use crate::client::Client;
use crate::events::{check_gapless, durable};
use crate::load::{Pictures, all_ended, submit};
use crate::roles::Site;
use crate::{check, size};

/// Jobs of a run, with a pause before each.
const STEPS: usize = 4;
/// Submissions while Postgres is away.
const SUBMISSIONS: usize = 20;
/// Streams that are followed through the outage.
const FOLLOWED: usize = 8;

/// Pauses and jobs in turn, `pause` each: a run that outlasts the beginning of an outage.
fn patient(pause: Duration) -> Value {
    let mut nodes = vec![json!({"id": "photo", "type": "image_input"})];
    let mut image = "$inputs.photo".to_owned();
    for step in 0..STEPS {
        let (hold, small) = (format!("hold{step}"), format!("small{step}"));
        nodes.push(json!({"id": hold, "type": "delay", "inputs": {"value": image}, "config": {"ms": pause.as_millis() as u64}}));
        nodes
            .push(json!({"id": small, "type": "resize", "inputs": {"image": format!("$nodes.{hold}.value")},
            "config": {"width": 64 - step}, "cache": "off"}));
        image = format!("$nodes.{small}.image");
    }
    nodes.push(json!({"id": "answer", "type": "json_output", "inputs": {"picture": image}}));
    json!({"name": "patient", "nodes": nodes})
}

/// Submissions during the outage: each is refused as one that may be sent again. How many, and the slowest answer.
async fn refusals(client: &Client, workflow: &str, pictures: &Pictures) -> anyhow::Result<(usize, Duration)> {
    let body = json!({"input": {"photo": pictures.sound}});
    let path = format!("/workflows/{workflow}/run");
    let refuse = async || {
        let begun = Instant::now();
        let answer = client.post(&path, &body).await?;
        let (status, pause) = (answer.status(), answer.headers().get(RETRY_AFTER).cloned());
        let problem: Value = answer.json().await?;
        anyhow::ensure!(status == 503 && pause.is_some(), "{status} {pause:?} {problem}");
        anyhow::ensure!(
            problem["code"] == "DATABASE_UNAVAILABLE" && problem["retryable"] == true,
            "{problem}"
        );
        Ok(begun.elapsed())
    };
    let took = try_join_all((0..SUBMISSIONS).map(|_| refuse())).await?;
    Ok((took.len(), took.into_iter().max().unwrap_or_default()))
}

/// Reads during the outage: what only the record knows is refused as one that may be sent again. The slowest answer.
async fn unread(client: &Client) -> anyhow::Result<Duration> {
    let refuse = async |path: &str| {
        let begun = Instant::now();
        let answer = client.get(path).await?;
        let (status, pause) = (answer.status(), answer.headers().get(RETRY_AFTER).cloned());
        let problem: Value = answer.json().await?;
        anyhow::ensure!(
            status == 503 && pause.is_some() && problem["code"] == "DATABASE_UNAVAILABLE",
            "{path}: {status} {pause:?} {problem}"
        );
        anyhow::Ok(begun.elapsed())
    };
    let paths = ["/executions", "/workflows", "/inference/jobs", "/stats", "/collections", "/audit"];
    let took = try_join_all(paths.map(refuse)).await?;
    Ok(took.into_iter().max().unwrap_or_default())
}

/// Waits until a run is under way: before, Postgres alone knows it.
async fn begun(client: &Client, run: &str) -> anyhow::Result<()> {
    eventually(Duration::from_secs(60), "the run begins", async || {
        let shown = client.get_json(&format!("/executions/{run}")).await?;
        anyhow::Ok((shown["status"] != "pending").then_some(()))
    })
    .await
}

/// How long a read or a submission may take to be refused.
const REFUSED_WITHIN: Duration = Duration::from_secs(2);

#[tokio::test]
async fn runs_and_streams_outlive_an_outage_of_postgres() -> anyhow::Result<()> {
    let (runs, outage) = (size(40, 400), Duration::from_secs(size(8, 60) as u64));
    let mut site = Site::with_a_postgres_of_its_own().await?;
    let _roles = [site.api()?, site.orchestrator()?, site.writer()?, site.worker()?];
    let (client, record) = (site.client().await?, check::record(&site.postgres.url()).await?);
    let pictures = Pictures::upload(&client).await?;
    // Over well before the outage is.
    let workflow = client.save(&patient(outage / (2 * STEPS as u32))).await?;
    let submitted = submit(&client, &workflow, runs, |_| json!({"photo": pictures.sound})).await?;
    try_join_all(submitted.iter().take(FOLLOWED).map(|run| begun(&client, run))).await?;
    let followers = try_join_all(submitted.iter().take(FOLLOWED).map(|run| client.follow(run, "?from=0")));

    let server = site.postgres.server().context("the server is shared")?;
    let during = async {
        server.kill().await;
        let stopped = Instant::now();
        let (refused, slowest) = refusals(&client, &workflow, &pictures).await?;
        let slowest = slowest.max(unread(&client).await?);
        anyhow::ensure!(slowest < REFUSED_WITHIN, "a refusal took {slowest:?}");
        // What Redis knows is answered meanwhile.
        let begun = Instant::now();
        let shown = client.get_json(&format!("/executions/{}", submitted[0])).await?;
        anyhow::ensure!(shown["status"] == "running" || shown["status"] == "completed", "{shown}");
        anyhow::ensure!(begun.elapsed() < REFUSED_WITHIN, "a live run took {:?}", begun.elapsed());
        let rest = outage.saturating_sub(stopped.elapsed());
        tokio::time::sleep(rest).await;
        anyhow::Ok((stopped, refused, slowest))
    };
    let (streams, (stopped, refused, slowest)) = tokio::try_join!(followers, during)?;
    for (run, events) in submitted.iter().zip(&streams) {
        check_gapless(events, 1).with_context(|| format!("run {run}"))?;
        // What the stream said is what the api answers, whatever the record knows.
        let shown = client.get_json(&format!("/executions/{run}")).await?;
        anyhow::ensure!(
            shown["status"] == "completed",
            "run {run} ended while Postgres is away and is shown as {shown}"
        );
    }
    let away = stopped.elapsed();
    site.postgres.server().context("the server is shared")?.restart().await?;
    let back = Instant::now();
    all_ended(&record, runs, Duration::from_secs(60 + runs as u64 / 4)).await?;
    let caught_up = back.elapsed();
    check::all_is_well(&record).await?;
    check::streams_are_well(&client, &submitted[..FOLLOWED]).await?;
    let told: usize = streams.iter().map(|events| durable(events).len()).sum();
    eprintln!(
        "{runs} runs, Postgres away for {away:.1?}: {told} events on {FOLLOWED} streams meanwhile, {refused} submissions and some \
         reads refused (slowest {slowest:.1?}), the record caught up {caught_up:.1?} after it was back"
    );
    client
        .run(&workflow, json!({"photo": pictures.sound}))
        .await
        .context("submissions are accepted again")?;
    Ok(())
}
