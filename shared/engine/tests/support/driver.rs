//! One run with everything around it: stored records, log, jobs that were sent, alarms, blobs. Every step is taken twice,
//! by the run in memory and by one loaded from the stored records, and both must decide the same.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use millrace_compiler::Plan;
use millrace_contracts::job::JobOutcome;
use millrace_contracts::message::{Accepted, Message, Timer};
use millrace_contracts::{Event, EventType, Job, JobId, UnixMillis};
use millrace_engine::{Ask, Effects, Execution, Hit, Input, NodeRecord, Noop, Reusable, Settings};
use serde_json::{Map, Value};

use super::blobs::Blobs;
use super::check::Checker;
use super::dice::hash;
use super::{flow, work};

/// What a step asks for, in a form that can be compared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Commit {
    pub(crate) durable: Vec<Event>,
    pub(crate) live: Vec<(u64, Event)>,
    pub(crate) jobs: Vec<(Job, Event)>,
    pub(crate) abandon: Vec<JobId>,
    pub(crate) set_timers: Vec<(UnixMillis, Timer)>,
    pub(crate) renew_timers: Vec<(UnixMillis, Timer)>,
    pub(crate) clear_timers: Vec<Timer>,
    pub(crate) noop: Option<Noop>,
    pub(crate) needed: bool,
    pub(crate) fields: BTreeMap<String, Vec<u8>>,
    pub(crate) removed: Vec<String>,
}

impl Commit {
    pub(crate) fn of(run: &Execution, effects: Effects) -> Self {
        let needed = effects.needs_commit();
        let fields =
            if needed { run.changed_fields(&effects).into_iter().collect() } else { BTreeMap::new() };
        let Effects {
            durable,
            live,
            jobs,
            abandon,
            removed,
            set_timers,
            renew_timers,
            clear_timers,
            noop,
            ..
        } = effects;
        Self {
            durable,
            live,
            jobs,
            abandon,
            set_timers,
            renew_timers,
            clear_timers,
            noop,
            needed,
            fields,
            removed,
        }
    }
}

/// Loads a run and brings the lists it asks for, as the orchestrator does.
pub(crate) fn load(
    plan: &Arc<Plan>,
    fields: &HashMap<String, Vec<u8>>,
    settings: Settings,
    blobs: &Blobs,
) -> Execution {
    let (mut run, missing) = Execution::load(plan.clone(), fields, settings).expect("stored records load");
    for list in missing {
        match blobs.resolve_one(&list.list.to_value()) {
            Value::Array(items) => run.provide_items(&list.opener, items),
            other => panic!("{other} is no list"),
        }
    }
    run
}

/// What was kept of earlier results: a share of the jobs that would succeed, by luck. Whether a job is among them follows
/// from this luck alone; another luck is another state of the cache, as after a crash.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept {
    /// None: nothing is ever found.
    pub(crate) luck: Option<u64>,
    /// The seed of the workers' answers.
    pub(crate) answers: u64,
}

impl Kept {
    pub(crate) const NOTHING: Self = Self { luck: None, answers: 0 };

    fn find(self, ask: &Ask, job: &Job, blobs: &mut Blobs) -> Option<Hit> {
        let lucky = hash(&format!("{}/{:?}{}", self.luck?, ask.content, job.id)).is_multiple_of(3);
        let JobOutcome::Completed { outputs, warnings, .. } = work::answer(job, self.answers, blobs) else {
            return None;
        };
        let result = Reusable { outputs, warnings, origin: flow::execution(u64::MAX >> 8), at: flow::START };
        lucky.then(|| Hit { key: ask.key.clone(), attempt: ask.attempt, model: None, result })
    }
}

/// Does the shell work that `effects` ask for, looks up the jobs that may have been done before, and what follows from it.
pub(crate) fn settle(
    run: &mut Execution,
    effects: &mut Effects,
    (blobs, kept): (&mut Blobs, Kept),
    now: UnixMillis,
) {
    loop {
        do_shell_work(run, effects, blobs, now);
        let asks = std::mem::take(&mut effects.asks);
        let jobs: HashMap<JobId, &Job> = effects.jobs.iter().map(|(job, _)| (job.id, job)).collect();
        let hits: Vec<Hit> =
            asks.iter().filter_map(|ask| kept.find(ask, jobs.get(&ask.job)?, blobs)).collect();
        if hits.is_empty() {
            return;
        }
        effects.append(run.step(Input::Cached(hits), now));
    }
}

/// Does the shell work that `effects` ask for, and all that follows from it and from what the step left.
pub(crate) fn do_shell_work(run: &mut Execution, effects: &mut Effects, blobs: &mut Blobs, now: UnixMillis) {
    loop {
        go_on(run, effects, now);
        let work = std::mem::take(&mut effects.shell);
        if work.is_empty() {
            return;
        }
        for work in work {
            let input = blobs.perform(run, work);
            effects.append(run.step(input, now));
            go_on(run, effects, now);
        }
    }
}

/// Takes what a step left to its end, so that what is decided does not depend on how long a step is.
pub(crate) fn go_on(run: &mut Execution, effects: &mut Effects, now: UnixMillis) {
    while run.is_unfinished() {
        effects.append(run.step(Input::Continue, now));
    }
}

pub(crate) struct Driver {
    pub(crate) plan: Arc<Plan>,
    pub(crate) run: Execution,
    pub(crate) settings: Settings,
    pub(crate) fields: HashMap<String, Vec<u8>>,
    pub(crate) log: Vec<Event>,
    /// Every job that was sent, in order.
    pub(crate) sent: Vec<Job>,
    pub(crate) abandoned: Vec<JobId>,
    pub(crate) timers: HashMap<String, (UnixMillis, Timer)>,
    pub(crate) blobs: Blobs,
    pub(crate) now: UnixMillis,
    pub(crate) last: Commit,
    pub(crate) kept: Kept,
    checker: Checker,
}

impl Driver {
    pub(crate) fn begin(definition: &Value, input: Value) -> Self {
        Self::start(definition, flow::accepted(1, flow::map(input)), Settings::default(), Vec::new())
    }

    pub(crate) fn start(
        definition: &Value,
        accepted: Accepted,
        settings: Settings,
        history: Vec<NodeRecord>,
    ) -> Self {
        Self::start_with(definition, accepted, settings, (history, Kept::NOTHING))
    }

    pub(crate) fn start_with(
        definition: &Value,
        accepted: Accepted,
        settings: Settings,
        (history, kept): (Vec<NodeRecord>, Kept),
    ) -> Self {
        let plan = flow::compile(definition);
        let now = flow::START;
        let mut blobs = Blobs::default();
        let (mut run, mut effects) = Execution::begin(plan.clone(), accepted, settings, history, now);
        settle(&mut run, &mut effects, (&mut blobs, kept), now);
        let first = Commit::of(&run, effects);
        let mut driver = Self {
            checker: Checker::new(plan.clone()),
            plan,
            run,
            settings,
            fields: HashMap::new(),
            log: Vec::new(),
            sent: Vec::new(),
            abandoned: Vec::new(),
            timers: HashMap::new(),
            blobs,
            now,
            last: first.clone(),
            kept,
        };
        driver.apply(first);
        driver
    }

    /// Steps the run through `messages` at once, as a batch does.
    pub(crate) fn step(&mut self, messages: &[Message]) -> &Commit {
        let mut twin = load(&self.plan, &self.fields, self.settings, &self.blobs);
        let twins = Self::decide(&mut twin, messages, (&mut self.blobs, self.kept), self.now);
        let commit = Self::decide(&mut self.run, messages, (&mut self.blobs, self.kept), self.now);
        assert_eq!(commit, twins, "a run that was loaded decides as the one in memory does");
        self.apply(commit);
        &self.last
    }

    /// What a wake-up says again.
    pub(crate) fn wake(&mut self) -> Effects {
        let execution_id = self.run.accepted().execution_id;
        self.run.step(Input::Message(Message::Wake { execution_id }), self.now)
    }

    fn decide(
        run: &mut Execution,
        messages: &[Message],
        kept: (&mut Blobs, Kept),
        now: UnixMillis,
    ) -> Commit {
        let mut effects = Effects::default();
        for message in messages {
            effects.append(run.step(Input::Message(message.clone()), now));
            go_on(run, &mut effects, now);
        }
        settle(run, &mut effects, kept, now);
        Commit::of(run, effects)
    }

    fn apply(&mut self, commit: Commit) {
        self.fields.extend(commit.fields.clone());
        self.fields.retain(|field, _| !commit.removed.contains(field));
        self.log.extend(commit.durable.clone());
        self.sent.extend(commit.jobs.iter().map(|(job, _)| job.clone()));
        self.abandoned.extend(&commit.abandon);
        for (due, timer) in &commit.set_timers {
            self.timers.insert(timer.to_string(), (*due, timer.clone()));
        }
        for timer in &commit.clear_timers {
            self.timers.remove(&timer.to_string());
        }
        self.checker.check(&commit, &self.run);
        self.last = commit;
    }

    /// Forgets the run in memory and loads it from its stored records.
    pub(crate) fn reload(&mut self) {
        self.run = load(&self.plan, &self.fields, self.settings, &self.blobs);
    }

    /// The job of the current attempt of `node` at `path`, such as `a`, or `b[0,1]`.
    pub(crate) fn job(&self, place: &str) -> Job {
        let found = self.sent.iter().rev().find(|job| format!("{}{}", job.node_id, job.path) == place);
        found.unwrap_or_else(|| panic!("no job was sent for {place}; sent: {:?}", self.places())).clone()
    }

    pub(crate) fn places(&self) -> Vec<String> {
        self.sent.iter().map(|job| format!("{}{}#{}", job.node_id, job.path, job.attempt)).collect()
    }

    pub(crate) fn report(&mut self, place: &str, outcome: JobOutcome) -> &Commit {
        let message = work::report(&self.job(place), "w1", self.now, outcome);
        self.step(&[message])
    }

    pub(crate) fn complete(&mut self, place: &str, outputs: Value) -> &Commit {
        self.report(place, work::completed(flow::map(outputs)))
    }

    /// Completes a job with an image that names the place.
    pub(crate) fn done(&mut self, place: &str) -> &Commit {
        self.complete(place, serde_json::json!({"image": place}))
    }

    pub(crate) fn fail(&mut self, place: &str, kind: millrace_contracts::ErrorKind) -> &Commit {
        self.report(place, work::failed(kind))
    }

    pub(crate) fn cancel(&mut self) -> &Commit {
        let execution_id = self.run.accepted().execution_id;
        self.step(&[Message::Cancel { execution_id, reason: "asked".to_owned() }])
    }

    /// Lets time pass and fires what comes due meanwhile, in its order.
    pub(crate) fn advance(&mut self, ms: u64) {
        let until = self.now.after(Duration::from_millis(ms));
        while let Some((due, timer)) = self.next_timer().filter(|(due, _)| *due <= until) {
            self.timers.remove(&timer.to_string());
            self.now = self.now.max(due);
            self.step(&[Message::Timer(timer)]);
        }
        self.now = until;
    }

    pub(crate) fn next_timer(&self) -> Option<(UnixMillis, Timer)> {
        let soonest = self.timers.iter().min_by_key(|(text, (due, _))| (*due, (*text).clone()));
        soonest.map(|(_, timer)| timer.clone())
    }

    /// The stored record of `place`.
    pub(crate) fn record(&self, place: &str) -> NodeRecord {
        let bytes = self.fields.get(&format!("n:{place}")).unwrap_or_else(|| panic!("{place} has no record"));
        serde_json::from_slice(bytes).unwrap()
    }

    pub(crate) fn status(&self, place: &str) -> String {
        if !self.fields.contains_key(&format!("n:{place}")) {
            return "none".to_owned();
        }
        self.record(place).status.to_string()
    }

    /// `type place` of every durable event so far, such as `node:completed a`.
    pub(crate) fn told(&self) -> Vec<String> {
        self.log.iter().map(told).collect()
    }

    pub(crate) fn run_status(&self) -> String {
        self.run.meta().status.to_string()
    }

    pub(crate) fn outputs(&self) -> Map<String, Value> {
        self.run.outputs()
    }

    /// Completes every job that is out until there is none, oldest first.
    pub(crate) fn finish_all(&mut self) {
        let mut next = 0;
        while next < self.sent.len() {
            let job = self.sent[next].clone();
            next += 1;
            let place = format!("{}{}", job.node_id, job.path);
            let message = work::report(
                &job,
                "w1",
                self.now,
                work::completed(flow::map(serde_json::json!({"image": place}))),
            );
            self.step(&[message]);
        }
    }
}

/// `type place` of an event.
pub(crate) fn told(event: &Event) -> String {
    let kind = event.kind.channel().trim_start_matches("workflow:");
    match (&event.node_id, event.kind) {
        (Some(node), _) => {
            format!("{kind} {node}{}", event.path.as_ref().map(ToString::to_string).unwrap_or_default())
        }
        (None, EventType::WorkflowFailed) => format!("{kind} {}", event.data["status"].as_str().unwrap()),
        _ => kind.to_owned(),
    }
}
