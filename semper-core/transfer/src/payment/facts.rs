//! What a person is shown before a request about money goes to a bank.
//!
//! The bank is named by its certificate, the purse by its owner, a payee by its certificate, and every sum is
//! that of the very request. A request that is not about the purse, the bank or the payee in its context has
//! no facts, so that nobody is asked about it.

use semper_supporting::{
    certificate::VerifiedCertificate,
    crypto::signature::Kid,
    money::Money,
    tinguin::{
        Confirmable, Critical, FactKey, FactValue, Facts, PartyName, Provenance, Quote, Quoted, Untrusted,
        facts::{ChoiceKey, FactError, Means},
    },
};

use super::{
    id::{AccountId, SysId},
    message::{AccountKind, Close, Load, Open, Pay, Shift, Unload},
    purse::Purse,
};

/// What was verified before a request to a bank is shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AtBank {
    bank: Kid,
    name: PartyName,
    certified_by: PartyName,
    system: ChoiceKey,
    purse: Quoted,
    held: Option<Held>,
    payee: Option<Payee>,
    arbiter: Option<(Kid, PartyName)>,
}

/// The purse that a request is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Held {
    account: AccountId,
    parent: Option<AccountId>,
    available: Money,
}

/// The party that is paid.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Payee {
    account: AccountId,
    name: PartyName,
    certified_by: PartyName,
}

impl AtBank {
    /// A request to the bank of this certificate, which `issuer` gave, about something that its owner calls
    /// `purse`.
    ///
    /// # Errors
    /// [`FactError`] if a name cannot be shown.
    pub fn new(
        bank: &VerifiedCertificate,
        issuer: &str,
        system: &SysId,
        purse: &str,
    ) -> Result<Self, FactError> {
        Self::named(bank.kid(), &bank.subject().common_name, issuer, system, purse)
    }

    fn named(bank: Kid, name: &str, issuer: &str, system: &SysId, purse: &str) -> Result<Self, FactError> {
        Ok(Self {
            bank,
            name: Untrusted::new(name).name()?,
            certified_by: Untrusted::new(issuer).name()?,
            system: ChoiceKey::new(format!("means-{}", system.as_str()))?,
            purse: Untrusted::new(purse).quote(Quote::Item)?,
            held: None,
            payee: None,
            arbiter: None,
        })
    }

    /// The same about a purse that is there already.
    ///
    /// # Errors
    /// [`FactError`] if its name cannot be shown, [`FactError::Mismatch`] if another bank keeps it.
    pub fn with_purse(self, purse: &Purse) -> Result<Self, FactError> {
        if purse.bank.kid() != self.bank {
            return Err(FactError::Mismatch);
        }
        let name = Untrusted::new(purse.name.as_str()).quote(Quote::Item)?;
        let (account, parent, available) = (purse.account, purse.parent, purse.available());
        Ok(Self { purse: name, held: Some(Held { account, parent, available }), ..self })
    }

    /// The same for a payment to the holder of `payee`, whose account the bank's signed word says is `account`.
    ///
    /// # Errors
    /// [`FactError`] if a name cannot be shown.
    pub fn with_payee(
        self,
        account: AccountId,
        payee: &VerifiedCertificate,
        issuer: &str,
    ) -> Result<Self, FactError> {
        self.paying(account, &payee.subject().common_name, issuer)
    }

    fn paying(self, account: AccountId, name: &str, issuer: &str) -> Result<Self, FactError> {
        let (name, certified_by) = (Untrusted::new(name).name()?, Untrusted::new(issuer).name()?);
        Ok(Self { payee: Some(Payee { account, name, certified_by }), ..self })
    }

    /// The same for a payment that this third party may order back.
    ///
    /// # Errors
    /// [`FactError`] if its name cannot be shown.
    pub fn with_arbiter(self, arbiter: &VerifiedCertificate) -> Result<Self, FactError> {
        let name = Untrusted::new(arbiter.subject().common_name.as_str()).name()?;
        Ok(Self { arbiter: Some((arbiter.kid(), name)), ..self })
    }

    fn held(&self) -> Result<&Held, FactError> {
        self.held.as_ref().ok_or(FactError::Mismatch)
    }

    /// What every request to a bank has: what it does, with what, at which bank.
    fn begin(&self, to: Kid, what: &str) -> Result<Facts, FactError> {
        if to != self.bank {
            return Err(FactError::Mismatch);
        }
        let means = Means { system: self.system.clone(), purse: self.purse.clone() };
        Ok(Facts::new()
            .critical(FactKey::Move, FactValue::Choice(ChoiceKey::new(what)?), request()?)
            .critical(FactKey::Means, FactValue::Means(means), Provenance::entered())
            .critical(
                FactKey::Counterparty,
                FactValue::Party(self.name.clone()),
                Provenance::certified(self.certified_by.clone()),
            ))
    }

    /// The facts of money moved between the purse and the account behind it.
    fn shift(&self, shift: &Shift, into_purse: bool) -> Result<Facts, FactError> {
        let held = self.held()?;
        let (what, from, into, after) = if into_purse {
            let after = held.available.checked_add(shift.amount);
            ("move-load", held.parent, Some(held.account), after)
        } else {
            ("move-unload", Some(held.account), held.parent, held.available.checked_sub(shift.amount))
        };
        if Some(shift.from) != from || Some(shift.into) != into {
            return Err(FactError::Mismatch);
        }
        let after = after.map_err(|_| FactError::Sum)?;
        Ok(self
            .begin(shift.to, what)?
            .critical(FactKey::Amount, FactValue::Money(shift.amount), request()?)
            .detail(FactKey::BalanceAfter, FactValue::Money(after), books()?))
    }
}

/// The request itself says so, in the bytes that are signed.
fn request() -> Result<Provenance, FactError> {
    Ok(Provenance::checked(ChoiceKey::new("check-statement")?))
}

/// The wallet's own books say so.
fn books() -> Result<Provenance, FactError> {
    Ok(Provenance::checked(ChoiceKey::new("check-purse")?))
}

fn choice(key: &str) -> Result<FactValue, FactError> {
    Ok(FactValue::Choice(ChoiceKey::new(key)?))
}

impl Confirmable for Open {
    const FAMILY: Critical = Critical::PurseMove;
    type Context = AtBank;

    fn facts(&self, at: &AtBank) -> Result<Facts, FactError> {
        let what = match self.kind {
            AccountKind::Customer => "move-open-account",
            AccountKind::Purse => "move-open-purse",
            AccountKind::Merchant => "move-open-till",
        };
        if self.key.kid() != self.signer || (self.kind == AccountKind::Purse) != self.parent.is_some() {
            return Err(FactError::Mismatch);
        }
        Ok(at.begin(self.to, what)?.critical(FactKey::Anonymity, choice("learns-bank-name")?, request()?))
    }
}

impl Confirmable for Load {
    const FAMILY: Critical = Critical::PurseMove;
    type Context = AtBank;

    fn facts(&self, at: &AtBank) -> Result<Facts, FactError> {
        at.shift(&self.0, true)
    }
}

impl Confirmable for Unload {
    const FAMILY: Critical = Critical::PurseMove;
    type Context = AtBank;

    fn facts(&self, at: &AtBank) -> Result<Facts, FactError> {
        at.shift(&self.0, false)
    }
}

impl Confirmable for Close {
    const FAMILY: Critical = Critical::PurseMove;
    type Context = AtBank;

    fn facts(&self, at: &AtBank) -> Result<Facts, FactError> {
        let held = at.held()?;
        // The purse, or the account behind it.
        if self.account != held.account && Some(self.account) != held.parent {
            return Err(FactError::Mismatch);
        }
        let what = if self.account == held.account { "move-close-purse" } else { "move-close-account" };
        Ok(at.begin(self.to, what)?.critical(FactKey::Irrevocable, choice("irrevocable-closed")?, request()?))
    }
}

impl Confirmable for Pay {
    const FAMILY: Critical = Critical::Pay;
    type Context = AtBank;

    fn facts(&self, at: &AtBank) -> Result<Facts, FactError> {
        let (held, payee) = (at.held()?, at.payee.as_ref().ok_or(FactError::Mismatch)?);
        let arbiter = at.arbiter.as_ref().map(|(kid, _)| *kid);
        if self.from != held.account || self.payee != payee.account || self.arbiter != arbiter {
            return Err(FactError::Mismatch);
        }
        let after = held.available.checked_sub(self.amount).map_err(|_| FactError::Sum)?;
        let finality = match self.until {
            Some(until) => FactValue::Date(until),
            None => choice("finality-at-once")?,
        };
        let in_return = if self.exch.is_some() { "return-exchange" } else { "return-nothing" };
        let facts = at
            .begin(self.to, "move-pay")?
            .critical(FactKey::Amount, FactValue::Money(self.amount), request()?)
            .critical(
                FactKey::Payee,
                FactValue::Party(payee.name.clone()),
                Provenance::certified(payee.certified_by.clone()),
            )
            .critical(FactKey::InReturn, choice(in_return)?, request()?)
            .critical(FactKey::Finality, finality, request()?)
            .critical(FactKey::Anonymity, choice("learns-bank-and-payee")?, request()?)
            .detail(FactKey::BalanceAfter, FactValue::Money(after), books()?);
        Ok(match &at.arbiter {
            Some((_, name)) => {
                facts.critical(FactKey::ThirdParty, FactValue::Party(name.clone()), request()?)
            }
            None => facts,
        })
    }
}

#[cfg(test)]
mod tests {
    use semper_supporting::{
        crypto::{digest::Digest, signature::PublicKey},
        deal::{Anonymity, Xid},
        money::Currency,
        time::Moment,
        tinguin::{
            Ask, Gate, Level, Part, PromptId, Words,
            gate::{Counts, GateError},
            risk::{Circumstances, Thresholds},
        },
    };

    use super::*;
    use crate::payment::{
        MsgId, PayRef, PurseDelta, PurseId,
        negotiation::ExchangeNeeds,
        purse::{PurseArgs, PurseKind, System},
    };

    const NOW: Moment = Moment::from_seconds(1_800_000_000);
    const ACCOUNT: AccountId = AccountId::from_bytes([1; 16]);
    const PURSE: AccountId = AccountId::from_bytes([2; 16]);
    const SHOP: AccountId = AccountId::from_bytes([3; 16]);
    const MSG: MsgId = MsgId::from_bytes([4; 16]);
    const ME: Kid = Kid::from_bytes([5; 32]);

    fn words() -> Words {
        let catalogue = include_str!("../../../../assets/locale/en/facts.ftl");
        Words::read(ChoiceKey::new("en").unwrap(), catalogue)
    }

    fn money(text: &str) -> Money {
        Money::parse(text).unwrap()
    }

    fn sys() -> SysId {
        SysId::new("sim").unwrap()
    }

    /// A key, as its own name: no signature is checked here.
    fn bank() -> PublicKey {
        PublicKey::from_bytes(&[
            0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
            0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
        ])
        .unwrap()
    }

    fn purse() -> Purse {
        let purse = Purse::new(PurseArgs {
            id: PurseId::from_bytes([6; 16]),
            kind: PurseKind::PayOnly,
            name: "Trial purse".into(),
            system: System { sys: sys(), brand: "semper".into(), scheme: "Trial bank".into() },
            version: (1, 0),
            exchange: ExchangeNeeds { verifiable: true, revocable: true, generatable: false },
            anonymity: Anonymity::Identified,
            bank: bank(),
            account: PURSE,
            parent: Some(ACCOUNT),
            key: ME,
            currency: Currency::XTS,
            at: NOW,
        });
        purse.apply(&PurseDelta::Put(money("XTS 30.00"), Digest::of(b"record"))).unwrap()
    }

    fn at() -> AtBank {
        let at = AtBank::named(bank().kid(), "Trial bank", "Trial authority", &sys(), "New").unwrap();
        at.with_purse(&purse()).unwrap()
    }

    fn shift(amount: &str, from: AccountId, into: AccountId) -> Shift {
        Shift { to: bank().kid(), signer: ME, msg: MSG, from, into, amount: money(amount), at: NOW }
    }

    fn pay(amount: &str) -> Pay {
        Pay {
            to: bank().kid(),
            signer: ME,
            msg: MSG,
            from: PURSE,
            payee: SHOP,
            amount: money(amount),
            reference: PayRef::from_bytes([7; 32]),
            exch: None,
            arbiter: None,
            until: None,
            at: NOW,
        }
    }

    fn close(account: AccountId) -> Close {
        Close { to: bank().kid(), signer: ME, msg: MSG, account, at: NOW }
    }

    /// What a person reads, and at which level it is asked.
    fn read<T: Confirmable<Context = AtBank>>(statement: T, at: &AtBank) -> (String, Level) {
        let part = Part::new(statement, at, &words()).unwrap();
        let ask = Ask {
            parts: vec![part],
            deal: None,
            revision: 0,
            peer: None,
            deadline: None,
            circumstances: Circumstances::default(),
            warnings: Vec::new(),
        };
        let gate = Gate { counts: Counts::Person, thresholds: Thresholds::default() };
        let pending = gate.open(ask, PromptId::from_bytes([8; 16]), NOW).unwrap();
        let prompt = pending.prompt();
        (words().text(prompt.facts()).unwrap(), prompt.friction().level)
    }

    fn refused<T: Confirmable<Context = AtBank>>(statement: T, at: &AtBank) -> &'static str {
        let refused: GateError = Part::new(statement, at, &words()).unwrap_err();
        refused.code()
    }

    #[test]
    fn a_load_says_from_where_how_much_and_what_is_there_then() {
        let (text, level) = read(Load(shift("XTS 50.00", ACCOUNT, PURSE)), &at());
        assert_eq!(level, Level::B);
        assert_eq!(
            text,
            "Moves: from your account into your purse (checked here: the text to be signed)\n\
             Paid with: Play money “Trial purse” (your entry)\n\
             Other party: Trial bank (certified by Trial authority)\n\
             Amount: XTS 50.00 (checked here: the text to be signed)\n\
             Left in the purse: XTS 80.00 (checked here: the wallet’s own books)\n"
        );
        let (text, _) = read(Unload(shift("XTS 30.00", PURSE, ACCOUNT)), &at());
        assert!(text.contains("Left in the purse: XTS 0.00"), "{text}");
    }

    #[test]
    fn what_is_about_another_bank_purse_payee_or_third_party_is_not_asked() {
        let mismatch = "tinguin.mismatch";
        assert_eq!(refused(Load(shift("XTS 1.00", SHOP, PURSE)), &at()), mismatch);
        assert_eq!(refused(Load(shift("XTS 1.00", PURSE, ACCOUNT)), &at()), mismatch);
        assert_eq!(refused(Unload(shift("XTS 1.00", PURSE, SHOP)), &at()), mismatch);
        let elsewhere = Shift { to: ME, ..shift("XTS 1.00", ACCOUNT, PURSE) };
        assert_eq!(refused(Load(elsewhere), &at()), mismatch);
        assert_eq!(refused(Unload(shift("XTS 30.01", PURSE, ACCOUNT)), &at()), "tinguin.sum");
        assert_eq!(refused(close(SHOP), &at()), mismatch);
        assert_eq!(refused(pay("XTS 1.00"), &at()), mismatch);
        let to_shop = at().paying(SHOP, "Otto", "Trial authority").unwrap();
        assert_eq!(refused(Pay { payee: ACCOUNT, ..pay("XTS 1.00") }, &to_shop), mismatch);
        assert_eq!(refused(Pay { arbiter: Some(ME), ..pay("XTS 1.00") }, &to_shop), mismatch);
        assert_eq!(refused(pay("XTS 31.00"), &to_shop), "tinguin.sum");
    }

    #[test]
    fn every_request_about_money_is_said_in_words() {
        let open = |kind, parent| Open {
            to: bank().kid(),
            signer: bank().kid(),
            msg: MSG,
            key: bank(),
            holder: Digest::of(b"certificate"),
            kind,
            currency: Currency::XTS,
            parent,
            at: NOW,
        };
        for (kind, parent) in [
            (AccountKind::Customer, None),
            (AccountKind::Merchant, None),
            (AccountKind::Purse, Some(ACCOUNT)),
        ] {
            let (text, level) = read(open(kind, parent), &at());
            assert!(text.contains("learns your name") && level == Level::A, "{text}");
        }
        assert_eq!(refused(open(AccountKind::Purse, None), &at()), "tinguin.mismatch");
        let (text, _) = read(close(PURSE), &at());
        assert!(text.contains("closes your purse"), "{text}");
        let (text, _) = read(close(ACCOUNT), &at());
        assert!(text.contains("closes your account"), "{text}");

        let shop = at().paying(SHOP, "Otto", "Trial authority").unwrap();
        let (text, level) = read(pay("XTS 12.50"), &shop);
        assert!(text.contains("To: Otto (certified by Trial authority)"), "{text}");
        assert!(text.contains("You get: nothing") && level == Level::B, "{text}");
        let shop = AtBank { arbiter: Some((ME, Untrusted::new("Arbiter").name().unwrap())), ..shop };
        let fair = Pay {
            exch: Some(Xid::from_bytes([9; 32])),
            arbiter: Some(ME),
            until: Some(NOW),
            ..pay("XTS 12.50")
        };
        let (text, _) = read(fair, &shop);
        assert!(text.contains(&format!("Can be taken back: {NOW}")), "{text}");
        assert!(text.contains("Decides after a fault: Arbiter"), "{text}");
    }
}
