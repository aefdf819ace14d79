//! One request to a bank: drafted, confirmed, kept, sent until it is answered, settled.

use semper_host::{
    chance,
    record::{commit, entry},
};
use semper_supporting::{
    archive::{
        Batch, RowOp, StoreError,
        journal::{Class, Kind},
        record::{EvidenceRecord, keep_certificate},
    },
    certificate::CertRole,
    comm::{address::Endpoint, session::PeerView},
    crypto::{keys::KeyRef, signature::Kid},
    evidence::{SignedBytes, statement},
    money::Money,
    time::Span,
};
use semper_trade::calls::{CallFault, bank};
use semper_transfer::payment::{
    AccountId, Op, PayError, Purse, PurseId, Status, Stepped, TxId,
    facts::AtBank,
    module::{BankReply, Event, Input, Output},
};

use super::{
    Account, AccountFault, Accounts, keep_purse, purses, sys,
    table::{Run, Work, add_purse},
};
use crate::consent::Matter;

/// How often a bank is asked before the person is told.
const CALLS: u32 = 3;
/// How often a change is tried again when the purse has changed meanwhile.
const TRIES: u32 = 3;
/// How long what a bank said is kept at least: ten years.
const KEEP: Span = Span::days(3653);

/// A bank that answered a call.
pub(super) struct Counter {
    pub(super) address: Endpoint,
    pub(super) peer: PeerView,
}

/// What a request came to.
pub(super) enum Done {
    /// An account was opened.
    Account(AccountId),
    /// A purse was opened, or something was done with it.
    Purse(Box<Purse>),
}

impl Counter {
    pub(super) fn kid(&self) -> Kid {
        self.peer.kid()
    }
}

impl Accounts {
    /// Calls the bank at an address, to see whose certificate it shows.
    pub(super) async fn counter(&self, address: &Endpoint) -> Result<Counter, AccountFault> {
        let session = self.caller.call(address, CertRole::Bank).await?;
        let peer = session.info.peer.clone();
        Ok(Counter { address: address.clone(), peer })
    }

    /// Drafts a request, has it confirmed and signed, and keeps it. Nothing is kept that was not confirmed.
    pub(super) async fn begin(
        &self,
        work: Work,
        purse: Option<&Purse>,
        op: Op,
        at: &AtBank,
        bank: Kid,
    ) -> Result<Run, AccountFault> {
        let tx = TxId::from_bytes(chance::random()?);
        let step = self.modules.start(tx, &sys()?, purse, op, chance::now())?;
        let (tbs, key) = drafted(&step).ok_or(AccountFault::Answer)?;
        let matter = Matter { peer: Some(bank), ..Matter::default() };
        let request = self.consent.sign_draft(&KeyRef::of(key), tbs, at, matter).await?;
        let run = Run { work, bank, transaction: step.transaction, request };
        let (sent, batch) = kept(Class::Sent, &run.request, key, None)?;
        let begun = commit(self.store(), batch.row(run.begin()?).entry(sent)).await;
        match begun {
            Ok(()) => Ok(run),
            Err(StoreError::Duplicate { .. }) => Err(AccountFault::Interrupted),
            Err(error) => Err(error.into()),
        }
    }

    /// Sends a request until it is answered, and keeps what it came to.
    pub(super) async fn settle(&self, counter: &Counter, mut run: Run) -> Result<Done, AccountFault> {
        if counter.kid() != run.bank {
            return Err(AccountFault::OtherBank(counter.address.clone()));
        }
        let mut code = "net.silent".to_owned();
        for _ in 0..CALLS {
            let event = match bank::ask(&self.caller, &counter.address, run.bank, &run.request).await {
                Ok(reply) => {
                    if let BankReply::Refused(said) = &reply {
                        code.clone_from(said);
                    }
                    Event::Bank(reply)
                }
                Err(CallFault::Unreachable(_)) => Event::Unreachable,
                Err(CallFault::Refused(said)) => Event::Bank(BankReply::Refused(said)),
                Err(fault) => return Err(fault.into()),
            };
            let purse = match &run.work {
                Work::Operation { purse } => Some(self.purse(*purse).await?),
                Work::Account { .. } | Work::Purse { .. } => None,
            };
            let input = Input { now: chance::now(), event };
            let step = self.modules.step(&run.transaction, purse.as_ref(), input)?;
            if step.refused {
                return Err(AccountFault::Answer);
            }
            // The same bytes are asked again: they are what was confirmed.
            if drafted(&step).is_some_and(|(tbs, _)| tbs != run.request.tbs) {
                return Err(PayError::Module("another request than was confirmed").into());
            }
            run.transaction = step.transaction.clone();
            match run.transaction.status {
                Status::Succeeded | Status::Settled => return self.done(counter, &run, &step).await,
                Status::Failed => return self.not_done(counter, &run, &step).await,
                _ => commit(self.store(), Batch::new().row(run.keep()?)).await?,
            }
        }
        Err(AccountFault::NotYet { address: counter.address.clone(), code })
    }

    /// Keeps what the bank has done, with its word for it.
    async fn done(&self, counter: &Counter, run: &Run, step: &Stepped) -> Result<Done, AccountFault> {
        match &run.work {
            Work::Account { bank, currency, .. } => {
                let id = opened(step).ok_or(AccountFault::Answer)?;
                let word = said(step).ok_or(AccountFault::Answer)?.digest();
                let certificate = counter.peer.certificate.digest();
                let account = Account::new((id, *bank, *currency), &counter.address, certificate, word);
                self.keep(counter, run, step, Batch::new().row(account.keep())).await?;
                Ok(Done::Account(id))
            }
            Work::Purse { name, parent, .. } => {
                let id = opened(step).ok_or(AccountFault::Answer)?;
                let Op::Open(opening) = &run.transaction.op else { return Err(AccountFault::Answer) };
                let purse = self.new_purse(name, id, *parent, opening, counter)?;
                let position = purses(self.store()).await?.len();
                let batch = add_purse(Batch::new(), &purse, position)?;
                self.keep(counter, run, step, batch).await?;
                Ok(Done::Purse(Box::new(purse)))
            }
            Work::Operation { purse } => self.operated(counter, run, step, *purse).await,
        }
    }

    /// What is in the purse afterwards, as the bank's books say. A sale may use the purse at the same time.
    async fn operated(
        &self,
        counter: &Counter,
        run: &Run,
        step: &Stepped,
        id: PurseId,
    ) -> Result<Done, AccountFault> {
        for _ in 0..TRIES {
            let before = self.purse(id).await?;
            let after = afterwards(&before, step)?;
            let batch = keep_purse(Batch::new(), &before, &after)?;
            match self.keep(counter, run, step, batch).await {
                Ok(()) => return Ok(Done::Purse(Box::new(after))),
                Err(AccountFault::Store(StoreError::Guard { .. })) => {}
                Err(fault) => return Err(fault),
            }
        }
        Err(AccountFault::Busy)
    }

    /// Keeps the bank's word that it will never do it.
    async fn not_done(&self, counter: &Counter, run: &Run, step: &Stepped) -> Result<Done, AccountFault> {
        self.keep(counter, run, step, Batch::new()).await?;
        let code = step.outputs.iter().find_map(|output| match output {
            Output::Refused(code) => Some(code.clone()),
            _ => None,
        });
        Err(AccountFault::Declined {
            address: counter.address.clone(),
            code: code.unwrap_or_else(|| "pay.declined".to_owned()),
        })
    }

    /// Ends the run: with its changes, what the bank said and its certificate, in one batch.
    async fn keep(
        &self,
        counter: &Counter,
        run: &Run,
        step: &Stepped,
        mut batch: Batch,
    ) -> Result<(), AccountFault> {
        let certificate = &counter.peer.certificate;
        if let Some(signed) = said(step) {
            let (received, evidence) = kept(Class::Received, signed, run.bank, Some(counter))?;
            let der = certificate.certificate().der();
            batch = batch.row(keep_certificate(der, certificate.kid(), chance::now())).entry(received);
            batch = evidence.rows.into_iter().fold(batch, Batch::row);
        }
        Ok(commit(self.store(), batch.row(run.end())).await?)
    }
}

/// The journal's line about a signed statement, and the change that keeps it as evidence.
fn kept(
    way: Class,
    signed: &SignedBytes,
    signer: Kid,
    from: Option<&Counter>,
) -> Result<(semper_supporting::archive::journal::Entry, Batch), AccountFault> {
    let (now, kind) = (chance::now(), statement::type_of(&signed.tbs)?);
    let detail = Kind::new(way, &kind).ok_or(AccountFault::Answer)?;
    let line = entry(detail, signed.tbs.clone(), now)?;
    let record = EvidenceRecord {
        kind,
        deal: None,
        signer,
        certificate: from.map(|counter| counter.peer.certificate.digest()),
        at: now,
        signed: signed.clone(),
        keep_until: now.after(KEEP),
    };
    let row: RowOp = record.keep();
    Ok((line, Batch::new().row(row)))
}

/// The purse after what the bank has done.
fn afterwards(before: &Purse, step: &Stepped) -> Result<Purse, PayError> {
    let mut after = before.clone();
    for output in &step.outputs {
        match output {
            Output::Funds(funds) => after = after.reconciled(*funds, chance::now())?,
            Output::Closed => after = emptied(&after)?,
            _ => {}
        }
    }
    Ok(after)
}

/// A purse that was closed: its bank says that nothing is in it.
fn emptied(purse: &Purse) -> Result<Purse, PayError> {
    Ok(purse.reconciled(Money::zero(purse.currency()), chance::now())?.deleted()?)
}

fn drafted(step: &Stepped) -> Option<(&[u8], Kid)> {
    step.outputs.iter().find_map(|output| match output {
        Output::ToBank { tbs, key } => Some((tbs.as_slice(), *key)),
        _ => None,
    })
}

fn opened(step: &Stepped) -> Option<AccountId> {
    step.outputs.iter().find_map(|output| match output {
        Output::Opened(account) => Some(*account),
        _ => None,
    })
}

fn said(step: &Stepped) -> Option<&SignedBytes> {
    step.outputs.iter().find_map(|output| match output {
        Output::Keep(signed) => Some(signed),
        _ => None,
    })
}
