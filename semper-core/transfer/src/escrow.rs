//! What an escrow is for, and what a third party says about one it has opened.

use semper_supporting::{
    crypto::{
        digest::Digest,
        seal::{BadSeal, EscrowKey, EscrowKid, escrow},
        signature::Kid,
    },
    deal::Xid,
    evidence::{
        Signable,
        statement::{Statement, StatementError, to_bytes},
    },
    time::Moment,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    fault::ItemFault,
    package::LeafPath,
    property::{BadPermit, Binding, ThirdPartyKeys},
};

/// The use of an escrow, bound to it as associated data: nobody else, in no other exchange, for no other item.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct EscrowUse {
    /// The run; absent for goods of a catalogue, whose key serves all their buyers.
    pub xid: Option<Xid>,
    /// The owner's certificate.
    pub owner: Digest,
    /// The item's path in the owner's package; absent for goods of a catalogue.
    pub leaf: Option<LeafPath>,
    /// The hash of the item's description.
    pub desc: Digest,
    /// The third party's certificate.
    pub cert_t: Digest,
    /// The escrow key.
    pub key: EscrowKid,
}

impl Statement for EscrowUse {
    const TYPE: &'static str = "x/escrow";
}

/// A third party's word that it opened an escrow and found the item its description names.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct EscrowCert {
    /// The hash of the item's description.
    pub desc: Digest,
    /// The owner's certificate: the escrow opens for nobody else's permit.
    pub owner: Digest,
    /// The certificate of the third party it is sealed to.
    pub cert_t: Digest,
    /// SHA-256 of the escrow.
    pub escrow: Digest,
    /// SHA-256 of the sealed content.
    pub sealed: Digest,
    /// The commitment to the content key.
    pub key: Digest,
    /// Whether the content was opened and is the one described.
    pub plain_ok: bool,
    /// The certificate of whoever checked it.
    pub by: Digest,
    /// When it was checked, in whole seconds.
    pub at: Moment,
    /// The key that signs this.
    pub signer: Kid,
}

impl Statement for EscrowCert {
    const TYPE: &'static str = "t/escrow-cert";
}

impl Signable for EscrowCert {
    fn signer(&self) -> Kid {
        self.signer
    }
}

impl EscrowUse {
    /// The use in one exchange.
    pub fn in_exchange(binding: &Binding, to: &ThirdPartyKeys) -> Self {
        Self {
            xid: Some(binding.xid),
            leaf: Some(binding.leaf.clone()),
            ..Self::of_catalogue(binding.owner, binding.description, to)
        }
    }

    /// The use for goods of a catalogue.
    pub fn of_catalogue(owner: Digest, description: Digest, to: &ThirdPartyKeys) -> Self {
        let (cert_t, key) = (to.certificate, to.escrow.kid());
        Self { xid: None, owner, leaf: None, desc: description, cert_t, key }
    }

    /// Seals `secret` to the third party for this use.
    ///
    /// # Errors
    /// [`ItemFault::Seal`] if the third party's key is not usable.
    pub fn seal(&self, to: &ThirdPartyKeys, secret: &[u8], random: &[u8; 32]) -> Result<Vec<u8>, ItemFault> {
        Ok(escrow::seal(&to.escrow, &to_bytes(self)?, secret, random)?)
    }
}

/// A third party's escrow keys, the present one and earlier ones that open permits still out.
pub struct EscrowKeys {
    certificate: Digest,
    keys: Vec<EscrowKey>,
}

impl EscrowKeys {
    /// The keys of the third party with this certificate.
    pub fn new(certificate: Digest, keys: impl IntoIterator<Item = EscrowKey>) -> Self {
        Self { certificate, keys: keys.into_iter().collect() }
    }

    /// The third party's certificate.
    pub fn certificate(&self) -> Digest {
        self.certificate
    }

    /// Opens `escrow` for the use that `use_of` makes of each key.
    ///
    /// # Errors
    /// [`BadPermit::Seal`] if no key opens it for that use: the owner sealed something else, or for another.
    pub fn open(
        &self,
        escrow: &[u8],
        use_of: impl Fn(&ThirdPartyKeys) -> EscrowUse,
    ) -> Result<Zeroizing<Vec<u8>>, BadPermit> {
        let opened = self.keys.iter().find_map(|key| {
            let to = ThirdPartyKeys { certificate: self.certificate, escrow: key.public() };
            self.open_with(key, escrow, &use_of(&to)).ok()
        });
        opened.ok_or(BadPermit::Seal)
    }

    fn open_with(
        &self,
        key: &EscrowKey,
        escrow: &[u8],
        of: &EscrowUse,
    ) -> Result<Zeroizing<Vec<u8>>, ItemFault> {
        Ok(key.open(&to_bytes(of)?, escrow)?)
    }
}

impl From<BadSeal> for ItemFault {
    fn from(error: BadSeal) -> Self {
        Self::Seal(error)
    }
}

/// A description's hash, or the fault that it cannot be written.
pub(crate) fn described(
    description: &crate::description::Description,
    binding: &Binding,
) -> Result<Digest, ItemFault> {
    let hash = description.hash().map_err(|error: StatementError| ItemFault::Statement(error))?;
    if binding.description == hash { Ok(hash) } else { Err(crate::fault::Mismatch::Binding.into()) }
}
