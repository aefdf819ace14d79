//! What the fuzz target of links and invite files does with its bytes, for the fuzzer and for the ordinary tests.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a fuzz target ends by a panic")]

use semper_commerce::handover::{Invite, Link, invite, uri};
use semper_supporting::comm::address::Surroundings;

/// Bytes as a link and as an invite file. What is accepted is written and read again as the same, and is accepted in a
/// demonstration if it is accepted in real use. Tells whether either was accepted.
pub(crate) fn invite(data: &[u8]) -> bool {
    let link = std::str::from_utf8(data).is_ok_and(|text| {
        let [public, demo] = both(|surroundings| Link::parse(text, surroundings).ok());
        assert!(public.is_none() || public == demo, "what is good in real use is good in a demonstration");
        demo.is_some_and(|link| {
            let written = link.to_string();
            assert!(text.len() <= uri::LINK && written.len() <= text.len());
            assert_eq!(Link::parse(&written, Surroundings::Demo), Ok(link));
            true
        })
    });
    let [public, demo] = both(|surroundings| Invite::read(data, surroundings).ok());
    assert!(public.is_none() || public == demo, "what is good in real use is good in a demonstration");
    let file = demo.is_some_and(|read| {
        assert!(data.len() <= invite::FILE);
        if let Ok(written) = read.write() {
            assert_eq!(Invite::read(written.as_bytes(), Surroundings::Demo), Ok(read));
        }
        true
    });
    link || file
}

fn both<T>(read: impl Fn(Surroundings) -> T) -> [T; 2] {
    [read(Surroundings::Public), read(Surroundings::Demo)]
}
