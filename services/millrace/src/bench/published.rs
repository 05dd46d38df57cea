//! When events were published, as a plain subscriber to the same Redis sees it: what their arrival at clients is timed from.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::StreamExt;
use millrace_bus::{Bus, LiveItem};
use serde::Deserialize;

/// When each event was published, by its id.
#[derive(Clone, Default)]
pub(crate) struct Published(Arc<Mutex<HashMap<String, Instant>>>);

#[derive(Deserialize)]
struct Envelope {
    id: String,
}

impl Published {
    /// Notes every event of every run, for ever.
    pub(crate) async fn listen(self, bus: Bus) -> anyhow::Result<()> {
        let mut feed = bus.subscribe(&["workflow:*"]).await?;
        while let Some(item) = feed.next().await {
            let at = Instant::now();
            let LiveItem::Event(live) = item else { continue };
            if let Ok(envelope) = serde_json::from_str::<Envelope>(&live.payload) {
                self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(envelope.id, at);
            }
        }
        Ok(())
    }

    /// How long each of the events, by id and arrival, was under way; those that nobody saw published are left out.
    pub(crate) fn latencies<'a>(&self, seen: impl Iterator<Item = (&'a str, Instant)>) -> Vec<Duration> {
        let published = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.filter_map(|(event, at)| Some(at.saturating_duration_since(*published.get(event)?))).collect()
    }
}
