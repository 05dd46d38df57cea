//! A row of pixels the other way round.

/// `into` becomes `row` with its last pixel first; both are as long.
pub(super) fn mirror(row: &[u8], into: &mut [u8]) {
    crate::simd::widest(
        #[inline(always)]
        || {
            let reversed = row.as_chunks::<3>().0.iter().rev();
            for (pixel, from) in into.as_chunks_mut::<3>().0.iter_mut().zip(reversed) {
                (pixel[0], pixel[1], pixel[2]) = (from[0], from[1], from[2]);
            }
        },
    );
}
