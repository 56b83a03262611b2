#![no_main]

#[path = "../../engine/tests/contents/mod.rs"]
mod contents;

libfuzzer_sys::fuzz_target!(|input: &[u8]| contents::contents(input));
