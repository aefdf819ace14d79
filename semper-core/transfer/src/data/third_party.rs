//! The third party's side: opening escrows of content keys, and certifying them in advance.

use semper_supporting::{
    crypto::{
        digest::Digest,
        seal::{ContentKey, Measured},
        signature::Kid,
    },
    evidence::statement::from_bytes,
    time::Moment,
};

use super::manager::{DataManager, key_fits};
use crate::{
    description::{DataDescription, Description},
    escrow::{EscrowCert, EscrowKeys, EscrowUse},
    fault::{ItemFault, Mismatch},
    item::Kind,
    property::{
        Answer, BadPermit, Begun, Binding, Certificates, ExchangeEnabled as _, GenGrade, Generated, Got,
        Look, Observation, Permitted, Record, ThirdPartyKeys, TooLate, TtpItem,
    },
};

/// What a third party does about data.
pub struct DataThirdParty<'a> {
    /// Its escrow keys.
    pub escrow: &'a EscrowKeys,
}

/// An escrow for goods of a catalogue, to be checked in advance.
#[derive(Clone, Copy, Debug)]
pub struct Checked<'a> {
    /// The owner's certificate.
    pub owner: Digest,
    /// What the owner says it sealed.
    pub description: &'a Description,
    /// The sealed key.
    pub escrow: &'a [u8],
}

impl DataThirdParty<'_> {
    /// Opens an escrow for goods of a catalogue, in order to check it in advance. The content is then opened
    /// with the key, and [`DataThirdParty::certify`] compares.
    ///
    /// # Errors
    /// [`BadPermit`]: the owner sealed wrongly.
    pub fn open_for_check(&self, checked: &Checked<'_>) -> Result<ContentKey, BadPermit> {
        let Checked { owner, description, escrow } = *checked;
        let (Description::Data(wanted), Ok(hash)) = (description, description.hash()) else {
            return Err(BadPermit::Scope);
        };
        self.open(wanted, escrow, |to| EscrowUse::of_catalogue(owner, hash, to))
    }

    /// The statement that an escrow is good, to be signed with the third party's key `signer`. `measured` is what opening the sealed content with the key from the escrow measured.
    ///
    /// # Errors
    /// [`Mismatch`]: the content is not the one described.
    pub fn certify(
        &self,
        checked: &Checked<'_>,
        key: &ContentKey,
        measured: Measured,
        signer: Kid,
        at: Moment,
    ) -> Result<EscrowCert, Mismatch> {
        let Checked { owner, description, escrow } = *checked;
        let (Description::Data(wanted), Ok(desc)) = (description, description.hash()) else {
            return Err(Mismatch::Kind);
        };
        key_fits(wanted, key)?;
        let sealed = measured.sealed;
        if wanted.sealed != Some(sealed) {
            return Err(Mismatch::Sealed);
        }
        wanted.matches(measured.length, &measured.plain)?;
        let (escrow, key) = (Digest::of(escrow), key.commitment());
        let (cert_t, at) = (self.escrow.certificate(), at.whole_seconds());
        Ok(EscrowCert { desc, owner, cert_t, escrow, sealed, key, plain_ok: true, by: cert_t, at, signer })
    }

    fn make(
        &self,
        binding: &Binding,
        description: &Description,
        permitted: &Permitted,
    ) -> Result<Generated, BadPermit> {
        let Description::Data(wanted) = description else { return Err(BadPermit::Scope) };
        let permit = &permitted.permit;
        let hash = description.hash().map_err(|_| BadPermit::Scope)?;
        if hash != binding.description || hash != permit.description {
            return Err(BadPermit::Scope);
        }
        let basis = permit.basis.ok_or(BadPermit::Scope)?;
        let blob = |digest: &Digest| permitted.attached.find(digest).ok_or(BadPermit::Scope);
        let key = match permit.grade {
            GenGrade::Sealed => self.open(wanted, blob(&basis)?, |to| EscrowUse::in_exchange(binding, to))?,
            GenGrade::Certified => {
                let signed = permitted.attached.statement(&basis).ok_or(BadPermit::Scope)?;
                let cert: EscrowCert = from_bytes(&signed.tbs).map_err(|_| BadPermit::Scope)?;
                let use_of = |to: &ThirdPartyKeys| EscrowUse::of_catalogue(binding.owner, hash, to);
                self.open(wanted, blob(&cert.escrow)?, use_of)?
            }
            _ => return Err(BadPermit::Scope),
        };
        Ok(Generated::Key(key))
    }

    fn open(
        &self,
        wanted: &DataDescription,
        escrow: &[u8],
        use_of: impl Fn(&ThirdPartyKeys) -> EscrowUse,
    ) -> Result<ContentKey, BadPermit> {
        let secret = self.escrow.open(escrow, use_of)?;
        let bytes: [u8; 32] = secret.as_slice().try_into().map_err(|_| BadPermit::Content)?;
        let key = ContentKey::from_bytes(bytes);
        key_fits(wanted, &key).map_err(|_| BadPermit::Content)?;
        Ok(key)
    }
}

impl TtpItem for DataThirdParty<'_> {
    fn kind(&self) -> Kind {
        Kind::Data
    }

    /// No authority keeps a record of data: whether it was handed over, only the parties know.
    fn observe(&self, _: &Binding, _: &Description, _: Look) -> Begun<Observation> {
        Begun::Done(Observation::NotYet)
    }

    fn observed(&self, _: &Binding, _: &Description, _: Look, _: &Answer) -> Result<Observation, ItemFault> {
        Err(ItemFault::Unasked)
    }

    fn deposit(
        &self,
        binding: &Binding,
        description: &Description,
        got: &Got,
        certificates: &dyn Certificates,
    ) -> Result<Observation, Mismatch> {
        let accepted = DataManager::new().verify_received(description, got, binding, certificates)?;
        Ok(Observation::Deposited(accepted.evidence))
    }

    /// Releases the key. That the content is the one described, the third party knows only if it has the
    /// sealed content too: it then opens it and compares as the receiver does.
    fn generate(
        &self,
        binding: &Binding,
        description: &Description,
        permitted: &Permitted,
        _: &dyn Certificates,
    ) -> Begun<Result<Generated, BadPermit>> {
        Begun::Done(self.make(binding, description, permitted))
    }

    fn generated(
        &self,
        _: &Binding,
        _: &Description,
        _: &Answer,
    ) -> Result<Result<Generated, BadPermit>, ItemFault> {
        Err(ItemFault::Unasked)
    }

    fn revoke(&self, _: &Binding, _: &Description) -> Begun<Result<Record, TooLate>> {
        Begun::Done(Err(TooLate))
    }

    fn revoked(
        &self,
        _: &Binding,
        _: &Description,
        _: &Answer,
    ) -> Result<Result<Record, TooLate>, ItemFault> {
        Err(ItemFault::Unasked)
    }
}
