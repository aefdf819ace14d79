//! What a deal guarantees, and how two sides come to it.
//!
//! Each side names for every ordered attribute the weakest value it takes, the strongest it can keep, and the
//! one it wishes. The stronger wish wins, cut to what both can. Of sets they take what both have, in the
//! client's order. Where nothing is left there is no deal.

use semper_supporting::{
    crypto::digest::Digest,
    deal::{Anonymity, Attributes, Confidentiality, EvidenceLevel},
    money::Currency,
};
use serde::{Deserialize, Serialize};

use super::fault::DealFault;

/// What one side can do with one ordered attribute.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Range<T> {
    /// The weakest value it takes.
    pub at_least: T,
    /// The strongest value it can keep.
    pub at_most: T,
    /// The value it wishes.
    pub wish: T,
}

/// What one side can do, attribute by attribute.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Ranges {
    /// What the server learns about the client.
    pub anonymity_peer: Range<Anonymity>,
    /// What the bank learns about the client's business.
    pub anonymity_bank: Range<Anonymity>,
    /// What a third party learns.
    pub anonymity_third: Range<Anonymity>,
    /// Whether the network address is hidden.
    pub network_hidden: Range<bool>,
    /// How content is protected.
    pub confidentiality: Range<Confidentiality>,
    /// What is proved.
    pub evidence: Range<EvidenceLevel>,
    /// The currencies in which money may move, preferred first.
    pub currency: Vec<Currency>,
    /// The third parties it trusts, preferred first.
    pub third_party: Vec<ThirdPartyTerms>,
}

/// What a third party is trusted with.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Duty {
    /// It decides what becomes of an exchange.
    Exchange,
}

/// A third party, and by which policy it works.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct ThirdPartyTerms {
    /// What it is trusted with.
    pub duty: Duty,
    /// SHA-256 of its certificate's DER.
    pub certificate: Digest,
    /// SHA-256 of its policy.
    pub policy: Digest,
}

/// What both sides come to.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Chosen {
    /// The attributes.
    pub attributes: Attributes,
    /// The third party of its exchanges; the attributes name its certificate.
    pub third_party: Option<ThirdPartyTerms>,
}

impl<T: Ord + Copy> Range<T> {
    /// Exactly this value.
    pub const fn only(value: T) -> Self {
        Self { at_least: value, at_most: value, wish: value }
    }

    /// Anything from `at_least` to `at_most`, the former wished.
    pub const fn from_to(at_least: T, at_most: T) -> Self {
        Self { at_least, at_most, wish: at_least }
    }

    /// Whether the wish lies between the ends.
    pub fn is_sound(&self) -> bool {
        self.at_least <= self.wish && self.wish <= self.at_most
    }

    /// Whether `value` lies between the ends.
    pub fn contains(&self, value: T) -> bool {
        self.at_least <= value && value <= self.at_most
    }

    /// The stronger wish, cut to what both can; nothing if they have nothing in common.
    pub fn meet(&self, other: &Self) -> Option<T> {
        let least = self.at_least.max(other.at_least);
        let most = self.at_most.min(other.at_most);
        let wish = self.wish.max(other.wish);
        (least <= most).then(|| wish.max(least).min(most))
    }
}

/// What the ranges of `client` and `server` come to.
///
/// # Errors
/// [`DealFault::AttributeUnsatisfiable`] naming the first attribute without a common value, and
/// [`DealFault::BadChoice`] for a range whose ends are the wrong way round.
pub fn choose(client: &Ranges, server: &Ranges) -> Result<Chosen, DealFault> {
    let currency: Vec<Currency> =
        client.currency.iter().copied().filter(|one| server.currency.contains(one)).collect();
    if currency.is_empty() {
        return Err(unsatisfiable("currency", &client.currency, &server.currency));
    }
    let third_party = client.third_party.iter().find(|one| server.third_party.contains(one)).copied();
    if third_party.is_none() && !(client.third_party.is_empty() && server.third_party.is_empty()) {
        return Err(unsatisfiable("third_party", &client.third_party, &server.third_party));
    }
    let attributes = Attributes {
        anonymity_peer: meet("anonymity.peer", &client.anonymity_peer, &server.anonymity_peer)?,
        anonymity_bank: meet("anonymity.bank", &client.anonymity_bank, &server.anonymity_bank)?,
        anonymity_third: meet("anonymity.third", &client.anonymity_third, &server.anonymity_third)?,
        network_hidden: meet("anonymity.network", &client.network_hidden, &server.network_hidden)?,
        confidentiality: meet("confidentiality", &client.confidentiality, &server.confidentiality)?,
        evidence: meet("evidence", &client.evidence, &server.evidence)?,
        currency,
        third_party: third_party.map(|one| one.certificate),
    };
    Ok(Chosen { attributes, third_party })
}

fn meet<T: Ord + Copy + std::fmt::Debug>(
    attribute: &'static str,
    client: &Range<T>,
    server: &Range<T>,
) -> Result<T, DealFault> {
    if !client.is_sound() || !server.is_sound() {
        return Err(DealFault::BadChoice(attribute));
    }
    client.meet(server).ok_or_else(|| DealFault::AttributeUnsatisfiable {
        attribute,
        need: format!("{:?}..{:?}", client.at_least, client.at_most),
        offer: format!("{:?}..{:?}", server.at_least, server.at_most),
    })
}

fn unsatisfiable<T: std::fmt::Debug>(attribute: &'static str, need: &[T], offer: &[T]) -> DealFault {
    DealFault::AttributeUnsatisfiable { attribute, need: format!("{need:?}"), offer: format!("{offer:?}") }
}

impl Ranges {
    /// Checks that what the other side chose lies inside these ranges.
    ///
    /// # Errors
    /// [`DealFault::BadChoice`] naming the first attribute that does not.
    pub fn admit(&self, chosen: &Chosen) -> Result<(), DealFault> {
        let Chosen { attributes, third_party } = chosen;
        let currencies: Vec<Currency> =
            self.currency.iter().copied().filter(|one| attributes.currency.contains(one)).collect();
        let fits = [
            ("anonymity.peer", self.anonymity_peer.contains(attributes.anonymity_peer)),
            ("anonymity.bank", self.anonymity_bank.contains(attributes.anonymity_bank)),
            ("anonymity.third", self.anonymity_third.contains(attributes.anonymity_third)),
            ("anonymity.network", self.network_hidden.contains(attributes.network_hidden)),
            ("confidentiality", self.confidentiality.contains(attributes.confidentiality)),
            ("evidence", self.evidence.contains(attributes.evidence)),
            // Some of ours, in our order, each once.
            ("currency", !currencies.is_empty() && currencies == attributes.currency),
            ("third_party", attributes.third_party == third_party.map(|one| one.certificate)),
            (
                "third_party",
                third_party.map_or(self.third_party.is_empty(), |one| self.third_party.contains(&one)),
            ),
        ];
        match fits.into_iter().find(|(_, fits)| !fits) {
            Some((attribute, _)) => Err(DealFault::BadChoice(attribute)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range() -> impl Strategy<Value = Range<u8>> {
        (0_u8..4, 0_u8..4, 0_u8..4).prop_map(|(a, b, c)| {
            let mut sorted = [a, b, c];
            sorted.sort_unstable();
            Range { at_least: sorted[0], wish: sorted[1], at_most: sorted[2] }
        })
    }

    proptest! {
        #[test]
        fn the_result_is_the_stronger_wish_inside_both_ranges_or_nothing(a in range(), b in range()) {
            prop_assert_eq!(a.meet(&b), b.meet(&a));
            let common: Vec<u8> = (0..4).filter(|v| a.contains(*v) && b.contains(*v)).collect();
            match a.meet(&b) {
                None => prop_assert!(common.is_empty()),
                Some(value) => {
                    prop_assert!(common.contains(&value));
                    let wish = a.wish.max(b.wish);
                    let nearest = common.iter().min_by_key(|v| v.abs_diff(wish)).unwrap();
                    prop_assert_eq!(value, *nearest);
                }
            }
        }
    }
}
