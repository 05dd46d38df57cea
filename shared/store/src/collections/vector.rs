//! Vectors as they are stored: of the collection's dimension, finite, and of length one where only their direction counts.

use super::Metric;

/// Why a vector is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VectorFault {
    /// It has another number of numbers than the vectors of the collection.
    #[error("it has {found} numbers, and the collection's vectors have {wanted}")]
    Dimension {
        /// Of the collection.
        wanted: u32,
        /// Of the vector.
        found: usize,
    },
    /// It holds a number that is not one, or is too large.
    #[error("it holds a number that is not finite")]
    NotFinite,
    /// All its numbers are zero, and directions are compared.
    #[error("all its numbers are zero, so that it has no direction to compare")]
    NoDirection,
}

/// `vector` as a collection keeps it and searches by it.
pub(super) fn prepared(vector: &[f32], dimension: u32, metric: Metric) -> Result<Vec<f32>, VectorFault> {
    if u32::try_from(vector.len()) != Ok(dimension) {
        return Err(VectorFault::Dimension { wanted: dimension, found: vector.len() });
    }
    if !vector.iter().all(|number| number.is_finite()) {
        return Err(VectorFault::NotFinite);
    }
    match metric {
        Metric::Dot => Ok(vector.to_vec()),
        Metric::Cosine => {
            // In double precision: the square of a large single is infinite.
            let length = vector.iter().map(|number| f64::from(*number).powi(2)).sum::<f64>().sqrt();
            if length == 0.0 {
                return Err(VectorFault::NoDirection);
            }
            Ok(vector.iter().map(|number| (f64::from(*number) / length) as f32).collect())
        }
    }
}

/// A vector as bytes: single precision, the least significant byte first.
pub(super) fn to_bytes(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// The vector that `bytes` are.
pub(super) fn from_bytes(bytes: &[u8]) -> Vec<f32> {
    let (numbers, _) = bytes.as_chunks();
    numbers.iter().map(|number| f32::from_le_bytes(*number)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_cosine_only_the_direction_is_kept() {
        assert_eq!(prepared(&[3.0, 4.0], 2, Metric::Cosine), Ok(vec![0.6, 0.8]));
        assert_eq!(prepared(&[3.0, 4.0], 2, Metric::Dot), Ok(vec![3.0, 4.0]));
        let large = prepared(&[f32::MAX, f32::MAX], 2, Metric::Cosine).unwrap();
        assert!((large[0] - 0.5_f32.sqrt()).abs() < 1e-6, "{large:?}");
        let small = prepared(&[f32::MIN_POSITIVE, 0.0], 2, Metric::Cosine).unwrap();
        assert_eq!(small, [1.0, 0.0]);
    }

    #[test]
    fn bytes_are_the_vector_again() {
        let vector = [1.0, -0.0, f32::MIN_POSITIVE, f32::MAX];
        assert_eq!(to_bytes(&vector)[..4], [0, 0, 0x80, 0x3f]);
        assert_eq!(from_bytes(&to_bytes(&vector)), vector);
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        let wrong = VectorFault::Dimension { wanted: 2, found: 3 };
        assert_eq!(prepared(&[1.0, 2.0, 3.0], 2, Metric::Cosine), Err(wrong));
        assert_eq!(prepared(&[], 0, Metric::Cosine), Err(VectorFault::NoDirection));
        assert_eq!(prepared(&[0.0, -0.0], 2, Metric::Cosine), Err(VectorFault::NoDirection));
        assert_eq!(prepared(&[0.0, 0.0], 2, Metric::Dot), Ok(vec![0.0, 0.0]));
        for odd in [f32::NAN, f32::INFINITY] {
            assert_eq!(prepared(&[1.0, odd], 2, Metric::Dot), Err(VectorFault::NotFinite));
        }
    }
}
