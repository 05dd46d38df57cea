//! Medians of 3 × 3 and 5 × 5 by sorting networks: compare and exchange without a branch, a stretch of samples at a time.
//! The columns are sorted once and serve every window that they are part of.

use super::border::{padded_row, repeated};
use crate::Frame;
use crate::simd::widest;

/// Samples that go through a network together: a window of them fits the processor's nearest cache.
const STRETCH: usize = 256;
type Samples = [u8; STRETCH];
/// Places whose values are exchanged where the first is the greater.
type Pairs = Vec<(usize, usize)>;

const SORT_3: [(usize, usize); 3] = [(0, 1), (1, 2), (0, 1)];
const SORT_5: [(usize, usize); 9] = [(0, 3), (1, 4), (0, 2), (1, 3), (0, 1), (2, 4), (1, 2), (3, 4), (2, 3)];

pub(super) fn median_of_3(frame: &Frame) -> Frame {
    let mut pairs = of_ranks(3, &SORT_3);
    // In sorted columns the median is that of the largest low, the middle one of the middles, and the smallest high.
    let [low, middle, high] = [2, 4, 6];
    pairs.extend([(low, middle), (middle, high), (low, middle)]);
    widest(|| filtered::<3, 9>(frame, &SORT_3, &pairs, middle))
}

pub(super) fn median_of_5(frame: &Frame) -> Frame {
    let mut pairs = of_ranks(5, &SORT_5);
    // With columns and ranks sorted, place (rank, column) has (rank + 1) · (column + 1) samples up to it, itself included,
    // and as many from it on as the mirrored place: of 25, only these 13 can be the thirteenth, and six of the others
    // lie on each side of it.
    let middle = middle_of_13([3, 4, 7, 8, 9, 11, 12, 13, 15, 16, 17, 20, 21], &mut pairs);
    widest(|| filtered::<5, 25>(frame, &SORT_5, &pairs, middle))
}

/// Sorts each rank of a window whose place (rank, column) is number rank · `side` + column.
fn of_ranks(side: usize, sort: &[(usize, usize)]) -> Pairs {
    (0..side).flat_map(|rank| sort.iter().map(move |(a, b)| (rank * side + a, rank * side + b))).collect()
}

/// By forgetting: of eight values neither the least nor the greatest can be the median of thirteen. Both are dropped and
/// the next value is taken in, and so on, until three are left. Gives the place where the median ends up.
fn middle_of_13(places: [usize; 13], pairs: &mut Pairs) -> usize {
    /// The least goes to the first place in use, the greatest to the last.
    const ROUNDS: [&[(usize, usize)]; 6] = [
        &[(0, 1), (2, 3), (4, 5), (6, 7), (0, 2), (4, 6), (0, 4), (1, 3), (5, 7), (3, 7)],
        &[(1, 2), (3, 4), (5, 6), (1, 3), (5, 7), (1, 5), (2, 4), (4, 7), (6, 7)],
        &[(2, 3), (4, 5), (6, 7), (2, 4), (2, 6), (5, 7), (3, 7)],
        &[(3, 4), (5, 6), (3, 5), (3, 7), (4, 6), (6, 7)],
        &[(4, 5), (6, 7), (4, 6), (5, 7)],
        &[(5, 6), (6, 7), (5, 6)],
    ];
    let (mut used, mut waiting) = (places, places[8..].iter());
    for round in ROUNDS {
        pairs.extend(round.iter().map(|&(a, b)| (used[a], used[b])));
        used[7] = waiting.next().copied().unwrap_or(used[7]);
    }
    used[6]
}

/// `sort` sorts a column; `pairs` then bring the median of a window to place `middle`.
#[inline(always)]
fn filtered<const SIDE: usize, const PLACES: usize>(
    frame: &Frame,
    sort: &[(usize, usize)],
    pairs: &[(usize, usize)],
    middle: usize,
) -> Frame {
    let (samples, height) = (frame.width() as usize * 3, frame.height() as usize);
    let radius = SIDE / 2;
    // Whole stretches everywhere: what is computed behind a row's end is not looked at.
    let stretches = samples.div_ceil(STRETCH);
    let length = stretches * STRETCH + 2 * radius * 3;
    let mut rows: [Vec<u8>; SIDE] = std::array::from_fn(|_| Vec::with_capacity(length));
    let mut window: [Samples; PLACES] = [[0; STRETCH]; PLACES];
    let mut pixels = Vec::with_capacity(stretches * STRETCH + samples * height);
    for y in 0..height {
        let source = |at: usize| repeated((y + at) as isize - radius as isize, height) as u32;
        for (at, row) in rows.iter_mut().enumerate() {
            padded_row(frame.row(source(at)), radius, repeated, row);
            row.resize(length, 0);
        }
        for &(a, b) in sort {
            let [low, high] = rows.get_disjoint_mut([a, b]).expect("a pair is of two places");
            exchange(low, high);
        }
        for start in (0..stretches).map(|stretch| stretch * STRETCH) {
            for (place, values) in window.iter_mut().enumerate() {
                let from = start + place % SIDE * 3;
                values.copy_from_slice(&rows[place / SIDE][from..from + STRETCH]);
            }
            for &(a, b) in pairs {
                let [low, high] = window.get_disjoint_mut([a, b]).expect("a pair is of two places");
                exchange(low, high);
            }
            pixels.extend_from_slice(&window[middle]);
        }
        pixels.truncate((y + 1) * samples);
    }
    Frame::new(frame.width(), frame.height(), pixels).expect("a median for every sample")
}

#[inline(always)]
fn exchange(low: &mut [u8], high: &mut [u8]) {
    for (low, high) in low.iter_mut().zip(high) {
        (*low, *high) = ((*low).min(*high), (*low).max(*high));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A network that handles every arrangement of zeros and ones handles every arrangement (Knuth, 5.3.4).
    #[test]
    fn the_middle_of_thirteen_is_right_for_zeros_and_ones() {
        let mut pairs = Pairs::new();
        let middle = middle_of_13(std::array::from_fn(|place| place), &mut pairs);
        for arrangement in 0u32..1 << 13 {
            let mut values: [u32; 13] = std::array::from_fn(|place| arrangement >> place & 1);
            for &(a, b) in &pairs {
                (values[a], values[b]) = (values[a].min(values[b]), values[a].max(values[b]));
            }
            assert_eq!(values[middle], u32::from(arrangement.count_ones() > 6), "{arrangement:013b}");
        }
    }
}
