//! The wish that this worker drain: it takes no more jobs, finishes those in hand, and ends.

use std::convert::Infallible;
use std::time::Duration;

use futures::StreamExt;
use millrace_bus::{Bus, LiveItem};
use millrace_contracts::WorkerId;
use millrace_tasks::{CancellationToken, backoff};

const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Waits for the wish, then cancels `stop`.
pub(crate) async fn listen(bus: Bus, worker: WorkerId, stop: CancellationToken) -> Result<(), Infallible> {
    let mut wishes = bus.subscribe_patiently(&[&bus.drain_channel()]).await;
    loop {
        // Said before we listened, or while the connection was lost.
        let mut meant = was_meant(&bus, &worker).await;
        while !meant {
            match wishes.next().await {
                Some(LiveItem::Event(wish)) => meant = wish.payload == worker.as_str(),
                Some(LiveItem::Reconnected) => break,
                None => return Ok(()),
            }
        }
        if meant {
            tracing::info!("told to drain: taking no more jobs");
            stop.cancel();
            return Ok(());
        }
    }
}

/// Whether it was said already. Asked until there is an answer: a Redis that has just come up lets us listen while it still loads,
/// and does not tell then what it knows.
async fn was_meant(bus: &Bus, worker: &WorkerId) -> bool {
    let mut pauses = backoff(SHORTEST_PAUSE, LONGEST_PAUSE);
    loop {
        match bus.is_to_drain(worker).await {
            Ok(meant) => return meant,
            Err(error) if error.is_retryable() => {
                tracing::debug!(%error, "it cannot be asked at the moment whether to drain");
            }
            Err(error) => {
                tracing::warn!(%error, "it cannot be asked whether to drain; what is said from now on is heard");
                return false;
            }
        }
        tokio::time::sleep(pauses.next().unwrap_or(LONGEST_PAUSE)).await;
    }
}

#[cfg(test)]
mod tests {
    use millrace_bus::BusSettings;
    use millrace_testkit::{TestRedis, eventually};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn a_wish_is_heard_though_redis_would_not_answer_at_first() {
        let redis = TestRedis::start().await.unwrap();
        let bus = Bus::connect(BusSettings::new(redis.url())).await.unwrap();
        let (worker, stop) = (WorkerId::from("one"), CancellationToken::new());
        redis.close_its_eyes().await.unwrap();
        let said = async {
            let asked = async || {
                let counters = bus.server_counters().await?;
                Ok::<_, millrace_bus::BusError>(counters.commands.contains_key("exists").then_some(()))
            };
            eventually(PATIENCE, "the question", asked).await.unwrap();
            redis.open_its_eyes().await.unwrap();
            bus.drain_worker(&worker).await.unwrap();
        };
        let listening = tokio::time::timeout(PATIENCE * 2, listen(bus.clone(), worker.clone(), stop.clone()));
        let (heard, ()) = tokio::join!(listening, said);
        assert!(heard.is_ok() && stop.is_cancelled());
    }
}
