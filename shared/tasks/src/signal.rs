//! The wish to end, as processes hear it.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Exit code of a process that was told to end twice: 128 + SIGINT.
const TOLD_TWICE: i32 = 130;

/// A token that is cancelled by the first SIGINT or SIGTERM. The second one exits the process at once.
///
/// # Errors
/// When the operating system refuses the signal handlers.
#[expect(clippy::disallowed_methods, reason = "outlives every supervisor, to hear the second signal")]
pub fn shutdown_signal() -> std::io::Result<CancellationToken> {
    let token = CancellationToken::new();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let told = token.clone();
    tokio::spawn(async move {
        for first in [true, false] {
            let name = tokio::select! { _ = interrupt.recv() => "SIGINT", _ = terminate.recv() => "SIGTERM" };
            if !first {
                tracing::warn!(signal.name = name, "told to stop a second time: exiting at once");
                std::process::exit(TOLD_TWICE);
            }
            tracing::info!(signal.name = name, "told to stop: draining; a second signal exits at once");
            told.cancel();
        }
    });
    Ok(token)
}
