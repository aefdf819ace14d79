//! Replacements: made from escrow, and compared with the description where the sealed content is here.

use std::collections::BTreeMap;

use semper_exchange::{
    generatable_verifiable::{ThirdParty, third_party::Event},
    run::Keys,
};
use semper_supporting::{
    archive::Store,
    crypto::{digest::Digest, seal::content::open_whole, signature::PublicKey},
};
use semper_transfer::{
    data::DataThirdParty,
    description::Description,
    property::{Attached, BadPermit, Begun, Binding, Generated, GenerationPermit, Permitted, Side, TtpItem},
    statement::StatementThirdParty,
};

use super::{Arbiter, ArbiterError, step::Work, tables};

impl<S: Store> Arbiter<S> {
    /// Makes a replacement, and compares what a key from escrow opens with the description where the sealed
    /// content is here.
    pub(super) async fn generate(
        &self,
        work: &mut Work,
        binding: &Binding,
        permit: GenerationPermit,
    ) -> Result<Event, ArbiterError> {
        let xid = work.third_party.xid;
        let description = described(&work.third_party, binding)?.clone();
        let sealed = match &description {
            Description::Data(data) => data.sealed,
            Description::Statement(_) | Description::Payment(_) | Description::Credential(_) => None,
        };
        let mut attached = Vec::new();
        for digest in permit.basis.into_iter().chain(sealed) {
            let here = match work.blobs.get(&digest) {
                Some(blob) => Some(blob.clone()),
                None => self.blob(xid, digest).await?,
            };
            attached.extend(here);
        }
        let permitted = Permitted { permit, attached: Attached::of(attached) };
        let keys = certificates(&work.third_party, &work.keys, binding);
        let begun = match &description {
            Description::Statement(_) => StatementThirdParty { escrow: &self.escrow }.generate(
                binding,
                &description,
                &permitted,
                &keys,
            ),
            Description::Data(_) => {
                DataThirdParty { escrow: &self.escrow }.generate(binding, &description, &permitted, &keys)
            }
            Description::Payment(_) | Description::Credential(_) => Begun::Done(Err(BadPermit::Scope)),
        };
        let Begun::Done(result) = begun else { return Err(ArbiterError::Undelivered) };
        let result = result.and_then(|made| opens(&description, &permitted, made));
        if let Ok(made) = &result {
            work.rows.push(tables::made(xid, content(made), made)?);
        }
        let agr = binding.agreement.ok_or(ArbiterError::Undelivered)?;
        Ok(Event::Generated { agr, side: binding.giver, leaf: binding.leaf.clone(), result })
    }
}

/// The description of the leaf that a binding names.
pub(super) fn described<'a>(
    third_party: &'a ThirdParty,
    binding: &Binding,
) -> Result<&'a Description, ArbiterError> {
    let row = third_party.rows.iter().find(|row| Some(row.agr) == binding.agreement);
    let package = row.map(|row| match binding.giver {
        Side::Originator => &row.offer.give_o,
        Side::Responder => &row.offer.give_r,
    });
    package.and_then(|package| package.leaf(&binding.leaf)).ok_or(ArbiterError::Undelivered)
}

fn certificates(third_party: &ThirdParty, keys: &Keys, binding: &Binding) -> BTreeMap<Digest, PublicKey> {
    let rows = third_party.rows.iter().filter(|row| Some(row.agr) == binding.agreement);
    rows.flat_map(|row| [row.run.originator.certificate, row.run.responder.certificate])
        .filter_map(|certificate| keys.of(&certificate).map(|key| (certificate, *key)))
        .collect()
}

/// Opens the sealed content with a key from escrow, if it is here, and compares.
fn opens(description: &Description, permitted: &Permitted, made: Generated) -> Result<Generated, BadPermit> {
    let (Description::Data(data), Generated::Key(key)) = (description, &made) else { return Ok(made) };
    let Some(sealed) = data.sealed.and_then(|digest| permitted.attached.find(&digest)) else {
        return Ok(made);
    };
    let (_, measured) = open_whole(key, sealed).map_err(|_| BadPermit::Content)?;
    data.matches(measured.length, &measured.plain).map_err(|_| BadPermit::Content)?;
    Ok(made)
}

/// The hash by which a replacement names what was made.
fn content(made: &Generated) -> Digest {
    match made {
        Generated::Affidavit { text, .. } => *text,
        Generated::Key(key) => Digest::of(key.as_bytes()),
        Generated::Statement(signed) => signed.digest(),
        Generated::Capture(record) => record.evidence.digest(),
    }
}
