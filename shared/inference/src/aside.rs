//! Work beside running models, to which it gives way.

use millrace_tasks::give_way;
use tokio::sync::oneshot;

/// Runs `work` on a thread of its own; the error says why there is no result.
pub(crate) async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    let (done, result) = oneshot::channel();
    let body = move || {
        give_way();
        // A caller who went away in the meantime has no use for it.
        drop(done.send(work()));
    };
    let thread = std::thread::Builder::new().name("load".to_owned()).spawn(body);
    thread.map_err(|error| format!("no thread could be started: {error}"))?;
    result.await.map_err(|_| "it panicked".to_owned())
}
