//! Thirty-two rows turned, so that samples under each other stand beside each other, and back, on processors that shuffle
//! the bytes of a vector.

/// Rows that are turned at once.
pub(super) const ROWS: usize = 32;
/// Columns that are turned at once: a square of bytes for each half of the rows.
pub(super) const COLUMNS: usize = ROWS / 2;

/// The samples of a column.
pub(super) type Column = [u8; ROWS];

pub(super) use shuffled::Turner;

#[cfg(target_arch = "x86_64")]
mod shuffled {
    use std::arch::x86_64::__m256i;

    use pulp::x86::V3;

    use super::{COLUMNS, Column, ROWS};
    use crate::simd::widest;

    /// A piece of each row.
    type Pieces = [[u8; COLUMNS]; ROWS];

    /// Leave to shuffle.
    #[derive(Clone, Copy)]
    pub(in crate::pillow) struct Turner(V3);

    impl Turner {
        /// None where the processor cannot.
        pub(in crate::pillow) fn new() -> Option<Self> {
            V3::try_new().map(Self)
        }

        /// The columns of rows of equal length; there is room for them, rounded up to whole squares.
        pub(in crate::pillow) fn columns(self, rows: &[&[u8]; ROWS], columns: &mut [Column]) {
            widest(
                #[inline(always)]
                || {
                    let mut pieces = [[0; COLUMNS]; ROWS];
                    let (whole, rest) = columns.split_at_mut(rows[0].len() / COLUMNS * COLUMNS);
                    for (number, square) in whole.as_chunks_mut().0.iter_mut().enumerate() {
                        for (piece, row) in pieces.iter_mut().zip(rows) {
                            *piece = row.as_chunks().0[number];
                        }
                        self.to_columns(&pieces, square);
                    }
                    if let Some(square) = rest.first_chunk_mut() {
                        for (piece, row) in pieces.iter_mut().zip(rows) {
                            let rest = row.as_chunks::<COLUMNS>().1;
                            piece[..rest.len()].copy_from_slice(rest);
                        }
                        self.to_columns(&pieces, square);
                    }
                },
            );
        }

        /// The way back, to rows of equal length; there are as many columns as are written, rounded up to whole squares.
        pub(in crate::pillow) fn rows<'a>(
            self,
            columns: &[Column],
            rows: impl Iterator<Item = &'a mut [u8]>,
        ) {
            let mut rows: Vec<_> = rows.map(|row| row.as_chunks_mut::<COLUMNS>()).collect();
            widest(
                #[inline(always)]
                || {
                    let mut pieces = [[0; COLUMNS]; ROWS];
                    for (number, square) in columns.as_chunks().0.iter().enumerate() {
                        self.to_pieces(square, &mut pieces);
                        for ((whole, rest), piece) in rows.iter_mut().zip(&pieces) {
                            match whole.get_mut(number) {
                                Some(whole) => *whole = *piece,
                                None => rest.copy_from_slice(&piece[..rest.len()]),
                            }
                        }
                    }
                },
            );
        }

        #[inline(always)]
        fn to_columns(self, pieces: &Pieces, columns: &mut [Column; COLUMNS]) {
            let mut lines = self.nothing();
            for (row, line) in lines.iter_mut().enumerate() {
                let (upper, lower) = (pulp::cast(pieces[row]), pulp::cast(pieces[row + COLUMNS]));
                *line = self.0.avx._mm256_set_m128i(lower, upper);
            }
            self.turn(&mut lines);
            for (column, line) in columns.iter_mut().zip(lines) {
                *column = pulp::cast(line);
            }
        }

        #[inline(always)]
        fn to_pieces(self, columns: &[Column; COLUMNS], pieces: &mut Pieces) {
            let mut lines = self.nothing();
            for (line, column) in lines.iter_mut().zip(columns) {
                *line = pulp::cast(*column);
            }
            self.turn(&mut lines);
            for (row, line) in lines.into_iter().enumerate() {
                pieces[row] = pulp::cast(self.0.avx._mm256_castsi256_si128(line));
                pieces[row + COLUMNS] = pulp::cast(self.0.avx2._mm256_extracti128_si256::<1>(line));
            }
        }

        /// Turns a square in either half of the lines. Each round puts the first lines between the last ones: the number of a
        /// sample, its line before its column, is rotated by a bit, and after four rounds the two have changed places.
        #[inline(always)]
        fn turn(self, lines: &mut [__m256i; COLUMNS]) {
            for _ in 0..COLUMNS.ilog2() {
                let before = *lines;
                for (at, pair) in lines.as_chunks_mut::<2>().0.iter_mut().enumerate() {
                    let (one, other) = (before[at], before[at + COLUMNS / 2]);
                    pair[0] = self.0.avx2._mm256_unpacklo_epi8(one, other);
                    pair[1] = self.0.avx2._mm256_unpackhi_epi8(one, other);
                }
            }
        }

        #[inline(always)]
        fn nothing(self) -> [__m256i; COLUMNS] {
            [self.0.avx._mm256_setzero_si256(); COLUMNS]
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod shuffled {
    use super::{Column, ROWS};

    /// There is none.
    #[derive(Clone, Copy)]
    pub(in crate::pillow) enum Turner {}

    impl Turner {
        pub(in crate::pillow) fn new() -> Option<Self> {
            None
        }

        pub(in crate::pillow) fn columns(self, _: &[&[u8]; ROWS], _: &mut [Column]) {
            match self {}
        }

        pub(in crate::pillow) fn rows<'a>(self, _: &[Column], _: impl Iterator<Item = &'a mut [u8]>) {
            match self {}
        }
    }
}
