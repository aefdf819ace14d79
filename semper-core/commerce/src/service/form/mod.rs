//! Forms of terms of business, as they are filled in, checked, kept and shown.
//!
//! ```text
//! typed, ticked, suggested --Draft--> Values --bind--> FormValues --file, root--> what is signed over
//!                                                          \--open--> one field for a judge
//! ```
//!
//! The terms say which fields there are, of what type, and who fills in which. A [`Draft`] takes what a person
//! types, and what a business application suggests for fields that allow it; suggested values are marked until
//! the user has seen them and are bound by nobody before. Consent is only ever ticked, for the very text that was
//! shown. A [`Value`] has one text, so that a form has one root.

mod draft;
mod fault;
mod file;
mod parts;
mod rules;
mod text;
mod value;
mod values;

pub use draft::{Draft, Entry};
pub use fault::FormFault;
pub use file::{FILE, Opening, Salt};
pub use parts::{Address, ContentId, Descriptor, FileRef, Line};
pub use rules::{REFERENCE, TEXT, bad_patterns};
pub use value::{Proofs, Value, label};
pub use values::{FormValues, binder};
