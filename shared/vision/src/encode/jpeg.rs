//! JPEG: baseline, with the colour at half the resolution both ways (4:2:0) and the standard's own tables, which is what
//! OpenCV and Pillow write unless asked otherwise. The crates that write JPEG without C need three times as long; most of what
//! a picture's node takes is its encoding.

mod bits;
mod planes;
mod tables;
mod transform;

use bits::{Bits, Codes, Coding};
use planes::{Planes, UNIT};
use tables::{CHROMA_MEANS, CHROMA_OTHERS, Code, LUMA_MEANS, LUMA_OTHERS, ZIGZAG};
use transform::{Block, Transform};

use crate::Frame;
use crate::simd::widest;

/// The largest side that the format has room for, pixels.
pub(super) const MOST: u32 = 65_535;

/// A frame that is not empty as a file of this quality, 1 to 100.
///
/// # Errors
/// What is wrong, when a side is longer than the format allows.
pub(super) fn write(frame: &Frame, quality: u8) -> Result<Vec<u8>, String> {
    let longest = frame.width().max(frame.height());
    if longest > MOST {
        return Err(format!("a side of {longest} pixels is more than {MOST}"));
    }
    // A bit and a half per pixel, as photographs have at usual qualities.
    let mut file = Vec::with_capacity(frame.pixels().len() / 16 + 1024);
    let tables = tables::quantisation(quality);
    head(frame, &tables, &mut file);
    widest(
        #[inline(always)]
        || scan(frame, &tables, &mut file),
    );
    file.extend_from_slice(&[0xff, 0xd9]);
    Ok(file)
}

/// Everything before the coded picture (annex B).
fn head(frame: &Frame, tables: &[[u8; 64]; 2], file: &mut Vec<u8>) {
    file.extend_from_slice(&[0xff, 0xd8]);
    let mut segment = |marker: u8, parts: &[&[u8]]| {
        let length: usize = parts.iter().map(|part| part.len()).sum::<usize>() + 2;
        file.extend_from_slice(&[0xff, marker]);
        file.extend_from_slice(&(length as u16).to_be_bytes());
        parts.iter().for_each(|part| file.extend_from_slice(part));
    };
    // Version 1.1, pixels that are square, no thumbnail.
    segment(0xe0, &[b"JFIF\0", &[1, 1, 0, 0, 1, 0, 1, 0, 0]]);
    for (number, table) in (0..).zip(tables) {
        segment(0xdb, &[&[number], &ZIGZAG.map(|place| table[usize::from(place)])]);
    }
    let (width, height) = ((frame.width() as u16).to_be_bytes(), (frame.height() as u16).to_be_bytes());
    // Three components: number, samples of a unit across and down, quantisation table.
    segment(0xc0, &[&[8], &height, &width, &[3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]]);
    for (number, code) in
        [(0x00, LUMA_MEANS), (0x10, LUMA_OTHERS), (0x01, CHROMA_MEANS), (0x11, CHROMA_OTHERS)]
    {
        segment(0xc4, &[&[number], &code.counts, code.symbols]);
    }
    // The components with their codes, and all frequencies in one go.
    segment(0xda, &[&[3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0]]);
}

/// The coded picture.
#[inline(always)]
fn scan(frame: &Frame, tables: &[[u8; 64]; 2], file: &mut Vec<u8>) {
    let [luma, chroma] = tables.each_ref().map(Transform::new);
    let coding =
        |means: &Code, others: &Code| Coding { means: Codes::new(means), others: Codes::new(others) };
    let (luma_coding, chroma_coding) =
        (coding(&LUMA_MEANS, &LUMA_OTHERS), coding(&CHROMA_MEANS, &CHROMA_OTHERS));
    let mut planes = Planes::new(frame.width());
    let width = planes.width;
    let mut rows: [Vec<Block>; 4] = Default::default();
    let mut bits = Bits::new(file);
    let mut before = [0; 3];
    for top in (0..frame.height() as usize).step_by(UNIT) {
        planes.take(frame, top);
        rows.iter_mut().for_each(Vec::clear);
        let [upper, lower, blue, red] = &mut rows;
        luma.add(&planes.luma[..width * 8], width, upper);
        luma.add(&planes.luma[width * 8..], width, lower);
        chroma.add(&planes.chroma[0], width / 2, blue);
        chroma.add(&planes.chroma[1], width / 2, red);
        for unit in 0..width / UNIT {
            for row in [&*upper, &*lower] {
                bits.block(&row[unit * 2], &luma_coding, &mut before[0]);
                bits.block(&row[unit * 2 + 1], &luma_coding, &mut before[0]);
            }
            bits.block(&blue[unit], &chroma_coding, &mut before[1]);
            bits.block(&red[unit], &chroma_coding, &mut before[2]);
        }
    }
    bits.end();
}
