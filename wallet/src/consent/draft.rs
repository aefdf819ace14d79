//! Statements that are known only as bytes: what a payment module drafts for its bank.

use semper_supporting::{
    access::{self, Action},
    crypto::keys::KeyRef,
    evidence::{Signable, SignedBytes, Statement, statement},
};
use semper_transfer::payment::{
    facts::AtBank,
    message::{Close, Inspect, Load, Open, Pay, Query, Unload},
};

use super::{Consent, ConsentFault, Matter};

impl Consent {
    /// Signs the draft of a request to a bank: orders about money as the person confirms them, questions about
    /// the own money without asking.
    ///
    /// # Errors
    /// [`ConsentFault`]; [`ConsentFault::Draft`] for what is no request to a bank.
    pub async fn sign_draft(
        &self,
        key: &KeyRef,
        tbs: &[u8],
        at: &AtBank,
        matter: Matter<'_>,
    ) -> Result<SignedBytes, ConsentFault> {
        let kind = statement::type_of(tbs)?;
        let moves = Action::LoadPurse;
        let signed = match kind.as_str() {
            Open::TYPE => {
                self.sign::<Open>(key, moves, statement::from_bytes(tbs)?, at, matter).await?.bytes().clone()
            }
            Load::TYPE => {
                self.sign::<Load>(key, moves, statement::from_bytes(tbs)?, at, matter).await?.bytes().clone()
            }
            Unload::TYPE => self
                .sign::<Unload>(key, moves, statement::from_bytes(tbs)?, at, matter)
                .await?
                .bytes()
                .clone(),
            Close::TYPE => {
                self.sign::<Close>(key, moves, statement::from_bytes(tbs)?, at, matter).await?.bytes().clone()
            }
            Pay::TYPE => {
                let pay: Pay = statement::from_bytes(tbs)?;
                let facts = access::Facts { amount: Some(pay.amount), ..matter.facts };
                let matter = Matter { facts, ..matter };
                self.sign(key, Action::Pay, pay, at, matter).await?.bytes().clone()
            }
            Inspect::TYPE => self.inquire::<Inspect>(key, tbs, &matter)?,
            Query::TYPE => self.inquire::<Query>(key, tbs, &matter)?,
            _ => return Err(ConsentFault::Draft(kind)),
        };
        // A statement is written in one way only, so these are the bytes of the draft.
        if signed.tbs == tbs { Ok(signed) } else { Err(ConsentFault::Draft(kind)) }
    }

    fn inquire<T: Signable>(
        &self,
        key: &KeyRef,
        tbs: &[u8],
        matter: &Matter<'_>,
    ) -> Result<SignedBytes, ConsentFault> {
        let question: T = statement::from_bytes(tbs)?;
        let permit = self.allowed(Action::ReadDealState, &question, matter)?;
        Ok(self.wallet().keys.sign(key, permit, self.now())?.bytes().clone())
    }
}
