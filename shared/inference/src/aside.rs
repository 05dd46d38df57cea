//! Work beside running models, to which it gives way, and to the threads that make pictures ready for them.

use std::thread::JoinHandle;

use millrace_tasks::give_way_to_all;
use tokio::sync::oneshot;

const PANICKED: &str = "it panicked";

/// Runs `work` on a thread of its own; the error says why there is no result.
pub(crate) async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    let (done, result) = oneshot::channel();
    // A caller who went away in the meantime has no use for it.
    spawn(move || drop(done.send(work())))?;
    result.await.map_err(|_| PANICKED.to_owned())
}

/// What `thread` was started for, when it is done; the error says why there is no result.
pub(crate) fn result<T>(thread: JoinHandle<T>) -> Result<T, String> {
    thread.join().map_err(|_| PANICKED.to_owned())
}

/// Starts `work`, for a caller that is a thread itself.
pub(crate) fn spawn<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, String> {
    let body = move || {
        give_way_to_all();
        work()
    };
    let thread = std::thread::Builder::new().name("load".to_owned()).spawn(body);
    thread.map_err(|error| format!("no thread could be started: {error}"))
}
