//! The check of every move, before any other block sees it, on both sides alike.

use std::collections::BTreeMap;

use semper_supporting::{
    crypto::{digest::Digest, signature::Kid},
    money::{Currency, Money},
    time::Moment,
};
use semper_transfer::statement::{ItemType, Lines};
use serde::{Deserialize, Serialize};

mod items;

use self::items::Scene;
use super::{
    breach::{Breach, OwnMove},
    configuration::{Configuration, Done, NotEnabled, SKEW},
    terms::Terms,
};
use crate::service::{
    expression::{Place, Value, Values},
    form::{ContentId, Descriptor, FormFault, FormValues, Proofs},
    statechart::{Content, Item, Move, Over},
};

/// What the deal fixed about its two sides.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Fixed {
    /// The key each party signs with in this deal, by its name in the terms.
    pub keys: BTreeMap<String, Kid>,
    /// The account at which each party is paid, where that is known.
    pub accounts: BTreeMap<String, Digest>,
    /// How much the client may have to pay at most in all.
    pub ceiling: Option<Money>,
    /// The currency in which money moves.
    pub currency: Option<Currency>,
}

/// What somebody tries, as far as the messages show.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// The move.
    pub name: String,
    /// The party that starts it.
    pub by: String,
    /// The configuration in which it is started.
    pub conf: Digest,
    /// The time in the message.
    pub at: Moment,
    /// The key that signed the message.
    pub signer: Kid,
    /// The forms that come with it, with everything that is bound in them then.
    pub forms: Vec<FormValues>,
    /// What is to move, by item.
    pub items: BTreeMap<String, Moving>,
}

/// What is to move.
#[derive(Clone, Debug, PartialEq)]
pub enum Moving {
    /// Money.
    Money {
        /// How much.
        amount: Money,
        /// The account that is paid.
        payee: Digest,
    },
    /// A statement.
    Signature {
        /// Its type.
        kind: ItemType,
        /// Its lines.
        lines: Box<Lines>,
        /// SHA-256 of its bytes.
        sha256: Digest,
    },
    /// Information: a form by its root, or what a description says.
    Information {
        /// SHA-256 of the content, or the root of the form.
        sha256: Digest,
        /// What it is said to be, unless it is a form.
        descriptor: Option<Descriptor>,
    },
}

/// A move that was found to be allowed: what it will have brought about once it is done.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Admitted {
    /// The move.
    pub name: String,
    /// The forms as they are bound with it.
    forms: BTreeMap<String, FormValues>,
    /// What it brings about.
    done: Done,
    /// Our own move that it makes void: the two crossed, and this one stands.
    pub voids: Option<String>,
}

/// What came of an attempt of the other side.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It is allowed.
    Admitted(Box<Admitted>),
    /// It crossed with ours, which stands; nobody did wrong.
    Crossed,
}

/// A deal under terms, as one side sees it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Monitor {
    me: String,
    fixed: Fixed,
    configuration: Configuration,
    forms: BTreeMap<String, FormValues>,
    pending: Option<(String, Digest)>,
    frozen: bool,
}

impl Monitor {
    /// The side of `me` of a deal that was opened at `opened`.
    pub fn open(terms: &Terms, me: &str, fixed: Fixed, opened: Moment) -> Self {
        Self {
            me: me.to_owned(),
            fixed,
            configuration: Configuration::start(terms.chart(), terms.sha256(), opened),
            forms: BTreeMap::new(),
            pending: None,
            frozen: false,
        }
    }

    /// Our name in the terms.
    pub fn party(&self) -> &str {
        &self.me
    }

    /// The other side's name in the terms.
    pub fn other<'a>(&self, terms: &'a Terms) -> &'a str {
        let (client, server) = terms.sides();
        if client == self.me { server } else { client }
    }

    /// The account at which `party` is paid, once its bank has vouched for it.
    pub fn paid_at(&mut self, party: &str, account: Digest) {
        self.fixed.accounts.insert(party.to_owned(), account);
    }

    /// What the terms prescribe for the content of an item, where all that it needs is filled in.
    pub fn content(&self, terms: &Terms, item: &str) -> Option<Descriptor> {
        match terms.value(&Place::Matches(item.to_owned()), &self.values(terms, None)) {
            Some(Ok(Value::Descriptor(agreed))) => Some(agreed),
            _ => None,
        }
    }

    /// Until when a signature holds whose time the terms compute, with `forms` as they are filled in now.
    pub fn signature_until(&self, terms: &Terms, item: &str, forms: &[FormValues]) -> Option<Moment> {
        let newer = forms.iter().map(|form| (form.name().to_owned(), form.clone())).collect();
        let values = self.values_with(terms, &newer, None);
        match terms.value(&Place::SignatureUntil(item.to_owned()), &values) {
            Some(Ok(Value::Time(until))) => Some(until),
            _ => None,
        }
    }

    /// Where the deal stands.
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// What is filled in of a form.
    pub fn form(&self, name: &str) -> Option<&FormValues> {
        self.forms.get(name)
    }

    /// The moves that `party` can start here, as far as places, counters and guards say.
    pub fn enabled<'a>(&self, terms: &'a Terms, party: &str, now: Moment) -> Vec<(&'a str, &'a Move)> {
        let values = self.values(terms, Some(now));
        let chart = terms.chart();
        let open = |name: &str| {
            !self.frozen
                && self.configuration.allows(chart, name, party).is_ok()
                && guard(terms, name, &values).is_ok()
        };
        chart.moves.iter().filter(|(name, _)| open(name)).map(|(name, one)| (name.as_str(), one)).collect()
    }

    /// The value that the terms prescribe for an amount of money, where all that it needs is filled in.
    pub fn amount(&self, terms: &Terms, item: &str) -> Option<Money> {
        match terms.value(&Place::Amount(item.to_owned()), &self.values(terms, None)) {
            Some(Ok(Value::Money(money))) => Some(money),
            _ => None,
        }
    }

    /// Until when the deal stands where it stands; nothing at an end.
    pub fn deadline(&self, terms: &Terms) -> Option<Moment> {
        self.configuration.deadline(terms.chart(), self.until(terms))
    }

    /// Checks a move of our own before anything of it is sent.
    ///
    /// # Errors
    /// [`OwnMove`]: nothing is sent then.
    pub fn propose(
        &mut self,
        terms: &Terms,
        attempt: &Attempt,
        proofs: &Proofs,
        now: Moment,
    ) -> Result<Admitted, OwnMove> {
        let conf = self.configuration.conf();
        if attempt.by != self.me {
            return Err(OwnMove(Breach::Sequence));
        }
        if attempt.conf != conf {
            return Err(OwnMove(self.fork()));
        }
        let admitted = self.look(terms, attempt, proofs, now).map_err(OwnMove)?;
        self.pending = Some((attempt.name.clone(), conf));
        Ok(admitted)
    }

    /// Checks a move of the other side; nothing changes until it is [`done`](Self::done).
    ///
    /// # Errors
    /// [`Breach`], by the first check that finds something.
    pub fn admit(
        &self,
        terms: &Terms,
        attempt: &Attempt,
        proofs: &Proofs,
        now: Moment,
    ) -> Result<Answer, Breach> {
        let (client, server) = terms.sides();
        if attempt.by == self.me || ![client, server].contains(&attempt.by.as_str()) {
            return Err(Breach::Sequence);
        }
        if attempt.conf != self.configuration.conf() {
            return Err(self.fork());
        }
        let crossed = self.pending.as_ref().filter(|(_, conf)| *conf == attempt.conf);
        let mut admitted = self.look(terms, attempt, proofs, now)?;
        if let Some((ours, _)) = crossed {
            let first = self.configuration.state(terms.chart()).and_then(|state| state.first.as_deref());
            if first != Some(attempt.by.as_str()) {
                return Ok(Answer::Crossed);
            }
            admitted.voids = Some(ours.clone());
        }
        Ok(Answer::Admitted(Box::new(admitted)))
    }

    /// MOVE: what was admitted is done, at the time its evidence says.
    ///
    /// # Errors
    /// [`Breach::NotEnabled`] where the deal has gone on in between.
    pub fn done(&mut self, terms: &Terms, admitted: Admitted, at: Moment) -> Result<(), Breach> {
        let next = self.configuration.moved(terms.chart(), &admitted.name, &admitted.done, at);
        self.configuration = next.ok_or(NotEnabled::Elsewhere)?;
        self.forms.extend(admitted.forms);
        self.pending = None;
        Ok(())
    }

    /// Check 10: what came as `item` is what was agreed. Goods that are made on demand are checked by their maker's
    /// rules, not by their bytes.
    ///
    /// # Errors
    /// [`Breach::Delivered`].
    pub fn delivered(
        &self,
        terms: &Terms,
        item: &str,
        (length, sha256): (u64, Digest),
    ) -> Result<(), Breach> {
        let agreed = match terms.value(&Place::Matches(item.to_owned()), &self.values(terms, None)) {
            Some(Ok(Value::Descriptor(agreed))) => agreed,
            Some(Ok(_)) => return Ok(()),
            _ => return Err(Breach::Delivered { item: item.to_owned() }),
        };
        let same = match agreed.content {
            ContentId::Bytes(digest) => digest == sha256 && agreed.length == length,
            ContentId::Template { .. } => true,
        };
        if same { Ok(()) } else { Err(Breach::Delivered { item: item.to_owned() }) }
    }

    /// NOTHING: what was admitted came to nothing.
    pub fn came_to_nothing(&mut self, terms: &Terms, name: &str, at: Moment) {
        if let Some(next) = self.configuration.came_to_nothing(terms.chart(), name, at) {
            self.configuration = next;
        }
        self.pending = None;
    }

    /// LATE: the deadline has passed and nothing of the deal is under way. Says whether anything changed.
    pub fn late(&mut self, terms: &Terms, now: Moment) -> bool {
        if self.pending.is_some() || self.frozen {
            return false;
        }
        match self.configuration.late(terms.chart(), self.until(terms), now) {
            Some(next) => {
                self.configuration = next;
                true
            }
            None => false,
        }
    }

    /// COMPLAIN: nothing moves until a verdict; says whether `party` may complain where the deal stands.
    pub fn complain(&mut self, terms: &Terms, party: &str, now: Moment) -> bool {
        let chart = terms.chart();
        let here =
            self.configuration.state(chart).is_some_and(|state| state.complain.iter().any(|p| p == party));
        let afterwards = self
            .configuration
            .end(chart)
            .and_then(|end| end.complain.get(party))
            .is_some_and(|window| now < self.configuration.entered().after(window.span()));
        self.frozen |= here || afterwards;
        here || afterwards
    }

    /// VERDICT: the deal goes on where it stands.
    pub fn resume(&mut self) {
        self.frozen = false;
    }

    /// Checks 3 to 9, in that order.
    fn look(
        &self,
        terms: &Terms,
        attempt: &Attempt,
        proofs: &Proofs,
        now: Moment,
    ) -> Result<Admitted, Breach> {
        let chart = terms.chart();
        if self.frozen {
            return Err(NotEnabled::Elsewhere.into());
        }
        let one = self.configuration.allows(chart, &attempt.name, &attempt.by)?;
        if let Some(deadline) = self.deadline(terms) {
            let last = deadline.after(SKEW);
            if now >= last || attempt.at >= last {
                return Err(Breach::Late);
            }
        }
        let forms = self.fields(terms, one, attempt, proofs)?;
        let mut values = self.values_with(terms, &forms, Some(now));
        for filled in forms.values() {
            let form = terms.form(filled.name()).ok_or_else(|| Breach::Field(filled.name().to_owned()))?;
            if let Some(broken) = filled.broken(form, terms.expressions(), &mut values).first() {
                return Err(Breach::Guard(broken.to_string()));
            }
        }
        guard(terms, &attempt.name, &values)?;
        let mut done = Done {
            forms: forms.iter().map(|(name, filled)| (name.clone(), filled.root())).collect(),
            ..Done::default()
        };
        let scene = Scene { monitor: self, terms, one, attempt, forms: &forms, values: &values };
        scene.items(&mut done)?;
        self.ceiling(terms, &done)?;
        if self.fixed.keys.get(&attempt.by) != Some(&attempt.signer) {
            return Err(Breach::Signer);
        }
        Ok(Admitted { name: attempt.name.clone(), forms, done, voids: None })
    }

    /// Check 5: the forms that the move binds, each continued by the party that started it.
    fn fields(
        &self,
        terms: &Terms,
        one: &Move,
        attempt: &Attempt,
        proofs: &Proofs,
    ) -> Result<BTreeMap<String, FormValues>, Breach> {
        let bound = |name: &str| {
            one.items().filter_map(|leaf| terms.item(leaf)).any(|item| match item {
                Item::Information { content: Content::Carries(form), .. } => form == name,
                Item::Signature { over, .. } => over.contains(&Over::Form(name.to_owned())),
                _ => false,
            })
        };
        let mut forms = BTreeMap::new();
        for theirs in &attempt.forms {
            let name = theirs.name();
            let form = terms.form(name).filter(|_| bound(name));
            let form = form.ok_or_else(|| Breach::Field(format!("{name} is no form of this move")))?;
            let filled = |fault: FormFault| Breach::Field(fault.to_string());
            let mut ours = match self.forms.get(name) {
                // A new version is filled in anew by whoever starts it; what others filled in stays.
                Some(ours) if theirs.version() == ours.version().saturating_add(1) => {
                    ours.renewed(form, &attempt.by)
                }
                Some(ours) => ours.clone(),
                None => FormValues::empty(name),
            };
            ours.adopt((form, &attempt.by), theirs, proofs).map_err(filled)?;
            if let Some(missing) = ours.missing(form, Some(&attempt.by)).into_iter().next() {
                return Err(filled(missing));
            }
            if forms.insert(name.to_owned(), ours).is_some() {
                return Err(Breach::Field(format!("{name} comes twice")));
            }
        }
        Ok(forms)
    }

    /// Check 8.
    fn ceiling(&self, terms: &Terms, done: &Done) -> Result<(), Breach> {
        let (client, _) = terms.sides();
        for money in
            done.money.iter().filter(|(item, _)| terms.item(item).is_some_and(|i| i.giver() == client))
        {
            let Some(ceiling) = self.fixed.ceiling.filter(|ceiling| ceiling.currency == money.1.currency)
            else {
                return Err(Breach::Ceiling);
            };
            let paid = self.configuration.balance(client, ceiling.currency).min(0).unsigned_abs();
            if paid.saturating_add(money.1.minor()) > ceiling.minor() {
                return Err(Breach::Ceiling);
            }
        }
        Ok(())
    }

    fn fork(&self) -> Breach {
        Breach::Fork { step: self.configuration.counts().values().sum::<u32>().saturating_add(1) }
    }

    fn until(&self, terms: &Terms) -> Option<Moment> {
        let place = Place::StateUntil(self.configuration.place().to_owned());
        match terms.value(&place, &self.values(terms, None)) {
            Some(Ok(Value::Time(until))) => Some(until),
            _ => None,
        }
    }

    fn values(&self, terms: &Terms, now: Option<Moment>) -> Values {
        self.values_with(terms, &BTreeMap::new(), now)
    }

    /// What expressions compute from, with `newer` forms in the place of what is bound so far.
    fn values_with(
        &self,
        terms: &Terms,
        newer: &BTreeMap<String, FormValues>,
        now: Option<Moment>,
    ) -> Values {
        let mut values = Values {
            counts: self.configuration.counts().clone(),
            now,
            currency: self.fixed.currency,
            ..Values::default()
        };
        for (name, ours) in &self.forms {
            if let Some(form) = terms.form(name) {
                newer.get(name).unwrap_or(ours).give(form, &mut values);
            }
        }
        for (name, filled) in newer {
            if let Some(form) = terms.form(name) {
                filled.give(form, &mut values);
            }
        }
        terms.expressions().scope().compute(&mut values);
        values
    }
}

/// Check 6, for the move itself.
fn guard(terms: &Terms, name: &str, values: &Values) -> Result<(), Breach> {
    match terms.value(&Place::When(name.to_owned()), values) {
        None | Some(Ok(Value::Bool(true))) => Ok(()),
        Some(Ok(_)) => Err(Breach::Guard("it is not allowed now".to_owned())),
        Some(Err(why)) => Err(Breach::Guard(why.to_string())),
    }
}
