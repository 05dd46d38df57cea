#![doc = include_str!("../README.md")]

mod audit;
mod auth;
mod body;
mod collections;
mod context;
mod cursor;
mod deps;
mod error;
mod etag;
mod fields;
mod figures;
mod form;
mod gauges;
mod health;
mod library;
mod live;
mod middleware;
mod models;
mod openapi;
mod params;
mod patience;
mod plans;
mod problem;
mod range;
mod router;
mod routes;
mod schedules;
mod serve;
mod sniff;
mod sse;
mod state;
mod submit;
mod view;

pub use deps::Deps;
pub use error::ApiError;
pub use serve::{listen, run};
