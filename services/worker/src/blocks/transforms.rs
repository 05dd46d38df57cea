//! Pixels to pixels, on the CPU pool.

pub(super) mod crop;
pub(super) mod draw_boxes;
pub(super) mod resize;
