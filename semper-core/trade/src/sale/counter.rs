//! The counter of a shop: takes the frames of buyers, finds the sale that each belongs to, and begins new ones.

use std::{future::Future, sync::Arc};

use semper_comm_tls::{Sender, Trust};
use semper_commerce::{
    deal::{DealPropose, Party},
    sale::{SaleMessage, SellerPlan, Session},
};
use semper_engine::{Engine, EngineError, Key};
use semper_supporting::{
    archive::{Store, StoreError},
    certificate::{CertRole, Certificate, Usage},
    comm::{envelope::Envelope, frame::Frame, session::SessionInfo},
    evidence::{SignedBytes, Statement as _, statement, statement::Bytes},
    fault::Fault as _,
    time::Moment,
};

use super::{
    Books, Heard, KIND, Lines, Links, SaleHost, SaleInput, Shown, Side, Way, register::open_with, with_deal,
    with_id,
};

/// How many sales one buyer may have open at a time.
const MOST_OPEN: usize = 64;

/// What a shop sells.
pub trait Shop: Send + Sync + 'static {
    /// What is sold to whoever proposes this deal, or the dotted code of why nothing is.
    fn sells(
        &self,
        proposal: &DealPropose,
    ) -> impl Future<Output = Result<(SellerPlan, Links), &'static str>> + Send;
}

/// The counter.
pub struct Counter<B: Books, S, P> {
    /// The sales.
    pub engine: Engine<SaleHost<B>>,
    /// Where they are listed.
    pub store: Arc<S>,
    /// What is sold.
    pub shop: P,
    /// Whose certificates count.
    pub trust: Trust,
    /// The connections of the deals.
    pub lines: Lines,
}

/// One connection to the counter.
#[derive(Debug)]
pub struct Guest {
    /// The connection.
    pub session: Session,
    /// Answers over it.
    pub send: Sender,
    /// The sale of which a frame came last.
    last: Option<Key>,
}

/// Why a frame was not taken.
#[derive(Debug, thiserror::Error)]
pub enum CounterFault {
    /// The frame, or what it says: a dotted code for its sender.
    #[error("{0}")]
    Refused(&'static str),
    /// The engine. The connection is closed, so that the frame comes again.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The archive. The connection is closed, so that the frame comes again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Guest {
    /// Whoever called on this connection.
    pub fn new(info: &SessionInfo, send: Sender) -> Self {
        let session = Session { exporter: info.exporter, tls: info.peer.kid() };
        Self { session, send, last: None }
    }
}

impl<B: Books, S: Store, P: Shop> Counter<B, S, P> {
    /// Takes a frame of a deal.
    ///
    /// # Errors
    /// [`CounterFault`].
    pub async fn take(&self, guest: &mut Guest, frame: &Frame, now: Moment) -> Result<(), CounterFault> {
        let envelope = Envelope::read(frame).map_err(|error| CounterFault::Refused(error.code()))?;
        let heard = Heard::new(guest.session, frame);
        let opening = match envelope.deal {
            Some(_) => None,
            None => proposal(frame)?,
        };
        let known = match (envelope.deal, &opening) {
            (Some(deal), _) => with_deal(&*self.store, deal).await?,
            (None, Some((signed, _))) => with_id(&*self.store, signed.digest().as_bytes()).await?,
            (None, None) => match &guest.last {
                Some(last) => with_id(&*self.store, &last.id).await?,
                None => None,
            },
        };
        let (key, input) = match (known, opening) {
            // Who knows the name of a deal is not therefore its buyer: the key of the connection must be his.
            (Some(sale), _) if sale.side != Side::Seller || sale.tls != Some(guest.session.tls) => {
                return Err(CounterFault::Refused("deal.wrong-key"));
            }
            (Some(sale), _) => (Key::new(KIND, sale.id), SaleInput::Frame(heard)),
            (None, Some((signed, chain))) => {
                let key = Key::new(KIND, signed.digest().as_bytes());
                (key, self.first(guest, heard, signed, chain, now).await?)
            }
            (None, None) => return Err(CounterFault::Refused("deal.other")),
        };
        if self.lines.patience().is_out(&key, now) {
            return Err(CounterFault::Refused("deal.too-often"));
        }
        guest.last = Some(key.clone());
        self.lines.put(&key, guest.session.exporter, Way::Session(guest.send.clone()));
        if self.engine.submit(key.clone(), input).await?.refused.is_some() {
            self.lines.patience().lose(&key, now);
        }
        Ok(())
    }

    /// The connection has ended.
    pub fn left(&self, guest: &Guest) {
        self.lines.fell(guest.session.exporter);
    }

    /// What begins a sale: who proposes it is verified, and what is sold is looked up.
    async fn first(
        &self,
        guest: &Guest,
        heard: Heard,
        signed: SignedBytes,
        chain: Vec<Bytes>,
        now: Moment,
    ) -> Result<SaleInput, CounterFault> {
        let read = chain.iter().map(|der| Certificate::from_der(&der.0)).collect::<Result<Vec<_>, _>>();
        let certificates = read.map_err(|error| CounterFault::Refused(error.code()))?;
        // Not just anybody's: a stranger's own certificate says of him whatever he likes.
        let found = self.trust.snapshot().verify(&certificates, CertRole::Buyer, Usage::Sign, now);
        let verified = found.map_err(|error| CounterFault::Refused(error.code()))?;
        let proposal = signed.verify::<DealPropose>(verified.key());
        let proposal = proposal.map_err(|error| CounterFault::Refused(error.code()))?;
        let party = Party {
            certificate: verified.digest(),
            key: *verified.key(),
            tls: guest.session.tls,
            name: Some(verified.subject().common_name.clone()),
        };
        if open_with(&*self.store, guest.session.tls).await? >= MOST_OPEN {
            return Err(CounterFault::Refused("shop.busy"));
        }
        let (plan, links) = self.shop.sells(&proposal).await.map_err(CounterFault::Refused)?;
        Ok(SaleInput::Sell {
            plan: Box::new(plan),
            links: Box::new(links),
            heard,
            shown: Box::new(Shown { party, chain }),
        })
    }
}

/// The proposal in a frame that opens a deal, with the certificates beside it.
fn proposal(frame: &Frame) -> Result<Option<(SignedBytes, Vec<Bytes>)>, CounterFault> {
    let message = SaleMessage::peek(frame).map_err(|error| CounterFault::Refused(error.code()))?;
    Ok(match message {
        SaleMessage::Deal { signed, chain }
            if statement::type_of(&signed.tbs).as_deref() == Ok(DealPropose::TYPE) =>
        {
            Some((signed, chain))
        }
        _ => None,
    })
}
