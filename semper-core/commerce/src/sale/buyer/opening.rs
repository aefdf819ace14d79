//! The first words: what the buyer can pay, and the deal with its seller.

use semper_supporting::{
    evidence::{SignedBytes, Verified, statement::from_bytes},
    machine::Machine,
    money::Money,
};
use semper_transfer::payment::{
    Purse,
    negotiation::{NegError, NegReason},
};

use super::{Buyer, Stage};
use crate::{
    deal::{
        Client, ClientInput, DealAccept, DealFault, DealNonce, DealOpen, Intent, OpeningOutput, Standing,
    },
    sale::{
        Input, Output, SaleFault, SaleMessage, Taken, fresh,
        line::{Destination, verified},
        ordering::Orders as _,
    },
};

impl Buyer {
    pub(super) fn begin(&mut self, input: &Input) -> Taken {
        let Stage::Opening(client) = &self.stage else { return Err(SaleFault::OutOfPlace) };
        let price = self.plan.price;
        // Sums of different currencies have no order: such a price is above every ceiling.
        if !self.plan.intent.ceiling.is_none_or(|ceiling| price <= ceiling) {
            return Err(SaleFault::Ceiling);
        }
        can_pay(&input.purses, price)?;
        let nonce = DealNonce::from_bytes(fresh("deal", &input.chance));
        let step = (**client).clone().step(ClientInput::Begin(nonce, input.at));
        let outputs = step.outputs;
        self.stage = Stage::Opening(Box::new(step.state));
        self.opening(outputs)
    }

    fn opening(&mut self, outputs: Vec<OpeningOutput>) -> Taken {
        let mut orders = Vec::new();
        for output in outputs {
            match output {
                OpeningOutput::Say(draft) if draft.read::<DealOpen>().is_ok() => {
                    orders.extend(self.line.ask(draft, Destination::Deal));
                }
                OpeningOutput::Say(draft) => orders.extend(self.line.sign(draft, Destination::Deal)),
                OpeningOutput::Opened(context) => {
                    self.line.talk.name(context.id)?;
                }
                OpeningOutput::Refuse(fault) => return Err(fault.into()),
            }
        }
        Ok(orders)
    }

    pub(super) fn accepted(&mut self, signed: SignedBytes, input: &Input) -> Taken {
        let Stage::Opening(client) = &self.stage else { return Err(SaleFault::OutOfPlace) };
        let peer = &self.plan.intent.peer;
        let sessions = self.line.sessions(peer)?;
        let accept: Verified<DealAccept> = verified(signed, &peer.key)?;
        let has = |kind: &str| accept.module.iter().any(|module| module.starts_with(kind));
        if !has("exchange/gxv") || !has("payment/") {
            return Err(DealFault::BadChoice("module").into());
        }
        let kept = accept.bytes().clone();
        // The user is asked about `deal-open` with it at hand.
        self.line.file(&kept);
        let accepted = ClientInput::Accepted(Box::new(accept), sessions, input.at);
        let step = (**client).clone().step(accepted);
        let outputs = step.outputs;
        self.stage = Stage::Opening(Box::new(step.state));
        let mut orders = self.opening(outputs)?;
        orders.push(Output::Keep(kept));
        Ok(orders)
    }

    /// `deal-propose` or `deal-open` is signed.
    pub(super) fn opening_signed(&mut self, signed: &SignedBytes, input: &Input) -> Taken {
        let context = match &self.stage {
            Stage::Opening(client) => match &**client {
                Client::Open(context) => Some((**context).clone()),
                _ => None,
            },
            _ => None,
        };
        let chain = if context.is_none() { self.plan.chain.clone() } else { Vec::new() };
        let mut outputs = vec![Output::Keep(signed.clone())];
        outputs.extend(self.line.send(&SaleMessage::Deal { signed: signed.clone(), chain })?);
        if let Some(context) = context {
            let Intent { me, peer, .. } = &self.plan.intent;
            let standing = Standing::new(&context, me.clone(), peer.clone(), 2);
            let open: DealOpen = from_bytes(&signed.tbs)?;
            outputs.extend(self.line.open(&context, standing, open.exporter, input.at)?);
            outputs.push(Output::Opened(Box::new(context.clone())));
            let begun = self.begin_terms(&context, input);
            outputs.extend(begun.unwrap_or_else(|| self.propose(context, input))?);
        }
        Ok(outputs)
    }
}

/// Whether any of the purses can pay this.
pub(super) fn can_pay(purses: &[Purse], price: Money) -> Result<(), SaleFault> {
    let mut fitting = purses.iter().filter(|purse| purse.can_pay() && purse.currency() == price.currency);
    let reason = match fitting.clone().next() {
        None => NegReason::NoCommonSystem,
        Some(_) if fitting.any(|purse| purse.available() >= price) => return Ok(()),
        Some(_) => NegReason::Insufficient,
    };
    Err(NegError::None(reason).into())
}
