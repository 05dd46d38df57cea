/*
 * Copyright (c) 2023.
 *
 * This software is free software;
 *
 * You can redistribute it or modify it under terms of the MIT, Apache License or Zlib license
 */

// Changed for Millrace: the roundings of libjpeg's and libjpeg-turbo's "fancy upsampling" (jdsample.c:
// h2v1_fancy_upsample, h1v2_fancy_upsample, h2v2_fancy_upsample), to the bit. They alternate, so that nothing drifts, and
// the two-dimensional one rounds once, at the end.

pub fn upsample_horizontal(
    input: &[i16], _ref: &[i16], _in_near: &[i16], _scratch: &mut [i16], output: &mut [i16]
) {
    assert_eq!(
        input.len() * 2,
        output.len(),
        "Input length is not half the size of the output length"
    );
    let (Some(first), Some(last)) = (input.first(), input.last()) else {
        return;
    };
    let end = output.len() - 1;
    output[0] = *first;
    output[end] = *last;
    // Every pair of neighbours gives the two samples between their centres.
    for (out, pair) in output[1..end].chunks_exact_mut(2).zip(input.windows(2)) {
        out[0] = (3 * pair[0] + pair[1] + 2) >> 2;
        out[1] = (3 * pair[1] + pair[0] + 1) >> 2;
    }
}

pub fn upsample_vertical(
    input: &[i16], in_near: &[i16], in_far: &[i16], _scratch_space: &mut [i16], output: &mut [i16]
) {
    assert_eq!(input.len() * 2, output.len());
    assert_eq!(in_near.len(), input.len());
    assert_eq!(in_far.len(), input.len());

    let (out_top, out_bottom) = output.split_at_mut(input.len());
    // The row above leans on the row before, the row below on the row after.
    for ((this, other), out) in input.iter().zip(in_near).zip(out_top) {
        *out = (3 * this + other + 1) >> 2;
    }
    for ((this, other), out) in input.iter().zip(in_far).zip(out_bottom) {
        *out = (3 * this + other + 2) >> 2;
    }
}

pub fn upsample_hv(
    input: &[i16], in_near: &[i16], in_far: &[i16], scratch_space: &mut [i16], output: &mut [i16]
) {
    assert_eq!(input.len() * 4, output.len());
    assert_eq!(in_near.len(), input.len());
    assert_eq!(in_far.len(), input.len());
    if input.is_empty() {
        return;
    }
    // Sums of a column: three of this row and one of its neighbour, at most 4 * 255.
    let sums = &mut scratch_space[..input.len()];
    let (top, bottom) = output.split_at_mut(input.len() * 2);
    for (neighbour, out) in [(in_near, top), (in_far, bottom)] {
        for ((sum, this), other) in sums.iter_mut().zip(input).zip(neighbour) {
            *sum = 3 * this + other;
        }
        let end = out.len() - 1;
        out[0] = (4 * sums[0] + 8) >> 4;
        out[end] = (4 * sums[sums.len() - 1] + 7) >> 4;
        for (out, pair) in out[1..end].chunks_exact_mut(2).zip(sums.windows(2)) {
            out[0] = (3 * pair[0] + pair[1] + 7) >> 4;
            out[1] = (3 * pair[1] + pair[0] + 8) >> 4;
        }
    }
}

pub fn upsample_generic(
    input: &[i16], _in_near: &[i16], _in_far: &[i16], _scratch_space: &mut [i16],
    output: &mut [i16]
) {
    // use nearest sample
    let difference = output.len() / input.len();
    if difference > 0 {
        // nearest neighbour
        for (input, chunk_output) in input.iter().zip(output.chunks_exact_mut(difference)) {
            chunk_output.iter_mut().for_each(|x| *x = *input);
        }
    }
}
