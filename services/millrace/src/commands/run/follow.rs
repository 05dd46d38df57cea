//! Follows a run to its end, over as many connections as it takes.

use std::collections::HashSet;
use std::pin::pin;
use std::time::Duration;

use anyhow::Context as _;
use indicatif::ProgressBar;
use millrace_contracts::run::{NodeView, Snapshot};
use millrace_contracts::{Event, EventType, ExecutionId, ExecutionStatus, ItemPath, NodeId};
use serde_json::Value;
use tokio::time::sleep;

use super::Ended;
use super::doubt::Doubt;
use crate::client::{Client, Message, ResumedStream};
use crate::context::{Out, Tone};
use crate::progress::Bars;
use crate::render::{NodeLine, node_label};

/// Nothing has to happen for so long before it is looked up why; then for twice as long, and so on.
const QUIET: Duration = Duration::from_secs(2);
/// The longest pause between such looks.
const LONG_QUIET: Duration = Duration::from_secs(30);

/// Follows one run.
pub(super) struct Follower<'a> {
    events: ResumedStream<'a>,
    doubt: Doubt<'a>,
    run: ExecutionId,
    /// What a command takes to find the same api.
    flag: String,
    out: Out,
    quiet: bool,
    /// Node runs that have had their line.
    shown: HashSet<(NodeId, ItemPath)>,
    ended: Option<Ended>,
    /// Node runs that have ended, of those that are known.
    bar: ProgressBar,
}

impl<'a> Follower<'a> {
    pub(super) fn new(client: &'a Client, run: ExecutionId, out: Out, (quiet, bars): (bool, Bars)) -> Self {
        let bar = bars.steps("nodes", 0);
        let events = ResumedStream::new(client, format!("/executions/{run}/events"), Vec::new());
        let doubt = Doubt::new(client, run);
        let flag = client.flag();
        Self { events, doubt, run, flag, out, quiet, shown: HashSet::new(), ended: None, bar }
    }

    /// Shows what happens until the run has ended.
    pub(super) async fn follow(mut self) -> anyhow::Result<Ended> {
        loop {
            let message = self.next().await.with_context(|| {
                let hint = "the run goes on without this command; watch it again: millrace executions follow";
                format!("lost sight of the run {0}; {hint} {0}{1}", self.run, self.flag)
            })?;
            match message.filter(|message| !message.is_last()) {
                Some(message) if message.event == "snapshot" => self.snapshot(&message)?,
                Some(message) => self.event(&message)?,
                None => {
                    if let Some(ended) = self.ended.take() {
                        self.bar.finish_and_clear();
                        return Ok(ended);
                    }
                }
            }
        }
    }

    /// The next message. While none comes, it is said why where that is known.
    async fn next(&mut self) -> anyhow::Result<Option<Message>> {
        let mut next = pin!(self.events.next());
        if self.quiet {
            return next.await;
        }
        let mut pause = QUIET;
        loop {
            tokio::select! {
                message = &mut next => return message,
                () = sleep(pause) => {
                    if let Some(reason) = self.doubt.look().await {
                        let line = self.out.paint(Tone::Odd, format!("… {reason}; it waits for one"));
                        self.bar.suspend(|| self.out.line(line))?;
                    }
                    pause = LONG_QUIET.min(pause * 2);
                }
            }
        }
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
