//! What a step of a deletion came to.

/// Records that were deleted for their age.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expired {
    /// How many.
    pub deleted: u64,
    /// Whether there may be more.
    pub more: bool,
}
