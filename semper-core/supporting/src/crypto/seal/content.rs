//! Sealed content: ChaCha20-Poly1305 (RFC 8439) in chunks of 64 KiB, after the STREAM construction (Hoang,
//! Reyhanitabar, Rogaway, Vizár 2015).
//!
//! The nonce of a chunk is 7 bytes derived from the key, the chunk's index in 4 bytes, big endian, and a byte
//! that is 1 for the last chunk and 0 for all others. So a chunk opens at its own place only, and content
//! cannot be cut, continued or rearranged. Every chunk but the last holds exactly [`CHUNK`] bytes; the last
//! is empty only if the content is. A tag of 16 bytes follows each chunk.
//!
//! ```text
//! sealed = seal(0, 64 KiB) ‖ tag ‖ seal(1, 64 KiB) ‖ tag ‖ … ‖ seal(last, 1 … 64 KiB) ‖ tag
//! ```
//!
//! Chunks are sealed and opened in place, one at a time, while the SHA-256 of both forms runs along: memory
//! does not grow with the content.

use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit as _, Nonce, Tag, aead::AeadInOut as _};
use sha2::{Digest as _, Sha256};

use super::{BadSeal, ContentKey, Measured};
use crate::crypto::digest::Digest;

/// Bytes of content in every chunk but the last.
pub const CHUNK: usize = 64 << 10;
/// Bytes a tag adds to a chunk.
pub const TAG: usize = 16;
/// Bytes of every sealed chunk but the last.
pub const SEALED_CHUNK: usize = CHUNK + TAG;

/// What the fixed part of the nonces is hashed over before the key.
const NONCE_PREFIX: &[u8] = b"semper-nonce/1\n";

/// Seals content chunk by chunk. One key seals one content.
pub struct Sealer(Stream);

/// Opens sealed content chunk by chunk.
///
/// What it gives out is authentic as far as it goes, but not known to be whole before the last chunk: use
/// nothing of it before [`Opener::finish`] has answered and its measurement fits the description.
pub struct Opener(Stream);

struct Stream {
    cipher: ChaCha20Poly1305,
    prefix: [u8; 7],
    next: u32,
    ended: bool,
    length: u64,
    plain: Sha256,
    sealed: Sha256,
}

/// The length of sealed content whose plain form has `length` bytes.
pub fn sealed_length(length: u64) -> u64 {
    let chunks = length.div_ceil(CHUNK as u64).max(1);
    length.saturating_add(chunks.saturating_mul(TAG as u64))
}

impl Sealer {
    /// Begins to seal under `key`, which has sealed nothing before.
    pub fn new(key: &ContentKey) -> Self {
        crate::crypto::tally::note(|tally| &mut tally.sealed);
        Self(Stream::new(key))
    }

    /// Seals the next chunk in place and appends its tag: `chunk` holds [`CHUNK`] bytes, or up to as many if
    /// it is the last. A buffer with room for [`SEALED_CHUNK`] bytes is not moved.
    ///
    /// # Errors
    /// [`BadSeal::Length`] for a chunk of another length, [`BadSeal::TooLong`] after the last.
    pub fn seal(&mut self, chunk: &mut Vec<u8>, last: bool) -> Result<(), BadSeal> {
        let (index, nonce) = self.0.advance(chunk.len(), last)?;
        self.0.plain.update(&*chunk);
        let tag = self
            .0
            .cipher
            .encrypt_inout_detached(&nonce, &[], chunk.as_mut_slice().into())
            .map_err(|_| BadSeal::Length { index })?;
        chunk.extend_from_slice(&tag);
        self.0.sealed.update(&*chunk);
        Ok(())
    }

    /// Ends, and says what was sealed.
    ///
    /// # Errors
    /// [`BadSeal::Unfinished`] if no chunk was the last.
    pub fn finish(self) -> Result<Measured, BadSeal> {
        self.0.finish()
    }
}

impl Opener {
    /// Begins to open under `key`.
    pub fn new(key: &ContentKey) -> Self {
        crate::crypto::tally::note(|tally| &mut tally.opened);
        Self(Stream::new(key))
    }

    /// Opens the next chunk in place and takes its tag off: `chunk` holds [`SEALED_CHUNK`] bytes, or what is
    /// left if it is the last. After an error its content is undefined.
    ///
    /// # Errors
    /// [`BadSeal::Chunk`] for anything but the chunk sealed at this place, [`BadSeal::Length`],
    /// [`BadSeal::TooLong`] after the last.
    pub fn open(&mut self, chunk: &mut Vec<u8>, last: bool) -> Result<(), BadSeal> {
        let length = chunk.len().checked_sub(TAG).ok_or(BadSeal::Length { index: self.0.next })?;
        let (index, nonce) = self.0.advance(length, last)?;
        self.0.sealed.update(&*chunk);
        let (body, tag) = chunk.split_at_mut_checked(length).ok_or(BadSeal::Length { index })?;
        let tag = Tag::try_from(&*tag).map_err(|_| BadSeal::Length { index })?;
        self.0
            .cipher
            .decrypt_inout_detached(&nonce, &[], body.into(), &tag)
            .map_err(|_| BadSeal::Chunk { index })?;
        chunk.truncate(length);
        self.0.plain.update(&*chunk);
        Ok(())
    }

    /// Ends, and says what was opened.
    ///
    /// # Errors
    /// [`BadSeal::Unfinished`] if the last chunk has not been opened.
    pub fn finish(self) -> Result<Measured, BadSeal> {
        self.0.finish()
    }
}

impl Stream {
    fn new(key: &ContentKey) -> Self {
        let derived = Digest::of_parts([NONCE_PREFIX, key.as_bytes()]);
        let [a, b, c, d, e, f, g, ..] = *derived.as_bytes();
        Self {
            cipher: ChaCha20Poly1305::new(&Key::from(*key.as_bytes())),
            prefix: [a, b, c, d, e, f, g],
            next: 0,
            ended: false,
            length: 0,
            plain: Sha256::new(),
            sealed: Sha256::new(),
        }
    }

    /// Takes the place of the next chunk, with `length` bytes of content, and gives its index and nonce.
    fn advance(&mut self, length: usize, last: bool) -> Result<(u32, Nonce), BadSeal> {
        let index = self.next;
        if self.ended {
            return Err(BadSeal::TooLong);
        }
        let fits = if last { length <= CHUNK && (length > 0 || index == 0) } else { length == CHUNK };
        if !fits {
            return Err(BadSeal::Length { index });
        }
        self.ended = last;
        // The last index is reserved for a last chunk, so that no index is used twice.
        self.next = if last { index } else { index.checked_add(1).ok_or(BadSeal::TooLong)? };
        self.length = self.length.saturating_add(length as u64);
        let mut nonce = [0; 12];
        let parts = self.prefix.into_iter().chain(index.to_be_bytes()).chain([u8::from(last)]);
        nonce.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        Ok((index, Nonce::from(nonce)))
    }

    fn finish(self) -> Result<Measured, BadSeal> {
        if !self.ended {
            return Err(BadSeal::Unfinished);
        }
        let digest = |hash: Sha256| Digest::from_bytes(hash.finalize().into());
        Ok(Measured { length: self.length, plain: digest(self.plain), sealed: digest(self.sealed) })
    }
}

/// Seals content that is in memory already.
///
/// # Errors
/// Those of [`Sealer`].
pub fn seal_whole(key: &ContentKey, content: &[u8]) -> Result<(Vec<u8>, Measured), BadSeal> {
    let mut sealer = Sealer::new(key);
    let mut sealed = Vec::with_capacity(content.len() + TAG);
    let mut rest = content;
    loop {
        let (chunk, more) = rest.split_at_checked(CHUNK).unwrap_or((rest, &[]));
        let mut buffer = chunk.to_vec();
        sealer.seal(&mut buffer, more.is_empty())?;
        sealed.append(&mut buffer);
        if more.is_empty() {
            return Ok((sealed, sealer.finish()?));
        }
        rest = more;
    }
}

/// Opens sealed content that is in memory already.
///
/// # Errors
/// Those of [`Opener`]; nothing is given out unless it is whole.
pub fn open_whole(key: &ContentKey, sealed: &[u8]) -> Result<(Vec<u8>, Measured), BadSeal> {
    let mut opener = Opener::new(key);
    let mut content = Vec::with_capacity(sealed.len());
    let mut rest = sealed;
    loop {
        let (chunk, more) = rest.split_at_checked(SEALED_CHUNK).unwrap_or((rest, &[]));
        let mut buffer = chunk.to_vec();
        opener.open(&mut buffer, more.is_empty())?;
        content.append(&mut buffer);
        if more.is_empty() {
            return Ok((content, opener.finish()?));
        }
        rest = more;
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    use super::*;
    use crate::crypto::digest::parse_hex;

    fn key() -> ContentKey {
        ContentKey::from_bytes([7; 32])
    }

    fn content(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at % 251) as u8).collect()
    }

    #[test]
    fn content_of_every_shape_comes_back_whole() {
        for length in [0, 1, 15, 16, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 17] {
            let plain = content(length);
            let (sealed, measured) = seal_whole(&key(), &plain).unwrap();
            assert_eq!(sealed.len() as u64, sealed_length(length as u64), "{length}");
            assert_eq!(measured.plain, Digest::of(&plain));
            assert_eq!(measured.sealed, Digest::of(&sealed));
            assert_eq!(measured.length, length as u64);
            assert_eq!(open_whole(&key(), &sealed), Ok((plain, measured)));
        }
    }

    /// The golden files were made with another implementation of the cipher, by the words of the format.
    #[test]
    fn the_form_is_that_of_the_golden_files() {
        const KEY: &str = include_str!("../../../../../tests/golden/sealed/key.hex");
        const CONTENT: &str = include_str!("../../../../../tests/golden/sealed/content.txt");
        const SEALED: &str = include_str!("../../../../../tests/golden/sealed/sealed.hex");
        const DIGESTS: &str = include_str!("../../../../../tests/golden/sealed/digests.txt");
        let key = ContentKey::from_bytes(parse_hex(KEY.trim_end()).unwrap());
        let (sealed, _) = seal_whole(&key, CONTENT.as_bytes()).unwrap();
        assert_eq!(HEXLOWER.encode(&sealed), SEALED.trim_end());
        let digest = |content: &[u8]| seal_whole(&key, content).unwrap().1.sealed;
        let long = content(2 * CHUNK + 17);
        let digests = format!(
            "commitment {}\nempty {}\nsmall {}\nchunk {}\nlong {}\n",
            key.commitment(),
            digest(b""),
            digest(CONTENT.as_bytes()),
            digest(&long[..CHUNK]),
            digest(&long)
        );
        assert_eq!(digests, DIGESTS);
    }

    #[test]
    fn every_flipped_bit_of_a_small_file_is_refused() {
        let (sealed, _) = seal_whole(&key(), &content(100)).unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open_whole(&key(), &changed), Err(BadSeal::Chunk { index: 0 }), "bit {bit}");
        }
    }

    #[test]
    fn every_cut_of_a_small_file_is_refused() {
        let (sealed, _) = seal_whole(&key(), &content(100)).unwrap();
        for cut in 0..sealed.len() {
            assert!(open_whole(&key(), &sealed[..cut]).is_err(), "{cut}");
        }
        assert!(open_whole(&key(), &[sealed.as_slice(), &[0]].concat()).is_err());
    }

    #[test]
    fn content_cut_or_continued_at_a_chunk_is_refused() {
        let (sealed, _) = seal_whole(&key(), &content(3 * CHUNK)).unwrap();
        for chunks in 0..3 {
            assert!(open_whole(&key(), &sealed[..chunks * SEALED_CHUNK]).is_err(), "{chunks}");
        }
        let (more, _) = seal_whole(&key(), &content(10)).unwrap();
        assert!(open_whole(&key(), &[sealed.as_slice(), &more].concat()).is_err());
    }

    #[test]
    fn chunks_in_another_order_are_refused() {
        let (sealed, _) = seal_whole(&key(), &content(3 * CHUNK)).unwrap();
        let chunks: Vec<&[u8]> = sealed.chunks(SEALED_CHUNK).collect();
        for (order, bad) in [([1, 0, 2], 0), ([0, 2, 1], 1), ([0, 0, 2], 1)] {
            let moved: Vec<u8> = order.iter().flat_map(|at| chunks[*at].iter().copied()).collect();
            assert_eq!(open_whole(&key(), &moved), Err(BadSeal::Chunk { index: bad }));
        }
    }

    #[test]
    fn a_shorter_content_is_not_another_reading_of_a_longer_one() {
        // Whoever has the key could seal a full chunk and an empty last one: the form has one writing only.
        let mut sealer = Sealer::new(&key());
        sealer.seal(&mut content(CHUNK), false).unwrap();
        assert_eq!(sealer.seal(&mut Vec::new(), true), Err(BadSeal::Length { index: 1 }));
        let mut opener = Opener::new(&key());
        let (sealed, _) = seal_whole(&key(), &content(CHUNK + 1)).unwrap();
        opener.open(&mut sealed[..SEALED_CHUNK].to_vec(), false).unwrap();
        assert_eq!(opener.open(&mut vec![0; TAG], true), Err(BadSeal::Length { index: 1 }));
    }

    #[test]
    fn nothing_follows_the_last_chunk_and_nothing_ends_before_it() {
        let mut sealer = Sealer::new(&key());
        assert_eq!(sealer.seal(&mut content(10), false), Err(BadSeal::Length { index: 0 }));
        sealer.seal(&mut content(CHUNK), false).unwrap();
        assert_eq!(sealer.finish(), Err(BadSeal::Unfinished));
        let mut sealer = Sealer::new(&key());
        sealer.seal(&mut content(10), true).unwrap();
        assert_eq!(sealer.seal(&mut content(10), true), Err(BadSeal::TooLong));
    }

    #[test]
    fn sealing_in_place_does_not_move_a_buffer_with_room() {
        let mut buffer = Vec::with_capacity(SEALED_CHUNK);
        buffer.extend_from_slice(&content(CHUNK));
        let before = buffer.as_ptr();
        Sealer::new(&key()).seal(&mut buffer, true).unwrap();
        assert_eq!(buffer.as_ptr(), before);
    }

    #[test]
    fn the_nonce_is_prefix_index_and_last_flag() {
        let mut stream = Stream::new(&key());
        let (_, first) = stream.advance(CHUNK, false).unwrap();
        let (_, second) = stream.advance(3, true).unwrap();
        let prefix = Digest::of_parts([b"semper-nonce/1\n".as_slice(), &[7; 32]]);
        assert_eq!(first[..7], prefix.as_bytes()[..7]);
        assert_eq!(first[7..], [0, 0, 0, 0, 0]);
        assert_eq!(second[7..], [0, 0, 0, 1, 1]);
    }

    proptest! {
        #[test]
        fn another_key_opens_nothing(plain in proptest::collection::vec(any::<u8>(), 0..200), other in any::<[u8; 32]>()) {
            prop_assume!(other != [7; 32]);
            let (sealed, _) = seal_whole(&key(), &plain).unwrap();
            prop_assert!(open_whole(&ContentKey::from_bytes(other), &sealed).is_err());
        }

        #[test]
        fn hostile_bytes_open_nothing(sealed in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(open_whole(&key(), &sealed).is_err());
        }
    }
}
