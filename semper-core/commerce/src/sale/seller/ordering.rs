//! A seller under terms: forms, offers and orders, up to the purchase.

use semper_supporting::deal::DealContext;

use super::{Seller, Stage};
use crate::{
    deal::{Party, Terms},
    sale::{
        Agreed, Input, SaleFault, Taken,
        line::Line,
        ordering::{Ordering, Orders, Parting},
    },
};

impl Orders for Seller {
    const IS_CLIENT: bool = false;

    fn named(&self) -> Option<(Terms, Party, Party)> {
        let Stage::Ready(known) = &self.stage else { return None };
        Some((self.plan.house.terms?, self.plan.house.me.clone(), known.buyer.clone()))
    }

    fn parts(&mut self) -> (&mut Option<Box<Ordering>>, &mut Line) {
        (&mut self.ordering, &mut self.line)
    }

    fn is_ordering(&self) -> bool {
        matches!(self.stage, Stage::Ordering(_))
    }

    fn order(&mut self) {
        if let Stage::Ready(known) = &self.stage {
            self.stage = Stage::Ordering(known.clone());
        }
    }

    fn end(&mut self, over: Parting) {
        self.stage = Stage::Over(over);
    }

    fn purchase(
        &mut self,
        _: DealContext,
        ordering: &Ordering,
        agreed: &Agreed,
        name: &str,
        _: &Input,
    ) -> Taken {
        let (price, _) = ordering.bargain(agreed, name).ok_or(SaleFault::OutOfPlace)?;
        let Stage::Ordering(known) = &self.stage else { return Err(SaleFault::OutOfPlace) };
        self.plan.price = price;
        self.stage = Stage::Ready(known.clone());
        Ok(Vec::new())
    }
}
