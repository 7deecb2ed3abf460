//! What libFuzzer drives; see `cm_fuzz::records`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cm_fuzz::records(bytes));
