//! The OpenAPI document. Each handler's annotation is its route, so that what is served and what is described cannot differ;
//! answers are described by the types that make them, and requests, which are read field by field so that every mistake is
//! told at once, by types of their own in `described`.

pub(crate) mod definition;
pub(crate) mod described;
mod document;
pub(crate) mod runs;

pub(crate) use document::{API_KEY, Document, base, complete, operations};
