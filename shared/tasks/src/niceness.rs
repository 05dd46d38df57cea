//! Threads that give way to the others of this machine.

/// How nice they are: a thread of niceness 0 has ten times their share of a core that both want.
const NICE: i32 = 10;
/// A nice thread has three times the share of these.
const NICEST: i32 = 15;

/// Makes the calling thread nice, and those that it starts from now on. Only Linux has niceness by thread; elsewhere all are
/// served alike.
pub fn give_way() {
    be_nice(NICE);
}

/// The same for what gives way to nice threads as well: work that nobody has waited for until now, beside work that is waited
/// for all the time.
pub fn give_way_to_all() {
    be_nice(NICEST);
}

#[cfg(target_os = "linux")]
fn be_nice(niceness: i32) {
    if let Err(error) = rustix::process::nice(niceness) {
        tracing::debug!(%error, "a thread could not be made nice");
    }
}

#[cfg(not(target_os = "linux"))]
fn be_nice(_: i32) {}
