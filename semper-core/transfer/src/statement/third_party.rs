//! The third party's side: attesting statements, and opening those left in escrow.

use semper_supporting::evidence::SignedBytes;

use super::manager::{StatementManager, compare, from_secret};
use crate::{
    description::{Description, StatementDescription},
    escrow::{EscrowKeys, EscrowUse},
    fault::{ItemFault, Mismatch},
    item::Kind,
    property::{
        Answer, BadPermit, Begun, Binding, Certificates, ExchangeEnabled as _, GenGrade, Generated, Got,
        Look, Observation, Permitted, Record, TooLate, TtpItem,
    },
};

/// What a third party does about statements.
pub struct StatementThirdParty<'a> {
    /// Its escrow keys.
    pub escrow: &'a EscrowKeys,
}

impl StatementThirdParty<'_> {
    fn make(
        &self,
        binding: &Binding,
        description: &Description,
        permitted: &Permitted,
        certificates: &dyn Certificates,
    ) -> Result<Generated, BadPermit> {
        let Description::Statement(wanted) = description else { return Err(BadPermit::Scope) };
        let permit = &permitted.permit;
        let hash = description.hash().map_err(|_| BadPermit::Scope)?;
        if hash != binding.description || hash != permit.description || binding.owner != wanted.signer {
            return Err(BadPermit::Scope);
        }
        match permit.grade {
            GenGrade::Affidavit if !wanted.is_for_others() => Ok(Generated::Affidavit {
                text: wanted.text,
                signer: wanted.signer,
                semantics: wanted.semantics,
            }),
            GenGrade::Sealed => self.open(binding, wanted, permitted, certificates).map(Generated::Statement),
            _ => Err(BadPermit::Scope),
        }
    }

    fn open(
        &self,
        binding: &Binding,
        wanted: &StatementDescription,
        permitted: &Permitted,
        certificates: &dyn Certificates,
    ) -> Result<SignedBytes, BadPermit> {
        let basis = permitted.permit.basis.ok_or(BadPermit::Scope)?;
        let escrow = permitted.attached.find(&basis).ok_or(BadPermit::Scope)?;
        let secret = self.escrow.open(escrow, |to| EscrowUse::in_exchange(binding, to))?;
        let signed = from_secret(&secret).ok_or(BadPermit::Content)?;
        compare(wanted, &signed, binding, certificates).map_err(|_| BadPermit::Content)?;
        Ok(signed)
    }
}

impl TtpItem for StatementThirdParty<'_> {
    fn kind(&self) -> Kind {
        Kind::Statement
    }

    /// No authority keeps a record of statements: whether one was handed over, only the parties know.
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
        let accepted = StatementManager.verify_received(description, got, binding, certificates)?;
        Ok(Observation::Deposited(accepted.evidence))
    }

    fn generate(
        &self,
        binding: &Binding,
        description: &Description,
        permitted: &Permitted,
        certificates: &dyn Certificates,
    ) -> Begun<Result<Generated, BadPermit>> {
        Begun::Done(self.make(binding, description, permitted, certificates))
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
