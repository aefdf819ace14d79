//! Data as items: content sealed under a key, and the key in escrow with a third party.
//!
//! The receiver has the sealed content, and has compared its hash, before it agrees to anything. Only the key
//! is missing, and the third party can release it. An escrow nobody has opened is *sealed*: it may turn out
//! bad, and then the third party holds proof. One that the third party opened in advance, with the content,
//! is *certified*.

mod manager;
mod third_party;

pub use self::{
    manager::{DataManager, key_fits},
    third_party::{Checked, DataThirdParty},
};
