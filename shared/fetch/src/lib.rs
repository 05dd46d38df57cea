#![doc = include_str!("../README.md")]

mod address;
mod again;
mod download;
mod error;
mod fetcher;
mod keep;
mod settings;

pub use address::is_public;
pub use download::Wanted;
pub use error::FetchError;
pub use fetcher::{Fetcher, Outgoing, read};
pub use keep::{Downloaded, Expected, Opened, Source, keep, lock};
pub use reqwest::{Method, Response, StatusCode, header};
pub use settings::FetchSettings;
