//! What libFuzzer drives; see `cm_fuzz::pairs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cm_fuzz::pairs(bytes));
