//! What the machines need to know of an OFFER: for each leaf its class, its description's hash, and what it
//! rests on.

use std::collections::BTreeMap;

use semper_supporting::crypto::digest::Digest;
use semper_transfer::{
    package::{LeafPath, Package},
    property::{Binding, Class, GenerationPermit, NotAdmissible, Reliance, Side, admissible, delivery_order},
};
use serde::{Deserialize, Serialize};

use crate::{
    message::{
        Proposal,
        offer::{Sides, Turn},
    },
    select::Level,
    xid,
};

/// The protocol of this folder.
pub const PROTO: &str = "gxv/1";

/// Both packages as the protocol sees them.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Plan {
    /// The leaves of each side.
    pub leaves: Sides<BTreeMap<LeafPath, Leaf>>,
    /// The responder's recorded leaves, in the order in which they move.
    pub transfers: Vec<LeafPath>,
}

/// One leaf as the protocol sees it.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Leaf {
    /// What it is used as.
    pub class: Class,
    /// The hash of its description.
    pub description: Digest,
    /// The authority whose record shows its transfer.
    pub authority: Option<Digest>,
    /// What an escrow, certificate or hold it rests on is named by.
    pub basis: Option<Digest>,
}

/// Why an OFFER is no plan of this protocol.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum BadPlan {
    /// It is for another protocol.
    #[error("the offer is for another protocol")]
    Protocol,
    /// Its id does not follow from its nonces and certificates.
    #[error("the exchange id does not follow from the offer")]
    Xid,
    /// It names no third party.
    #[error("the offer names no third party")]
    ThirdParty,
    /// A tree hash is not that of its tree.
    #[error("a tree hash is not that of its tree")]
    Tree,
    /// A leaf lacks its line of properties, or a line has no leaf.
    #[error("the properties do not fit the packages")]
    Properties,
    /// A leaf that the third party is to make has no permit, or the permit is for something else.
    #[error("the permits do not fit the packages")]
    Permits,
    /// The originator's leaves are not all generatable, or the responder has no verifiable one.
    #[error("the classes are not those of this protocol")]
    Classes,
    /// The composition rule forbids these classes together, and both have not consented to less.
    #[error(transparent)]
    NotAdmissible(#[from] NotAdmissible),
    /// The order of delivery is not undo, pivot, make.
    #[error("the order of delivery is not the safe one")]
    Order,
}

impl Plan {
    /// Reads the plan of an OFFER, checking everything in it that does not depend on who reads it.
    ///
    /// # Errors
    /// [`BadPlan`].
    pub fn of(offer: &Proposal) -> Result<Self, BadPlan> {
        if offer.proto != PROTO {
            return Err(BadPlan::Protocol);
        }
        if offer.common.xid != Some(xid::of_offer(offer)) {
            return Err(BadPlan::Xid);
        }
        if offer.common.cert_t.is_none() {
            return Err(BadPlan::ThirdParty);
        }
        let trees = [(&offer.give_o, offer.tree_o), (&offer.give_r, offer.tree_r)];
        if !trees.iter().all(|(package, hash)| package.hash().as_ref() == Ok(hash)) {
            return Err(BadPlan::Tree);
        }
        let o = leaves(&offer.give_o, &offer.prop.o, &offer.permit)?;
        let r = leaves(&offer.give_r, &offer.prop.r, &BTreeMap::new())?;
        check_classes(&o, &r, offer.weak_consent && offer.level == Level::Weak)?;
        if o.keys().any(|path| !offer.permit.contains_key(path)) || offer.permit.len() != o.len() {
            return Err(BadPlan::Permits);
        }
        let order = order(&o, &r);
        if offer.order != order {
            return Err(BadPlan::Order);
        }
        let recorded = |turn: &Turn| {
            turn.side == Side::Responder && r.get(&turn.leaf).is_some_and(|leaf| leaf.class != Class::Forward)
        };
        let transfers = order.iter().filter(|turn| recorded(turn)).map(|turn| turn.leaf.clone()).collect();
        Ok(Self { leaves: Sides { o, r }, transfers })
    }

    /// The leaves of `side`.
    pub fn side(&self, side: Side) -> &BTreeMap<LeafPath, Leaf> {
        self.leaves.of(side)
    }

    /// The responder's leaves that are handed over in clear and that the third party can make.
    pub fn forwards(&self) -> impl Iterator<Item = (&LeafPath, &Leaf)> {
        self.leaves.r.iter().filter(|(_, leaf)| leaf.class == Class::Forward)
    }

    /// The responder's leaves that an authority records.
    pub fn recorded(&self) -> impl Iterator<Item = (&LeafPath, &Leaf)> {
        self.leaves.r.iter().filter(|(_, leaf)| leaf.class != Class::Forward)
    }

    /// What ties the transfer of one leaf to this run and agreement.
    pub fn binding(
        &self,
        run: &crate::run::Run,
        agr: Digest,
        giver: Side,
        leaf: &LeafPath,
    ) -> Option<Binding> {
        let description = self.side(giver).get(leaf)?.description;
        let owner = run.speaker(giver.role())?.certificate;
        Some(Binding { xid: run.xid, agreement: Some(agr), leaf: leaf.clone(), giver, owner, description })
    }
}

/// The order in which leaves move in a plan of these classes, as OFFER has to state it.
pub fn order(o: &BTreeMap<LeafPath, Leaf>, r: &BTreeMap<LeafPath, Leaf>) -> Vec<Turn> {
    let classes = |leaves: &BTreeMap<LeafPath, Leaf>| -> Vec<(LeafPath, Class)> {
        leaves.iter().map(|(path, leaf)| (path.clone(), leaf.class)).collect()
    };
    delivery_order(&classes(o), &classes(r)).into_iter().map(|(side, leaf)| Turn { side, leaf }).collect()
}

fn leaves(
    package: &Package,
    props: &BTreeMap<LeafPath, Reliance>,
    permits: &BTreeMap<LeafPath, GenerationPermit>,
) -> Result<BTreeMap<LeafPath, Leaf>, BadPlan> {
    let mut found = BTreeMap::new();
    for (path, description) in package.leaves() {
        let reliance = props.get(path).ok_or(BadPlan::Properties)?;
        let description = description.hash().map_err(|_| BadPlan::Tree)?;
        let permit = permits.get(path);
        if permit.is_some_and(|permit| permit.description != description) {
            return Err(BadPlan::Permits);
        }
        let leaf = Leaf {
            class: reliance.class,
            description,
            authority: reliance.authority,
            basis: permit.and_then(|permit| permit.basis),
        };
        found.insert(path.clone(), leaf);
    }
    if found.len() == props.len() { Ok(found) } else { Err(BadPlan::Properties) }
}

fn check_classes(
    o: &BTreeMap<LeafPath, Leaf>,
    r: &BTreeMap<LeafPath, Leaf>,
    weak: bool,
) -> Result<(), BadPlan> {
    let classes =
        |leaves: &BTreeMap<LeafPath, Leaf>| leaves.values().map(|leaf| leaf.class).collect::<Vec<_>>();
    let (o_classes, r_classes) = (classes(o), classes(r));
    let can_be_made = o_classes.iter().all(|class| matches!(class, Class::Forward | Class::Sealed));
    let known =
        r_classes.iter().all(|class| matches!(class, Class::Forward | Class::Backward | Class::Pivot));
    let recorded = r_classes.iter().any(|class| *class != Class::Forward);
    // Without an authority nobody could say whether the leaf has happened.
    let placed = r.values().all(|leaf| leaf.class == Class::Forward || leaf.authority.is_some());
    if !(can_be_made && known && recorded && placed) {
        return Err(BadPlan::Classes);
    }
    match admissible(&o_classes, &r_classes) {
        Err(NotAdmissible::SealedAgainstPivot) if weak => Ok(()),
        other => other.map_err(BadPlan::from),
    }
}
