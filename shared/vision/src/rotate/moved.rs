//! Pixels of a picture at the places that an affine map asks for.

use std::ops::Range;

use crate::Frame;

/// How far the quick way keeps from the outermost pixel centres, pixels: more than its coordinates are off.
const MARGIN: f64 = 1e-3;
/// Bits behind the point of the quick way's coordinates.
const FRACTION: u32 = 32;

/// A picture, and where each pixel of the result comes from.
pub(super) struct Moved<'a> {
    pub(super) frame: &'a Frame,
    /// From the result's pixels to the picture's, row-major.
    pub(super) to_parent: [f64; 6],
    /// What stands where there is no picture.
    pub(super) fill: [u8; 3],
}

impl Moved<'_> {
    /// For any map: between the four nearest pixels.
    pub(super) fn between(&self, width: usize, height: usize) -> Vec<u8> {
        let blank = self.fill.repeat(width);
        let mut line = blank.clone();
        let mut pixels = Vec::with_capacity(width * height * 3);
        for y in 0..height {
            let track = Track::new(self.to_parent, y);
            let sides = (self.frame.width(), self.frame.height());
            let shown = track.within(sides, -MARGIN, width);
            let inner = track.within(sides, 0.5 + MARGIN, width);
            let inner = if inner.is_empty() { shown.start..shown.start } else { inner };
            line.copy_from_slice(&blank);
            for x in (shown.start..inner.start).chain(inner.end..shown.end) {
                if let Some(mixed) = self.mixed(track.at(x)) {
                    line[x * 3..x * 3 + 3].copy_from_slice(&mixed);
                }
            }
            self.quickly(&track, inner.start, &mut line[inner.start * 3..inner.end * 3]);
            pixels.extend_from_slice(&line);
        }
        pixels
    }

    /// Where all four neighbours are inside the picture: in whole numbers, from column `first` of the result on.
    fn quickly(&self, track: &Track, first: usize, line: &mut [u8]) {
        /// One, as a weight; the four weights of a pixel make it up.
        const ONE: u32 = 1 << 16;
        let stride = self.frame.width() as usize * 3;
        let samples = self.frame.pixels();
        let (x, y) = track.at(first);
        let [mut x, mut y] = [x - 0.5, y - 0.5].map(fixed);
        let [across, down] = track.step.map(fixed);
        for pixel in line.as_chunks_mut::<3>().0 {
            let place = (y >> FRACTION) as usize * stride + (x >> FRACTION) as usize * 3;
            let share = |at: i64| (at >> (FRACTION - 16)) as u32 & (ONE - 1);
            let (dx, dy) = (share(x), share(y));
            let both = (dx * dy + ONE / 2) >> 16;
            let weights = [ONE + both - dx - dy, dx - both, dy - both, both];
            let pair =
                |place: usize| -> &[u8; 6] { samples[place..].first_chunk().expect("two pixels inside") };
            let (upper, lower) = (pair(place), pair(place + stride));
            for channel in 0..3 {
                let sum = u32::from(upper[channel]) * weights[0]
                    + u32::from(upper[channel + 3]) * weights[1]
                    + u32::from(lower[channel]) * weights[2]
                    + u32::from(lower[channel + 3]) * weights[3];
                pixel[channel] = ((sum + ONE / 2) >> 16) as u8;
            }
            (x, y) = (x + across, y + down);
        }
    }

    /// Between the four nearest pixel centres; none outside the picture, and the edge's pixels within half a pixel of it.
    fn mixed(&self, (x, y): (f64, f64)) -> Option<[u8; 3]> {
        let (width, height) = (self.frame.width() as i32, self.frame.height() as i32);
        if !(x >= 0.0 && y >= 0.0 && x < f64::from(width) && y < f64::from(height)) {
            return None;
        }
        // Half a pixel below 0 is still the first one: adding 1 keeps what is cut off a floor.
        let (left, top) = ((x + 0.5) as i32 - 1, (y + 0.5) as i32 - 1);
        let (dx, dy) = ((x - 0.5 - f64::from(left)) as f32, (y - 0.5 - f64::from(top)) as f32);
        let columns = [left.max(0), (left + 1).min(width - 1)].map(|x| x as usize * 3);
        let rows = [top.max(0), (top + 1).min(height - 1)].map(|y| y as usize * width as usize * 3);
        let samples = self.frame.pixels();
        let pixel = |row: usize, column: usize| -> [f32; 3] {
            let samples = &samples[row + column..row + column + 3];
            [f32::from(samples[0]), f32::from(samples[1]), f32::from(samples[2])]
        };
        let [upper, lower] = rows.map(|row| {
            let (near, far) = (pixel(row, columns[0]), pixel(row, columns[1]));
            std::array::from_fn::<_, 3, _>(|at| near[at] + (far[at] - near[at]) * dx)
        });
        Some(std::array::from_fn(|at| (upper[at] + (lower[at] - upper[at]) * dy + 0.5) as u8))
    }
}

fn fixed(value: f64) -> i64 {
    (value * (1u64 << FRACTION) as f64) as i64
}

/// Where the pixels of a row of the result come from: a straight line through the picture.
struct Track {
    /// The middle of column 0.
    start: [f64; 2],
    /// From one column to the next.
    step: [f64; 2],
}

impl Track {
    fn new([a, b, c, d, e, f]: [f64; 6], y: usize) -> Self {
        let down = y as f64 + 0.5;
        Self { start: [a * 0.5 + b * down + c, d * 0.5 + e * down + f], step: [a, d] }
    }

    fn at(&self, x: usize) -> (f64, f64) {
        let [across, down] = [0, 1].map(|axis| self.start[axis] + self.step[axis] * x as f64);
        (across, down)
    }

    /// Those of the first `count` columns that come from at least `margin` inside a picture of this size.
    fn within(&self, (width, height): (u32, u32), margin: f64, count: usize) -> Range<usize> {
        let [across, down] = [(0, width), (1, height)].map(|(axis, side)| {
            let (start, step) = (self.start[axis], self.step[axis]);
            let ends = [margin - start, f64::from(side) - margin - start];
            if step == 0.0 && ends[0] <= 0.0 && ends[1] >= 0.0 {
                return (0.0, f64::INFINITY);
            }
            // Beside the picture all the way, or a picture with nothing so far inside.
            if step == 0.0 || ends[0] > ends[1] {
                return (0.0, -1.0);
            }
            let [one, other] = ends.map(|end| end / step);
            (one.min(other), one.max(other))
        });
        let first = across.0.max(down.0).ceil().clamp(0.0, count as f64) as usize;
        let end = (across.1.min(down.1).floor() + 1.0).clamp(0.0, count as f64) as usize;
        first..end.max(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_way_is_within_a_level_of_the_other() {
        let samples = |count: usize| (0..count).map(|at| (at * at % 253) as u8).collect();
        let frame = Frame::new(61, 47, samples(61 * 47 * 3)).unwrap();
        let (sin, cos) = 0.4f64.sin_cos();
        for to_parent in [
            [cos, -sin, 10.3, sin, cos, -9.8],
            [0.5, 0.0, 0.25, 0.0, 0.5, 0.1],
            [-1.0, 0.0, 60.7, 0.0, -1.0, 46.9],
        ] {
            let moved = Moved { frame: &frame, to_parent, fill: [9; 3] };
            let made = moved.between(64, 50);
            for (at, pixel) in made.as_chunks::<3>().0.iter().enumerate() {
                let expected = moved.mixed(Track::new(to_parent, at / 64).at(at % 64)).unwrap_or([9; 3]);
                let worst = pixel.iter().zip(expected).map(|(made, expected)| made.abs_diff(expected)).max();
                assert!(worst <= Some(1), "{to_parent:?} at {at}: {pixel:?}, not {expected:?}");
            }
        }
    }
}
