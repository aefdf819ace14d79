//! Every fault of communication has its words for people.

use semper_supporting::{
    comm::{
        address::AddressError,
        envelope::EnvelopeError,
        fault::{Busy, ClocksDiffer, FrameError},
        session::Why,
    },
    fault::Fault,
    time::{Moment, Span},
};

const TEXT: &str = include_str!("../../../assets/locale/en/comm.ftl");

/// Whether there is a message of this id with its two attributes before the next message begins.
fn is_told(id: &str) -> bool {
    let mut lines = TEXT.lines().skip_while(|line| !line.starts_with(&format!("{id} =")));
    let found = lines.next().is_some();
    let own: Vec<_> = lines.take_while(|line| line.starts_with(' ')).map(str::trim_start).collect();
    found && [".standing = ", ".advice = "].iter().all(|part| own.iter().any(|line| line.starts_with(part)))
}

#[test]
fn every_fault_of_communication_has_words_that_say_where_things_stand_and_what_to_do() {
    let faults: [&dyn Fault; 22] = [
        &FrameError::Abuse,
        &FrameError::Flags { flags: 2 },
        &FrameError::Kind { kind: 0 },
        &FrameError::NotCanonical,
        &FrameError::TooLong { limit: 1, got: 2 },
        &FrameError::Version { theirs: 2, ours: 1 },
        &FrameError::Window { limit: 1, got: 2 },
        &Busy { until: Moment::default() },
        &ClocksDiffer { apart: Span::minutes(6) },
        &AddressError::Malformed,
        &AddressError::Internal("localhost".into()),
        &EnvelopeError::Fork { step: 1 },
        &EnvelopeError::Gap { expected: 1, got: 2 },
        &EnvelopeError::OtherDeal,
        &EnvelopeError::Unanswered,
        &EnvelopeError::TooMany,
        &Why::Closed,
        &Why::Lost,
        &Why::Silent,
        &Why::Unreachable,
        &Why::SomebodyElse("shop.example".into()),
        &Why::Handshake("alert".into()),
    ];
    for fault in faults {
        assert!(is_told(&fault.code().replace('.', "-")), "{} has no words", fault.code());
    }
    assert!(!is_told("net-nothing"));
}
