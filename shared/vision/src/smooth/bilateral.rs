//! The bilateral filter (Tomasi and Manduchi, 1998) as OpenCV computes it: a round neighbourhood, and the likeness of two
//! colours by the sum of their channels' differences.

use super::border::{mirrored, padded_row};
use crate::Frame;

const SIGMA_COLOUR: f32 = 75.0;
const SIGMA_SPACE: f32 = 75.0;

pub(super) fn bilateral(frame: &Frame, radius: usize) -> Frame {
    let height = frame.height() as usize;
    let neighbours = neighbours(radius);
    let likeness: Vec<f32> = (0..=3 * 255).map(|sum| gauss(sum as f32, SIGMA_COLOUR)).collect();
    let mut rows: Vec<Vec<f32>> = vec![Vec::new(); (2 * radius + 1).min(height)];
    let slots = rows.len();
    let mut done = 0;
    let mut pixels = Vec::with_capacity(frame.pixels().len());
    for y in 0..height {
        while done < height.min(y + radius + 1) {
            padded_row(frame.row(done as u32), radius, &mut rows[done % slots]);
            done += 1;
        }
        for x in 0..frame.width() as usize {
            let pixel = |dx: isize, dy: isize| {
                let row = &rows[mirrored(y as isize + dy, height) % slots];
                let at = (x as isize + radius as isize + dx) as usize * 3;
                [row[at], row[at + 1], row[at + 2]]
            };
            pixels.extend_from_slice(&weighed(pixel, &neighbours, &likeness));
        }
    }
    Frame::new(frame.width(), frame.height(), pixels).expect("a pixel for every pixel")
}

/// The pixels within `radius`, each with the weight of its distance.
fn neighbours(radius: usize) -> Vec<(isize, isize, f32)> {
    let radius = radius as isize;
    let square = (-radius..=radius).flat_map(|dy| (-radius..=radius).map(move |dx| (dx, dy)));
    square
        .map(|(dx, dy)| (dx, dy, ((dx * dx + dy * dy) as f32).sqrt()))
        .filter(|(.., distance)| *distance <= radius as f32)
        .map(|(dx, dy, distance)| (dx, dy, gauss(distance, SIGMA_SPACE)))
        .collect()
}

fn weighed(
    pixel: impl Fn(isize, isize) -> [f32; 3],
    neighbours: &[(isize, isize, f32)],
    likeness: &[f32],
) -> [u8; 3] {
    let centre = pixel(0, 0);
    let (mut sums, mut total) = ([0.0f32; 3], 0.0f32);
    for &(dx, dy, nearness) in neighbours {
        let other = pixel(dx, dy);
        let apart: f32 = centre.iter().zip(other).map(|(own, other)| (own - other).abs()).sum();
        let weight = nearness * likeness[apart as usize];
        total += weight;
        sums.iter_mut().zip(other).for_each(|(sum, sample)| *sum += weight * sample);
    }
    sums.map(|sum| (sum / total).round() as u8)
}

fn gauss(value: f32, sigma: f32) -> f32 {
    (-value * value / (2.0 * sigma * sigma)).exp()
}
