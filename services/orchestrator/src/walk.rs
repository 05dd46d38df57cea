//! Walking a run on: what its steps left, with what the blob store has to do for it. Where that is much, a part is committed and the
//! run goes on behind the messages that came meanwhile: neither the other runs of the lane nor Redis wait for one of them.

use std::time::{Duration, Instant};

use futures::TryStreamExt;
use futures::stream::FuturesOrdered;
use millrace_blobs::Blobs;
use millrace_contracts::UnixMillis;
use millrace_engine::{Effects, Input};

use crate::held::Held;
use crate::role::Shared;
use crate::{OrchestratorError, shell_work};

/// How long a run is walked before what it gave is committed.
const LONGEST: Duration = Duration::from_millis(200);
/// Events after which the rest has to wait for the next commit.
const MOST: usize = 8_192;
/// Pieces of shell work done at once.
const PIECES: usize = 32;

/// Takes the run as far as it goes by itself, or as far as one commit should. What is left then is left to the run, see
/// [`millrace_engine::Execution::is_unfinished`].
///
/// # Errors
/// The blob store is away: the run has to be loaded and stepped again.
pub(crate) async fn walk(
    shared: &Shared,
    held: &mut Held,
    effects: &mut Effects,
    now: UnixMillis,
) -> Result<(), OrchestratorError> {
    walk_for(LONGEST, &shared.blobs, held, effects, now).await
}

/// The same, for as long as `longest`, and until there is something to commit in any case.
async fn walk_for(
    longest: Duration,
    blobs: &Blobs,
    held: &mut Held,
    effects: &mut Effects,
    now: UnixMillis,
) -> Result<(), OrchestratorError> {
    let begun = Instant::now();
    let is_over =
        |effects: &Effects| begun.elapsed() >= longest || effects.durable.len() + effects.live.len() >= MOST;
    while !held.run.is_terminal() {
        let asked = effects.shell.len();
        // As much is asked for as is done at once, if there is the time.
        let asks_more = asked == 0 || asked < PIECES && !is_over(effects);
        if held.run.is_unfinished() && asks_more {
            effects.append(held.run.step(Input::Continue, now));
        } else if asked > 0 {
            let pieces = effects.shell.drain(..asked.min(PIECES));
            let pieces = pieces.map(|work| shell_work::perform(blobs, &held.run, work));
            let done: Vec<Input> = pieces.collect::<FuturesOrdered<_>>().try_collect().await?;
            for input in done {
                effects.append(held.run.step(input, now));
            }
        } else {
            return Ok(());
        }
        // Asking the shell alone leaves nothing behind: whoever went no further would ask the same for ever. So the clock is
        // looked at once some of it is done.
        let has_done = effects.shell.len() < asked || effects.shell.is_empty();
        if has_done && is_over(effects) {
            break;
        }
        tokio::task::yield_now().await;
    }
    // (A run that ended has no use for what it asked.)
    held.run.take_back(std::mem::take(&mut effects.shell));
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;

    use millrace_blobs::BlobsSettings;
    use millrace_compiler::Plan;
    use millrace_contracts::message::Accepted;
    use millrace_engine::{Execution, Settings};
    use millrace_testkit::accepted_run;
    use serde_json::{Value, json};

    use super::*;

    /// A loop whose items are worked on here, and give so much that all of it has to be stored.
    fn large_results() -> (Arc<Plan>, Accepted) {
        let definition = json!({"name": "large", "nodes": [
            {"id": "lists", "type": "parameter_input", "config": {"kind": "list<list<integer>>"}},
            {"id": "each", "type": "for_each", "inputs": {"items": "$inputs.lists"}},
            {"id": "pairs", "type": "map", "inputs": {"items": "$nodes.each.item"},
                "config": {"expr": "{\"v\": item, \"i\": index}"}},
            {"id": "all", "type": "collect", "inputs": {"item": "$nodes.pairs.items"}},
            {"id": "answer", "type": "json_output", "inputs": {"count": "$nodes.all.count"}}]});
        let plan = millrace_compiler::compile(&definition).unwrap();
        let list: Value = (0..600).collect();
        let mut accepted = accepted_run();
        accepted.input.insert("lists".to_owned(), Value::Array(vec![list; 40]));
        (Arc::new(plan), accepted)
    }

    /// Walks a run to its end, by as many commits as it takes when there is no time at all for any of them.
    async fn walk_without_time(is_loaded: bool) -> Execution {
        let folder = millrace_testkit::test_folder().unwrap();
        let blobs = Blobs::open(&BlobsSettings::new(folder.path().display().to_string())).unwrap();
        let (plan, accepted) = large_results();
        let (settings, now) = (Settings { step_limit: 8, ..Settings::default() }, UnixMillis::now());
        let (run, mut effects) = Execution::begin(plan.clone(), accepted, settings, Vec::new(), now);
        let (mut held, mut stored) = (Held::new(run, 0), HashMap::new());
        for _ in 0..1_000 {
            walk_for(Duration::ZERO, &blobs, &mut held, &mut effects, now).await.unwrap();
            stored.extend(held.run.changed_fields(&effects));
            if held.run.is_terminal() {
                break;
            }
            if is_loaded {
                assert!(effects.needs_commit(), "every commit brings the run on");
                (held.run, _) = Execution::load(plan.clone(), &stored, settings).unwrap();
            }
            effects = Effects::default();
        }
        held.run
    }

    #[tokio::test]
    async fn a_run_comes_to_its_end_however_short_the_time() {
        let run = walk_without_time(false).await;
        assert_eq!(run.outputs().get("answer"), Some(&json!({"count": 40})));
    }

    #[tokio::test]
    async fn a_run_that_is_loaded_for_each_commit_comes_to_its_end_too() {
        let run = walk_without_time(true).await;
        assert_eq!(run.outputs().get("answer"), Some(&json!({"count": 40})));
    }
}
