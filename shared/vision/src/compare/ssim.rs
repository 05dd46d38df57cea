//! Structural similarity (Wang, Bovik, Sheikh and Simoncelli, 2004) as scikit-image computes it by default: windows of
//! 7 × 7, sample covariance, K1 = 0.01, K2 = 0.03, the mean over the channels. Sums slide over the picture, so that memory
//! is a few rows and the cost does not depend on the window.

use crate::Frame;

const WINDOW: usize = 7;
const C1: f64 = (0.01 * 255.0) * (0.01 * 255.0);
const C2: f64 = (0.03 * 255.0) * (0.03 * 255.0);

/// Sums of a, b, a², b² and a·b: whole numbers, exact.
type Sums = [u64; 5];

/// The mean similarity of two pictures of equal size, and the similarity around each pixel (mean over the channels). The
/// mean leaves out the pixels whose window is not whole; a picture smaller than a window has a smaller window.
#[must_use]
pub(super) fn ssim(first: &Frame, second: &Frame) -> (f64, Vec<f32>) {
    let (width, height) = (first.width() as usize, first.height() as usize);
    if first.is_empty() || (second.width(), second.height()) != (first.width(), first.height()) {
        return (0.0, vec![0.0; width * height]);
    }
    let least = width.min(height);
    let window = if least % 2 == 1 { least.min(WINDOW) } else { (least - 1).min(WINDOW) };
    let radius = window / 2;
    let mut map = vec![0.0f32; width * height];
    let mut total = 0.0;
    for channel in 0..3 {
        let pair = Pair { first, second, channel };
        let mut columns = vec![[0; 5]; width];
        for y in 0..height {
            pair.slide_down(&mut columns, y, window);
            if y + 1 < window {
                continue;
            }
            let row = &mut map[(y - radius) * width..][..width];
            for (x, like) in likes(&columns, window).enumerate() {
                total += like;
                row[x + radius] += like as f32 / 3.0;
            }
        }
    }
    spread(&mut map, (width, height), radius);
    let count = 3 * (width - window + 1) * (height - window + 1);
    (total / count as f64, map)
}

/// One channel of both pictures.
struct Pair<'a> {
    first: &'a Frame,
    second: &'a Frame,
    channel: usize,
}

impl Pair<'_> {
    /// Takes row `y` into the sums of each column, and the row that left the window out of them.
    fn slide_down(&self, columns: &mut [Sums], y: usize, window: usize) {
        for (x, sums) in columns.iter_mut().enumerate() {
            for (sum, value) in sums.iter_mut().zip(self.at(x, y)) {
                *sum += value;
            }
            if y >= window {
                for (sum, value) in sums.iter_mut().zip(self.at(x, y - window)) {
                    *sum -= value;
                }
            }
        }
    }

    fn at(&self, x: usize, y: usize) -> Sums {
        let at = x * 3 + self.channel;
        let (a, b) = (u64::from(self.first.row(y as u32)[at]), u64::from(self.second.row(y as u32)[at]));
        [a, b, a * a, b * b, a * b]
    }
}

/// The similarity of every whole window of a row of windows.
fn likes(columns: &[Sums], window: usize) -> impl Iterator<Item = f64> {
    let mut sums = [0u64; 5];
    columns.iter().enumerate().filter_map(move |(x, column)| {
        sums.iter_mut().zip(column).for_each(|(sum, value)| *sum += value);
        if x >= window {
            sums.iter_mut().zip(columns[x - window]).for_each(|(sum, value)| *sum -= value);
        }
        (x + 1 >= window).then(|| similarity(sums.map(|sum| sum as f64), (window * window) as f64))
    })
}

/// From the sums over a window of `count` pixels.
fn similarity([a, b, aa, bb, ab]: [f64; 5], count: f64) -> f64 {
    let (mean_a, mean_b) = (a / count, b / count);
    // The sample (co)variance; a window of one pixel has none.
    let unbiased = if count > 1.0 { count / (count - 1.0) } else { 0.0 };
    let variance_a = unbiased * (aa / count - mean_a * mean_a);
    let variance_b = unbiased * (bb / count - mean_b * mean_b);
    let covariance = unbiased * (ab / count - mean_a * mean_b);
    let top = (2.0 * mean_a * mean_b + C1) * (2.0 * covariance + C2);
    top / ((mean_a * mean_a + mean_b * mean_b + C1) * (variance_a + variance_b + C2))
}

/// Pixels whose window is not whole show what the nearest whole one does.
fn spread(map: &mut [f32], (width, height): (usize, usize), radius: usize) {
    let near = |at: usize, side: usize| at.clamp(radius, side - 1 - radius);
    for y in 0..height {
        for x in 0..width {
            map[y * width + x] = map[near(y, height) * width + near(x, width)];
        }
    }
}
