//! Ordering an article of a shop: what the shop says of it, and the plan of the purchase that follows.
//!
//! What a shop says before a deal binds nobody. The plan pins the content of what was looked at by its hash,
//! so that an offer of anything else is not taken.

use std::collections::{BTreeMap, BTreeSet};

use semper_comm_tls::Session;
use semper_commerce::{
    deal::{Intent, Party, Range, Ranges},
    sale::BuyerPlan,
};
use semper_supporting::{
    certificate::CertRole,
    comm::{address::Endpoint, frame::Kind},
    crypto::{digest::Digest, signature::PublicKey},
    deal::{Anonymity, Confidentiality, EvidenceLevel},
    evidence::statement::Bytes,
    fault::{Blame, Fault, Standing},
    money::{Currency, Money},
};
use semper_transfer::{
    catalogue::{Answer, Article, ArticleId, BadArticle, Question, Refusal},
    expectation::DataExpectation,
};

use crate::{
    acquaintance::Acquaintance,
    calls::{CallFault, Caller, answer_on},
    sale::{Links, Place},
};

/// A shop that was called and looked at.
#[derive(Debug)]
pub struct Visit {
    session: Session,
    at: Endpoint,
    asked: u32,
}

/// Who buys.
#[derive(Clone, Debug)]
pub struct Customer {
    /// The party, as it signs and connects.
    pub me: Party,
    /// DER of its certificates, that of the signing key first.
    pub chain: Vec<Bytes>,
    /// The third parties it trusts with its exchanges, preferred first.
    pub arbiters: Vec<Acquaintance>,
    /// The banks of its purses by certificate: their keys, and where they are.
    pub banks: BTreeMap<Digest, (PublicKey, String)>,
    /// The currencies of its purses.
    pub currencies: BTreeSet<Currency>,
    /// The most that may leave in one deal.
    pub ceiling: Option<Money>,
    /// The language of its texts, BCP 47.
    pub locale: String,
}

/// Why nothing was ordered. Nothing is owed then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrderFault {
    /// The shop cannot be asked.
    #[error(transparent)]
    Call(#[from] CallFault),
    /// The shop does not say.
    #[error("the shop: {0}")]
    Refused(Refusal),
    /// What the shop says of the article cannot be.
    #[error("the article: {0}")]
    Article(#[from] BadArticle),
    /// No third party is known that could decide if something goes wrong.
    #[error("no arbiter is known, without which nothing is bought fairly")]
    NoArbiter,
    /// It costs more than may be spent.
    #[error("it costs {price}, and at most {ceiling} may leave in one deal")]
    Ceiling {
        /// What it costs.
        price: Money,
        /// What may be spent.
        ceiling: Money,
    },
    /// The price is in a currency that no purse holds.
    #[error("it costs {0}, and no purse holds that currency")]
    Currency(Money),
}

impl Fault for OrderFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Call(fault) => fault.code(),
            Self::Refused(refusal) => refusal.code(),
            Self::Article(bad) => bad.code(),
            Self::NoArbiter => "order.no-arbiter",
            Self::Ceiling { .. } => "order.ceiling",
            Self::Currency(_) => "order.currency",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Call(fault) => fault.blame(),
            Self::Refused(_) | Self::Article(_) => Blame::Peer,
            Self::NoArbiter | Self::Ceiling { .. } | Self::Currency(_) => Blame::Ourselves,
        }
    }

    fn standing(&self) -> Standing {
        Standing::NothingMoved
    }
}

impl Visit {
    /// Calls the shop at `at`.
    ///
    /// # Errors
    /// [`CallFault`].
    pub async fn of(caller: &Caller, at: &Endpoint) -> Result<Self, CallFault> {
        Ok(Self { session: caller.call(at, CertRole::Merchant).await?, at: at.clone(), asked: 0 })
    }

    /// Who keeps the shop, as its certificate says.
    pub fn keeper(&self) -> Party {
        let peer = &self.session.info.peer;
        Party {
            certificate: peer.certificate.digest(),
            key: *peer.certificate.key(),
            tls: peer.kid(),
            name: peer.name().map(str::to_owned),
        }
    }

    /// The articles after one of them, and whether there are more.
    ///
    /// # Errors
    /// [`OrderFault`].
    pub async fn articles(&mut self, after: Option<ArticleId>) -> Result<(Vec<Article>, bool), OrderFault> {
        match self.ask(Question::Articles { after }).await? {
            Answer::Articles { articles, more } => {
                for article in &articles {
                    article.check()?;
                }
                Ok((articles, more))
            }
            other => Err(misplaced(&other)),
        }
    }

    /// The article of this name.
    ///
    /// # Errors
    /// [`OrderFault`].
    pub async fn article(&mut self, id: ArticleId) -> Result<Article, OrderFault> {
        match self.ask(Question::Article { id }).await? {
            Answer::Article(article) if article.id == id => {
                article.check()?;
                Ok(*article)
            }
            other => Err(misplaced(&other)),
        }
    }

    async fn ask(&mut self, question: Question) -> Result<Answer, OrderFault> {
        self.asked = self.asked.saturating_add(1);
        let frame = question.frame(self.asked).map_err(CallFault::unsendable)?;
        self.session.send.send(frame).await.map_err(CallFault::from)?;
        let frame = answer_on(&mut self.session, Kind::Directory, self.asked).await?;
        Ok(Answer::read(&frame.payload).map_err(CallFault::unreadable)?)
    }

    /// What `customer` brings to a purchase of `article` here.
    ///
    /// # Errors
    /// [`OrderFault`]; nothing was said to the shop.
    pub fn order(&self, article: &Article, customer: &Customer) -> Result<(BuyerPlan, Links), OrderFault> {
        let price = article.price;
        if customer.arbiters.is_empty() {
            return Err(OrderFault::NoArbiter);
        }
        if !customer.currencies.contains(&price.currency) {
            return Err(OrderFault::Currency(price));
        }
        if let Some(ceiling) = customer.ceiling.filter(|ceiling| *ceiling < price) {
            return Err(OrderFault::Ceiling { price, ceiling });
        }
        article.check()?;
        let plan = BuyerPlan {
            intent: Intent {
                me: customer.me.clone(),
                peer: self.keeper(),
                terms: None,
                invite: Some(article.id.to_string()),
                ranges: customer.ranges(price.currency),
                ceiling: customer.ceiling.or(Some(price)),
                modules: ["exchange/gxv", "payment/sim"].map(str::to_owned).to_vec(),
                locale: customer.locale.clone(),
            },
            chain: customer.chain.clone(),
            wants: DataExpectation {
                title: None,
                media: Some(article.media.clone()),
                at_most: Some(article.length),
                plain: Some(article.plain),
                licence: None,
            },
            price,
            arbiters: customer.arbiters.iter().map(Acquaintance::arbiter).collect(),
            banks: customer.banks.iter().map(|(certificate, (key, _))| (*certificate, *key)).collect(),
        };
        let chain = self.session.info.peer.chain.iter().map(|one| Bytes(one.der().to_vec())).collect();
        let banks = customer.banks.values();
        let links = Links {
            article: Some(article.id.to_string()),
            peer: Some(Place { at: self.at.to_string(), chain }),
            arbiters: customer.arbiters.iter().map(Acquaintance::place).collect(),
            banks: banks.map(|(key, at)| (key.kid(), Place { at: at.clone(), chain: Vec::new() })).collect(),
        };
        Ok((plan, links))
    }
}

impl Customer {
    /// What a customer can do under a certified name: everything is proved, and money of one currency moves.
    fn ranges(&self, currency: Currency) -> Ranges {
        Ranges {
            anonymity_peer: Range::only(Anonymity::Identified),
            anonymity_bank: Range::only(Anonymity::Identified),
            anonymity_third: Range::only(Anonymity::Identified),
            network_hidden: Range::only(false),
            confidentiality: Range::only(Confidentiality::Channel),
            evidence: Range::only(EvidenceLevel::Full),
            currency: vec![currency],
            third_party: self.arbiters.iter().map(Acquaintance::terms).collect(),
        }
    }
}

fn misplaced(answer: &Answer) -> OrderFault {
    match answer {
        Answer::Refused(refusal) => OrderFault::Refused(*refusal),
        _ => CallFault::unreadable(semper_supporting::comm::fault::FrameError::NotCanonical).into(),
    }
}
