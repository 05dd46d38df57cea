//! `sched_getattr(2)` and `sched_setattr(2)` of the calling thread.

use std::{io, mem};

use libc::sched_attr;

/// The shortest turn there is (`SCHED_SLICE_MIN` of the kernel's EEVDF), nanoseconds.
pub(crate) const TURN_NS: u64 = 100_000;
const SIZE: u32 = mem::size_of::<sched_attr>() as u32;
const THIS_THREAD: libc::pid_t = 0;
const NO_FLAGS: libc::c_uint = 0;

pub(crate) fn answer_promptly() -> io::Result<()> {
    let mut wanted = attributes()?;
    if wanted.sched_policy != libc::SCHED_OTHER as u32 {
        return Ok(());
    }
    wanted.sched_runtime = TURN_NS;
    // What computes is started from here too, and is not to be let in at once.
    wanted.sched_flags |= libc::SCHED_FLAG_RESET_ON_FORK as u64;
    set(&wanted)
}

#[expect(unsafe_code, reason = "no crate wraps this call")]
pub(crate) fn attributes() -> io::Result<sched_attr> {
    // SAFETY: all of its fields are numbers, for which zeros are valid.
    let mut found: sched_attr = unsafe { mem::zeroed() };
    // SAFETY: the kernel writes at most `SIZE` bytes to `found`, which has that many.
    done(unsafe { libc::syscall(libc::SYS_sched_getattr, THIS_THREAD, &raw mut found, SIZE, NO_FLAGS) })?;
    Ok(found)
}

#[expect(unsafe_code, reason = "no crate wraps this call")]
pub(crate) fn set(wanted: &sched_attr) -> io::Result<()> {
    let sized = sched_attr { size: SIZE, ..*wanted };
    // SAFETY: the kernel reads `size` bytes of `sized`, which has that many.
    done(unsafe { libc::syscall(libc::SYS_sched_setattr, THIS_THREAD, &raw const sized, NO_FLAGS) })
}

fn done(answer: libc::c_long) -> io::Result<()> {
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
