//! Loops over samples with the widest vectors that the processor has, found out when the program runs.

/// Runs `work` compiled for wide vectors where there are some. Only what is inlined is: the closure itself and the
/// functions it calls are marked `#[inline(always)]`.
pub(crate) fn widest<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}
