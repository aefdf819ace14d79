//! How fast content is sealed and opened, and how fast the primitives are that this is made of.

use std::hint::black_box;

use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit as _, Nonce, aead::AeadInOut as _};
use semper_supporting::crypto::seal::{CHUNK, ContentKey, Opener, SEALED_CHUNK, Sealer, content::seal_whole};
use semper_tests::{Failure, Result};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::measure::{Effort, median, thread_cpu};

/// Throughput in GB (10⁹ bytes of content) for each second of CPU time of one core.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Sealing {
    /// How many bytes were sealed in each round.
    pub(crate) bytes: usize,
    /// Sealing, with the digests of both forms.
    pub(crate) seal: f64,
    /// Opening, with the digests of both forms.
    pub(crate) open: f64,
    /// What the format costs at least: two digests and the cipher, without any code of ours.
    pub(crate) primitives: f64,
    /// One digest alone.
    pub(crate) sha256: f64,
    /// The cipher alone.
    pub(crate) chacha20poly1305: f64,
}

const KEY: [u8; 32] = [7; 32];

/// Measures all of them.
///
/// # Errors
/// [`Failure`] where what was sealed does not open.
pub(crate) fn measure(effort: Effort) -> Result<Sealing> {
    let content: Vec<u8> = (0..effort.sealed).map(|at| (at % 251) as u8).collect();
    let key = ContentKey::from_bytes(KEY);
    let (sealed, _) = seal_whole(&key, &content)?;
    let mut figures: [Vec<f64>; 5] = Default::default();
    for round in 0..=effort.rounds {
        // One after the other in each round, so that what else the machine does falls on all alike.
        let rates = [
            rate(&content, || seal(&key, &content))?,
            rate(&content, || open(&key, &sealed))?,
            rate(&content, || bare(&content, true, true))?,
            // It hashes twice.
            rate(&content, || bare(&content, true, false))? * 2.0,
            rate(&content, || bare(&content, false, true))?,
        ];
        // The first round warms up.
        if round > 0 {
            figures.iter_mut().zip(rates).for_each(|(all, rate)| all.push(rate));
        }
    }
    let [seal, open, primitives, sha256, chacha20poly1305] = figures.map(median);
    Ok(Sealing { bytes: content.len(), seal, open, primitives, sha256, chacha20poly1305 })
}

/// GB for each second of CPU time.
fn rate(content: &[u8], mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    let before = thread_cpu();
    work()?;
    Ok(content.len() as f64 / 1e9 / (thread_cpu() - before).as_secs_f64())
}

/// Seals chunk by chunk in one buffer, as programs do.
fn seal(key: &ContentKey, content: &[u8]) -> Result<()> {
    let (mut sealer, mut left) = (Sealer::new(key), content.chunks(CHUNK).len());
    let mut buffer = Vec::with_capacity(SEALED_CHUNK);
    for chunk in content.chunks(CHUNK) {
        left -= 1;
        fill(&mut buffer, chunk);
        sealer.seal(&mut buffer, left == 0)?;
    }
    black_box(sealer.finish()?);
    Ok(())
}

/// Opens chunk by chunk in one buffer, as programs do.
fn open(key: &ContentKey, sealed: &[u8]) -> Result<()> {
    let (mut opener, mut left) = (Opener::new(key), sealed.chunks(SEALED_CHUNK).len());
    let mut buffer = Vec::with_capacity(SEALED_CHUNK);
    for chunk in sealed.chunks(SEALED_CHUNK) {
        left -= 1;
        fill(&mut buffer, chunk);
        opener.open(&mut buffer, left == 0)?;
    }
    black_box(opener.finish()?);
    Ok(())
}

/// The same work on the primitives: the digest of the chunk before and after, and the cipher between.
fn bare(content: &[u8], digests: bool, cipher: bool) -> Result<()> {
    let seals = ChaCha20Poly1305::new(&Key::from(KEY));
    let (mut plain, mut sealed) = (Sha256::new(), Sha256::new());
    let mut buffer = Vec::with_capacity(SEALED_CHUNK);
    for (index, chunk) in content.chunks(CHUNK).enumerate() {
        fill(&mut buffer, chunk);
        if digests {
            plain.update(&buffer);
        }
        if cipher {
            let mut nonce = [0; 12];
            nonce.iter_mut().zip(index.to_be_bytes()).for_each(|(to, from)| *to = from);
            let tag = seals.encrypt_inout_detached(&Nonce::from(nonce), &[], buffer.as_mut_slice().into());
            let tag = tag.map_err(|_| Failure::new("the cipher refuses a chunk"))?;
            buffer.extend_from_slice(&tag);
        }
        if digests {
            sealed.update(&buffer);
        }
    }
    black_box((plain.finalize(), sealed.finalize(), buffer));
    Ok(())
}

fn fill(buffer: &mut Vec<u8>, chunk: &[u8]) {
    buffer.clear();
    buffer.extend_from_slice(chunk);
}
