//! One registration as the authority keeps it: who, which key, how far, how many wrong tries.
//!
//! ```text
//! Entered -> Printed -> Issuing -> Used -> Revoked
//!    |          |                    '---> RolledOver
//!    '----------'--> Void                        Locked: a time beside the state, after 5 wrong tries in a day
//! ```
//!
//! **Invariant.** From `Issuing` on the requests are fixed. There is no way back, so that a registration gives
//! one set of certificates, ever.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use super::{
    message::{Asked, CertificateSet},
    prk::PrkKey,
};
use crate::{
    certificate::{Class, Issuance, Subject, status::RevocationReason},
    time::{Moment, Span},
};

/// How many wrong tries a day allows.
pub const TRIES_A_DAY: u8 = 5;
/// How many wrong tries a registration allows in all.
pub const TRIES_IN_ALL: u8 = 20;
/// How long a nonce can be used.
pub const NONCE_LIFE: Span = Span::minutes(5);
const DAY: Span = Span::days(1);

crate::identifier! {
    /// Names a registration at its authority: 16 random bytes.
    RecordId, 16
}

/// Who registers: decides which certificates the set has.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A person: one certificate to sign with and one for connections.
    Person,
    /// A merchant.
    Merchant,
    /// An arbiter.
    Arbiter,
    /// An evaluator.
    Evaluator,
    /// A bank.
    Bank,
    /// A directory.
    Directory,
    /// The service of a certification authority.
    CaService,
    /// A time-stamping service.
    TimeStamp,
}

impl Kind {
    /// The most requests that any registration has.
    pub const MOST_REQUESTS: usize = 2;

    /// The classes of the certificates in the set, in their order.
    pub const fn classes(self) -> &'static [Class] {
        match self {
            Self::Person => &[Class::PersonSign, Class::PersonAuth],
            Self::Merchant => &[Class::Merchant],
            Self::Arbiter => &[Class::Arbiter],
            Self::Evaluator => &[Class::Evaluator],
            Self::Bank => &[Class::Bank],
            Self::Directory => &[Class::Directory],
            Self::CaService => &[Class::CaService],
            Self::TimeStamp => &[Class::TimeStamp],
        }
    }
}

/// The names by which somebody registers.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Names {
    /// The name.
    pub name: String,
    /// The organisation, where there is one.
    pub organisation: Option<String>,
    /// The city, where the class of certificate has one.
    pub city: Option<String>,
    /// The country, two letters.
    pub country: Option<String>,
}

impl Names {
    /// The names in a subject.
    pub fn of(subject: &Subject) -> Self {
        Self {
            name: subject.common_name.clone(),
            organisation: subject.organisation.clone(),
            city: subject.locality.clone(),
            country: subject.country.clone(),
        }
    }

    /// Whether they mean the same: compared in normalisation form KC, without regard to case and to how much
    /// white space there is.
    pub fn agree(&self, other: &Self) -> bool {
        let fold = |names: &Self| {
            [Some(&names.name), names.organisation.as_ref(), names.city.as_ref(), names.country.as_ref()]
                .map(|name| folded(name.map_or("", String::as_str)))
        };
        fold(self) == fold(other)
    }

    pub(super) fn parts(&self) -> [&[u8]; 4] {
        [Some(&self.name), self.organisation.as_ref(), self.city.as_ref(), self.country.as_ref()]
            .map(|name| name.map_or(&[] as &[u8], |name| name.as_bytes()))
    }
}

/// Case folding by way of the capitals, which makes `ß` and `ss`, `ς` and `σ` one.
fn folded(text: &str) -> String {
    let plain: String = text.nfkc().collect::<String>().to_uppercase().to_lowercase().nfkc().collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ").replace('ς', "σ")
}

/// One registration.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Registration {
    /// Its name.
    pub id: RecordId,
    /// Which set it gives.
    pub kind: Kind,
    /// Whom the certificates will be about.
    pub subject: Subject,
    /// What the authority also confirmed, for credentials: `adult`, `eu`.
    pub attributes: Vec<String>,
    /// The policy under which the person was checked.
    pub policy: Option<String>,
    /// K of the registration key; the key itself is nowhere.
    pub key: PrkKey,
    /// How far it is.
    pub state: RegState,
    /// Its wrong tries.
    pub tries: Tries,
    /// The nonce that was given out last, until it is used.
    pub nonce: Option<Nonce>,
}

/// How far a registration is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum RegState {
    /// The names are entered.
    Entered,
    /// The letter is printed; the key works.
    Printed,
    /// The certificates are being made; which ones is settled.
    Issuing(Settled),
    /// The certificates were issued.
    Used(Settled, CertificateSet),
    /// The certificates were issued and are revoked.
    Revoked {
        /// Since when.
        since: Moment,
        /// Why.
        reason: RevocationReason,
        /// What had been issued.
        settled: Settled,
        /// The certificates.
        set: CertificateSet,
    },
    /// Another set took its place, by a statement signed with the old key.
    RolledOver {
        /// Since when.
        since: Moment,
        /// What had been issued.
        settled: Settled,
        /// The certificates.
        set: CertificateSet,
    },
    /// The key is void: too many wrong tries, or the operator said so.
    Void {
        /// Why.
        reason: String,
    },
}

/// What a registration gives, settled before it is made and never changed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Settled {
    /// What was asked.
    pub asked: Asked,
    /// The orders to issue, in the order of the requests.
    pub orders: Vec<Issuance>,
    /// When.
    pub at: Moment,
}

/// A nonce and when it was given out.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Nonce {
    /// Its bytes.
    pub bytes: [u8; 32],
    /// When.
    pub at: Moment,
}

/// Wrong tries, counted by the day that begins with the first of them.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Tries {
    /// When the day began.
    pub since: Moment,
    /// In this day.
    pub today: u8,
    /// In all.
    pub in_all: u8,
}

impl Tries {
    /// Until when no try is taken, if that is not over at `now`.
    pub fn locked_until(&self, now: Moment) -> Option<Moment> {
        let until = self.since.after(DAY);
        (self.today >= TRIES_A_DAY && now < until).then_some(until)
    }

    /// Counts a wrong try and says how many more this day allows.
    pub(super) fn count(&mut self, now: Moment) -> u8 {
        if self.today == 0 || now >= self.since.after(DAY) {
            (self.since, self.today) = (now, 0);
        }
        self.today = self.today.saturating_add(1);
        self.in_all = self.in_all.saturating_add(1);
        TRIES_A_DAY.saturating_sub(self.today)
    }
}

impl Settled {
    /// The last moment of the validity of what was settled.
    pub fn until(&self) -> Moment {
        let ends = self.orders.iter().map(|order| order.from.after(order.class.rules().validity));
        ends.max().unwrap_or(self.at)
    }
}

impl Registration {
    /// A registration whose names were just entered.
    pub fn entered(id: RecordId, kind: Kind, subject: Subject, key: PrkKey) -> Self {
        Self {
            id,
            kind,
            subject,
            attributes: Vec::new(),
            policy: None,
            key,
            state: RegState::Entered,
            tries: Tries::default(),
            nonce: None,
        }
    }

    /// What was settled, once it was.
    pub fn settled(&self) -> Option<&Settled> {
        match &self.state {
            RegState::Issuing(settled)
            | RegState::Used(settled, _)
            | RegState::Revoked { settled, .. }
            | RegState::RolledOver { settled, .. } => Some(settled),
            RegState::Entered | RegState::Printed | RegState::Void { .. } => None,
        }
    }

    /// The certificates, once they were issued.
    pub fn set(&self) -> Option<&CertificateSet> {
        match &self.state {
            RegState::Used(_, set) | RegState::Revoked { set, .. } | RegState::RolledOver { set, .. } => {
                Some(set)
            }
            RegState::Entered | RegState::Printed | RegState::Issuing(_) | RegState::Void { .. } => None,
        }
    }

    /// Uses the nonce up and gives it, if it can still be used at `now`.
    pub(super) fn take_nonce(&mut self, now: Moment) -> Option<[u8; 32]> {
        let nonce = self.nonce.take()?;
        (nonce.at <= now && now < nonce.at.after(NONCE_LIFE)).then_some(nonce.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(name: &str, city: &str) -> Names {
        Names { name: name.into(), organisation: None, city: Some(city.into()), country: Some("DE".into()) }
    }

    #[test]
    fn names_agree_as_people_write_them() {
        let registered = names("Jürgen  Weiß", "Darmstadt");
        assert!(registered.agree(&names(" JU\u{308}RGEN WEISS ", "darmstadt")));
        assert!(registered.agree(&names("Ｊürgen Weiß", "Darm\u{fb06}adt")));
        assert!(names("Νίκος Παππάς", "x").agree(&names("ΝΊΚΟΣ ΠΑΠΠΆΣ", "X")));
        assert!(!registered.agree(&names("Jurgen Weiss", "Darmstadt")));
        assert!(!registered.agree(&names("Jürgen Weiß", "Frankfurt")));
        assert!(!registered.agree(&names("JürgenWeiß", "Darmstadt")));
        let firm = Names { organisation: Some("Fogra".into()), ..registered.clone() };
        assert!(!registered.agree(&firm));
    }

    #[test]
    fn five_wrong_tries_lock_for_the_rest_of_their_day() {
        let at = |hours| Moment::from_seconds(1_000_000).after(Span::hours(hours));
        let mut tries = Tries::default();
        let left: Vec<_> = (0..5).map(|hour| tries.count(at(hour))).collect();
        assert_eq!(left, [4, 3, 2, 1, 0]);
        assert_eq!(tries.locked_until(at(5)), Some(at(24)));
        assert_eq!(tries.locked_until(at(24)), None);
        assert_eq!((tries.count(at(25)), tries.in_all), (4, 6));
    }
}
