//! Pixels to pixels, on the CPU pool.

pub(super) mod blur_region;
mod bounds;
pub(super) mod compared;
pub(super) mod comparison;
pub(super) mod crop;
pub(super) mod draw_boxes;
pub(super) mod draw_masks;
pub(super) mod grid_builder;
pub(super) mod heatmap;
mod marked;
pub(super) mod normalize;
pub(super) mod resize;
pub(super) mod rotate_flip;
pub(super) mod smoothing;
pub(super) mod stitch;
pub(super) mod tile;
