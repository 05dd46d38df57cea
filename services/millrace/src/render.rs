//! What people see: tables, lines per node, durations.

mod detections;
mod node;
mod outputs;
mod table;
mod unserved;
mod value;

pub(crate) use self::detections::detection_tables;
pub(crate) use self::node::{NodeLine, node_label};
pub(crate) use self::outputs::output_lines;
pub(crate) use self::table::Table;
pub(crate) use self::unserved::unserved;
pub(crate) use self::value::{duration, field, time, tone_of};
