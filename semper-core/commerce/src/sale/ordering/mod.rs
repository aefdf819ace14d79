//! What comes before the exchange in a deal under terms: forms, offers and orders, each a transfer that both
//! sides hold to the terms.
//!
//! ```text
//! whoever moves                              the other side
//!   (statement signed, MESSAGE signed)
//!   MESSAGE, form and statement beside it ->
//!                                            the ten checks; kept, done
//!                                         <-  CLOSE, if receipts are owed
//!   done
//! ```
//!
//! A move is done at the time MESSAGE says, so that both sides enter the next state at the same moment. What the
//! terms do not allow changes nothing: it is kept, and the user is told.

mod sending;
mod steps;
mod taking;

use std::collections::BTreeMap;

use semper_exchange::{
    generatable_verifiable as gxv,
    message::xfer,
    run::{Run, Speaker},
    transfers_only::{Sender, sender},
};
use semper_supporting::{
    crypto::digest::Digest,
    deal::{DealContext, Xid},
    evidence::{SignedBytes, Verified, statement},
    machine::Machine as _,
    money::Money,
    time::{Moment, Span},
};
use semper_transfer::{
    description::{Addressee, DataDescription, Description, Semantics, StatementDescription},
    statement::{ItemType, read_signed},
};
use serde::{Deserialize, Serialize};

pub(super) use self::steps::Orders;
use super::{
    Agreed, Input, Output, SaleFault, Taken,
    line::{Destination, Line, verified},
    message::Beside,
};
use crate::{
    deal::{Party, Terms as TermsNames},
    runner::{Admitted, Fixed, Monitor, Moving, SKEW, Terms},
    service::{
        form::{Descriptor, FormValues},
        statechart::{Content, Item, Move},
    },
};

/// The media type of forms and statements.
const TEXT: &str = "text/plain";

/// A deal under terms, up to its exchange.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Ordering {
    pub(super) context: DealContext,
    names: TermsNames,
    monitor: Monitor,
    me: Party,
    peer: Party,
    receipts: bool,
    ours: Option<Ours>,
    said: u64,
}

/// A deal that ended by its terms, before any exchange.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Parting {
    /// The end, by its name in the terms.
    pub(super) end: String,
    pub(super) closing: Closing,
}

/// How far the last words are.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Closing {
    pub(super) ended: bool,
    pub(super) said: bool,
    pub(super) heard: bool,
}

impl Parting {
    fn at(end: String) -> Self {
        Self { end, closing: Closing::default() }
    }
}

impl Closing {
    /// Whether nothing more is to be said or heard.
    pub(super) const fn is_whole(self) -> bool {
        self.ended && self.said && self.heard
    }
}

/// A move of ours that is under way.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
enum Ours {
    /// Its statement waits for the signature.
    Signing { name: String, statement: Digest, forms: Vec<FormValues>, at: Moment },
    /// MESSAGE waits for its signature, or its receipt is awaited.
    Sending { admitted: Box<Admitted>, sender: Box<Sender>, beside: Vec<Digest>, at: Moment },
}

impl Ordering {
    /// The side of `me` of a deal that was just opened.
    pub(super) fn open(
        agreed: &Agreed,
        names: TermsNames,
        context: DealContext,
        (me, peer): (Party, Party),
        is_client: bool,
    ) -> Self {
        let (client, server) = agreed.terms.sides();
        let (mine, theirs) = if is_client { (client, server) } else { (server, client) };
        let fixed = Fixed {
            keys: [(mine.to_owned(), me.key.kid()), (theirs.to_owned(), peer.key.kid())].into(),
            accounts: BTreeMap::new(),
            ceiling: context.ceiling,
            currency: context.attributes.currency.first().copied(),
        };
        let receipts = context.attributes.evidence >= semper_supporting::deal::EvidenceLevel::Full;
        let monitor = Monitor::open(&agreed.terms, mine, fixed, context.opened);
        Self { context, names, monitor, me, peer, receipts, ours: None, said: 0 }
    }

    /// Where the deal stands.
    pub(super) fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    /// Our name in the terms.
    fn mine(&self) -> &str {
        self.monitor.party()
    }

    /// The moves that we can start here by ourselves; none while one is under way.
    pub(super) fn choices(&self, agreed: &Agreed, now: Moment) -> Vec<String> {
        if self.ours.is_some() {
            return Vec::new();
        }
        let enabled = self.monitor.enabled(&agreed.terms, self.mine(), now);
        enabled
            .into_iter()
            .filter(|(_, one)| !one.cell.is_exchange())
            .map(|(name, _)| name.to_owned())
            .collect()
    }

    /// The fair purchase that is next, if it is: by its name.
    pub(super) fn purchase(&self, agreed: &Agreed, now: Moment) -> Option<String> {
        let (client, _) = agreed.terms.sides();
        let enabled = self.monitor.enabled(&agreed.terms, client, now);
        let cell = crate::service::statechart::Cell::FairPurchase;
        enabled.into_iter().find(|(_, one)| one.cell == cell).map(|(name, _)| name.to_owned())
    }

    /// The end at which the deal has arrived, by its name.
    pub(super) fn end(&self, agreed: &Agreed) -> Option<String> {
        let configuration = self.monitor.configuration();
        configuration.end(agreed.terms.chart()).map(|_| configuration.place().to_owned())
    }

    /// How long the deal stands where it stands, grace included; nothing at an end.
    pub(super) fn left(&self, agreed: &Agreed, now: Moment) -> Option<Span> {
        let last = self.monitor.deadline(&agreed.terms)?.after(SKEW);
        Some(Span::millis(last.millis().saturating_sub(now.millis())))
    }

    /// What the purchase `name` costs, and what is bought, as the terms compute both from the forms.
    pub(super) fn bargain(&self, agreed: &Agreed, name: &str) -> Option<(Money, Descriptor)> {
        let one = agreed.terms.chart().moves.get(name)?;
        let price = one.items().find_map(|leaf| self.monitor.amount(&agreed.terms, leaf))?;
        let what = one.items().find_map(|leaf| self.monitor.content(&agreed.terms, leaf))?;
        Some((price, what))
    }

    /// Makes a move of ours: with these forms, each as far as it is filled in now.
    pub(super) fn make(
        &mut self,
        agreed: &Agreed,
        line: &mut Line,
        (name, forms): (&str, Vec<FormValues>),
        input: &Input,
    ) -> Taken {
        if self.ours.is_some() {
            return Err(SaleFault::OutOfPlace);
        }
        let at = input.at.whole_seconds();
        let (leaf, item) = self.only_item(&agreed.terms, name)?;
        if !matches!(item, Item::Signature { .. }) {
            return self.letter(agreed, line, (name, forms, None), at, input);
        }
        let lines = self.lines(&agreed.terms, (leaf, item), &forms, at, input)?;
        let draft = sending::draft_of(ItemType::of_item(leaf), lines)?;
        self.said += 1;
        self.ours = Some(Ours::Signing { name: name.to_owned(), statement: draft.digest(), forms, at });
        // A person is asked for what commits; a shop's policy answers for the shop.
        Ok(line.ask(draft, Destination::Item))
    }

    /// The user will not sign the statement of a move: it is not made.
    pub(super) fn refused(&mut self, digest: Digest) -> bool {
        let is_ours = matches!(&self.ours, Some(Ours::Signing { statement, .. }) if *statement == digest);
        if is_ours {
            self.ours = None;
        }
        is_ours
    }

    /// Something of ours is signed. Says whether a move is done with it.
    pub(super) fn signed(
        &mut self,
        agreed: &Agreed,
        line: &mut Line,
        signed: &SignedBytes,
        input: &Input,
    ) -> Result<(Vec<Output>, bool), SaleFault> {
        match self.ours.clone() {
            Some(Ours::Signing { name, statement, forms, at }) if statement == signed.digest() => {
                self.ours = None;
                line.file(signed);
                let outputs = self.letter(agreed, line, (&name, forms, Some(signed)), at, input)?;
                Ok((outputs, false))
            }
            Some(Ours::Sending { admitted, sender, beside, at }) => {
                let message: Verified<xfer::Message> = verified(signed.clone(), &self.me.key)?;
                let event = sender::Event::Signed(message);
                let step = sender.step(gxv::Input { at: input.at, event });
                if step.refused.is_some() {
                    return Err(SaleFault::OutOfPlace);
                }
                let outputs = line.dispatch(signed.clone(), Destination::Exchange(beside.clone()))?;
                if step.state.has_ended() {
                    self.done(agreed, line, *admitted, at)?;
                    return Ok((outputs, true));
                }
                self.ours = Some(Ours::Sending { admitted, sender: Box::new(step.state), beside, at });
                Ok((outputs, false))
            }
            _ => Err(SaleFault::OutOfPlace),
        }
    }

    /// A message of the other side. Says whether a move is done with it.
    pub(super) fn heard(
        &mut self,
        agreed: &Agreed,
        line: &mut Line,
        (signed, beside): (SignedBytes, &[Beside]),
        input: &Input,
    ) -> Result<(Vec<Output>, bool), SaleFault> {
        match statement::type_of(&signed.tbs)?.as_str() {
            "x/xfer/close" => self.receipt(agreed, line, signed, input),
            "x/xfer/message" => self.message(agreed, line, (signed, beside), input),
            _ => Err(SaleFault::OutOfPlace),
        }
    }

    fn receipt(
        &mut self,
        agreed: &Agreed,
        line: &mut Line,
        signed: SignedBytes,
        input: &Input,
    ) -> Result<(Vec<Output>, bool), SaleFault> {
        let Some(Ours::Sending { admitted, sender, at, .. }) = self.ours.clone() else {
            return Err(SaleFault::OutOfPlace);
        };
        let close: Verified<xfer::Close> = verified(signed, &self.peer.key)?;
        let kept = Output::Keep(close.bytes().clone());
        let step = sender.step(gxv::Input { at: input.at, event: sender::Event::Closed(close) });
        if step.refused.is_some() || !step.state.has_ended() {
            return Err(SaleFault::OutOfPlace);
        }
        self.ours = None;
        self.done(agreed, line, *admitted, at)?;
        Ok((vec![kept], true))
    }

    /// LATE: says whether the deal went on because of it.
    pub(super) fn late(&mut self, agreed: &Agreed, line: &mut Line, now: Moment) -> bool {
        let late = self.ours.is_none() && self.monitor.late(&agreed.terms, now);
        if late {
            line.conf = Some(self.monitor.configuration().conf());
        }
        late
    }

    fn done(
        &mut self,
        agreed: &Agreed,
        line: &mut Line,
        admitted: Admitted,
        at: Moment,
    ) -> Result<(), SaleFault> {
        self.monitor.done(&agreed.terms, admitted, at)?;
        line.conf = Some(self.monitor.configuration().conf());
        Ok(())
    }

    /// The one item that a one-way move gives.
    fn only_item<'a>(&self, terms: &'a Terms, name: &str) -> Result<(&'a str, &'a Item), SaleFault> {
        let one = terms.chart().moves.get(name).ok_or(SaleFault::OutOfPlace)?;
        let mut leaves = one.items();
        match (leaves.next(), leaves.next()) {
            (Some(leaf), None) => Ok((leaf, terms.item(leaf).ok_or(SaleFault::OutOfPlace)?)),
            _ => Err(SaleFault::OutOfPlace),
        }
    }

    fn run(&self, xid: Xid, ours: bool) -> Run {
        let speaker = |party: &Party| Speaker { certificate: party.certificate, kid: party.key.kid() };
        let (originator, responder) = if ours { (&self.me, &self.peer) } else { (&self.peer, &self.me) };
        Run {
            xid,
            deal: self.context.id,
            originator: speaker(originator),
            responder: speaker(responder),
            third_party: None,
        }
    }

    /// A signed statement that moves, with the digests of its leaf.
    fn statement(&self, signed: &SignedBytes, ours: bool) -> Result<(Moving, (Digest, Digest)), SaleFault> {
        let signer = if ours { &self.me } else { &self.peer };
        signer.key.verify(&signed.tbs, &signed.signature).map_err(|_| SaleFault::OutOfPlace)?;
        let (kind, lines) = read_signed(signed)?;
        if (lines.in_deal.deal, lines.in_deal.cert) != (Some(self.context.id), signer.certificate) {
            return Err(SaleFault::OutOfPlace);
        }
        let sha256 = signed.digest();
        let description = StatementDescription {
            semantics: semantics(kind),
            text: sha256,
            media: TEXT.to_owned(),
            signer: signer.certificate,
            addressee: Addressee::Certificate(if ours { self.peer.certificate } else { self.me.certificate }),
        };
        let described = Description::Statement(description).hash()?;
        Ok((Moving::Signature { kind, lines: Box::new(lines), sha256 }, (described, sha256)))
    }
}

/// A form that moves by itself, with the digests of its leaf.
fn form_moving(item: &Item, forms: &[FormValues]) -> Result<(Moving, (Digest, Digest)), SaleFault> {
    let Item::Information { content: Content::Carries(name), .. } = item else {
        return Err(SaleFault::OutOfPlace);
    };
    let form = forms.iter().find(|form| form.name() == name).ok_or(SaleFault::OutOfPlace)?;
    let file = form.file();
    let plain = Digest::of(file.as_bytes());
    let description = DataDescription {
        title: name.clone(),
        media: TEXT.to_owned(),
        length: file.len() as u64,
        plain,
        sealed: None,
        key: None,
        licence: None,
    };
    let described = Description::from(description).hash()?;
    Ok((Moving::Information { sha256: form.root(), descriptor: None }, (described, plain)))
}

/// The word of a move's cell in the terms.
fn cell_name(one: &Move) -> String {
    one.cell.name().to_owned()
}

fn semantics(kind: ItemType) -> Semantics {
    match kind {
        ItemType::Offer => Semantics::Offer,
        ItemType::Order => Semantics::Order,
        ItemType::Contract => Semantics::Contract,
        ItemType::Receipt => Semantics::Receipt,
        ItemType::Confirmation | ItemType::Accepted => Semantics::Acknowledgement,
        ItemType::Dispatch | ItemType::Notice | ItemType::Refusal | ItemType::Other => Semantics::Other,
    }
}
