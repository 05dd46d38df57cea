#![doc = include_str!("../README.md")]

#[cfg(target_os = "linux")]
mod linux;

use std::io;

/// Gives the calling thread short turns, and lets it in at once when it wakes up. Its niceness and policy stay; threads and
/// processes that it starts are like all others. Does nothing for threads of a policy other than the normal one, and on
/// systems other than Linux.
///
/// # Errors
/// The system refuses; the thread stays as it is.
pub fn answer_promptly() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    linux::answer_promptly()?;
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{answer_promptly, linux};

    /// What is read back is 0 where the kernel keeps no turns by thread.
    #[test]
    fn the_thread_has_short_turns_and_what_it_starts_has_not() {
        let turn = || linux::attributes().unwrap().sched_runtime;
        let before = turn();
        answer_promptly().unwrap();
        let (own, theirs) = (turn(), std::thread::spawn(turn).join().unwrap());
        assert!(own == linux::TURN_NS || own == before, "{own} ns");
        assert_eq!(theirs, before);
    }

    #[test]
    fn niceness_stays() {
        std::thread::spawn(|| {
            let mut nice = linux::attributes().unwrap();
            nice.sched_nice = 7;
            linux::set(&nice).unwrap();
            answer_promptly().unwrap();
            assert_eq!(linux::attributes().unwrap().sched_nice, 7);
        })
        .join()
        .unwrap();
    }
}
