//! Masks as COCO run lengths: column by column, beginning with zeros. The compressed text is the one that `pycocotools`
//! writes (`maskApi.c`, `rleToString`), read as well as written, because recorded annotations come in it.

use serde::{Deserialize, Deserializer, Serialize};

/// Digits of the compressed text carry five bits each, and begin at this character.
const FIRST_DIGIT: u8 = 48;
/// Digits a single number may have: more than 32 bits need at most eight.
const MOST_DIGITS: u32 = 8;

/// A mask as COCO run lengths, uncompressed: column-major, starting with zeros.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rle {
    /// `[height, width]`.
    pub size: [u32; 2],
    /// Lengths of alternating runs of 0 and 1; together height × width.
    pub counts: Vec<u32>,
}

/// Why something is no run-length mask.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RleError {
    /// The runs cover another number of pixels.
    #[error("the runs of the mask cover {covered} pixels, {height} x {width} are {pixels}")]
    Length {
        /// What they cover.
        covered: u64,
        /// Rows.
        height: u32,
        /// Columns.
        width: u32,
        /// Height × width.
        pixels: u64,
    },
    /// The compressed text is cut off, or has characters it cannot have.
    #[error("the compressed mask cannot be read at character {at}")]
    Text {
        /// Where, from 0.
        at: usize,
    },
}

impl Rle {
    /// The mask whose pixels are given column by column.
    ///
    /// # Errors
    /// [`RleError::Length`] when there are more or fewer of them than height × width.
    pub fn of_columns(size: [u32; 2], pixels: impl IntoIterator<Item = bool>) -> Result<Self, RleError> {
        let mut runs = RleRuns::new(size);
        let mut covered = 0u64;
        for pixel in pixels {
            if pixel {
                runs.ones(covered, 1);
            }
            covered += 1;
        }
        let rle = runs.finish();
        if covered == rle.pixels() { Ok(rle) } else { Err(rle.uncovered(covered)) }
    }

    /// Height × width.
    #[must_use]
    pub fn pixels(&self) -> u64 {
        u64::from(self.size[0]) * u64::from(self.size[1])
    }

    /// Whether the runs cover exactly height × width pixels. True of every mask that was made or read here.
    ///
    /// # Errors
    /// [`RleError::Length`].
    pub fn check(&self) -> Result<(), RleError> {
        let covered = self.counts.iter().map(|&count| u64::from(count)).sum();
        if covered == self.pixels() { Ok(()) } else { Err(self.uncovered(covered)) }
    }

    fn uncovered(&self, covered: u64) -> RleError {
        RleError::Length { covered, height: self.size[0], width: self.size[1], pixels: self.pixels() }
    }

    /// The runs of ones: where each begins, counted column by column, and how long it is.
    pub fn ones(&self) -> impl Iterator<Item = (u64, u32)> {
        let mut at = 0u64;
        let placed = self.counts.iter().map(move |&count| {
            let start = at;
            at += u64::from(count);
            (start, count)
        });
        placed.skip(1).step_by(2).filter(|(_, count)| *count > 0)
    }

    /// How many pixels are set.
    #[must_use]
    pub fn area(&self) -> u64 {
        self.ones().map(|(_, count)| u64::from(count)).sum()
    }

    /// The smallest box around what is set, `[x1, y1, x2, y2]`, the last column and row not in it; none for an empty mask.
    #[must_use]
    pub fn bbox(&self) -> Option<[u32; 4]> {
        let height = u64::from(self.size[0]).max(1);
        let mut bounds: Option<[u64; 4]> = None;
        for (start, count) in self.ones() {
            let last = start + u64::from(count) - 1;
            let (left, right) = (start / height, last / height + 1);
            // A run that goes on into the next column covers the bottom of one and the top of the other.
            let (top, bottom) =
                if right - left > 1 { (0, height) } else { (start % height, last % height + 1) };
            bounds = Some(match bounds {
                None => [left, top, right, bottom],
                Some([x1, y1, x2, y2]) => [x1.min(left), y1.min(top), x2.max(right), y2.max(bottom)],
            });
        }
        bounds.map(|corners| corners.map(|corner| u32::try_from(corner).unwrap_or(u32::MAX)))
    }

    /// The pixels row by row, 1 where the mask is set; none where the mask covers more than `most` pixels, or its runs
    /// do not fit its size.
    #[must_use]
    pub fn rows(&self, most: u64) -> Option<Vec<u8>> {
        let pixels = Some(self.pixels()).filter(|&pixels| pixels <= most && self.check().is_ok())?;
        let (height, width) = (self.size[0] as usize, self.size[1] as usize);
        let mut rows = vec![0u8; usize::try_from(pixels).ok()?];
        for (start, count) in self.ones() {
            for place in start as usize..start as usize + count as usize {
                rows[place % height * width + place / height] = 1;
            }
        }
        Some(rows)
    }

    /// The counts as `pycocotools` writes them.
    #[must_use]
    pub fn compressed(&self) -> String {
        let mut text = String::new();
        for (place, &count) in self.counts.iter().enumerate() {
            // Runs are written as the difference to the one before the last, which is of the same kind.
            let before = if place > 2 { i64::from(self.counts[place - 2]) } else { 0 };
            let mut rest = i64::from(count) - before;
            loop {
                let digit = (rest & 0x1f) as u8;
                rest >>= 5;
                let ends = if digit & 0x10 == 0 { rest == 0 } else { rest == -1 };
                text.push(char::from((if ends { digit } else { digit | 0x20 }) + FIRST_DIGIT));
                if ends {
                    break;
                }
            }
        }
        text
    }

    /// Reads what `pycocotools` writes.
    ///
    /// # Errors
    /// [`RleError`]: a text that is cut off or is none, runs that do not fit the size.
    pub fn from_compressed(size: [u32; 2], text: &str) -> Result<Self, RleError> {
        let mut counts: Vec<u32> = Vec::new();
        let (mut number, mut digits, mut begun) = (0i64, 0u32, 0usize);
        for (at, byte) in text.bytes().enumerate() {
            let fault = || RleError::Text { at };
            let digit = byte.checked_sub(FIRST_DIGIT).filter(|&digit| digit < 64).ok_or_else(fault)?;
            if digits == 0 {
                begun = at;
            }
            number |= i64::from(digit & 0x1f) << (5 * digits);
            digits += 1;
            if digit & 0x20 != 0 {
                if digits == MOST_DIGITS {
                    return Err(fault());
                }
                continue;
            }
            if digit & 0x10 != 0 {
                number |= -1 << (5 * digits);
            }
            let before = if counts.len() > 2 { i64::from(counts[counts.len() - 2]) } else { 0 };
            counts.push(u32::try_from(number + before).map_err(|_| fault())?);
            (number, digits) = (0, 0);
        }
        if digits > 0 {
            return Err(RleError::Text { at: begun });
        }
        let rle = Self { size, counts };
        rle.check().map(|()| rle)
    }
}

/// Puts a mask together from its runs of ones, in order.
#[derive(Debug, Clone)]
pub struct RleRuns {
    size: [u32; 2],
    counts: Vec<u32>,
    /// Pixels that the counts cover.
    covered: u64,
}

impl RleRuns {
    /// An empty mask of `[height, width]`.
    #[must_use]
    pub fn new(size: [u32; 2]) -> Self {
        Self { size, counts: Vec::new(), covered: 0 }
    }

    /// Sets `count` pixels from `start` on, counted column by column. Runs come in their order; what was passed already
    /// and what lies beyond the last pixel is left out.
    pub fn ones(&mut self, start: u64, count: u32) {
        let pixels = u64::from(self.size[0]) * u64::from(self.size[1]);
        let end = (start + u64::from(count)).min(pixels);
        let start = start.max(self.covered);
        if start >= end {
            return;
        }
        let (gap, length) = ((start - self.covered) as u32, (end - start) as u32);
        match self.counts.last_mut() {
            Some(last) if gap == 0 => *last += length,
            _ => self.counts.extend([gap, length]),
        }
        self.covered = end;
    }

    /// Whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The mask.
    #[must_use]
    pub fn finish(mut self) -> Rle {
        let pixels = u64::from(self.size[0]) * u64::from(self.size[1]);
        if self.covered < pixels || self.counts.is_empty() {
            self.counts.push(u32::try_from(pixels - self.covered).unwrap_or(u32::MAX));
        }
        Rle { size: self.size, counts: self.counts }
    }
}

/// Both forms of counts are read: numbers, and the compressed text.
impl<'de> Deserialize<'de> for Rle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Counts {
            Numbers(Vec<u32>),
            Compressed(String),
        }
        #[derive(Deserialize)]
        struct Written {
            size: [u32; 2],
            counts: Counts,
        }
        let Written { size, counts } = Written::deserialize(deserializer)?;
        match counts {
            Counts::Numbers(counts) => {
                let rle = Self { size, counts };
                rle.check().map(|()| rle)
            }
            Counts::Compressed(text) => Self::from_compressed(size, &text),
        }
        .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn of(size: [u32; 2], columns: &str) -> Rle {
        Rle::of_columns(size, columns.bytes().filter(|byte| *byte != b' ').map(|byte| byte == b'1')).unwrap()
    }

    /// Made by `pycocotools` 2.0: `encode(asfortranarray(mask))`, and the counts behind the text.
    #[test]
    fn texts_are_those_of_pycocotools() {
        for (size, columns, counts, text) in VECTORS {
            let rle = of(*size, columns);
            assert_eq!((rle.counts.as_slice(), rle.compressed().as_str()), (*counts, *text), "{columns}");
            assert_eq!(Rle::from_compressed(*size, text).unwrap(), rle);
        }
        let long = Rle { size: [1000, 1000], counts: vec![3, 999_000, 40, 2, 900, 55] };
        assert_eq!(long.compressed(), r#"3hb_n0X1Z]`QOlj0e1"#);
        assert_eq!(Rle::from_compressed(long.size, &long.compressed()).unwrap(), long);
    }

    const VECTORS: &[([u32; 2], &str, &[u32], &str)] = &[
        ([3, 4], "000 111 001 000", &[3, 3, 2, 1, 3], "332N1"),
        ([3, 4], "000000000000", &[12], "<"),
        ([3, 4], "111111111111", &[0, 12], "0<"),
        ([2, 3], "10 10 01", &[0, 1, 1, 1, 2, 1], "011010"),
        ([1, 7], "0101101", &[1, 1, 1, 2, 1, 1], "11110O"),
        ([7, 1], "1110001", &[0, 3, 3, 1], "033N"),
    ];

    #[test]
    fn areas_and_boxes_are_those_of_the_pixels() {
        // 3 rows, 4 columns, an L in columns 1 and 2.
        let mask = of([3, 4], "000 111 001 000");
        assert_eq!((mask.area(), mask.bbox()), (4, Some([1, 0, 3, 3])));
        assert_eq!(mask.rows(12).unwrap(), [0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0]);
        assert_eq!(mask.rows(11), None, "the bound is kept");
        let dot = of([3, 4], "000 000 010 000");
        assert_eq!((dot.area(), dot.bbox()), (1, Some([2, 1, 3, 2])));
        let empty = of([3, 4], "000000000000");
        assert_eq!((empty.area(), empty.bbox(), empty.counts.as_slice()), (0, None, &[12][..]));
        let full = of([3, 4], "111111111111");
        assert_eq!((full.bbox(), full.counts.as_slice()), (Some([0, 0, 4, 3]), &[0, 12][..]));
        assert_eq!(RleRuns::new([0, 7]).finish().bbox(), None);
    }

    #[test]
    fn what_is_no_mask_is_refused() {
        assert!(matches!(Rle::from_compressed([2, 2], "1"), Err(RleError::Length { covered: 1, .. })));
        for text in ["T", "é", "\u{1}", "PPPPPPPPPPPPPPPPPPP", "/"] {
            assert!(matches!(Rle::from_compressed([2, 2], text), Err(RleError::Text { .. })), "{text:?}");
        }
        assert!(serde_json::from_value::<Rle>(json!({"size": [2, 2], "counts": [1, 2]})).is_err());
        assert!(
            serde_json::from_value::<Rle>(json!({"size": [4_000_000_000u32, 4], "counts": [1]})).is_err()
        );
        assert!(serde_json::from_value::<Rle>(json!({"size": [2, 2], "counts": [-1, 5]})).is_err());
        // Runs of no length, which some tools write, are as good as none.
        let odd: Rle = serde_json::from_value(json!({"size": [2, 2], "counts": [1, 0, 1, 2]})).unwrap();
        assert_eq!((odd.area(), odd.bbox()), (2, Some([1, 0, 2, 2])));
        let text: Rle = serde_json::from_value(json!({"size": [2, 2], "counts": odd.compressed()})).unwrap();
        assert_eq!(text, odd);
    }

    proptest! {
        #[test]
        fn pixels_survive_both_forms((height, width, pixels) in (1u32..12, 1u32..12).prop_flat_map(|(height, width)| {
            (Just(height), Just(width), proptest::collection::vec(any::<bool>(), (height * width) as usize))
        })) {
            let rle = Rle::of_columns([height, width], pixels.iter().copied()).unwrap();
            prop_assert!(rle.check().is_ok());
            prop_assert!(rle.counts.iter().skip(1).all(|&count| count > 0));
            prop_assert_eq!(&Rle::from_compressed(rle.size, &rle.compressed()).unwrap(), &rle);
            let rows = rle.rows(u64::MAX).unwrap();
            let back = (0..width * height).map(|place| rows[(place % height * width + place / height) as usize] == 1);
            let back: Vec<bool> = back.collect();
            prop_assert_eq!(rle.area(), pixels.iter().filter(|pixel| **pixel).count() as u64);
            let set = || (0..pixels.len() as u32).filter(|place| pixels[*place as usize]);
            let bounds = set().next().is_some().then(|| [
                set().map(|place| place / height).min().unwrap_or(0), set().map(|place| place % height).min().unwrap_or(0),
                set().map(|place| place / height + 1).max().unwrap_or(0), set().map(|place| place % height + 1).max().unwrap_or(0),
            ]);
            prop_assert_eq!(rle.bbox(), bounds);
            prop_assert_eq!(back, pixels);
        }

        #[test]
        fn no_text_makes_it_panic(text in "[0-o]{0,40}", height in any::<u32>(), width in any::<u32>()) {
            drop(Rle::from_compressed([height, width], &text));
        }

        #[test]
        fn long_runs_survive(counts in proptest::collection::vec(1u32..4_000_000, 1..20)) {
            let total: u32 = counts.iter().sum();
            let rle = Rle { size: [total, 1], counts };
            prop_assert_eq!(Rle::from_compressed(rle.size, &rle.compressed()).unwrap(), rle);
        }
    }
}
