//! The world of one seed: who goes next, what breaks, and what must be true when all is quiet again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use millrace_compiler::Plan;
use millrace_contracts::message::Message;
use millrace_contracts::{ExecutionId, ItemPath, JobId, NodeId, UnixMillis};
use millrace_engine::Settings;
use serde_json::{Map, Value};

use crate::record::Record;
use crate::redis::Redis;
use crate::replica::{Desk, Replica};
use crate::support::blobs::Blobs;
use crate::support::check::{Checker, check_ended};
use crate::support::dice::{Dice, mix};
use crate::support::driver::{Commit, load, told};
use crate::support::flow;
use crate::support::generate::{generate, generate_with_calls};
use crate::worker::{Shop, Worker};

/// Operations before the world calms down, and the most it may need to come to rest then.
const UNREST: usize = 200;
const CALM: usize = 20_000;

/// Workflows, compiled once for all seeds.
pub(crate) struct Flows(Vec<(Arc<Plan>, Map<String, Value>)>);

impl Flows {
    pub(crate) fn compile() -> Self {
        let flow = |number: u64| {
            let size = 1 + (number % 14) as usize;
            let generated = if number.is_multiple_of(3) {
                generate_with_calls(mix(number), size)
            } else {
                generate(mix(number), size)
            };
            (flow::compile(&generated.definition), generated.input)
        };
        Self((0..96).map(flow).collect())
    }
}

/// What may go wrong in this seed.
struct Luck {
    flushes: u32,
    /// Losses of the job streams or of the timers alone, while the run's state survives.
    lost_keys: u32,
    /// Whether anything in Redis was lost.
    flushed: bool,
    cancels: bool,
}

pub(crate) struct World {
    seed: u64,
    tells: bool,
    dice: Dice,
    luck: Luck,
    now: UnixMillis,
    run: ExecutionId,
    plan: Arc<Plan>,
    redis: Redis,
    record: Record,
    blobs: Blobs,
    replicas: Vec<Replica>,
    workers: Vec<Worker>,
    rash: bool,
    versions: u64,
    /// Lives of the run so far.
    begun: usize,
    /// One per life of the run: a new one when it is begun again.
    checker: Checker,
    /// What the record had when the run was begun, and so must not be done again.
    history: HashSet<(NodeId, ItemPath)>,
}

impl World {
    pub(crate) fn new(flows: &Flows, seed: u64, tells: bool) -> Self {
        let mut dice = Dice::new(mix(seed));
        let (plan, input) = dice.pick(&flows.0).clone();
        let accepted = flow::accepted(seed, input);
        let run = accepted.execution_id;
        let luck = Luck {
            flushes: u32::from(dice.chance(30)) + u32::from(dice.chance(10)),
            lost_keys: u32::from(dice.chance(20)),
            flushed: false,
            cancels: dice.chance(15),
        };
        let (mut redis, mut record) = (Redis::default(), Record::default());
        record.accept(accepted.clone());
        redis.inbox.add(Message::Execute(Box::new(accepted)));
        Self {
            seed,
            tells,
            luck,
            now: flow::START,
            run,
            begun: 0,
            checker: Checker::new(plan.clone()),
            plan,
            redis,
            record,
            blobs: Blobs::default(),
            replicas: (0..1 + dice.below(3)).map(Replica::new).collect(),
            workers: (0..1 + dice.below(3)).map(Worker::new).collect(),
            rash: true,
            versions: 0,
            history: HashSet::new(),
            dice,
        }
    }

    /// Lets the seed take its course and checks how it ends.
    pub(crate) fn play(mut self) {
        for _ in 0..UNREST {
            self.turn();
        }
        self.rash = false;
        for _ in 0..CALM {
            if self.is_at_rest() {
                self.check_end();
                return;
            }
            self.turn();
        }
        panic!("seed {}: the run does not come to rest: {}", self.seed, self.state());
    }

    /// What stands in the way of rest.
    fn state(&self) -> String {
        let stored = self.redis.runs.get(&self.run).map(|stored| &stored.fields);
        let snapshot = stored.map(|fields| millrace_engine::snapshot(fields, 1_000));
        format!(
            "{:#?}\ninbox {:?}\nqueue {:?}\ntimers {:?}\nrecorded as ended: {}, events to write: {}",
            snapshot,
            self.redis.inbox,
            self.redis.queue,
            self.redis.timers,
            self.record.rows[&self.run].end.is_some(),
            self.redis.events.len(),
        )
    }

    fn turn(&mut self) {
        match self.dice.below(100) {
            0..45 => self.orchestrate(),
            45..75 => self.work(),
            75..80 => self.pass_time(),
            80..88 => self.write(),
            88..90 => self.sweep(),
            _ if !self.rash => self.pass_time(),
            90..94 => {
                let who = self.dice.below(self.replicas.len());
                self.replicas[who].die();
                self.tell(|| format!("o{who} dies"));
            }
            94..96 => {
                let who = self.dice.below(self.workers.len());
                self.workers[who].die();
                self.tell(|| format!("w{who} dies"));
            }
            96 if self.luck.lost_keys > 0 && self.dice.chance(40) => self.lose_a_key(),
            97 if self.luck.flushes > 0 && self.dice.chance(40) => self.flush(),
            98 if self.luck.cancels && self.dice.chance(30) => self.cancel(),
            _ => {}
        }
    }

    fn tell(&self, story: impl FnOnce() -> String) {
        if self.tells {
            #[expect(clippy::print_stderr, reason = "the story of a seed that is played again")]
            {
                eprintln!("{:>6} ms  {}", self.now.since(flow::START), story());
            }
        }
    }

    fn orchestrate(&mut self) {
        let who = self.dice.below(self.replicas.len());
        self.versions += 1 << 20;
        let mut committed = Vec::new();
        let mut desk = Desk {
            redis: &mut self.redis,
            record: &self.record,
            blobs: &mut self.blobs,
            dice: &mut self.dice,
            now: self.now,
            plan: &self.plan,
            rash: self.rash,
            answers: self.seed,
            first_version: self.versions,
            committed: &mut committed,
        };
        let story = self.replicas[who].go(&mut desk);
        self.tell(|| story);
        for (_, commit) in committed {
            self.tell(|| format!("    {:?}", commit.durable.iter().map(told).collect::<Vec<_>>()));
            self.check_commit(who, &commit);
        }
        self.check_queue();
    }

    /// However often messages come again, a job is in the queue at most once for each life of a replica and of the run: one
    /// that looked before another sent sends it too, and may die right after; and what was decided before a loss may be sent
    /// after it.
    fn check_queue(&self) {
        let mut copies: HashMap<JobId, usize> = HashMap::new();
        self.redis.queue.items().for_each(|job| *copies.entry(job.id).or_default() += 1);
        let most = copies.values().max().copied().unwrap_or_default();
        let lives: usize = self.replicas.iter().map(Replica::lives).sum();
        let most_allowed = lives * self.begun.max(1);
        assert!(
            most <= most_allowed,
            "a job is {most} times in the queue, at most {most_allowed} are explained"
        );
    }

    fn check_commit(&mut self, who: usize, commit: &Commit) {
        if commit.durable.first().is_some_and(|event| event.seq == Some(1)) {
            self.begun += 1;
            self.checker = Checker::new(self.plan.clone());
            let epoch = commit.durable[0].epoch.unwrap();
            // The record may have grown between the step and its commit; what it had by the step is a part of that.
            self.history = commit
                .fields
                .keys()
                .filter_map(|field| field.strip_prefix("h:"))
                .filter_map(|place| self.place(place))
                .collect();
            assert!(epoch > 1 || self.history.is_empty());
        }
        for (job, _) in &commit.jobs {
            for node_id in job.then.iter().map(|follow_up| &follow_up.node_id).chain([&job.node_id]) {
                let place = (node_id.clone(), job.path.clone());
                assert!(!self.history.contains(&place), "{place:?} was recorded as done and is done again");
            }
        }
        match self.replicas[who].cached(self.run) {
            Some(run) => self.checker.check(commit, run),
            None => {
                let stored = &self.redis.runs[&self.run].fields;
                let run = load(&self.plan, stored, Settings::default(), &self.blobs);
                self.checker.check(commit, &run);
                // Whoever did not hear of its commit remembers nothing of a run that goes on.
                if run.is_terminal() || !self.rash {
                    check_ended(&run);
                }
            }
        }
    }

    fn place(&self, text: &str) -> Option<(NodeId, ItemPath)> {
        let (node, path) = text.find('[').map_or((text, ""), |at| text.split_at(at));
        Some((node.into(), path.parse().ok()?))
    }

    fn work(&mut self) {
        let who = self.dice.below(self.workers.len());
        let mut shop = Shop {
            redis: &mut self.redis,
            blobs: &mut self.blobs,
            dice: &mut self.dice,
            now: self.now,
            answers: self.seed,
            rash: self.rash,
        };
        let story = self.workers[who].go(&mut shop);
        self.tell(|| story);
    }

    /// The clock goes on; alarms that are due go off, sooner or later.
    fn pass_time(&mut self) {
        let step = if self.dice.chance(50) { self.dice.below(20) as u64 } else { 0 };
        self.now = self.now.after(Duration::from_millis(step));
        let idle = self.redis.inbox.is_empty() && self.redis.queue.is_empty();
        if let Some(due) = self.redis.next_due().filter(|_| idle || self.dice.chance(10)) {
            self.now = self.now.max(due);
        }
        self.redis.fire_timers(self.now);
    }

    fn write(&mut self) {
        let many = self.dice.below(6).min(self.redis.events.len());
        for event in self.redis.events.drain(..many) {
            self.record.write(event);
        }
    }

    /// Accepted runs without live state are started again, with an epoch that is written down first. One that is quiet is
    /// woken: at times needlessly, which must change nothing; once calm, only after a loss that makes it necessary.
    fn sweep(&mut self) {
        for accepted in self.record.unfinished() {
            if !self.redis.runs.contains_key(&accepted.execution_id) && self.redis.inbox.is_empty() {
                self.record.claim_epoch(accepted.execution_id, accepted.epoch);
                if self.rash && self.dice.chance(20) {
                    self.tell(|| "the sweeper dies before it starts the run again".to_owned());
                    continue;
                }
                self.tell(|| format!("the sweeper starts the run again, epoch {}", accepted.epoch));
                self.redis.inbox.add(Message::Execute(Box::new(accepted)));
            } else if self.luck.flushed && self.stands_still() || self.rash && self.dice.chance(30) {
                self.tell(|| "the sweeper wakes the run".to_owned());
                self.redis.inbox.add(Message::Wake { execution_id: self.run });
            }
        }
    }

    fn stands_still(&self) -> bool {
        // An alarm that is set does not mean that the others are.
        self.redis.inbox.is_empty() && self.redis.queue.is_empty()
    }

    fn flush(&mut self) {
        self.luck.flushes -= 1;
        self.luck.flushed = true;
        self.redis = self.redis.flushed();
        self.tell(|| "FLUSHALL".to_owned());
    }

    fn lose_a_key(&mut self) {
        self.luck.lost_keys -= 1;
        self.luck.flushed = true;
        let queue = self.dice.chance(50);
        if queue {
            self.redis.queue.lose();
        } else {
            self.redis.timers.clear();
        }
        self.tell(|| format!("the {} are lost", if queue { "jobs" } else { "timers" }));
    }

    fn cancel(&mut self) {
        self.luck.cancels = false;
        self.redis.inbox.add(Message::Cancel { execution_id: self.run, reason: "asked".to_owned() });
        self.tell(|| "a cancel".to_owned());
    }

    fn is_at_rest(&self) -> bool {
        self.record.rows[&self.run].end.is_some()
            && self.redis.inbox.is_empty()
            && self.redis.queue.is_empty()
            && self.redis.events.is_empty()
            // What is due has yet to go off, though it may mean nothing any more.
            && self.redis.next_due().is_none_or(|due| due > self.now)
            && self.replicas.iter().all(Replica::is_idle)
            && self.workers.iter().all(Worker::is_idle)
    }

    /// One terminal state, a log without gaps that ends with it, nothing left behind.
    fn check_end(&self) {
        let row = &self.record.rows[&self.run];
        let end = row.end.as_ref().expect("the run is recorded as ended");
        let epoch = end.epoch.unwrap();
        let last: Vec<u64> = row.events.keys().filter(|(of, _)| *of == epoch).map(|(_, seq)| *seq).collect();
        assert_eq!(last, (1..=end.seq.unwrap()).collect::<Vec<_>>(), "the recorded log has no gaps");
        if let Some(log) = self.redis.log.get(&self.run) {
            assert!(
                log.iter().all(|(position, event)| row.events.get(position) == Some(event)),
                "record and log agree"
            );
        }
        assert!(self.redis.timers.is_empty(), "alarms are left: {:?}", self.redis.timers);
    }
}
