//! The end of a seller: its own wish, what the exchange came to, and the closing of the deal.

use semper_exchange::{
    deadlines::Timer,
    generatable_verifiable::{Originator, originator},
    message::Outcome as TtpOutcome,
};
use semper_supporting::{
    comm::envelope::Conversation,
    evidence::{SignedBytes, Verified},
    fault::Fault as _,
};

use super::{Seller, Stage, Trade};
use crate::{
    deal::{DealClose, DealFault, Outcome},
    sale::{
        Input, Output, SaleFault, SaleMessage, Taken,
        line::{Destination, Line, verified},
        ordering::Closing,
        view::SaleStep,
    },
};

impl Seller {
    /// Gives up: before OFFER is signed the buyer is told and nothing is owed, after it the third party is asked.
    pub(super) fn stop(&mut self, input: &Input) -> Taken {
        let mut outputs = self.exchange(originator::Event::Stopped, input)?;
        if let Stage::Trading(trade) = &mut self.stage
            && matches!(trade.machine, Originator::Declined(_))
        {
            trade.closing = (false, true, true);
            self.line.hush();
            let word = SaleMessage::Declined(DealFault::Declined.code().to_owned());
            outputs.extend(self.line.send(&word)?);
        }
        Ok(outputs)
    }

    /// Once the exchange has ended and the buyer has closed the deal, so do we.
    pub(super) fn close(&mut self, input: &Input) -> Taken {
        if let Stage::Over(over) = &mut self.stage {
            return closing(&mut self.line, &mut over.closing, input);
        }
        let Stage::Trading(trade) = &self.stage else { return Ok(Vec::new()) };
        let mut outputs = Vec::new();
        if matches!(trade.machine, Originator::Delivered(..))
            && trade.parted == Some((Outcome::Done, Some(self.plan.price)))
        {
            // The third party gave the buyer what our ITEM did not: no CLOSE will come, and `t-close`, which is
            // advice, has nothing left to wait for.
            outputs.extend(self.exchange(originator::Event::Elapsed(Timer::Close), input)?);
        }
        let Stage::Trading(trade) = &mut self.stage else { return Ok(outputs) };
        let Some(outcome) = trade.outcome() else { return Ok(outputs) };
        let paid = (outcome != Outcome::Nothing).then_some(self.plan.price);
        if let Some(parted) = trade.parted.take() {
            if parted == (outcome, paid) {
                trade.closing.2 = true;
            } else {
                outputs.push(Output::Fault(DealFault::LedgerDiffers.code()));
            }
        }
        let (ended, said, heard) = trade.closing;
        if !ended {
            trade.closing.0 = true;
            outputs.push(Output::Ended(outcome));
        }
        if heard && !said && self.line.is_quiet() {
            trade.closing.1 = true;
            let talk = self.line.talk.clone();
            if let Some(standing) = &mut self.line.standing {
                let draft = standing.close(&talk, outcome, paid, input.at)?;
                outputs.extend(self.line.sign(draft, Destination::Deal));
            }
        }
        Ok(outputs)
    }

    pub(super) fn closed(&mut self, signed: SignedBytes, before: &Conversation, input: &Input) -> Taken {
        if let Stage::Over(over) = &mut self.stage {
            let standing = self.line.standing.as_ref().ok_or(SaleFault::OutOfPlace)?;
            let close: Verified<DealClose> = verified(signed, &standing.peer.key)?;
            standing.check_close(&close, before, (Outcome::Nothing, None), input.at)?;
            over.closing.heard = true;
            return Ok(vec![Output::Keep(close.bytes().clone())]);
        }
        let Stage::Trading(trade) = &mut self.stage else { return Err(SaleFault::OutOfPlace) };
        let standing = self.line.standing.as_ref().ok_or(SaleFault::OutOfPlace)?;
        let close: Verified<DealClose> = verified(signed, &standing.peer.key)?;
        // The buyer may have ended before us, by the third party: its word waits for our own end.
        let parted = (close.outcome, close.paid);
        standing.check_close(&close, before, parted, input.at)?;
        trade.parted = Some(parted);
        Ok(vec![Output::Keep(close.bytes().clone())])
    }
}

/// The last words of a deal that ended by its terms: after the buyer's.
fn closing(line: &mut Line, closing: &mut Closing, input: &Input) -> Taken {
    let mut outputs = Vec::new();
    if !closing.ended {
        closing.ended = true;
        outputs.push(Output::Ended(Outcome::Nothing));
    }
    if closing.heard && !closing.said && line.is_quiet() {
        closing.said = true;
        let talk = line.talk.clone();
        if let Some(standing) = &mut line.standing {
            let draft = standing.close(&talk, Outcome::Nothing, None, input.at)?;
            outputs.extend(line.sign(draft, Destination::Deal));
        }
    }
    Ok(outputs)
}

impl Trade {
    pub(super) fn outcome(&self) -> Option<Outcome> {
        Some(match &self.machine {
            Originator::Completed(..) | Originator::CompletedByT(_) => Outcome::Done,
            Originator::Aborted(_, TtpOutcome::AbortedClaim) => Outcome::Claim,
            Originator::Aborted(..) | Originator::Declined(_) => Outcome::Nothing,
            _ => return None,
        })
    }

    pub(super) fn step(&self) -> SaleStep {
        match &self.machine {
            Originator::Draft(..) => SaleStep::Offering,
            Originator::Offered(_) => SaleStep::Deciding,
            Originator::Agreed(..) => SaleStep::Paying,
            Originator::Delivered(..) => SaleStep::Delivering,
            Originator::Aborting(..) | Originator::Resolving(..) => SaleStep::Arbitrating,
            Originator::Completed(..)
            | Originator::CompletedByT(_)
            | Originator::Aborted(..)
            | Originator::Declined(_) => SaleStep::Ended,
        }
    }
}
