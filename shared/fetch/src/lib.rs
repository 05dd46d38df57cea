#![doc = include_str!("../README.md")]

mod address;
mod download;
mod error;
mod fetcher;
mod settings;

pub use address::is_public;
pub use download::{Downloaded, Wanted};
pub use error::FetchError;
pub use fetcher::Fetcher;
pub use settings::FetchSettings;
