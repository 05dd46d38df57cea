//! Pixels to the floats a graph takes: scaled as Pillow does, cut to a window, put on a canvas, each sample looked up in a table
//! of what it becomes.

use std::sync::Arc;

use crate::{Frame, PixelBox, Resample, VisionError, pillow_rows};

/// Samples of a pixel.
const CHANNELS: usize = 3;

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

/// A canvas that is not painted yet: the samples that stand on it and what they become. A quarter of the size of the floats, which
/// are best made where they are used, by whoever uses them at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Sketch {
    canvas: Canvas,
    /// The window, RGB, row by row.
    samples: Vec<u8>,
    levels: Arc<Levels>,
}

/// How a plane is made: of which channel, and what each of its samples becomes.
#[derive(Clone, Copy)]
struct Plane<'a> {
    table: &'a [f32; 256],
    channel: usize,
}

impl Sketch {
    /// Scales the picture and cuts it to the window.
    ///
    /// # Errors
    /// [`VisionError::Empty`] when a picture without pixels is to have some.
    pub fn new(
        frame: &Frame,
        resample: Resample,
        canvas: Canvas,
        levels: Arc<Levels>,
    ) -> Result<Self, VisionError> {
        let pixels = canvas.window.width as usize * canvas.window.height as usize;
        let mut samples = Vec::with_capacity(pixels * CHANNELS);
        pillow_rows(frame, canvas.scaled, resample, canvas.window, |row| samples.extend_from_slice(row))?;
        Ok(Self { canvas, samples, levels })
    }

    /// How many floats it becomes: planes × height × width.
    #[must_use]
    pub fn len(&self) -> usize {
        self.plane() * self.levels.planes()
    }

    /// Whether the canvas has no pixel.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends planes × height × width floats.
    pub fn append_to(&self, floats: &mut Vec<f32>) {
        if self.is_covered() {
            floats.reserve(self.len());
            // Written once: there is nothing around the picture.
            self.planes().for_each(|plane| floats.extend(self.levelled(plane, 0)));
        } else {
            let start = floats.len();
            floats.resize(start + self.len(), 0.0);
            self.paint(&mut floats[start..]);
        }
    }

    /// Writes planes × height × width floats; none when there is not room for exactly as many.
    pub fn paint(&self, floats: &mut [f32]) -> Option<()> {
        if floats.len() != self.len() {
            return None;
        }
        for (plane, into) in self.planes().zip(floats.chunks_exact_mut(self.plane().max(1))) {
            if self.is_covered() {
                into.iter_mut().zip(self.levelled(plane, 0)).for_each(|(float, level)| *float = level);
            } else {
                self.paint_part(into, plane);
            }
        }
        Some(())
    }

    /// A plane that has something around the picture, or not room for all of it.
    fn paint_part(&self, into: &mut [f32], plane: Plane<'_>) {
        into.fill(match self.canvas.around {
            Around::Black => plane.table[0],
            Around::Number(number) => number,
        });
        let (width, window) = (self.canvas.size.0 as usize, self.canvas.window.width as usize);
        let first = self.canvas.offset.1 as usize * width + self.canvas.offset.0 as usize;
        for number in 0..self.canvas.window.height as usize {
            let start = first + number * width;
            // A canvas that is smaller than its window shows what fits.
            let Some(row) = into.get_mut(start..start + window) else { continue };
            let levels = self.levelled(plane, number * window);
            row.iter_mut().zip(levels).for_each(|(float, level)| *float = level);
        }
    }

    fn planes(&self) -> impl Iterator<Item = Plane<'_>> {
        let of = |(table, &channel)| Plane { table, channel };
        self.levels.tables.iter().zip(&self.levels.channels).map(of)
    }

    /// What the samples become in a plane, from so many pixels on.
    fn levelled<'a>(&'a self, plane: Plane<'a>, from: usize) -> impl Iterator<Item = f32> + 'a {
        let samples = self.samples.get(from * CHANNELS..).unwrap_or_default();
        samples.chunks_exact(CHANNELS).map(move |pixel| plane.table[usize::from(pixel[plane.channel])])
    }

    fn plane(&self) -> usize {
        self.canvas.size.0 as usize * self.canvas.size.1 as usize
    }

    /// Whether the window is all of the canvas.
    fn is_covered(&self) -> bool {
        let Canvas { window, offset, size, .. } = self.canvas;
        offset == (0, 0) && size == (window.width, window.height)
    }
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
        let levels = Arc::new(levels);
        let painted = |canvas| {
            let sketch = Sketch::new(&frame, Resample::Bicubic, canvas, Arc::clone(&levels)).unwrap();
            let mut floats = Vec::new();
            sketch.append_to(&mut floats);
            assert_eq!((floats.len(), sketch.is_empty()), (sketch.len(), false));
            let mut same = vec![7.0; sketch.len() + 1];
            assert_eq!(sketch.paint(&mut same), None, "there is too much room");
            sketch.paint(&mut same[1..]).unwrap();
            assert_eq!(same[1..], floats);
            floats
        };
        assert_eq!(painted(canvas), [-1.0, -1.0, -1.0, -1.0, 30.0, 60.0, -1.0, -1.0, -1.0, -1.0, 11.0, 41.0]);
        let black = Canvas { around: Around::Black, ..canvas };
        assert_eq!(painted(black)[6], 1.0);
        let covered = Canvas { offset: (0, 0), size: (2, 1), ..canvas };
        assert_eq!(painted(covered), [30.0, 60.0, 11.0, 41.0]);
        let narrow = Canvas { offset: (0, 0), size: (1, 1), ..canvas };
        assert_eq!(painted(narrow), [-1.0, -1.0], "no row of it fits");
    }
}
