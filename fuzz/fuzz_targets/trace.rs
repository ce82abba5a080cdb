#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| swarmlab_fuzz::trace::trace(input));
