//! The end of a buyer: what the exchange came to, and the closing of the deal.

use semper_exchange::generatable_verifiable::Responder;
use semper_supporting::{
    comm::envelope::Conversation,
    evidence::{SignedBytes, Verified},
};

use super::{Buyer, Stage, Trade};
use crate::{
    deal::{DealClose, DealFault, Outcome},
    sale::{
        Input, Output, SaleFault, Taken,
        line::{Destination, verified},
        view::SaleStep,
    },
};

impl Buyer {
    /// Once the exchange has ended and nothing waits for a signature, the deal is closed.
    pub(super) fn close(&mut self, input: &Input) -> Taken {
        let (outcome, closing) = match &mut self.stage {
            Stage::Trading(trade) => (trade.outcome(), &mut trade.closing),
            Stage::Over(over) => (Some(Outcome::Nothing), &mut over.closing),
            _ => return Ok(Vec::new()),
        };
        let Some(outcome) = outcome else { return Ok(Vec::new()) };
        let mut outputs = Vec::new();
        if !closing.ended {
            closing.ended = true;
            outputs.push(Output::Ended(outcome));
        }
        if !closing.said && self.line.is_quiet() {
            closing.said = true;
            let paid = (outcome != Outcome::Nothing).then_some(self.plan.price);
            let talk = self.line.talk.clone();
            if let Some(standing) = &mut self.line.standing {
                let draft = standing.close(&talk, outcome, paid, input.at)?;
                outputs.extend(self.line.sign(draft, Destination::Deal));
            }
        }
        Ok(outputs)
    }

    pub(super) fn closed(&mut self, signed: SignedBytes, before: &Conversation, input: &Input) -> Taken {
        let (outcome, closing) = match &mut self.stage {
            Stage::Trading(trade) => (trade.outcome(), &mut trade.closing),
            Stage::Over(over) => (Some(Outcome::Nothing), &mut over.closing),
            _ => return Err(SaleFault::OutOfPlace),
        };
        let standing = self.line.standing.as_ref().ok_or(SaleFault::OutOfPlace)?;
        let close: Verified<DealClose> = verified(signed, &standing.peer.key)?;
        let outcome = outcome.ok_or(DealFault::Owes)?;
        let paid = (outcome != Outcome::Nothing).then_some(self.plan.price);
        standing.check_close(&close, before, (outcome, paid), input.at)?;
        closing.heard = true;
        Ok(vec![Output::Keep(close.bytes().clone())])
    }
}

impl Trade {
    pub(super) fn outcome(&self) -> Option<Outcome> {
        Some(match &self.machine {
            Responder::Completed(..) | Responder::CompletedByT(_) => Outcome::Done,
            Responder::Aborted(..) | Responder::Declined(..) => Outcome::Nothing,
            Responder::Claim(_) => Outcome::Claim,
            _ => return None,
        })
    }

    pub(super) fn step(&self) -> SaleStep {
        match &self.machine {
            Responder::Idle(_) => SaleStep::Offering,
            Responder::Asking(..) | Responder::Agreed(_) => SaleStep::Deciding,
            Responder::Moving(..) => SaleStep::Paying,
            Responder::Waiting(_) => SaleStep::Delivering,
            Responder::Aborting(..) | Responder::Resolving(..) => SaleStep::Arbitrating,
            Responder::Completed(..)
            | Responder::CompletedByT(_)
            | Responder::Aborted(..)
            | Responder::Claim(_)
            | Responder::Declined(..) => SaleStep::Ended,
        }
    }
}
