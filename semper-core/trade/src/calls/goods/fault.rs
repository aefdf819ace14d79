//! Why goods are not on the shelf.

use std::{
    io,
    path::{Path, PathBuf},
};

use semper_supporting::{
    crypto::digest::Digest,
    fault::{Blame, Fault, Standing},
};
use semper_transfer::catalogue::Refusal;

use crate::calls::CallFault;

/// Why goods are not on the shelf.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GoodsFault {
    /// The shop cannot be asked. What came is here, and fetching again goes on behind it.
    #[error(transparent)]
    Call(#[from] CallFault),
    /// The shop does not send it.
    #[error("{0}")]
    Refused(Refusal),
    /// The shop has another number of bytes than was agreed. Nothing of it is kept.
    #[error("the shop sends {offered} bytes where {agreed} were agreed")]
    Length {
        /// How long the sealed form is, in bytes.
        agreed: u64,
        /// How many bytes there would be, at least.
        offered: u64,
    },
    /// Something else was sent. Nothing of it is kept.
    #[error("the shop sent something else: {found}")]
    Other {
        /// SHA-256 of what was sent.
        found: Digest,
    },
    /// What was here from before is not what the shop sent. It is removed; fetching again fetches all of it.
    #[error("what was here of {0} was damaged and is removed")]
    Damaged(Digest),
    /// The opened file is not there any more.
    #[error("The stored file is not there any more.")]
    Missing(Digest),
    /// The opened file is not what it was.
    #[error("The stored file differs from what you received.")]
    Changed(Digest),
    /// It was not fetched.
    #[error("there is no sealed file {0} here")]
    Absent(Digest),
    /// Somebody is at work on the same goods.
    #[error("{0} is being fetched or opened already")]
    AtWork(Digest),
    /// The disk has no room for what is still to come and for the opened file beside it. Nothing was fetched.
    #[error("the disk has {free} bytes left, and {needed} are needed")]
    NoRoom {
        /// How many bytes are needed.
        needed: u64,
        /// How many are left.
        free: u64,
    },
    /// The disk is full. What came is here.
    #[error("the disk is full")]
    Full,
    /// A file cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

impl GoodsFault {
    /// Whether trying again is in vain: the shop does not have what was agreed.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Refused(refusal) => matches!(refusal, Refusal::Unknown | Refusal::Offset),
            Self::Length { .. } | Self::Other { .. } => true,
            Self::Call(fault) => fault.is_lasting(),
            Self::Damaged(_)
            | Self::Missing(_)
            | Self::Changed(_)
            | Self::Absent(_)
            | Self::AtWork(_)
            | Self::NoRoom { .. }
            | Self::Full
            | Self::File { .. } => false,
        }
    }

    /// What the system said about the file at `path`.
    pub(super) fn of(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::File { path: path.to_owned(), error },
        }
    }
}

impl Fault for GoodsFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Call(fault) => fault.code(),
            Self::Refused(refusal) => refusal.code(),
            Self::Length { .. } => "goods.length",
            Self::Other { .. } => "item.hash",
            Self::Missing(_) => "item.missing",
            Self::Changed(_) => "item.damaged",
            Self::Damaged(_) => "goods.damaged",
            Self::Absent(_) => "goods.absent",
            Self::AtWork(_) => "goods.at-work",
            Self::NoRoom { .. } => "goods.no-room",
            Self::Full => "goods.disk-full",
            Self::File { .. } => "goods.file",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Call(CallFault::Refused(_) | CallFault::Unreadable(_)) => Blame::Peer,
            Self::Call(fault) => fault.blame(),
            Self::Refused(_) | Self::Length { .. } | Self::Other { .. } => Blame::Peer,
            Self::Damaged(_)
            | Self::Missing(_)
            | Self::Changed(_)
            | Self::Absent(_)
            | Self::AtWork(_)
            | Self::NoRoom { .. }
            | Self::Full
            | Self::File { .. } => Blame::Ourselves,
        }
    }

    /// Sealed goods are fetched before anything is signed; files are opened after it was paid for.
    fn standing(&self) -> Standing {
        match self {
            Self::Refused(_) | Self::Length { .. } | Self::Other { .. } | Self::NoRoom { .. } => {
                Standing::NothingMoved
            }
            _ => Standing::Undecided,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_named_so_and_other_trouble_with_its_file() {
        let of = |kind: io::ErrorKind| GoodsFault::of(Path::new("items/a"))(kind.into());
        for full in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded] {
            assert_eq!(of(full).code(), "goods.disk-full");
        }
        assert_eq!(of(io::ErrorKind::PermissionDenied).to_string(), "items/a: permission denied");
    }

    #[test]
    fn what_the_shop_does_not_have_is_final_and_our_own_trouble_is_not() {
        let digest = Digest::of(b"sealed");
        let verdicts = [
            (GoodsFault::Refused(Refusal::Unknown), true),
            (GoodsFault::Refused(Refusal::Busy), false),
            (GoodsFault::Refused(Refusal::Unavailable), false),
            (GoodsFault::Length { agreed: 1, offered: 2 }, true),
            (GoodsFault::Other { found: digest }, true),
            (GoodsFault::Damaged(digest), false),
            (GoodsFault::NoRoom { needed: 2, free: 1 }, false),
            (GoodsFault::Full, false),
        ];
        for (fault, last) in verdicts {
            assert_eq!(fault.is_final(), last, "{fault}");
        }
    }
}
