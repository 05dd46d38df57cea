//! An alarm came due. Node alarms name their attempt; one of another attempt is void.

use millrace_contracts::message::{NodeAttempt, TimerPurpose};
use millrace_contracts::{ErrorKind, ExecutionStatus, JobError, JobId, NodeStatus, UnixMillis};

use super::report::attempt_failed;
use crate::effects::Noop;
use crate::execution::{Agenda, Execution, RunKey};
use crate::record::NodeRecord;

pub(crate) fn handle(run: &mut Execution, purpose: TimerPurpose, now: UnixMillis) {
    match purpose {
        TimerPurpose::RunTimeout => run_timeout(run, now),
        TimerPurpose::NodeTimeout(attempt) => node_timeout(run, attempt, now),
        TimerPurpose::Retry(attempt) => retry(run, attempt),
        TimerPurpose::Delay(attempt) => delay(run, attempt, now),
    }
}

fn run_timeout(run: &mut Execution, now: UnixMillis) {
    let limit = run.timeout_ms().unwrap_or_default();
    let message = format!("the run took longer than its timeout of {limit} ms");
    run.finish(ExecutionStatus::TimedOut, Some(JobError::new(ErrorKind::Timeout, message)), now);
}

fn node_timeout(run: &mut Execution, attempt: NodeAttempt, now: UnixMillis) {
    // What runs and is at no pool is a delay.
    let is_under_way = |record: &NodeRecord| record.at_pool || record.status == NodeStatus::Running;
    let Some(key) = current(run, attempt, is_under_way) else { return };
    let record = &run.nodes[&key];
    if !record.at_pool {
        delay_timeout(run, &key, now);
        return;
    }
    let job = JobId::of(run.accepted.execution_id, &record.node_id, &record.path, record.attempt);
    run.effects.abandon.push(job);
    let limit = run.plan.node(key.node).policy.timeout_ms.unwrap_or_default();
    let message = format!("attempt {} took longer than timeout_ms {limit}", record.attempt);
    attempt_failed(run, &key, NodeStatus::TimedOut, JobError::new(ErrorKind::Timeout, message), now);
}

/// A delay is longer than it may be. Another attempt would be no shorter.
fn delay_timeout(run: &mut Execution, key: &RunKey, now: UnixMillis) {
    let limit = run.plan.node(key.node).policy.timeout_ms.unwrap_or_default();
    let message = format!("the delay is longer than timeout_ms {limit}");
    run.fail_node_as(key, NodeStatus::TimedOut, JobError::new(ErrorKind::Timeout, message), now);
}

fn retry(run: &mut Execution, attempt: NodeAttempt) {
    let waiting = |record: &NodeRecord| record.status == NodeStatus::Pending && !record.in_line;
    if let Some(key) = current(run, attempt, waiting) {
        run.agenda.push_back(Agenda::Start(key));
    }
}

fn delay(run: &mut Execution, attempt: NodeAttempt, now: UnixMillis) {
    let is_waiting = |record: &NodeRecord| record.status == NodeStatus::Running && !record.at_pool;
    let Some(key) = current(run, attempt, is_waiting) else { return };
    let plan = run.plan.clone();
    match run.bind_inputs(plan.node(key.node), &key.path) {
        Ok(inputs) => run.complete(&key, inputs, Vec::new(), now),
        Err(_) => run.settle(&key, NodeStatus::Skipped, now),
    }
}

/// The node run the alarm is about, if it is still in the state that the alarm was set for.
fn current(run: &mut Execution, attempt: NodeAttempt, still: impl Fn(&NodeRecord) -> bool) -> Option<RunKey> {
    let found = run.plan.find(&attempt.node_id).map(|node| RunKey::new(node, attempt.path));
    let key = found.filter(|key| run.nodes.contains_key(key));
    let Some(key) = key else {
        run.effects.noop = Some(Noop::Unknown);
        return None;
    };
    let record = &run.nodes[&key];
    if record.attempt == attempt.attempt && still(record) {
        return Some(key);
    }
    run.effects.noop = Some(Noop::Stale);
    None
}
