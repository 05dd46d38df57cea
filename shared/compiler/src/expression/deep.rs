//! A stack of its own for recursion over large expressions: more than the threads of an async runtime have, above all
//! in an unoptimised build.

use std::io;
use std::thread::{Builder, scope};

/// Enough for the largest expression the bounds admit, three times over. Only what is touched is ever committed.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// Runs `work` on a stack of its own and waits for it.
///
/// # Errors
/// What the system says when it has no thread to give.
pub(crate) fn on_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    let thread = Builder::new().name("expression".to_owned()).stack_size(STACK_BYTES);
    scope(|scope| {
        let running = thread.spawn_scoped(scope, work)?;
        // A panic goes on where the work was asked for.
        Ok(running.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}
