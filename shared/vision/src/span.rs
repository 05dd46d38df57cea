//! One side of a picture, and the part of it that is scaled.

/// A part of a side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span {
    /// Where the part begins, old pixels.
    pub(crate) start: f64,
    /// How long it is, old pixels.
    pub(crate) extent: f64,
    /// How long the whole side is, old pixels: what lies beyond the part still weighs in at its ends.
    pub(crate) side: u32,
}

impl Span {
    /// All of it.
    pub(crate) fn whole(side: u32) -> Self {
        Self { start: 0.0, extent: f64::from(side), side }
    }

    /// Whether `new` pixels are the old ones.
    pub(crate) fn stays(self, new: u32) -> bool {
        self == Self::whole(new)
    }
}
