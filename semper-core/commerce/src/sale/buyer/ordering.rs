//! A buyer under terms: forms, offers and orders, up to the purchase.

use semper_supporting::deal::DealContext;

use super::{Buyer, Stage, opening::can_pay};
use crate::{
    deal::{Party, Terms},
    sale::{
        Agreed, Input, SaleFault, Taken,
        line::Line,
        ordering::{Ordering, Orders, Parting},
    },
};

impl Orders for Buyer {
    const IS_CLIENT: bool = true;

    fn named(&self) -> Option<(Terms, Party, Party)> {
        let intent = &self.plan.intent;
        Some((intent.terms?, intent.me.clone(), intent.peer.clone()))
    }

    fn parts(&mut self) -> (&mut Option<Box<Ordering>>, &mut Line) {
        (&mut self.ordering, &mut self.line)
    }

    fn is_ordering(&self) -> bool {
        self.stage == Stage::Ordering
    }

    fn order(&mut self) {
        self.stage = Stage::Ordering;
    }

    fn end(&mut self, over: Parting) {
        self.stage = Stage::Over(over);
    }

    fn purchase(
        &mut self,
        context: DealContext,
        ordering: &Ordering,
        agreed: &Agreed,
        name: &str,
        input: &Input,
    ) -> Taken {
        let (price, _) = ordering.bargain(agreed, name).ok_or(SaleFault::OutOfPlace)?;
        can_pay(&input.purses, price)?;
        self.plan.price = price;
        self.propose(context, input)
    }
}
