//! Questions as they reach a server, and answers as they come back.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::disallowed_methods, reason = "a test's own server, which ends with it")]

mod answers;
mod qdrant;
mod support;
