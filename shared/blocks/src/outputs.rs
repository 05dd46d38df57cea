//! What a run gives.

pub mod aggregation;
pub mod api_response;
pub mod json_output;
pub mod webhook;
