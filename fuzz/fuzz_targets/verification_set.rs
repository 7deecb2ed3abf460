//! What libFuzzer drives; see `cm_fuzz::verification_set`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cm_fuzz::verification_set(bytes));
