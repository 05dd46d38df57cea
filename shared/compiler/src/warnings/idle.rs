//! Policies that nothing comes of, with what to write instead: whoever writes one relies on it. What says only what holds anyway
//! (`"on_error": "fail"`, `"cache": "off"`) is not told of. What is refused altogether stands in `passes/policies.rs`.

use millrace_blocks::logic::sub_workflow;
use millrace_blocks::outputs::{api_response, webhook};
use millrace_blocks::{Block, Runner};
use millrace_contracts::Kind;
use serde_json::{Map, Value};

use crate::inputs::picture::is_made_of_images;

/// Jobs whose worker went away are tried so often whatever the policy says.
const ATTEMPTS_ANYWAY: u64 = 3;

/// What concerns the jobs of a node.
const OF_JOBS: [&str; 4] = ["retry", "timeout_ms", "pool", "priority"];

/// A field of a node that does nothing.
pub(super) struct Idle {
    pub(super) field: &'static str,
    pub(super) message: String,
    pub(super) hint: &'static str,
}

/// Those of a node with these `fields`. A call hands its own on to what is inside.
pub(super) fn idle(fields: &Map<String, Value>, block: &Block) -> Vec<Idle> {
    if block.name == sub_workflow::NAME {
        return Vec::new();
    }
    let (of_jobs, hint) = of_jobs(fields, block);
    let none_of_its_own = |field: &&'static str| Idle {
        field,
        message: format!("the block {} has no use for `{field}`", block.name),
        hint,
    };
    let mut found: Vec<Idle> =
        of_jobs.iter().filter(|field| fields.contains_key(**field)).map(none_of_its_own).collect();
    if block.name == webhook::NAME {
        found.extend(again_of_webhook(fields));
        found.extend(body_of_webhook(fields));
    }
    found.extend(of_failures(fields, block));
    found.extend(of_results(fields, block));
    found
}

/// Which policies of jobs are in vain, and what to do instead.
fn of_jobs(fields: &Map<String, Value>, block: &Block) -> (&'static [&'static str], &'static str) {
    match block.runner {
        Runner::Worker { .. } => (&[], ""),
        Runner::Input if may_be_fetched(fields, block) => {
            (&["pool"], "leave it out: pictures by URL are fetched in the pool `io`")
        }
        Runner::Input => (&OF_JOBS, "leave it out: the value is there when the run begins"),
        Runner::Orchestrator if block.name == "for_each" => {
            // The others are refused.
            (&["pool", "priority"], "set it on the nodes inside the loop")
        }
        Runner::Orchestrator if block.name == "delay" => (
            &["retry", "pool", "priority"],
            "leave it out: no worker waits for a delay, and another attempt would be no shorter",
        ),
        Runner::Orchestrator | Runner::Output => {
            (&OF_JOBS, "leave it out: this is done at once, and by no worker")
        }
    }
}

/// What fails here is tried again by the block itself, and what it gives up is given up: only kinds that are named begin the whole
/// anew, and an attempt of which nobody heard in time.
fn again_of_webhook(fields: &Map<String, Value>) -> Option<Idle> {
    let retry = fields.get("retry")?.as_object()?;
    let names_kinds = retry.get("on").and_then(Value::as_array).is_some_and(|on| !on.is_empty());
    let is_timed = fields.contains_key("timeout_ms");
    let is_more =
        retry.get("max_attempts").and_then(Value::as_u64).is_some_and(|most| most > ATTEMPTS_ANYWAY);
    (!names_kinds && !is_timed && !is_more).then(|| Idle {
        field: "retry",
        message: "a webhook sends again by itself, as often as `max_attempts` of its `config` says".to_owned(),
        hint: "set `max_attempts` in `config`; to begin anew after those, with another Idempotency-Key, name the kinds of \
               errors in `on`, such as [\"NETWORK\"]",
    })
}

/// A GET has none.
fn body_of_webhook(fields: &Map<String, Value>) -> Option<Idle> {
    let config = fields.get("config")?.as_object()?;
    let is_get = config.get("method").is_some_and(|method| method == "GET");
    (is_get && config.contains_key("body")).then(|| Idle {
        field: "config/body",
        message: "a GET is sent without a body".to_owned(),
        hint: "choose POST or PUT, or leave `body` out",
    })
}

fn of_failures(fields: &Map<String, Value>, block: &Block) -> Option<Idle> {
    let never_fails = match block.runner {
        Runner::Input => !may_be_fetched(fields, block),
        Runner::Output => block.name != api_response::NAME,
        _ => false,
    };
    let says = fields.get("on_error").is_some_and(|policy| policy != "fail");
    (never_fails && says).then(|| Idle {
        field: "on_error",
        message: format!("the block {} does not fail", block.name),
        hint: "leave it out",
    })
}

fn of_results(fields: &Map<String, Value>, block: &Block) -> Option<Idle> {
    let is_kept = block.pure && matches!(block.runner, Runner::Worker { .. });
    let says = fields.get("cache").is_some_and(|cache| cache == "auto");
    (!is_kept && says).then(|| Idle {
        field: "cache",
        message: format!("results of the block {} are never reused", block.name),
        hint: "leave it out, or write \"off\"",
    })
}

/// Whether the input may be made of pictures by URL, for which a job is sent.
fn may_be_fetched(fields: &Map<String, Value>, block: &Block) -> bool {
    let kind = fields.get("config").and_then(|config| config.get("kind")).and_then(Value::as_str);
    block.name == "image_input"
        || kind.and_then(|kind| kind.parse::<Kind>().ok()).is_some_and(|kind| is_made_of_images(&kind))
}

#[cfg(test)]
mod tests {
    use millrace_blocks::catalogue;
    use serde_json::json;

    use super::*;

    fn fields_of(kind: &str, policies: &Value) -> Vec<&'static str> {
        let block = catalogue().resolve(kind).unwrap();
        idle(policies.as_object().unwrap(), block).into_iter().map(|found| found.field).collect()
    }

    #[test]
    fn a_policy_that_nothing_comes_of_is_told_of() {
        let all = json!({"retry": {"max_attempts": 2}, "timeout_ms": 5, "pool": "heavy", "priority": "low",
            "cache": "auto", "on_error": "skip"});
        let at_once = &["retry", "timeout_ms", "pool", "priority", "cache"][..];
        let every_one = &["retry", "timeout_ms", "pool", "priority", "on_error", "cache"][..];
        let cases = [
            ("detection", &[][..]),
            ("resize", &[]),
            ("webhook", &["cache"]),
            ("aggregation", &["cache"]),
            ("similarity_search", &["cache"]),
            ("condition", at_once),
            ("first_of", at_once),
            ("map", at_once),
            ("collect", at_once),
            ("for_each", &["pool", "priority", "cache"]),
            ("sub_workflow", &[]),
            ("api_response", at_once),
            ("delay", &["retry", "pool", "priority", "cache"]),
            ("image_input", &["pool", "cache"]),
            ("parameter_input", every_one),
            ("json_output", every_one),
        ];
        for (kind, expected) in cases {
            assert_eq!(fields_of(kind, &all), expected, "{kind}");
            let holds_anyway = json!({"cache": "off", "on_error": "fail"});
            assert!(fields_of(kind, &holds_anyway).is_empty(), "{kind}");
        }
        // A parameter may be made of pictures, which may be given by URL.
        let mut pictures = all;
        pictures["config"] = json!({"kind": "list<image>"});
        assert_eq!(fields_of("parameter_input", &pictures), ["pool", "cache"]);
    }

    #[test]
    fn a_webhook_is_begun_anew_for_kinds_that_are_named_and_where_time_ran_out() {
        let of = |on: Value| fields_of("webhook", &json!({"retry": {"max_attempts": 2, "on": on}}));
        assert!(of(json!(["NETWORK", "TIMEOUT"])).is_empty());
        assert_eq!(of(json!([])), ["retry"]);
        let timed = json!({"retry": {"max_attempts": 2}, "timeout_ms": 5_000});
        assert!(fields_of("webhook", &timed).is_empty());
        // One whose worker goes away is begun so often only because of it.
        assert!(fields_of("webhook", &json!({"retry": {"max_attempts": 5}})).is_empty());
    }

    #[test]
    fn a_body_that_is_not_sent_is_told_of() {
        let of = |method: &str| {
            fields_of(
                "webhook",
                &json!({"config": {"method": method, "url": "https://a.example", "body": 1}}),
            )
        };
        assert_eq!(of("GET"), ["config/body"]);
        assert!(of("POST").is_empty());
        assert!(of("$inputs.method").is_empty(), "who knows");
    }
}
