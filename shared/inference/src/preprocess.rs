//! Pixels to tensors as a model folder's `preprocessor_config.json` says: the rules of `transformers`' image processors (4.57,
//! the slow classes), whose resizing is Pillow's to the bit. What a file asks for and we do not do is refused by
//! name: never silently other numbers.

mod implied;
mod kinds;
mod processor;
mod settings;
mod sizes;
mod timm;

pub(crate) use implied::image_processor_of;
pub use processor::{ImageProcessor, Pixels};
pub(crate) use timm::{timm_data, timm_processor};
