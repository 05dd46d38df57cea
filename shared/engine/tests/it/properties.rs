//! Random workflows × random order, duplicates, stale reports, reloads and crashes. What must hold is checked after every
//! step (`support/check.rs`); and whatever the order, the run ends the same.

use millrace_contracts::job::JobOutcome;
use millrace_contracts::message::Message;
use millrace_contracts::{Job, JobId};
use millrace_engine::Settings;
use proptest::prelude::*;
use serde_json::Value;

use crate::support::check::check_ended;
use crate::support::dice::Dice;
use crate::support::driver::{Driver, Kept};
use crate::support::generate::{Generated, generate, generate_with_calls};
use crate::support::{flow, work};

/// More steps than any of these runs needs.
const MAX_STEPS: usize = 20_000;

/// How the world treats messages.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Manner {
    /// Every message once, in order.
    Orderly,
    /// Any order; duplicates, stale reports, reloads, crashes.
    Unruly { cancels: bool },
}

struct World {
    driver: Driver,
    dice: Dice,
    answers: u64,
    manner: Manner,
    /// Jobs in the queues. A job may be run more than once.
    queued: Vec<Job>,
    inbox: Vec<Message>,
    past: Vec<Message>,
}

impl World {
    fn new(generated: &Generated, answers: u64, order: u64, manner: Manner) -> Self {
        let accepted = flow::accepted(1, generated.input.clone());
        // In order nothing is found; else by luck: a run ends the same whether its results were made or found.
        let kept = Kept { luck: (manner != Manner::Orderly).then_some(order), answers };
        let start = (Vec::new(), kept);
        let driver = Driver::start_with(&generated.definition, accepted, Settings::default(), start);
        let queued = driver.sent.clone();
        Self { driver, dice: Dice::new(order), answers, manner, queued, inbox: Vec::new(), past: Vec::new() }
    }

    fn run(mut self) -> Driver {
        for _ in 0..MAX_STEPS {
            if self.driver.run.is_terminal() {
                check_ended(&self.driver.run);
                self.after_the_end();
                return self.driver;
            }
            match self.manner {
                Manner::Orderly => self.orderly(),
                Manner::Unruly { cancels } => self.unruly(cancels),
            }
        }
        panic!("the run does not end: {:?}", self.driver.run.meta());
    }

    fn orderly(&mut self) {
        if !self.inbox.is_empty() {
            self.deliver(0, 1);
        } else if !self.queued.is_empty() {
            self.work(0);
        } else {
            self.fire();
        }
    }

    fn unruly(&mut self, cancels: bool) {
        match self.dice.below(100) {
            0..40 if !self.inbox.is_empty() => {
                let (at, many) = (self.dice.below(self.inbox.len()), 1 + self.dice.below(3));
                self.deliver(at, many);
            }
            40..70 if !self.queued.is_empty() => {
                let at = self.dice.below(self.queued.len());
                self.work(at);
            }
            70..78 if !self.past.is_empty() => {
                let again = self.dice.pick(&self.past).clone();
                self.inbox.push(again);
            }
            78..82 => {
                self.driver.reload();
                self.driver.kept.luck = Some(self.dice.below(1 << 20) as u64);
            }
            82..85 => self.crash_before_sending(),
            85 => self.stranger(),
            86 if cancels && self.dice.chance(20) => {
                self.driver.cancel();
            }
            87..90 => {
                let execution_id = self.driver.run.accepted().execution_id;
                self.driver.step(&[Message::Wake { execution_id }]);
                // What a wake-up sends again is on its way already; whoever crashes before sending it is woken again.
                self.driver.last.jobs.clear();
            }
            _ if self.inbox.is_empty() && self.queued.is_empty() => self.fire(),
            90..93 if self.driver.next_timer().is_some() => self.fire(),
            _ => {}
        }
    }

    fn deliver(&mut self, at: usize, many: usize) {
        let until = (at + many).min(self.inbox.len());
        let batch: Vec<Message> = self.inbox.drain(at..until).collect();
        self.driver.step(&batch);
        self.past.extend(batch);
        self.queued.extend(self.driver.last.jobs.iter().map(|(job, _)| job.clone()));
    }

    /// A worker takes a job, reports the start and the end; at times two do.
    fn work(&mut self, at: usize) {
        let unruly = self.manner != Manner::Orderly;
        let job =
            if unruly && self.dice.chance(10) { self.queued[at].clone() } else { self.queued.remove(at) };
        let now = self.driver.now;
        if !unruly || self.dice.chance(80) {
            self.inbox.push(work::report(&job, "w1", now, JobOutcome::Started));
        }
        // In order every job is done by itself: a run ends the same whether they are or not.
        let most = if unruly { self.dice.below(job.then.len() + 1) } else { 0 };
        let answer = |job: &Job| work::answer(job, self.answers, &mut self.driver.blobs);
        self.inbox.push(work::report_on_chain(&job, ("w1", now), most, answer));
    }

    fn fire(&mut self) {
        let (due, timer) = self.driver.next_timer().expect("a run that has not ended waits for something");
        self.driver.now = self.driver.now.max(due);
        self.driver.timers.remove(&timer.to_string());
        let message = Message::Timer(timer);
        if self.manner == Manner::Orderly {
            self.inbox.push(message);
        } else {
            let at = self.dice.below(self.inbox.len() + 1);
            self.inbox.insert(at, message);
        }
    }

    /// The orchestrator died after its commit and before it sent the jobs: whoever comes next sends all of them.
    fn crash_before_sending(&mut self) {
        self.driver.reload();
        let resent: Vec<JobId> = self.driver.wake().jobs.iter().map(|(job, _)| job.id).collect();
        for (job, _) in &self.driver.last.jobs {
            assert!(resent.contains(&job.id), "{}{} is sent again", job.node_id, job.path);
        }
        self.queued.retain(|job| !resent.contains(&job.id));
        let jobs = self.driver.sent.iter().filter(|job| resent.contains(&job.id)).cloned();
        self.queued.extend(jobs);
    }

    /// A report on a job that never was.
    fn stranger(&mut self) {
        let Some(mut job) = self.driver.sent.first().cloned() else { return };
        match self.dice.below(3) {
            0 => job.node_id = "nobody".into(),
            1 => job.path = job.path.child(99),
            _ => job.attempt += 7,
        }
        let message = work::report(&job, "w9", self.driver.now, work::completed(serde_json::Map::new()));
        let commit = self.driver.step(&[message]);
        assert!(commit.noop.is_some() && !commit.needed, "{commit:?}");
    }

    fn after_the_end(&mut self) {
        let rest: Vec<Message> = self.inbox.drain(..).chain(self.past.drain(..)).collect();
        self.driver.step(&rest);
        self.driver.reload();
        self.driver.step(&rest);
        assert!(self.driver.wake().jobs.is_empty(), "no job is sent after the end");
    }
}

fn without_timeouts(mut generated: Generated) -> Generated {
    let nodes = generated.definition["nodes"].as_array_mut().unwrap();
    for node in nodes {
        node.as_object_mut().unwrap().remove("timeout_ms");
    }
    generated.definition.as_object_mut().unwrap().remove("timeout_ms");
    generated
}

fn results(driver: &Driver) -> (String, Value) {
    let outputs =
        if driver.run_status() == "completed" { Value::Object(driver.outputs()) } else { Value::Null };
    (driver.run_status(), driver.blobs.resolve(&outputs))
}

proptest! {
    // PROPTEST_CASES asks for more.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_run_keeps_its_promises(
        seed in any::<u64>(), size in 1usize..28, answers in any::<u64>(), order in any::<u64>(), cancels in any::<bool>(),
        calls in any::<bool>(),
    ) {
        let generated = if calls { generate_with_calls(seed, size) } else { generate(seed, size) };
        World::new(&generated, answers, order, Manner::Unruly { cancels }).run();
    }

    #[test]
    fn a_run_ends_the_same_in_any_order(
        seed in any::<u64>(), size in 1usize..28, answers in any::<u64>(), order in any::<u64>(), calls in any::<bool>(),
    ) {
        let generated = if calls { generate_with_calls(seed, size) } else { generate(seed, size) };
        let generated = without_timeouts(generated);
        let orderly = World::new(&generated, answers, 0, Manner::Orderly).run();
        let unruly = World::new(&generated, answers, order, Manner::Unruly { cancels: false }).run();
        prop_assert_eq!(results(&orderly), results(&unruly));
    }
}
