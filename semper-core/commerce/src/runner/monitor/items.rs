//! Check 7: what would move is exactly what the terms prescribe.

use std::collections::BTreeMap;

use semper_supporting::{crypto::digest::Digest, money::Money};
use semper_transfer::statement::{ItemType, Lines};

use super::{Attempt, Breach, Done, Monitor, Moving, Terms};
use crate::service::{
    expression::{Place, Value, Values},
    form::{Descriptor, FormValues},
    statechart::{Content, Item, Move, Over, Until},
};

/// One attempt with everything its items are held against.
pub(super) struct Scene<'a> {
    pub(super) monitor: &'a Monitor,
    pub(super) terms: &'a Terms,
    pub(super) one: &'a Move,
    pub(super) attempt: &'a Attempt,
    pub(super) forms: &'a BTreeMap<String, FormValues>,
    pub(super) values: &'a Values,
}

impl Scene<'_> {
    /// Check 7: exactly the items of the move, each as the terms prescribe it.
    pub(super) fn items(&self, done: &mut Done) -> Result<(), Breach> {
        let wrong = |item: &str, what| Breach::Item { item: item.to_owned(), what };
        if let Some(stray) =
            self.attempt.items.keys().find(|name| !self.one.items().any(|leaf| leaf == **name))
        {
            return Err(wrong(stray, "is no part of this move"));
        }
        for leaf in self.one.items() {
            let item = self.terms.item(leaf).ok_or_else(|| wrong(leaf, "is unknown"))?;
            let moving = self.attempt.items.get(leaf).ok_or_else(|| wrong(leaf, "is missing"))?;
            let sha256 = match (item, moving) {
                (Item::Money { to, .. }, Moving::Money { amount, payee }) => {
                    self.money(leaf, to, *amount, *payee).map_err(|what| wrong(leaf, what))?;
                    done.money.insert(leaf.to_owned(), *amount);
                    None
                }
                (Item::Signature { .. }, Moving::Signature { kind, lines, sha256 }) => {
                    self.signature(leaf, item, *kind, lines).map_err(|what| wrong(leaf, what))?;
                    Some(*sha256)
                }
                (Item::Information { content, .. }, Moving::Information { sha256, descriptor }) => {
                    self.information(leaf, content, *sha256, descriptor.as_ref())
                        .map_err(|what| wrong(leaf, what))?;
                    Some(*sha256)
                }
                _ => return Err(wrong(leaf, "is of another kind")),
            };
            done.items.extend(sha256.map(|sha256| (leaf.to_owned(), sha256)));
        }
        Ok(())
    }

    fn money(&self, leaf: &str, to: &str, amount: Money, payee: Digest) -> Result<(), &'static str> {
        match self.terms.value(&Place::Amount(leaf.to_owned()), self.values) {
            Some(Ok(Value::Money(owed))) if owed == amount => {}
            Some(Ok(Value::Money(_))) => return Err("the amount is not the one the terms give"),
            _ => return Err("the amount cannot be computed"),
        }
        match self.monitor.fixed.accounts.get(to) {
            Some(account) if *account == payee => Ok(()),
            _ => Err("another account would be paid"),
        }
    }

    fn signature(&self, leaf: &str, item: &Item, kind: ItemType, lines: &Lines) -> Result<(), &'static str> {
        let Item::Signature { by, over, binds, until, .. } = item else { return Err("is of another kind") };
        let (mut forms, mut items) = (Vec::new(), Vec::new());
        for one in over {
            match one {
                Over::Form(name) => {
                    forms.push(self.root(name).ok_or("a form that it is over is not filled in")?)
                }
                Over::Item(name) => {
                    items.push(self.hash(name).ok_or("an item that it is over has not moved")?)
                }
            }
        }
        let holds = match until {
            None => None,
            Some(Until::After(span)) => Some(lines.in_deal.at.after(span.span())),
            Some(Until::At(_)) => {
                match self.terms.value(&Place::SignatureUntil(leaf.to_owned()), self.values) {
                    Some(Ok(Value::Time(until))) => Some(until),
                    _ => return Err("how long it holds cannot be computed"),
                }
            }
        };
        let fits = [
            (kind == ItemType::of_item(leaf), "it is a statement of another type"),
            (lines.item == leaf, "it has another name"),
            (lines.form_sha256 == forms, "it is over other forms"),
            (lines.over == items, "it is over other items"),
            (lines.binds == *binds, "it binds otherwise"),
            (lines.until == holds, "it holds for another time"),
            (lines.in_deal.terms_sha256 == Some(self.terms.sha256()), "it is under other terms"),
            (lines.in_deal.conf == Some(self.attempt.conf), "it is said elsewhere in the deal"),
            (self.monitor.fixed.keys.get(by) == Some(&lines.in_deal.signer), "another key signs it"),
        ];
        match fits.into_iter().find(|(fits, _)| !fits) {
            Some((_, what)) => Err(what),
            None => Ok(()),
        }
    }

    fn information(
        &self,
        leaf: &str,
        content: &Content,
        sha256: Digest,
        descriptor: Option<&Descriptor>,
    ) -> Result<(), &'static str> {
        match content {
            Content::Carries(form) => {
                let root = self.root(form).ok_or("its form is not filled in")?;
                if root == sha256 && descriptor.is_none() { Ok(()) } else { Err("it is another form") }
            }
            Content::Matches(_) => match self.terms.value(&Place::Matches(leaf.to_owned()), self.values) {
                Some(Ok(Value::Descriptor(agreed))) if Some(&agreed) == descriptor => Ok(()),
                Some(Ok(Value::Descriptor(_))) => Err("it is something else than was agreed"),
                // What only a person can judge was agreed in words.
                Some(Ok(_)) => Ok(()),
                _ => Err("what it should be cannot be computed"),
            },
        }
    }

    /// The root of a form, as the move leaves it.
    fn root(&self, name: &str) -> Option<Digest> {
        self.forms.get(name).map(FormValues::root).or_else(|| self.monitor.configuration.form(name))
    }

    /// The hash of an item that has moved, or that moves in the same exchange.
    fn hash(&self, name: &str) -> Option<Digest> {
        let together = self.attempt.items.get(name).and_then(|moving| match moving {
            Moving::Signature { sha256, .. } | Moving::Information { sha256, .. } => Some(*sha256),
            Moving::Money { .. } => None,
        });
        together.or_else(|| self.monitor.configuration.item(name))
    }
}
