//! What libFuzzer drives; see `cm_fuzz::features`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cm_fuzz::features(bytes));
