//! Pixels to pixels: jobs for the worker's CPU pool.

pub mod color;
pub mod crop;
pub mod draw_boxes;
pub mod padding;
pub mod resize;
