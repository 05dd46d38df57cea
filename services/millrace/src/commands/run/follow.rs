//! Follows a run to its end, over as many connections as it takes.

use std::collections::HashSet;
use std::io::Write as _;
use std::time::Duration;

use anyhow::Context as _;
use indicatif::ProgressBar;
use millrace_contracts::run::{NodeView, Snapshot};
use millrace_contracts::{Event, EventType, ExecutionId, ExecutionStatus, ItemPath, NodeId};
use millrace_tasks::backoff;
use serde_json::Value;

use super::Ended;
use crate::client::{Client, EventStream, Message, Problem};
use crate::context::{Out, Tone};
use crate::progress::Bars;
use crate::render::{NodeLine, node_label};

const MIN_PAUSE: Duration = Duration::from_millis(200);
const MAX_PAUSE: Duration = Duration::from_secs(5);
/// Failures to connect in a row before the follower gives up: about a minute, in which a server restarts.
const MAX_FAILURES: usize = 15;

/// Follows one run.
pub(super) struct Follower<'a> {
    client: &'a Client,
    run: ExecutionId,
    out: Out,
    quiet: bool,
    /// The id of the last event that was seen; where the next connection resumes.
    last: Option<String>,
    /// Node runs that have had their line.
    shown: HashSet<(NodeId, ItemPath)>,
    ended: Option<Ended>,
    /// Node runs that have ended, of those that are known.
    bar: ProgressBar,
}

impl<'a> Follower<'a> {
    pub(super) fn new(client: &'a Client, run: ExecutionId, out: Out, (quiet, bars): (bool, Bars)) -> Self {
        let bar = bars.steps("nodes", 0);
        Self { client, run, out, quiet, last: None, shown: HashSet::new(), ended: None, bar }
    }

    /// Shows what happens until the run has ended.
    pub(super) async fn follow(mut self) -> anyhow::Result<Ended> {
        let mut pauses = backoff(MIN_PAUSE, MAX_PAUSE);
        let mut failures = 0;
        loop {
            let path = format!("/executions/{}/events", self.run);
            match self.client.events(&path, &[], self.last.as_deref()).await {
                Ok(stream) => {
                    (failures, pauses) = (0, backoff(MIN_PAUSE, MAX_PAUSE));
                    self.read(stream).await?;
                }
                Err(fault) => {
                    let lasting = fault
                        .downcast_ref::<Problem>()
                        .is_some_and(|problem| !problem.retryable && problem.status < 500);
                    failures += 1;
                    if lasting || failures >= MAX_FAILURES {
                        let hint = "the run goes on without this command; `millrace executions show` tells how it ended";
                        return Err(fault.context(format!("lost sight of the run {}; {hint}", self.run)));
                    }
                    if failures == 1 {
                        // Not on stdout: that may be read by a program.
                        writeln!(std::io::stderr(), "the api does not answer; trying again for a minute")?;
                    }
                }
            }
            if let Some(ended) = self.ended.take() {
                self.bar.finish_and_clear();
                return Ok(ended);
            }
            tokio::time::sleep(pauses.next().unwrap_or(MAX_PAUSE)).await;
        }
    }

    /// Reads one connection to its end. A broken one is no error: the next resumes.
    async fn read(&mut self, mut stream: EventStream) -> anyhow::Result<()> {
        while let Some(message) = stream.next().await {
            let Ok(message) = message else { break };
            if !message.id.is_empty() {
                self.last = Some(message.id.clone());
            }
            match message.event.as_str() {
                "end" | "reconnect" | "lagged" => break,
                "snapshot" => self.snapshot(&message)?,
                _ => self.event(&message)?,
            }
        }
        Ok(())
    }

    fn snapshot(&mut self, message: &Message) -> anyhow::Result<()> {
        let snapshot: Snapshot =
            serde_json::from_str(&message.data).context("the snapshot is not understood")?;
        self.bar.set_length(snapshot.progress.total);
        for view in snapshot.nodes.iter().filter(|view| view.status.is_terminal()) {
            self.show_node(view)?;
        }
        if snapshot.status.is_terminal() {
            let duration_ms = snapshot.started_at.zip(snapshot.completed_at).map(|(from, to)| to.since(from));
            self.ended = Some(Ended {
                status: snapshot.status,
                outputs: snapshot.outputs.map_or(Value::Null, Value::Object),
                error: serde_json::to_value(&snapshot.error)?,
                duration_ms,
            });
        }
        Ok(())
    }

    fn event(&mut self, message: &Message) -> anyhow::Result<()> {
        // Newer servers may send events that this client does not know.
        let Ok(event) = serde_json::from_str::<Event>(&message.data) else { return Ok(()) };
        match event.kind {
            EventType::NodeCompleted
            | EventType::NodeFailed
            | EventType::NodeSkipped
            | EventType::NodeCancelled => {
                let view: NodeView =
                    serde_json::from_value(event.data).context("a node's event is not understood")?;
                self.show_node(&view)
            }
            EventType::NodeRetrying => self.show_retry(&event),
            kind if kind.ends_run() => {
                self.ended = Some(ended(kind, &event.data));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn show_node(&mut self, view: &NodeView) -> anyhow::Result<()> {
        if self.quiet || !self.shown.insert((view.node_id.clone(), view.path.clone())) {
            return Ok(());
        }
        self.bar.inc(1);
        // Loops add theirs as they go.
        self.bar.set_length(self.bar.length().unwrap_or_default().max(self.bar.position()));
        self.bar.suspend(|| self.out.line(NodeLine { view, out: self.out }))
    }

    fn show_retry(&self, event: &Event) -> anyhow::Result<()> {
        let Some(node) = event.node_id.as_ref().filter(|_| !self.quiet) else { return Ok(()) };
        let label = node_label(node, &event.path.clone().unwrap_or_default());
        let why = event.data["error"]["message"].as_str().unwrap_or_default();
        let line = format!("↻ {label:<16} attempt {} failed: {why}", event.attempt.unwrap_or_default());
        self.bar.suspend(|| self.out.line(self.out.paint(Tone::Odd, line)))
    }
}

fn ended(kind: EventType, data: &Value) -> Ended {
    let status = data["status"].as_str().and_then(|text| text.parse().ok());
    let status = status.unwrap_or(match kind {
        EventType::WorkflowCompleted => ExecutionStatus::Completed,
        EventType::WorkflowCancelled => ExecutionStatus::Cancelled,
        _ => ExecutionStatus::Failed,
    });
    Ended {
        status,
        outputs: data["outputs"].clone(),
        error: data["error"].clone(),
        duration_ms: data["duration_ms"].as_u64(),
    }
}
