//! The wish that this worker drain: it takes no more jobs, finishes those in hand, and ends.

use futures::StreamExt;
use millrace_bus::{Bus, BusError, LiveItem};
use millrace_contracts::WorkerId;
use millrace_tasks::CancellationToken;

/// Waits for the wish, then cancels `stop`.
pub(crate) async fn listen(bus: Bus, worker: WorkerId, stop: CancellationToken) -> Result<(), BusError> {
    let mut wishes = bus.subscribe(&[&bus.drain_channel()]).await?;
    loop {
        // Said before we listened, or while the connection was lost.
        let mut meant = bus.is_to_drain(&worker).await?;
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
