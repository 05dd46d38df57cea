//! Four by four pixels turned at once, on processors that shuffle the bytes of a vector.

/// Four pixels, bytes.
const FOUR: usize = 12;
/// A vector, bytes: five pixels and a third.
const VECTOR: usize = 16;

pub(super) use shuffled::Quads;

/// Source pixels in a row, from the first of a quad on, that a quad reads.
pub(super) const READS: usize = VECTOR.div_ceil(3);

#[cfg(target_arch = "x86_64")]
mod shuffled {
    use pulp::x86::V3;

    use super::{FOUR, VECTOR};

    /// Three bytes to four, and back.
    const SPREAD: [u8; VECTOR] = [0, 1, 2, 255, 3, 4, 5, 255, 6, 7, 8, 255, 9, 10, 11, 255];
    const PACK: [u8; VECTOR] = [0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 255, 255, 255, 255];

    /// Leave to shuffle.
    #[derive(Clone, Copy)]
    pub(in crate::rotate) struct Quads(V3);

    impl Quads {
        /// None where the processor cannot.
        pub(in crate::rotate) fn new() -> Option<Self> {
            V3::try_new().map(Self)
        }

        /// Fills four rows, as far as there are four places, with four columns of `samples`: those that begin at `start` and
        /// the three pixels beside it, their next pixels `step` bytes on.
        pub(in crate::rotate) fn turn(self, samples: &[u8], start: usize, step: isize, rows: [&mut [u8]; 4]) {
            let simd = self.0;
            simd.vectorize(
                #[inline(always)]
                || {
                    let mut at = start;
                    let mut load = || {
                        let pixels: &[u8; VECTOR] = samples[at..].first_chunk().expect("a quad lies inside");
                        at = at.wrapping_add_signed(step);
                        simd.ssse3._mm_shuffle_epi8(pulp::cast(*pixels), pulp::cast(SPREAD))
                    };
                    let [first, second, third, fourth] = rows.map(|row| row.as_chunks_mut::<FOUR>().0);
                    for (((first, second), third), fourth) in
                        first.iter_mut().zip(second).zip(third).zip(fourth)
                    {
                        let (a, b, c, d) = (load(), load(), load(), load());
                        let low = (simd.sse2._mm_unpacklo_epi32(a, b), simd.sse2._mm_unpacklo_epi32(c, d));
                        let high = (simd.sse2._mm_unpackhi_epi32(a, b), simd.sse2._mm_unpackhi_epi32(c, d));
                        let turned = [
                            (first, simd.sse2._mm_unpacklo_epi64(low.0, low.1)),
                            (second, simd.sse2._mm_unpackhi_epi64(low.0, low.1)),
                            (third, simd.sse2._mm_unpacklo_epi64(high.0, high.1)),
                            (fourth, simd.sse2._mm_unpackhi_epi64(high.0, high.1)),
                        ];
                        for (place, pixels) in turned {
                            let packed: [u8; VECTOR] =
                                pulp::cast(simd.ssse3._mm_shuffle_epi8(pixels, pulp::cast(PACK)));
                            place.copy_from_slice(&packed[..FOUR]);
                        }
                    }
                },
            );
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod shuffled {
    /// There is none.
    #[derive(Clone, Copy)]
    pub(in crate::rotate) enum Quads {}

    impl Quads {
        pub(in crate::rotate) fn new() -> Option<Self> {
            None
        }

        pub(in crate::rotate) fn turn(self, _: &[u8], _: usize, _: isize, _: [&mut [u8]; 4]) {
            match self {}
        }
    }
}
