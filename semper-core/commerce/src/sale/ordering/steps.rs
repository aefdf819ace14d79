//! The steps of a deal under terms, the same for both sides.

use semper_supporting::{
    crypto::digest::Digest, deal::DealContext, evidence::SignedBytes, fault::Fault as _,
};

use super::{Ordering, Parting};
use crate::{
    deal::{DealFault, Party, Terms},
    sale::{Agreed, Input, Output, SaleFault, Taken, Timer, line::Line, message::Beside},
    service::form::FormValues,
};

/// A side of a sale, as the steps of its terms need it.
pub(in crate::sale) trait Orders {
    /// Whether it opened the deal.
    const IS_CLIENT: bool;

    /// The terms that the deal names, this party and the other one.
    fn named(&self) -> Option<(Terms, Party, Party)>;

    /// The deal under its terms, and the line.
    fn parts(&mut self) -> (&mut Option<Box<Ordering>>, &mut Line);

    /// Whether forms, offers and orders go back and forth now.
    fn is_ordering(&self) -> bool;

    /// Forms, offers and orders go back and forth from now on.
    fn order(&mut self);

    /// The deal has ended by its terms.
    fn end(&mut self, over: Parting);

    /// The purchase is next, in this deal, at this price.
    fn purchase(
        &mut self,
        context: DealContext,
        ordering: &Ordering,
        agreed: &Agreed,
        name: &str,
        input: &Input,
    ) -> Taken;

    /// The deal is open under terms that both sides hold: it begins as they say. Nothing if it is under none.
    fn begin_terms(&mut self, context: &DealContext, input: &Input) -> Option<Taken> {
        let (names, me, peer) = self.named()?;
        let agreed = input.agreed.clone()?;
        if agreed.terms.sha256() != names.terms_sha256 {
            return Some(Err(DealFault::TermsUnknown.into()));
        }
        let ordering = Ordering::open(&agreed, names, context.clone(), (me, peer), Self::IS_CLIENT);
        let (place, line) = self.parts();
        line.conf = Some(ordering.monitor().configuration().conf());
        *place = Some(Box::new(ordering));
        self.order();
        Some(self.go_on(&agreed, input))
    }

    /// What follows where the deal stands now: the purchase, an end, or a choice.
    fn go_on(&mut self, agreed: &Agreed, input: &Input) -> Taken {
        let ordering = self.parts().0.clone().ok_or(SaleFault::OutOfPlace)?;
        if let Some(end) = ordering.end(agreed) {
            self.end(Parting::at(end));
            return Ok(Vec::new());
        }
        if let Some(name) = ordering.purchase(agreed, input.at) {
            self.parts().1.step = Some(name.clone());
            return self.purchase(ordering.context.clone(), &ordering, agreed, &name, input);
        }
        let mut outputs = Vec::new();
        if let Some(span) = ordering.left(agreed, input.at) {
            outputs.push(Output::Set { timer: Timer::Terms, span });
        }
        let choices = ordering.choices(agreed, input.at);
        if !choices.is_empty() {
            outputs.push(Output::Choose(choices));
        }
        Ok(outputs)
    }

    /// A move is made, with the forms as they are filled in now.
    fn make(&mut self, name: &str, forms: &[FormValues], input: &Input) -> Taken {
        if !self.is_ordering() {
            return Err(SaleFault::OutOfPlace);
        }
        match (&input.agreed, self.parts()) {
            (Some(agreed), (Some(ordering), line)) => {
                ordering.make(agreed, line, (name, forms.to_vec()), input)
            }
            _ => Err(SaleFault::OutOfPlace),
        }
    }

    /// A statement or message of a move of ours is signed.
    fn move_signed(&mut self, signed: &SignedBytes, input: &Input) -> Taken {
        let agreed = input.agreed.clone().ok_or(SaleFault::OutOfPlace)?;
        let (Some(ordering), line) = self.parts() else { return Err(SaleFault::OutOfPlace) };
        let (more, is_done) = ordering.signed(&agreed, line, signed, input)?;
        let outputs = [vec![Output::Keep(signed.clone())], more].concat();
        self.then(outputs, is_done, &agreed, input)
    }

    /// The statement of a move is not signed: the choice is there again.
    fn move_refused(&mut self, digest: Digest, input: &Input) -> Taken {
        let agreed = input.agreed.clone().ok_or(SaleFault::OutOfPlace)?;
        let ordering = self.parts().0.as_mut().ok_or(SaleFault::OutOfPlace)?;
        if ordering.refused(digest) { self.go_on(&agreed, input) } else { Err(SaleFault::OutOfPlace) }
    }

    /// A transfer of the other side, or its receipt. What the terms do not allow is kept, and changes nothing.
    fn moved(&mut self, signed: SignedBytes, beside: &[Beside], input: &Input) -> Taken {
        let agreed = input.agreed.clone().ok_or(SaleFault::OutOfPlace)?;
        let (Some(ordering), line) = self.parts() else { return Err(SaleFault::OutOfPlace) };
        match ordering.heard(&agreed, line, (signed.clone(), beside), input) {
            Ok((outputs, is_done)) => self.then(outputs, is_done, &agreed, input),
            Err(SaleFault::Breach(breach)) => Ok(vec![Output::Keep(signed), Output::Fault(breach.code())]),
            Err(fault) => Err(fault),
        }
    }

    /// The deadline of a state may have passed.
    fn late(&mut self, input: &Input) -> Taken {
        let Some(agreed) = input.agreed.clone().filter(|_| self.is_ordering()) else { return Ok(Vec::new()) };
        let (Some(ordering), line) = self.parts() else { return Ok(Vec::new()) };
        if ordering.late(&agreed, line, input.at) { self.go_on(&agreed, input) } else { Ok(Vec::new()) }
    }

    /// Goes on after `outputs`, if a move is done with them.
    fn then(&mut self, mut outputs: Vec<Output>, is_done: bool, agreed: &Agreed, input: &Input) -> Taken {
        if is_done && self.is_ordering() {
            outputs.extend(self.go_on(agreed, input)?);
        }
        Ok(outputs)
    }
}
