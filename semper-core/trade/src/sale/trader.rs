//! The machine of a sale with its surroundings: a buyer or a seller, where the others are to be reached, who
//! signs what, and the prompt that covers what follows from it.

use std::collections::{BTreeMap, BTreeSet};

use semper_commerce::{
    deal::{DealResume, Party},
    sale::{
        self, Arbiter, Buyer, BuyerPlan, Event, SaleQuestion, SaleStep, SaleView, Seller, SellerPlan, Session,
    },
};
use semper_exchange::{message::Draft, recourse::Question, recourse::Said};
use semper_supporting::{
    access::{Covering, class},
    certificate::Certificate,
    crypto::{
        digest::Digest,
        seal::Measured,
        signature::{Kid, PublicKey},
    },
    deal::{DealContext, DealId},
    evidence::{SignedBytes, Statement as _, statement, statement::Bytes},
    machine::{Machine, Refused, Step},
    money::Money,
    time::{Moment, Span},
};
use semper_transfer::payment::{Modules, Purse, module::BankReply};
use serde::{Deserialize, Serialize};

use super::{
    errand::{Errand, Place},
    input::{Heard, Shown},
    register::Side,
};

/// How long the two sides may talk before an offer is there.
const TALKS: Span = Span::hours(1);

/// Where the others of a sale are.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Links {
    /// The article, in the seller's words.
    pub article: Option<String>,
    /// The other side; nothing where it calls us.
    pub peer: Option<Place>,
    /// The third parties, by the keys they sign with.
    pub arbiters: BTreeMap<Kid, Place>,
    /// The banks, by their keys.
    pub banks: BTreeMap<Kid, Place>,
}

/// The sale of one side, with its surroundings.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Trader {
    core: Core,
    links: Links,
    chain: Vec<Bytes>,
    me: Party,
    peer: Option<Party>,
    arbiters: Vec<(Digest, Kid)>,
    banks: Vec<(Digest, PublicKey)>,
    price: Money,
    covering: Option<Covering>,
    session: Option<Session>,
    drafts: BTreeMap<Digest, Kid>,
    early: Vec<Kept>,
    kept: BTreeSet<Digest>,
    measured: Option<Measured>,
    opened: Option<Moment>,
    has_item: bool,
    sealed: Option<(Digest, u64)>,
    deal: Option<DealId>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
enum Core {
    Buyer(Box<Buyer>),
    Seller(Box<Seller>),
}

/// A document that is kept, and who signed it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Kept {
    signed: SignedBytes,
    signer: Kid,
    certificate: Option<Digest>,
    own: bool,
}

/// What a step of a sale is given.
#[derive(Clone)]
pub struct Turn {
    /// When.
    pub at: Moment,
    /// Fresh random bytes.
    pub chance: [u8; 64],
    /// The payment modules of the program.
    pub modules: Modules,
    /// The purses, or tills, in the user's order.
    pub purses: Vec<Purse>,
    /// What happens.
    pub(super) act: Act,
}

/// What happens to a sale, read from its input.
#[derive(Clone)]
pub(super) enum Act {
    Plain(Event),
    Up(Session),
    Frame(Heard, Option<Box<Shown>>),
    Signed(SignedBytes, Option<Box<Covering>>),
    /// The talks have lasted as long as they may.
    TalksOver,
}

/// What a step of a sale orders, with all that carrying it out needs.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Have this signed: by asking, if access control says so.
    Sign {
        /// What.
        draft: Draft,
        /// The deal, as far as it is known.
        context: Option<Box<DealContext>>,
        /// The prompt in which a person approved what this follows from.
        covering: Option<Covering>,
        /// The price.
        amount: Money,
        /// Whether it commits.
        commits: bool,
    },
    /// Do this outside.
    Do(Box<Errand>),
    /// Give up what was ordered of this receiver.
    Forget(&'static str),
    /// Store this purse, if the stored one is still the one before.
    Purse {
        /// The purse the step started from.
        before: Box<Purse>,
        /// The purse after it.
        after: Box<Purse>,
    },
    /// Set a timer.
    Set(sale::Timer, Moment),
    /// Say when the talks have lasted as long as they may.
    TalkUntil(Moment),
    /// Clear all timers: nothing is waited for any more.
    ClearTimers,
    /// Keep a signed document of the deal.
    Keep {
        /// The document.
        signed: SignedBytes,
        /// The key that signed it.
        signer: Kid,
        /// The certificate of that key.
        certificate: Option<Digest>,
        /// The deal.
        deal: Option<DealId>,
        /// Whether it is our own.
        own: bool,
    },
    /// Keep certificates that documents of the deal are signed under, each DER.
    Certificates(Vec<Bytes>),
    /// Keep the item that was bought.
    Item {
        /// What opening it measured.
        measured: Measured,
        /// Its description.
        description: Box<semper_transfer::description::DataDescription>,
        /// The deal.
        deal: Option<DealId>,
    },
    /// Tell the user: the dotted key of a text.
    Tell(&'static str, Option<DealId>),
    /// Something was not taken: a dotted code.
    Fault(&'static str, Option<DealId>),
    /// How it looks now.
    View {
        /// What a window shows of it.
        view: Box<SaleView>,
        /// On which side we are.
        side: Side,
        /// Where the others are.
        links: Box<Links>,
        /// The key of the other side's connections.
        tls: Option<Kid>,
        /// The item that was bought.
        item: Option<Digest>,
        /// Since when it goes on.
        since: Moment,
    },
}

/// The third parties and the banks, each by its certificate.
type Known = (Vec<(Digest, Kid)>, Vec<(Digest, PublicKey)>);

impl Trader {
    /// A buyer who has said nothing yet.
    pub fn buyer(plan: BuyerPlan, links: Links) -> Self {
        let (me, peer) = (plan.intent.me.clone(), Some(plan.intent.peer.clone()));
        let (chain, price) = (plan.chain.clone(), plan.price);
        let known = (keys_of(&plan.arbiters), plan.banks.clone().into_iter().collect());
        Self::new(Core::Buyer(Box::new(Buyer::new(plan))), links, (me, peer), (chain, price), known)
    }

    /// A seller to whom nothing was said yet.
    pub fn seller(plan: SellerPlan, links: Links) -> Self {
        let (me, chain, price) = (plan.house.me.clone(), plan.chain.clone(), plan.price);
        let known = (keys_of(&plan.arbiters), plan.banks.clone().into_iter().collect());
        Self::new(Core::Seller(Box::new(Seller::new(plan))), links, (me, None), (chain, price), known)
    }

    fn new(
        core: Core,
        links: Links,
        (me, peer): (Party, Option<Party>),
        (chain, price): (Vec<Bytes>, Money),
        (arbiters, banks): Known,
    ) -> Self {
        Self {
            core,
            links,
            chain,
            me,
            peer,
            arbiters,
            banks,
            price,
            covering: None,
            session: None,
            drafts: BTreeMap::new(),
            early: Vec::new(),
            kept: BTreeSet::new(),
            measured: None,
            opened: None,
            has_item: false,
            sealed: None,
            deal: None,
        }
    }

    /// Where it stands.
    pub fn view(&self) -> SaleView {
        let view = match &self.core {
            Core::Buyer(buyer) => buyer.view(),
            Core::Seller(seller) => seller.view(),
        };
        // A deal that came to nothing keeps its name.
        SaleView { deal: view.deal.or(self.deal), ..view }
    }

    /// Whether nothing can change any more.
    pub fn has_ended(&self) -> bool {
        match &self.core {
            Core::Buyer(buyer) => buyer.has_ended(),
            Core::Seller(seller) => seller.has_ended(),
        }
    }

    /// The deal, once it is open.
    pub fn context(&self) -> Option<&DealContext> {
        match &self.core {
            Core::Buyer(buyer) => buyer.context(),
            Core::Seller(seller) => seller.context(),
        }
    }

    /// What a person is asked about a draft that this sale ordered to be signed; nothing for any other draft.
    /// `purses` are the user's, as they are stored now.
    pub fn question(&self, draft: &Draft, purses: &[Purse]) -> Option<SaleQuestion> {
        match &self.core {
            Core::Buyer(buyer) => buyer.question(draft, purses),
            Core::Seller(seller) => seller.question(draft),
        }
    }

    /// The other side, once it is known.
    pub const fn peer(&self) -> Option<&Party> {
        self.peer.as_ref()
    }

    /// The certificates of the other side that can be read, its own first.
    pub fn peer_chain(&self) -> Vec<Certificate> {
        let place = self.links.peer.as_ref();
        place.map(|place| readable(&place.chain)).unwrap_or_default()
    }

    const fn side(&self) -> Side {
        match self.core {
            Core::Buyer(_) => Side::Buyer,
            Core::Seller(_) => Side::Seller,
        }
    }

    fn give(&mut self, turn: &Turn, event: Event) -> (Vec<sale::Output>, Option<Refused>) {
        let input = sale::Input {
            at: turn.at,
            chance: turn.chance,
            modules: turn.modules.clone(),
            purses: turn.purses.clone(),
            agreed: None,
            event,
        };
        match &mut self.core {
            Core::Buyer(buyer) => {
                let Step { state, outputs, refused } = (**buyer).clone().step(input);
                **buyer = state;
                (outputs, refused)
            }
            Core::Seller(seller) => {
                let Step { state, outputs, refused } = (**seller).clone().step(input);
                **seller = state;
                (outputs, refused)
            }
        }
    }

    /// What must happen before the event itself.
    fn prepare(&mut self, act: &Act) -> Vec<Event> {
        match act {
            Act::Plain(event) => {
                if let Event::Opened(measured) = event {
                    self.measured = *measured;
                }
                vec![event.clone()]
            }
            Act::Up(session) => vec![Event::Up(*session)],
            Act::Frame(heard, shown) => {
                let Some(frame) = heard.frame() else { return Vec::new() };
                let session = heard.session();
                let is_new = self.session != Some(session);
                let party = shown.as_ref().map(|shown| Box::new(shown.party.clone()));
                let up = is_new.then_some(Event::Up(session));
                up.into_iter().chain([Event::Frame(frame, party)]).collect()
            }
            Act::Signed(signed, covering) => {
                if let Some(covering) = covering {
                    self.covering = Some((**covering).clone());
                }
                vec![Event::Signed(signed.clone())]
            }
            // Whoever has not come to an offer by now has gone; nothing is owed yet.
            Act::TalksOver => match self.view().step {
                SaleStep::Opening | SaleStep::Ordering | SaleStep::Negotiating | SaleStep::Means => {
                    vec![Event::Stop]
                }
                SaleStep::Offering
                | SaleStep::Deciding
                | SaleStep::Paying
                | SaleStep::Delivering
                | SaleStep::Arbitrating
                | SaleStep::Ended => Vec::new(),
            },
        }
    }
}

fn readable(chain: &[Bytes]) -> Vec<Certificate> {
    chain.iter().filter_map(|der| Certificate::from_der(&der.0).ok()).collect()
}

fn keys_of(arbiters: &[Arbiter]) -> Vec<(Digest, Kid)> {
    arbiters.iter().map(|arbiter| (arbiter.certificate, arbiter.key.kid())).collect()
}

impl Machine for Trader {
    type Input = Turn;
    type Output = Order;

    fn step(mut self, turn: Turn) -> Step<Self> {
        let (before, had_ended) = (self.view(), self.has_ended());
        let mut orders = Vec::new();
        if self.opened.is_none() {
            self.opened = Some(turn.at);
            orders.push(Order::TalkUntil(turn.at.after(TALKS)));
            orders.push(Order::Certificates(self.certificates()));
        }
        if let Act::Frame(_, Some(shown)) = &turn.act
            && self.peer.is_none()
        {
            self.peer = Some(shown.party.clone());
            self.links.peer = Some(Place { at: String::new(), chain: shown.chain.clone() });
            orders.push(Order::Certificates(shown.chain.clone()));
        }
        let own = match &turn.act {
            Act::Signed(signed, _) => Some(signed.digest()),
            _ => None,
        };
        let mut refusal = None;
        for event in self.prepare(&turn.act) {
            let up = match &event {
                Event::Up(session) => Some(*session),
                _ => None,
            };
            let (outputs, refused) = self.give(&turn, event);
            refusal = refused;
            if let (Some(session), None) = (up, refused) {
                self.session = Some(session);
            }
            self.deal = self.view().deal;
            for output in outputs {
                self.order(output, own, turn.at, &mut orders);
            }
            // What comes on a connection that is not the deal's own is not heard.
            if refusal.is_some() {
                break;
            }
        }
        self.file_early(&mut orders);
        let after = self.view();
        self.take_item(&after, &mut orders);
        if self.has_ended() && !had_ended {
            self.tidy(&mut orders);
        }
        if after != before || orders.iter().any(|order| matches!(order, Order::Certificates(_))) {
            let since = self.opened.unwrap_or(turn.at);
            orders.push(Order::View {
                view: Box::new(after),
                side: self.side(),
                links: Box::new(self.links.clone()),
                tls: self.peer.as_ref().map(|peer| peer.tls),
                item: self.measured.filter(|_| self.has_item).map(|measured| measured.plain),
                since,
            });
        }
        Step { outputs: orders, refused: refusal, ..Step::to(self) }
    }
}

impl Trader {
    /// Every certificate that documents of this sale may be signed under.
    fn certificates(&self) -> Vec<Bytes> {
        let places =
            self.links.peer.iter().chain(self.links.arbiters.values()).chain(self.links.banks.values());
        places.flat_map(|place| place.chain.iter()).chain(&self.chain).cloned().collect()
    }

    fn order(&mut self, output: sale::Output, own: Option<Digest>, at: Moment, orders: &mut Vec<Order>) {
        match output {
            sale::Output::Ask(draft) => orders.push(self.sign(draft, true)),
            // Only under terms, which `give` does not hand to any sale yet.
            sale::Output::Choose(_) => {}
            sale::Output::Sign(draft) => orders.push(self.sign(draft, false)),
            sale::Output::Send(frame) => orders.push(Order::Do(Box::new(Errand::Send {
                kind: frame.kind.number(),
                stream: frame.stream,
                payload: Bytes(frame.payload),
            }))),
            sale::Output::Third { request, offer, accept, blobs } => {
                orders.extend(self.third(Question { request, offer, accept, chains: self.chains(), blobs }));
            }
            sale::Output::Bank { bank, request } => {
                let at = self.links.banks.get(&bank).map(|place| place.at.clone()).unwrap_or_default();
                orders.push(Order::Do(Box::new(Errand::Bank { at, bank, request })));
            }
            sale::Output::Fetch { sealed, length } => {
                self.sealed = Some((sealed, length));
                let at = self.peer_at();
                orders.push(Order::Do(Box::new(Errand::Fetch { at, sealed, length })));
            }
            sale::Output::Open { key, sealed } => {
                let length = self.sealed.map_or(0, |(_, length)| length);
                orders.push(Order::Do(Box::new(Errand::Open { key, sealed, at: self.peer_at(), length })));
            }
            sale::Output::Purse { before, after } => orders.push(Order::Purse { before, after }),
            sale::Output::Set { timer, span } => orders.push(Order::Set(timer, at.after(span))),
            sale::Output::Keep(signed) => {
                self.file(signed, own);
            }
            sale::Output::Tell(code) => orders.push(Order::Tell(code.key(), self.deal)),
            sale::Output::Fault(code) => orders.push(Order::Fault(code, self.deal)),
            sale::Output::Opened(_) => {}
            sale::Output::Ended(_) => {
                orders.extend(["user", "third-party", "goods", "seal"].map(Order::Forget));
            }
        }
    }

    fn peer_at(&self) -> String {
        self.links.peer.as_ref().map(|place| place.at.clone()).unwrap_or_default()
    }

    fn sign(&mut self, draft: Draft, commits: bool) -> Order {
        self.drafts.insert(draft.digest(), draft.signer());
        Order::Sign {
            draft,
            context: self.context().cloned().map(Box::new),
            covering: self.covering.clone(),
            amount: self.price,
            commits,
        }
    }

    /// The certificates of both parties, as far as they can be read.
    fn chains(&self) -> Vec<Vec<Certificate>> {
        let peer = self.links.peer.as_ref().map(|place| readable(&place.chain));
        std::iter::once(readable(&self.chain)).chain(peer).collect()
    }

    fn third(&self, question: Question) -> Option<Order> {
        let named = self.context()?.attributes.third_party?;
        let (_, third) = self.arbiters.iter().find(|(certificate, _)| *certificate == named)?;
        let at = self.links.arbiters.get(third).map(|place| place.at.clone()).unwrap_or_default();
        Some(Order::Do(Box::new(Errand::Third { at, third: *third, question: Box::new(question) })))
    }

    /// Files a document once, though payment and exchange may both want it kept.
    fn file(&mut self, signed: SignedBytes, own: Option<Digest>) {
        let digest = signed.digest();
        // What is said about one connection is never said again, and the state does not grow with their number.
        let is_passing = statement::type_of(&signed.tbs).as_deref() == Ok(DealResume::TYPE);
        if !is_passing && !self.kept.insert(digest) {
            return;
        }
        let kept = self.attribute(signed, own);
        self.early.push(kept);
        if is_passing {
            self.drafts.remove(&digest);
        }
    }

    /// Says who signed a document that the machine has checked: ourselves, an authority by its type, or the
    /// other side.
    fn attribute(&self, signed: SignedBytes, own: Option<Digest>) -> Kept {
        let digest = signed.digest();
        let kind = statement::type_of(&signed.tbs).unwrap_or_default();
        if own == Some(digest) {
            let signer = self.drafts.get(&digest).copied().unwrap_or(self.me.key.kid());
            let certificate = (signer == self.me.key.kid()).then_some(self.me.certificate);
            return Kept { signed, signer, certificate, own: true };
        }
        let authority = class::of(&kind) == Some(class::Class::Authority);
        let (signer, certificate) = if authority && kind.starts_with("pay/") {
            let by = |(_, key): &&(Digest, PublicKey)| key.verify(&signed.tbs, &signed.signature).is_ok();
            let bank = self.banks.iter().find(by).or_else(|| self.banks.first());
            bank.map_or((self.me.key.kid(), None), |(certificate, key)| (key.kid(), Some(*certificate)))
        } else if authority {
            let named = self.context().and_then(|context| context.attributes.third_party);
            let arbiter = self.arbiters.iter().find(|(certificate, _)| Some(*certificate) == named);
            arbiter.map_or((self.me.key.kid(), None), |(certificate, key)| (*key, Some(*certificate)))
        } else {
            let peer = self.peer.as_ref().unwrap_or(&self.me);
            (peer.key.kid(), Some(peer.certificate))
        };
        Kept { signed, signer, certificate, own: false }
    }

    /// Documents from before the deal had a name are filed under it once it has.
    fn file_early(&mut self, orders: &mut Vec<Order>) {
        let deal = self.deal;
        if deal.is_none() && !self.has_ended() {
            return;
        }
        orders.extend(std::mem::take(&mut self.early).into_iter().map(|kept| Order::Keep {
            signed: kept.signed,
            signer: kept.signer,
            certificate: kept.certificate,
            deal,
            own: kept.own,
        }));
    }

    /// Nothing moves any more: no timer runs, and the sealed goods go.
    fn tidy(&self, orders: &mut Vec<Order>) {
        orders.push(Order::ClearTimers);
        if let Some((sealed, _)) = self.sealed {
            orders.push(Order::Do(Box::new(Errand::Discard { sealed })));
        }
    }

    /// The item that was bought becomes the user's once the exchange says so.
    fn take_item(&mut self, view: &SaleView, orders: &mut Vec<Order>) {
        let Core::Buyer(buyer) = &self.core else { return };
        if self.has_item || !view.is_delivered {
            return;
        }
        let (Some(measured), Some(data)) = (self.measured, buyer.data()) else { return };
        let description = Box::new(data.clone());
        self.has_item = true;
        orders.push(Order::Item { measured, description, deal: view.deal });
    }
}

impl Act {
    pub(super) fn bank(reply: BankReply) -> Self {
        Self::Plain(Event::Bank(reply))
    }

    pub(super) fn third(said: Vec<Said>) -> Self {
        Self::Plain(Event::Third(said))
    }
}
