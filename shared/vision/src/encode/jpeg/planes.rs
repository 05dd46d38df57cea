//! RGB rows to planes of luma and of the two chroma differences (JFIF 1.02, that is, ITU-R BT.601 over the full range), the
//! latter at half the resolution both ways. Samples are centred on 0, as the transform takes them.

use crate::Frame;

/// Side of the squares that are coded together, pixels: four blocks of luma, one of each difference.
pub(super) const UNIT: usize = 16;

/// Bits behind the point of the matrix's numbers.
const FRACTION: u32 = 16;

/// The planes of one row of units. What lies beyond the picture repeats its edge.
pub(super) struct Planes {
    /// A multiple of [`UNIT`].
    pub(super) width: usize,
    /// [`UNIT`] rows.
    pub(super) luma: Vec<i16>,
    /// Half as many rows of half the width: towards blue, towards red.
    pub(super) chroma: [Vec<i16>; 2],
    /// Two rows, split into their channels.
    rows: [[Vec<u8>; 3]; 2],
}

impl Planes {
    pub(super) fn new(width: u32) -> Self {
        let width = (width as usize).next_multiple_of(UNIT);
        let plane = || vec![0; width / 2 * UNIT / 2];
        let row = || [vec![0; width], vec![0; width], vec![0; width]];
        Self { width, luma: vec![0; width * UNIT], chroma: [plane(), plane()], rows: [row(), row()] }
    }

    /// Takes the rows from `top` on.
    #[inline(always)]
    pub(super) fn take(&mut self, frame: &Frame, top: usize) {
        let width = self.width;
        for pair in 0..UNIT / 2 {
            for (at, channels) in self.rows.iter_mut().enumerate() {
                let y = (top + pair * 2 + at).min(frame.height() as usize - 1);
                split(frame.row(y as u32), channels);
                luma(channels, &mut self.luma[(pair * 2 + at) * width..][..width]);
            }
            let half = pair * (width / 2)..(pair + 1) * (width / 2);
            let [blue, red] = self.chroma.each_mut().map(|plane| &mut plane[half.clone()]);
            chroma(&self.rows, blue, red);
        }
    }
}

/// The channels of a row, its last pixel repeated to their ends.
#[inline(always)]
fn split(row: &[u8], [reds, greens, blues]: &mut [Vec<u8>; 3]) {
    let (pixels, _) = row.as_chunks::<3>();
    for (((pixel, red), green), blue) in pixels.iter().zip(&mut *reds).zip(&mut *greens).zip(&mut *blues) {
        (*red, *green, *blue) = (pixel[0], pixel[1], pixel[2]);
    }
    for channel in [reds, greens, blues] {
        let last = channel[pixels.len() - 1];
        channel[pixels.len()..].fill(last);
    }
}

#[inline(always)]
fn luma([reds, greens, blues]: &[Vec<u8>; 3], into: &mut [i16]) {
    let half = 1 << (FRACTION - 1);
    for (((luma, &red), &green), &blue) in into.iter_mut().zip(reds).zip(greens).zip(blues) {
        let (red, green, blue) = (i32::from(red), i32::from(green), i32::from(blue));
        *luma = ((19_595 * red + 38_470 * green + 7_471 * blue + half) >> FRACTION) as i16 - 128;
    }
}

/// From the sums of two by two pixels.
#[inline(always)]
fn chroma([upper, lower]: &[[Vec<u8>; 3]; 2], blues: &mut [i16], reds: &mut [i16]) {
    // Two bits more for the four pixels; a little below one half, so that the largest does not leave the range.
    let (bits, half) = (FRACTION + 2, (1 << (FRACTION + 1)) - 1);
    let sums = |channel: usize| {
        let [above, below] = [upper, lower].map(|row| row[channel].as_chunks::<2>().0);
        std::iter::zip(above, below)
            .map(|(a, b)| i32::from(a[0]) + i32::from(a[1]) + i32::from(b[0]) + i32::from(b[1]))
    };
    let channels = sums(0).zip(sums(1)).zip(sums(2));
    for ((to_blue, to_red), ((red, green), blue)) in blues.iter_mut().zip(reds).zip(channels) {
        *to_blue = ((32_768 * blue - 11_059 * red - 21_709 * green + half) >> bits) as i16;
        *to_red = ((32_768 * red - 27_439 * green - 5_329 * blue + half) >> bits) as i16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_those_of_the_standard() {
        // Luma and the differences of JFIF, less 128.
        let expected = [
            ([0, 0, 0], [-128, 0, 0]),
            ([255, 255, 255], [127, 0, 0]),
            ([255, 0, 0], [-52, -43, 127]),
            ([0, 255, 0], [22, -84, -107]),
            ([0, 0, 255], [-99, 127, -21]),
        ];
        for (colour, [luma, blue, red]) in expected {
            let mut planes = Planes::new(5);
            planes.take(&Frame::filled(5, 3, colour), 0);
            assert!(planes.luma.iter().all(|sample| *sample == luma), "{colour:?}: {}", planes.luma[0]);
            assert!(
                planes.chroma[0].iter().all(|sample| *sample == blue),
                "{colour:?}: {}",
                planes.chroma[0][0]
            );
            assert!(
                planes.chroma[1].iter().all(|sample| *sample == red),
                "{colour:?}: {}",
                planes.chroma[1][0]
            );
        }
    }
}
