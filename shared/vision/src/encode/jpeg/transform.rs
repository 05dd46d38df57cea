//! Samples to the whole numbers that are written: the cosine transform, divided by the quantisation table.
//!
//! The transform is that of Arai, Agui and Nakajima ("A fast DCT-SQ scheme for images", 1988) as libjpeg's `jfdctflt.c` has
//! it, for the columns of several blocks at once; what it leaves out of the scale goes into the divisors.

use super::tables::ZIGZAG;

/// Blocks that are transformed together.
const GROUP: usize = 8;
const ACROSS: usize = GROUP * 8;
/// Eight rows of a group.
type Rows = [[f32; ACROSS]; 8];

/// One block as it is written.
#[derive(Clone, Copy)]
pub(super) struct Block {
    /// From low to high frequencies, in zigzag order.
    pub(super) levels: [i16; 64],
    /// A bit for each level that is not 0.
    pub(super) set: u64,
}

/// What each frequency of a group is multiplied with; frequencies across go down, as in [`Transform::add`].
pub(super) struct Transform {
    factors: Rows,
}

impl Transform {
    /// For a quantisation table in rows and columns.
    pub(super) fn new(table: &[u8; 64]) -> Self {
        /// The scale that the transform gives to each frequency.
        const SCALES: [f32; 8] =
            [1.0, 1.387_039_8, 1.306_563, 1.175_875_6, 1.0, 0.785_694_96, 0.541_196_1, 0.275_899_38];
        let factor = |across: usize, down: usize| {
            1.0 / (f32::from(table[down * 8 + across]) * SCALES[across] * SCALES[down] * 8.0)
        };
        let row = |across| std::array::from_fn(|place| factor(across, place % 8));
        Self { factors: std::array::from_fn(row) }
    }

    /// The blocks of eight rows of `width` samples each, a multiple of eight, are added to `blocks`.
    #[inline(always)]
    pub(super) fn add(&self, samples: &[i16], width: usize, blocks: &mut Vec<Block>) {
        for start in (0..width).step_by(ACROSS) {
            let count = (width - start).min(ACROSS);
            let mut rows: Rows = [[0.0; ACROSS]; 8];
            for (row, from) in rows.iter_mut().zip(samples.chunks_exact(width)) {
                for (value, &sample) in row.iter_mut().zip(&from[start..start + count]) {
                    *value = f32::from(sample);
                }
            }
            transform(&mut rows);
            let mut rows = turned(&rows);
            transform(&mut rows);
            let mut levels = [0; ACROSS * 8];
            for ((row, factors), levels) in
                rows.iter().zip(&self.factors).zip(levels.chunks_exact_mut(ACROSS))
            {
                for ((value, factor), level) in row.iter().zip(factors).zip(levels) {
                    *level = rounded(value * factor);
                }
            }
            for block in 0..count / 8 {
                blocks.push(picked(&levels, block));
            }
        }
    }
}

/// The nearest whole number, which fits 16 bits.
#[inline(always)]
fn rounded(value: f32) -> i16 {
    /// Adding this leaves the nearest whole number in the lowest bits.
    const ROUNDER: f32 = 12_582_912.0;
    (value + ROUNDER).to_bits() as i16
}

/// Rows and columns of each block change places.
#[inline(always)]
fn turned(rows: &Rows) -> Rows {
    let mut turned = [[0.0; ACROSS]; 8];
    for block in 0..GROUP {
        for down in 0..8 {
            for across in 0..8 {
                turned[across][block * 8 + down] = rows[down][block * 8 + across];
            }
        }
    }
    turned
}

/// Where the levels of a group's first block stand, whose frequencies across go down, from low to high.
const PLACES: [usize; 64] = {
    let mut places = [0; 64];
    let mut at = 0;
    while at < 64 {
        let (down, across) = (ZIGZAG[at] as usize / 8, ZIGZAG[at] as usize % 8);
        places[at] = across * ACROSS + down;
        at += 1;
    }
    places
};

/// One block of a group.
#[inline(always)]
fn picked(levels: &[i16; ACROSS * 8], block: usize) -> Block {
    let from = &levels[block % GROUP * 8..];
    let mut levels = [0; 64];
    for (level, place) in levels.iter_mut().zip(PLACES) {
        *level = from[place];
    }
    let mut set = 0;
    for (at, level) in levels.iter().enumerate() {
        set |= u64::from(*level != 0) << at;
    }
    Block { levels, set }
}

/// Each column's transform.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "one place of all rows at a time")]
fn transform(rows: &mut Rows) {
    for at in 0..ACROSS {
        let [a, b, c, d] = [rows[0][at], rows[1][at], rows[2][at], rows[3][at]];
        let [e, f, g, h] = [rows[4][at], rows[5][at], rows[6][at], rows[7][at]];
        let (even, odd) = (low([a + h, b + g, c + f, d + e]), high([d - e, c - f, b - g, a - h]));
        for frequency in 0..4 {
            rows[2 * frequency][at] = even[frequency];
            rows[2 * frequency + 1][at] = odd[frequency];
        }
    }
}

/// The even frequencies, of the sums of opposite samples from the outermost to the innermost.
#[inline(always)]
fn low([a, b, c, d]: [f32; 4]) -> [f32; 4] {
    let (outer, inner) = (a + d, b + c);
    let (outer_apart, inner_apart) = (a - d, b - c);
    let turned = (inner_apart + outer_apart) * std::f32::consts::FRAC_1_SQRT_2;
    [outer + inner, outer_apart + turned, outer - inner, outer_apart - turned]
}

/// The odd frequencies, of the differences of opposite samples from the innermost to the outermost.
#[inline(always)]
fn high([a, b, c, d]: [f32; 4]) -> [f32; 4] {
    let (first, second, third) = (a + b, b + c, c + d);
    let shared = (first - third) * 0.382_683_43;
    let (left, right) = (0.541_196_1 * first + shared, 1.306_563 * third + shared);
    let middle = second * std::f32::consts::FRAC_1_SQRT_2;
    let (near, far) = (d + middle, d - middle);
    [near + right, far - left, far + left, near - right]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition (ITU-T T.81, A.3.3).
    fn plain(samples: &[i16; 64], across: usize, down: usize) -> f64 {
        let wave = |at: usize, frequency: usize| {
            ((2 * at + 1) as f64 * frequency as f64 * std::f64::consts::PI / 16.0).cos()
        };
        let scale = |frequency| if frequency == 0 { 0.5f64.sqrt() } else { 1.0 };
        let sum: f64 =
            (0..64).map(|at| f64::from(samples[at]) * wave(at % 8, across) * wave(at / 8, down)).sum();
        sum * scale(across) * scale(down) / 4.0
    }

    #[test]
    fn blocks_are_transformed_as_defined() {
        let mut seed = 1u32;
        let samples: [i16; 64] = std::array::from_fn(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as i16 - 128
        });
        let mut blocks = Vec::new();
        Transform::new(&[3; 64]).add(&samples, 8, &mut blocks);
        assert_eq!(blocks.len(), 1);
        for (at, place) in ZIGZAG.iter().enumerate() {
            let exact = plain(&samples, usize::from(place % 8), usize::from(place / 8)) / 3.0;
            let level = blocks[0].levels[at];
            assert!((f64::from(level) - exact).abs() < 0.501, "{at}: {level}, not {exact}");
            assert_eq!(blocks[0].set >> at & 1 == 1, level != 0);
        }
    }
}
