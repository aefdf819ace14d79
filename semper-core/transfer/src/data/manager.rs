//! The party's side: permits for sealed data, and the check of keys and content.

use semper_supporting::{
    crypto::{
        digest::Digest,
        seal::{ContentKey, Measured},
    },
    deal::DealContext,
    evidence::Verified,
};

use crate::{
    description::{DataDescription, Description},
    escrow::{EscrowCert, EscrowUse, described},
    fault::{ItemFault, Mismatch},
    item::{CertifiedEscrow, Item, Kind},
    property::{
        Accepted, Attached, Binding, Capabilities, Certificates, Delivered, ExchangeEnabled, GenGrade,
        Generated, GenerationPermit, Got, Grade, Permitted, Props, Replacement, ThirdPartyKeys, Transfer,
        VerGrade,
    },
    replacement::rests_on,
};

/// Length of an escrow of a content key in bytes.
const ESCROW: usize = 80;

/// The manager of data.
#[derive(Clone, Debug, Default)]
pub struct DataManager {
    evaluators: Vec<Digest>,
    certified: Vec<Digest>,
}

impl DataManager {
    /// A manager that takes the word of no evaluator but the third party itself.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same manager, which also takes these evaluators' word that a seal is good: SHA-256 of their
    /// certificates' DER.
    #[must_use]
    pub fn trusting(mut self, evaluators: impl IntoIterator<Item = Digest>) -> Self {
        self.evaluators.extend(evaluators);
        self
    }

    /// The same manager, which has certified escrows for the goods of these descriptions and offers them so.
    #[must_use]
    pub fn with_certified(mut self, descriptions: impl IntoIterator<Item = Digest>) -> Self {
        self.certified.extend(descriptions);
        self
    }

    /// Checks what somebody signed about an escrow.
    fn certificate(
        &self,
        wanted: &DataDescription,
        binding: &Binding,
        permitted: &Permitted,
        third_party: &ThirdPartyKeys,
        certificates: &dyn Certificates,
    ) -> Result<Verified<EscrowCert>, ItemFault> {
        let basis = permitted.permit.basis.ok_or(ItemFault::BadPermit)?;
        let signed = permitted.attached.statement(&basis).ok_or(ItemFault::Missing)?;
        let claimed: EscrowCert = semper_supporting::evidence::statement::from_bytes(&signed.tbs)?;
        if claimed.by != third_party.certificate && !self.evaluators.contains(&claimed.by) {
            return Err(ItemFault::BadPermit);
        }
        let key = certificates.key(&claimed.by).ok_or(ItemFault::BadPermit)?;
        let cert: Verified<EscrowCert> = signed.clone().verify(&key)?;
        // Somebody else's escrow, pasted into this offer, is good and yet does not open for this owner.
        let fits = cert.desc == binding.description
            && cert.owner == binding.owner
            && cert.cert_t == third_party.certificate
            && Some(cert.sealed) == wanted.sealed
            && Some(cert.key) == wanted.key
            && cert.plain_ok;
        if fits { Ok(cert) } else { Err(ItemFault::BadPermit) }
    }
}

/// Checks that a key is the one the description commits to. Whether the content is the one described is known
/// only once it has been opened with it.
///
/// # Errors
/// [`Mismatch::Key`].
pub fn key_fits(wanted: &DataDescription, key: &ContentKey) -> Result<(), Mismatch> {
    if wanted.key == Some(key.commitment()) { Ok(()) } else { Err(Mismatch::Key) }
}

/// Compares a key, and what opening the sealed content with it measured, with the description.
fn compare(
    wanted: &DataDescription,
    key: &ContentKey,
    measured: Option<&Measured>,
) -> Result<Digest, Mismatch> {
    key_fits(wanted, key)?;
    let measured = measured.ok_or(Mismatch::Content)?;
    if wanted.sealed != Some(measured.sealed) {
        return Err(Mismatch::Sealed);
    }
    wanted.matches(measured.length, &measured.plain)?;
    Ok(measured.plain)
}

fn data(description: &Description) -> Result<&DataDescription, ItemFault> {
    match description {
        Description::Data(data) if data.sealed.is_some() && data.key.is_some() => Ok(data),
        Description::Data(_) => Err(ItemFault::Incomplete("the hash of the sealed content and of its key")),
        _ => Err(ItemFault::Kind),
    }
}

impl ExchangeEnabled for DataManager {
    fn kind(&self) -> Kind {
        Kind::Data
    }

    fn props(&self, description: &Description, third_party: &Capabilities, _: &DealContext) -> Vec<Props> {
        let (Ok(data), Ok(hash)) = (data(description), description.hash()) else { return Vec::new() };
        // Content that is certified was opened by the third party; of sealed content it holds the key only.
        let certifies = third_party.offers(GenGrade::Certified) && data.length <= third_party.longest;
        let deposit = if third_party.deposit { VerGrade::Deposit } else { VerGrade::None };
        let props = |mechanism: &str, grade, authority| Props {
            mechanism: mechanism.into(),
            generatable: Grade { grade, until: None, authority },
            verifiable: Grade::lasting(deposit),
            revocable: Grade::default(),
        };
        let mut found = Vec::new();
        if certifies && self.certified.contains(&hash) {
            found.push(props("data/certified", GenGrade::Certified, Some(third_party.keys.certificate)));
        }
        if third_party.offers(GenGrade::Sealed) {
            found.push(props("data/sealed", GenGrade::Sealed, None));
        }
        found
    }

    fn make_permit(
        &self,
        item: &Item,
        description: &Description,
        binding: &Binding,
        third_party: &ThirdPartyKeys,
        random: &[u8; 64],
    ) -> Result<Permitted, ItemFault> {
        let Item::Data { key, certified } = item else { return Err(ItemFault::Kind) };
        let wanted = data(description)?;
        let hash = described(description, binding)?;
        key_fits(wanted, key)?;
        let permit = |grade, basis| GenerationPermit { grade, description: hash, basis: Some(basis) };
        if let Some(CertifiedEscrow { escrow, certificate }) = certified {
            let permit = permit(GenGrade::Certified, certificate.digest());
            let attached = Attached::of([escrow.clone()]).with(certificate.clone());
            return Ok(Permitted { permit, attached });
        }
        let (once, _) = random.split_first_chunk::<32>().ok_or(ItemFault::Missing)?;
        let escrow = EscrowUse::in_exchange(binding, third_party).seal(third_party, key.as_bytes(), once)?;
        let permit = permit(GenGrade::Sealed, Digest::of(&escrow));
        Ok(Permitted { permit, attached: Attached::of([escrow]) })
    }

    fn check_permit(
        &self,
        description: &Description,
        permitted: &Permitted,
        binding: &Binding,
        third_party: &ThirdPartyKeys,
        certificates: &dyn Certificates,
    ) -> Result<GenGrade, ItemFault> {
        let wanted = data(description)?;
        let hash = described(description, binding)?;
        let permit = &permitted.permit;
        if permit.description != hash {
            return Err(ItemFault::BadPermit);
        }
        let escrow = match permit.grade {
            GenGrade::Sealed => permit.basis.ok_or(ItemFault::BadPermit)?,
            GenGrade::Certified => {
                self.certificate(wanted, binding, permitted, third_party, certificates)?.escrow
            }
            _ => return Err(ItemFault::BadPermit),
        };
        let blob = permitted.attached.find(&escrow).ok_or(ItemFault::Missing)?;
        if blob.len() == ESCROW { Ok(permit.grade) } else { Err(ItemFault::BadPermit) }
    }

    fn start_transfer(
        &self,
        item: &Item,
        description: &Description,
        binding: &Binding,
    ) -> Result<Transfer, ItemFault> {
        let Item::Data { key, .. } = item else { return Err(ItemFault::Kind) };
        described(description, binding)?;
        key_fits(data(description)?, key)?;
        Ok(Transfer::Deliver(Delivered::Key(key.clone())))
    }

    fn verify_received(
        &self,
        description: &Description,
        got: &Got,
        binding: &Binding,
        _: &dyn Certificates,
    ) -> Result<Accepted, Mismatch> {
        let (Description::Data(wanted), Got::Data { key, measured }) = (description, got) else {
            return Err(Mismatch::Kind);
        };
        let description = described(description, binding).map_err(|_| Mismatch::Binding)?;
        let evidence = compare(wanted, key, measured.as_ref())?;
        Ok(Accepted { description, evidence })
    }

    fn verify_replacement(
        &self,
        description: &Description,
        permit: &GenerationPermit,
        replacement: &Replacement,
        binding: &Binding,
        _: &dyn Certificates,
    ) -> Result<Accepted, Mismatch> {
        let Description::Data(wanted) = description else { return Err(Mismatch::Kind) };
        let evidence = rests_on(description, permit, replacement, binding)?;
        let Generated::Key(key) = &replacement.content else { return Err(Mismatch::Kind) };
        compare(wanted, key, replacement.measured.as_ref())?;
        Ok(Accepted { description: binding.description, evidence })
    }
}
