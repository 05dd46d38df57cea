//! A run as clients are shown it: what Redis says while it has the run, what Postgres says otherwise, and what only Postgres
//! knows in either case.

mod find;
mod json;
mod links;

pub(crate) use find::{Found, find, parse_id};
pub(crate) use json::{execution, node, summary};
pub(crate) use links::{images_as_links, links};
