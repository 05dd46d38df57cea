#![doc = include_str!("../README.md")]

pub mod codes;
mod compile;
mod depth;
mod draft;
mod expression;
mod inputs;
mod later;
pub mod library;
pub mod limits;
pub mod locate;
pub mod logic;
mod passes;
pub mod plan;
mod uncalled;
mod unsaved;
mod warnings;

pub use compile::{compile, compile_text, parse_text, pin, pin_compiled};
pub use expression::{Expression, ExpressionFault};
pub use inputs::InputSpec;
pub use locate::{Location, locate};
pub use logic::{Call, Logic, Ports, output_value};
pub use passes::parse::{NODE_FIELDS, WORKFLOW_FIELDS};
pub use plan::Plan;
pub use suggest::did_you_mean;
pub use unsaved::nameless_windows;
pub use warnings::warnings;

use millrace_blocks::suggest;
