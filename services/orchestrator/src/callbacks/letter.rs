//! The job that tells of a run's end.

use std::time::Duration;

use millrace_config::Orchestrator;
use millrace_contracts::job::{CALLBACK_NODE, IO_POOL};
use millrace_contracts::message::Accepted;
use millrace_contracts::{Event, Flow, ItemPath, Job, JobId, NodeId, Pool};
use serde_json::{Map, Value, json};

use crate::role::Shared;

/// The block that tells.
const TASK: &str = "webhook@1";
/// News that nobody took up for so long is given up: there is no worker of the pool `io`.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);
/// What an event by itself is, after the HTTP binding of CloudEvents (structured mode).
const CONTENT_TYPE: &str = "application/cloudevents+json; charset=utf-8";

/// The job that sends `end`, the event that ended the run, to its `callback_url`; none when it has none. The event goes as it
/// stands in the log, so that its references stay references.
pub(crate) fn letter(shared: &Shared, accepted: &Accepted, end: &Event) -> Option<Job> {
    let url = accepted.callback_url.as_deref()?;
    let (run, node_id) = (accepted.execution_id, NodeId::from(CALLBACK_NODE));
    let text = serde_json::to_string(end).expect("an event is plain JSON");
    Some(Job {
        id: JobId::of(run, &node_id, &ItemPath::root(), 1),
        execution_id: run,
        workflow_id: accepted.workflow_id,
        node_id,
        path: ItemPath::root(),
        attempt: 1,
        task: TASK.to_owned(),
        model: None,
        pool: Pool::from(IO_POOL),
        priority: accepted.priority,
        flow: Flow::of(accepted),
        inputs: Map::from_iter([("payload".to_owned(), Value::String(text))]),
        config: config(&shared.settings, url),
        then: Vec::new(),
        queued_at: end.time,
        deadline: Some(end.time.after(PATIENCE)),
        traceparent: accepted.traceparent.clone(),
        reply_to: shared.bus.partition_of(run),
        outlives_run: true,
    })
}

fn config(settings: &Orchestrator, url: &str) -> Map<String, Value> {
    let timeout_ms = u64::try_from(settings.callback_timeout.as_millis()).unwrap_or(u64::MAX);
    let mut config = Map::from_iter([
        ("url".to_owned(), json!(url)),
        ("headers".to_owned(), json!({"content-type": CONTENT_TYPE})),
        ("timeout_ms".to_owned(), json!(timeout_ms)),
        ("max_attempts".to_owned(), json!(settings.callback_attempts)),
    ]);
    config.extend(
        settings.callback_signing_secret.as_ref().map(|secret| ("signing_secret".to_owned(), json!(secret))),
    );
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_takes_whatever_the_settings_allow() {
        let (default, url) = (Orchestrator::default(), "https://example.com/done");
        let least = Orchestrator {
            callback_attempts: 1,
            callback_timeout: Duration::from_millis(1),
            ..Orchestrator::default()
        };
        let most = Orchestrator {
            callback_attempts: 100,
            callback_timeout: Duration::from_secs(60),
            callback_signing_secret: Some("callbacks".to_owned()),
            ..Orchestrator::default()
        };
        for settings in [default, least, most] {
            let config = config(&settings, url);
            assert_eq!(millrace_blocks::settings::check(TASK, &config, ["payload"]), Ok(()), "{config:?}");
        }
    }
}
