//! Vision against real pictures, hostile bytes, and the laws of its geometry.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod decoding;
mod drawing;
mod encoding;
mod geometry;
mod hostile;
mod pillow;
mod pixels;
mod reduced;
mod scaling;

use std::path::PathBuf;

/// A picture of the shared golden set.
fn picture(name: &str) -> Vec<u8> {
    let path = goldens().join("images").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn goldens() -> PathBuf {
    // Tests run in the folder of their package.
    PathBuf::from("../../tests/goldens")
}
