//! The one codec of frames between programs and of journaled private state: `bincode` 2.0.1, with fixed
//! big-endian integers, under a limit, and canonical.
//!
//! Nothing that is signed is encoded here: statements are text ([`crate::evidence::statement`]).
//! Decoding demands that every byte was used and that encoding the value again gives the same bytes, since
//! the codec itself takes trailing bytes and sequences that its encoder would never write. Types that pass
//! through here hold no maps with an order of their own, no floats, no `usize`, and are never recursive: a
//! deep tree would overflow the stack. Trees travel flat.

use serde::{Serialize, de::DeserializeOwned};

/// Private state that is journaled: plain data with one encoding.
pub trait Record: Serialize + DeserializeOwned + Sized {}

impl<T: Serialize + DeserializeOwned> Record for T {}

/// The largest journaled state or internal input in bytes (16 MiB).
pub const STATE_LIMIT: usize = 16 << 20;

/// Why bytes are not the encoding of a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WireError {
    /// More bytes than this place allows.
    #[error("{got} bytes where at most {limit} are allowed")]
    TooLong {
        /// The limit of this place in bytes.
        limit: usize,
        /// How many came.
        got: usize,
    },
    /// No value has this encoding.
    #[error("the bytes are not the canonical encoding of this kind of message")]
    NotCanonical,
    /// The value cannot be encoded within the limit, or holds something this codec does not carry.
    #[error("the value cannot be encoded")]
    Unencodable,
}

impl WireError {
    /// The stable dotted code of the fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "wire.too-long",
            Self::NotCanonical => "wire.not-canonical",
            Self::Unencodable => "wire.unencodable",
        }
    }
}

/// Encodes `value`; the result is never longer than `limit` bytes.
///
/// # Errors
/// [`WireError::TooLong`], or [`WireError::Unencodable`] for a value the codec does not carry.
pub fn encode<T: Serialize>(value: &T, limit: usize) -> Result<Vec<u8>, WireError> {
    let bytes = bincode::serde::encode_to_vec(value, config()).map_err(|_| WireError::Unencodable)?;
    if bytes.len() > limit {
        return Err(WireError::TooLong { limit, got: bytes.len() });
    }
    Ok(bytes)
}

/// Decodes `bytes`, which must be exactly what [`encode`] writes for the value.
///
/// # Errors
/// [`WireError::TooLong`] before anything is allocated, [`WireError::NotCanonical`] for everything that
/// [`encode`] would not have written.
pub fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8], limit: usize) -> Result<T, WireError> {
    if bytes.len() > limit {
        return Err(WireError::TooLong { limit, got: bytes.len() });
    }
    let (value, used) =
        bincode::serde::decode_from_slice::<T, _>(bytes, config()).map_err(|_| WireError::NotCanonical)?;
    if used != bytes.len() || encode(&value, limit).as_deref() != Ok(bytes) {
        return Err(WireError::NotCanonical);
    }
    Ok(value)
}

/// Fixed big-endian integers leave one encoding per value; the limit bounds what a declared length can
/// make the decoder allocate.
fn config() -> impl bincode::config::Config {
    bincode::config::standard().with_big_endian().with_fixed_int_encoding().with_limit::<STATE_LIMIT>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
    struct Sample {
        number: u32,
        name: String,
        list: Vec<u16>,
        perhaps: Option<bool>,
    }

    fn sample() -> Sample {
        Sample { number: 7, name: "Plex".into(), list: vec![1, 2], perhaps: Some(true) }
    }

    #[test]
    fn what_was_encoded_decodes_to_the_same_value() {
        let bytes = encode(&sample(), 1024).unwrap();
        assert_eq!(decode::<Sample>(&bytes, 1024), Ok(sample()));
    }

    #[test]
    fn trailing_bytes_and_every_cut_are_refused() {
        let mut bytes = encode(&sample(), 1024).unwrap();
        for cut in 0..bytes.len() {
            assert!(decode::<Sample>(&bytes[..cut], 1024).is_err(), "{cut}");
        }
        bytes.push(0);
        assert_eq!(decode::<Sample>(&bytes, 1024), Err(WireError::NotCanonical));
    }

    #[test]
    fn an_absurd_length_is_refused_without_being_allocated() {
        let mut bytes = encode(&vec![0_u8; 4], 1024).unwrap();
        bytes[..8].copy_from_slice(&u64::MAX.to_be_bytes());
        assert_eq!(decode::<Vec<u8>>(&bytes, 1024), Err(WireError::NotCanonical));
    }

    #[test]
    fn the_limit_holds_in_both_directions() {
        assert!(matches!(encode(&vec![0_u8; 64], 32), Err(WireError::TooLong { limit: 32, .. })));
        assert_eq!(decode::<Vec<u8>>(&[0; 64], 32), Err(WireError::TooLong { limit: 32, got: 64 }));
    }
}
