//! Pixels of a picture at the places that an affine map asks for.

use std::ops::Range;

use crate::Frame;

/// Side of the squares that a quarter turn goes by, pixels: their rows and columns fit the nearest cache.
const SQUARE: usize = 16;

/// A picture, and where each pixel of the result comes from.
pub(super) struct Moved<'a> {
    pub(super) frame: &'a Frame,
    /// From the result's pixels to the picture's, row-major.
    pub(super) to_parent: [f64; 6],
    /// What stands where there is no picture.
    pub(super) fill: [u8; 3],
}

impl Moved<'_> {
    /// For maps of whole numbers: each pixel is one of the picture's.
    pub(super) fn exactly(&self, width: usize, height: usize) -> Vec<u8> {
        let mut pixels = self.fill.repeat(width * height);
        let [a, b, c, d, e, f] = self.to_parent.map(|value| value as isize);
        // Of the pixel in column x the middle is taken there, which is half a pixel on: −1 where the way is back.
        let (c, f) = (c + a.min(0) + b.min(0), f + d.min(0) + e.min(0));
        let source = |x: isize, y: isize| (a * x + b * y + c, d * x + e * y + f);
        if a == 0 {
            // Reads go down the columns: in squares, so that what was fetched for one row serves the next ones.
            for (top, left) in squares(height, width) {
                for y in top..height.min(top + SQUARE) {
                    let columns = left..width.min(left + SQUARE);
                    self.copy(&mut pixels[y * width * 3..][..width * 3], columns, |x| source(x, y as isize));
                }
            }
        } else {
            for (y, row) in pixels.chunks_exact_mut(width * 3).enumerate() {
                let (first, line) = source(0, y as isize);
                let whole = a == 1 && first == 0 && width == self.frame.width() as usize;
                match usize::try_from(line).ok().filter(|&line| line < self.frame.height() as usize) {
                    Some(line) if whole => row.copy_from_slice(self.frame.row(line as u32)),
                    _ => self.copy(row, 0..width, |x| source(x, y as isize)),
                }
            }
        }
        pixels
    }

    fn copy(&self, row: &mut [u8], columns: Range<usize>, source: impl Fn(isize) -> (isize, isize)) {
        let start = columns.start as isize;
        let (width, height) = (self.frame.width() as isize, self.frame.height() as isize);
        let samples = self.frame.pixels();
        for (at, pixel) in row[columns.start * 3..columns.end * 3].chunks_exact_mut(3).enumerate() {
            let (x, y) = source(start + at as isize);
            if (0..width).contains(&x) && (0..height).contains(&y) {
                let from = (y * width + x) as usize * 3;
                pixel.copy_from_slice(&samples[from..from + 3]);
            }
        }
    }

    /// For any map: between the four nearest pixels.
    pub(super) fn between(&self, width: usize, height: usize) -> Vec<u8> {
        let mut pixels = self.fill.repeat(width * height);
        let [a, b, c, d, e, f] = self.to_parent;
        for (y, row) in pixels.chunks_exact_mut(width * 3).enumerate() {
            let down = y as f64 + 0.5;
            let (first_x, first_y) = (b * down + c, e * down + f);
            let place = |x: usize| (first_x + a * (x as f64 + 0.5), first_y + d * (x as f64 + 0.5));
            for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
                let (from_x, from_y) = place(x);
                if let Some(mixed) = self.mixed(from_x, from_y) {
                    pixel.copy_from_slice(&mixed);
                }
            }
        }
        pixels
    }

    /// Between the four nearest pixel centres; none outside the picture, and the edge's pixels within half a pixel of it.
    #[inline(always)]
    fn mixed(&self, x: f64, y: f64) -> Option<[u8; 3]> {
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

/// The upper left corners of the squares of a picture, as (row, column).
fn squares(height: usize, width: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..height).step_by(SQUARE).flat_map(move |top| (0..width).step_by(SQUARE).map(move |left| (top, left)))
}
