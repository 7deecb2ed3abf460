//! What libFuzzer drives; see `cm_fuzz::array`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cm_fuzz::array(bytes));
