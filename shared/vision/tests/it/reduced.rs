//! Decoding at less than a picture's own size, against what libjpeg-turbo decodes and what the whole picture comes to.

use millrace_vision::{
    Encoding, Filter, Frame, Limits, PixelBox, Reduction, VisionError, crop, decode, decode_reduced, encode,
    resize,
};

use crate::{difference, goldens};

const REDUCTIONS: [Reduction; 3] = [Reduction::Half, Reduction::Quarter, Reduction::Eighth];
/// Levels. We round before the mean is taken and once more afterwards, libjpeg once.
const MEAN_TOLERANCE: f64 = 0.5;
const PIXEL_TOLERANCE: u8 = 4;
/// Levels, to the mean of the whole picture: its chroma was made smooth between the samples, and its colours cut off at 0 and 255.
const WHOLE_MEAN_TOLERANCE: f64 = 2.5;

fn golden(name: &str) -> Vec<u8> {
    std::fs::read(goldens().join("reduced").join(name)).unwrap()
}

fn reduced(bytes: &[u8], reduction: Reduction) -> Frame {
    decode_reduced(bytes, &Limits::default(), None, reduction).unwrap()
}

/// So many pixels from the upper left.
fn corner(frame: &Frame, (width, height): (u32, u32)) -> Frame {
    crop(frame, PixelBox { x: 0, y: 0, width, height })
}

#[test]
fn every_form_of_jpeg_reads_as_libjpeg_reads_it() {
    for form in ["444", "420", "420_progressive", "420_restarts", "grey", "cmyk"] {
        for reduction in REDUCTIONS {
            let expected = golden(&format!("{form}_{}.png", reduction.factor()));
            let expected = decode(&expected, &Limits::default()).unwrap();
            let found = reduced(&golden(&format!("{form}.jpg")), reduction);
            let (most, mean) = difference(&found, &expected);
            assert!(
                most <= PIXEL_TOLERANCE && mean <= MEAN_TOLERANCE,
                "{form} {reduction:?}: {most}, {mean}"
            );
        }
    }
}

/// Chroma of half the width is where libjpeg gives away resolution that is there: it is held against the whole picture instead.
#[test]
fn a_pixel_is_the_mean_of_those_it_stands_for() {
    for form in ["444", "422", "420", "grey", "cmyk"] {
        let bytes = golden(&format!("{form}.jpg"));
        let whole = corner(&decode(&bytes, &Limits::default()).unwrap(), (56, 40));
        for reduction in REDUCTIONS {
            let size = (56 / reduction.factor(), 40 / reduction.factor());
            let expected = resize(&whole, size.0, size.1, Filter::Area).unwrap();
            let (most, mean) = difference(&corner(&reduced(&bytes, reduction), size), &expected);
            assert!(mean <= WHOLE_MEAN_TOLERANCE, "{form} {reduction:?}: {most}, {mean}");
        }
    }
}

#[test]
fn what_is_no_jpeg_is_reduced_after_it_was_decoded() {
    let pixels = (0..17 * 9).flat_map(|n: u32| [(n % 251) as u8, (n % 17) as u8 * 15, 9]).collect();
    let frame = Frame::new(17, 9, pixels).unwrap();
    let png = encode(&frame, Encoding::Png).unwrap();
    for reduction in REDUCTIONS {
        let factor = reduction.factor();
        let found = reduced(&png, reduction);
        assert_eq!((found.width(), found.height()), (reduction.of(17), reduction.of(9)));
        for (x, y) in [(0, 0), (found.width() - 1, found.height() - 1)] {
            let stands_for =
                crop(&frame, PixelBox { x: x * factor, y: y * factor, width: factor, height: factor });
            let mean = resize(&stands_for, 1, 1, Filter::Area).unwrap();
            let (ours, theirs) = (found.pixel(x, y).unwrap(), mean.pixel(0, 0).unwrap());
            assert!(
                ours.iter().zip(theirs).all(|(a, b)| a.abs_diff(b) <= 1),
                "{reduction:?}: {ours:?} ~ {theirs:?}"
            );
        }
    }
}

#[test]
fn a_picture_that_is_stored_turned_is_reduced_and_turned() {
    for orientation in 1..=8 {
        let bytes = std::fs::read(goldens().join(format!("formats/orientation_{orientation}.jpg"))).unwrap();
        let whole = decode(&bytes, &Limits::default()).unwrap();
        let half = reduced(&bytes, Reduction::Half);
        let expected = resize(&whole, whole.width() / 2, whole.height() / 2, Filter::Area).unwrap();
        let (most, mean) = difference(&half, &expected);
        assert!(mean <= WHOLE_MEAN_TOLERANCE, "{orientation}: {most}, {mean}");
    }
}

#[test]
fn broken_files_are_refused_as_whole_ones_are() {
    let bytes = golden("420.jpg");
    for reduction in REDUCTIONS {
        for length in 0..bytes.len() {
            let refused = decode_reduced(&bytes[..length], &Limits::default(), None, reduction);
            assert!(refused.is_err(), "{length}");
        }
        let limits = Limits { max_pixels: 63 * 45 - 1, ..Limits::default() };
        let refused = decode_reduced(&bytes, &limits, None, reduction).unwrap_err();
        assert!(matches!(refused, VisionError::TooManyPixels { .. }), "{refused}");
    }
}
