//! The jobs that follow one another in one hand: each is run on what those before it put out, and told of at once with the
//! rest. Few and short ones, so that nobody waits long for news of the first, and a worker that dies takes little along; what is
//! left out is sent by itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use millrace_contracts::job::JobOutcome;
use millrace_contracts::{Job, UnixMillis};

use super::run::{Ended, Hand};

/// No further job is begun after so long. What is gained by going on is a few milliseconds each.
const LONGEST: Duration = Duration::from_millis(300);
/// No further job is begun when the outcomes weigh so much as JSON, bytes: the bus takes messages of 64 KiB.
const MOST_BYTES: usize = 24 * 1024;

impl Hand<'_> {
    /// Runs the job in hand and those that follow it, for as long as all goes well; none when they are somebody else's by now.
    pub(super) async fn work(&self) -> Option<Vec<Ended>> {
        let (begun, head) = (Instant::now(), &self.delivery.job);
        let mut ended = vec![self.end(Arc::new(head.clone()), Duration::ZERO).await?];
        let mut bytes = weight(&ended[0]);
        // Which of them took the last worker down is not known: each stands for itself now.
        let follow_ups = if self.delivery.deliveries == 1 { head.then.as_slice() } else { &[] };
        for follow_up in follow_ups {
            if begun.elapsed() > LONGEST || bytes > MOST_BYTES || self.is_unwanted() {
                break;
            }
            let outputs: Option<Vec<_>> = ended.iter().map(Ended::outputs).collect();
            let Some(job) = outputs.and_then(|outputs| head.followed_by(follow_up, &outputs)) else { break };
            // It waited for nobody.
            let job = Job { queued_at: UnixMillis::now(), ..job };
            let charged = ended.iter().map(|ended| ended.share).sum();
            ended.push(self.end(Arc::new(job), charged).await?);
            bytes += weight(&ended[ended.len() - 1]);
        }
        Some(ended)
    }
}

impl Ended {
    /// What it put out, if it did.
    fn outputs(&self) -> Option<&super::Outputs> {
        match &self.outcome {
            JobOutcome::Completed { outputs, .. } => Some(outputs),
            _ => None,
        }
    }
}

fn weight(ended: &Ended) -> usize {
    serde_json::to_vec(&ended.outcome).map_or(usize::MAX, |json| json.len())
}
