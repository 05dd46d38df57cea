#![doc = include_str!("../README.md")]

mod blur_region;
mod canvas;
mod clahe;
mod compare;
mod contrast;
mod crop;
mod decode;
mod draw;
mod encode;
mod error;
mod format;
mod frame;
mod grid;
mod heatmap;
mod letterbox;
mod limits;
mod opencv_linear;
mod orient;
mod pillow;
mod placement;
mod reduction;
mod resize;
mod rotate;
mod simd;
mod smooth;
mod span;
mod stencil;
mod tensor;
mod tile;

pub use blur_region::{Blur, Region, Shape, blur_regions};
pub use canvas::{Around, Canvas, Levels, Sketch};
pub use compare::{Compared, View, compare};
pub use contrast::{Equalize, equalize, linear};
pub use crop::{PixelBox, crop};
pub use decode::{Header, decode, decode_over, decode_reduced, probe};
pub use draw::{
    BoxStyle, ColorBy, LabelStyle, Layer, Mark, MaskStyle, Rgb, beside, beside_size, draw_boxes, draw_masks,
};
pub use encode::{Encoding, encode};
pub use error::VisionError;
pub use format::Format;
pub use frame::Frame;
pub use grid::Grid;
pub use heatmap::{Colormap, Heat, Spot, heatmap};
pub use letterbox::{Letterbox, letterbox};
pub use limits::Limits;
pub use pillow::{Resample, pillow_resize, pillow_rows};
pub use placement::Placement;
pub use reduction::Reduction;
pub use resize::{Filter, FitMode, Target, plan_resize, resize};
pub use rotate::{Flip, Rotation, Turned};
pub use smooth::{MAX_KERNEL, Smoothing, smooth};
pub use tensor::{Normalise, nchw_from};
pub use tile::{TileEdge, Tiling};
