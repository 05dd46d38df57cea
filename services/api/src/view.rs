//! A run as clients are shown it: what Redis says while it has the run, what Postgres says otherwise, and what only Postgres
//! knows in either case.

mod find;
mod given;
mod job;
mod links;
mod node_metrics;
mod pictures;
mod rows;
mod run;
mod unserved;

pub(crate) use find::{Found, find, parse_id};
pub(crate) use given::{NodeRun, node_runs};
pub(crate) use job::{AskedJob, overlay_all};
pub(crate) use links::{Links, links};
pub(crate) use pictures::{Pictures, images_as_links};
pub(crate) use rows::{ExecutionRow, rows};
pub(crate) use run::{Execution, execution};
