//! Negotiation of the means of payment: propose, select, confirm (Abad-Peiro, Asokan, Steiner, Waidner 1998).
//!
//! The payee proposes a list of systems, since its list is public anyway; the payer answers with one of
//! them, so that it never shows what else it has; the payee confirms. Every message is signed and names the
//! one before by its hash, and the hash of all three is in the reference of the payment: a list that was
//! cut short on the way, or a confirmation of something else, makes the first message of the payment fail.

use serde::{Deserialize, Serialize};

use semper_supporting::{
    crypto::{digest::Digest, signature::Kid},
    deal::{Anonymity, DealId, Xid},
    evidence::{Signable, Statement, Verified},
    identifier,
    money::Money,
    time::Moment,
};

use super::{
    id::{AccountId, PayRef, SysId, derive},
    purse::{Purse, System},
};

identifier! {
    /// One negotiation; used once per deal.
    NegId, 16
}

identifier! {
    /// Fresh random bytes that make a message unique.
    Nonce, 32
}

/// Who proposes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proposer {
    /// The one who pays.
    Payer,
    /// The one who is paid.
    Payee,
}

/// What the other side may choose.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChoiceKind {
    /// One of the systems, at the amount named.
    Ps,
    /// One of the systems, and an amount up to the one named.
    PsAmt,
}

/// Where the value goes when it is paid.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// To the payee, within a window in which the third party can order it back.
    Direct,
    /// To the bank, until it is released.
    Escrow,
}

/// What a payment must be able to do for the exchange it stands in.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct ExchangeNeeds {
    /// The third party can find out, and settle for good, whether it happened.
    pub verifiable: bool,
    /// The third party can undo it.
    pub revocable: bool,
    /// The third party can make it happen.
    pub generatable: bool,
}

/// One system of the list.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct SystemOffer {
    /// Protocol, brand and scheme.
    #[serde(rename = "")]
    pub system: System,
    /// Major and minor version of the protocol.
    pub ver: (u16, u16),
    /// What is to be paid by this system.
    pub amount: Money,
    /// What the payer pays on top of it.
    pub fee_payer: Option<Money>,
    /// The modes in which the payee takes it, in its order.
    pub modes: Vec<Mode>,
    /// What it can do for an exchange, in those modes.
    pub exch: ExchangeNeeds,
    /// The hash of the module's descriptor.
    pub props_hash: Digest,
    /// The account that is to be credited.
    pub payee: AccountId,
}

/// `pay/neg-p`.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct NegPropose {
    /// The other side's deal key.
    pub to: Kid,
    /// The proposer's deal key.
    pub signer: Kid,
    /// The deal.
    pub deal: DealId,
    /// The exchange the payment stands in.
    pub exch: Option<Xid>,
    /// This negotiation.
    pub neg: NegId,
    /// Who proposes.
    pub from: Proposer,
    /// What is paid for, in the proposer's words.
    pub ref_text: String,
    /// What is paid for: the hash of its description.
    pub item_hash: Digest,
    /// The amount of the deal.
    pub amount: Money,
    /// What may be chosen.
    pub choice: ChoiceKind,
    /// The third party of the exchange.
    pub arbiter: Option<Kid>,
    /// What the proposer's side of the deal demands of the payer's anonymity.
    pub require_anon: Anonymity,
    /// What the exchange demands.
    pub require_exch: ExchangeNeeds,
    /// The systems, in the proposer's order; at most 16.
    pub systems: Vec<SystemOffer>,
    /// None of the three messages is accepted after this.
    pub valid_until: Moment,
    /// Fresh random bytes.
    pub nonce: Nonce,
}

/// `pay/neg-s`.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct NegSelect {
    /// The proposer's deal key.
    pub to: Kid,
    /// The chooser's deal key.
    pub signer: Kid,
    /// This negotiation.
    pub neg: NegId,
    /// The hash of the proposal.
    pub h_prop: Digest,
    /// Which system of the list, from 0.
    pub idx: u32,
    /// What is to be paid.
    pub amount: Money,
    /// In which mode.
    pub mode: Mode,
    /// Fresh random bytes.
    pub nonce: Nonce,
}

/// `pay/neg-c`.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct NegConfirm {
    /// The chooser's deal key.
    pub to: Kid,
    /// The proposer's deal key.
    pub signer: Kid,
    /// This negotiation.
    pub neg: NegId,
    /// The hash of the proposal.
    pub h_prop: Digest,
    /// The hash of the selection.
    pub h_sel: Digest,
    /// The system.
    #[serde(rename = "")]
    pub system: System,
    /// Its version.
    pub ver: (u16, u16),
    /// What is to be paid.
    pub amount: Money,
    /// In which mode.
    pub mode: Mode,
    /// The third party of the exchange.
    pub arbiter: Option<Kid>,
    /// Fresh random bytes.
    pub nonce: Nonce,
}

/// Why there is no common means of payment.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum NegReason {
    /// No purse for any of the systems.
    #[error("no purse for any of the systems the other side takes")]
    NoCommonSystem,
    /// There is one, with too little in it.
    #[error("there is too little in every purse for the systems the other side takes")]
    Insufficient,
    /// None keeps the anonymity that the deal demands.
    #[error("none of the common systems keeps the anonymity of the deal")]
    Anonymity,
    /// None can do for the exchange what it needs.
    #[error("none of the common systems can be undone or verified as the exchange needs")]
    Exchange,
    /// The user declined.
    #[error("the user declined")]
    Declined,
}

/// `pay/neg-r`.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct NegReject {
    /// The other side's deal key.
    pub to: Kid,
    /// The deal key of the one who ends the negotiation.
    pub signer: Kid,
    /// This negotiation.
    pub neg: NegId,
    /// The hash of the last message.
    pub h_last: Digest,
    /// Why.
    pub reason: NegReason,
}

/// Why a message of the negotiation is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NegError {
    /// It does not fit the messages before it; all of them are evidence.
    #[error("the negotiation of the payment does not fit together: {0}")]
    Mismatch(&'static str),
    /// It came after the time until which the proposal holds.
    #[error("the proposal held until {0}")]
    Expired(Moment),
    /// The list is empty or longer than 16.
    #[error("a proposal names 1 to 16 payment systems")]
    Length,
    /// There is no common means.
    #[error(transparent)]
    None(#[from] NegReason),
}

impl NegError {
    /// The stable dotted code of the fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Mismatch(_) => "pay.neg-mismatch",
            Self::Expired(_) => "pay.neg-expired",
            Self::Length => "nego.too-long",
            Self::None(NegReason::Insufficient) => "purse.insufficient",
            Self::None(_) => "nego.none",
        }
    }
}

/// The three messages, checked against each other.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct PaymentAgreement {
    propose: Verified<NegPropose>,
    select: Verified<NegSelect>,
    confirm: Verified<NegConfirm>,
}

/// The most systems a proposal may name.
pub const MOST_SYSTEMS: usize = 16;

macro_rules! statements {
    ($($name:ident => $kind:literal),* $(,)?) => { $(
        impl Statement for $name {
            const TYPE: &'static str = $kind;
        }

        impl Signable for $name {
            fn signer(&self) -> Kid {
                self.signer
            }
        }
    )* };
}

statements! {
    NegPropose => "pay/neg-p", NegSelect => "pay/neg-s", NegConfirm => "pay/neg-c", NegReject => "pay/neg-r",
}

/// The payer's choice among `purses` for `propose`, and which purse it is: the lowest by the user's order,
/// then by total cost, then by the names.
///
/// The selection still needs the payer's signature. Every purse is looked at only here; the payee learns
/// of one.
///
/// # Errors
/// [`NegError`]; the reason for an empty set of candidates is the first rule that left nothing.
pub fn select<'p>(
    propose: &Verified<NegPropose>,
    purses: &'p [Purse],
    now: Moment,
    nonce: Nonce,
) -> Result<(NegSelect, &'p Purse), NegError> {
    check_proposal(propose, now)?;
    if propose.from != Proposer::Payee {
        return Err(NegError::Mismatch("from"));
    }
    let mut fits = Fits::default();
    let mut candidates: Vec<(u64, u64, u32, &SystemOffer, &Purse)> = Vec::new();
    for (index, offer) in (0_u32..).zip(&propose.systems) {
        for (rank, purse) in (0_u64..).zip(purses) {
            if let Some(cost) = fits.cost(propose, offer, purse) {
                candidates.push((rank, cost.minor(), index, offer, purse));
            }
        }
    }
    candidates.sort_by(|a, b| (a.0, a.1, &a.3.system, a.2).cmp(&(b.0, b.1, &b.3.system, b.2)));
    let (_, _, idx, offer, purse) = *candidates.first().ok_or(NegError::None(fits.reason()))?;
    let select = NegSelect {
        to: propose.signer,
        signer: propose.to,
        neg: propose.neg,
        h_prop: propose.digest(),
        idx,
        amount: offer.amount,
        mode: *offer.modes.first().ok_or(NegError::Mismatch("modes"))?,
        nonce,
    };
    Ok((select, purse))
}

/// How far the best purse got: what to say when none got through.
#[derive(Default)]
struct Fits {
    system: bool,
    exchange: bool,
    anonymity: bool,
}

impl Fits {
    /// What the payer would pay with `purse` by `offer`, if they fit each other and the proposal.
    fn cost(&mut self, propose: &NegPropose, offer: &SystemOffer, purse: &Purse) -> Option<Money> {
        let same = purse.system == offer.system && purse.version.0 == offer.ver.0;
        if !same || purse.currency() != offer.amount.currency || !purse.can_pay() {
            return None;
        }
        self.system = true;
        let needs = propose.require_exch;
        let able = |need: bool, theirs: bool, ours: bool| !need || (theirs && ours);
        let exchange = able(needs.verifiable, offer.exch.verifiable, purse.exchange.verifiable)
            && able(needs.revocable, offer.exch.revocable, purse.exchange.revocable)
            && able(needs.generatable, offer.exch.generatable, purse.exchange.generatable);
        if !exchange {
            return None;
        }
        self.exchange = true;
        if purse.anonymity < propose.require_anon {
            return None;
        }
        self.anonymity = true;
        let fee = offer.fee_payer.unwrap_or(Money::zero(offer.amount.currency));
        let cost = offer.amount.checked_add(fee).ok()?;
        (purse.available() >= cost).then_some(cost)
    }

    fn reason(&self) -> NegReason {
        match (self.system, self.exchange, self.anonymity) {
            (false, ..) => NegReason::NoCommonSystem,
            (_, false, _) => NegReason::Exchange,
            (_, _, false) => NegReason::Anonymity,
            _ => NegReason::Insufficient,
        }
    }
}

/// The payee's confirmation of `select`; it still needs the payee's signature.
///
/// # Errors
/// [`NegError`].
pub fn confirm(
    propose: &Verified<NegPropose>,
    select: &Verified<NegSelect>,
    now: Moment,
    nonce: Nonce,
) -> Result<NegConfirm, NegError> {
    check_proposal(propose, now)?;
    let offer = selected(propose, select)?;
    Ok(NegConfirm {
        to: propose.to,
        signer: propose.signer,
        neg: propose.neg,
        h_prop: propose.digest(),
        h_sel: select.digest(),
        system: offer.system.clone(),
        ver: offer.ver,
        amount: select.amount,
        mode: select.mode,
        arbiter: propose.arbiter,
        nonce,
    })
}

fn check_proposal(propose: &NegPropose, now: Moment) -> Result<(), NegError> {
    if now > propose.valid_until {
        return Err(NegError::Expired(propose.valid_until));
    }
    if propose.systems.is_empty() || propose.systems.len() > MOST_SYSTEMS {
        return Err(NegError::Length);
    }
    let priced =
        propose.systems.iter().all(|offer| offer.amount == propose.amount && !offer.amount.is_zero());
    if priced { Ok(()) } else { Err(NegError::Mismatch("amount")) }
}

/// The system that `select` chose, if it fits the proposal in every field.
fn selected<'a>(propose: &'a Verified<NegPropose>, select: &NegSelect) -> Result<&'a SystemOffer, NegError> {
    let index = usize::try_from(select.idx).map_err(|_| NegError::Mismatch("idx"))?;
    let offer = propose.systems.get(index).ok_or(NegError::Mismatch("idx"))?;
    let amount = match propose.choice {
        ChoiceKind::Ps => select.amount == offer.amount,
        ChoiceKind::PsAmt => select.amount <= offer.amount && !select.amount.is_zero(),
    };
    let fits = [
        ("neg", select.neg == propose.neg),
        ("h-prop", select.h_prop == propose.digest()),
        ("signer", select.signer == propose.to && select.to == propose.signer),
        ("amount", amount),
        ("mode", offer.modes.contains(&select.mode)),
    ];
    fits.into_iter().find(|(_, fits)| !fits).map_or(Ok(offer), |(field, _)| Err(NegError::Mismatch(field)))
}

impl PaymentAgreement {
    /// Joins the three messages; both sides do, and get the same.
    ///
    /// # Errors
    /// [`NegError::Mismatch`] naming the first field that does not fit, [`NegError::Expired`].
    pub fn new(
        propose: Verified<NegPropose>,
        select: Verified<NegSelect>,
        confirm: Verified<NegConfirm>,
        now: Moment,
    ) -> Result<Self, NegError> {
        check_proposal(&propose, now)?;
        let offer = selected(&propose, &select)?;
        let fits = [
            ("neg", confirm.neg == propose.neg),
            ("h-prop", confirm.h_prop == propose.digest()),
            ("h-sel", confirm.h_sel == select.digest()),
            ("signer", confirm.signer == propose.signer && confirm.to == propose.to),
            ("system", confirm.system == offer.system && confirm.ver == offer.ver),
            ("amount", confirm.amount == select.amount),
            ("mode", confirm.mode == select.mode),
            ("arbiter", confirm.arbiter == propose.arbiter),
        ];
        match fits.into_iter().find(|(_, fits)| !fits) {
            Some((field, _)) => Err(NegError::Mismatch(field)),
            None => Ok(Self { propose, select, confirm }),
        }
    }

    /// The hash of the three messages, which every reference contains.
    pub fn hash(&self) -> Digest {
        let bytes = [&self.propose.bytes().tbs, &self.select.bytes().tbs, &self.confirm.bytes().tbs];
        derive("neg", &bytes.map(Vec::as_slice))
    }

    /// The reference of payment number `n` of this agreement; ordinarily there is one, number 0.
    pub fn reference(&self, n: u32) -> PayRef {
        PayRef::of(&self.propose.deal, &self.hash(), n)
    }

    /// What is to be paid.
    pub fn amount(&self) -> Money {
        self.confirm.amount
    }

    /// By which system.
    pub fn system(&self) -> &System {
        &self.confirm.system
    }

    /// The protocol of the system.
    pub fn sys(&self) -> &SysId {
        &self.confirm.system.sys
    }

    /// In which mode.
    pub fn mode(&self) -> Mode {
        self.confirm.mode
    }

    /// The third party that may freeze the payment and order it back.
    pub fn arbiter(&self) -> Option<Kid> {
        self.confirm.arbiter
    }

    /// The exchange it stands in.
    pub fn exchange(&self) -> Option<Xid> {
        self.propose.exch
    }

    /// The account to be credited.
    ///
    /// # Errors
    /// [`NegError::Mismatch`], which the constructor has excluded.
    pub fn payee(&self) -> Result<AccountId, NegError> {
        selected(&self.propose, &self.select).map(|offer| offer.payee)
    }

    /// The three messages as evidence, in order.
    pub fn evidence(&self) -> [&semper_supporting::evidence::SignedBytes; 3] {
        [self.propose.bytes(), self.select.bytes(), self.confirm.bytes()]
    }
}
