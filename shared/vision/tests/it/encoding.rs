//! What is written reads back: by our decoder here, by OpenCV and Pillow when the encoder was made.

use millrace_vision::{Encoding, Filter, Frame, Limits, VisionError, decode, encode, resize};
use proptest::prelude::*;

use crate::picture;

fn read_back(frame: &Frame, quality: u8) -> (Frame, usize) {
    let file = encode(frame, Encoding::Jpeg(quality)).unwrap();
    let back = decode(&file, &Limits::default()).unwrap();
    assert_eq!((back.width(), back.height()), (frame.width(), frame.height()));
    (back, file.len())
}

/// Peak signal to noise, decibels.
fn likeness(one: &Frame, other: &Frame) -> f64 {
    let squares = one.pixels().iter().zip(other.pixels()).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
    let mean = squares.sum::<f64>() / one.pixels().len() as f64;
    10.0 * (255.0f64.powi(2) / mean.max(1e-9)).log10()
}

#[test]
fn a_photograph_keeps_as_much_as_opencv_keeps_of_it() {
    let photo = decode(&picture("coffee.jpg"), &Limits::default()).unwrap();
    let photo = resize(&photo, 303, 201, Filter::Area).unwrap();
    // What `cv2.imencode` of OpenCV 5 makes of these pixels, bytes and decibels.
    for (quality, bytes, decibels) in [(50, 8_797, 29.81), (90, 22_247, 36.13), (98, 43_201, 41.57)] {
        let (back, size) = read_back(&photo, quality);
        let likeness = likeness(&photo, &back);
        assert!(likeness > decibels - 0.2, "quality {quality}: {likeness:.2} dB, OpenCV {decibels}");
        assert!(size as f64 <= bytes as f64 * 1.01, "quality {quality}: {size} bytes, OpenCV {bytes}");
    }
}

#[test]
fn the_hardest_contrasts_survive_at_every_quality() {
    // Black and white pixels by turns have the largest levels that there are; so have single lines and dots.
    let by_turns: Vec<u8> = (0..40 * 24).flat_map(|at| [((at + at / 40) % 2 * 255) as u8; 3]).collect();
    let dots: Vec<u8> = (0..40 * 24).flat_map(|at| [if at % 7 == 0 { 255 } else { 0 }, 0, 255]).collect();
    for pixels in [by_turns, dots] {
        let frame = Frame::new(40, 24, pixels).unwrap();
        let mut last = 0.0;
        for quality in [1, 10, 50, 90, 100] {
            let likeness = likeness(&frame, &read_back(&frame, quality).0);
            assert!(likeness > last - 1.0, "quality {quality}: {likeness:.1} dB after {last:.1}");
            last = likeness;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Any size, those that are no whole blocks among them; noise, which no run of zeros is left in.
    #[test]
    fn every_size_reads_back(width in 1u32..70, height in 1u32..70, seed in any::<u32>(), quality in 1u8..=100) {
        let mut state = seed;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // Grey, as colour is halved on purpose.
            [(state >> 24) as u8; 3]
        };
        let pixels = (0..width * height).flat_map(|_| noise()).collect();
        let frame = Frame::new(width, height, pixels).unwrap();
        let (back, _) = read_back(&frame, quality);
        let floor = if quality > 95 { 35.0 } else { 8.0 };
        prop_assert!(likeness(&frame, &back) > floor, "{}", likeness(&frame, &back));
    }
}

#[test]
fn a_side_that_the_format_has_no_room_for_is_refused() {
    let long = Frame::filled(65_536, 1, [0; 3]);
    let refused = encode(&long, Encoding::Jpeg(90)).unwrap_err();
    assert!(matches!(refused, VisionError::Encode { .. }), "{refused}");
    assert!(refused.to_string().contains("65536"), "{refused}");
    assert_eq!(
        decode(&encode(&Frame::filled(65_535, 1, [7; 3]), Encoding::VIEW).unwrap(), &Limits::default())
            .unwrap()
            .width(),
        65_535
    );
}
