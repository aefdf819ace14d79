//! The first words: the deal that a buyer proposes.

use semper_supporting::{
    evidence::{SignedBytes, Verified},
    machine::Machine,
};

use super::{Known, Seller, Stage};
use crate::{
    deal::{
        DealFault, DealNonce, DealOpen, DealPropose, OpeningOutput, Party, Server, ServerInput, Standing,
    },
    sale::{
        Input, Output, SaleFault, Taken, fresh,
        line::{Destination, verified},
        ordering::Orders as _,
    },
};

impl Seller {
    /// `deal-propose` or `deal-open`.
    pub(super) fn opening(&mut self, signed: SignedBytes, shown: Option<&Party>, input: &Input) -> Taken {
        let Stage::Opening(server) = &self.stage else { return Err(SaleFault::OutOfPlace) };
        let kept = Output::Keep(signed.clone());
        let mut named = None;
        let event = match &**server {
            Server::Listening(_) => {
                let buyer = shown.ok_or(DealFault::WrongKey)?;
                let sessions = self.line.sessions(buyer)?;
                let session = *sessions.last().ok_or(DealFault::WrongKey)?;
                let propose: Verified<DealPropose> = verified(signed, &buyer.key)?;
                let nonce = DealNonce::from_bytes(fresh("deal", &input.chance));
                ServerInput::Proposed(Box::new(propose), Box::new(buyer.clone()), session, nonce, input.at)
            }
            Server::Accepted(_, buyer, _) => {
                let open: Verified<DealOpen> = verified(signed, &buyer.key)?;
                named = Some(open.exporter);
                ServerInput::Confirmed(Box::new(open), self.line.sessions(buyer)?, input.at)
            }
            Server::Open(..) | Server::Refused => return Err(SaleFault::OutOfPlace),
        };
        let step = (**server).clone().step(event);
        let mut outputs = vec![kept];
        for output in step.outputs {
            match output {
                OpeningOutput::Say(draft) => outputs.extend(self.line.sign(draft, Destination::Deal)),
                OpeningOutput::Opened(context) => outputs.push(Output::Opened(context)),
                OpeningOutput::Refuse(fault) => return Err(fault.into()),
            }
        }
        match &step.state {
            Server::Accepted(context, ..) => self.line.talk.name(context.id)?,
            Server::Open(context, buyer) => {
                let me = self.plan.house.me.clone();
                let standing = Standing::new(context, me, buyer.clone(), 1);
                let named = named.ok_or(SaleFault::OutOfPlace)?;
                outputs.extend(self.line.open(context, standing, named, input.at)?);
                let known = Known { context: (**context).clone(), buyer: buyer.clone() };
                let context = known.context.clone();
                self.stage = Stage::Ready(Box::new(known));
                if let Some(begun) = self.begin_terms(&context, input) {
                    outputs.extend(begun?);
                }
                return Ok(outputs);
            }
            Server::Listening(_) | Server::Refused => {}
        }
        self.stage = Stage::Opening(Box::new(step.state));
        Ok(outputs)
    }
}
