//! The median of a neighbourhood, by a histogram that slides along the row (Huang, Yang and Tang: "A fast two-dimensional median
//! filtering algorithm", 1979); the smallest kernels by sorting networks. Beyond the edge stands the edge's pixel (OpenCV
//! `BORDER_REPLICATE`).

use super::networks;
use crate::Frame;

pub(super) fn median(frame: &Frame, radius: usize) -> Frame {
    match radius {
        1 => networks::median_of_3(frame),
        2 => networks::median_of_5(frame),
        _ => by_histogram(frame, radius),
    }
}

fn by_histogram(frame: &Frame, radius: usize) -> Frame {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let half = (2 * radius + 1).pow(2) / 2;
    let mut pixels = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        let window = Window { frame, radius, y };
        let mut channels = [0, 1, 2].map(|channel| window.counts_at_start(channel));
        for x in 0..width {
            for (channel, counts) in channels.iter_mut().enumerate() {
                if x > 0 {
                    window.slide(counts, channel, x);
                }
                pixels.push(counts.median(half));
            }
        }
    }
    Frame::new(frame.width(), frame.height(), pixels).expect("a median for every sample")
}

/// The rows around row `y`.
struct Window<'a> {
    frame: &'a Frame,
    radius: usize,
    y: usize,
}

impl Window<'_> {
    fn counts_at_start(&self, channel: usize) -> Counts {
        let mut counts = Counts { fine: [0; 256], below: 0, at: 0 };
        let radius = self.radius as isize;
        (-radius..=radius).for_each(|x| self.column(x, channel).for_each(|sample| counts.add(sample)));
        counts
    }

    /// Moves the window so that its centre is column `x`.
    fn slide(&self, counts: &mut Counts, channel: usize, x: usize) {
        let (x, radius) = (x as isize, self.radius as isize);
        self.column(x - 1 - radius, channel).for_each(|sample| counts.remove(sample));
        self.column(x + radius, channel).for_each(|sample| counts.add(sample));
    }

    fn column(&self, x: isize, channel: usize) -> impl Iterator<Item = u8> {
        let x = x.clamp(0, self.frame.width() as isize - 1) as usize;
        let last = self.frame.height() as isize - 1;
        let (y, radius) = (self.y as isize, self.radius as isize);
        (y - radius..=y + radius).map(move |row| self.frame.row(row.clamp(0, last) as u32)[x * 3 + channel])
    }
}

/// How often each level occurs, and where the median was last.
struct Counts {
    fine: [u32; 256],
    /// Samples below level `at`.
    below: u32,
    at: usize,
}

impl Counts {
    fn add(&mut self, sample: u8) {
        self.fine[usize::from(sample)] += 1;
        self.below += u32::from(usize::from(sample) < self.at);
    }

    fn remove(&mut self, sample: u8) {
        self.fine[usize::from(sample)] -= 1;
        self.below -= u32::from(usize::from(sample) < self.at);
    }

    /// The level with at most `half` samples below it, and more than `half` when its own are counted.
    fn median(&mut self, half: usize) -> u8 {
        let half = half as u32;
        while self.below > half {
            self.at -= 1;
            self.below -= self.fine[self.at];
        }
        while self.below + self.fine[self.at] <= half {
            self.below += self.fine[self.at];
            self.at += 1;
        }
        self.at as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_and_histogram_agree() {
        let mut seed = 7u32;
        let mut noise = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        };
        for (width, height) in [(1, 1), (2, 5), (40, 31), (67, 3)] {
            let frame =
                Frame::new(width, height, (0..width * height * 3).map(|_| noise()).collect()).unwrap();
            for radius in [1, 2] {
                assert_eq!(
                    median(&frame, radius),
                    by_histogram(&frame, radius),
                    "{width}×{height}, {radius}"
                );
            }
        }
    }
}
