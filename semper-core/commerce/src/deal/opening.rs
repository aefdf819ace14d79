//! The two machines that open a deal.
//!
//! ```text
//! client   Ready --Begin--> Proposed --deal-accept--> Open          server  Listening --deal-propose--> Accepted
//!                              \--declined, bad--> Refused                      |            |  \--deal-open--> Open
//!                                                                             bad          bad, declined
//!                                                                               \--> Refused <--/
//! ```
//!
//! **Invariant.** Neither side is open before it holds the other's signature over the other's part, and what
//! is open at both is what both signed: `deal-accept` names `deal-propose` by its hash, `deal-open` names
//! `deal-accept`.

use semper_exchange::message::Draft;
use semper_supporting::{
    comm::session::Exporter,
    crypto::{
        digest::Digest,
        signature::{Kid, PublicKey},
    },
    deal::{ContextAuthority, DealContext, OpenDeal},
    evidence::Verified,
    machine::{Machine, Refused, Step},
    money::Money,
    party::PartyView,
    time::{Moment, Span},
};
use serde::{Deserialize, Serialize};

use super::{
    attribute::{Ranges, choose},
    fault::DealFault,
    id::{DealNonce, deal_id},
    statement::{DealAccept, DealOpen, DealPropose, Lines, Terms},
};

/// The longest a deal may last.
pub const LONGEST: Span = Span::days(400);
/// The most modules either side may name.
pub const MOST_MODULES: usize = 64;
/// By how much the clocks of the two sides may differ for anything to be signed.
const SKEW: Span = Span::minutes(5);

/// A party of a deal: its certificate and key as they were verified, and the key of its connections.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Party {
    /// SHA-256 of the DER of the certificate it signs under.
    pub certificate: Digest,
    /// The key it signs with.
    pub key: PublicKey,
    /// The key of its connections: SHA-256 of the SubjectPublicKeyInfo.
    pub tls: Kid,
    /// The certified name; absent where the certificate names nobody.
    pub name: Option<String>,
}

/// What a client wants to open.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Intent {
    /// This party.
    pub me: Party,
    /// The server.
    pub peer: Party,
    /// The terms of business, if there are any.
    pub terms: Option<Terms>,
    /// What it was invited to, in the server's words.
    pub invite: Option<String>,
    /// What this party can do.
    pub ranges: Ranges,
    /// How much may leave at most.
    pub ceiling: Option<Money>,
    /// Its modules, preferred first.
    pub modules: Vec<String>,
    /// The language of its texts.
    pub locale: String,
}

/// What a server opens.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct House {
    /// This party.
    pub me: Party,
    /// The terms of business it offers here, if any.
    pub terms: Option<Terms>,
    /// What this party can do.
    pub ranges: Ranges,
    /// Its modules.
    pub modules: Vec<String>,
    /// How long a deal lasts at most.
    pub lifetime: Span,
}

/// The client's side of an opening.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Client {
    /// Nothing was said.
    Ready(Box<Intent>),
    /// `deal-propose` is out.
    Proposed(Box<Intent>, Box<DealPropose>, Draft),
    /// Both have signed.
    Open(Box<DealContext>),
    /// There is no deal.
    Refused,
}

/// What happens to a client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ClientInput {
    /// The user wants the deal; the nonce is fresh.
    Begin(DealNonce, Moment),
    /// `deal-accept`, and the connections there have been since the proposal, the present one last.
    Accepted(Box<Verified<DealAccept>>, Vec<Exporter>, Moment),
    /// The user, or the other side, does not want it.
    Declined,
}

/// The server's side of an opening.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Server {
    /// Nothing was said.
    Listening(Box<House>),
    /// `deal-accept` is out.
    Accepted(Box<DealContext>, Party, Draft),
    /// Both have signed.
    Open(Box<DealContext>, Party),
    /// There is no deal.
    Refused,
}

/// What happens to a server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ServerInput {
    /// `deal-propose`, its signer as verified, the present connection, and a fresh nonce.
    Proposed(Box<Verified<DealPropose>>, Box<Party>, Exporter, DealNonce, Moment),
    /// `deal-open`, and the connections there have been since the proposal.
    Confirmed(Box<Verified<DealOpen>>, Vec<Exporter>, Moment),
    /// The other side does not want it any more.
    Declined,
}

/// What an opening orders.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum OpeningOutput {
    /// Sign this and send it to the other side.
    Say(Draft),
    /// The deal is open.
    Opened(Box<DealContext>),
    /// There is no deal, and why.
    Refuse(DealFault),
}

type Out<M> = Step<M>;

impl Party {
    /// How it shows itself in the deal.
    pub fn view(&self) -> PartyView {
        let (certificate, kid) = (self.certificate, self.key.kid());
        match &self.name {
            Some(name) => PartyView::Identified { certificate, kid, name: name.clone() },
            None => PartyView::Anonymous { kid },
        }
    }
}

impl Machine for Client {
    type Input = ClientInput;
    type Output = OpeningOutput;

    fn step(self, input: ClientInput) -> Out<Self> {
        match (self, input) {
            (Self::Ready(intent), ClientInput::Begin(nonce, at)) => {
                match propose(&intent, nonce, at).and_then(|said| Ok((Draft::of(&said)?, Box::new(said)))) {
                    Ok((draft, said)) => {
                        Step::to(Self::Proposed(intent, said, draft.clone())).order(OpeningOutput::Say(draft))
                    }
                    Err(why) => Step::to(Self::Refused).order(OpeningOutput::Refuse(why)),
                }
            }
            (Self::Proposed(intent, said, draft), ClientInput::Accepted(accept, sessions, at)) => {
                match confirm(&intent, &said, &draft, &accept, &sessions, at) {
                    Ok((context, open)) => Step::to(Self::Open(context.clone()))
                        .order(OpeningOutput::Say(open))
                        .order(OpeningOutput::Opened(context)),
                    Err(why) => Step::to(Self::Refused).order(OpeningOutput::Refuse(why)),
                }
            }
            (Self::Ready(_) | Self::Proposed(..), ClientInput::Declined) => {
                Step::to(Self::Refused).order(OpeningOutput::Refuse(DealFault::Declined))
            }
            (state, _) => Step::refuse(state, Refused::OutOfPlace),
        }
    }
}

impl Machine for Server {
    type Input = ServerInput;
    type Output = OpeningOutput;

    fn step(self, input: ServerInput) -> Out<Self> {
        match (self, input) {
            (Self::Listening(house), ServerInput::Proposed(propose, peer, session, nonce, at)) => {
                match accept(&house, &propose, &peer, session, nonce, at) {
                    Ok((context, draft)) => Step::to(Self::Accepted(context, *peer, draft.clone()))
                        .order(OpeningOutput::Say(draft)),
                    Err(why) => Step::to(Self::Refused).order(OpeningOutput::Refuse(why)),
                }
            }
            (Self::Accepted(context, peer, said), ServerInput::Confirmed(open, sessions, at)) => {
                match opened(&context, &peer, &said, &open, &sessions, at) {
                    Ok(()) => {
                        Step::to(Self::Open(context.clone(), peer)).order(OpeningOutput::Opened(context))
                    }
                    Err(why) => Step::to(Self::Refused).order(OpeningOutput::Refuse(why)),
                }
            }
            (Self::Listening(_) | Self::Accepted(..), ServerInput::Declined) => {
                Step::to(Self::Refused).order(OpeningOutput::Refuse(DealFault::Declined))
            }
            (state, _) => Step::refuse(state, Refused::OutOfPlace),
        }
    }
}

impl Client {
    /// The open deal, for what pays, signs, sends or shows; nothing before both sides have signed.
    pub fn open_deal(&self, authority: &ContextAuthority) -> Option<OpenDeal> {
        match self {
            Self::Open(context) => Some(authority.open((**context).clone())),
            Self::Ready(_) | Self::Proposed(..) | Self::Refused => None,
        }
    }
}

impl Server {
    /// The open deal, for what pays, signs, sends or shows; nothing before both sides have signed.
    pub fn open_deal(&self, authority: &ContextAuthority) -> Option<OpenDeal> {
        match self {
            Self::Open(context, _) => Some(authority.open((**context).clone())),
            Self::Listening(_) | Self::Accepted(..) | Self::Refused => None,
        }
    }
}

fn lines(me: &Party, context: Option<&DealContext>, terms: Option<Terms>, seq: u32, at: Moment) -> Lines {
    Lines {
        deal: context.map(|context| context.id),
        terms_sha256: terms.map(|terms| terms.terms_sha256),
        conf: None,
        seq,
        at: at.whole_seconds(),
        signer: me.key.kid(),
        cert: me.certificate,
        salt: None,
    }
}

fn propose(intent: &Intent, nonce: DealNonce, at: Moment) -> Result<DealPropose, DealFault> {
    if intent.modules.len() > MOST_MODULES {
        return Err(DealFault::BadChoice("modules"));
    }
    Ok(DealPropose {
        lines: lines(&intent.me, None, intent.terms, 1, at),
        nonce,
        spki: intent.me.tls,
        package_sha256: intent.terms.map(|terms| terms.package_sha256),
        statement_sha256: intent.terms.map(|terms| terms.statement_sha256),
        invite: intent.invite.clone(),
        attribute: intent.ranges.clone(),
        ceiling: intent.ceiling,
        module: intent.modules.clone(),
        locale: intent.locale.clone(),
    })
}

/// The server's answer: its checks of the proposal, and its choices.
fn accept(
    house: &House,
    propose: &Verified<DealPropose>,
    peer: &Party,
    session: Exporter,
    nonce: DealNonce,
    at: Moment,
) -> Result<(Box<DealContext>, Draft), DealFault> {
    signed_by(peer, &propose.lines, propose.signer(), propose.spki)?;
    check_clock(propose.lines.at, at)?;
    if propose.nonce == nonce {
        return Err(DealFault::BadNonce);
    }
    let named = (propose.lines.terms_sha256, propose.package_sha256, propose.statement_sha256);
    let ours = house.terms.map(|terms| (terms.terms_sha256, terms.package_sha256, terms.statement_sha256));
    let ours = ours.map_or((None, None, None), |(a, b, c)| (Some(a), Some(b), Some(c)));
    if named != ours {
        return Err(DealFault::TermsUnknown);
    }
    let place = (propose.lines.deal, propose.lines.conf, propose.lines.seq);
    if place != (None, None, 1) || propose.module.len() > MOST_MODULES {
        return Err(DealFault::Mismatch("lines"));
    }
    let chosen = choose(&propose.attribute, &house.ranges)?;
    let module: Vec<String> =
        propose.module.iter().filter(|one| house.modules.contains(one)).cloned().collect();
    let id = deal_id(&propose.nonce, &nonce, propose.lines.terms_sha256, peer.tls, house.me.tls);
    let opened = at.whole_seconds();
    let lifetime = house.lifetime.min(LONGEST);
    let context = Box::new(DealContext {
        id,
        me: house.me.view(),
        peer: peer.view(),
        terms: propose.lines.terms_sha256,
        attributes: chosen.attributes.clone(),
        ceiling: propose.ceiling,
        opened,
        expires: opened.after(lifetime).whole_seconds(),
    });
    let accept = DealAccept {
        lines: lines(&house.me, Some(&context), house.terms, 1, at),
        nonce,
        spki: house.me.tls,
        propose: propose.digest(),
        exporter: session,
        chosen,
        ceiling: propose.ceiling,
        module,
        locale: propose.locale.clone(),
        expires: context.expires,
    };
    let draft = Draft::of(&accept)?;
    Ok((context, draft))
}

/// The client's answer to the choices: every field the server wrote is held against what was proposed.
fn confirm(
    intent: &Intent,
    said: &DealPropose,
    draft: &Draft,
    accept: &Verified<DealAccept>,
    sessions: &[Exporter],
    at: Moment,
) -> Result<(Box<DealContext>, Draft), DealFault> {
    signed_by(&intent.peer, &accept.lines, accept.signer(), accept.spki)?;
    check_clock(accept.lines.at, at)?;
    if accept.nonce == said.nonce {
        return Err(DealFault::BadNonce);
    }
    let id = deal_id(&said.nonce, &accept.nonce, said.lines.terms_sha256, intent.me.tls, intent.peer.tls);
    let lines_of = &accept.lines;
    let end = lines_of.at.after(LONGEST);
    let fits = [
        ("propose", accept.propose == draft.digest()),
        ("deal", lines_of.deal == Some(id)),
        ("terms-sha256", lines_of.terms_sha256 == said.lines.terms_sha256),
        ("lines", lines_of.conf.is_none() && lines_of.seq == 1 && lines_of.salt.is_none()),
        ("exporter", sessions.contains(&accept.exporter)),
    ];
    if let Some((field, _)) = fits.into_iter().find(|(_, fits)| !fits) {
        return Err(DealFault::Mismatch(field));
    }
    intent.ranges.admit(&accept.chosen)?;
    let modules: Vec<&String> = said.module.iter().filter(|one| accept.module.contains(one)).collect();
    let choices = [
        ("ceiling", accept.ceiling == said.ceiling),
        ("module", modules.iter().copied().eq(accept.module.iter())),
        ("locale", accept.locale == said.locale),
        ("expires", lines_of.at < accept.expires && at < accept.expires && accept.expires <= end),
    ];
    if let Some((field, _)) = choices.into_iter().find(|(_, fits)| !fits) {
        return Err(DealFault::BadChoice(field));
    }
    let exporter = *sessions.last().ok_or(DealFault::WrongKey)?;
    let context = Box::new(DealContext {
        id,
        me: intent.me.view(),
        peer: intent.peer.view(),
        terms: said.lines.terms_sha256,
        attributes: accept.chosen.attributes.clone(),
        ceiling: accept.ceiling,
        opened: lines_of.at,
        expires: accept.expires,
    });
    let open = DealOpen {
        lines: lines(&intent.me, Some(&context), intent.terms, 2, at),
        accept: accept.digest(),
        exporter,
    };
    let draft = Draft::of(&open)?;
    Ok((context, draft))
}

/// The server's check of the client's last word.
fn opened(
    context: &DealContext,
    peer: &Party,
    said: &Draft,
    open: &Verified<DealOpen>,
    sessions: &[Exporter],
    at: Moment,
) -> Result<(), DealFault> {
    signed_by(peer, &open.lines, open.signer(), peer.tls)?;
    check_clock(open.lines.at, at)?;
    let fits = [
        ("accept", open.accept == said.digest()),
        ("deal", open.lines.deal == Some(context.id)),
        ("terms-sha256", open.lines.terms_sha256 == context.terms),
        ("lines", open.lines.conf.is_none() && open.lines.seq == 2 && open.lines.salt.is_none()),
        ("exporter", sessions.contains(&open.exporter)),
    ];
    match fits.into_iter().find(|(_, fits)| !fits) {
        Some((field, _)) => Err(DealFault::Mismatch(field)),
        None => Ok(()),
    }
}

/// Whether a statement is by `party`: its key, its certificate, and the key of its connection.
fn signed_by(party: &Party, lines: &Lines, signer: Kid, tls: Kid) -> Result<(), DealFault> {
    let kid = party.key.kid();
    let same = signer == kid && lines.signer == kid && lines.cert == party.certificate && tls == party.tls;
    if same { Ok(()) } else { Err(DealFault::WrongKey) }
}

/// Checks that the other side's clock is near enough to ours for deadlines to mean the same.
///
/// # Errors
/// [`DealFault::Clock`] beyond five minutes.
pub fn check_clock(theirs: Moment, ours: Moment) -> Result<(), DealFault> {
    let apart = theirs.since(ours).max(ours.since(theirs));
    if apart <= SKEW { Ok(()) } else { Err(DealFault::Clock) }
}
