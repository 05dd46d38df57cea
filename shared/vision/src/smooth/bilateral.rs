//! The bilateral filter (Tomasi and Manduchi, 1998) as OpenCV computes it: a round neighbourhood, and the likeness of two
//! colours by the sum of their channels' differences.

use super::border::{mirrored, padded_row};
use crate::Frame;
use crate::simd::widest;

const SIGMA_COLOUR: f32 = 75.0;
const SIGMA_SPACE: f32 = 75.0;
/// Pixels that are worked on at once: their sums stay in the processor's nearest cache.
const STRETCH: usize = 128;

pub(super) fn bilateral(frame: &Frame, radius: usize) -> Frame {
    widest(|| filtered(frame, radius))
}

#[inline(always)]
fn filtered(frame: &Frame, radius: usize) -> Frame {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let neighbours = neighbours(radius);
    let mut padded = Vec::new();
    // The rows y − radius … y + radius, a plane per channel; row y is at y mod kernel.
    let mut rows = vec![[const { Vec::new() }; 3]; (2 * radius + 1).min(height)];
    let slots = rows.len();
    let mut done = 0;
    let mut pixels = vec![0u8; width * height * 3];
    for (y, result) in pixels.chunks_exact_mut(width * 3).enumerate() {
        while done < height.min(y + radius + 1) {
            padded_row(frame.row(done as u32), radius, mirrored, &mut padded);
            planes(&padded, &mut rows[done % slots]);
            done += 1;
        }
        let row = |dy: isize| &rows[mirrored(y as isize + dy, height) % slots];
        for (stretch, result) in result.chunks_mut(STRETCH * 3).enumerate() {
            let (start, length) = (stretch * STRETCH, result.len() / 3);
            let part = |dx: isize, dy: isize| {
                let from = (start + radius).wrapping_add_signed(dx);
                row(dy).each_ref().map(|plane| &plane[from..from + length])
            };
            let mut sums = Sums::default();
            for &(dx, dy, nearness) in &neighbours {
                sums.add(part(0, 0), part(dx, dy), nearness);
            }
            sums.write(result);
        }
    }
    Frame::new(frame.width(), frame.height(), pixels).expect("a pixel for every pixel")
}

fn planes(row: &[u8], planes: &mut [Vec<f32>; 3]) {
    for (channel, plane) in planes.iter_mut().enumerate() {
        plane.clear();
        plane.extend(row[channel..].iter().step_by(3).map(|&sample| f32::from(sample)));
    }
}

/// The pixels within `radius`, each with the logarithm to base 2 of the weight of its distance.
fn neighbours(radius: usize) -> Vec<(isize, isize, f32)> {
    let radius = radius as isize;
    let square = (-radius..=radius).flat_map(|dy| (-radius..=radius).map(move |dx| (dx, dy)));
    square
        .filter(|(dx, dy)| dx * dx + dy * dy <= radius * radius)
        .map(|(dx, dy)| (dx, dy, falloff(SIGMA_SPACE) * (dx * dx + dy * dy) as f32))
        .collect()
}

/// What the square of a value is multiplied with so that 2 to its power is the Gaussian: −1 / (2 σ² ln 2).
const fn falloff(sigma: f32) -> f32 {
    -std::f32::consts::LOG2_E / (2.0 * sigma * sigma)
}

/// Weighted sums of a stretch's neighbours.
struct Sums {
    channels: [[f32; STRETCH]; 3],
    weights: [f32; STRETCH],
}

impl Default for Sums {
    fn default() -> Self {
        Self { channels: [[0.0; STRETCH]; 3], weights: [0.0; STRETCH] }
    }
}

impl Sums {
    #[inline(always)]
    fn add(&mut self, centre: [&[f32]; 3], other: [&[f32]; 3], nearness: f32) {
        let length = centre[0].len();
        let [red, green, blue] = centre.map(|plane| &plane[..length]);
        let [r, g, b] = other.map(|plane| &plane[..length]);
        let weights = &mut self.weights[..length];
        let [reds, greens, blues] = self.channels.each_mut().map(|sums| &mut sums[..length]);
        for at in 0..length {
            let apart = (red[at] - r[at]).abs() + (green[at] - g[at]).abs() + (blue[at] - b[at]).abs();
            let weight = power_of_two(apart * apart * falloff(SIGMA_COLOUR) + nearness);
            weights[at] += weight;
            reds[at] += weight * r[at];
            greens[at] += weight * g[at];
            blues[at] += weight * b[at];
        }
    }

    #[inline(always)]
    fn write(&self, result: &mut [u8]) {
        for (at, pixel) in result.chunks_exact_mut(3).enumerate() {
            for (sample, sums) in pixel.iter_mut().zip(&self.channels) {
                *sample = (sums[at] / self.weights[at] + 0.5) as u8;
            }
        }
    }
}

/// 2 to the power of something between −126 and 0, to within 4 in a million: the whole part goes into the exponent, the
/// rest, −0.5 to 0.5, through a polynomial (Taylor's, of degree 5). Without a branch, so that many go at once.
#[inline(always)]
fn power_of_two(power: f32) -> f32 {
    /// Adding this leaves the nearest whole number in the lowest bits.
    const ROUNDER: f32 = 12_582_912.0;
    let rounded = power.max(-126.0) + ROUNDER;
    let rest = power.max(-126.0) - (rounded - ROUNDER);
    let polynomial = 1.0
        + rest
            * (std::f32::consts::LN_2
                + rest
                    * (0.240_226_5
                        + rest * (0.055_504_11 + rest * (0.009_618_129 + rest * 0.001_333_355_8))));
    f32::from_bits(polynomial.to_bits().wrapping_add(rounded.to_bits() << 23))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_those_of_the_standard_library() {
        for at in 0..=126_000 {
            let power = -(at as f32) / 1000.0;
            let (own, exact) = (power_of_two(power), power.exp2());
            assert!((own / exact - 1.0).abs() < 4e-6, "2^{power}: {own}, not {exact}");
        }
    }
}
