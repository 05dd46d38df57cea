//! The values that travel on ports. Pixels and tensors travel as references to blobs ("claim check").

mod detections;
mod image;
mod lineage;
mod reference;

pub use detections::{Detection, Detections, Rle};
pub use image::ImageValue;
pub use lineage::Lineage;
pub use reference::{INLINE_LIMIT_BYTES, ValueRef};
