//! Policies that nothing would come of, refused with what to write instead: whoever writes one relies on it. What says only what
//! holds anyway (`"on_error": "fail"`, `"cache": "off"`) may stand.

use millrace_blocks::logic::sub_workflow;
use millrace_blocks::outputs::{api_response, webhook};
use millrace_blocks::{Block, Runner};
use millrace_contracts::Kind;
use serde_json::{Map, Value};

use super::Reader;
use crate::draft::DraftNode;
use crate::inputs::picture::is_made_of_images;

/// What concerns the jobs of a node.
const OF_JOBS: [&str; 4] = ["retry", "timeout_ms", "pool", "priority"];

impl Reader {
    /// Refuses those policies of a node that its block has no use for. A call hands on what is its own to refuse.
    pub(super) fn refuse_idle(&mut self, node: &DraftNode<'_>) {
        let Some(block) = node.block.filter(|block| block.name != sub_workflow::NAME) else { return };
        let fields = node.source;
        match block.runner {
            Runner::Worker { .. } if block.name == webhook::NAME => self.webhook(fields),
            Runner::Worker { .. } => {}
            Runner::Input if may_be_fetched(node) => {
                let hint = "leave it out: pictures by URL are fetched in the pool `io`";
                self.refuse(fields, block, &["pool"], |_| hint.to_owned());
            }
            Runner::Input => {
                let hint = "leave it out: the value is there when the run begins";
                self.refuse(fields, block, &OF_JOBS, |_| hint.to_owned());
                self.never_fails(fields, block);
            }
            Runner::Orchestrator if block.name == "for_each" => self.opener(fields, block),
            Runner::Orchestrator if block.name == "delay" => {
                let hint =
                    "leave it out: no worker waits for a delay, and another attempt would be no shorter";
                self.refuse(fields, block, &["retry", "pool", "priority"], |_| hint.to_owned());
            }
            Runner::Orchestrator | Runner::Output => {
                let hint = "leave it out: this is done at once, and by no worker";
                self.refuse(fields, block, &OF_JOBS, |_| hint.to_owned());
                if block.runner == Runner::Output && block.name != api_response::NAME {
                    self.never_fails(fields, block);
                }
            }
        }
        let is_kept = block.pure && matches!(block.runner, Runner::Worker { .. });
        if !is_kept && fields.get("cache").is_some_and(|cache| cache == "auto") {
            let hint = "leave it out, or write \"off\"".to_owned();
            self.fault("/cache", format!("results of the block {} are never reused", block.name), Some(hint));
        }
    }

    /// What fails here is tried again by the block itself, and what it gives up is given up: only kinds that are named begin the
    /// whole anew.
    fn webhook(&mut self, fields: &Map<String, Value>) {
        let Some(Value::Object(retry)) = fields.get("retry") else { return };
        let names_kinds = retry.get("on").is_some_and(|on| on.as_array().is_none_or(|on| !on.is_empty()));
        if !names_kinds {
            let hint = "set `max_attempts` in `config`; to begin anew after those, with another Idempotency-Key, name the \
                        kinds of errors in `on`, such as [\"NETWORK\"]";
            let message = "a webhook sends again by itself, as often as `max_attempts` of its `config` says";
            self.fault("/retry", message, Some(hint.to_owned()));
        }
    }

    /// A `for_each` only opens its loop: what takes time, and what may be tried again, is inside.
    fn opener(&mut self, fields: &Map<String, Value>, block: &Block) {
        self.refuse(fields, block, &OF_JOBS, |field| format!("set `{field}` on the nodes inside the loop"));
        if fields.get("on_error").is_some_and(Value::is_object) {
            let hint = "write \"skip\", and give the default in a first_of behind the collect".to_owned();
            self.fault(
                "/on_error",
                "a for_each has no default outputs: there is no item without a list",
                Some(hint),
            );
        }
    }

    fn never_fails(&mut self, fields: &Map<String, Value>, block: &Block) {
        if fields.get("on_error").is_some_and(|policy| policy != "fail") {
            let hint = "leave it out".to_owned();
            self.fault("/on_error", format!("the block {} does not fail", block.name), Some(hint));
        }
    }

    fn refuse(
        &mut self,
        fields: &Map<String, Value>,
        block: &Block,
        idle: &[&str],
        hint: impl Fn(&str) -> String,
    ) {
        for field in idle.iter().filter(|field| fields.contains_key(**field)) {
            let message = format!("the block {} has no `{field}` of its own", block.name);
            self.fault(&format!("/{field}"), message, Some(hint(field)));
        }
    }
}

/// Whether the node's input may be made of pictures by URL, for which a job is sent. Of a kind that is none another pass speaks.
fn may_be_fetched(node: &DraftNode<'_>) -> bool {
    if node.is("image_input") {
        return true;
    }
    let kind = node.source.get("config").and_then(|config| config.get("kind")).and_then(Value::as_str);
    kind.and_then(|kind| kind.parse::<Kind>().ok()).is_none_or(|kind| is_made_of_images(&kind))
}
