//! How alike two pictures are, and pictures of how they differ.

mod ssim;

use crate::{Filter, Frame, VisionError, beside, heatmap::Colormap, resize};

use ssim::ssim;

/// What a comparison shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// One beside the other.
    SideBySide,
    /// One over the other, half and half.
    Overlay,
    /// The difference of each sample.
    Difference,
    /// Where they are unlike, as colours over the first.
    Ssim,
}

/// Two pictures, compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The picture asked for.
    pub image: Frame,
    /// Structural similarity, −1 to 1; 1 for equal pictures.
    pub score: f64,
    /// Mean absolute difference of the samples, 0 to 1.
    pub difference: f64,
}

/// Compares two pictures; the second is scaled to the first one's size where that is another.
///
/// # Errors
/// [`VisionError::Empty`] when one has no pixel.
pub fn compare(first: &Frame, second: &Frame, view: View) -> Result<Compared, VisionError> {
    if first.is_empty() {
        return Err(VisionError::Empty { action: "compare", width: first.width(), height: first.height() });
    }
    let second = resize(second, first.width(), first.height(), Filter::Bilinear)?;
    let (score, likeness) = ssim(first, &second);
    let apart = first.pixels().iter().zip(second.pixels()).map(|(a, b)| u64::from(a.abs_diff(*b)));
    let difference = apart.sum::<u64>() as f64 / first.pixels().len() as f64 / 255.0;
    let image = match view {
        View::SideBySide => beside(first, &second)?,
        View::Overlay => mixed(first, &second, |a, b| u16::midpoint(u16::from(a), u16::from(b)) as u8)?,
        View::Difference => mixed(first, &second, u8::abs_diff)?,
        View::Ssim => unlike(first, &likeness)?,
    };
    Ok(Compared { image, score, difference })
}

fn mixed(first: &Frame, second: &Frame, mix: fn(u8, u8) -> u8) -> Result<Frame, VisionError> {
    let samples = first.pixels().iter().zip(second.pixels()).map(|(a, b)| mix(*a, *b)).collect();
    Frame::new(first.width(), first.height(), samples)
}

/// The first picture in grey, with colour where the likeness is low.
fn unlike(first: &Frame, likeness: &[f32]) -> Result<Frame, VisionError> {
    let colours = Colormap::Turbo.colours();
    let pixels = first.pixels().chunks_exact(3).zip(likeness).flat_map(|(pixel, like)| {
        let share = (1.0 - like).clamp(0.0, 1.0);
        let grey = (f32::from(pixel[0]) + f32::from(pixel[1]) + f32::from(pixel[2])) / 3.0;
        let colour = colours[(share * 255.0).round() as usize];
        colour.map(|ink| (grey + (f32::from(ink) - grey) * share).round() as u8)
    });
    Frame::new(first.width(), first.height(), pixels.collect())
}
