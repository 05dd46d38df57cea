//! The picture while it is drawn on, and the shapes that are needed: rectangles with square or round corners, filled or as
//! a line. Anti-aliased by how much of each pixel a shape covers.

use std::ops::Range;

use super::{BoxStyle, Rgb};
use crate::{Frame, VisionError};

/// A picture that can be drawn on.
pub(super) struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

/// A rectangle by its corners, pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) left: f32,
    pub(super) top: f32,
    pub(super) right: f32,
    pub(super) bottom: f32,
}

impl Area {
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    /// Larger by `more` pixels on each side.
    fn grown(self, more: f32) -> Self {
        let Self { left, top, right, bottom } = self;
        Self { left: left - more, top: top - more, right: right + more, bottom: bottom + more }
    }

    /// The radius of corners that take `roundness` of half the shorter side, pixels.
    fn radius(&self, roundness: f32) -> f32 {
        (self.right - self.left).min(self.bottom - self.top) / 2.0 * roundness.clamp(0.0, 1.0)
    }

    /// How much of the pixel whose middle is (x, y) lies inside, with corners of `radius`.
    fn coverage(&self, radius: f32, (x, y): (f32, f32)) -> f32 {
        // How far beyond the centre of the next corner.
        let beyond = |at: f32, low: f32, high: f32| (low + radius - at).max(at - (high - radius));
        let (across, down) = (beyond(x, self.left, self.right), beyond(y, self.top, self.bottom));
        if radius > 0.0 && across > 0.0 && down > 0.0 {
            return (radius + 0.5 - across.hypot(down)).clamp(0.0, 1.0);
        }
        let share = |at: f32, low: f32, high: f32| (high.min(at + 0.5) - low.max(at - 0.5)).clamp(0.0, 1.0);
        share(x, self.left, self.right) * share(y, self.top, self.bottom)
    }
}

/// The line around a box, between two rectangles.
struct Outline {
    outer: Area,
    outer_radius: f32,
    inner: Area,
    inner_radius: f32,
    /// Beyond so many pixels from its left and right side a row is all alike.
    reach: f32,
    /// Width of the line.
    line: f32,
}

impl Outline {
    /// That of a box on a picture of this width and height, inside which the line lies even where the box stands over its edge;
    /// none where the box is not on the picture.
    fn of([x1, y1, x2, y2]: [f32; 4], (width, height): (f32, f32), style: &BoxStyle) -> Option<Self> {
        if x2 < x1 || y2 < y1 || x2 < 0.0 || y2 < 0.0 || x1 > width || y1 > height {
            return None;
        }
        let line = style.thickness.clamp(0.5, width.min(height).max(0.5));
        let half = line / 2.0;
        let within = |low: f32, high: f32, side: f32| {
            let low = low.clamp(half, (side - half).max(half));
            (low, high.clamp(low, (side - half).max(low)))
        };
        let (left, right) = within(x1, x2, width);
        let (top, bottom) = within(y1, y2, height);
        let middle = Area { left, top, right, bottom };
        let radius = middle.radius(style.roundness);
        let outer_radius = if style.roundness > 0.0 { radius + half } else { 0.0 };
        Some(Self {
            outer: middle.grown(half),
            outer_radius,
            inner: middle.grown(-half),
            inner_radius: (radius - half).max(0.0),
            reach: outer_radius.max(line),
            line,
        })
    }

    /// The pixels that are looked at to draw it: of each row those at its sides, and all of the upper and lower line. A few more,
    /// for pixels that are covered in part.
    fn pixels(&self) -> u64 {
        let Area { left, top, right, bottom } = self.outer;
        let (width, height) = (right - left + 2.0, bottom - top + 2.0);
        let sides = width.min(2.0 * (self.reach + 3.0));
        let lines = height.min(2.0 * (self.line + 3.0));
        (f64::from(sides) * f64::from(height) + f64::from(width - sides) * f64::from(lines)) as u64
    }
}

/// The pixels that are looked at to draw the outline of a box on a picture of this width and height.
pub(super) fn outline_pixels(bbox: [f32; 4], size: (f32, f32), style: &BoxStyle) -> u64 {
    Outline::of(bbox, size, style).map_or(0, |outline| outline.pixels())
}

impl Canvas {
    /// A copy of the frame; none when there is no pixel to draw on.
    pub(super) fn of(frame: &Frame) -> Option<Self> {
        let (width, height) = (frame.width() as usize, frame.height() as usize);
        (!frame.is_empty()).then(|| Self { width, height, pixels: frame.pixels().to_vec() })
    }

    pub(super) fn into_frame(self) -> Result<Frame, VisionError> {
        Frame::new(self.width as u32, self.height as u32, self.pixels)
    }

    pub(super) fn size(&self) -> (f32, f32) {
        (self.width as f32, self.height as f32)
    }

    /// The outline of a box.
    pub(super) fn outline(&mut self, bbox: [f32; 4], colour: Rgb, style: &BoxStyle) {
        let Some(outline) = Outline::of(bbox, self.size(), style) else { return };
        let Outline { outer, outer_radius, inner, inner_radius, reach, .. } = outline;
        self.paint(outer, reach, colour, |place| {
            outer.coverage(outer_radius, place) - inner.coverage(inner_radius, place)
        });
    }

    /// A filled rectangle with corners of `roundness`.
    pub(super) fn fill(&mut self, area: Area, colour: Rgb, roundness: f32) {
        let radius = area.radius(roundness);
        self.paint(area, radius, colour, |place| area.coverage(radius, place));
    }

    /// Lays `ink` over the pixels from (`left`, `top`) on, row by row of `width`, each with its coverage of 255; nothing
    /// outside the picture.
    pub(super) fn stamp(&mut self, (left, top): (i32, i32), width: usize, coverage: &[u8], ink: Rgb) {
        for (y, row) in (top..).zip(coverage.chunks_exact(width)) {
            let Some(y) = usize::try_from(y).ok().filter(|&y| y < self.height) else { continue };
            for (x, &coverage) in (left..).zip(row).filter(|(_, coverage)| **coverage > 0) {
                if (0..self.width as i32).contains(&x) {
                    self.blend(x as usize..x as usize + 1, y, ink, coverage);
                }
            }
        }
    }

    /// Lays `colour` over what `coverage` tells of each pixel of `area`. Beyond `reach` pixels from its left and right
    /// side the pixels of a row are all alike.
    fn paint(&mut self, area: Area, reach: f32, colour: Rgb, coverage: impl Fn((f32, f32)) -> f32) {
        let within = |low: f32, high: f32, side: usize| {
            let end = (high.ceil().max(0.0) as usize).min(side);
            (low.floor().max(0.0) as usize).min(end)..end
        };
        let columns = within(area.left, area.right, self.width);
        let first = within(area.left, area.left + reach, self.width).end + 1;
        let last = within(area.right - reach, area.right, self.width).start.saturating_sub(1);
        for y in within(area.top, area.bottom, self.height) {
            let at = |x: usize| {
                let share = coverage((x as f32 + 0.5, y as f32 + 0.5));
                (share.clamp(0.0, 1.0) * 255.0).round() as u8
            };
            if first >= last {
                columns.clone().for_each(|x| self.blend(x..x + 1, y, colour, at(x)));
                continue;
            }
            let sides = (columns.start..first.min(columns.end)).chain(last.max(columns.start)..columns.end);
            sides.for_each(|x| self.blend(x..x + 1, y, colour, at(x)));
            self.blend(first..last, y, colour, at(first));
        }
    }

    /// Lays `colour` over these columns of row `y` with one weight, of 255.
    fn blend(&mut self, columns: Range<usize>, y: usize, colour: Rgb, weight: u8) {
        let start = y * self.width;
        let (pixels, _) = self.pixels[(start + columns.start) * 3..(start + columns.end) * 3].as_chunks_mut();
        match weight {
            0 => {}
            255 => pixels.fill(colour),
            _ => {
                let weight = u32::from(weight);
                let mixed = |own: u8, ink: u8| u32::from(own) * (255 - weight) + u32::from(ink) * weight;
                for pixel in pixels {
                    *pixel = [0, 1, 2].map(|at| ((mixed(pixel[at], colour[at]) + 127) / 255) as u8);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INK: Rgb = [255; 3];

    fn canvas() -> Canvas {
        Canvas::of(&Frame::filled(20, 10, [0; 3])).unwrap()
    }

    fn level(canvas: &Canvas, (x, y): (usize, usize)) -> u8 {
        canvas.pixels[(y * canvas.width + x) * 3]
    }

    #[test]
    fn pixels_are_covered_by_their_share() {
        let mut canvas = canvas();
        canvas.fill(Area { left: 2.5, top: 1.25, right: 17.0, bottom: 9.0 }, INK, 0.0);
        let share = |share: f32| (share * 255.0).round() as u8;
        let levels =
            [(1, 5), (2, 5), (3, 5), (9, 1), (2, 1), (16, 8), (17, 8), (9, 9)].map(|at| level(&canvas, at));
        assert_eq!(levels, [0, share(0.5), 255, share(0.75), share(0.375), 255, 0, 0]);
    }

    #[test]
    fn a_line_leaves_its_inside_free() {
        let mut canvas = canvas();
        let style = BoxStyle { thickness: 2.0, ..BoxStyle::default() };
        canvas.outline([3.0, 3.0, 15.0, 7.0], INK, &style);
        for (at, expected) in
            [((2, 2), 255), ((3, 3), 255), ((9, 2), 255), ((9, 4), 0), ((4, 4), 0), ((15, 7), 255)]
        {
            assert_eq!(level(&canvas, at), expected, "{at:?}");
        }
        assert_eq!(canvas.pixels.iter().filter(|sample| **sample > 0).count(), 3 * (14 * 6 - 10 * 2));
    }

    #[test]
    fn round_corners_are_cut_off() {
        let mut canvas = canvas();
        canvas.fill(Area { left: 0.0, top: 0.0, right: 20.0, bottom: 10.0 }, INK, 1.0);
        assert_eq!(
            [(0, 0), (1, 1), (0, 5), (5, 0), (19, 9), (10, 5)].map(|at| level(&canvas, at)),
            [0, 140, 248, 255, 0, 255]
        );
    }

    #[test]
    fn the_work_of_an_outline_is_what_it_looks_at() {
        let size = (4_000.0, 3_000.0);
        let pixels = |bbox: [f32; 4], thickness: f32, roundness: f32| {
            outline_pixels(bbox, size, &BoxStyle { thickness, roundness, ..BoxStyle::default() })
        };
        let whole = [0.0, 0.0, size.0, size.1];
        assert!((28_000..80_000).contains(&pixels(whole, 2.0, 0.0)), "its four lines");
        assert!((1_360_000..1_500_000).contains(&pixels(whole, 100.0, 0.0)), "four broad lines");
        assert!((9_000_000..9_100_000).contains(&pixels(whole, 2.0, 1.0)), "two half circles");
        assert!((900_000..1_000_000).contains(&pixels(whole, 2.0, 0.1)), "as far as its corners reach");
        assert!((20_000..21_000).contains(&pixels([100.0, 100.0, 140.0, 140.0], 100.0, 0.0)), "a blot");
        assert!((1..100).contains(&pixels([7.0, 7.0, 7.0, 7.0], 2.0, 1.0)), "a point");
        assert_eq!(pixels([7.0, 7.0, 6.0, 9.0], 2.0, 1.0), 0);
        assert_eq!(pixels([5_000.0, 7.0, 6_000.0, 9.0], 2.0, 1.0), 0, "beside the picture");
        assert_eq!(pixels([-1e30, -1e30, 1e30, 1e30], 2.0, 1.0), pixels(whole, 2.0, 1.0));
    }
}
