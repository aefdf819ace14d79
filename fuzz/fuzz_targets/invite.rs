//! Runs `handover::invite` under libFuzzer.
#![no_main]

#[path = "../invite.rs"]
mod handover;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    handover::invite(data);
});
