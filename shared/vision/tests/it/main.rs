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

use millrace_vision::Frame;

/// A picture of the shared golden set.
fn picture(name: &str) -> Vec<u8> {
    let path = goldens().join("images").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn goldens() -> PathBuf {
    // Tests run in the folder of their package.
    PathBuf::from("../../tests/goldens")
}

/// The greatest and the mean difference of two pictures of the same size, levels.
fn difference(one: &Frame, other: &Frame) -> (u8, f64) {
    assert_eq!((one.width(), one.height()), (other.width(), other.height()));
    let differences = one.pixels().iter().zip(other.pixels()).map(|(a, b)| a.abs_diff(*b));
    let (most, sum) = differences.fold((0, 0.0), |(most, sum), one| (one.max(most), sum + f64::from(one)));
    (most, sum / one.pixels().len() as f64)
}
