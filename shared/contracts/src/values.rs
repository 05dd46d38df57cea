//! The values that travel on ports. Pixels and tensors travel as references to blobs ("claim check").

mod detections;
mod fetch;
mod image;
mod lineage;
mod link;
mod masks;
mod reference;
mod rle;
mod shortest;
mod size;

pub use detections::{Detection, Detections};
pub use fetch::{ImageUrl, marked_to_fetch, to_fetch};
pub use image::ImageValue;
pub use lineage::Lineage;
pub use link::link_images;
pub use masks::{MaskItem, Masks, MasksKind};
pub use reference::{INLINE_LIMIT_BYTES, ValueRef};
pub use rle::{Rle, RleError, RleRuns};
pub use shortest::double as shortest_double;
pub use size::json_bytes;
