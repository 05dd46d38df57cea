//! Which old samples make a new one, and with what weights.

use std::ops::Range;

use super::Resample;

/// Bits behind the point of a weight: 8 for the sample, 2 for sums beyond its range, the rest of 32.
pub(super) const PRECISION_BITS: u32 = 32 - 8 - 2;

/// The weights of a range of new positions along one side.
pub(super) struct Taps {
    /// First old position and number of weights, per new position.
    bounds: Vec<(usize, usize)>,
    /// Weights of all positions, one after the other.
    weights: Vec<i32>,
}

impl Taps {
    /// For the new positions `wanted` of a side that goes from `old` to `new` samples. `precompute_coeffs` and
    /// `normalize_coeffs_8bpc` of the original.
    pub(super) fn new(old: u32, new: u32, resample: Resample, wanted: Range<usize>) -> Self {
        let scale = f64::from(old) / f64::from(new);
        let stretch = scale.max(1.0);
        let support = resample.support() * stretch;
        let step = 1.0 / stretch;
        let mut taps = Self { bounds: Vec::with_capacity(wanted.len()), weights: Vec::new() };
        let mut exact = Vec::new();
        for position in wanted {
            let centre = (position as f64 + 0.5) * scale;
            // Casts cut towards zero, as in the original.
            let first = ((centre - support + 0.5) as i64).max(0);
            let end = ((centre + support + 0.5) as i64).min(i64::from(old));
            exact.clear();
            exact.extend((first..end).map(|at| resample.at((at as f64 - centre + 0.5) * step)));
            let total: f64 = exact.iter().sum();
            if total != 0.0 {
                exact.iter_mut().for_each(|weight| *weight /= total);
            }
            taps.bounds.push((first as usize, exact.len()));
            taps.weights.extend(exact.iter().map(|&weight| fixed(weight)));
        }
        taps
    }

    /// First old position and weights, per new position.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &[i32])> {
        let mut rest = self.weights.as_slice();
        self.bounds.iter().map(move |&(start, count)| {
            let (own, others) = rest.split_at(count);
            rest = others;
            (start, own)
        })
    }

    /// The old positions in use.
    pub(super) fn source(&self) -> Range<usize> {
        let start = self.bounds.first().map_or(0, |(start, _)| *start);
        self.bounds
            .iter()
            .fold(start..start, |range, (first, count)| range.start.min(*first)..range.end.max(first + count))
    }
}

/// Rounded half away from zero.
fn fixed(weight: f64) -> i32 {
    let scaled = weight * f64::from(1u32 << PRECISION_BITS);
    (if weight < 0.0 { scaled - 0.5 } else { scaled + 0.5 }) as i32
}

/// The old position of every new one. The original adds up step by step, and so do its rounding errors.
pub(super) fn nearest(old: u32, new: u32) -> Vec<u32> {
    let step = f64::from(old) / f64::from(new);
    let mut at = step * 0.5;
    (0..new)
        .map(|_| {
            let position = (at as u32).min(old - 1);
            at += step;
            position
        })
        .collect()
}
