// Added for Millrace (PATCH.md): pictures at a half, a quarter or an eighth of their size, for those who would scale them down anyway.
//
// Each pixel is the mean of the samples that it covers, per component, as libjpeg's scaled decoding has it (jidctred.c: "averages
// of adjacent outputs"). A component that is stored at a lower resolution is averaged over as many samples as it has there:
// chroma is not scaled up first, and only as many pixels are converted and written as there are in the end.

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
    match across.whole() {
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

/// The means of `ACROSS` sums each, of `height` samples.
fn means<const ACROSS: usize>(sums: &[i16], height: usize, row: &mut [i16]) {
    let count = ACROSS * height;
    if count.is_power_of_two() {
        let (half, shift) = ((count / 2) as i16, count.trailing_zeros());
        for (mean, sums) in row.iter_mut().zip(sums.chunks_exact(ACROSS)) {
            *mean = (sums.iter().sum::<i16>() + half) >> shift;
        }
    } else {
        let count = count as i16;
        for (mean, sums) in row.iter_mut().zip(sums.chunks_exact(ACROSS)) {
            *mean = (sums.iter().sum::<i16>() + count / 2) / count;
        }
    }
}
