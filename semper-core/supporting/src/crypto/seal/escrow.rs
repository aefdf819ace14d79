//! Escrow: a secret sealed to a third party for one use (HPKE base mode, RFC 9180, with DHKEM-X25519,
//! HKDF-SHA256 and ChaCha20-Poly1305).
//!
//! The use is spelled out in the associated data, a statement `x/escrow` that names run, owner, item and
//! third party: pasted into another exchange, the same bytes do not open. An escrow is the encapsulated key,
//! 32 bytes, then the sealed secret, 16 bytes longer than the secret.

use std::{convert::Infallible, fmt};

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use hpke::{
    Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _, aead::ChaCha20Poly1305,
    kdf::HkdfSha256, kem::X25519HkdfSha256, single_shot_open, single_shot_seal_with_rng,
};
use rand_core::{TryCryptoRng, TryRng};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use super::BadSeal;
use crate::crypto::digest::Digest;

type Kem = X25519HkdfSha256;

/// The `info` of every escrow.
const INFO: &[u8] = b"semper-escrow/1";
/// Length of the encapsulated key in bytes.
const ENCAPSULATED: usize = 32;
/// What the tag adds to a secret, in bytes.
const TAG: usize = 16;
/// The longest secret in bytes: a signed statement of the usual limit fits.
const LONGEST_SECRET: usize = 66 << 10;

crate::identifier! {
    /// The name of an escrow key: SHA-256 of its DER SubjectPublicKeyInfo.
    EscrowKid, 32
}

crate::identifier! {
    /// The public half of a third party's escrow key: X25519 (RFC 7748), as its capabilities name it.
    EscrowPublic, 32
}

/// DER of an X25519 SubjectPublicKeyInfo up to the key itself (RFC 8410, 4).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x03, 0x21, 0x00];

impl EscrowPublic {
    /// Its DER SubjectPublicKeyInfo, 44 bytes.
    pub fn spki(&self) -> Vec<u8> {
        [SPKI_PREFIX.as_slice(), self.as_bytes()].concat()
    }

    /// Its name.
    pub fn kid(&self) -> EscrowKid {
        EscrowKid::from_bytes(*Digest::of(&self.spki()).as_bytes())
    }
}

/// A third party's escrow key. Its secret half is erased when it is dropped and never printed.
pub struct EscrowKey {
    secret: <Kem as hpke::Kem>::PrivateKey,
    public: EscrowPublic,
}

/// An escrow key as it is stored: sealed with XChaCha20-Poly1305 under a wrapping key, with its name as
/// associated data.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct WrappedEscrowKey {
    /// The key.
    pub key: EscrowKid,
    /// 24 bytes that are never used twice with one wrapping key.
    pub nonce: [u8; 24],
    /// The sealed secret half, 48 bytes.
    pub sealed: Vec<u8>,
}

/// Seals `secret` to a third party for the use that `associated` spells out. `random` is fresh: the same
/// bytes for another secret or use would lay both open. The same arguments give the same escrow.
///
/// # Errors
/// [`BadSeal::Key`] if the public key is of small order, [`BadSeal::TooLong`] for a secret above 66 KiB.
pub fn seal(
    to: &EscrowPublic,
    associated: &[u8],
    secret: &[u8],
    random: &[u8; 32],
) -> Result<Vec<u8>, BadSeal> {
    crate::crypto::tally::note(|tally| &mut tally.escrowed);
    if secret.len() > LONGEST_SECRET {
        return Err(BadSeal::TooLong);
    }
    let to = <Kem as hpke::Kem>::PublicKey::from_bytes(to.as_bytes()).map_err(|_| BadSeal::Key)?;
    let mut once = Once(Zeroizing::new(*random));
    let (encapsulated, sealed) = single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &OpModeS::Base,
        &to,
        INFO,
        secret,
        associated,
        &mut once,
    )
    .map_err(|_| BadSeal::Key)?;
    Ok([encapsulated.to_bytes().as_slice(), &sealed].concat())
}

impl EscrowKey {
    /// The key derived from 32 bytes of a generator of random bytes (RFC 9180, 7.1.3).
    pub fn from_seed(seed: &Zeroizing<[u8; 32]>) -> Self {
        let (secret, public) = Kem::derive_keypair(seed.as_slice());
        Self { secret, public: EscrowPublic::from_bytes(public.to_bytes().into()) }
    }

    /// Its public half.
    pub fn public(&self) -> EscrowPublic {
        self.public
    }

    /// Opens an escrow for the use that `associated` spells out.
    ///
    /// # Errors
    /// [`BadSeal::Escrow`] if it was not sealed to this key for exactly this use.
    pub fn open(&self, associated: &[u8], escrow: &[u8]) -> Result<Zeroizing<Vec<u8>>, BadSeal> {
        crate::crypto::tally::note(|tally| &mut tally.released);
        let longest = ENCAPSULATED + LONGEST_SECRET + TAG;
        let (encapsulated, sealed) = escrow.split_at_checked(ENCAPSULATED).ok_or(BadSeal::Escrow)?;
        if escrow.len() > longest {
            return Err(BadSeal::Escrow);
        }
        let encapsulated =
            <Kem as hpke::Kem>::EncappedKey::from_bytes(encapsulated).map_err(|_| BadSeal::Escrow)?;
        single_shot_open::<ChaCha20Poly1305, HkdfSha256, Kem>(
            &OpModeR::Base,
            &self.secret,
            &encapsulated,
            INFO,
            sealed,
            associated,
        )
        .map(Zeroizing::new)
        .map_err(|_| BadSeal::Escrow)
    }

    /// Wraps the key for storage. `nonce` is 24 fresh random bytes.
    ///
    /// # Errors
    /// [`BadSeal::Key`] if the cipher refuses, which it does for no key of this length.
    pub fn export_wrapped(
        &self,
        wrapping: &Zeroizing<[u8; 32]>,
        nonce: [u8; 24],
    ) -> Result<WrappedEscrowKey, BadSeal> {
        let key = self.public.kid();
        let mut secret = self.secret.to_bytes();
        let sealed = XChaCha20Poly1305::new(wrapping.as_slice().try_into().map_err(|_| BadSeal::Key)?)
            .encrypt(&XNonce::from(nonce), Payload { msg: &secret, aad: &associated(&key) });
        secret.zeroize();
        Ok(WrappedEscrowKey { key, nonce, sealed: sealed.map_err(|_| BadSeal::Key)? })
    }

    /// Takes a wrapped key back.
    ///
    /// # Errors
    /// [`BadSeal::Key`] for one that was changed in any part or wrapped under another key.
    pub fn import_wrapped(
        wrapped: &WrappedEscrowKey,
        wrapping: &Zeroizing<[u8; 32]>,
    ) -> Result<Self, BadSeal> {
        let opened = XChaCha20Poly1305::new(wrapping.as_slice().try_into().map_err(|_| BadSeal::Key)?)
            .decrypt(
                &XNonce::from(wrapped.nonce),
                Payload { msg: &wrapped.sealed, aad: &associated(&wrapped.key) },
            )
            .map(Zeroizing::new)
            .map_err(|_| BadSeal::Key)?;
        let secret = <Kem as hpke::Kem>::PrivateKey::from_bytes(&opened).map_err(|_| BadSeal::Key)?;
        let public = EscrowPublic::from_bytes(Kem::sk_to_pk(&secret).to_bytes().into());
        if public.kid() == wrapped.key { Ok(Self { secret, public }) } else { Err(BadSeal::Key) }
    }
}

impl fmt::Debug for EscrowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EscrowKey({})", self.public.kid())
    }
}

fn associated(key: &EscrowKid) -> Vec<u8> {
    [b"semper-wrapped-escrow-key/1\n".as_slice(), key.as_bytes()].concat()
}

/// Hands out the random bytes of one sealing. The key encapsulation asks for 32 bytes once; whatever it asked
/// for beyond them would be a hash of them and of how much was handed out before.
struct Once(Zeroizing<[u8; 32]>);

impl TryRng for Once {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        for block in to.chunks_mut(32) {
            block.iter_mut().zip(self.0.iter()).for_each(|(to, from)| *to = *from);
            *self.0 = *Digest::of(self.0.as_slice()).as_bytes();
        }
        Ok(())
    }
}

impl TryCryptoRng for Once {}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;
    use crate::crypto::digest::parse_hex;

    fn key() -> EscrowKey {
        EscrowKey::from_seed(&Zeroizing::new([3; 32]))
    }

    /// RFC 9180, A.2.1: key pairs from their keying material, encapsulation and the first encryption. The
    /// escrow's own `info` differs, so the vector runs through the same calls with its `info`.
    #[test]
    fn seals_and_opens_as_rfc_9180_says() {
        let ikm_r = parse_hex("1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df").unwrap();
        let ikm_e = parse_hex("909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b").unwrap();
        let key = EscrowKey::from_seed(&Zeroizing::new(ikm_r));
        assert_eq!(
            key.public().to_string(),
            "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a"
        );
        let public = <Kem as hpke::Kem>::PublicKey::from_bytes(key.public().as_bytes()).unwrap();
        let (encapsulated, sealed) = single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, Kem>(
            &OpModeS::Base,
            &public,
            b"Ode on a Grecian Urn",
            b"Beauty is truth, truth beauty",
            b"Count-0",
            &mut Once(Zeroizing::new(ikm_e)),
        )
        .unwrap();
        assert_eq!(
            HEXLOWER.encode(&encapsulated.to_bytes()),
            "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a"
        );
        assert_eq!(
            HEXLOWER.encode(&sealed),
            "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28"
        );
    }

    #[test]
    fn an_escrow_opens_for_its_own_use_only() {
        let escrow = seal(&key().public(), b"this use", &[9; 32], &[5; 32]).unwrap();
        assert_eq!(escrow.len(), 80);
        assert_eq!(key().open(b"this use", &escrow).unwrap().as_slice(), [9; 32]);
        assert_eq!(key().open(b"that use", &escrow), Err(BadSeal::Escrow));
        let other = EscrowKey::from_seed(&Zeroizing::new([4; 32]));
        assert_eq!(other.open(b"this use", &escrow), Err(BadSeal::Escrow));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_of_an_escrow_is_refused() {
        let escrow = seal(&key().public(), b"use", &[9; 32], &[5; 32]).unwrap();
        for bit in 0..escrow.len() * 8 {
            let mut changed = escrow.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            // X25519 ignores the top bit of a point (RFC 7748, 5), and the encapsulated key is bound as bytes.
            assert_eq!(key().open(b"use", &changed), Err(BadSeal::Escrow), "bit {bit}");
        }
        for cut in 0..escrow.len() {
            assert_eq!(key().open(b"use", &escrow[..cut]), Err(BadSeal::Escrow), "{cut}");
        }
        assert_eq!(key().open(b"use", &[escrow.as_slice(), &[0]].concat()), Err(BadSeal::Escrow));
    }

    #[test]
    fn the_same_arguments_give_the_same_escrow() {
        let sealed = |random| seal(&key().public(), b"use", &[9; 32], &[random; 32]).unwrap();
        assert_eq!(sealed(5), sealed(5));
        assert_ne!(sealed(5), sealed(6));
    }

    #[test]
    fn nothing_is_sealed_to_a_key_of_small_order() {
        let zero = EscrowPublic::from_bytes([0; 32]);
        assert_eq!(seal(&zero, b"use", &[9; 32], &[5; 32]), Err(BadSeal::Key));
    }

    #[test]
    fn a_wrapped_key_is_the_same_key_and_refuses_every_change() {
        let wrapping = Zeroizing::new([8; 32]);
        let wrapped = key().export_wrapped(&wrapping, [1; 24]).unwrap();
        let back = EscrowKey::import_wrapped(&wrapped, &wrapping).unwrap();
        assert_eq!(back.public(), key().public());
        let escrow = seal(&key().public(), b"use", b"secret", &[5; 32]).unwrap();
        assert_eq!(back.open(b"use", &escrow).unwrap().as_slice(), b"secret");
        assert!(EscrowKey::import_wrapped(&wrapped, &Zeroizing::new([9; 32])).is_err());
        for byte in 0..wrapped.sealed.len() {
            let mut changed = wrapped.clone();
            changed.sealed[byte] ^= 1;
            assert!(EscrowKey::import_wrapped(&changed, &wrapping).is_err(), "{byte}");
        }
        let renamed = WrappedEscrowKey { key: EscrowKid::from_bytes([0; 32]), ..wrapped };
        assert!(EscrowKey::import_wrapped(&renamed, &wrapping).is_err());
    }

    #[test]
    fn a_secret_half_is_not_printed() {
        assert_eq!(format!("{:?}", key()), format!("EscrowKey({})", key().public().kid()));
    }
}
