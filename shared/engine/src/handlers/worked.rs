//! The shell finished a piece of work that needed the blob store.

use millrace_contracts::{JobError, UnixMillis};

use crate::effects::Noop;
use crate::execution::{Execution, RunKey, Worked};

pub(crate) fn handle(run: &mut Execution, key: &RunKey, result: Result<Worked, JobError>, now: UnixMillis) {
    // Only what was asked for counts: after a reload the work is asked for anew.
    if !run.shell.remove(key) {
        run.effects.noop = Some(Noop::Stale);
        return;
    }
    match result {
        Ok(Worked::Ports { values, skipped }) => run.complete(key, values, skipped, now),
        Ok(Worked::Items { items, stored }) => run.open_loop(key, items, stored, now),
        Err(error) => run.fail_node(key, error, now),
    }
}
