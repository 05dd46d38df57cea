//! Any bytes as a picture: its header is read, and what passes the limits decodes, or is refused; then it is what the
//! header said.
#![no_main]

use libfuzzer_sys::fuzz_target;
use millrace_vision::{Limits, decode, probe};

// Small, so that the fuzzer spends its time on the decoders and not on filling memory.
const LIMITS: Limits = Limits { max_pixels: 1 << 20, max_bytes: 1 << 20 };

fuzz_target!(|bytes: &[u8]| {
    let header = probe(bytes, &LIMITS);
    let Ok(frame) = decode(bytes, &LIMITS) else { return };
    let header = header.expect("what decodes has a header that passes the limits");
    assert_eq!((frame.width(), frame.height()), (header.width, header.height));
});
