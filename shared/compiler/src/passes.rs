//! The passes, in the order they run. Each reads what those before it found out, adds its own, and notes every fault it
//! meets without stopping; what a fault leaves unknown, later passes leave alone.

pub(crate) mod calls;
pub(crate) mod chains;
pub(crate) mod config;
pub(crate) mod cycles;
pub(crate) mod expressions;
pub(crate) mod kinds;
pub(crate) mod lower;
pub(crate) mod parse;
pub(crate) mod policies;
pub(crate) mod resolve;
pub(crate) mod responses;
pub(crate) mod scopes;
pub(crate) mod selectors;
pub(crate) mod waits;
pub(crate) mod wiring;
