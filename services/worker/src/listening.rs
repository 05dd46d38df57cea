//! Subscriptions that are had sooner or later: a Redis that is away just now does not make a worker deaf. Later losses mend
//! themselves.

use std::time::Duration;

use millrace_bus::{Bus, LiveFeed};
use millrace_tasks::backoff;

pub(crate) const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The feed of `patterns`, however long Redis takes to give it.
pub(crate) async fn subscribed(bus: &Bus, patterns: &[&str]) -> LiveFeed {
    let mut pauses = backoff(SHORTEST_PAUSE, LONGEST_PAUSE);
    loop {
        match bus.subscribe(patterns).await {
            Ok(feed) => return feed,
            Err(error) => {
                tracing::warn!(%error, ?patterns, "the worker cannot listen yet; it tries again");
            }
        }
        tokio::time::sleep(pauses.next().unwrap_or(LONGEST_PAUSE)).await;
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;
    use millrace_bus::{BusSettings, LiveItem};
    use millrace_contracts::WorkerId;
    use millrace_testkit::TestRedis;

    use super::*;

    #[tokio::test]
    async fn who_cannot_listen_at_once_listens_later() {
        let mut redis = TestRedis::start().await.unwrap();
        let bus = Bus::connect(BusSettings::new(redis.url())).await.unwrap();
        redis.server().kill().await;
        let channel = bus.drain_channel();
        let patterns = [channel.as_str()];
        let listening = subscribed(&bus, &patterns);
        tokio::pin!(listening);
        // It is refused meanwhile.
        let early = tokio::time::timeout(SHORTEST_PAUSE, &mut listening).await;
        assert!(early.is_err(), "nobody is there");
        redis.server().restart().await.unwrap();
        let mut feed = listening.await;
        bus.drain_worker(&WorkerId::from("one")).await.unwrap();
        let said = tokio::time::timeout(Duration::from_secs(30), feed.next()).await.unwrap();
        assert!(matches!(&said, Some(LiveItem::Event(event)) if event.payload == "one"), "{said:?}");
    }
}
