#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hsm_sim::fuzzing::key_blocks(data));
