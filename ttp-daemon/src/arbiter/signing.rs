//! What the arbiter signs: the drafts of its machine, each kept as evidence.

use semper_exchange::message::{Affidavit, Decision, Draft, NotYet, Pending, Receipt, Reject, Replacement};
use semper_host::record::entry;
use semper_supporting::{
    archive::{
        Batch, Store,
        journal::{Class as Entries, Kind as Detail},
        record::EvidenceRecord,
    },
    crypto::digest::Digest,
    evidence::{Signable, SignedBytes, Statement as _, statement},
    party::Role,
    time::Moment,
};

use super::{
    Arbiter, ArbiterError, kept,
    step::{Source, Spoken, Work},
    tables::{Asked, bound_to},
};

impl<S: Store> Arbiter<S> {
    /// Signs a draft. The same draft has the same signature however often it is signed.
    pub(super) fn say(
        &self,
        work: &mut Work,
        to: Role,
        draft: &Draft,
        beside: Vec<Digest>,
        source: &Source,
        now: Moment,
    ) -> Result<Spoken, ArbiterError> {
        let bound = bound_to(draft);
        if let (Some((_, Some(code))), Some((before, signed))) = (bound, &source.rejected)
            && code == *before
        {
            return Ok(Spoken { to, signed: signed.clone(), beside });
        }
        let (signed, record) = self.sign(draft, now)?;
        work.lines.push(format!("say {} {}", record.kind, signed.digest()));
        work.rows.push(record.keep());
        if let Some((request, _)) = bound {
            work.rows.push(Asked::answered(request, signed.digest()));
        }
        Ok(Spoken { to, signed, beside })
    }

    pub(super) fn sign(
        &self,
        draft: &Draft,
        now: Moment,
    ) -> Result<(SignedBytes, EvidenceRecord), ArbiterError> {
        match statement::type_of(draft.tbs()).unwrap_or_default().as_str() {
            Receipt::TYPE => self.sign_as::<Receipt>(draft, now),
            Decision::TYPE => self.sign_as::<Decision>(draft, now),
            Replacement::TYPE => self.sign_as::<Replacement>(draft, now),
            Affidavit::TYPE => self.sign_as::<Affidavit>(draft, now),
            NotYet::TYPE => self.sign_as::<NotYet>(draft, now),
            Pending::TYPE => self.sign_as::<Pending>(draft, now),
            Reject::TYPE => self.sign_as::<Reject>(draft, now),
            other => Err(ArbiterError::Draft(other.to_owned())),
        }
    }

    fn sign_as<T: Signable>(
        &self,
        draft: &Draft,
        now: Moment,
    ) -> Result<(SignedBytes, EvidenceRecord), ArbiterError> {
        let value: T = draft.read().map_err(|error| ArbiterError::Draft(error.to_string()))?;
        let signed = self.keys.attest(&self.key, &self.policy, &value, now)?;
        let record = EvidenceRecord::of(&signed, None, Some(self.me.certificate), now, kept(now));
        Ok((signed.bytes().clone(), record))
    }

    /// Signs and keeps a REJECT of a request that never reached a case.
    pub(super) async fn keep_rejection(
        &self,
        draft: &Draft,
        asked: Asked,
        request: EvidenceRecord,
        now: Moment,
    ) -> Result<SignedBytes, ArbiterError> {
        let (signed, record) = self.sign(draft, now)?;
        let (kind, digest) = (&record.kind, signed.digest());
        let line =
            format!("exchange {}\nasked {} {}\nsay {kind} {digest}", asked.xid, asked.kind, asked.hash);
        let batch = Batch::new()
            .row(asked.ensure())
            .row(request.keep())
            .row(record.keep())
            .row(Asked::answered(asked.hash, digest))
            .entry(entry(Detail::of(Entries::Decision, "arbiter"), line, now)?);
        semper_host::record::commit(&*self.store, batch).await?;
        Ok(signed)
    }
}

pub(super) fn is_rejection(signed: &SignedBytes) -> bool {
    statement::type_of(&signed.tbs).is_ok_and(|kind| kind == Reject::TYPE)
}
