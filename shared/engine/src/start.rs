//! Starting a node run whose inputs are all settled: each kind of action in its own way.

use std::time::Duration;

use millrace_compiler::logic::{Call, Logic, Ports, api_response, delay};
use millrace_compiler::plan::{Action, PlanNode};
use millrace_contracts::job::ModelRef;
use millrace_contracts::message::{NodeAttempt, Timer, TimerPurpose};
use millrace_contracts::values::{INLINE_LIMIT_BYTES, ValueRef};
use millrace_contracts::{
    EventType, Flow, IMAGE_FETCH, ItemPath, Job, JobId, ModelId, NodeStatus, Pool, UnixMillis,
};
use serde_json::{Map, Value, json};

use crate::bind::Skipped;
use crate::effects::{ShellWork, ShellWorkKind};
use crate::execution::{Execution, RunKey};
use crate::record::{NodeRecord, history_field};

/// What a node run works on: its ports and its configuration, selectors resolved.
pub(crate) struct Given {
    pub(crate) inputs: Map<String, Value>,
    pub(crate) config: Map<String, Value>,
}

impl Execution {
    pub(crate) fn start(&mut self, key: &RunKey, now: UnixMillis) {
        if self.nodes.get(key).is_some_and(|record| record.status != NodeStatus::Pending) {
            return;
        }
        let plan = self.plan.clone();
        let node = plan.node(key.node);
        if self.is_shut(node, &key.path) {
            self.record(key);
            self.settle(key, NodeStatus::Skipped, now);
            return;
        }
        if self.adopt(key, node, now) {
            return;
        }
        if self.try_start(key, node, now) == Err(Skipped) {
            self.record(key);
            self.settle(key, NodeStatus::Skipped, now);
        }
    }

    fn try_start(&mut self, key: &RunKey, node: &PlanNode, now: UnixMillis) -> Result<(), Skipped> {
        match &node.action {
            Action::Input { .. } if self.pictures_to_fetch(node).is_some() => {
                self.start_job(key, node, now)?
            }
            Action::Input { port, .. } => {
                let value = self.accepted.input.get(node.id.as_str()).cloned().unwrap_or_default();
                // A picture that may be left out, and is, is a port that is not taken. A parameter's null is a value.
                if value.is_null() && *port != "value" {
                    self.complete(key, Map::new(), vec![(*port).to_owned()], now);
                } else {
                    self.complete(key, Map::from_iter([((*port).to_owned(), value)]), Vec::new(), now);
                }
            }
            Action::Output => {
                let inputs = self.bind_inputs(node, &key.path)?;
                self.complete(key, inputs, Vec::new(), now);
            }
            Action::Respond => {
                let inputs = self.bind_inputs(node, &key.path)?;
                match api_response::status(inputs.get("status")) {
                    Ok(_) => self.complete(key, inputs, Vec::new(), now),
                    Err(error) => self.fail_node(key, error, now),
                }
            }
            Action::Return => {
                let ports = self.bind_ports(node, &key.path)?;
                self.complete_or_store(key, ports, now);
            }
            Action::Logic(logic) => self.start_logic(key, node, logic, now)?,
            Action::ForEach(_) => {
                let inputs = self.bind_inputs(node, &key.path)?;
                self.start_loop(key, inputs.get("items").cloned().unwrap_or_default(), now);
            }
            Action::Collect(scope) => self.start_collect(key, node, *scope, now)?,
            Action::Delay => self.start_delay(key, node, now)?,
            Action::Job { .. } => self.start_job(key, node, now)?,
        }
        Ok(())
    }

    /// Takes over a result that was recorded before, if there is one for this node run.
    fn adopt(&mut self, key: &RunKey, node: &PlanNode, now: UnixMillis) -> bool {
        if !self.adopts(node) {
            return false;
        }
        let Some(recorded) = self.history.remove(key) else { return false };
        // From now on it stands among the run's own records.
        self.effects.removed.push(history_field(&recorded.node_id, &recorded.path));
        // The job of another run is that run's.
        self.meta.jobs_completed += u64::from(recorded.queued_at.is_some() && recorded.origin.is_none());
        let record = self.record(key);
        *record = NodeRecord { status: NodeStatus::Pending, at_pool: false, in_line: false, ..recorded };
        self.settle(key, NodeStatus::Completed, now);
        true
    }

    /// Whether a result of `node` that was recorded before is taken over; what is decided here is decided again.
    pub(crate) fn adopts(&self, node: &PlanNode) -> bool {
        matches!(node.action, Action::Job { .. } | Action::Delay) || self.pictures_to_fetch(node).is_some()
    }

    pub(crate) fn given(&self, node: &PlanNode, path: &ItemPath) -> Result<Given, Skipped> {
        match self.pictures_to_fetch(node) {
            Some(given) => Ok(given),
            None => {
                Ok(Given { inputs: self.bind_inputs(node, path)?, config: self.bind_config(node, path)? })
            }
        }
    }

    fn start_logic(
        &mut self,
        key: &RunKey,
        node: &PlanNode,
        logic: &Logic,
        now: UnixMillis,
    ) -> Result<(), Skipped> {
        let Given { inputs, config } = self.given(node, &key.path)?;
        let by_reference =
            || inputs.values().chain(config.values()).any(|value| !ValueRef::all_in(value).is_empty());
        if logic.reads_values() && by_reference() {
            self.ask_shell(key, ShellWorkKind::Evaluate { inputs, config });
            return Ok(());
        }
        match logic.evaluate(&Call { inputs: &inputs, config: &config }) {
            Ok(ports) => self.complete_or_store(key, ports, now),
            Err(error) => self.fail_node(key, error, now),
        }
        Ok(())
    }

    /// Completes a node run with these ports; through the blob store when one of them is too large for the bus.
    pub(crate) fn complete_or_store(&mut self, key: &RunKey, ports: Ports, now: UnixMillis) {
        let Ports { values, skipped } = ports;
        if values.values().any(is_large) {
            self.ask_shell(key, ShellWorkKind::Store { values, skipped });
        } else {
            self.complete(key, values, skipped, now);
        }
    }

    pub(crate) fn ask_shell(&mut self, key: &RunKey, kind: ShellWorkKind) {
        self.shell.insert(key.clone());
        self.effects.shell.push(ShellWork { key: key.clone(), kind });
    }

    fn start_delay(&mut self, key: &RunKey, node: &PlanNode, now: UnixMillis) -> Result<(), Skipped> {
        let Given { inputs, config } = self.given(node, &key.path)?;
        let due = match delay::due_at(&config, now) {
            Ok(due) => due,
            Err(error) => {
                self.fail_node(key, error, now);
                return Ok(());
            }
        };
        if due <= now {
            self.complete(key, inputs, Vec::new(), now);
            return Ok(());
        }
        let record = self.record(key);
        record.status = NodeStatus::Running;
        record.attempt = 1;
        record.started_at = Some(now);
        record.due = Some(due);
        self.meta.progress.running += 1;
        let (at, purpose) = self.delay_alarm(key);
        let timer = self.node_timer(key, purpose);
        self.effects.set_timers.push((at, timer));
        self.emit_delay(key, now);
        Ok(())
    }

    /// The one alarm of a delay under way: for its end, or for its limit where that comes first.
    pub(crate) fn delay_alarm(&self, key: &RunKey) -> (UnixMillis, fn(NodeAttempt) -> TimerPurpose) {
        let record = &self.nodes[key];
        let begun = record.started_at.unwrap_or_default();
        let due = record.due.unwrap_or(begun);
        let limit =
            self.plan.node(key.node).policy.timeout_ms.map(|ms| begun.after(Duration::from_millis(ms)));
        match limit.filter(|limit| *limit < due) {
            Some(limit) => (limit, TimerPurpose::NodeTimeout),
            None => (due, TimerPurpose::Delay),
        }
    }

    /// Hands a node run to its pool, or leaves it in line when the run has as many jobs as it may.
    pub(crate) fn start_job(
        &mut self,
        key: &RunKey,
        node: &PlanNode,
        now: UnixMillis,
    ) -> Result<(), Skipped> {
        // A node run that is skipped does not stand in line first.
        let given = self.given(node, &key.path)?;
        if let Err(error) = node.check_config(&given.config) {
            self.fail_node(key, error, now);
            return Ok(());
        }
        // What is done already takes nobody's place.
        let answered = self.is_answered(key);
        if self.is_full() && !answered {
            self.wait_in_line(key);
            return Ok(());
        }
        self.begin_attempt(key, now);
        if answered {
            self.announce(key, (&self.pool_of(node), None), now);
            self.take_answer(key, now);
            return Ok(());
        }
        let content = self.content(node, &given);
        let job = self.job(key, node, given, now);
        self.ask(key, &job, content);
        if let Some(timeout_ms) = node.policy.timeout_ms {
            let timer = self.node_timer(key, TimerPurpose::NodeTimeout);
            self.effects.set_timers.push((now.after(Duration::from_millis(timeout_ms)), timer));
        }
        self.announce(key, (&job.pool, job.model.as_ref()), now);
        let event = self.queued_event(&job, now);
        self.effects.jobs.push((job, event));
        Ok(())
    }

    fn begin_attempt(&mut self, key: &RunKey, now: UnixMillis) {
        let record = self.record(key);
        record.attempt += 1;
        record.status = NodeStatus::Queued;
        record.queued_at = Some(now);
        record.due = None;
        record.started_at = None;
        record.worker_id = None;
        record.metrics = None;
        record.at_pool = true;
        record.in_line = false;
        self.meta.progress.running += 1;
        self.meta.jobs_pending += 1;
    }

    /// Tells that a node run was handed to a pool.
    fn announce(&mut self, key: &RunKey, (pool, model): (&Pool, Option<&ModelRef>), now: UnixMillis) {
        let (attempt, model_id) = (self.nodes[key].attempt, model.map(|model| &model.id));
        let data = json!({"attempt": attempt, "pool": pool, "model_id": model_id});
        self.emit_live(EventType::NodeQueued, key, now, data);
    }

    fn wait_in_line(&mut self, key: &RunKey) {
        // A first attempt in line is found again after a crash because it has no record; a later one has to say so.
        if self.nodes.get(key).is_some_and(|record| !record.in_line) {
            self.record(key).in_line = true;
        }
        self.ready.insert((key.path.clone(), key.node));
    }

    /// Starts whoever waits in line, until the run has as many jobs as it may.
    pub(crate) fn start_next_in_line(&mut self, now: UnixMillis) {
        while !self.is_full() {
            let Some((path, node)) = self.ready.pop_first() else { return };
            self.start(&RunKey::new(node, path), now);
        }
    }

    /// Whether the run has as many jobs at pools as it may.
    pub(crate) fn is_full(&self) -> bool {
        self.plan.limits.max_concurrency.is_some_and(|limit| self.meta.jobs_pending >= u64::from(limit))
    }

    /// Builds the jobs at pools again.
    pub(crate) fn resend_jobs(&mut self, now: UnixMillis) {
        let plan = self.plan.clone();
        let at_pools = self.nodes.iter().filter(|(_, record)| record.at_pool);
        let mut keys: Vec<RunKey> = at_pools.map(|(key, _)| key.clone()).collect();
        keys.sort_by(|a, b| (&a.path, a.node).cmp(&(&b.path, b.node)));
        for key in keys {
            let node = plan.node(key.node);
            let Ok(given) = self.given(node, &key.path) else { continue };
            let queued_at = self.nodes[&key].queued_at.unwrap_or(now);
            let job = self.job(&key, node, given, queued_at);
            let event = self.queued_event(&job, now);
            self.effects.jobs.push((job, event));
        }
    }

    fn job(&self, key: &RunKey, node: &PlanNode, given: Given, queued_at: UnixMillis) -> Job {
        let run = self.accepted.execution_id;
        let attempt = self.nodes[key].attempt;
        let Given { inputs, config } = given;
        let is_input = matches!(node.action, Action::Input { .. });
        let text = |name: &str| config.get(name).and_then(Value::as_str);
        let model = match node.action {
            Action::Job { model: true } => text("model_id").map(|id| {
                let (id, source) = (ModelId::from(id), text("model_source").unwrap_or("pretrained"));
                ModelRef { digest: self.meta.models.get(&id).cloned(), id, source: source.to_owned() }
            }),
            _ => None,
        };
        let by_node = node.policy.timeout_ms.map(|ms| queued_at.after(Duration::from_millis(ms)));
        let started = self.meta.started_at.unwrap_or(queued_at);
        let by_run = self.timeout_ms().map(|ms| started.after(Duration::from_millis(ms)));
        Job {
            id: JobId::of(run, &node.id, &key.path, attempt),
            execution_id: run,
            workflow_id: self.accepted.workflow_id,
            node_id: node.id.clone(),
            path: key.path.clone(),
            attempt,
            task: if is_input { IMAGE_FETCH.to_owned() } else { node.block.clone() },
            model,
            pool: self.pool_of(node),
            priority: node.policy.priority.unwrap_or(self.accepted.priority),
            flow: Flow::of(&self.accepted),
            inputs,
            config,
            then: self.follow_ups(key),
            queued_at,
            deadline: by_node.into_iter().chain(by_run).min(),
            traceparent: self.accepted.traceparent.clone(),
            reply_to: run.partition(self.settings.partitions),
            outlives_run: false,
        }
    }

    /// The alarm of a node run's current attempt.
    pub(crate) fn node_timer(&self, key: &RunKey, purpose: fn(NodeAttempt) -> TimerPurpose) -> Timer {
        let record = &self.nodes[key];
        let attempt = NodeAttempt {
            node_id: record.node_id.clone(),
            path: record.path.clone(),
            attempt: record.attempt,
        };
        Timer { execution_id: self.accepted.execution_id, purpose: purpose(attempt) }
    }

    /// The node run's record, made on first sight; it counts as changed.
    pub(crate) fn record(&mut self, key: &RunKey) -> &mut NodeRecord {
        self.pending.remove(key);
        self.effects.changed_nodes.insert(key.clone());
        let node = self.plan.node(key.node);
        self.nodes.entry(key.clone()).or_insert_with(|| {
            Box::new(NodeRecord::new(node.id.clone(), key.path.clone(), node.block.clone()))
        })
    }
}

fn is_large(value: &Value) -> bool {
    // Scalars and references are small; only text, lists and objects need measuring.
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => text.len() > INLINE_LIMIT_BYTES,
        other => serde_json::to_vec(other).map_or(true, |json| json.len() > INLINE_LIMIT_BYTES),
    }
}
