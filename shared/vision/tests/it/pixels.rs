//! Pixel operations against what OpenCV, Pillow and scikit-image make of the same picture.

use millrace_vision::{
    Blur, Equalize, Flip, Frame, Limits, PixelBox, Region, Rotation, Shape, Smoothing, View, blur_regions,
    compare, decode, equalize, smooth,
};
use serde_json::Value;

use crate::{difference, goldens};

/// Theirs are computed in fixed point or in floats of another order: a half may fall to the other side.
const ROUNDING: u8 = 1;

fn golden(name: &str) -> Frame {
    let bytes = std::fs::read(goldens().join("pixels").join(format!("{name}.png"))).unwrap();
    decode(&bytes, &Limits::default()).unwrap()
}

/// Every sample within `tolerance` of the golden's.
fn assert_like(made: &Frame, name: &str, tolerance: u8) {
    let (worst, _) = difference(made, &golden(name));
    assert!(worst <= tolerance, "{name}: {worst} levels apart");
}

#[test]
fn smoothing_is_opencvs_to_the_edge() {
    let source = golden("source");
    for kernel in [3, 7, 15, 31] {
        assert_like(&smooth(&source, Smoothing::Average, kernel), &format!("average_{kernel}"), ROUNDING);
        assert_like(&smooth(&source, Smoothing::Gaussian, kernel), &format!("gaussian_{kernel}"), ROUNDING);
    }
    for kernel in [3, 7, 15] {
        // Whole numbers in, one of them out: nothing to round.
        assert_like(&smooth(&source, Smoothing::Median, kernel), &format!("median_{kernel}"), 0);
    }
    for kernel in [5, 9] {
        assert_like(&smooth(&source, Smoothing::Bilateral, kernel), &format!("bilateral_{kernel}"), ROUNDING);
    }
    assert_eq!(
        smooth(&source, Smoothing::Average, 6),
        smooth(&source, Smoothing::Average, 7),
        "even is the next odd"
    );
}

#[test]
fn contrast_is_evened_as_opencv_does_it() {
    let source = golden("source");
    // One level of luma, times the chroma matrix's rounding.
    assert_like(&equalize(&source, Equalize::Histogram), "equalize_histogram", 2);
    assert_like(&equalize(&source, Equalize::Clahe), "equalize_clahe", 2);
    assert_like(&equalize(&golden("dull"), Equalize::Stretch), "equalize_stretch", ROUNDING);
}

#[test]
fn pictures_turn_as_pillow_turns_them() {
    let source = golden("source");
    let turn = |degrees, expand| {
        Rotation { degrees, expand, flip: Flip::default(), fill: [10, 20, 30] }.paint(&source)
    };
    for (degrees, name) in [(30.0, "30"), (123.5, "123.5")] {
        for (expand, kind) in [(true, "expand"), (false, "keep")] {
            assert_like(&turn(degrees, expand), &format!("rotate_{name}_{kind}"), ROUNDING);
        }
    }
    assert_like(&turn(90.0, true), "rotate_90_expand", 0);
    assert_eq!(turn(360.0, true), source);
}

#[test]
fn regions_are_blurred_by_themselves() {
    let source = golden("source");
    let region = || Region { part: PixelBox { x: 33, y: 21, width: 27, height: 23 }, shape: Shape::Box };
    for (blur, name) in [(Blur::Gaussian(15), "region_gaussian"), (Blur::Box(15), "region_box")] {
        assert_like(&blur_regions(&source, &[region()], blur).unwrap(), name, ROUNDING);
    }
}

#[test]
fn likeness_is_scikit_images() {
    let facts = std::fs::read_to_string(goldens().join("pixels/pixels.json")).unwrap();
    let facts: Value = serde_json::from_str(&facts).unwrap();
    let source = golden("source");
    for name in ["noisy", "gaussian_7"] {
        let compared = compare(&source, &golden(name), View::Ssim).unwrap();
        let expected = facts["ssim"][name].as_f64().unwrap();
        assert!((compared.score - expected).abs() < 1e-9, "{name}: {} ~ {expected}", compared.score);
    }
    let compared = compare(&source, &golden("noisy"), View::Difference).unwrap();
    let expected = facts["difference"]["noisy"].as_f64().unwrap();
    assert!((compared.difference - expected).abs() < 1e-12);
    let part = PixelBox { x: 0, y: 0, width: 6, height: 5 };
    let cut = |frame: &Frame| millrace_vision::crop(frame, part);
    let compared = compare(&cut(&source), &cut(&golden("noisy")), View::Overlay).unwrap();
    assert!((compared.score - facts["ssim"]["small"].as_f64().unwrap()).abs() < 1e-9);
    assert_eq!(compare(&source, &source, View::Ssim).unwrap().score, 1.0);
}
