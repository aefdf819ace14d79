//! The party's side: permits for statements, and the check of what comes.

use semper_supporting::{
    crypto::{digest::Digest, signature::Signature},
    deal::DealContext,
    evidence::SignedBytes,
};

use super::item;
use crate::{
    description::{Addressee, Description, Semantics, StatementDescription},
    escrow::{EscrowUse, described},
    fault::{ItemFault, Mismatch},
    item::{Item, Kind},
    property::{
        Accepted, Attached, Binding, Capabilities, Certificates, Delivered, ExchangeEnabled, GenGrade,
        Generated, GenerationPermit, Got, Grade, Permitted, Props, Replacement, ThirdPartyKeys, Transfer,
        VerGrade,
    },
    replacement::rests_on,
};

/// The manager of statements.
#[derive(Clone, Copy, Debug, Default)]
pub struct StatementManager;

impl StatementDescription {
    /// Whether others than the parties must accept the statement as such, so that no attestation by a third
    /// party can stand for it.
    pub fn is_for_others(&self) -> bool {
        self.semantics == Semantics::Certificate || self.addressee == Addressee::Anybody
    }

    /// The grade of generation that such a statement can have.
    fn grade(&self) -> GenGrade {
        if self.is_for_others() { GenGrade::Sealed } else { GenGrade::Affidavit }
    }

    /// Checks that `tbs` is the described text, a statement item signed in the name of its owner.
    pub(super) fn check_text(&self, tbs: &[u8], binding: &Binding) -> Result<(), ItemFault> {
        if Digest::of(tbs) != self.text {
            return Err(Mismatch::Text.into());
        }
        let (_, lines) = item::read(tbs)?;
        if lines.in_deal.cert != self.signer || binding.owner != self.signer {
            return Err(Mismatch::Signature.into());
        }
        Ok(())
    }
}

/// A signed statement as one secret: its signature, 64 bytes, then its exact bytes.
pub(super) fn to_secret(signed: &SignedBytes) -> Vec<u8> {
    [signed.signature.as_bytes().as_slice(), &signed.tbs].concat()
}

/// Reads what [`to_secret`] writes.
pub(super) fn from_secret(secret: &[u8]) -> Option<SignedBytes> {
    let (signature, tbs) = secret.split_first_chunk()?;
    Some(SignedBytes { tbs: tbs.to_vec(), signature: Signature::from_bytes(*signature) })
}

/// Compares a signed statement with its description.
pub(super) fn compare(
    wanted: &StatementDescription,
    signed: &SignedBytes,
    binding: &Binding,
    certificates: &dyn Certificates,
) -> Result<(), Mismatch> {
    if binding.owner != wanted.signer {
        return Err(Mismatch::Binding);
    }
    let key = certificates.key(&wanted.signer).ok_or(Mismatch::Signature)?;
    wanted.matches(signed, &key)?;
    // A message of a protocol, signed for its own purpose, is no item even if its hash was agreed upon.
    let (_, lines) = item::read(&signed.tbs).map_err(|_| Mismatch::Text)?;
    if lines.in_deal.cert == wanted.signer { Ok(()) } else { Err(Mismatch::Signature) }
}

fn statement(description: &Description) -> Result<&StatementDescription, ItemFault> {
    match description {
        Description::Statement(statement) => Ok(statement),
        _ => Err(ItemFault::Kind),
    }
}

impl ExchangeEnabled for StatementManager {
    fn kind(&self) -> Kind {
        Kind::Statement
    }

    fn props(&self, description: &Description, third_party: &Capabilities, _: &DealContext) -> Vec<Props> {
        let Description::Statement(statement) = description else { return Vec::new() };
        let grade = statement.grade();
        if !third_party.offers(grade) {
            return Vec::new();
        }
        let mechanism = if grade == GenGrade::Sealed { "statement/sealed" } else { "statement/affidavit" };
        let deposit = if third_party.deposit { VerGrade::Deposit } else { VerGrade::None };
        vec![Props {
            mechanism: mechanism.into(),
            generatable: Grade::lasting(grade),
            verifiable: Grade::lasting(deposit),
            revocable: Grade::default(),
        }]
    }

    fn make_permit(
        &self,
        item: &Item,
        description: &Description,
        binding: &Binding,
        third_party: &ThirdPartyKeys,
        random: &[u8; 64],
    ) -> Result<Permitted, ItemFault> {
        let Item::Statement { tbs, signature } = item else { return Err(ItemFault::Kind) };
        let wanted = statement(description)?;
        let description = described(description, binding)?;
        wanted.check_text(tbs, binding)?;
        let permit = |basis| GenerationPermit { grade: wanted.grade(), description, basis };
        if wanted.grade() == GenGrade::Affidavit {
            return Ok(Permitted { permit: permit(None), attached: Attached::none() });
        }
        let signature = (*signature).ok_or(ItemFault::Unsigned)?;
        let secret = to_secret(&SignedBytes { tbs: tbs.clone(), signature });
        let (once, _) = random.split_first_chunk::<32>().ok_or(ItemFault::Missing)?;
        let escrow = EscrowUse::in_exchange(binding, third_party).seal(third_party, &secret, once)?;
        Ok(Permitted { permit: permit(Some(Digest::of(&escrow))), attached: Attached::of([escrow]) })
    }

    fn check_permit(
        &self,
        description: &Description,
        permitted: &Permitted,
        binding: &Binding,
        _: &ThirdPartyKeys,
        _: &dyn Certificates,
    ) -> Result<GenGrade, ItemFault> {
        let wanted = statement(description)?;
        let hash = described(description, binding)?;
        let permit = &permitted.permit;
        // Only the owner's permit counts, and the owner of a statement is its signer.
        if permit.description != hash || permit.grade != wanted.grade() || binding.owner != wanted.signer {
            return Err(ItemFault::BadPermit);
        }
        match (permit.grade, permit.basis) {
            (GenGrade::Affidavit, None) => Ok(GenGrade::Affidavit),
            (GenGrade::Sealed, Some(basis)) => {
                permitted.attached.find(&basis).map(|_| GenGrade::Sealed).ok_or(ItemFault::Missing)
            }
            _ => Err(ItemFault::BadPermit),
        }
    }

    fn start_transfer(
        &self,
        item: &Item,
        description: &Description,
        binding: &Binding,
    ) -> Result<Transfer, ItemFault> {
        let Item::Statement { tbs, signature } = item else { return Err(ItemFault::Kind) };
        described(description, binding)?;
        statement(description)?.check_text(tbs, binding)?;
        let tbs = tbs.clone();
        Ok(match *signature {
            None => Transfer::Sign(tbs),
            Some(signature) => Transfer::Deliver(Delivered::Statement(SignedBytes { tbs, signature })),
        })
    }

    fn verify_received(
        &self,
        description: &Description,
        got: &Got,
        binding: &Binding,
        certificates: &dyn Certificates,
    ) -> Result<Accepted, Mismatch> {
        let (Description::Statement(wanted), Got::Statement(signed)) = (description, got) else {
            return Err(Mismatch::Kind);
        };
        let description = described(description, binding).map_err(|_| Mismatch::Binding)?;
        compare(wanted, signed, binding, certificates)?;
        Ok(Accepted { description, evidence: signed.digest() })
    }

    fn verify_replacement(
        &self,
        description: &Description,
        permit: &GenerationPermit,
        replacement: &Replacement,
        binding: &Binding,
        certificates: &dyn Certificates,
    ) -> Result<Accepted, Mismatch> {
        let Description::Statement(wanted) = description else { return Err(Mismatch::Kind) };
        let evidence = rests_on(description, permit, replacement, binding)?;
        match &replacement.content {
            Generated::Affidavit { text, signer, semantics } if replacement.grade == GenGrade::Affidavit => {
                // For others an attestation is worth nothing, whatever the owner permitted.
                if wanted.is_for_others() {
                    return Err(Mismatch::Permit);
                }
                if *text != wanted.text || *semantics != wanted.semantics {
                    return Err(Mismatch::Text);
                }
                if *signer != wanted.signer || binding.owner != wanted.signer {
                    return Err(Mismatch::Signature);
                }
            }
            Generated::Statement(signed) if replacement.grade == GenGrade::Sealed => {
                compare(wanted, signed, binding, certificates)?;
            }
            _ => return Err(Mismatch::Kind),
        }
        Ok(Accepted { description: binding.description, evidence })
    }
}
