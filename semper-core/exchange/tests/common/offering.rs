//! OFFER, ACCEPT, and what moves under them.

use std::collections::BTreeMap;

use semper_exchange::{
    check::{self, Checked, Expected},
    generatable_verifiable::plan::{self, Leaf, PROTO},
    message::{Accept, Proposal, negotiation, offer::Sides},
    select::Level,
};
use semper_supporting::{
    crypto::{digest::Digest, signature::Signature},
    evidence::{SignedBytes, Verified},
    money::Money,
    party::Role,
};
use semper_transfer::{
    package::{LeafPath, Package},
    property::{Accepted, Class, GenGrade, GenerationPermit, Props, Record, RecordStatus, Reliance},
};

use super::{AT, Goods, Market, blob, content_key, everything, nonce, path, reference};

impl Market {
    /// OFFER as the originator writes it, whether or not negotiation would have led to it.
    pub fn proposal(&self, goods: Goods) -> Proposal {
        let (give_o, give_r) = (self.give_o(goods), self.give_r(goods, true));
        let at = AT;
        let best = |props: &Props, wanted: &[Class]| -> Reliance {
            props.reliances(at).into_iter().find(|reliance| wanted.contains(&reliance.class)).unwrap()
        };
        let props = self.props(goods);
        let reliances = |side: &BTreeMap<LeafPath, Props>| -> BTreeMap<LeafPath, Reliance> {
            side.iter().map(|(path, props)| (path.clone(), best(props, &everything()))).collect()
        };
        let prop = Sides { o: reliances(&props.o), r: reliances(&props.r) };
        let permit = GenerationPermit {
            grade: if goods.sealed { GenGrade::Sealed } else { GenGrade::Affidavit },
            description: give_o.leaf(&path(0)).unwrap().hash().unwrap(),
            basis: goods.sealed.then(|| Digest::of(&blob(goods))),
        };
        let leaf = |reliance: &Reliance| Leaf {
            class: reliance.class,
            description: Digest::of(b""),
            authority: reliance.authority,
            basis: None,
        };
        let leaves = |side: &BTreeMap<LeafPath, Reliance>| {
            side.iter().map(|(path, reliance)| (path.clone(), leaf(reliance))).collect()
        };
        let order = plan::order(&leaves(&prop.o), &leaves(&prop.r));
        // One negotiation leads to the offer, even where its originator writes several.
        let base = Goods { variant: 0, ..goods };
        let (propose, answer) = (self.propose(base), self.answer(base));
        Proposal {
            common: self.common(Role::Originator, Role::Responder, None, Some(answer.digest())),
            proto: PROTO.into(),
            version: 1,
            cell: "fair-payment-with-receipt".into(),
            step: "pay".into(),
            conf: Digest::of(b"configuration"),
            nonce_o: nonce(1),
            nonce_r: nonce(2),
            neg: negotiation::digest(&propose.bytes().tbs, &answer.bytes().tbs),
            terms: None,
            clause: Digest::of(b"clause"),
            ttp_name: "Arbiter".into(),
            ttp_escrow_key: Digest::of(b"escrow key"),
            ttp_policy: Digest::of(b"policy"),
            tree_o: give_o.hash().unwrap(),
            tree_r: give_r.hash().unwrap(),
            give_o,
            give_r,
            prop,
            permit: BTreeMap::from([(path(0), permit)]),
            order,
            t_accept: 300,
            t_item: 600,
            t_close: 86_400,
            t_enforced: None,
            grace: None,
            t_retain: 3653,
            level: if goods.weak { Level::Weak } else { Level::Strong },
            weak_consent: goods.weak,
            sec: Sides::default(),
        }
    }

    pub fn offer(&self, goods: Goods) -> Verified<Proposal> {
        self.o.sign(&self.proposal(goods))
    }

    /// What O delivers, by hash.
    pub fn contents_o(&self, goods: Goods) -> BTreeMap<LeafPath, Digest> {
        let content =
            if goods.sealed { Digest::of(content_key().as_bytes()) } else { self.receipt_text(goods) };
        BTreeMap::from([(path(0), content)])
    }

    /// What R hands over in clear, by hash.
    pub fn contents_r(&self, goods: Goods) -> BTreeMap<LeafPath, Digest> {
        if goods.order { BTreeMap::from([(path(1), Digest::of(b"order"))]) } else { BTreeMap::new() }
    }

    pub fn permits_r(&self, goods: Goods) -> BTreeMap<LeafPath, GenerationPermit> {
        let package = self.give_r(goods, true);
        let permit = |path: LeafPath| GenerationPermit {
            grade: GenGrade::Affidavit,
            description: package.leaf(&path).unwrap().hash().unwrap(),
            basis: None,
        };
        self.contents_r(goods).into_keys().map(|path| (path.clone(), permit(path))).collect()
    }

    pub fn grades_o(&self, goods: Goods) -> BTreeMap<LeafPath, GenGrade> {
        BTreeMap::from([(path(0), if goods.sealed { GenGrade::Sealed } else { GenGrade::Affidavit })])
    }

    pub fn grades_r(&self, goods: Goods) -> BTreeMap<LeafPath, GenGrade> {
        self.contents_r(goods).into_keys().map(|path| (path, GenGrade::Affidavit)).collect()
    }

    /// The responder's checks of the offer of `goods`.
    pub fn checked(&self, goods: Goods) -> Result<Checked, check::OfferFault> {
        let base = Goods { variant: 0, ..goods };
        let (propose, answer) = (self.propose(base), self.answer(base));
        let (caps, wants, facts) = (self.capabilities(), self.wants(goods), self.facts());
        let expected = Expected {
            run: &self.run,
            propose: &propose,
            answer: &answer,
            third_parties: &caps,
            wants: &wants,
            clauses: &[Digest::of(b"clause")],
            terms: None,
            third_party: &facts,
            now: AT,
        };
        check::offer(self.offer(goods), self.grades_o(goods), &[Digest::of(b"sealed")], &expected)
    }

    pub fn accept(&self, goods: Goods) -> Verified<Accept> {
        let agr = Some(self.offer(goods).digest());
        self.r.sign(&Accept {
            common: self.common(Role::Responder, Role::Originator, agr, agr),
            accept: true,
            permit: self.permits_r(goods),
            grade: self.grades_o(goods),
        })
    }

    /// What a manager says of content with this hash for a leaf of `package`.
    pub fn accepted(&self, package: &Package, leaf: &LeafPath, content: Digest) -> Accepted {
        Accepted { description: package.leaf(leaf).unwrap().hash().unwrap(), evidence: content }
    }

    /// The bank's record about the payment of `goods`.
    pub fn record(&self, goods: Goods, status: RecordStatus) -> Record {
        let text = format!("semper-statement/1 a/record\nstatus: {status:?}\nref: {}\n", reference(goods));
        Record {
            xid: self.run.xid,
            leaf: path(0),
            reference: Some(reference(goods)),
            status,
            amount: Some(Money::parse("EUR 12.50").unwrap()),
            payer: Some("purse".into()),
            payee: Some("shop".into()),
            since: AT,
            authority: self.bank.certificate,
            // Whether the bank signed is the payment module's question, before a record comes here.
            evidence: SignedBytes { tbs: text.into_bytes(), signature: Signature::from_bytes([7; 64]) },
        }
    }
}
