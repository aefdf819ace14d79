//! The line between the two sides of a sale: the record of the deal, the connection it stands on, what waits
//! for a signature, and every document by its hash.

use std::collections::BTreeMap;

use semper_exchange::message::Draft;
use semper_supporting::{
    comm::{
        envelope::{Conversation, Envelope, Heard},
        frame::Frame,
        session::Exporter,
    },
    crypto::{
        digest::Digest,
        signature::{Kid, PublicKey},
    },
    deal::DealContext,
    evidence::{Signable, SignedBytes, Verified, statement, statement::Bytes},
    time::Moment,
};
use semper_transfer::payment::message::{Pay, Query};
use serde::{Deserialize, Serialize};

use super::{
    MOVE, Output, Session,
    fault::SaleFault,
    message::{Beside, SaleMessage},
};
use crate::deal::{DealFault, DealResume, Party, Standing};

/// The most connections that are remembered until the deal is open.
const MOST_SESSIONS: usize = 16;

/// Where a draft goes once it is signed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum Destination {
    /// To the other side, as a statement about the deal.
    Deal,
    /// To the other side, as a message of the exchange, with what these digests name.
    Exchange(Vec<Digest>),
    /// To the other side, as a message of the negotiation of means.
    Means,
    /// To the third party, with what these digests name.
    Third(Vec<Digest>),
    /// To the bank of this key.
    Bank(Kid),
    /// To the other side over the new connection, outside the record.
    Resume,
    /// Back to the machine of the exchange, which decides.
    Exchanger,
    /// Into the transfer that it is an item of.
    Item,
    /// To the other side, as the message of a transfer.
    Letter,
}

/// One side's end of the line.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Line {
    pub(super) talk: Conversation,
    session: Option<Session>,
    sessions: Vec<Exporter>,
    bound: bool,
    waiting: Vec<(Digest, Destination)>,
    papers: BTreeMap<Digest, SignedBytes>,
    blobs: BTreeMap<Digest, Bytes>,
    pub(super) conf: Option<Digest>,
    /// The move of the terms that the exchange is.
    pub(super) step: Option<String>,
    pub(super) standing: Option<Standing>,
}

/// What came, after the record of the deal has been consulted.
pub(super) enum Came {
    /// A message that was not here before, and the record as it was before it.
    Message(SaleMessage, Box<Conversation>),
    /// Nothing new: this is to be sent again.
    Again(Vec<Output>),
}

/// The digest of the configuration of a deal that sells one thing under `terms`.
pub(super) fn configuration(terms: Option<Digest>) -> Digest {
    let terms = terms.map_or_else(|| "-".to_owned(), |terms| terms.to_string());
    Digest::of(format!("semper-conf/1\nstate: sale\nterms: {terms}\n").as_bytes())
}

impl Line {
    /// A connection stands. Once the deal is open, both sides first say how far they are.
    pub(super) fn up(&mut self, session: Session, at: Moment) -> Result<Vec<Output>, SaleFault> {
        if self.session == Some(session) {
            return Ok(Vec::new());
        }
        if let Some(standing) = &self.standing {
            standing.check_session(session.tls)?;
        }
        self.session = Some(session);
        self.bound = false;
        let mut outputs = Vec::new();
        if let Some(standing) = &mut self.standing {
            let draft = standing.resume(&self.talk, session.exporter, at)?;
            outputs.extend(self.sign(draft, Destination::Resume));
        } else {
            self.sessions.push(session.exporter);
            if self.sessions.len() > MOST_SESSIONS {
                self.sessions.remove(0);
            }
            outputs.extend(self.talk.unanswered().map(Output::Send));
        }
        Ok(outputs)
    }

    /// Checks the key of the present connection, and hands out the connections there have been.
    pub(super) fn sessions(&self, peer: &Party) -> Result<Vec<Exporter>, SaleFault> {
        match self.session {
            Some(session) if session.tls == peer.tls => Ok(self.sessions.clone()),
            Some(_) | None => Err(DealFault::WrongKey.into()),
        }
    }

    /// The deal is open; `named` is the connection that `deal-open` names. Where another stands by now, we say
    /// on it how far we are: it has the key of the opening, as every connection is checked to have.
    pub(super) fn open(
        &mut self,
        context: &DealContext,
        standing: Standing,
        named: Exporter,
        at: Moment,
    ) -> Result<Vec<Output>, SaleFault> {
        self.conf = Some(configuration(context.terms));
        let standing = self.standing.insert(standing);
        self.bound = true;
        self.sessions.clear();
        match self.session {
            Some(session) if session.exporter != named => {
                let draft = standing.resume(&self.talk, session.exporter, at)?;
                Ok(self.sign(draft, Destination::Resume))
            }
            Some(_) | None => Ok(Vec::new()),
        }
    }

    /// The configuration of the deal, once it is open.
    pub(super) fn conf(&self) -> Digest {
        self.conf.unwrap_or(Digest::from_bytes([0; 32]))
    }

    /// The move of the terms that the exchange is.
    pub(super) fn step(&self) -> &str {
        self.step.as_deref().unwrap_or(MOVE)
    }

    /// Takes a frame.
    pub(super) fn hear(&mut self, frame: &Frame, at: Moment) -> Result<Came, SaleFault> {
        if Envelope::read(frame)?.place.is_none() {
            return self.resumed(frame, at).map(Came::Again);
        }
        if self.standing.is_some() && !self.bound {
            return Err(DealFault::WrongKey.into());
        }
        // A frame whose body is no message of a sale never enters the record.
        let message = SaleMessage::peek(frame)?;
        let before = self.talk.clone();
        match self.talk.receive(frame)? {
            Heard::New(_) => Ok(Came::Message(message, Box::new(before))),
            Heard::Repeated(frames) => Ok(Came::Again(frames.into_iter().map(Output::Send).collect())),
            Heard::Unnumbered(_) => Err(SaleFault::OutOfPlace),
        }
    }

    /// The other side says how far it is, on the new connection.
    fn resumed(&mut self, frame: &Frame, at: Moment) -> Result<Vec<Output>, SaleFault> {
        let SaleMessage::Deal { signed, .. } = SaleMessage::peek(frame)? else {
            return Err(SaleFault::OutOfPlace);
        };
        let (Some(standing), Some(session)) = (&self.standing, self.session) else {
            return Err(SaleFault::OutOfPlace);
        };
        let resume: Verified<DealResume> = signed.verify(&standing.peer.key)?;
        standing.check_resume(&resume, &self.talk, (session.exporter, session.tls), at)?;
        self.bound = true;
        let kept = Output::Keep(resume.bytes().clone());
        Ok([kept].into_iter().chain(self.talk.unanswered().map(Output::Send)).collect())
    }

    /// Has `draft` signed without asking, and sent.
    pub(super) fn sign(&mut self, draft: Draft, to: Destination) -> Vec<Output> {
        if let Some(signed) = self.papers.get(&draft.digest()).cloned() {
            return self.dispatch(signed, to).unwrap_or_default();
        }
        self.waiting.push((draft.digest(), to));
        vec![Output::Sign(draft)]
    }

    /// Asks the user to sign `draft`, which commits.
    pub(super) fn ask(&mut self, draft: Draft, to: Destination) -> Vec<Output> {
        self.waiting.push((draft.digest(), to));
        vec![Output::Ask(draft)]
    }

    /// What `signed` was wanted for, if it was.
    pub(super) fn take_signed(&mut self, signed: &SignedBytes) -> Option<Destination> {
        let digest = signed.digest();
        let at = self.waiting.iter().position(|(waiting, _)| *waiting == digest)?;
        let (_, to) = self.waiting.remove(at);
        // What is said about one connection is never said again, and the state does not grow with their number.
        if to != Destination::Resume {
            self.papers.insert(digest, signed.clone());
        }
        Some(to)
    }

    /// Whether anything waits for a signature of ours.
    pub(super) fn is_quiet(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Forgets what waits for a signature: nothing more is said.
    pub(super) fn hush(&mut self) {
        self.waiting.clear();
    }

    /// Sends what was signed.
    pub(super) fn dispatch(
        &mut self,
        signed: SignedBytes,
        to: Destination,
    ) -> Result<Vec<Output>, SaleFault> {
        match to {
            Destination::Deal => self.send(&SaleMessage::Deal { signed, chain: Vec::new() }),
            Destination::Exchange(beside) => {
                let beside = self.beside(&beside);
                self.send(&SaleMessage::Exchange { signed, beside })
            }
            Destination::Means => self.send(&SaleMessage::Payment(signed)),
            Destination::Third(beside) => self.third(signed, &beside),
            Destination::Bank(bank) => Ok(vec![Output::Bank { bank, request: signed }]),
            Destination::Resume => {
                let message = SaleMessage::Deal { signed, chain: Vec::new() };
                let deal = self.standing.as_ref().map(|standing| standing.deal);
                let frame = Envelope::unnumbered(deal, message.write()?).frame(message.kind(), 0)?;
                let again = self.talk.unanswered().map(Output::Send);
                Ok([Output::Send(frame)].into_iter().chain(again).collect())
            }
            Destination::Exchanger | Destination::Item | Destination::Letter => Err(SaleFault::OutOfPlace),
        }
    }

    /// Sends `message` as our next.
    pub(super) fn send(&mut self, message: &SaleMessage) -> Result<Vec<Output>, SaleFault> {
        let frame = self.talk.send(message.kind(), self.conf(), message.write()?)?;
        Ok(vec![Output::Send(frame)])
    }

    /// Keeps a document under its hash.
    pub(super) fn file(&mut self, signed: &SignedBytes) {
        self.papers.insert(signed.digest(), signed.clone());
    }

    /// Keeps bytes under their hash.
    pub(super) fn put(&mut self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        self.blobs.insert(digest, Bytes(bytes.to_vec()));
        digest
    }

    /// The document of this hash.
    pub(super) fn paper(&self, digest: &Digest) -> Option<&SignedBytes> {
        self.papers.get(digest)
    }

    fn beside(&self, digests: &[Digest]) -> Vec<Beside> {
        let one = |digest: &Digest| {
            let statement = || self.papers.get(digest).cloned().map(Beside::Statement);
            self.blobs.get(digest).cloned().map(Beside::Blob).or_else(statement)
        };
        digests.iter().filter_map(one).collect()
    }

    /// The request to the third party: OFFER first among what it names, ACCEPT second if there is one.
    fn third(&self, request: SignedBytes, beside: &[Digest]) -> Result<Vec<Output>, SaleFault> {
        let of_type = |kind: &str| {
            beside
                .iter()
                .filter_map(|digest| self.papers.get(digest))
                .find(|paper| statement::type_of(&paper.tbs).as_deref() == Ok(kind))
                .cloned()
        };
        let offer = of_type("x/gxv/offer").ok_or(SaleFault::OutOfPlace)?;
        let accept = of_type("x/gxv/accept");
        let blobs = beside.iter().filter_map(|digest| self.blobs.get(digest)).cloned().collect();
        Ok(vec![Output::Third { request, offer, accept, blobs }])
    }
}

/// The draft of an order or question to a bank, of the types a payment module writes.
pub(super) fn bank_draft(tbs: &[u8]) -> Result<Draft, SaleFault> {
    Ok(match statement::type_of(tbs)?.as_str() {
        "pay/pay" => Draft::of(&statement::from_bytes::<Pay>(tbs)?)?,
        "pay/query" => Draft::of(&statement::from_bytes::<Query>(tbs)?)?,
        _ => return Err(SaleFault::OutOfPlace),
    })
}

/// Checks that `signed` is a `T` of the key.
pub(super) fn verified<T: Signable>(signed: SignedBytes, key: &PublicKey) -> Result<Verified<T>, SaleFault> {
    Ok(signed.verify(key)?)
}

#[cfg(test)]
mod tests {
    use semper_supporting::crypto::signature::Signature;

    use super::*;

    #[test]
    fn a_line_that_falls_again_and_again_does_not_grow() {
        let mut line = Line::default();
        for n in 0..100 {
            let signed = SignedBytes { tbs: vec![n; 300], signature: Signature::from_bytes([n; 64]) };
            line.waiting.push((signed.digest(), Destination::Resume));
            assert_eq!(line.take_signed(&signed), Some(Destination::Resume));
        }
        assert!(line.papers.is_empty(), "a word for one connection is of no use on the next");
    }
}
