//! The wish to end, as processes hear it.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Exit code of a process that was told to end twice: 128 + SIGINT.
const TOLD_TWICE: i32 = 130;

/// A token that is cancelled by the first SIGINT, SIGTERM or SIGHUP. The second one exits the process at once. SIGHUP, by which a
/// terminal says that it was closed, counts for nothing in a process that was started to outlive its terminal (`nohup`).
///
/// # Errors
/// When the operating system refuses the signal handlers.
#[expect(clippy::disallowed_methods, reason = "outlives every supervisor, to hear the second signal")]
pub fn shutdown_signal() -> std::io::Result<CancellationToken> {
    let token = CancellationToken::new();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut hang_up = if ignores_hang_up() { None } else { Some(signal(SignalKind::hangup())?) };
    let told = token.clone();
    tokio::spawn(async move {
        for first in [true, false] {
            let name = tokio::select! {
                _ = interrupt.recv() => "SIGINT",
                _ = terminate.recv() => "SIGTERM",
                () = heard(hang_up.as_mut()) => "SIGHUP",
            };
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

async fn heard(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Whether whoever started this process had it ignore SIGHUP: a handler would undo that. What cannot be known is left as it is.
fn ignores_hang_up() -> bool {
    let status = std::fs::read_to_string("/proc/self/status");
    status.ok().and_then(|status| ignored(&status)).is_none_or(|mask| mask & HANG_UP != 0)
}

/// SIGHUP, signal 1, in a mask of signals.
const HANG_UP: u64 = 1;

/// The signals that a process ignores, by its `/proc/…/status`.
fn ignored(status: &str) -> Option<u64> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_of_ignored_signals_is_read() {
        assert_eq!(ignored("Name:\tx\nSigBlk:\t0000000000000002\nSigIgn:\t0000000000001001\n"), Some(0x1001));
        assert_eq!(ignored("Name:\tx\n"), None);
    }
}
