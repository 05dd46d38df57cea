//! Scaling against Pillow, bit for bit.

use millrace_vision::{Frame, PixelBox, Resample, pillow_resize, pillow_rows};
use serde_json::Value;

fn noise(width: u32, height: u32) -> Frame {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let pixels = (0..width * height * 3).map(|_| next()).collect();
    Frame::new(width, height, pixels).unwrap()
}

fn fnv1a(data: &[u8]) -> String {
    let hash = data
        .iter()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    format!("{hash:016x}")
}

#[test]
fn every_filter_equals_pillows_to_the_bit() {
    let path = crate::goldens().join("pillow/resize.json");
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    let wrong: Vec<&Value> = cases
        .iter()
        .filter(|case| {
            let number = |at: usize| case[at].as_u64().unwrap() as u32;
            let frame = noise(number(1), number(2));
            let resample = Resample::from_code(case[0].as_u64().unwrap()).unwrap();
            let made = pillow_resize(&frame, (number(3), number(4)), resample).unwrap();
            assert_eq!((made.width(), made.height()), (number(3), number(4)));
            fnv1a(made.pixels()) != case[5].as_str().unwrap()
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} differ: {wrong:#?}", wrong.len(), cases.len());
    assert!(cases.len() >= 200);
}

#[test]
fn a_window_shows_what_the_whole_has_there() {
    let frame = noise(97, 61);
    for code in 0..6 {
        let resample = Resample::from_code(code).unwrap();
        for size in [(40, 30), (97, 30), (40, 61), (97, 61), (150, 140)] {
            let whole = pillow_resize(&frame, size, resample).unwrap();
            let window = PixelBox { x: 5, y: 7, width: 20, height: 999 };
            let mut shown = Vec::new();
            pillow_rows(&frame, size, resample, window, |row| shown.push(row.to_vec())).unwrap();
            assert_eq!(shown.len() as u32, size.1 - 7);
            for (row, y) in shown.iter().zip(7..) {
                let expected: Vec<u8> = (5..25).flat_map(|x| whole.pixel(x, y).unwrap()).collect();
                assert_eq!(*row, expected, "{resample:?} {size:?} row {y}");
            }
        }
    }
}

#[test]
fn nothing_can_be_made_of_nothing() {
    let nothing = Frame::filled(0, 5, [0; 3]);
    assert!(pillow_resize(&nothing, (3, 3), Resample::Bicubic).is_err());
    assert!(pillow_resize(&nothing, (0, 5), Resample::Bicubic).unwrap().is_empty());
    assert!(pillow_resize(&Frame::filled(4, 4, [9; 3]), (0, 9), Resample::Box).unwrap().is_empty());
    assert_eq!(Resample::from_code(6), None);
}
