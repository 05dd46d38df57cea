//! Cues of schedules, handled beside the lanes: they ask Postgres, and a run must not wait for that. The truth about every
//! schedule is its row: a cue that is lost, or cannot be handled now, is given again by the reconciler.

mod fire;
mod reconcile;
mod start;

use futures::StreamExt;
use metrics::counter;
use millrace_bus::Delivery;
use millrace_contracts::message::Message;
use millrace_contracts::schedule::Cue;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

use crate::OrchestratorError;
use crate::role::Shared;

pub(crate) use reconcile::run as reconcile;

/// Cues that wait to be handled.
const CAPACITY: usize = 1024;
/// Cues handled at once; each holds a connection to Postgres for a moment.
const AT_ONCE: usize = 4;

/// A cue with what is to be acknowledged once it has been handled.
pub(crate) struct Cued {
    consumer: String,
    delivery: Delivery,
    cue: Cue,
}

/// Where lanes leave cues. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Desk(mpsc::Sender<Cued>);

/// The desk, and what is left on it.
pub(crate) fn desk() -> (Desk, mpsc::Receiver<Cued>) {
    let (sender, receiver) = mpsc::channel(CAPACITY);
    (Desk(sender), receiver)
}

impl Desk {
    /// Takes the cues out of `deliveries`; what is left is about runs. Cues that find no room are handed back too, to be
    /// acknowledged: their schedules are still due, so the reconciler gives them again.
    pub(crate) fn take(&self, consumer: &str, deliveries: Vec<Delivery>) -> (Vec<Delivery>, Vec<Delivery>) {
        let (mut of_runs, mut turned_away) = (Vec::with_capacity(deliveries.len()), Vec::new());
        for delivery in deliveries {
            let Message::Schedule(cue) = &delivery.message else {
                of_runs.push(delivery);
                continue;
            };
            let cued = Cued { consumer: consumer.to_owned(), cue: cue.clone(), delivery };
            if let Err(error) = self.0.try_send(cued) {
                counter!("millrace_orchestrator_schedule_cues_total", "result" => "turned_away").increment(1);
                turned_away.push(error.into_inner().delivery);
            }
        }
        (of_runs, turned_away)
    }
}

/// Handles cues until `shutdown`.
pub(crate) async fn run(
    shared: Shared,
    cues: mpsc::Receiver<Cued>,
    shutdown: CancellationToken,
) -> Result<(), OrchestratorError> {
    ReceiverStream::new(cues)
        .take_until(shutdown.cancelled_owned())
        .for_each_concurrent(AT_ONCE, |cued| handle(&shared, cued))
        .await;
    Ok(())
}

async fn handle(shared: &Shared, cued: Cued) {
    let Cued { consumer, delivery, cue } = cued;
    let result = match fire::handle(shared, &cue).await {
        Ok(result) => result,
        Err(error) => {
            tracing::warn!(
                schedule.id = %cue.schedule_id, error = %error,
                "a schedule could not be looked at; the reconciler comes back to it"
            );
            "failed"
        }
    };
    counter!("millrace_orchestrator_schedule_cues_total", "result" => result).increment(1);
    if let Err(error) = shared.bus.ack(&consumer, &[(delivery.partition, delivery.entry)]).await {
        tracing::warn!(error = %error, "a cue could not be acknowledged; it comes again");
    }
}
