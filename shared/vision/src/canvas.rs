//! Pixels to the floats a graph takes, in one go: scaled as Pillow does, cut to a window, put on a canvas, each sample
//! looked up in a table of what it becomes.

use crate::{Frame, PixelBox, Resample, VisionError, pillow_rows};

/// What each of the 256 samples becomes, per plane.
#[derive(Debug, Clone, PartialEq)]
pub struct Levels {
    /// Which channel of the frame (0 red, 1 green, 2 blue) each plane is made of.
    channels: Vec<usize>,
    tables: Vec<[f32; 256]>,
}

impl Levels {
    /// One plane per entry of `channels`: 0 red, 1 green, 2 blue. `level` gives what a sample of a plane becomes.
    #[must_use]
    pub fn new(channels: &[usize], level: impl Fn(usize, u8) -> f32) -> Self {
        let table = |plane| std::array::from_fn(|sample| level(plane, sample as u8));
        let channels: Vec<usize> = channels.iter().map(|&channel| channel.min(2)).collect();
        Self { tables: (0..channels.len()).map(table).collect(), channels }
    }

    /// How many planes there are.
    #[must_use]
    pub fn planes(&self) -> usize {
        self.channels.len()
    }
}

/// A canvas of floats and what stands on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Canvas {
    /// Size of the whole picture after scaling, pixels.
    pub scaled: (u32, u32),
    /// The part of the scaled picture that is shown.
    pub window: PixelBox,
    /// Where its top left corner lands, canvas pixels.
    pub offset: (u32, u32),
    /// Size of the canvas, pixels.
    pub size: (u32, u32),
    /// What is around it.
    pub around: Around,
}

/// What a canvas has where the picture is not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Around {
    /// Black, as a sample: the levels apply to it.
    Black,
    /// This number, as it is.
    Number(f32),
}

/// The canvas as planes × height × width floats.
///
/// # Errors
/// [`VisionError::Empty`] when a picture without pixels is to have some.
pub fn canvas_nchw(
    frame: &Frame,
    resample: Resample,
    canvas: &Canvas,
    levels: &Levels,
) -> Result<Vec<f32>, VisionError> {
    let width = canvas.size.0 as usize;
    let plane = width * canvas.size.1 as usize;
    let mut floats = Vec::with_capacity(plane * levels.planes());
    for table in &levels.tables {
        let around = match canvas.around {
            Around::Black => table[0],
            Around::Number(number) => number,
        };
        floats.resize(floats.len() + plane, around);
    }
    let mut start = canvas.offset.1 as usize * width + canvas.offset.0 as usize;
    pillow_rows(frame, canvas.scaled, resample, canvas.window, |row| {
        for ((number, table), &channel) in levels.tables.iter().enumerate().zip(&levels.channels) {
            let start = number * plane + start;
            // A canvas that is smaller than its window shows what fits.
            let Some(into) = floats.get_mut(start..start + row.len() / 3) else { continue };
            for (float, pixel) in into.iter_mut().zip(row.chunks_exact(3)) {
                *float = table[usize::from(pixel[channel])];
            }
        }
        start += width;
    })?;
    Ok(floats)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_are_looked_up_and_put_where_they_belong() {
        let frame = Frame::new(2, 1, vec![1, 2, 3, 4, 5, 6]).unwrap();
        let levels = Levels::new(&[2, 0], |plane, sample| f32::from(sample) * 10.0 + plane as f32);
        let canvas = Canvas {
            scaled: (2, 1),
            window: PixelBox { x: 0, y: 0, width: 2, height: 1 },
            offset: (1, 1),
            size: (3, 2),
            around: Around::Number(-1.0),
        };
        let floats = canvas_nchw(&frame, Resample::Bicubic, &canvas, &levels).unwrap();
        assert_eq!(floats, [-1.0, -1.0, -1.0, -1.0, 30.0, 60.0, -1.0, -1.0, -1.0, -1.0, 11.0, 41.0]);
        let black = Canvas { around: Around::Black, ..canvas };
        assert_eq!(canvas_nchw(&frame, Resample::Bicubic, &black, &levels).unwrap()[6], 1.0);
    }
}
