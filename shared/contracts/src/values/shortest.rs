//! Numbers as people would write them: a JSON value holds doubles, and 129.85318 as a double is 129.85317993164062. The
//! shortest text that reads back as the same `f32` says as much in half the bytes.

use serde::{Serialize, Serializer};

pub(super) fn one<S: Serializer>(number: &f32, serializer: S) -> Result<S::Ok, S::Error> {
    double(*number).serialize(serializer)
}

pub(super) fn option<S: Serializer>(number: &Option<f32>, serializer: S) -> Result<S::Ok, S::Error> {
    number.map(double).serialize(serializer)
}

pub(super) fn many<S: Serializer>(numbers: &[f32; 4], serializer: S) -> Result<S::Ok, S::Error> {
    numbers.map(double).serialize(serializer)
}

/// The double that is written as the shortest text of `number`.
#[must_use]
pub fn double(number: f32) -> f64 {
    number.to_string().parse().unwrap_or_else(|_| f64::from(number))
}
