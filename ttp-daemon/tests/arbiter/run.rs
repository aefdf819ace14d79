//! One exchange of a sealed document against a payment, up to where a party turns to the arbiter.

use std::collections::BTreeMap;

use semper_exchange::{
    deadlines::RETAIN_DAYS,
    generatable_verifiable::{
        Input, Originator, Output,
        originator::Event,
        plan::{self, Leaf, PROTO},
    },
    message::{Abort, Accept, Proposal, Reason, Resolve, Status, offer::Sides},
    recourse::{KnownThirdParty, Question},
    run::{Run, Speaker},
    select::Level,
    xid::{self, Nonce},
};
use semper_host::chance::now;
use semper_supporting::{
    crypto::{
        digest::Digest,
        seal::{ContentKey, content::seal_whole},
        signature::PublicKey,
    },
    deal::DealId,
    evidence::{SignedBytes, Verified, statement::Bytes},
    machine::Machine as _,
    party::Role,
    time::Span,
};
use semper_transfer::{
    data::DataManager,
    description::{
        Addressee, DataDescription, Description, Mode, Model, PaymentDescription, Semantics,
        StatementDescription,
    },
    item::{Item, PayRef, SysId},
    package::{LeafPath, Package},
    payment::{
        AccountId,
        message::{AccountKind, Pay},
        module::BankReply,
    },
    property::{Binding, Class, ExchangeEnabled, GenGrade, Reliance, Side},
    statement::{InDeal, ItemType, Lines, StatementManager},
};

use crate::market::{Market, Party, bank_key, fresh, xts};

/// The price.
pub(crate) const PRICE: &str = "12.50";

/// How the originator behaves.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Seal {
    /// It seals the key of the content.
    Good,
    /// It seals another key.
    Bad,
    /// It seals the right key of another content than it describes.
    Swapped,
    /// It gives no document but a receipt, which the arbiter may attest.
    Receipt,
}

/// An exchange.
pub(crate) struct Exchange {
    pub(crate) o: Party,
    pub(crate) r: Party,
    pub(crate) purse: AccountId,
    till: AccountId,
    run: Run,
    pub(crate) known: KnownThirdParty,
    pub(crate) t_key: PublicKey,
    pub(crate) originator: Originator,
    pub(crate) offer: Verified<Proposal>,
    escrow: Vec<u8>,
    pub(crate) sealed: Vec<u8>,
    pub(crate) content: Vec<u8>,
    reference: PayRef,
}

fn leaf() -> LeafPath {
    LeafPath::new(&[0]).unwrap()
}

impl Exchange {
    /// A merchant and a person, accounts, and OFFER made by the originator's machine.
    pub(crate) async fn begin(market: &Market, seal: Seal) -> Self {
        let (o, r) = (market.merchant("Otto").await, market.person("Ada Weber").await);
        let till = o.account(&market.bank, AccountKind::Merchant).await;
        let purse = r.account(&market.bank, AccountKind::Customer).await;
        let (known, t_key) = r.caps(&market.arbiter).await;
        let third_party = Speaker { certificate: known.capabilities.keys.certificate, kid: t_key.kid() };
        let speaker = |party: &Party| Speaker { certificate: party.certificate(), kid: party.key.kid() };
        let deal = DealId::from_bytes(semper_host::random().unwrap());
        let (nonce_o, nonce_r) = (Nonce::from_bytes([1; 32]), Nonce::from_bytes([2; 32]));
        let origin = xid::Origin {
            deal,
            proto: PROTO,
            nonce_o,
            nonce_r: Some(nonce_r),
            cert_o: o.certificate(),
            cert_r: r.certificate(),
            cert_t: Some(third_party.certificate),
        };
        let run = Run {
            xid: origin.xid(),
            deal,
            originator: speaker(&o),
            responder: speaker(&r),
            third_party: Some(third_party),
        };
        let content = b"Colour management, an introduction".repeat(3000);
        let key = ContentKey::from_bytes([5; 32]);
        let told = if seal == Seal::Swapped { b"an empty page".to_vec() } else { content.clone() };
        let (sealed, measured) = seal_whole(&key, &told).unwrap();
        let give_o = Package::of(DataDescription {
            title: "Colour management".into(),
            media: "application/pdf".into(),
            length: content.len() as u64,
            plain: Digest::of(&content),
            sealed: Some(measured.sealed),
            key: Some(key.commitment()),
            licence: None,
        });
        let reference = PayRef::of(&deal, &Digest::of(b"negotiation"), 0);
        let bank = market.bank.program().papers.lock().await.own[0].digest();
        let give_r = Package::of(PaymentDescription {
            amount: xts(PRICE),
            reference: Some(reference),
            mode: Some(Mode::Direct),
            payer: None,
            payee: Some(till.to_string()),
            module: Some(SysId::new("sim").unwrap()),
            model: Some(Model::Account),
            authority: Some(bank),
            fees: None,
        });
        let receipt = receipt(&o, deal);
        let text = Digest::of(&receipt);
        let give_o = if seal == Seal::Receipt {
            Package::of(StatementDescription {
                semantics: Semantics::Receipt,
                text,
                media: "text/plain".into(),
                signer: o.certificate(),
                addressee: Addressee::Certificate(r.certificate()),
            })
        } else {
            give_o
        };
        let description = give_o.leaf(&leaf()).unwrap().clone();
        let binding = Binding {
            xid: run.xid,
            agreement: None,
            leaf: leaf(),
            giver: Side::Originator,
            owner: o.certificate(),
            description: description.hash().unwrap(),
        };
        let keys = known.capabilities.keys;
        let (item, manager): (Item, &dyn ExchangeEnabled) = match seal {
            Seal::Receipt => (Item::Statement { tbs: receipt, signature: None }, &StatementManager),
            _ => (Item::Data { key: key.clone(), certified: None }, &DataManager::new()),
        };
        let mut permitted = manager.make_permit(&item, &description, &binding, &keys, &[7; 64]).unwrap();
        let mut escrow = permitted.attached.blobs().first().cloned().unwrap_or_default();
        if seal == Seal::Bad {
            let to = semper_transfer::escrow::EscrowUse::in_exchange(&binding, &keys);
            escrow = to.seal(&keys, &[9; 32], &[8; 32]).unwrap();
            permitted.permit.basis = Some(Digest::of(&escrow));
        }
        let offer = proposal(&run, give_o, give_r, permitted.permit, bank, &known);
        let content_of = if seal == Seal::Receipt { text } else { Digest::of(key.as_bytes()) };
        let contents = BTreeMap::from([(leaf(), content_of)]);
        let machine = Originator::new(run.clone(), &offer, contents).unwrap();
        let step = machine.step(Input { at: now(), event: Event::Begin });
        assert!(step.outputs.iter().any(|output| matches!(output, Output::Ask(_))), "{:?}", step.outputs);
        let signed = o.sign(&offer);
        let step = step.state.step(Input { at: now(), event: Event::Signed(Box::new(signed.clone())) });
        assert_eq!(step.refused, None);
        Self {
            o,
            r,
            purse,
            till,
            run,
            known,
            t_key,
            originator: step.state,
            offer: signed,
            escrow,
            sealed,
            content,
            reference,
        }
    }

    pub(crate) fn agr(&self) -> Digest {
        self.offer.digest()
    }

    pub(crate) fn accept(&self) -> Verified<Accept> {
        let agr = Some(self.agr());
        self.r.sign(&Accept {
            common: self.run.common(Role::Responder, Role::Originator, agr, agr, now()).unwrap(),
            accept: true,
            permit: BTreeMap::new(),
            grade: BTreeMap::from([(leaf(), GenGrade::Sealed)]),
        })
    }

    /// The payment that was agreed, or as much as is said.
    pub(crate) async fn pay(&self, market: &Market, amount: &str) -> BankReply {
        let pay = Pay {
            to: bank_key(&market.bank).kid(),
            signer: self.r.key.kid(),
            msg: fresh(),
            from: self.purse,
            payee: self.till,
            amount: xts(amount),
            reference: self.reference,
            exch: Some(self.run.xid),
            arbiter: Some(self.t_key.kid()),
            until: Some(now().whole_seconds().after(Span::days(4))),
            at: now().whole_seconds(),
        };
        self.r.ask_bank(&market.bank, &pay).await
    }

    /// ABORT as the originator's machine orders it once its user stops waiting.
    pub(crate) fn stop(&mut self) -> Question {
        let machine = self.originator.clone();
        let step = machine.step(Input { at: now(), event: Event::Stopped });
        let draft = step.outputs.iter().find_map(|output| match output {
            Output::Send { to: Role::ThirdParty, draft, .. } => Some(draft.clone()),
            _ => None,
        });
        self.originator = step.state;
        let abort: Abort = draft.unwrap().read().unwrap();
        self.question(self.o.sign(&abort).bytes().clone(), None, false)
    }

    /// RESOLVE of the responder, with the escrow.
    pub(crate) fn resolve(&self, accept: Option<&Verified<Accept>>) -> Question {
        let agr = Some(self.agr());
        let resolve = Resolve {
            common: self.run.common(Role::Responder, Role::ThirdParty, agr, agr, now()).unwrap(),
            offer: self.agr(),
            accept: accept.map(Verified::digest),
            reason: Reason::Timer,
            seen: vec![self.agr()],
            own: BTreeMap::new(),
            evidence: Vec::new(),
        };
        self.question(self.r.sign(&resolve).bytes().clone(), accept, true)
    }

    /// ABORT of the responder, with everything a completion needs.
    pub(crate) fn abort_as_responder(&self, accept: &Verified<Accept>) -> Question {
        let agr = Some(self.agr());
        let common = self.run.common(Role::Responder, Role::ThirdParty, agr, agr, now()).unwrap();
        let (offer, accepted) = (self.agr(), Some(accept.digest()));
        let abort = Abort { common, offer, accept: accepted, reason: Reason::NotYet, seen: vec![] };
        self.question(self.r.sign(&abort).bytes().clone(), Some(accept), true)
    }

    pub(crate) fn status(&self, from: Role) -> Question {
        let agr = Some(self.agr());
        let status = Status {
            common: self.run.common(from, Role::ThirdParty, agr, agr, now()).unwrap(),
            offer: self.agr(),
        };
        let party = if from == Role::Originator { &self.o } else { &self.r };
        self.question(party.sign(&status).bytes().clone(), None, false)
    }

    /// ABORT as `from`, signed by whoever it is.
    pub(crate) fn abort_by(&self, from: Role, signer: &Party, as_certificate: Option<Digest>) -> Question {
        let agr = Some(self.agr());
        let mut common = self.run.common(from, Role::ThirdParty, agr, agr, now()).unwrap();
        common.signer = signer.key.kid();
        if let Some(certificate) = as_certificate {
            common.cert_o = certificate;
        }
        let abort = Abort { common, offer: self.agr(), accept: None, reason: Reason::User, seen: vec![] };
        self.question(signer.sign(&abort).bytes().clone(), None, false)
    }

    pub(crate) fn question(
        &self,
        request: SignedBytes,
        accept: Option<&Verified<Accept>>,
        blobs: bool,
    ) -> Question {
        Question {
            request,
            offer: self.offer.bytes().clone(),
            accept: accept.map(|accept| accept.bytes().clone()),
            chains: vec![self.o.chain(), self.r.chain()],
            blobs: if blobs && !self.escrow.is_empty() {
                vec![Bytes(self.escrow.clone())]
            } else {
                Vec::new()
            },
        }
    }

    /// The description of the document.
    pub(crate) fn document(&self) -> Description {
        self.offer.give_o.leaf(&leaf()).unwrap().clone()
    }

    /// The binding of the document.
    pub(crate) fn binding(&self) -> Binding {
        Binding {
            xid: self.run.xid,
            agreement: Some(self.agr()),
            leaf: leaf(),
            giver: Side::Originator,
            owner: self.o.certificate(),
            description: self.document().hash().unwrap(),
        }
    }

    /// Feeds the originator's machine.
    pub(crate) fn hear(&mut self, event: Event) -> Vec<Output> {
        let step = self.originator.clone().step(Input { at: now(), event });
        assert_eq!(step.refused, None);
        self.originator = step.state;
        step.outputs
    }

    pub(crate) fn xid(&self) -> semper_supporting::deal::Xid {
        self.run.xid
    }
}

/// The text of a receipt that `owner` would sign.
fn receipt(owner: &Party, deal: DealId) -> Vec<u8> {
    let in_deal = InDeal {
        deal: Some(deal),
        terms_sha256: None,
        conf: None,
        seq: 1,
        at: now().whole_seconds(),
        signer: owner.key.kid(),
        cert: owner.certificate(),
        salt: None,
    };
    let lines = Lines {
        in_deal,
        item: "sale.receipt".into(),
        form_sha256: Vec::new(),
        over: Vec::new(),
        binds: false,
        until: None,
        text_sha256: None,
        locale: None,
        facts_profile: None,
    };
    ItemType::Receipt.write(lines).unwrap()
}

fn proposal(
    run: &Run,
    give_o: Package,
    give_r: Package,
    permit: semper_transfer::property::GenerationPermit,
    bank: Digest,
    known: &KnownThirdParty,
) -> Proposal {
    let until = Some(now().whole_seconds().after(Span::days(4)));
    let (class, mechanism) = match permit.grade {
        GenGrade::Affidavit => (Class::Forward, "statement/affidavit"),
        _ => (Class::Sealed, "data/sealed"),
    };
    let sealed = Reliance { class, mechanism: mechanism.into(), authority: None, until: None };
    let paid =
        Reliance { class: Class::Backward, mechanism: "pay/direct".into(), authority: Some(bank), until };
    let one = |reliance: &Reliance| {
        let leaf_of = Leaf {
            class: reliance.class,
            description: Digest::of(b""),
            authority: reliance.authority,
            basis: None,
        };
        BTreeMap::from([(leaf(), leaf_of)])
    };
    let order = plan::order(&one(&sealed), &one(&paid));
    Proposal {
        common: run
            .common(Role::Originator, Role::Responder, None, Some(Digest::of(b"answer")), now())
            .unwrap(),
        proto: PROTO.into(),
        version: 1,
        cell: "fair-purchase".into(),
        step: "buy".into(),
        conf: Digest::of(b"configuration"),
        nonce_o: Nonce::from_bytes([1; 32]),
        nonce_r: Nonce::from_bytes([2; 32]),
        neg: Digest::of(b"negotiation"),
        terms: None,
        clause: Digest::of(b"clause"),
        ttp_name: known.facts.name.clone(),
        ttp_escrow_key: known.facts.escrow_key,
        ttp_policy: known.facts.policy,
        tree_o: give_o.hash().unwrap(),
        tree_r: give_r.hash().unwrap(),
        give_o,
        give_r,
        prop: Sides { o: BTreeMap::from([(leaf(), sealed)]), r: BTreeMap::from([(leaf(), paid)]) },
        permit: BTreeMap::from([(leaf(), permit)]),
        order,
        t_accept: 300,
        t_item: 600,
        t_close: 86_400,
        t_enforced: None,
        grace: None,
        t_retain: RETAIN_DAYS,
        level: Level::Strong,
        weak_consent: false,
        sec: Sides::default(),
    }
}
