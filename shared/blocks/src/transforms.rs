//! Pixels to pixels: jobs for the worker's CPU pool.

pub mod blur_region;
pub mod color;
pub mod comparison;
pub mod crop;
pub mod draw_boxes;
pub mod draw_masks;
pub mod grid_builder;
pub mod heatmap;
mod marked;
pub mod normalize;
pub mod padding;
pub mod resize;
pub mod rotate_flip;
pub mod smoothing;
pub mod stitch;
pub mod tile;
