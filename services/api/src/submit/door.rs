//! The door: when too much waits, a run is refused before anything of it is accepted. What waits is read from Redis at most
//! four times a second, and what this replica has let in since is added, so that asking costs a request next to nothing.
//! While Redis is away the door is open: what is accepted then is recorded, and started by the sweeper.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use millrace_bus::{Bus, BusError, LineView, QueueDepth};
use millrace_compiler::Plan;
use millrace_compiler::plan::{Action, PlanNode};
use millrace_config::Api;
use millrace_contracts::{ModelId, Pool};
use millrace_tasks::within;

use super::{RunOptions, Target};
use crate::problem::{Code, Problem};
use crate::state::App;

/// How old a reading may be.
const FRESH: Duration = Duration::from_millis(250);
/// Longest a request waits for a reading; the last one will do.
const READING: Duration = Duration::from_millis(250);
/// Flows of the line that are read: those with most runs waiting. A flow beyond its limit is among them, unless as many
/// others are.
const FLOWS: usize = 256;

/// One job queue: a pool, and a model where the block names one.
pub(crate) type QueueOf = (Pool, Option<ModelId>);

/// Who comes to the door.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visit<'a> {
    pub(crate) target: &'a Target,
    pub(crate) options: &'a RunOptions,
    /// Runs asked for.
    pub(crate) count: usize,
}

/// Refuses what would have to wait behind too much.
#[derive(Debug)]
pub(crate) struct Door {
    limits: Limits,
    reading: Mutex<Reading>,
    /// One request reads for all.
    reader: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone, Copy)]
struct Limits {
    runs: u64,
    runs_of_flow: u64,
    jobs: u64,
}

/// What waits.
#[derive(Debug, Default)]
struct Reading {
    at: Option<Instant>,
    runs: u64,
    flows: HashMap<String, u64>,
    jobs: HashMap<QueueOf, u64>,
}

impl Door {
    pub(crate) fn new(settings: &Api) -> Self {
        let limits = Limits {
            runs: settings.max_waiting_runs,
            runs_of_flow: settings.max_waiting_runs_per_workflow,
            jobs: settings.max_waiting_jobs,
        };
        Self { limits, reading: Mutex::default(), reader: tokio::sync::Mutex::default() }
    }

    /// Lets the visitor's runs in, all or none. A request that is sent again does not come here: it makes nothing new.
    ///
    /// # Errors
    /// 429 when too many runs of the workflow wait, or too many jobs for what it runs; 503 when too many runs of all do.
    pub(crate) async fn admit(&self, app: &App, visit: Visit<'_>) -> Result<(), Problem> {
        self.refresh(&app.bus).await;
        self.ask(visit).inspect_err(|_| {
            metrics::counter!("millrace_runs_refused_total").increment(visit.count as u64);
        })
    }

    fn ask(&self, visit: Visit<'_>) -> Result<(), Problem> {
        let Visit { target, options, count, .. } = visit;
        let flow = target
            .workflow_id
            .map_or_else(|| target.compiled.id.to_string(), |workflow| workflow.to_string());
        let queues = target
            .compiled
            .queues
            .iter()
            .map(|(pool, model)| (options.pool.clone().unwrap_or_else(|| pool.clone()), model.clone()));
        self.lock().admit(self.limits, &flow, queues, count as u64)
    }

    async fn refresh(&self, bus: &Bus) {
        let is_fresh = || self.lock().at.is_some_and(|at| at.elapsed() < FRESH);
        if is_fresh() {
            return;
        }
        let _reading = self.reader.lock().await;
        if is_fresh() {
            return;
        }
        let read = within(READING, read(bus)).await;
        let mut reading = self.lock();
        match read {
            Ok((line, depths)) => *reading = Reading::of(line, depths),
            Err(error) => tracing::debug!(error, "what waits could not be read"),
        }
        reading.at = Some(Instant::now());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Reading> {
        // Nothing under the lock can leave the reading half changed.
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn read(bus: &Bus) -> Result<(LineView, Vec<QueueDepth>), BusError> {
    tokio::try_join!(bus.line(FLOWS), bus.queue_depths())
}

impl Reading {
    fn of(line: LineView, depths: Vec<QueueDepth>) -> Self {
        let mut reading = Self { runs: line.waiting, ..Self::default() };
        for flow in line.flows {
            *reading.flows.entry(flow.flow).or_default() += flow.waiting;
        }
        for depth in depths {
            *reading.jobs.entry((depth.pool, depth.model)).or_default() += depth.waiting;
        }
        reading
    }

    fn admit(
        &mut self,
        limits: Limits,
        flow: &str,
        mut queues: impl Iterator<Item = QueueOf>,
        count: u64,
    ) -> Result<(), Problem> {
        let of_flow = self.flows.get(flow).copied().unwrap_or(0);
        if of_flow + count > limits.runs_of_flow {
            let detail = format!(
                "{of_flow} runs of this workflow wait already, of {} that may; submit again when some have begun",
                limits.runs_of_flow
            );
            return Err(Problem::new(Code::TooManyWaiting, detail));
        }
        if self.runs + count > limits.runs {
            let detail = format!(
                "{} runs wait already, of {} that may; submit again when some have begun",
                self.runs, limits.runs
            );
            return Err(Problem::new(Code::Overloaded, detail));
        }
        if let Some(full) = queues.find(|queue| self.jobs.get(queue).is_some_and(|jobs| *jobs >= limits.jobs))
        {
            let model = full.1.map(|model| format!(" and model {model}")).unwrap_or_default();
            let detail = format!(
                "{} jobs or more wait for pool {}{model}; submit again when workers have caught up",
                limits.jobs, full.0
            );
            return Err(Problem::new(Code::QueueFull, detail));
        }
        self.runs += count;
        *self.flows.entry(flow.to_owned()).or_default() += count;
        Ok(())
    }
}

/// The job queues that runs of `plan` use, as far as the definition tells.
pub(crate) fn queues_of(plan: &Plan) -> Vec<QueueOf> {
    let queue = |node: &PlanNode| match node.action {
        Action::Job { .. } => Some((node.policy.pool.clone(), node.model())),
        _ => None,
    };
    plan.nodes.iter().filter_map(queue).collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { runs: 10, runs_of_flow: 6, jobs: 5 };

    fn code(admitted: Result<(), Problem>) -> Option<Code> {
        admitted.err().map(|problem| problem.code())
    }

    #[test]
    fn what_was_let_in_since_the_reading_counts() {
        let mut reading =
            Reading { runs: 3, flows: HashMap::from([("a".to_owned(), 3)]), ..Reading::default() };
        let none = std::iter::empty::<QueueOf>;
        assert_eq!(code(reading.admit(LIMITS, "a", none(), 4)), Some(Code::TooManyWaiting), "all or none");
        assert_eq!(code(reading.admit(LIMITS, "a", none(), 3)), None);
        assert_eq!(code(reading.admit(LIMITS, "a", none(), 1)), Some(Code::TooManyWaiting));
        assert_eq!(code(reading.admit(LIMITS, "b", none(), 4)), None);
        assert_eq!(code(reading.admit(LIMITS, "c", none(), 1)), Some(Code::Overloaded));
    }

    #[test]
    fn a_full_queue_refuses_those_who_use_it() {
        let (full, free) = ((Pool::from("fast"), Some(ModelId::from("m"))), (Pool::from("cpu"), None));
        let mut reading = Reading { jobs: HashMap::from([(full.clone(), 5)]), ..Reading::default() };
        assert_eq!(
            code(reading.admit(LIMITS, "a", [free.clone(), full].into_iter(), 1)),
            Some(Code::QueueFull)
        );
        assert_eq!(code(reading.admit(LIMITS, "a", [free].into_iter(), 1)), None);
    }

    #[test]
    fn a_plan_tells_the_queues_of_its_jobs() {
        let node = |id: &str, block: &str, config: serde_json::Value| serde_json::json!({"id": id, "type": block, "inputs": {"image": "$inputs.photo"}, "config": config});
        let definition = serde_json::json!({"name": "queues", "nodes": [
            {"id": "photo", "type": "image_input"},
            node("look", "detection", serde_json::json!({"model_id": "shapes"})),
            node("small", "resize", serde_json::json!({"width": 8})),
            node("smaller", "resize", serde_json::json!({"width": 4})),
        ]});
        let plan = millrace_compiler::compile(&definition).unwrap();
        let queues = queues_of(&plan);
        assert_eq!(queues.len(), 2, "{queues:?}");
        assert!(queues.contains(&("fast".into(), Some("shapes".into()))));
        assert!(queues.contains(&("cpu".into(), None)));
    }
}
