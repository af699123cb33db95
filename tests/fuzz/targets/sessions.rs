#![no_main]

#[path = "../inputs/mod.rs"]
mod inputs;

libfuzzer_sys::fuzz_target!(|input: &[u8]| inputs::sessions::run(input));
