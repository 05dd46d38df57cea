//! Decoding against what Pillow and OpenCV read from the same files.

use std::io::Cursor;

use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, LumaA, Rgb, Rgba};
use millrace_vision::{Format, Frame, Limits, decode, decode_over, probe};
use serde_json::Value;

use crate::{goldens, picture};

/// JPEG decoders differ by a few levels in chroma upsampling; the mean hardly moves.
const MEAN_TOLERANCE: f64 = 0.5;
const PIXEL_TOLERANCE: u8 = 5;

#[test]
fn the_golden_pictures_read_as_the_references_read_them() {
    let facts = std::fs::read_to_string(goldens().join("images/images.json")).unwrap();
    let facts: Value = serde_json::from_str(&facts).unwrap();
    for (name, fact) in facts.as_object().unwrap() {
        let bytes = picture(name);
        let size = fact["upright_size_wh"].as_array().unwrap();
        let (width, height) = (size[0].as_u64().unwrap() as u32, size[1].as_u64().unwrap() as u32);
        let header = probe(&bytes, &Limits::default()).unwrap();
        assert_eq!((header.width, header.height), (width, height), "{name}");

        let frame = decode(&bytes, &Limits::default()).unwrap();
        assert_eq!((frame.width(), frame.height()), (width, height), "{name}");
        for channel in 0..3 {
            let mean = mean_of(&frame, channel);
            let expected = fact["rgb_mean"][channel].as_f64().unwrap();
            assert!(
                (mean - expected).abs() < MEAN_TOLERANCE,
                "{name} channel {channel}: {mean} ~ {expected}"
            );
        }
        let corner = frame.pixel(0, 0).unwrap();
        let centre = frame.pixel(width / 2, height / 2).unwrap();
        for (pixel, fact) in [(corner, &fact["rgb_top_left"]), (centre, &fact["rgb_centre"])] {
            for (sample, expected) in pixel.iter().zip(fact.as_array().unwrap()) {
                let expected = expected.as_u64().unwrap() as u8;
                assert!(sample.abs_diff(expected) <= PIXEL_TOLERANCE, "{name}: {pixel:?} ~ {fact}");
            }
        }
    }
}

fn mean_of(frame: &Frame, channel: usize) -> f64 {
    let samples = frame.pixels().iter().skip(channel).step_by(3);
    let count = samples.len() as f64;
    samples.map(|&sample| f64::from(sample)).sum::<f64>() / count
}

fn file(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, format).unwrap();
    file.into_inner()
}

#[test]
fn every_pixel_form_becomes_rgb() {
    let one = |picture: DynamicImage| {
        decode(&file(&picture, ImageFormat::Png), &Limits::default()).unwrap().pixel(0, 0).unwrap()
    };
    // Alpha is dropped, not blended: even a fully transparent pixel keeps its colour.
    let alpha = ImageBuffer::from_pixel(2, 2, Rgba([200u8, 100, 50, 0]));
    assert_eq!(one(DynamicImage::ImageRgba8(alpha)), [200, 100, 50]);
    let grey_alpha = ImageBuffer::from_pixel(2, 2, LumaA([77u8, 3]));
    assert_eq!(one(DynamicImage::ImageLumaA8(grey_alpha)), [77; 3]);
    // Sixteen bits keep their high byte: 0x12ff is 0x12, where rounding would give 0x13.
    let deep = ImageBuffer::from_pixel(2, 2, Rgb([0x12ffu16, 0x8000, 0xffff]));
    assert_eq!(one(DynamicImage::ImageRgb16(deep)), [0x12, 0x80, 0xff]);
    let deep_grey = ImageBuffer::from_pixel(2, 2, Luma([0x7fffu16]));
    assert_eq!(one(DynamicImage::ImageLuma16(deep_grey)), [0x7f; 3]);
}

#[test]
fn every_format_is_told_by_its_content() {
    let picture =
        DynamicImage::ImageRgb8(ImageBuffer::from_fn(9, 6, |x, y| Rgb([x as u8 * 20, y as u8 * 30, 90])));
    let formats = [
        (ImageFormat::Jpeg, Format::Jpeg),
        (ImageFormat::Png, Format::Png),
        (ImageFormat::WebP, Format::WebP),
        (ImageFormat::Gif, Format::Gif),
        (ImageFormat::Tiff, Format::Tiff),
        (ImageFormat::Bmp, Format::Bmp),
    ];
    for (written, expected) in formats {
        let bytes = file(&picture, written);
        let header = probe(&bytes, &Limits::default()).unwrap();
        assert_eq!((header.format, header.width, header.height), (expected, 9, 6));
        let frame = decode(&bytes, &Limits::default()).unwrap();
        assert_eq!((frame.width(), frame.height()), (9, 6), "{expected}");
        let blue = frame.pixel(4, 3).unwrap()[2];
        assert!(blue.abs_diff(90) < 16, "{expected}: {blue}");
    }
}

#[test]
fn every_form_reads_as_pillow_reads_it() {
    let folder = goldens().join("formats");
    let facts: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("formats.json")).unwrap()).unwrap();
    for (name, fact) in facts["pictures"].as_object().unwrap() {
        let bytes = std::fs::read(folder.join(name)).unwrap();
        let frame = decode(&bytes, &Limits::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let size = (fact["size"][0].as_u64().unwrap() as u32, fact["size"][1].as_u64().unwrap() as u32);
        assert_eq!((frame.width(), frame.height()), size, "{name}");
        let header = probe(&bytes, &Limits::default()).unwrap();
        assert_eq!((header.width, header.height), size, "{name}");
        let expected = from_hex(&fact["rgb"]);
        let tolerance = fact["tolerance"].as_u64().unwrap() as u8;
        let worst = frame.pixels().iter().zip(expected).map(|(have, want)| have.abs_diff(want)).max();
        assert!(worst.unwrap() <= tolerance, "{name}: {worst:?} levels off");
    }
}

fn from_hex(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn what_is_transparent_shows_the_background_as_pillow_shows_it() {
    let folder = goldens().join("formats");
    let facts: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("formats.json")).unwrap()).unwrap();
    let ground: [u8; 3] = serde_json::from_value(facts["ground"].clone()).unwrap();
    for (name, expected) in facts["over"].as_object().unwrap() {
        let bytes = std::fs::read(folder.join(name)).unwrap();
        let frame = decode_over(&bytes, &Limits::default(), Some(ground)).unwrap();
        assert_eq!(frame.pixels(), from_hex(expected), "{name}");
        assert_ne!(frame, decode(&bytes, &Limits::default()).unwrap(), "{name} has transparent pixels");
    }
    // Grey with alpha, and 16 bits: half and half.
    let over = |picture: DynamicImage| {
        decode_over(&file(&picture, ImageFormat::Png), &Limits::default(), Some(ground))
            .unwrap()
            .pixel(0, 0)
            .unwrap()
    };
    let grey = ImageBuffer::from_pixel(2, 2, LumaA([100u8, 128]));
    assert_eq!(over(DynamicImage::ImageLumaA8(grey)), [66, 98, 146]);
    let deep = ImageBuffer::from_pixel(2, 2, Rgba([0x64ff_u16, 0x64ff, 0x64ff, 0x80ff]));
    assert_eq!(over(DynamicImage::ImageRgba16(deep)), [66, 98, 146]);
    // What has no alpha stays as it is.
    let photo = picture("coffee.jpg");
    assert_eq!(decode_over(&photo, &Limits::default(), Some(ground)), decode(&photo, &Limits::default()));
}

#[test]
fn a_cmyk_jpeg_becomes_rgb() {
    // 16 × 16, pure red, written by Pillow from mode CMYK (inverted, Adobe marker, as Photoshop writes them).
    let bytes = std::fs::read(goldens().join("images/red_cmyk.jpg")).unwrap();
    let [red, green, blue] = decode(&bytes, &Limits::default()).unwrap().pixel(8, 8).unwrap();
    assert!(red > 220 && green < 40 && blue < 40, "{red} {green} {blue}");
}
