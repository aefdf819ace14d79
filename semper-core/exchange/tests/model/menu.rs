//! Everything a malicious party can say that the run has a use for.

use std::collections::BTreeMap;

use semper_exchange::message::{
    Abort, Decline, DeclineReason, Draft, Item, Moved, MovedLeaf, Reason, Resolve,
};
use semper_supporting::{crypto::digest::Digest, evidence::SignedBytes, party::Role};
use semper_transfer::package::LeafPath;

use super::{
    super::{
        common::{blob, path},
        words::Honesty,
    },
    Lab,
};

impl Lab {
    /// Everything the malicious party can say that the run has a use for.
    pub fn menu(&self) -> Vec<u16> {
        let mut menu = Vec::new();
        for offer in 0..u8::try_from(self.offers.len()).unwrap() {
            if self.scenario.originator == Honesty::Malicious {
                menu.extend(self.menu_o(offer));
            }
            if self.scenario.responder == Honesty::Malicious {
                menu.extend(self.menu_r(offer));
            }
        }
        menu
    }

    fn menu_o(&self, offer: u8) -> Vec<u16> {
        let (market, agr) = (&self.market, self.agr(offer));
        let signed = |draft: Draft| market.o.sign_draft(&draft);
        let item = |content: Digest| {
            let common = market.common(Role::Originator, Role::Responder, Some(agr), Some(agr));
            let content = BTreeMap::from([(path(0), content)]);
            self.say(
                Role::Responder,
                signed(Draft::of(&Item { common, content }).unwrap()),
                vec![content_of(&path(0))],
            )
        };
        let right = market.contents_o(self.goods(offer))[&path(0)];
        let junk = Digest::of(b"junk");
        let mut menu =
            vec![self.say(Role::Responder, self.offers[usize::from(offer)].bytes().clone(), Vec::new())];
        menu.extend(match (self.offers.len(), offer) {
            (1, _) => vec![item(junk), item(right)],
            (_, 0) => vec![item(junk)],
            _ => vec![item(right)],
        });
        menu.extend(self.requests(Role::Originator, offer));
        menu
    }

    fn menu_r(&self, offer: u8) -> Vec<u16> {
        let (market, agr) = (&self.market, self.agr(offer));
        let common = |prev| market.common(Role::Responder, Role::Originator, Some(agr), Some(prev));
        let goods = self.goods(offer);
        let accept = &self.accepts[usize::from(offer)];
        let decline = market.r.sign(&Decline { common: common(agr), reason: DeclineReason::User });
        let moved = |order: Option<Digest>| {
            let line = |reference| MovedLeaf { reference, authority: None, record: None };
            let leaf =
                [(path(0), line(agr))].into_iter().chain(order.map(|order| (path(1), line(order)))).collect();
            market.r.sign(&Moved { common: common(agr), leaf }).bytes().clone()
        };
        let to_o = |signed: SignedBytes| self.say(Role::Originator, signed, Vec::new());
        let mut menu = vec![
            to_o(accept.bytes().clone()),
            to_o(decline.bytes().clone()),
            to_o(moved(goods.order.then(|| Digest::of(b"order")))),
        ];
        if goods.order {
            menu.push(to_o(moved(Some(Digest::of(b"junk")))));
        }
        menu.extend(self.requests(Role::Responder, offer));
        menu
    }

    /// ABORT and RESOLVE, with and without what belongs beside them.
    fn requests(&self, from: Role, offer: u8) -> Vec<u16> {
        let (market, agr) = (&self.market, self.agr(offer));
        let accept = self.accepts[usize::from(offer)].digest();
        let goods = self.goods(offer);
        let common = || market.common(from, Role::ThirdParty, Some(agr), Some(agr));
        let abort = |accept: Option<Digest>| Abort {
            common: common(),
            offer: agr,
            accept,
            reason: Reason::User,
            seen: Vec::new(),
        };
        let resolve = |accept: Option<Digest>| Resolve {
            common: common(),
            offer: agr,
            accept,
            reason: Reason::User,
            seen: Vec::new(),
            own: BTreeMap::new(),
            evidence: Vec::new(),
        };
        let someone = market.someone(from);
        let blobs = if goods.sealed { vec![Digest::of(&blob(goods))] } else { Vec::new() };
        let say =
            |signed: &SignedBytes, beside: Vec<Digest>| self.say(Role::ThirdParty, signed.clone(), beside);
        let with = |more: &[Digest]| [&[agr, accept], more].concat();
        let mut menu = vec![say(someone.sign(&abort(None)).bytes(), vec![agr])];
        // A second offer is there to be decided first; more requests about it add nothing.
        if offer == 0 {
            menu.push(say(someone.sign(&resolve(Some(accept))).bytes(), with(&blobs)));
        }
        menu
    }
}

fn content_of(leaf: &LeafPath) -> Digest {
    Digest::of(leaf.to_string().as_bytes())
}
