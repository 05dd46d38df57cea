//! The jobs that follow one another in one hand: each is run on what those before it put out, and told of at once with the
//! rest. Few and short ones, so that nobody waits long for news of the first, and a worker that dies takes little along; what is
//! left out is sent by itself. While one is at work the pictures of those before it are encoded and stored beside it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use millrace_contracts::job::JobOutcome;
use millrace_contracts::{BlobId, ErrorKind, FollowUp, Job, JobError, UnixMillis};

use super::darkroom::{Door, Left, rename};
use super::run::{Ended, Hand};

/// No further job is begun after so long. What is gained by going on is a few milliseconds each.
const LONGEST: Duration = Duration::from_millis(300);
/// No further job is begun when the outcomes weigh so much as JSON, bytes: the bus takes messages of 64 KiB.
const MOST_BYTES: usize = 24 * 1024;
/// Pictures that may wait to be stored before the next job is begun: their pixels are held until then.
const MOST_BEHIND: usize = 4;

/// Of which job a picture is, its name for the time being, and what it is stored as.
type Developed = (usize, BlobId, Result<BlobId, JobError>);

/// A chain at work.
struct Chain<'a> {
    hand: &'a Hand<'a>,
    ended: Vec<Ended>,
    /// What their outcomes weigh as JSON, bytes.
    weight: usize,
    door: Door,
    developing: FuturesUnordered<BoxFuture<'static, Developed>>,
}

impl Hand<'_> {
    /// Runs the job in hand and those that follow it, for as long as all goes well; none when they are somebody else's by now.
    pub(super) async fn work(&self) -> Option<Vec<Ended>> {
        let job = Arc::new(self.delivery.job.clone());
        let (ended, told) = self.told(&job, self.since, self.chain(&job)).await;
        let mut ended = ended?;
        if let Some(first) = ended.first_mut() {
            first.untold &= !told;
        }
        Some(ended)
    }

    async fn chain(&self, head: &Arc<Job>) -> Option<Vec<Ended>> {
        let begun = Instant::now();
        // Which of them took the last worker down is not known: each stands for itself now.
        let follow_ups = if self.delivery.deliveries == 1 { head.then.as_slice() } else { &[] };
        let door = Door::default();
        let mut chain =
            Chain { hand: self, ended: Vec::new(), weight: 0, door, developing: FuturesUnordered::new() };
        chain.run(Arc::clone(head), follow_ups.first()).await?;
        for (place, follow_up) in follow_ups.iter().enumerate() {
            if begun.elapsed() > LONGEST || chain.weight > MOST_BYTES || self.is_unwanted() {
                break;
            }
            chain.catch_up(if reads_one_picture(follow_up) { MOST_BEHIND } else { 0 }).await?;
            let Some(job) = chain.job(follow_up) else { break };
            chain.run(Arc::new(job), follow_ups.get(place + 1)).await?;
        }
        chain.catch_up(0).await?;
        Some(chain.finish())
    }
}

impl Chain<'_> {
    /// The job that `follow_up` stands for, if all before it went well.
    fn job(&self, follow_up: &FollowUp) -> Option<Job> {
        let outputs: Option<Vec<_>> = self.ended.iter().map(Ended::outputs).collect();
        let job = self.hand.delivery.job.followed_by(follow_up, &outputs?)?;
        // It waited for nobody.
        Some(Job { queued_at: UnixMillis::now(), ..job })
    }

    /// Runs a job, and beside it what is left to be done for those before it. Its own picture may be left when `next` is the
    /// one that reads it.
    async fn run(&mut self, job: Arc<Job>, next: Option<&FollowUp>) -> Option<()> {
        let place = self.ended.len();
        let leaves = next.is_some_and(|next| reads_one_picture(next) && next.reads[0].of == place);
        let charged = self.ended.iter().map(|ended| ended.share).sum();
        let work = self.hand.end(job, charged, self.door.opened(leaves));
        tokio::pin!(work);
        let mut developed = Vec::new();
        let ended = loop {
            tokio::select! {
                ended = &mut work => break ended,
                Some(one) = self.developing.next() => developed.push(one),
            }
        };
        let ended = ended?;
        self.weight = self.weight.saturating_add(weight(&ended.outcome));
        self.ended.push(ended);
        developed.into_iter().for_each(|one| self.note(one));
        for Left { name, developing } in self.door.take() {
            self.developing.push(Box::pin(async move { (place, name, developing.await) }));
        }
        Some(())
    }

    /// Waits until no more than `most` pictures are to be stored; none when the jobs are somebody else's by now.
    async fn catch_up(&mut self, most: usize) -> Option<()> {
        let late = tokio::time::sleep(self.hand.limit());
        tokio::pin!(late);
        while self.developing.len() > most {
            tokio::select! {
                () = self.hand.holding.stop.lost.cancelled() => return None,
                () = &mut late => {
                    self.developing.clear();
                    let error = JobError::new(ErrorKind::Timeout, "a picture could not be stored in time");
                    self.fail(0, error);
                }
                Some(one) = self.developing.next() => self.note(one),
            }
        }
        Some(())
    }

    /// Takes a picture that is stored, or was not.
    fn note(&mut self, (place, name, stored): Developed) {
        self.door.forget(name);
        match stored {
            Ok(stored) => {
                let outcomes = self.ended.iter_mut().skip(place).map(|ended| &mut ended.outcome);
                for outcome in outcomes {
                    if let JobOutcome::Completed { outputs, .. } = outcome {
                        rename(outputs, name, stored);
                    }
                }
                if let Some(ended) = self.ended.get_mut(place) {
                    ended.add_up();
                }
            }
            Err(error) => self.fail(place, error),
        }
    }

    /// What a job made is not there after all: it has failed, and those behind it have nothing to work on.
    fn fail(&mut self, place: usize, error: JobError) {
        self.ended.truncate(place + 1);
        if let Some(ended) = self.ended.get_mut(place) {
            ended.fail(error);
        }
    }

    /// What ended; the last is charged with the time since. None is done before what it was made of is.
    fn finish(self) -> Vec<Ended> {
        let Self { hand, mut ended, .. } = self;
        for at in 1..ended.len() {
            ended[at].ended_at = ended[at].ended_at.max(ended[at - 1].ended_at);
        }
        let charged = ended.iter().map(|ended| ended.share).sum();
        if let Some(last) = ended.last_mut() {
            last.charge(hand.holding.share().saturating_sub(charged));
        }
        ended
    }
}

fn weight(outcome: &JobOutcome) -> usize {
    serde_json::to_vec(outcome).map_or(usize::MAX, |json| json.len())
}

/// Whether a picture that an earlier job puts out as such is all that it is given: then it makes the same of it under any name.
fn reads_one_picture(follow_up: &FollowUp) -> bool {
    follow_up.inputs.is_empty() && follow_up.reads.len() == 1 && follow_up.reads[0].output == "image"
}
