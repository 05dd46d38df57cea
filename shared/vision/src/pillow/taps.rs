//! Which old samples make a new one, and with what weights.

use std::ops::Range;

use super::Resample;
use crate::span::Span;

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
    /// For the new positions `wanted` of a part that becomes `new` samples. `precompute_coeffs` and
    /// `normalize_coeffs_8bpc` of the original.
    pub(super) fn new(span: Span, new: u32, resample: Resample, wanted: Range<usize>) -> Self {
        let scale = span.extent / f64::from(new);
        let stretch = scale.max(1.0);
        let support = resample.support() * stretch;
        let step = 1.0 / stretch;
        let mut taps = Self { bounds: Vec::with_capacity(wanted.len()), weights: Vec::new() };
        let mut exact = Vec::new();
        for position in wanted {
            let centre = span.start + (position as f64 + 0.5) * scale;
            // Casts cut towards zero, as in the original.
            let first = ((centre - support + 0.5) as i64).max(0);
            let end = ((centre + support + 0.5) as i64).min(i64::from(span.side));
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

    /// How many new positions there are.
    pub(super) fn len(&self) -> usize {
        self.bounds.len()
    }

    /// First old position and weights, per new position.
    #[inline(always)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &[i32])> {
        let mut rest = self.weights.as_slice();
        self.bounds.iter().map(move |&(start, count)| {
            let (own, others) = rest.split_at(count);
            rest = others;
            (start, own)
        })
    }

    /// How many weights they have together.
    pub(super) fn weights(&self) -> usize {
        self.weights.len()
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
pub(super) fn nearest(span: Span, new: u32) -> Vec<usize> {
    let step = span.extent / f64::from(new);
    let mut at = span.start + step * 0.5;
    (0..new)
        .map(|_| {
            let position = (at as u32).min(span.side - 1);
            at += step;
            position as usize
        })
        .collect()
}
