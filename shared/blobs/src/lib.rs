#![doc = include_str!("../README.md")]

mod blobs;
mod check;
mod error;
mod file;
mod given_up;
mod input;
mod lately;
mod local;
mod location;
mod pieces;
mod resolve;
mod retire;
mod settings;
mod stream;
mod value;

pub use blobs::Blobs;
pub use error::BlobsError;
pub use local::LocalBlob;
pub use retire::TOUCHED_FOR;
pub use settings::BlobsSettings;
