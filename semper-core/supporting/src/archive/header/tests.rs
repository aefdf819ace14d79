//! The key file: what opens it, and everything that does not.

use std::collections::BTreeSet;

use super::*;

const PASSWORD: &[u8] = b"correct horse";

fn master() -> MasterKey {
    MasterKey::from_random(Zeroizing::new([7; 32]))
}

fn fresh(n: u8) -> Fresh {
    Fresh { salt: [n; 16], nonce: [n; 24] }
}

fn header() -> Header {
    Header::create(ArchiveId::from_bytes([1; 32]), &master(), PASSWORD, Cost::LEAST, fresh(2)).unwrap()
}

fn recovery(n: u8) -> RecoveryKey {
    RecoveryKey::from_random(&Zeroizing::new([n; 20]))
}

#[test]
fn the_password_opens_what_was_written_and_no_other_does() {
    let read = Header::read(&header().to_bytes().unwrap()).unwrap();
    assert_eq!(read, header());
    assert_eq!(*read.unlock(PASSWORD).unwrap().0, *master().0);
    for wrong in [b"correct hors".as_slice(), b"", b"Correct horse"] {
        assert_eq!(read.unlock(wrong).unwrap_err(), HeaderError::WrongPassword);
    }
    assert_eq!(read.recover(&recovery(1)).unwrap_err(), HeaderError::WrongRecoveryKey);
}

#[test]
fn a_new_password_wraps_the_same_key_and_leaves_the_recovery_key_as_it_is() {
    let mut header = header();
    header.set_recovery(&master(), &recovery(3), [4; 24]).unwrap();
    let unlocked = header.unlock(PASSWORD).unwrap();
    header.set_password(&unlocked, "größer und länger".as_bytes(), Cost::LEAST, fresh(5)).unwrap();
    let read = Header::read(&header.to_bytes().unwrap()).unwrap();
    assert_eq!(read.unlock(PASSWORD).unwrap_err().code(), "unlock.wrong-password");
    assert_eq!(*read.unlock("größer und länger".as_bytes()).unwrap().0, *master().0);
    assert_eq!(*read.recover(&recovery(3)).unwrap().0, *master().0);
    assert_eq!(read.recover(&recovery(4)).unwrap_err().code(), "archive.recovery-key");
}

#[test]
fn every_changed_or_missing_byte_is_damage() {
    let bytes = header().to_bytes().unwrap();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert_eq!(Header::read(&changed), Err(HeaderError::Damaged), "byte {at}");
        assert_eq!(Header::read(&bytes[..at]), Err(HeaderError::Damaged), "cut at {at}");
    }
    assert_eq!(Header::read(&[bytes.as_slice(), b"x"].concat()), Err(HeaderError::Damaged));
    assert_eq!(Header::read(&vec![0; 1 << 20]), Err(HeaderError::Damaged));
}

#[test]
fn a_key_file_that_asks_for_too_much_or_too_little_is_refused_before_any_work() {
    for (memory, passes, lanes) in [
        (Cost::MOST_MEMORY + 1, 3, 4),
        (u32::MAX, 3, 4),
        (1 << 20, 17, 4),
        (1 << 20, u32::MAX, 4),
        (1 << 20, 3, 17),
        (1 << 20, 3, 0),
        (8, 3, 1),
        (64 << 10, 2, 4),
    ] {
        let cost = Cost { memory, passes, lanes };
        let forged = Header { cost, ..header() };
        let refused = HeaderError::Parameters { memory, passes };
        assert_eq!(Header::read(&forged.to_bytes().unwrap()), Err(refused));
        assert_eq!(forged.unlock(PASSWORD).unwrap_err(), refused);
        let created = Header::create(ArchiveId::from_bytes([1; 32]), &master(), PASSWORD, cost, fresh(2));
        assert_eq!(created.unwrap_err().code(), "archive.parameters");
    }
}

#[test]
fn a_wrap_is_worth_nothing_in_another_header() {
    let other = Header { archive: ArchiveId::from_bytes([9; 32]), ..header() };
    assert_eq!(other.unlock(PASSWORD).unwrap_err(), HeaderError::WrongPassword);
    let mut header = header();
    header.set_recovery(&master(), &recovery(3), [4; 24]).unwrap();
    let swapped = Header { recovery: Some(header.password.clone()), ..header.clone() };
    assert!(swapped.recover(&recovery(3)).is_err());
    let moved = Header { archive: ArchiveId::from_bytes([9; 32]), ..header };
    assert!(moved.recover(&recovery(3)).is_err());
}

#[test]
fn passwords_have_ten_characters_at_least() {
    for short in ["", "ninechars", &"x".repeat(513)] {
        let made = Header::create(
            ArchiveId::from_bytes([1; 32]),
            &master(),
            short.as_bytes(),
            Cost::LEAST,
            fresh(2),
        );
        assert_eq!(made.unwrap_err(), HeaderError::Password);
    }
}

#[test]
fn the_keys_below_the_master_key_all_differ_and_none_is_printed() {
    let all = [Subkey::Files, Subkey::Keys, Subkey::Backup, Subkey::ArchiveSign, Subkey::Randomness];
    let mut keys: BTreeSet<_> = all.map(|subkey| *master().subkey(subkey).unwrap()).into();
    let database = master().database().unwrap();
    keys.insert(database[..32].try_into().unwrap());
    keys.insert(*master().0);
    assert_eq!(keys.len(), 7);
    assert_eq!(format!("{:?}", master()), "MasterKey");
}
