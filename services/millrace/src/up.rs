//! The parts of `millrace up`: what it starts, watches, and takes down again.

pub(crate) mod endpoints;
pub(crate) mod readiness;
pub(crate) mod servers;
pub(crate) mod workers;
