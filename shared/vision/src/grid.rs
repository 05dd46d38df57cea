//! Several pictures as one, in cells of equal size.

use crate::draw::{Writing, write};
use crate::{Filter, FitMode, Frame, Rgb, Target, VisionError, plan_resize};

/// How a grid looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// Cells in a row; none for the smallest number whose square holds all pictures.
    pub columns: Option<u32>,
    /// Width of a cell, pixels.
    pub cell_width: u32,
    /// Height of a cell, pixels.
    pub cell_height: u32,
    /// Pixels between cells, and around them.
    pub gap: u32,
    /// What is behind the pictures.
    pub ground: Rgb,
}

impl Grid {
    /// Columns and rows for `count` pictures; at least one of each.
    #[must_use]
    pub fn shape(&self, count: usize) -> (u32, u32) {
        let count = u32::try_from(count.max(1)).unwrap_or(u32::MAX);
        let square = f64::from(count).sqrt().ceil() as u32;
        let columns = self.columns.unwrap_or(square).clamp(1, count);
        (columns, count.div_ceil(columns))
    }

    /// Width and height of the whole for `count` pictures, pixels.
    #[must_use]
    pub fn canvas(&self, count: usize) -> (u64, u64) {
        let (columns, rows) = self.shape(count);
        let side = |cells: u32, cell: u32| {
            u64::from(cells) * (u64::from(cell) + u64::from(self.gap)) + u64::from(self.gap)
        };
        (side(columns, self.cell_width), side(rows, self.cell_height))
    }

    /// The grid. Each picture is scaled to fit its cell and stands in its middle; its label, if it has one, stands at the
    /// cell's lower edge.
    ///
    /// # Errors
    /// A picture without pixels is left out of its cell; otherwise none in practice.
    pub fn paint(&self, frames: &[Frame], labels: &[String]) -> Result<Frame, VisionError> {
        let (width, height) = self.canvas(frames.len());
        let (width, height) = (width as u32, height as u32);
        let (columns, _) = self.shape(frames.len());
        let mut pixels = Frame::filled(width, height, self.ground).into_pixels();
        let corner = |number: usize| {
            let (column, row) = (number as u32 % columns, number as u32 / columns);
            (self.gap + column * (self.cell_width + self.gap), self.gap + row * (self.cell_height + self.gap))
        };
        for (number, frame) in frames.iter().enumerate().filter(|(_, frame)| !frame.is_empty()) {
            let cell = Target { width: Some(self.cell_width), height: Some(self.cell_height) };
            let placement = plan_resize((frame.width(), frame.height()), cell, FitMode::Fit);
            let scaled = placement.paint(frame, Filter::Bilinear, self.ground)?;
            let (left, top) = corner(number);
            let left = left + (self.cell_width - scaled.width()) / 2;
            let top = top + (self.cell_height - scaled.height()) / 2;
            let stride = scaled.width() as usize * 3;
            for (row, line) in scaled.pixels().chunks_exact(stride).enumerate() {
                let at = ((top as usize + row) * width as usize + left as usize) * 3;
                pixels[at..at + stride].copy_from_slice(line);
            }
        }
        let whole = Frame::new(width, height, pixels)?;
        let writings: Vec<Writing<'_>> = labels
            .iter()
            .take(frames.len())
            .enumerate()
            .filter(|(_, text)| !text.trim().is_empty())
            .map(|(number, text)| {
                let (left, top) = corner(number);
                Writing { text, left, bottom: top + self.cell_height, width: self.cell_width }
            })
            .collect();
        write(&whole, &writings)
    }
}
