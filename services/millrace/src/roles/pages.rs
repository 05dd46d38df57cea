//! The size of memory pages. The allocator asks for huge ones: worth it for pictures, not for ten thousand connections, each
//! with a few half-empty buffers (28 KiB instead of 17 for an idle one).

/// Whether this process, and those it starts, may have huge pages. Only Linux has a say.
pub(crate) fn huge_pages(wanted: bool) {
    #[cfg(target_os = "linux")]
    if let Err(error) = nix::sys::prctl::set_thp_disable(!wanted) {
        tracing::debug!(%error, wanted, "the size of memory pages stays as it is");
    }
}
