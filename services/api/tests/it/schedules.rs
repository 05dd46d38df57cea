//! `/workflows/{id}/schedules` and `/schedules/{id}`.

use millrace_config::{Api, ByteSize};
use millrace_contracts::{ScheduleId, UnixMillis};
use millrace_testkit::TestPostgres;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Reply, World, constant, png, show};

impl World {
    async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Reply> {
        Reply::of(self.request(Method::PUT, path).json(body)).await
    }
}

#[tokio::test]
async fn a_schedule_is_made_shown_changed_and_deleted() -> anyhow::Result<()> {
    let world = World::start().await?;
    let workflow = world.save(&constant()).await?;
    let all = format!("/api/v1/workflows/{workflow}/schedules");
    let body = json!({"cron": "0 6 * * *", "timezone": "Europe/Berlin", "overlap": "queue", "priority": "low",
        "labels": {"team": "a"}, "jitter_ms": 0});
    let made = world.post(&all, &body).await?;
    assert_eq!((made.status, made.header("etag")), (201, "\"1\""), "{made:?}");
    let path = made.header("location").to_owned();
    assert_eq!(made.body["input"]["min"], 0.4, "defaults are filled in, as a run's are");
    let next = made.body["next_at"].as_i64().unwrap();
    let upcoming: Vec<i64> = serde_json::from_value(made.body["upcoming"].clone())?;
    assert!(next > UnixMillis::now().0 && upcoming.len() == 5 && upcoming[0] == next, "{upcoming:?}");
    assert!(upcoming.windows(2).all(|pair| pair[0] < pair[1]));

    // The timer is there: it fires for whoever asks with a later clock.
    let id: ScheduleId = made.body["id"].as_str().unwrap().parse()?;
    let swept = world.bus.fire_timers(id.partition(4), UnixMillis(next), 10).await?;
    assert_eq!(swept.fired, 1);

    let off = world.put(&path, &json!({"cron": "@hourly", "enabled": false})).await?;
    assert_eq!((off.status, off.header("etag")), (200, "\"2\""), "{off:?}");
    assert_eq!((&off.body["next_at"], &off.body["upcoming"]), (&Value::Null, &json!([])));
    assert_eq!(off.body["overlap"], "skip", "what is left out takes its default again");
    let stale = world.request(Method::PUT, &path).header("if-match", "\"1\"").json(&body);
    Reply::of(stale).await?.problem(412, "PRECONDITION_FAILED");

    let listed = world.get(&all).await?;
    assert_eq!(listed.body["schedules"].as_array().unwrap().len(), 1);
    assert_eq!(listed.body["schedules"][0]["last_run"], Value::Null);
    assert_eq!(Reply::of(world.request(Method::DELETE, &path)).await?.status, 204);
    world.get(&path).await?.problem(410, "GONE");
    assert_eq!(world.get(&all).await?.body["schedules"], json!([]));
    world.get("/api/v1/schedules/nonsense").await?.problem(404, "NOT_FOUND");
    world.stop().await
}

#[tokio::test]
async fn a_triggered_schedule_shows_its_last_run() -> anyhow::Result<()> {
    let world = World::start().await?;
    let workflow = world.save(&constant()).await?;
    let made = world
        .post(
            &format!("/api/v1/workflows/{workflow}/schedules"),
            &json!({"cron": "@yearly", "labels": {"a": "b"}}),
        )
        .await?;
    let path = made.header("location").to_owned();
    let trigger = format!("{path}/trigger");
    let unheeded = world.post(&trigger, &json!({"input": {"min": 0.1}})).await?;
    unheeded.problem(422, "INVALID_REQUEST").fault("UNKNOWN_FIELD", None, "/input");
    let untyped = world.request(Method::POST, &trigger).body("{\"input\": {}}");
    Reply::of(untyped).await?.problem(415, "UNSUPPORTED_MEDIA_TYPE");
    let run = world.post(&trigger, &Value::Null).await?;
    assert_eq!(run.status, 202, "{run:?}");
    let shown = world.get(&path).await?;
    assert_eq!(shown.body["last_run"]["execution_id"], run.body["execution_id"]);
    let record = world.get(shown.body["last_run"]["url"].as_str().unwrap()).await?;
    assert_eq!(record.body["labels"]["a"], "b");
    let id = &made.body["id"];
    assert_eq!(&record.body["schedule_id"], id);
    world.post(&format!("/api/v1/workflows/{workflow}/run"), &json!({})).await?;
    let query = format!("/api/v1/executions?workflow_id={workflow}&status=pending");
    assert_eq!(world.get(&query).await?.body["executions"].as_array().map(Vec::len), Some(2));
    let listed = world.get(&format!("{query}&schedule_id={}", id.as_str().unwrap())).await?.body;
    let rows = listed["executions"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "only those of the schedule: {listed}");
    assert_eq!((&rows[0]["execution_id"], &rows[0]["schedule_id"]), (&run.body["execution_id"], id));
    assert_eq!(shown.body["next_at"], made.body["next_at"], "the rhythm goes on as before");
    world.stop().await
}

#[tokio::test]
async fn inputs_are_checked_as_a_runs_are() -> anyhow::Result<()> {
    let world = World::start().await?;
    let workflow = world.save(&show()).await?;
    let all = format!("/api/v1/workflows/{workflow}/schedules");
    let missing = world.post(&all, &json!({"cron": "@daily", "input": {"min": 0.5}})).await?;
    missing.problem(422, "INVALID_INPUT").fault("MISSING_INPUT", Some("photo"), "/input/photo");
    let blob = world.blobs.put(png(8, 8).into()).await?;
    let made =
        world.post(&all, &json!({"cron": "@daily", "input": {"photo": format!("blob:{blob}")}})).await?;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.body["input"]["photo"]["width"], 8);
    world.stop().await
}

#[tokio::test]
async fn a_schedule_is_taken_as_it_was_told() -> anyhow::Result<()> {
    let world = World::start().await?;
    let listed = json!({"name": "listed", "nodes": [
        {"id": "numbers", "type": "parameter_input", "config": {"kind": "list<integer>"}},
        {"id": "answer", "type": "json_output", "inputs": {"numbers": "$inputs.numbers"}}]});
    let workflow = world.save(&listed).await?;
    let all = format!("/api/v1/workflows/{workflow}/schedules");
    let numbers: Vec<u32> = (0..3_000).collect();
    let made = world.post(&all, &json!({"cron": "@daily", "input": {"numbers": numbers}})).await?;
    let path = made.header("location").to_owned();
    let told = world.get(&path).await?.body["input"].clone();
    assert!(told["numbers"]["$value"].is_string(), "it is too large for an event: {told}");
    let again = world.put(&path, &json!({"cron": "@hourly", "input": told})).await?;
    assert_eq!((again.status, &again.body["input"]), (200, &told), "{again:?}");
    let run = world.post(&format!("/api/v1/workflows/{workflow}/run"), &json!({"input": told})).await?;
    assert_eq!(run.status, 202, "a run takes what another was given: {run:?}");

    let gone = json!({"numbers": {"$value": "0".repeat(64), "bytes": 9}});
    let gone = world.put(&path, &json!({"cron": "@hourly", "input": gone})).await?;
    gone.problem(422, "INVALID_INPUT").fault("INVALID_INPUT", Some("numbers"), "/input/numbers");
    let picture = world.blobs.put(png(8, 8).into()).await?;
    let picture = json!({"numbers": {"$value": picture, "bytes": 9}});
    let picture = world.put(&path, &json!({"cron": "@hourly", "input": picture})).await?;
    picture.problem(422, "INVALID_INPUT").fault("INVALID_INPUT", Some("numbers"), "/input/numbers");
    world.stop().await
}

#[tokio::test]
async fn a_value_that_is_referred_to_is_no_larger_than_one_that_is_sent() -> anyhow::Result<()> {
    let settings = Api { max_body: ByteSize::mib(1), ..Api::default() };
    let world = World::start_with(settings, TestPostgres::start().await?).await?;
    let listed = json!({"name": "listed", "nodes": [
        {"id": "numbers", "type": "parameter_input", "config": {"kind": "list<integer>"}},
        {"id": "answer", "type": "json_output", "inputs": {"numbers": "$inputs.numbers"}}]});
    let workflow = world.save(&listed).await?;
    let numbers = |count: usize| serde_json::to_vec(&vec![0; count]);
    let (small, large) = (numbers(100_000)?, numbers(1_000_000)?);
    let run = format!("/api/v1/workflows/{workflow}/run");
    for (bytes, fits) in [(small, true), (large, false)] {
        let blob = world.blobs.put(bytes.into()).await?;
        let reference = json!({"numbers": {"$value": blob, "bytes": 1}});
        let one = world.post(&run, &json!({"input": reference})).await?;
        // More than have their turn at once.
        let many = vec![reference; 20];
        let many = world.post(&format!("{run}-batch"), &json!({"inputs": many})).await?;
        if fits {
            assert_eq!((one.status, many.status), (202, 202), "{one:?} {many:?}");
        } else {
            one.problem(422, "INVALID_INPUT").fault("INVALID_INPUT", Some("numbers"), "/input/numbers");
            many.problem(422, "INVALID_INPUT").fault("INVALID_INPUT", Some("numbers"), "/inputs/0/numbers");
        }
    }
    world.stop().await
}

#[tokio::test]
async fn mistakes_are_told_with_their_place() -> anyhow::Result<()> {
    let world = World::start().await?;
    let workflow = world.save(&constant()).await?;
    let all = format!("/api/v1/workflows/{workflow}/schedules");
    for (body, code, pointer) in [
        (json!({"cron": "61 * * * *"}), "INVALID_CRON", "/cron"),
        (json!({"cron": "@daily", "timezone": "Europe/Atlantis"}), "UNKNOWN_TIMEZONE", "/timezone"),
        (json!({"cron": "@daily", "version": 9}), "UNKNOWN_VERSION", "/version"),
        (json!({"cron": "@daily", "overlap": "both"}), "INVALID_VALUE", "/overlap"),
    ] {
        world.post(&all, &body).await?.problem(422, "INVALID_REQUEST").fault(code, None, pointer);
    }
    let nowhere = "/api/v1/workflows/0199b5a2-0000-7000-8000-000000000000/schedules";
    world.post(nowhere, &json!({"cron": "@daily"})).await?.problem(404, "NOT_FOUND");
    world.stop().await
}

#[tokio::test]
async fn there_are_only_so_many() -> anyhow::Result<()> {
    let settings = Api { max_schedules: 3, max_schedules_per_workflow: 2, ..Api::default() };
    let world = World::start_with(settings, TestPostgres::start().await?).await?;
    let (first, second) = (world.save(&constant()).await?, world.save(&constant()).await?);
    let make = async |workflow: &str| {
        world.post(&format!("/api/v1/workflows/{workflow}/schedules"), &json!({"cron": "@daily"})).await
    };
    let made = make(&first).await?;
    assert_eq!(make(&first).await?.status, 201);
    make(&first).await?.problem(409, "TOO_MANY_SCHEDULES");
    assert_eq!(make(&second).await?.status, 201);
    make(&second).await?.problem(409, "TOO_MANY_SCHEDULES");
    assert_eq!(Reply::of(world.request(Method::DELETE, made.header("location"))).await?.status, 204);
    assert_eq!(make(&second).await?.status, 201, "a deleted one makes room");
    world.stop().await
}

#[tokio::test]
async fn timers_of_what_a_schedule_was_go_with_it() -> anyhow::Result<()> {
    let world = World::start().await?;
    let workflow = world.save(&constant()).await?;
    let all = format!("/api/v1/workflows/{workflow}/schedules");
    let made = world.post(&all, &json!({"cron": "0 6 * * *"})).await?;
    let (path, id) = (made.header("location").to_owned(), made.body["id"].as_str().unwrap_or_default());
    let partition = id.parse::<ScheduleId>()?.partition(4);
    let mut next = Value::Null;
    for hour in 7..12 {
        let put = world.put(&path, &json!({"cron": format!("0 {hour} * * *")})).await?;
        assert_eq!(put.status, 200, "{put:?}");
        next = put.body["next_at"].clone();
    }
    // Nothing is due yet, and of those that are set the last one is the first.
    let swept = world.bus.fire_timers(partition, UnixMillis(0), 10).await?;
    assert_eq!(json!(swept.next_due.map(|due| due.0)), next);
    assert_eq!(Reply::of(world.request(Method::DELETE, &path)).await?.status, 204);
    let swept = world.bus.fire_timers(partition, UnixMillis(4_000_000_000_000), 10).await?;
    assert_eq!((swept.fired, swept.next_due), (0, None));
    world.stop().await
}
