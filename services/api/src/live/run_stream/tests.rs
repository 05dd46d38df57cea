//! The stream against a log of its own: order, resume, gaps, rebuilt logs, and the end.

use std::sync::{Arc, Mutex};

use futures::StreamExt;
use millrace_contracts::event::Source;
use millrace_contracts::run::Progress;
use millrace_contracts::{Event, EventType, UnixMillis};
use serde_json::Value;
use tokio::sync::Semaphore;

use super::*;
use crate::live::Hub;
use crate::live::history::PAGE;
use crate::problem::Code;

/// A run's log in memory; `readable` false stands for Redis and Postgres both away, and `recorded` for Redis away and a record that
/// has come so far. One that has left Redis is read from the record by those alone who know that there is more.
#[derive(Clone)]
struct FakeLog(Arc<Mutex<Past>>);

struct Past {
    run: ExecutionId,
    epoch: u32,
    status: ExecutionStatus,
    events: Vec<Event>,
    readable: bool,
    recorded: Option<u64>,
    has_left: bool,
    deleted: bool,
}

impl RunLog for FakeLog {
    async fn snapshot(&self, run: ExecutionId, since: LogPosition) -> Result<Option<Snapshot>, Problem> {
        let past = self.0.lock().unwrap();
        if past.run != run {
            return Ok(None);
        }
        if past.deleted {
            return Err(Problem::new(Code::Gone, "it was deleted"));
        }
        let end = past.events.last().and_then(|event| event.seq).unwrap_or(0);
        let seq = past.recorded.unwrap_or(end);
        if past.recorded.is_some() && (LogPosition { epoch: past.epoch, seq }) < since {
            return Err(crate::problem::shutting_down());
        }
        Ok(Some(Snapshot {
            execution_id: run,
            workflow_id: None,
            status: past.status,
            epoch: past.epoch,
            seq,
            progress: Progress::default(),
            created_at: UnixMillis(0),
            started_at: None,
            completed_at: None,
            outputs: None,
            error: None,
            nodes: Vec::new(),
            nodes_omitted: 0,
        }))
    }

    async fn standing(&self, run: ExecutionId) -> Result<Option<Stand>, Problem> {
        let is_sure = self.0.lock().unwrap().recorded.is_none();
        let of = |snapshot: Snapshot| Stand {
            status: snapshot.status,
            at: LogPosition { epoch: snapshot.epoch, seq: snapshot.seq },
            is_sure,
        };
        Ok(self.snapshot(run, LogPosition { epoch: 0, seq: 0 }).await?.map(of))
    }

    async fn page(&self, _: ExecutionId, after: LogPosition, known: u64) -> Result<Vec<Frame>, Problem> {
        let past = self.0.lock().unwrap();
        if !past.readable {
            return Err(crate::problem::shutting_down());
        }
        if past.deleted || past.has_left && known <= after.seq {
            return Ok(Vec::new());
        }
        let later = past.events.iter().filter(|event| event.log_position() > Some(after));
        Ok(later.take(PAGE).filter_map(|event| Frame::of(&json(event))).collect())
    }
}

fn json(event: &Event) -> String {
    serde_json::to_string(event).unwrap()
}

struct World {
    run: ExecutionId,
    hub: Arc<Hub>,
    log: FakeLog,
    shutdown: CancellationToken,
}

impl World {
    fn new() -> Self {
        let run = ExecutionId::generate();
        let status = ExecutionStatus::Running;
        let (events, recorded) = (Vec::new(), None);
        let past =
            Past { run, epoch: 1, status, events, readable: true, recorded, has_left: false, deleted: false };
        Self {
            run,
            hub: Hub::new(16),
            log: FakeLog(Arc::new(Mutex::new(past))),
            shutdown: CancellationToken::new(),
        }
    }

    fn event(&self, kind: EventType, seq: Option<u64>) -> Event {
        let mut event = Event::new(kind, Source::Orchestrator, "x".into(), UnixMillis(0), Value::Null);
        event.execution_id = Some(self.run);
        event.epoch = seq.map(|_| self.log.0.lock().unwrap().epoch);
        event.seq = seq;
        event
    }

    /// Into the log, and published unless `lost`.
    fn commit(&self, kind: EventType, lost: bool) {
        let seq = self.log.0.lock().unwrap().events.last().and_then(|event| event.seq).unwrap_or(0) + 1;
        let event = self.event(kind, Some(seq));
        let mut past = self.log.0.lock().unwrap();
        if kind.ends_run() {
            past.status = ExecutionStatus::Completed;
        }
        past.events.push(event.clone());
        drop(past);
        if !lost {
            self.hub.publish(&json(&event));
        }
    }

    fn live(&self, kind: EventType) {
        self.hub.publish(&json(&self.event(kind, None)));
    }

    fn settings(&self) -> StreamSettings {
        StreamSettings {
            visitor: Visitor::welcome(),
            ping: Duration::from_secs(15),
            buffer: 128,
            shutdown: self.shutdown.clone(),
        }
    }

    async fn open(&self, start: Start) -> RunStream<FakeLog> {
        let permit = Arc::new(Semaphore::new(1)).acquire_owned().await.unwrap();
        let settings = self.settings();
        let topic = self.hub.subscribe(self.run);
        let opened =
            RunStream::open(self.log.clone(), topic, start, TypeFilter::default(), (settings, permit));
        opened.await.unwrap().unwrap()
    }
}

/// `event@id` of each message that is there now, pings and the retry line left out.
async fn told(stream: &mut RunStream<FakeLog>) -> Vec<String> {
    let mut lines = Vec::new();
    while let Ok(Some(chunk)) = tokio::time::timeout(Duration::from_millis(50), stream.next()).await {
        let text = String::from_utf8(chunk.to_vec()).unwrap();
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
        if let Some(event) = field("event: ") {
            lines.push(field("id: ").map_or(event.clone(), |id| format!("{event}@{id}")));
        }
    }
    lines
}

#[tokio::test(start_paused = true)]
async fn a_fresh_client_gets_the_state_then_what_happens_then_the_end() {
    let world = World::new();
    world.commit(EventType::WorkflowStarted, false);
    let mut stream = world.open(Start::Snapshot).await;
    world.live(EventType::NodeStarted);
    world.commit(EventType::NodeCompleted, false);
    world.commit(EventType::WorkflowCompleted, false);
    assert_eq!(
        told(&mut stream).await,
        ["snapshot@1-1", "node.started", "node.completed@1-2", "completed@1-3", "end"]
    );
    assert_eq!(stream.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_comes_back_gets_the_rest_once() {
    let world = World::new();
    for _ in 0..3 {
        world.commit(EventType::NodeCompleted, false);
    }
    let mut stream = world.open(Start::After(LogPosition { epoch: 1, seq: 1 })).await;
    world.commit(EventType::NodeCompleted, false);
    assert_eq!(told(&mut stream).await, ["node.completed@1-2", "node.completed@1-3", "node.completed@1-4"]);
}

#[tokio::test(start_paused = true)]
async fn a_replay_reads_many_pages() {
    let world = World::new();
    for _ in 0..2 * PAGE + 5 {
        world.commit(EventType::NodeCompleted, true);
    }
    world.commit(EventType::WorkflowCompleted, true);
    let mut stream = world.open(Start::Replay(0)).await;
    let lines = told(&mut stream).await;
    assert_eq!(lines.len(), 2 * PAGE + 5 + 2);
    assert_eq!(lines[0], "node.completed@1-1");
    assert_eq!(lines[2 * PAGE + 5..], ["completed@1-518", "end"]);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_has_ended_is_told_and_closed() {
    let world = World::new();
    world.commit(EventType::WorkflowCompleted, true);
    assert_eq!(told(&mut world.open(Start::Snapshot).await).await, ["snapshot@1-1", "end"]);
    assert_eq!(told(&mut world.open(Start::After(LogPosition { epoch: 1, seq: 1 })).await).await, ["end"]);
}

#[tokio::test(start_paused = true)]
async fn a_missing_number_sends_the_stream_back_to_the_log() {
    let world = World::new();
    let mut stream = world.open(Start::Snapshot).await;
    world.commit(EventType::WorkflowStarted, true);
    world.commit(EventType::NodeCompleted, true);
    world.commit(EventType::NodeCompleted, false);
    assert_eq!(
        told(&mut stream).await,
        ["snapshot@1-0", "started@1-1", "node.completed@1-2", "node.completed@1-3"]
    );
}

#[tokio::test(start_paused = true)]
async fn after_a_lost_connection_the_log_is_read_again() {
    let world = World::new();
    let mut stream = world.open(Start::Snapshot).await;
    world.commit(EventType::WorkflowStarted, true);
    world.hub.resync();
    assert_eq!(told(&mut stream).await, ["snapshot@1-0", "started@1-1"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_lost_without_a_trace_is_found_by_looking() {
    let world = World::new();
    let mut stream = world.open(Start::Snapshot).await;
    assert_eq!(told(&mut stream).await, ["snapshot@1-0"]);
    world.commit(EventType::WorkflowCompleted, true);
    tokio::time::advance(Duration::from_secs(61)).await;
    let mut lines = Vec::new();
    while lines.is_empty() {
        lines = told(&mut stream).await;
        tokio::time::advance(Duration::from_secs(15)).await;
    }
    assert_eq!(lines, ["completed@1-1", "end"]);
}

#[tokio::test(start_paused = true)]
async fn an_end_that_was_missed_is_told_though_the_log_has_left() {
    let world = World::new();
    let mut streams = [world.open(Start::Snapshot).await, world.open(Start::Replay(0)).await];
    assert_eq!(told(&mut streams[0]).await, ["snapshot@1-0"]);
    assert!(told(&mut streams[1]).await.is_empty());
    world.commit(EventType::NodeCompleted, true);
    world.commit(EventType::WorkflowCompleted, true);
    world.log.0.lock().unwrap().has_left = true;
    world.hub.resync();
    for stream in &mut streams {
        assert_eq!(told(stream).await, ["node.completed@1-1", "completed@1-2", "end"]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_stream_was_told_is_not_doubted_for_a_record_that_lags() {
    let world = World::new();
    let mut stream = world.open(Start::Snapshot).await;
    world.commit(EventType::WorkflowStarted, false);
    assert_eq!(told(&mut stream).await, ["snapshot@1-0", "started@1-1"]);
    world.log.0.lock().unwrap().recorded = Some(0);
    world.hub.resync();
    assert!(told(&mut stream).await.is_empty());
    // It goes on at once: nothing is waited for that was not lost.
    world.live(EventType::NodeStarted);
    assert_eq!(told(&mut stream).await, ["node.started"]);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_deleted_is_told_to_be_gone() {
    for start in [Start::Snapshot, Start::After(LogPosition { epoch: 1, seq: 3 })] {
        let world = World::new();
        for _ in 0..3 {
            world.commit(EventType::NodeCompleted, true);
        }
        world.log.0.lock().unwrap().recorded = Some(2).filter(|_| start != Start::Snapshot);
        let mut stream = world.open(start).await;
        drop(told(&mut stream).await);
        world.log.0.lock().unwrap().deleted = true;
        // Some have a gap before what they hear next, others ask how far the run has come.
        world.commit(EventType::NodeCompleted, true);
        world.commit(EventType::WorkflowCompleted, false);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(told(&mut stream).await, ["gone"], "{start:?}");
        assert_eq!(stream.next().await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rebuilt_log_is_told_by_a_fresh_state() {
    let world = World::new();
    world.commit(EventType::WorkflowStarted, false);
    let mut stream = world.open(Start::Snapshot).await;
    assert_eq!(told(&mut stream).await, ["snapshot@1-1"]);
    {
        let mut past = world.log.0.lock().unwrap();
        past.epoch = 2;
        past.events.clear();
    }
    world.commit(EventType::WorkflowStarted, false);
    assert_eq!(told(&mut stream).await, ["snapshot@2-1"]);
    let mut stale = world.open(Start::After(LogPosition { epoch: 1, seq: 1 })).await;
    assert_eq!(told(&mut stale).await, ["snapshot@2-1"]);
}

#[tokio::test(start_paused = true)]
async fn what_waited_while_the_log_was_read_is_not_told_late() {
    let world = World::new();
    let topic_holder = world.hub.subscribe(world.run);
    let mut stream = {
        let permit = Arc::new(Semaphore::new(1)).acquire_owned().await.unwrap();
        let settings = world.settings();
        let topic = world.hub.subscribe(world.run);
        world.live(EventType::NodeStarted);
        world.commit(EventType::NodeCompleted, false);
        world.live(EventType::NodeQueued);
        RunStream::open(world.log.clone(), topic, Start::Snapshot, TypeFilter::default(), (settings, permit))
            .await
            .unwrap()
            .unwrap()
    };
    drop(topic_holder);
    assert_eq!(told(&mut stream).await, ["snapshot@1-1", "node.queued"]);
}

#[tokio::test(start_paused = true)]
async fn an_overrun_ring_is_made_good_from_the_log() {
    let world = World::new();
    let mut stream = world.open(Start::Snapshot).await;
    for _ in 0..500 {
        world.commit(EventType::NodeCompleted, false);
    }
    let lines = told(&mut stream).await;
    assert_eq!(lines.len(), 501);
    assert_eq!(lines[500], "node.completed@1-500");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_parted_with() {
    let world = World::new();
    let mut chunks = Box::pin(world.open(Start::Snapshot).await.into_chunks());
    for _ in 0..2 {
        chunks.next().await.unwrap().unwrap();
    }
    world.commit(EventType::WorkflowStarted, false);
    chunks.next().await.unwrap().unwrap();
    tokio::time::advance(Duration::from_millis(1_100)).await;
    for _ in 0..500 {
        world.commit(EventType::NodeCompleted, false);
    }
    let last = String::from_utf8(chunks.next().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(last.starts_with("event: lagged\n") && last.contains("Last-Event-ID: 1-1"), "{last}");
    assert!(chunks.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_log_that_cannot_be_read_is_tried_again() {
    let world = World::new();
    world.commit(EventType::WorkflowStarted, true);
    world.log.0.lock().unwrap().readable = false;
    let mut stream = world.open(Start::Replay(0)).await;
    assert!(told(&mut stream).await.is_empty());
    world.log.0.lock().unwrap().readable = true;
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(told(&mut stream).await, ["started@1-1"]);
}

#[tokio::test(start_paused = true)]
async fn who_has_seen_more_than_is_recorded_is_not_sent_back() {
    let world = World::new();
    for _ in 0..5 {
        world.commit(EventType::NodeCompleted, true);
    }
    world.log.0.lock().unwrap().recorded = Some(3);
    let mut stream = world.open(Start::After(LogPosition { epoch: 1, seq: 5 })).await;
    let mut liar = world.open(Start::After(LogPosition { epoch: 1, seq: 9 })).await;
    assert!(told(&mut stream).await.is_empty() && told(&mut liar).await.is_empty());
    world.log.0.lock().unwrap().recorded = None;
    world.commit(EventType::NodeCompleted, true);
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(told(&mut stream).await, ["node.completed@1-6"]);
    assert_eq!(told(&mut liar).await, ["snapshot@1-6"], "nobody has seen what never was");

    // An older state does not stand in for events that cannot be read either.
    let mut ahead = world.open(Start::After(LogPosition { epoch: 1, seq: 6 })).await;
    world.commit(EventType::NodeCompleted, true);
    world.commit(EventType::NodeCompleted, false);
    {
        let mut past = world.log.0.lock().unwrap();
        past.events.remove(6);
        past.recorded = Some(3);
    }
    assert!(told(&mut ahead).await.is_empty());
    world.log.0.lock().unwrap().recorded = None;
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(told(&mut ahead).await, ["snapshot@1-8"]);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_server_is_told() {
    let world = World::new();
    let mut stream = world.open(Start::Snapshot).await;
    world.shutdown.cancel();
    assert_eq!(told(&mut stream).await, ["snapshot@1-0", "reconnect"]);
    assert_eq!(stream.next().await, None);
}
