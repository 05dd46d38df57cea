//! Scaling against its definition: the sum over the whole picture, in double precision and rounded nowhere.

use millrace_vision::{Filter, FitMode, Frame, Target, plan_resize};
use proptest::prelude::*;

type Curve = fn(f64) -> f64;

/// The filters that are defined by a continuous curve, with that curve.
const CURVES: [(Filter, Curve); 3] =
    [(Filter::Bilinear, triangle), (Filter::Bicubic, cubic), (Filter::Lanczos3, lanczos)];
/// Of either pass, with what the weights' own rounding adds.
const ROUNDING: f64 = 0.505;

fn triangle(x: f64) -> f64 {
    (1.0 - x.abs()).max(0.0)
}

fn cubic(x: f64) -> f64 {
    let x = x.abs();
    match x {
        x if x < 1.0 => 1.5 * x.powi(3) - 2.5 * x.powi(2) + 1.0,
        x if x < 2.0 => -0.5 * x.powi(3) + 2.5 * x.powi(2) - 4.0 * x + 2.0,
        _ => 0.0,
    }
}

fn lanczos(x: f64) -> f64 {
    let sinc =
        |x: f64| if x == 0.0 { 1.0 } else { (x * std::f64::consts::PI).sin() / (x * std::f64::consts::PI) };
    if x.abs() < 3.0 { sinc(x) * sinc(x / 3.0) } else { 0.0 }
}

/// The weight of each of `old` samples in the new one at `position`, where `extent` samples from `start` on become `new`.
fn weights(old: u32, (start, extent, new): (f64, f64, u32), position: u32, curve: Curve) -> Vec<f64> {
    let scale = extent / f64::from(new);
    let centre = start + (f64::from(position) + 0.5) * scale;
    let raw: Vec<f64> = (0..old).map(|at| curve((f64::from(at) + 0.5 - centre) / scale.max(1.0))).collect();
    let sum: f64 = raw.iter().sum();
    raw.iter().map(|weight| weight / sum).collect()
}

fn weight_of(weights: &[f64]) -> f64 {
    weights.iter().map(|weight| weight.abs()).sum()
}

proptest! {
    #[test]
    fn every_sample_is_the_weighted_sum_of_its_surroundings(
        size in (1u32..70, 1u32..70),
        target in (1u32..70, 1u32..70),
        (filter, curve) in prop::sample::select(&CURVES[..]),
        mode in prop::sample::select(&[FitMode::Stretch, FitMode::Fill][..]),
        seed in any::<u32>(),
    ) {
        // In the middle of the range, so that nothing is cut off above or below.
        let mut state = seed;
        let mut sample = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            96 + (state >> 26) as u8
        };
        let pixels: Vec<u8> = (0..size.0 * size.1 * 3).map(|_| sample()).collect();
        let frame = Frame::new(size.0, size.1, pixels).unwrap();
        let placed = plan_resize(size, Target { width: Some(target.0), height: Some(target.1) }, mode);
        let made = placed.paint(&frame, filter, [0; 3]).unwrap();
        let [x, y, width, height] = placed.used;
        let across: Vec<_> =
            (0..target.0).map(|at| weights(size.0, (x, width, target.0), at, curve)).collect();
        let down: Vec<_> =
            (0..target.1).map(|at| weights(size.1, (y, height, target.1), at, curve)).collect();
        for (row, down) in (0..).zip(&down) {
            for (column, across) in (0..).zip(&across) {
                let have = made.pixel(column, row).unwrap();
                for (channel, have) in have.into_iter().enumerate() {
                    let rows = frame.pixels().chunks_exact(size.0 as usize * 3).zip(down);
                    let exact: f64 = rows
                        .filter(|(_, weight)| **weight != 0.0)
                        .map(|(row, weight)| {
                            let samples = row.iter().skip(channel).step_by(3).zip(across);
                            weight * samples.map(|(sample, weight)| f64::from(*sample) * weight).sum::<f64>()
                        })
                        .sum();
                    // What the pass that comes first rounds is weighed by the other.
                    let tolerance = ROUNDING * (1.0 + weight_of(across).max(weight_of(down)));
                    let apart = (f64::from(have) - exact).abs();
                    prop_assert!(apart <= tolerance, "{}, not {}, at ({}, {})", have, exact, column, row);
                }
            }
        }
    }
}
