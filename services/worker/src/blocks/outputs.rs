//! What a run tells others.

pub(super) mod aggregation;
pub(super) mod webhook;
