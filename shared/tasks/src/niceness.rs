//! Threads that give way to the others of this machine.

/// How nice they are: a thread of niceness 0 has ten times their share of a core that both want.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Makes the calling thread nice, and those that it starts from now on. Only Linux has niceness by thread; elsewhere all are
/// served alike.
pub fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!(%error, "a thread could not be made nice");
    }
}
