//! `GET /executions/{id}/events`: invariant 3, as a client sees it.

use std::time::Duration;

use anyhow::Context;
use futures::{StreamExt, TryStreamExt, stream};
use millrace_config::Api;
use millrace_contracts::event::LogPosition;
use millrace_contracts::{Event, EventType, ExecutionId};
use millrace_store::RecordBatch;
use millrace_testkit::{TestPostgres, eventually};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::json;

use crate::support::{DEADLINE, Follower, Player, Reply, World, counted};

#[tokio::test]
async fn invariant_3_every_client_sees_each_event_once_and_in_order() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut player = world.play().await?;
    player.start().await?;
    let mut fresh = world.follow(player.run, None).await?;
    for (name, value) in
        [("content-type", "text/event-stream"), ("cache-control", "no-cache"), ("x-accel-buffering", "no")]
    {
        assert_eq!(fresh.headers[name], value);
    }
    let state = fresh.expect("snapshot").await?;
    assert_eq!((state.id.as_str(), &state.data["status"]), ("1-1", &json!("running")));
    for node in ["a", "b", "c"] {
        player.node(node).await?;
    }
    let mut seen = fresh.expect("node.completed").await?;
    let published = player.committed.iter().find(|event| event.seq == Some(2)).unwrap();
    assert_eq!(seen.text, serde_json::to_string(published)?, "the payload passes through");
    for seq in 3..=4 {
        seen = fresh.expect("node.completed").await?;
        assert_eq!(seen.id, format!("1-{seq}"));
    }
    // One that was cut off after the second event comes back, another replays from the beginning.
    let mut resumed = world.follow(player.run, Some("1-2")).await?;
    let path = format!("/api/v1/executions/{}/events?from=0", player.run);
    let mut replay = Follower::open(world.request(Method::GET, &path)).await?;
    player.complete(json!({})).await?;
    let tail = ["node.completed@1-3", "node.completed@1-4", "completed@1-5", "end@1-5"];
    assert_eq!(resumed.rest().await?, tail);
    assert_eq!(fresh.rest().await?, ["completed@1-5", "end@1-5"]);
    assert_eq!(replay.rest().await?, [&["started@1-1", "node.completed@1-2"], &tail[..]].concat());
    // Late comers: the state and the end; and those who have seen it all, the end.
    let mut late = world.follow(player.run, None).await?;
    assert_eq!(late.expect("snapshot").await?.data["status"], "completed");
    assert_eq!(late.rest().await?, ["end@1-5"]);
    assert_eq!(world.follow(player.run, Some("1-5")).await?.rest().await?, ["end@"]);
    // An epoch that never was.
    let mut lost = world.follow(player.run, Some("7-3")).await?;
    assert_eq!(lost.rest().await?, ["snapshot@1-5", "end@1-5"]);
    world.stop().await
}

#[tokio::test]
async fn progress_goes_through_without_an_id_and_types_may_be_chosen() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut player = world.play().await?;
    let path = format!("/api/v1/executions/{}/events?types=node.*", player.run);
    let mut chosen = Follower::open(world.request(Method::GET, &path)).await?;
    chosen.expect("snapshot").await?;
    player.start().await?;
    let progress = player.event(EventType::NodeProgress, json!({"percent": 50}));
    player.commit(Vec::new(), vec![progress]).await?;
    let told = chosen.expect("node.progress").await?;
    assert_eq!(
        (told.id.as_str(), &told.data["data"]["percent"]),
        ("1-0", &json!(50)),
        "the id is the snapshot's still"
    );
    player.complete(json!({})).await?;
    assert_eq!(chosen.rest().await?, ["completed@1-2", "end@1-2"], "the end is always told");
    world.stop().await
}

#[tokio::test]
async fn once_redis_has_forgotten_the_record_answers() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut player = world.play().await?;
    player.start().await?;
    for _ in 0..300 {
        player.node("a").await?;
    }
    player.complete(json!({"answer": {"min": 0.4}})).await?;
    world.store.record(&RecordBatch { events: player.committed.clone() }).await?;
    world.redis.flush().await?;

    let mut late = world.follow(player.run, None).await?;
    let state = late.expect("snapshot").await?;
    assert_eq!((state.id.as_str(), &state.data["status"]), ("1-302", &json!("completed")));
    assert_eq!(late.rest().await?, ["end@1-302"]);
    let resumed = world.follow(player.run, Some("1-3")).await?.rest().await?;
    assert_eq!((resumed.len(), resumed[0].as_str()), (300, "node.completed@1-4"));
    assert_eq!(resumed[298..], ["completed@1-302", "end@1-302"]);
    let page = world.get(&format!("/api/v1/executions/{}", player.run)).await?.body;
    assert_eq!((&page["status"], &page["outputs"]["answer"]["min"]), (&json!("completed"), &json!(0.4)));
    world.stop().await
}

/// The end was recorded, the topic never told of it, and by the time the log is looked at Redis has dropped it.
#[tokio::test]
async fn an_end_that_nobody_told_of_is_found_in_the_record() -> anyhow::Result<()> {
    let settings = Api { stream_ping: Duration::from_millis(100), ..Api::default() };
    let world = World::start_with(settings, TestPostgres::start().await?).await?;
    let mut player = world.play().await?;
    player.start().await?;
    let mut follower = world.follow(player.run, None).await?;
    follower.expect("snapshot").await?;
    let node = player.event(EventType::NodeCompleted, json!({"node_id": "a", "status": "completed"}));
    let node = Event { node_id: Some("a".into()), ..node };
    let end =
        player.event(EventType::WorkflowCompleted, json!({"status": "completed", "outputs": {"answer": {}}}));
    let events = [&player.committed[..], &[node, end]].concat();
    world.store.record(&RecordBatch { events }).await?;
    world.bus.forget(player.run).await?;
    assert_eq!(follower.rest().await?, ["node.completed@1-2", "completed@1-3", "end@1-3"]);
    world.stop().await
}

/// A deleted run has neither a log nor a state that could be told anew.
#[tokio::test]
async fn a_stream_of_a_run_that_is_deleted_ends() -> anyhow::Result<()> {
    let settings = Api { stream_ping: Duration::from_millis(100), ..Api::default() };
    let world = World::start_with(settings, TestPostgres::start().await?).await?;
    let mut player = world.play().await?;
    player.start().await?;
    let mut follower = world.follow(player.run, None).await?;
    follower.expect("snapshot").await?;
    let end = player.event(EventType::WorkflowCompleted, json!({"status": "completed", "outputs": {}}));
    let events = [&player.committed[..], &[end]].concat();
    world.store.record(&RecordBatch { events }).await?;
    world.store.executions().delete(player.run).await?;
    world.bus.forget(player.run).await?;
    assert_eq!(follower.rest().await?, ["gone@1-1"]);
    world.stop().await
}

#[tokio::test]
async fn stored_events_are_listed_as_json() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut player = world.play().await?;
    player.start().await?;
    for _ in 0..300 {
        player.node("a").await?;
    }
    let get = async |query: &str| {
        let path = format!("/api/v1/executions/{}/events{query}", player.run);
        Reply::of(world.request(Method::GET, &path).header("accept", "application/json")).await
    };
    let first = get("").await?;
    let events = first.body["events"].as_array().unwrap();
    assert_eq!(
        (events.len(), &events[0]["seq"], &first.body["next_from"]),
        (256, &json!(1), &json!("1-256"))
    );
    assert_eq!(events[0], serde_json::to_value(&player.committed[0])?);
    let second = get("?from=1-256").await?;
    assert_eq!(second.body["events"].as_array().unwrap().len(), 45);
    assert_eq!(second.body["next_from"], json!(null));
    assert_eq!(LogPosition { epoch: 1, seq: 256 }.to_string(), "1-256");
    world.stop().await
}

#[tokio::test]
async fn what_does_not_exist_has_no_stream_and_wrong_places_are_told() -> anyhow::Result<()> {
    let world = World::start().await?;
    let run = world.submit().await?;
    let events = |id: &str, query: &str| format!("/api/v1/executions/{id}/events{query}");
    world.get(&events(&ExecutionId::generate().to_string(), "")).await?.problem(404, "NOT_FOUND");
    world.get(&events("x", "")).await?.problem(404, "NOT_FOUND");
    let refused = world.get(&events(&run.to_string(), "?from=x")).await?;
    refused.problem(400, "INVALID_QUERY").fault("INVALID_VALUE", None, "/from");
    let mut follower = world.follow(run, None).await?;
    follower.expect("snapshot").await?;
    world.shut_down();
    assert_eq!(follower.rest().await?, ["reconnect@1-0"], "the last word, and the place to go on from");
    world.stop().await
}

#[tokio::test]
async fn streams_that_have_closed_are_not_counted_as_open() -> anyhow::Result<()> {
    let metrics = counted();
    let world = World::start().await?;
    let run = world.submit().await?;
    let told = async |value: u32| {
        eventually(DEADLINE, "the streams are told of", async || {
            let text = metrics.render();
            let says = |name: &str| text.lines().any(|line| line == format!("{name} {value}"));
            let all = says("millrace_streams_open") && says("millrace_stream_topics");
            anyhow::Ok(all.then_some(()))
        })
        .await
    };
    let follower = world.follow(run, None).await?;
    told(1).await?;
    drop(follower);
    told(0).await?;
    world.stop().await
}

/// Clients of the reconnect storm.
const STORM: usize = 2_000;

/// A stream; asked for again, as browsers do, for as long as the server has its hands full.
async fn opened(request: RequestBuilder) -> anyhow::Result<Follower> {
    let until_there_is_room = async {
        loop {
            let response = request.try_clone().context("it has no body")?.send().await?;
            if response.status() != StatusCode::SERVICE_UNAVAILABLE {
                return Follower::of(response).await;
            }
        }
    };
    tokio::time::timeout(DEADLINE, until_there_is_room).await?
}

/// Reads until `seq` of the last message is at least `until`, and gives every id that came.
async fn read_until(follower: &mut Follower, until: u64) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::new();
    loop {
        let told = follower.next().await?.context("the stream goes on")?;
        let at: LogPosition = told.id.parse()?;
        ids.push(told.id);
        if at.seq >= until {
            return Ok(ids);
        }
    }
}

/// All of them are cut off, each at another place, and all come back at once, while the run goes on.
#[tokio::test]
async fn two_thousand_clients_that_drop_and_return_miss_nothing_and_get_nothing_twice() -> anyhow::Result<()>
{
    let mut files = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    files.current = files.maximum;
    rustix::process::setrlimit(rustix::process::Resource::Nofile, files)?;
    let world = World::start().await?;
    let mut player = world.play().await?;
    player.start().await?;
    for _ in 0..9 {
        player.node("a").await?;
    }
    let url = format!("/api/v1/executions/{}/events?from=0", player.run);
    let first = |client: usize| {
        let request = world.request(Method::GET, &url);
        async move { read_until(&mut opened(request).await?, 1 + (client % 10) as u64).await }
    };
    let seen: Vec<Vec<String>> = stream::iter((0..STORM).map(first)).buffered(STORM).try_collect().await?;

    let (world, run) = (&world, player.run);
    let returned = |mut ids: Vec<String>| async move {
        let again = world.request(Method::GET, &format!("/api/v1/executions/{run}/events"));
        let again = ids.last().into_iter().fold(again, |again, id| again.header("last-event-id", id));
        let mut again = opened(again).await?;
        ids.extend(read_until(&mut again, 21).await?);
        Ok::<_, anyhow::Error>(ids)
    };
    let storm = stream::iter(seen.into_iter().map(returned)).buffered(STORM).try_collect::<Vec<_>>();
    let goes_on = async {
        for _ in 0..10 {
            player.node("b").await?;
        }
        player.complete(json!({})).await
    };
    let (all, ()) = tokio::try_join!(storm, goes_on)?;
    let whole: Vec<String> = (1..=21).map(|seq| format!("1-{seq}")).collect();
    assert_eq!(all.len(), STORM);
    assert!(all.iter().all(|ids| *ids == whole), "{:?}", all.iter().find(|ids| **ids != whole));
    Ok(())
}

#[tokio::test]
async fn a_hundred_clients_of_one_run_see_the_same() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut player = world.play().await?;
    let mut clients = Vec::new();
    for _ in 0..100 {
        clients.push(world.follow(player.run, None).await?);
    }
    player.start().await?;
    // One commit of many events, more than a topic holds.
    let many = (0..500).map(|_| player.event(EventType::NodeCompleted, json!({}))).collect();
    player.commit(many, Vec::new()).await?;
    player.complete(json!({})).await?;
    for client in &mut clients {
        let told = client.rest().await?;
        assert_eq!(told.len(), 504);
        assert_eq!(told[501..], ["node.completed@1-501", "completed@1-502", "end@1-502"]);
        assert!(told[1..502].iter().zip(1..).all(|(line, seq)| line.ends_with(&format!("@1-{seq}"))));
    }
    world.stop().await
}

#[tokio::test]
async fn a_page_of_events_holds_what_was_asked_for_and_tells_where_it_ended() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut player = world.play().await?;
    player.start().await?;
    for _ in 0..300 {
        player.node("a").await?;
    }
    player.complete(json!({})).await?;
    let get = async |query: &str| {
        let path = format!("/api/v1/executions/{}/events{query}", player.run);
        Reply::of(world.request(Method::GET, &path).header("accept", "application/json")).await
    };
    let first = get("?types=started,completed").await?;
    let names = |page: &Reply| {
        let events = page.body["events"].as_array().cloned().unwrap_or_default();
        events.iter().map(|event| event["type"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&first), ["millrace.workflow.started"]);
    assert_eq!(first.body["next_from"], "1-256", "what was left out counts");
    let second = get("?types=started,completed&from=1-256").await?;
    assert_eq!(
        (names(&second), &second.body["next_from"]),
        (vec!["millrace.workflow.completed".to_owned()], &json!(null))
    );
    get("?types=rubbish").await?.problem(400, "INVALID_QUERY");

    // The log is lost and rebuilt: the page after a place of the old one is of the new one.
    world.redis.flush().await?;
    let mut rebuilt = Player::new(world.bus.clone(), player.run);
    rebuilt.meta.epoch = 2;
    rebuilt.start().await?;
    for _ in 0..300 {
        rebuilt.node("a").await?;
    }
    assert_eq!(get("?from=1-40").await?.body["next_from"], "2-256");
    world.stop().await
}

#[tokio::test]
async fn a_page_is_not_cut_short_where_the_log_cannot_be_read() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut player = world.play().await?;
    player.start().await?;
    for _ in 0..3 {
        player.node("a").await?;
    }
    // The record follows the log; of the log nothing can be had but how far it has come.
    world.store.record(&RecordBatch { events: player.committed[..2].to_vec() }).await?;
    let log = format!("{{mr:p{}}}:log:{}", world.bus.partition_of(player.run), player.run);
    let mut redis = redis::Client::open(world.redis.url())?.get_multiplexed_async_connection().await?;
    redis::cmd("SET").arg(&log).arg("no log").exec_async(&mut redis).await?;
    let path = format!("/api/v1/executions/{}/events?from=0", player.run);
    let get =
        async || Reply::of(world.request(Method::GET, &path).header("accept", "application/json")).await;
    assert!(get().await?.status >= 500, "two of four events would pass for all");
    world.store.record(&RecordBatch { events: player.committed[2..].to_vec() }).await?;
    assert_eq!(get().await?.body["events"].as_array().map(Vec::len), Some(4));
    world.stop().await
}
