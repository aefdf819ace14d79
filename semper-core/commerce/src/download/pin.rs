//! What was accepted once stays known: a service cannot be changed, nor an older one brought back, unseen.

use semper_supporting::{
    access::Grade,
    crypto::{digest::Digest, signature::Kid},
    evidence::{SignedBytes, Verified},
    time::Moment,
};
use serde::{Deserialize, Serialize};

use super::{
    fault::ServiceFault,
    package::Package,
    terms_statement::{Equivocation, ServiceTerms},
    update::Update,
};

/// What the wallet keeps of a service it has seen.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Pin {
    /// The shop's key.
    pub shop: Kid,
    /// The id of the service.
    pub service: String,
    /// Its version.
    pub version: String,
    /// The package.
    pub package_sha256: Digest,
    /// When it was first seen.
    pub first_seen: Moment,
    /// The digest of the prompt in which the user accepted it; absent until then.
    pub accepted: Option<Digest>,
    /// How far it was believed then.
    pub grade: Grade,
    /// The shop's statement, as evidence.
    pub statement: SignedBytes,
}

/// A pin with what is kept beside it.
#[derive(Clone, Copy, Debug)]
pub struct Held<'a> {
    /// The pin.
    pub pin: &'a Pin,
    /// Its package, from the archive.
    pub package: &'a Package,
    /// Whether its evaluation was withdrawn since.
    pub withdrawn: bool,
}

/// What a shop offers now.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    /// The package.
    pub package: &'a Package,
    /// The shop's statement about it.
    pub terms: &'a Verified<ServiceTerms>,
    /// How far it is believed.
    pub grade: Grade,
    /// The keys the shop had before, as its statements of roll-over prove.
    pub formerly: &'a [Kid],
}

/// What is to be done with an offer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Response {
    /// The user has accepted no version of the service: it is shown whole, and pinned.
    FirstSeen,
    /// It is the one that was accepted.
    Unchanged,
    /// Two texts under one version: both are kept, the service is blocked.
    Equivocation(Box<Equivocation>),
    /// An older version than the one that was accepted: refused.
    Downgrade {
        /// What is offered.
        old: String,
        /// What was accepted.
        new: String,
        /// Whether the user may take it nevertheless: the newer one was withdrawn.
        confirmable: bool,
    },
    /// A newer version: shown with what has changed, and accepted anew.
    Update(Box<Update>),
}

impl Pin {
    /// The pin of an offer that was just seen.
    pub fn of(offer: &Offer<'_>, now: Moment) -> Self {
        Self {
            shop: offer.terms.signer(),
            service: offer.terms.service.clone(),
            version: offer.terms.version.clone(),
            package_sha256: offer.terms.package_sha256,
            first_seen: now,
            accepted: None,
            grade: offer.grade,
            statement: offer.terms.bytes().clone(),
        }
    }
}

impl Response {
    /// The fault to show, where the offer is not simply taken.
    pub fn fault(&self) -> Option<ServiceFault> {
        match self {
            Self::Equivocation(proof) => {
                let said =
                    semper_supporting::evidence::statement::from_bytes::<ServiceTerms>(&proof.second.tbs);
                Some(ServiceFault::Equivocation {
                    version: said.map(|said| said.version).unwrap_or_default(),
                })
            }
            Self::Downgrade { old, new, .. } => {
                Some(ServiceFault::Downgrade { old: old.clone(), new: new.clone() })
            }
            Self::FirstSeen | Self::Unchanged | Self::Update(_) => None,
        }
    }
}

/// What is to be done with `offer`, given what is `held`.
///
/// Pins of other shops say nothing: the same service of another shop is another service. Where the shop has a
/// new key and no roll-over ties it to the old one, it is another shop.
///
/// # Errors
/// [`ServiceFault::OtherTerms`] and [`ServiceFault::BadStatement`] if statement and package do not belong together.
pub fn respond(held: &[Held<'_>], offer: &Offer<'_>) -> Result<Response, ServiceFault> {
    offer.terms.is_about(offer.package)?;
    let (shop, said) = (offer.terms.signer(), offer.terms.value());
    let mine =
        |pin: &Pin| (pin.shop == shop || offer.formerly.contains(&pin.shop)) && pin.service == said.service;
    let known: Vec<&Held<'_>> = held.iter().filter(|held| mine(held.pin)).collect();
    let same_version = |held: &&&Held<'_>| held.pin.version == said.version;
    let changed = |held: &&&Held<'_>| held.pin.package_sha256 != said.package_sha256;
    if let Some(held) = known.iter().filter(same_version).find(changed) {
        return Ok(Response::Equivocation(Box::new(Equivocation {
            first: held.pin.statement.clone(),
            second: offer.terms.bytes().clone(),
        })));
    }
    // What was only looked at binds the shop, and is nothing the user knows.
    let accepted = known.iter().filter(|held| held.pin.accepted.is_some());
    let Some(newest) = accepted.max_by_key(|held| version(&held.pin.version)) else {
        return Ok(Response::FirstSeen);
    };
    Ok(match version(&said.version).cmp(&version(&newest.pin.version)) {
        std::cmp::Ordering::Less => Response::Downgrade {
            old: said.version.clone(),
            new: newest.pin.version.clone(),
            confirmable: newest.withdrawn,
        },
        std::cmp::Ordering::Equal => Response::Unchanged,
        std::cmp::Ordering::Greater => {
            Response::Update(Box::new(Update::between(newest, offer.package, offer.grade)))
        }
    })
}

/// From where a deal goes on when its package cannot be fetched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unreachable {
    /// The deal that is open goes on from the copy in the archive, which is kept as long as its evidence.
    Archived(Digest),
    /// No deal is opened.
    NoDeal,
}

/// What is to be done where the package of a service cannot be fetched.
pub fn unreachable(held: Option<&Held<'_>>, deal_runs: bool) -> Unreachable {
    match held {
        Some(held) if deal_runs => Unreachable::Archived(held.pin.package_sha256),
        Some(_) | None => Unreachable::NoDeal,
    }
}

/// The three numbers of a version; what is none comes before all others.
pub fn version(text: &str) -> Option<[u32; 3]> {
    let parts: Vec<u32> = text.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    parts.try_into().ok()
}
