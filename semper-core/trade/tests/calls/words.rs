//! Every fault of a call has its words for people.

use semper_supporting::{
    comm::fault::FrameError,
    crypto::{digest::Digest, signature::Kid},
    fault::Fault,
};
use semper_trade::calls::{CallFault, goods::GoodsFault};
use semper_transfer::catalogue::Refusal;

const TEXT: &str = include_str!("../../../../assets/locale/en/calls.ftl");

/// Whether there is a message of this id with its two attributes before the next message begins.
fn is_told(id: &str) -> bool {
    let mut lines = TEXT.lines().skip_while(|line| !line.starts_with(&format!("{id} =")));
    let found = lines.next().is_some();
    let own: Vec<_> = lines.take_while(|line| line.starts_with(' ')).map(str::trim_start).collect();
    found && [".standing = ", ".advice = "].iter().all(|part| own.iter().any(|line| line.starts_with(part)))
}

#[test]
fn every_fault_of_a_call_says_where_things_stand_and_what_to_do() {
    let (kid, digest) = (Kid::from_bytes([1; 32]), Digest::of(b"sealed"));
    let faults: [&dyn Fault; 19] = [
        &CallFault::OtherKey { expected: kid, found: kid },
        &CallFault::Refused("arbiter.refused".into()),
        &CallFault::Unreadable(FrameError::NotCanonical),
        &CallFault::Unsendable(FrameError::NotCanonical),
        &CallFault::Caps("nothing fits"),
        &GoodsFault::Refused(Refusal::Unknown),
        &GoodsFault::Refused(Refusal::Offset),
        &GoodsFault::Refused(Refusal::Busy),
        &GoodsFault::Refused(Refusal::Unavailable),
        &GoodsFault::Length { agreed: 1, offered: 2 },
        &GoodsFault::Other { found: digest },
        &GoodsFault::Damaged(digest),
        &GoodsFault::Missing(digest),
        &GoodsFault::Changed(digest),
        &GoodsFault::Absent(digest),
        &GoodsFault::AtWork(digest),
        &GoodsFault::NoRoom { needed: 2, free: 1 },
        &GoodsFault::Full,
        &GoodsFault::File { path: "items".into(), error: std::io::ErrorKind::PermissionDenied.into() },
    ];
    for fault in faults {
        assert!(is_told(&fault.code().replace('.', "-")), "{} has no words", fault.code());
    }
    assert!(!is_told("goods-nothing"));
}
