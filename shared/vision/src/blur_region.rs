//! Making regions unrecognisable, each by itself: nothing from outside a region enters it.

use crate::smooth::{Smoothing, smooth};
use crate::{Filter, Frame, PixelBox, VisionError, crop, resize};

/// How a region is made unrecognisable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blur {
    /// Gaussian smoothing with a kernel of so many pixels.
    Gaussian(u32),
    /// The mean of so many pixels.
    Box(u32),
    /// Squares of so many pixels, each of one colour.
    Pixelate(u32),
}

/// A part of the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    /// Its box.
    pub part: PixelBox,
    /// Which of the box's pixels belong to it.
    pub shape: Shape,
}

/// The outline of a region inside its box.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// All of it.
    Box,
    /// The ellipse that touches the box's sides.
    Ellipse,
    /// One value per pixel of the box, row by row.
    Mask(Vec<bool>),
}

/// The picture with its regions made unrecognisable, in their order.
///
/// # Errors
/// None in practice: regions without a pixel change nothing.
pub fn blur_regions(frame: &Frame, regions: &[Region], blur: Blur) -> Result<Frame, VisionError> {
    let (width, height) = (frame.width(), frame.height());
    let mut pixels = frame.pixels().to_vec();
    for Region { part, shape } in regions {
        // Regions that overlap are blurred over what the earlier ones left.
        let current = Frame::new(width, height, std::mem::take(&mut pixels))?;
        let cut = crop(&current, *part);
        let blurred = if cut.is_empty() { cut } else { self::blurred(&cut, blur)? };
        pixels = current.into_pixels();
        for y in 0..blurred.height() {
            for x in (0..blurred.width()).filter(|&x| shape.holds(part, x, y)) {
                let at = ((part.y + y) as usize * width as usize + (part.x + x) as usize) * 3;
                pixels[at..at + 3].copy_from_slice(&blurred.pixel(x, y).unwrap_or_default());
            }
        }
    }
    Frame::new(width, height, pixels)
}

fn blurred(cut: &Frame, blur: Blur) -> Result<Frame, VisionError> {
    match blur {
        Blur::Gaussian(kernel) => Ok(smooth(cut, Smoothing::Gaussian, kernel)),
        Blur::Box(kernel) => Ok(smooth(cut, Smoothing::Average, kernel)),
        Blur::Pixelate(size) => {
            // At least one square, so that a region smaller than a square becomes one colour.
            let side = |side: u32| (side / size.max(1)).max(1);
            let small = resize(cut, side(cut.width()), side(cut.height()), Filter::Area)?;
            resize(&small, cut.width(), cut.height(), Filter::Nearest)
        }
    }
}

impl Shape {
    fn holds(&self, part: &PixelBox, x: u32, y: u32) -> bool {
        match self {
            Self::Box => true,
            Self::Ellipse => {
                let share = |at: u32, side: u32| (2.0 * f64::from(at) + 1.0) / f64::from(side) - 1.0;
                share(x, part.width).powi(2) + share(y, part.height).powi(2) <= 1.0
            }
            Self::Mask(inside) => {
                inside.get(y as usize * part.width as usize + x as usize).copied().unwrap_or(false)
            }
        }
    }
}
