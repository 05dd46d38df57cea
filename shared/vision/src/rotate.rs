//! Turning and mirroring. Quarter turns and mirrors move pixels and change none; other angles sample between pixels, as
//! Pillow's `rotate` does with `BILINEAR`.

mod mirror;
mod moved;
mod quads;
mod whole;

use crate::Frame;
use moved::Moved;

/// Mirrors, applied after the turn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flip {
    /// Left and right change sides.
    pub horizontal: bool,
    /// Top and bottom change sides.
    pub vertical: bool,
}

/// A turn about the picture's centre, then mirrors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rotation {
    /// Counter-clockwise, degrees.
    pub degrees: f64,
    /// Whether the canvas grows (or changes its shape) to hold the whole turned picture.
    pub expand: bool,
    /// Mirrors afterwards.
    pub flip: Flip,
    /// The colour of what the turned picture leaves free.
    pub fill: [u8; 3],
}

/// A turned picture, planned: the size of its canvas and where each of its points comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Turned {
    /// Width and height, pixels.
    pub canvas: (u32, u32),
    /// The affine map from the result's pixels to the source's, row-major.
    pub to_parent: [f64; 6],
}

impl Rotation {
    /// Where a picture of this size lands.
    #[must_use]
    pub fn plan(&self, (width, height): (u32, u32)) -> Turned {
        let degrees = self.degrees.rem_euclid(360.0);
        let (sin, cos) = sin_cos(degrees);
        let (wide, high) = (f64::from(width), f64::from(height));
        // From the result to the source the turn goes the other way round.
        let turn = [cos, -sin, 0.0, sin, cos, 0.0];
        let about = |matrix: [f64; 6], (x, y): (f64, f64), to: (f64, f64)| {
            let [a, b, _, d, e, _] = matrix;
            [a, b, to.0 - a * x - b * y, d, e, to.1 - d * x - e * y]
        };
        let centre = (wide / 2.0, high / 2.0);
        let canvas = if self.expand { expanded((wide, high), (sin, cos), centre) } else { (width, height) };
        let middle = (f64::from(canvas.0) / 2.0, f64::from(canvas.1) / 2.0);
        let [a, b, mut c, d, e, mut f] = about(turn, middle, centre);
        if turn.iter().all(|value| value.fract() == 0.0) {
            // Of a canvas whose sides are not both even or odd the centre lies between pixels once it is turned. Half a pixel
            // aside every pixel keeps its colour.
            (c, f) = (c.floor(), f.floor());
        }
        let (mut a, mut b, mut c, mut d, mut e, mut f) = (a, b, c, d, e, f);
        if self.flip.horizontal {
            (c, f) = (c + a * f64::from(canvas.0), f + d * f64::from(canvas.0));
            (a, d) = (-a, -d);
        }
        if self.flip.vertical {
            (c, f) = (c + b * f64::from(canvas.1), f + e * f64::from(canvas.1));
            (b, e) = (-b, -e);
        }
        Turned { canvas, to_parent: [a, b, c, d, e, f] }
    }

    /// The turned picture.
    #[must_use]
    pub fn paint(&self, frame: &Frame) -> Frame {
        let Turned { canvas: (width, height), to_parent } = self.plan((frame.width(), frame.height()));
        if frame.is_empty() {
            return Frame::filled(width, height, self.fill);
        }
        let moved = Moved { frame, to_parent, fill: self.fill };
        let pixels = if to_parent.iter().all(|value| value.fract() == 0.0) {
            moved.exactly(width as usize, height as usize)
        } else {
            moved.between(width as usize, height as usize)
        };
        Frame::new(width, height, pixels).expect("a pixel for every place of the canvas")
    }
}

/// Exact for quarter turns, where the functions are a hair off.
fn sin_cos(degrees: f64) -> (f64, f64) {
    match degrees {
        0.0 => (0.0, 1.0),
        90.0 => (1.0, 0.0),
        180.0 => (0.0, -1.0),
        270.0 => (-1.0, 0.0),
        _ => degrees.to_radians().sin_cos(),
    }
}

/// The smallest canvas of whole pixels that holds the turned picture: as Pillow computes it, quarter turns by
/// themselves.
fn expanded((wide, high): (f64, f64), (sin, cos): (f64, f64), centre: (f64, f64)) -> (u32, u32) {
    if sin == 0.0 {
        return (wide as u32, high as u32);
    }
    if cos == 0.0 {
        return (high as u32, wide as u32);
    }
    let corners = [(0.0, 0.0), (wide, 0.0), (wide, high), (0.0, high)].map(|(x, y)| {
        let (x, y) = (x - centre.0, y - centre.1);
        (cos * x - sin * y + centre.0, sin * x + cos * y + centre.1)
    });
    let side = |values: [f64; 4]| {
        let most = values.into_iter().fold(f64::NEG_INFINITY, f64::max).ceil();
        let least = values.into_iter().fold(f64::INFINITY, f64::min).floor();
        (most - least) as u32
    };
    (side(corners.map(|(x, _)| x)), side(corners.map(|(_, y)| y)))
}
