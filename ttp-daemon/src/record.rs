//! Lines of the journal.

use semper_host::chance::{self, NoChance};
use semper_supporting::{
    archive::journal::{Entry, Kind},
    time::Moment,
};

/// An entry with a fresh salt.
pub(crate) fn entry(kind: Kind, payload: impl Into<Vec<u8>>, at: Moment) -> Result<Entry, NoChance> {
    Ok(Entry { at, kind, deal: None, salt: chance::random()?, payload: payload.into() })
}
