//! The parts of `millrace up`: what it starts, watches, and takes down again.

mod apart;
pub(crate) mod endpoints;
pub(crate) mod first_key;
pub(crate) mod readiness;
pub(crate) mod servers;
pub(crate) mod workers;

pub(crate) use self::apart::{OF_ITS_OWN, OF_ITS_REDIS, share_nothing};
