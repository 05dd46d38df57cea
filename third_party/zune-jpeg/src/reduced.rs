// Added for Millrace (PATCH.md): pictures at a half, a quarter or an eighth of their size, for those who would scale them down anyway.
//
// Each pixel is the mean of the samples that it covers, per component, as libjpeg's scaled decoding has it
// (jidctred.c). A component that is stored at a lower resolution is averaged over as many samples as it has there:
// chroma is not scaled up first, and only as many pixels are converted and written as there are in the end. Means of whole blocks
// and of their quarters are made of the coefficients.

use alloc::vec::Vec;
use alloc::{format, vec};

use zune_core::bytestream::ZByteReaderTrait;
use zune_core::colorspace::ColorSpace;

use crate::components::Components;
use crate::decoder::MAX_COMPONENTS;
use crate::errors::DecodeErrors;
use crate::worker::color_convert;
use crate::JpegDecoder;

/// Colour conversion works on so many pixels at a time.
const LANES: usize = 16;

impl<T: ZByteReaderTrait> JpegDecoder<T> {
    /// Decodes to a `factor`th of the width and the height, rounded up. To be set before decoding; only for RGB.
    ///
    /// # Errors
    /// A factor other than 1, 2, 4 and 8.
    pub fn set_reduction(&mut self, factor: usize) -> Result<(), DecodeErrors> {
        if !matches!(factor, 1 | 2 | 4 | 8) {
            return Err(DecodeErrors::Format(format!("A reduction by {factor} is not possible")));
        }
        self.reduction = factor;
        Ok(())
    }

    /// Width and height of what is decoded, once the headers were read.
    #[must_use]
    pub fn reduced_dimensions(&self) -> Option<(usize, usize)> {
        let (width, height) = self.dimensions()?;
        Some((width.div_ceil(self.reduction), height.div_ceil(self.reduction)))
    }

    /// Writes the rows of a row of MCUs, whose samples lie in the components, to `pixels`, where so many are `written`.
    pub(crate) fn post_process_reduced(
        &mut self, pixels: &mut [u8], written: &mut usize
    ) -> Result<(), DecodeErrors> {
        let out = self.options.jpeg_get_out_colorspace();
        if out != ColorSpace::RGB {
            return Err(DecodeErrors::FormatStatic("Only RGB can be reduced"));
        }
        let width = usize::from(self.info.width).div_ceil(self.reduction);
        let padded = width.next_multiple_of(LANES);
        let mut rows: [Vec<i16>; MAX_COMPONENTS] = core::array::from_fn(|_| vec![]);
        for row in rows.iter_mut().take(self.components.len()) {
            *row = vec![0; padded];
        }
        let mut sums = vec![];
        let count = self.v_max * 8 / self.reduction;
        for (at, target) in pixels[*written..].chunks_exact_mut(width * 3).take(count).enumerate() {
            for (row, component) in rows.iter_mut().zip(&self.components) {
                let across = Ratio::new(self.reduction * component.horizontal_sample, self.h_max);
                let down = Ratio::new(self.reduction * component.vertical_sample, self.v_max);
                reduce(component, (across, down), at, &mut sums, &mut row[..width])?;
            }
            let samples: [&[i16]; MAX_COMPONENTS] = core::array::from_fn(|k| &rows[k][..]);
            color_convert(
                &samples,
                self.color_convert_16,
                self.input_colorspace,
                out,
                target,
                width,
                padded
            )?;
            *written += target.len();
        }
        Ok(())
    }
}

/// How many samples of a block's side are needed where each is the mean of 4 or 8: 2 or 1, which are quicker made than all; else 8.
pub(crate) fn side_of(component: &Components, reduction: usize, (h_max, v_max): (usize, usize)) -> usize {
    let across = Ratio::new(reduction * component.horizontal_sample, h_max).whole();
    let down = Ratio::new(reduction * component.vertical_sample, v_max).whole();
    match (across, down) {
        (Some(4), Some(4)) => 2,
        (Some(8), Some(8)) => 1,
        _ => 8
    }
}

/// What a frequency adds to the mean of the first half of eight samples, and takes from that of the second, against the constant
/// one: sqrt(2) / 4 times the sum of cos((2x + 1) k pi / 16) over x = 0..4. Even frequencies cancel out (jidctred.c, jpeg_idct_2x2).
const HALVES: [(usize, f32); 4] =
    [(1, 0.906_127_46), (3, -0.318_189_64), (5, 0.212_607_52), (7, -0.180_239_96)];

/// Writes the means of a block's quarters, or of all of it, to its upper left corner. `block` is dequantized; `len` of its
/// coefficients, in zigzag order, may be other than zero.
pub(crate) fn write_means(block: &[i32; 64], len: usize, side: usize, out: &mut [i16], stride: usize) {
    let sample = |sum: f32| (sum * 0.125 + 128.5).clamp(0.0, 255.0) as i16;
    let constant = block[0] as f32;
    if side == 1 {
        out[0] = sample(constant);
        return;
    }
    if len <= 1 {
        let mean = sample(constant);
        (out[0], out[1], out[stride], out[stride + 1]) = (mean, mean, mean, mean);
        return;
    }
    // Of a column: the constant part, and what its halves differ by.
    let column = |at: usize| {
        let differ = HALVES.iter().map(|(row, share)| share * block[row * 8 + at] as f32);
        (block[at] as f32, differ.sum::<f32>())
    };
    let (_, down) = column(0);
    let (mut across, mut both) = (0.0, 0.0);
    for (at, share) in HALVES {
        let (even, odd) = column(at);
        across += share * even;
        both += share * odd;
    }
    out[0] = sample(constant + across + down + both);
    out[1] = sample(constant - across + down - both);
    out[stride] = sample(constant + across - down - both);
    out[stride + 1] = sample(constant - across - down + both);
}

/// How many samples a pixel covers along one axis: `samples` for every `pixels`. Less than one where the component is stored
/// at a lower resolution than is decoded to.
#[derive(Clone, Copy)]
struct Ratio {
    samples: usize,
    pixels:  usize
}

impl Ratio {
    fn new(samples: usize, pixels: usize) -> Ratio {
        Ratio { samples, pixels }
    }

    /// The samples of a pixel; at least one.
    fn range(self, at: usize) -> core::ops::Range<usize> {
        let start = at * self.samples / self.pixels;
        start..((at + 1) * self.samples / self.pixels).max(start + 1)
    }

    /// How many samples every pixel covers, where all cover as many.
    fn whole(self) -> Option<usize> {
        (self.samples % self.pixels == 0).then_some(self.samples / self.pixels)
    }
}

/// The `at`th row of a component's part of an MCU row, averaged. At most 8 x 8 samples are added up, of 255 each.
fn reduce(
    component: &Components, (across, down): (Ratio, Ratio), at: usize, sums: &mut Vec<i16>,
    row: &mut [i16]
) -> Result<(), DecodeErrors> {
    let stride = component.width_stride;
    if component.side < 8 {
        return gather(component, at, row);
    }
    let lines = down.range(at);
    let height = lines.len();
    let lines = component.raw_coeff.get(lines.start * stride..lines.end * stride);
    let lines = lines.ok_or(DecodeErrors::FormatStatic("Missing samples"))?;
    sums.clear();
    sums.resize(stride, 0);
    for line in lines.chunks_exact(stride) {
        for (sum, sample) in sums.iter_mut().zip(line) {
            *sum += sample;
        }
    }
    match across.whole().filter(|_| height.is_power_of_two()) {
        Some(1) => means::<1>(sums, height, row),
        Some(2) => means::<2>(sums, height, row),
        Some(4) => means::<4>(sums, height, row),
        Some(8) => means::<8>(sums, height, row),
        _ => {
            for (x, mean) in row.iter_mut().enumerate() {
                let columns = across.range(x);
                let count = (columns.len() * height) as i16;
                let columns = sums.get(columns);
                let columns = columns.ok_or(DecodeErrors::FormatStatic("Missing samples"))?;
                *mean = (columns.iter().sum::<i16>() + count / 2) / count;
            }
        }
    }
    Ok(())
}

/// The `at`th row of means that were made block by block.
fn gather(component: &Components, at: usize, row: &mut [i16]) -> Result<(), DecodeErrors> {
    let (side, stride) = (component.side, component.width_stride);
    let start = (at / side * 8 + at % side) * stride;
    let line = component.raw_coeff.get(start..start + stride);
    let line = line.ok_or(DecodeErrors::FormatStatic("Missing samples"))?;
    for (means, block) in row.chunks_mut(side).zip(line.chunks_exact(8)) {
        means.copy_from_slice(&block[..means.len()]);
    }
    Ok(())
}

/// The means of `ACROSS` sums each, of `height` samples; both are powers of two.
fn means<const ACROSS: usize>(sums: &[i16], height: usize, row: &mut [i16]) {
    let count = ACROSS * height;
    let (half, shift) = ((count / 2) as i16, count.trailing_zeros());
    for (mean, sums) in row.iter_mut().zip(sums.chunks_exact(ACROSS)) {
        *mean = (sums.iter().sum::<i16>() + half) >> shift;
    }
}
