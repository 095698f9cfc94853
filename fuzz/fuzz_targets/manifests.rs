#![no_main]

#[allow(dead_code, reason = "each target uses one body")]
#[path = "../../crates/core/tests/bodies/mod.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::read_manifests(bytes));
