//! Bytes that were not made to be decoded.

use std::time::{Duration, Instant};

use millrace_vision::{Format, Limits, Reduction, VisionError, decode, decode_reduced, probe};
use proptest::prelude::*;

use crate::picture;

/// The header of a PNG of this size, correct down to its checksum, and nothing after it.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut chunk = b"IHDR".to_vec();
    chunk.extend(width.to_be_bytes());
    chunk.extend(height.to_be_bytes());
    chunk.extend([8, 2, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    file.extend(13u32.to_be_bytes());
    file.extend(&chunk);
    file.extend(crc32(&chunk).to_be_bytes());
    // The beginning of a data chunk, as a real bomb has.
    file.extend([0, 0, 0, 4]);
    file.extend(b"IDAT");
    file
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

/// Most memory this process ever had, KiB.
fn peak_memory_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_bomb_is_refused_by_its_header_and_costs_nothing() {
    let bomb = png_header(20_000, 20_000);
    let (before, begun) = (peak_memory_kib(), Instant::now());
    for _ in 0..10 {
        let refused = decode(&bomb, &Limits::default()).unwrap_err();
        assert!(
            matches!(refused, VisionError::TooManyPixels { width: 20_000, height: 20_000, .. }),
            "{refused}"
        );
    }
    // 1.2 GB each would be needed to decode it.
    assert!(peak_memory_kib() - before < 16 * 1024);
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[test]
fn limits_are_settings() {
    let photo = picture("coffee.jpg");
    let pixels = Limits { max_pixels: 480 * 320 - 1, ..Limits::default() };
    assert!(matches!(decode(&photo, &pixels), Err(VisionError::TooManyPixels { .. })));
    let exactly = Limits { max_pixels: 480 * 320, ..Limits::default() };
    assert!(decode(&photo, &exactly).is_ok());
    let bytes = Limits { max_bytes: 1000, ..Limits::default() };
    assert!(matches!(probe(&photo, &bytes), Err(VisionError::TooManyBytes { max_bytes: 1000, .. })));
}

#[test]
fn a_truncated_file_is_told_as_such_wherever_it_ends() {
    for (name, format) in [("coffee.jpg", Format::Jpeg), ("camera_gray.png", Format::Png)] {
        let whole = picture(name);
        for share in [2, 5, 20, 50, 80, 95, 99] {
            let cut = &whole[..whole.len() * share / 100];
            let refused = decode(cut, &Limits::default()).unwrap_err();
            assert_eq!(refused, VisionError::Truncated { format }, "{name} cut at {share} %");
        }
    }
    let whole = picture("coffee.jpg");
    let refused = decode(&whole[..whole.len() - 2], &Limits::default()).unwrap_err();
    assert_eq!(refused, VisionError::Truncated { format: Format::Jpeg });
    // What follows the end belongs to nobody: cameras and messengers append things.
    let mut longer = whole;
    longer.extend(b"trailing data");
    assert!(decode(&longer, &Limits::default()).is_ok());
}

#[test]
fn a_text_called_jpg_is_no_image() {
    let refused = decode(b"this is not a picture\n", &Limits::default()).unwrap_err();
    assert!(matches!(refused, VisionError::NotAnImage { .. }), "{refused}");
    assert!(decode(b"", &Limits::default()).is_err());
    assert!(decode(b"\xff\xd8\xff", &Limits::default()).is_err());
}

fn any_reduction() -> impl Strategy<Value = Reduction> {
    let all = [Reduction::None, Reduction::Half, Reduction::Quarter, Reduction::Eighth];
    prop::sample::select(all.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Whatever happens to its bytes, a file is decoded or refused, and the frame keeps its promises.
    #[test]
    fn mutated_files_never_panic(
        jpeg in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..24),
        keep in 0.2f64..=1.0,
        reduction in any_reduction(),
    ) {
        let mut bytes = picture(if jpeg { "rocket_exif6.jpg" } else { "chelsea_alpha.png" });
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        bytes.truncate((bytes.len() as f64 * keep) as usize);
        let limits = Limits { max_pixels: 2_000_000, ..Limits::default() };
        if let Ok(frame) = decode_reduced(&bytes, &limits, None, reduction) {
            prop_assert_eq!(frame.pixels().len() as u64, u64::from(frame.width()) * u64::from(frame.height()) * 3);
        }
    }

    /// Headers are where sizes and tables live: damage there is the most dangerous.
    #[test]
    fn mutated_headers_never_panic(
        place in 0usize..700,
        value in any::<u8>(),
        jpeg in any::<bool>(),
        reduction in any_reduction(),
    ) {
        let mut bytes = picture(if jpeg { "astronaut.jpg" } else { "camera_gray.png" });
        bytes[place] = value;
        let limits = Limits { max_pixels: 2_000_000, ..Limits::default() };
        let known = probe(&bytes, &limits).ok();
        if let Ok(frame) = decode_reduced(&bytes, &limits, None, reduction) {
            let header = known.expect("what decodes has a header");
            let size = (reduction.of(header.width), reduction.of(header.height));
            prop_assert_eq!((frame.width(), frame.height()), size);
        }
    }
}
