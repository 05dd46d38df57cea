#![doc = include_str!("../README.md")]

mod crop;
mod decode;
mod draw;
mod encode;
mod error;
mod format;
mod frame;
mod letterbox;
mod limits;
mod opencv_linear;
mod orient;
mod placement;
mod resize;
mod tensor;

pub use crop::{PixelBox, crop};
pub use decode::{Header, decode, probe};
pub use draw::{BoxStyle, ColorBy, LabelStyle, Mark, Rgb, draw_boxes};
pub use encode::{Encoding, encode};
pub use error::VisionError;
pub use format::Format;
pub use frame::Frame;
pub use letterbox::{Letterbox, letterbox};
pub use limits::Limits;
pub use placement::Placement;
pub use resize::{Filter, FitMode, Target, plan_resize, resize};
pub use tensor::{Normalise, nchw_from};
