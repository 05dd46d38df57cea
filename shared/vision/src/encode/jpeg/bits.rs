//! Blocks as bits: Huffman codes of run lengths and magnitudes (ITU-T T.81, F.1.2), with the bytes that look like markers
//! told apart.

use super::tables::Code;
use super::transform::Block;

/// Codes by symbol: the code and how many bits it has.
pub(super) struct Codes([(u16, u8); 256]);

impl Codes {
    /// The codes of one length are numbered in the order of their symbols (annex C).
    pub(super) fn new(code: &Code) -> Self {
        let mut codes = [(0, 0); 256];
        let (mut next, mut symbols) = (0u16, code.symbols.iter());
        for (length, &count) in (1..).zip(&code.counts) {
            for symbol in symbols.by_ref().take(usize::from(count)) {
                codes[usize::from(*symbol)] = (next, length);
                next += 1;
            }
            next <<= 1;
        }
        Self(codes)
    }
}

/// The codes of a component: of its mean levels, and of the others.
pub(super) struct Coding {
    pub(super) means: Codes,
    pub(super) others: Codes,
}

/// Sixteen zeros and more to come.
const LONG_RUN: u8 = 0xf0;
const END_OF_BLOCK: u8 = 0x00;

/// Bits on their way into a file.
pub(super) struct Bits<'a> {
    file: &'a mut Vec<u8>,
    /// The last `count` bits wait; fewer than 32 do.
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(file: &'a mut Vec<u8>) -> Self {
        Self { file, held: 0, count: 0 }
    }

    /// One block of a component whose last block had the mean level `before`.
    #[inline(always)]
    pub(super) fn block(&mut self, block: &Block, coding: &Coding, before: &mut i16) {
        let (size, bits) = magnitude(block.levels[0] - *before);
        *before = block.levels[0];
        self.coded(&coding.means, size, size, bits);
        let (mut rest, mut last) = (block.set & !1, 0);
        while rest != 0 {
            let at = rest.trailing_zeros();
            let mut zeros = at - last - 1;
            while zeros > 15 {
                self.coded(&coding.others, LONG_RUN, 0, 0);
                zeros -= 16;
            }
            let (size, bits) = magnitude(block.levels[at as usize & 63]);
            self.coded(&coding.others, (zeros as u8) << 4 | size, size, bits);
            last = at;
            rest &= rest - 1;
        }
        if last < 63 {
            self.coded(&coding.others, END_OF_BLOCK, 0, 0);
        }
    }

    /// A symbol and the `size` bits that follow it.
    #[inline(always)]
    fn coded(&mut self, codes: &Codes, symbol: u8, size: u8, bits: u16) {
        let (code, length) = codes.0[usize::from(symbol)];
        let (size, length) = (u32::from(size), u32::from(length));
        // At most 16 bits of code and 11 of magnitude: with the 31 that may wait, 58.
        self.held = self.held << (size + length) | u64::from(code) << size | u64::from(bits);
        self.count += size + length;
        if self.count >= 32 {
            self.count -= 32;
            self.write((self.held >> self.count) as u32);
        }
    }

    #[inline(always)]
    fn write(&mut self, word: u32) {
        let bytes = word.to_be_bytes();
        // A byte of ones begins a marker, unless a zero follows.
        if bytes.contains(&0xff) {
            for byte in bytes {
                self.file.push(byte);
                if byte == 0xff {
                    self.file.push(0);
                }
            }
        } else {
            self.file.extend_from_slice(&bytes);
        }
    }

    /// The last bits, filled up with ones to whole bytes.
    pub(super) fn end(mut self) {
        while self.count > 0 {
            let missing = 8u32.saturating_sub(self.count);
            self.held = self.held << missing | ((1 << missing) - 1);
            self.count = (self.count + missing) - 8;
            let byte = (self.held >> self.count) as u8;
            self.file.push(byte);
            if byte == 0xff {
                self.file.push(0);
            }
        }
    }
}

/// How many bits a level has, and the bits: those of the level where it is positive, else of the one below it.
#[inline(always)]
fn magnitude(level: i16) -> (u8, u16) {
    let size = 16 - level.unsigned_abs().leading_zeros();
    let bits = level.wrapping_sub(i16::from(level < 0)) as u16;
    (size as u8, bits & ((1u32 << size) - 1) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magnitudes_are_those_of_the_standard() {
        let expected =
            [(0, (0, 0)), (1, (1, 1)), (-1, (1, 0)), (5, (3, 5)), (-5, (3, 2)), (-1024, (11, 1023))];
        for (level, coded) in expected {
            assert_eq!(magnitude(level), coded, "{level}");
        }
    }

    #[test]
    fn bytes_of_ones_are_followed_by_zeros() {
        let mut file = Vec::new();
        let mut bits = Bits::new(&mut file);
        let codes = Codes([(0xffff, 16); 256]);
        (0..3).for_each(|_| bits.coded(&codes, 0, 3, 5));
        bits.end();
        // 16 ones and 101, three times, filled up with ones: 57 bits and 7.
        let expected = [0xff, 0, 0xff, 0, 0xbf, 0xff, 0, 0xf7, 0xff, 0, 0xfe, 0xff, 0];
        assert_eq!(file, expected);
    }
}
