//! Memory that is freed goes back to the system at once. The allocator keeps it for a second as it is, and gives it back when it is
//! called next: after a load that ended, hundreds of megabytes stayed for as long as nobody came.

/// How long freed memory is kept, milliseconds. Read by the allocator before `main`.
#[cfg(unix)]
const DELAY: &str = "MIMALLOC_PURGE_DELAY";

/// Begins this process anew with that setting, unless it has one: nothing else reaches the allocator from safe code. Children
/// inherit it.
pub(crate) fn give_memory_back() {
    #[cfg(unix)]
    if std::env::var_os(DELAY).is_none()
        && let Ok(program) = std::env::current_exe()
    {
        use std::os::unix::process::CommandExt;

        let mut arguments = std::env::args_os();
        let name = arguments.next().unwrap_or_else(|| program.clone().into());
        // Comes back only where it failed; then memory is kept for longer, and all else is well.
        _ = std::process::Command::new(program).arg0(name).args(arguments).env(DELAY, "0").exec();
    }
}
