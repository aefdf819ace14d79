//! What can happen to a sale, as the engine journals it.

use semper_commerce::{
    deal::Party,
    sale::{BuyerPlan, SellerPlan, Session},
};
use semper_exchange::{deadlines, recourse::Said};
use semper_supporting::{
    access::Covering,
    comm::frame::{Frame, Kind},
    crypto::{digest::Digest, seal::Measured},
    evidence::{SignedBytes, statement::Bytes},
};
use semper_transfer::payment::module::BankReply;
use serde::{Deserialize, Serialize};

use super::trader::Links;

/// A frame as it came, and the connection it came on.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Heard {
    session: Session,
    kind: u8,
    stream: u32,
    payload: Bytes,
}

/// Who opens a deal, by certificates that were verified.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Shown {
    /// The party.
    pub party: Party,
    /// DER of its certificates, the one it signs under first.
    pub chain: Vec<Bytes>,
}

/// Everything that can happen to a sale.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum SaleInput {
    /// The user wants it.
    Buy {
        /// What.
        plan: Box<BuyerPlan>,
        /// Where the others are.
        links: Box<Links>,
    },
    /// Somebody wants it of us: the first frame.
    Sell {
        /// What we sell.
        plan: Box<SellerPlan>,
        /// Where the others are.
        links: Box<Links>,
        /// The frame that opens the deal.
        heard: Heard,
        /// Who sent it.
        shown: Box<Shown>,
    },
    /// A connection stands.
    Up(Session),
    /// A frame has come.
    Frame(Heard),
    /// What was to be signed is signed.
    Signed {
        /// The statement.
        signed: SignedBytes,
        /// The prompt in which a person approved it, as far as it covers what follows from it.
        covering: Option<Box<Covering>>,
    },
    /// The user will not sign what has this digest.
    Refused(Digest),
    /// The sealed file is here; or it cannot be had.
    Fetched(Option<Digest>),
    /// What opening the sealed file measured; nothing if it does not open.
    Opened(Option<Measured>),
    /// The bank answers.
    Bank(BankReply),
    /// The bank does not answer.
    BankSilent,
    /// The third party answers.
    Third(Vec<Said>),
    /// The timer of this name has run out.
    Elapsed(String),
    /// The user gives up.
    Stop,
}

impl Heard {
    /// `frame`, which came on `session`.
    pub fn new(session: Session, frame: &Frame) -> Self {
        let payload = Bytes(frame.payload.clone());
        Self { session, kind: frame.kind.number(), stream: frame.stream, payload }
    }

    /// The connection it came on.
    pub const fn session(&self) -> Session {
        self.session
    }

    /// The frame; nothing for what was no frame of a deal.
    pub fn frame(&self) -> Option<Frame> {
        let kind = Kind::of(self.kind).filter(|kind| kind.has_envelope())?;
        Frame::new(kind, self.stream, self.payload.0.clone()).ok()
    }
}

impl SaleInput {
    /// A word for what happened, for the journal.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Buy { .. } => "sale/buy",
            Self::Sell { .. } => "sale/sell",
            Self::Up(_) => "sale/connected",
            Self::Frame(_) => "sale/frame",
            Self::Signed { .. } => "sale/signed",
            Self::Refused(_) => "sale/refused",
            Self::Fetched(_) => "sale/fetched",
            Self::Opened(_) => "sale/opened",
            Self::Bank(_) => "sale/bank",
            Self::BankSilent => "sale/bank-silent",
            Self::Third(_) => "sale/arbiter",
            Self::Elapsed(_) => "sale/timer",
            Self::Stop => "sale/stop",
        }
    }
}

/// The timers of a sale by their names.
const TIMERS: [(&str, semper_commerce::sale::Timer); 7] = {
    use semper_commerce::sale::Timer::{Exchange, Payment, Terms};
    [
        ("accept", Exchange(deadlines::Timer::Accept)),
        ("item", Exchange(deadlines::Timer::Item)),
        ("close", Exchange(deadlines::Timer::Close)),
        ("again", Exchange(deadlines::Timer::Again)),
        ("answer", Exchange(deadlines::Timer::Answer)),
        ("payment", Payment),
        ("terms", Terms),
    ]
};

/// The name of a timer.
pub(super) fn timer_name(timer: semper_commerce::sale::Timer) -> &'static str {
    TIMERS.iter().find(|(_, one)| *one == timer).map_or("", |(name, _)| name)
}

/// The names of all timers.
pub(super) fn timer_names() -> impl Iterator<Item = &'static str> {
    TIMERS.iter().map(|(name, _)| *name)
}

/// The timer of this name.
pub(super) fn timer_of(name: &str) -> Option<semper_commerce::sale::Timer> {
    TIMERS.iter().find(|(one, _)| *one == name).map(|(_, timer)| *timer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_timer_has_a_name_of_its_own() {
        use semper_commerce::sale::Timer;
        use semper_exchange::deadlines::Timer as Exchange;
        let exchange = [Exchange::Accept, Exchange::Item, Exchange::Close, Exchange::Again, Exchange::Answer];
        for timer in exchange.into_iter().map(Timer::Exchange).chain([Timer::Payment, Timer::Terms]) {
            assert_eq!(timer_of(timer_name(timer)), Some(timer));
        }
        assert_eq!(timer_of(""), None);
    }
}
