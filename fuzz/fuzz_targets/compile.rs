//! Any text as a definition: a plan, or faults that each have a place in the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use millrace_compiler::{compile_text, locate};

fuzz_target!(|text: &str| {
    if let Err(faults) = compile_text(text) {
        assert!(!faults.0.is_empty(), "a refusal says why");
        for fault in &faults.0 {
            let _place = locate(text, &fault.pointer);
        }
    }
});
