//! Making regions unrecognisable, each by itself: nothing from outside a region enters it.

use millrace_contracts::values::Rle;

use crate::smooth::{Smoothing, smooth};
use crate::stencil::{part_of, places};
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

/// A usual kernel.
const USUAL: u64 = 15;
/// Pixels that the border of a row is as much work as, with the usual kernel. Measured; it differs by machine.
const BORDER: u64 = 16;

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
    /// Those that a mask over the picture has set.
    Mask(Rle),
}

impl Blur {
    /// How much work a part of a picture is, in pixels of a large part that is blurred with a kernel of 15: a Gaussian's cost
    /// grows with its kernel, and each row has a border as wide as the kernel, however short it is.
    #[must_use]
    pub fn work(self, part: PixelBox) -> u64 {
        let (kernel, of_each_pixel) = match self {
            Self::Gaussian(kernel) => (u64::from(kernel).max(USUAL), u64::from(kernel).max(USUAL)),
            Self::Box(kernel) => (u64::from(kernel).max(USUAL), USUAL),
            Self::Pixelate(_) => (USUAL, USUAL),
        };
        let border = BORDER * u64::from(part.height) + u64::from(part.width);
        (part.area() * of_each_pixel + border * kernel) / USUAL
    }
}

impl Region {
    /// What a mask over the picture has set; none when that is nothing.
    #[must_use]
    pub fn masked(mask: Rle) -> Option<Self> {
        Some(Self { part: part_of(&mask)?, shape: Shape::Mask(mask) })
    }
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
        let mut put = |x: u32, y: u32| {
            let Some(pixel) = blurred.pixel(x, y) else { return };
            let at = ((part.y + y) as usize * width as usize + (part.x + x) as usize) * 3;
            pixels[at..at + 3].copy_from_slice(&pixel);
        };
        match shape {
            Shape::Mask(mask) => places(mask)
                .filter_map(|(x, y)| x.checked_sub(part.x).zip(y.checked_sub(part.y)))
                .for_each(|(x, y)| put(x, y)),
            Shape::Box | Shape::Ellipse => {
                for y in 0..blurred.height() {
                    let inside = |x: &u32| *shape == Shape::Box || in_ellipse(part, *x, y);
                    (0..blurred.width()).filter(inside).for_each(|x| put(x, y));
                }
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

/// Whether a pixel of the box lies in the ellipse that touches its sides.
fn in_ellipse(part: &PixelBox, x: u32, y: u32) -> bool {
    let share = |at: u32, side: u32| (2.0 * f64::from(at) + 1.0) / f64::from(side) - 1.0;
    share(x, part.width).powi(2) + share(y, part.height).powi(2) <= 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_kernels_and_short_rows_are_more_work() {
        let part = |width, height| PixelBox { x: 0, y: 0, width, height };
        let whole = part(4_000, 3_000);
        let times = |blur: Blur, part: PixelBox| blur.work(part) / part.area();
        for usual in [Blur::Gaussian(1), Blur::Gaussian(15), Blur::Box(255), Blur::Pixelate(10_000)] {
            assert_eq!(times(usual, whole), 1, "{usual:?}");
        }
        assert_eq!(times(Blur::Gaussian(255), whole), 17);
        let tall = part(1, 50_000);
        assert_eq!([Blur::Gaussian(15), Blur::Gaussian(255)].map(|blur| times(blur, tall)), [17, 289]);
        assert_eq!([Blur::Box(255), Blur::Pixelate(20)].map(|blur| times(blur, tall)), [273, 17]);
        assert_eq!(times(Blur::Box(255), part(50_000, 1)), 18, "rows above and below it");
        assert_eq!(Blur::Gaussian(255).work(part(0, 0)), 0);
    }

    #[test]
    fn of_a_mask_the_pixels_that_are_set_are_blurred() {
        let pixels = (0..5 * 4u8).flat_map(|place| [place * 7 % 50 * 5; 3]).collect();
        let frame = Frame::new(5, 4, pixels).unwrap();
        let set = |place: usize| [5, 6, 15].contains(&place);
        let mask = Rle::of_columns([4, 5], (0..20).map(set)).unwrap();
        let region = Region::masked(mask).unwrap();
        assert_eq!(region.part, PixelBox { x: 1, y: 1, width: 3, height: 3 });
        let whole = Region { part: region.part, shape: Shape::Box };
        let all = blur_regions(&frame, &[whole], Blur::Box(3)).unwrap();
        let some = blur_regions(&frame, &[region], Blur::Box(3)).unwrap();
        for (x, y) in (0..5).flat_map(|x| (0..4).map(move |y| (x, y))) {
            let from = if set((x * 4 + y) as usize) { &all } else { &frame };
            assert_eq!(some.pixel(x, y), from.pixel(x, y), "{x}, {y}");
        }
        assert_eq!(Region::masked(Rle::of_columns([4, 5], [false; 20]).unwrap()), None);
    }
}
