//! A worker: takes a job, says that it began, does it and those that follow it, reports, acknowledges. Between any two of these
//! it may die. At times it leaves some of those that follow to others, and always those of a job that somebody had before.

use millrace_contracts::job::JobOutcome;
use millrace_contracts::{Job, UnixMillis};

use crate::redis::{Delivery, Redis};
use crate::support::blobs::Blobs;
use crate::support::dice::Dice;
use crate::support::work;

enum Phase {
    Idle,
    Taken(Delivery<Job>),
    /// The job, and how many of those that follow it are done.
    Begun(Delivery<Job>, usize),
    Reported(u64),
}

pub(crate) struct Worker {
    name: String,
    lives: u32,
    phase: Phase,
}

/// What a worker works with.
pub(crate) struct Shop<'a> {
    pub(crate) redis: &'a mut Redis,
    pub(crate) blobs: &'a mut Blobs,
    pub(crate) dice: &'a mut Dice,
    pub(crate) now: UnixMillis,
    pub(crate) answers: u64,
    /// Whether claims of workers that may be alive are taken too.
    pub(crate) rash: bool,
}

impl Worker {
    pub(crate) fn new(number: usize) -> Self {
        Self { name: format!("w{number}.0"), lives: 0, phase: Phase::Idle }
    }

    /// Dies, and comes back under another name.
    pub(crate) fn die(&mut self) {
        self.lives += 1;
        let base = self.name.split('.').next().unwrap_or_default().to_owned();
        self.name = format!("{base}.{}", self.lives);
        self.phase = Phase::Idle;
    }

    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Idle)
    }

    /// The next operation; says which.
    pub(crate) fn go(&mut self, shop: &mut Shop<'_>) -> String {
        let (phase, story) = match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Idle => self.take(shop),
            Phase::Taken(delivery) => {
                let job = &delivery.item;
                if shop.dice.chance(80) {
                    shop.redis.inbox.add(work::report(job, &self.name, shop.now, JobOutcome::Started));
                }
                let story = format!("begins {}{}#{}", job.node_id, job.path, job.attempt);
                (Phase::Begun(delivery, 0), story)
            }
            Phase::Begun(delivery, followed)
                if delivery.deliveries == 1
                    && followed < delivery.item.then.len()
                    && shop.dice.chance(80) =>
            {
                let story = format!("goes on to {}", delivery.item.then[followed].node_id);
                (Phase::Begun(delivery, followed + 1), story)
            }
            Phase::Begun(delivery, followed) => {
                let job = &delivery.item;
                let answer = |job: &Job| work::answer(job, shop.answers, shop.blobs);
                let report = work::report_on_chain(job, (&self.name, shop.now), followed, answer);
                shop.redis.inbox.add(report);
                let story = format!("reports {}{}#{}, {followed} more", job.node_id, job.path, job.attempt);
                (Phase::Reported(delivery.id), story)
            }
            Phase::Reported(id) => {
                shop.redis.queue.ack(id);
                (Phase::Idle, "acknowledges".to_owned())
            }
        };
        self.phase = phase;
        format!("{} {story}", self.name)
    }

    fn take(&self, shop: &mut Shop<'_>) -> (Phase, String) {
        let mut taken = Vec::new();
        if shop.rash && shop.dice.chance(30) || !shop.redis.queue.has_new() {
            taken = shop.redis.queue.claim(&self.name, 1);
        }
        if taken.is_empty() {
            taken = shop.redis.queue.read(&self.name, 1);
        }
        match taken.pop() {
            Some(delivery) => {
                let story = format!("takes {}{}", delivery.item.node_id, delivery.item.path);
                (Phase::Taken(delivery), story)
            }
            None => (Phase::Idle, "waits".to_owned()),
        }
    }
}
