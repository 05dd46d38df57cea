//! Medians of 3 × 3 and 5 × 5 by sorting networks: compare and exchange without a branch, many samples at a time. The
//! networks are written out, so that their values stay in registers and what nobody asks for is not computed.

use super::border::{padded_row, repeated};
use crate::Frame;
use crate::simd::widest;

/// Samples that are worked on at once: their sorted columns stay in the processor's nearest cache.
const STRETCH: usize = 512;
/// Columns that a stretch looks at: those of two pixels more on both sides.
const WIDE: usize = STRETCH + 4 * 3;

/// Exchanges the values of each pair where the first is the greater.
macro_rules! exchange {
    ($values:ident: $($low:literal $high:literal),+) => {
        $(($values[$low], $values[$high]) =
            ($values[$low].min($values[$high]), $values[$low].max($values[$high]));)+
    };
}

pub(super) fn median_of_3(frame: &Frame) -> Frame {
    widest(
        #[inline(always)]
        || filtered::<3>(frame, sorted_3, middle_of_9),
    )
}

pub(super) fn median_of_5(frame: &Frame) -> Frame {
    widest(
        #[inline(always)]
        || filtered::<5>(frame, sorted_5, middle_of_25),
    )
}

#[inline(always)]
fn sorted_3(mut values: [u8; 3]) -> [u8; 3] {
    exchange!(values: 0 1, 1 2, 0 1);
    values
}

#[inline(always)]
fn sorted_5(mut values: [u8; 5]) -> [u8; 5] {
    exchange!(values: 0 3, 1 4, 0 2, 1 3, 0 1, 2 4, 1 2, 3 4, 2 3);
    values
}

/// Of three sorted columns, given by rank, it is the middle one of the largest low, the middle one of the middles, and
/// the smallest high.
#[inline(always)]
fn middle_of_9([low, middle, high]: [[u8; 3]; 3]) -> u8 {
    sorted_3([sorted_3(low)[2], sorted_3(middle)[1], sorted_3(high)[0]])[1]
}

/// Of five sorted columns, given by rank. With the ranks sorted as well, place (rank, column) has (rank + 1) · (column + 1)
/// samples up to it, itself included, and as many from it on as the mirrored place: of 25, only 13 can be the
/// thirteenth, and six of the others lie on each side of it.
#[inline(always)]
fn middle_of_25(ranks: [[u8; 5]; 5]) -> u8 {
    let [lowest, low, middle, high, highest] = ranks;
    let [_, _, _, a, b] = sorted_5(lowest);
    let [_, _, c, d, e] = sorted_5(low);
    let [_, f, g, h, _] = sorted_5(middle);
    let [i, j, k, _, _] = sorted_5(high);
    let [l, m, _, _, _] = sorted_5(highest);
    middle_of_13([a, b, c, d, e, f, g, h, i, j, k, l, m])
}

/// By forgetting: of eight values neither the least nor the greatest can be the median of thirteen. Both are dropped, the
/// least in the first place in use and the greatest in the last, the next value is taken in, and so on, until
/// three are left.
#[inline(always)]
fn middle_of_13([a, b, c, d, e, f, g, h, rest @ ..]: [u8; 13]) -> u8 {
    let mut used = [a, b, c, d, e, f, g, h];
    exchange!(used: 0 1, 2 3, 4 5, 6 7, 0 2, 4 6, 0 4, 1 3, 5 7, 3 7);
    used[7] = rest[0];
    exchange!(used: 1 2, 3 4, 5 6, 1 3, 5 7, 1 5, 2 4, 4 7, 6 7);
    used[7] = rest[1];
    exchange!(used: 2 3, 4 5, 6 7, 2 4, 2 6, 5 7, 3 7);
    used[7] = rest[2];
    exchange!(used: 3 4, 5 6, 3 5, 3 7, 4 6, 6 7);
    used[7] = rest[3];
    exchange!(used: 4 5, 6 7, 4 6, 5 7);
    used[7] = rest[4];
    exchange!(used: 5 6, 6 7, 5 6);
    used[6]
}

/// `sorted` sorts a column; `middle` finds the median of a window of sorted columns, given by rank.
#[inline(always)]
fn filtered<const SIDE: usize>(
    frame: &Frame,
    sorted: impl Fn([u8; SIDE]) -> [u8; SIDE] + Copy,
    middle: impl Fn([[u8; SIDE]; SIDE]) -> u8 + Copy,
) -> Frame {
    let (samples, height) = (frame.width() as usize * 3, frame.height() as usize);
    let radius = SIDE / 2;
    // Whole stretches everywhere: what is computed behind a row's end is not looked at.
    let stretches = samples.div_ceil(STRETCH);
    let mut rows = vec![Vec::new(); SIDE];
    let mut pixels = Vec::with_capacity(stretches * STRETCH + samples * height);
    for y in 0..height {
        for (at, row) in rows.iter_mut().enumerate() {
            let source = repeated((y + at) as isize - radius as isize, height) as u32;
            padded_row(frame.row(source), radius, repeated, row);
            row.resize(stretches * STRETCH + WIDE - STRETCH, 0);
        }
        for start in (0..stretches).map(|stretch| stretch * STRETCH) {
            let part = |at: usize| rows[at][start..].first_chunk().expect("rows are whole stretches long");
            pixels.extend_from_slice(&medians::<SIDE>(std::array::from_fn(part), sorted, middle));
        }
        pixels.truncate((y + 1) * samples);
    }
    Frame::new(frame.width(), frame.height(), pixels).expect("a median for every sample")
}

/// The medians of a stretch.
#[inline(always)]
fn medians<const SIDE: usize>(
    rows: [&[u8; WIDE]; SIDE],
    sorted: impl Fn([u8; SIDE]) -> [u8; SIDE] + Copy,
    middle: impl Fn([[u8; SIDE]; SIDE]) -> u8 + Copy,
) -> [u8; STRETCH] {
    // Plain loops: what goes through `map` or `from_fn` is not always inlined, and then not compiled for vectors.
    let mut columns = [[0; WIDE]; SIDE];
    for at in 0..WIDE {
        let mut column = [0; SIDE];
        for (value, row) in column.iter_mut().zip(&rows) {
            *value = row[at];
        }
        for (rank, value) in columns.iter_mut().zip(sorted(column)) {
            rank[at] = value;
        }
    }
    let mut medians = [0; STRETCH];
    for (at, median) in medians.iter_mut().enumerate() {
        let mut window = [[0; SIDE]; SIDE];
        for (values, rank) in window.iter_mut().zip(&columns) {
            for (column, value) in values.iter_mut().enumerate() {
                *value = rank[at + column * 3];
            }
        }
        *median = middle(window);
    }
    medians
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A network that handles every arrangement of zeros and ones handles every arrangement (Knuth, 5.3.4).
    #[test]
    fn the_middle_of_thirteen_is_right_for_zeros_and_ones() {
        for arrangement in 0u16..1 << 13 {
            let values = std::array::from_fn(|place| (arrangement >> place & 1) as u8);
            assert_eq!(middle_of_13(values), u8::from(arrangement.count_ones() > 6), "{arrangement:013b}");
        }
    }
}
