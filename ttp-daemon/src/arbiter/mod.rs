//! The arbiter: the third party of fair exchanges, behind the archive.
//!
//! One machine for each exchange ([`ThirdParty`](semper_exchange::generatable_verifiable::ThirdParty)), one
//! transaction for each of its steps: the request or the bank's answer is read, the machine decides, what it
//! says is signed, and state, statements, errands to banks and a line of the journal are committed together;
//! only then is anything answered. RECEIPT and DECISION name their line of the journal, so steps take their
//! turn, and a commit whose place was taken is decided anew.
//!
//! ```text
//! request -> checks -> step -> commit -> RECEIPT        errand -> bank -> step -> commit -> DECISION
//! ```
//!
//! Errands are rows. After a crash those that are left are run again with the same bytes, which the bank
//! answers alike; there is no second path.

mod banks;
mod escrow;
mod heads;
mod list;
mod making;
mod rates;
mod reading;
mod request;
mod signing;
mod step;
mod tables;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex as Lock, PoisonError},
};

use semper_exchange::{
    generatable_verifiable::{
        PROTO,
        third_party::{Event, Request},
    },
    message::{Caps, Draft, Receipt, Reject, answer::RejectCode},
    recourse::{Question, Said},
    run::Speaker,
};
use semper_host::{Keyring, KeyringError, chance::NoChance};
use semper_payment_sim::exchange::PaymentThirdParty;
use semper_supporting::{
    access::Subject,
    archive::{Query, Store, StoreError, record::EvidenceRecord},
    certificate::{Certificate, TrustSnapshot},
    comm::address::Endpoint,
    crypto::{
        digest::Digest,
        keys::KeyRef,
        seal::{
            BadSeal,
            escrow::{EscrowKey, EscrowPublic},
        },
        signature::PublicKey,
    },
    deal::Xid,
    evidence::{SignedBytes, Statement as _, statement, statement::Bytes},
    party::Role,
    time::{Moment, Span},
};
use semper_transfer::{escrow::EscrowKeys, property::GenGrade};
use tokio::sync::{Mutex, watch};

pub use self::{
    banks::{Teller, TlsTeller, work},
    escrow::ensure as ensure_escrow_key,
    list::{Listed, ListedCheat, ListedRequest},
    tables::TABLES,
};
use self::{
    rates::Rates,
    request::Unread,
    step::{Source, Spoken, Taken},
    tables::{Asked, REQUEST, role_word},
};

/// The policy of this arbiter; CAPS and OFFER name its SHA-256.
pub const POLICY: &str = include_str!("policy.txt");
/// The most bytes of sealed content it opens in one run: what fits into one request.
const LONGEST: u64 = 1 << 20;

/// A bank that takes this arbiter's orders.
#[derive(Clone, Debug)]
pub struct BankPlace {
    /// Where it is.
    pub address: Endpoint,
    /// Its key.
    pub key: PublicKey,
}

/// What an arbiter is made of.
pub struct Setup<S> {
    /// Its archive, with [`TABLES`] in its schema.
    pub store: Arc<S>,
    /// The keys of the daemon.
    pub keys: Keyring,
    /// Its key.
    pub key: KeyRef,
    /// Its certificate and those above it.
    pub chain: Vec<Certificate>,
    /// Its name, as in its certificate.
    pub name: String,
    /// Its escrow keys, the newest first.
    pub escrow: Vec<EscrowKey>,
    /// The banks that take its orders, by SHA-256 of their certificates.
    pub banks: BTreeMap<Digest, BankPlace>,
    /// How long it takes at most to answer.
    pub answer_within: Span,
}

/// An arbiter at work.
pub struct Arbiter<S> {
    store: Arc<S>,
    keys: Keyring,
    key: KeyRef,
    me: Speaker,
    name: String,
    chain: Vec<Certificate>,
    escrow: EscrowKeys,
    escrow_public: EscrowPublic,
    banks: BTreeMap<Digest, BankPlace>,
    policy: Subject,
    answer_within: Span,
    rates: Lock<Rates>,
    turn: Mutex<()>,
    changed: watch::Sender<u64>,
}

/// Why the arbiter cannot go on at all. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ArbiterError {
    /// The archive refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its key refuses.
    #[error(transparent)]
    Key(#[from] KeyringError),
    /// Its escrow key cannot be read.
    #[error(transparent)]
    Escrow(#[from] BadSeal),
    /// There are no random bytes.
    #[error(transparent)]
    Chance(#[from] NoChance),
    /// A statement that no arbiter signs, or that cannot be read again.
    #[error("the arbiter was asked to sign {0}")]
    Draft(String),
    /// It has no certificate or no escrow key.
    #[error("an arbiter needs a certificate and an escrow key: run `init` again")]
    Incomplete,
    /// The machine refuses what follows from its own order.
    #[error("a step of a case led to something the case refuses")]
    Undelivered,
    /// The rows kept changing.
    #[error("too much goes on at once")]
    Busy,
}

/// What became of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Heard {
    /// It was taken, or rejected in a signed statement.
    Said {
        /// The answers, in their order.
        said: Vec<Said>,
        /// Whether that is all: anything beyond RECEIPT.
        settled: bool,
    },
    /// It was not taken; the dotted code of the fault.
    Refused(&'static str),
}

impl<S> fmt::Debug for Arbiter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arbiter").field("me", &self.me).field("banks", &self.banks).finish_non_exhaustive()
    }
}

impl<S: Store> Arbiter<S> {
    /// Opens the arbiter. Errands that an earlier one left undone wait in the archive; [`work`] runs them.
    ///
    /// # Errors
    /// [`ArbiterError::Incomplete`].
    pub fn open(setup: Setup<S>) -> Result<Self, ArbiterError> {
        let Setup { store, keys, key, chain, name, escrow, banks, answer_within } = setup;
        let certificate = chain.first().ok_or(ArbiterError::Incomplete)?.digest();
        let escrow_public = escrow.first().ok_or(ArbiterError::Incomplete)?.public();
        Ok(Self {
            store,
            keys,
            key,
            me: Speaker { certificate, kid: key.kid() },
            name,
            chain,
            escrow: EscrowKeys::new(certificate, escrow),
            escrow_public,
            banks,
            policy: Subject::Authority { policy: Digest::of(POLICY.as_bytes()) },
            answer_within,
            rates: Lock::default(),
            turn: Mutex::new(()),
            changed: watch::Sender::new(0),
        })
    }

    /// Its signed capabilities, and the chain of its certificate.
    ///
    /// # Errors
    /// [`ArbiterError::Key`].
    pub fn caps(&self, now: Moment) -> Result<(SignedBytes, Vec<Certificate>), ArbiterError> {
        let caps = Caps {
            cert_t: self.me.certificate,
            name: self.name.clone(),
            protos: vec![PROTO.to_owned()],
            generates: vec![GenGrade::Sealed, GenGrade::Affidavit],
            authorities: self.banks.keys().copied().collect(),
            escrow_key: Bytes(self.escrow_public.as_bytes().to_vec()),
            escrow_limit: LONGEST,
            policy: Digest::of(POLICY.as_bytes()),
            answer_within: self.answer_within.as_millis() / 1000,
            at: now.whole_seconds(),
            signer: self.me.kid,
        };
        let signed = self.keys.attest(&self.key, &self.policy, &caps, now)?;
        Ok((signed.bytes().clone(), self.chain.clone()))
    }

    /// Takes a request that came from `peer`, the certificate of its connection, which counts for the rate of
    /// requests and for nothing else. Asking again with the same bytes gives the same answers.
    ///
    /// # Errors
    /// [`ArbiterError`] when the arbiter itself cannot go on; whoever asks asks again.
    pub async fn ask(
        &self,
        question: &Question,
        peer: Digest,
        trust: &TrustSnapshot,
        now: Moment,
    ) -> Result<Heard, ArbiterError> {
        let bytes = question.offer.tbs.len() + question.blobs.iter().map(|blob| blob.0.len()).sum::<usize>();
        if !self.admits(peer, bytes, now) {
            return Ok(Heard::Refused("arbiter.too-often"));
        }
        self.answer(question, trust, now).await
    }

    fn admits(&self, peer: Digest, bytes: usize, now: Moment) -> bool {
        self.rates.lock().unwrap_or_else(PoisonError::into_inner).admits(peer, bytes, now)
    }

    /// What there is to say to a request now: as [`Arbiter::ask`], for whoever waits for the rest.
    ///
    /// # Errors
    /// [`ArbiterError`].
    pub async fn answer(
        &self,
        question: &Question,
        trust: &TrustSnapshot,
        now: Moment,
    ) -> Result<Heard, ArbiterError> {
        let case = match request::read(question, trust, now) {
            Ok(case) => case,
            Err(Unread::Refused(code)) => {
                tracing::info!(code, "a request was not taken");
                return Ok(Heard::Refused(code));
            }
            Err(Unread::Rejected(request, code)) => return self.reject(&request, code, now).await,
        };
        let (_, kind, common) = request::parts(&case.request);
        let Some(xid) = common.xid else { return Ok(Heard::Refused("exchange.unknown-message")) };
        // What was decided stays decided, whatever banks the operator leaves out later.
        let known = self.stored(xid).await?;
        let decided =
            known.is_some_and(|case_of| case_of.third_party.verdict(&case.offer.digest()).is_some());
        if !decided && !request::is_within_policy(&case, |bank| self.banks.contains_key(bank)) {
            return self.reject(&case.request, RejectCode::EPolicy, now).await;
        }
        let (hash, role, deal) = (case.request.digest(), common.from, Some(common.deal));
        let asked = Asked {
            hash,
            xid,
            agr: case.offer.digest(),
            role: role_word(role).to_owned(),
            kind: kind.to_owned(),
            at: now,
            answer: None,
        };
        let (cert_o, cert_r) = (Some(case.offer.common.cert_o), Some(case.offer.common.cert_r));
        let mut evidence = vec![
            request_record(&case.request, now),
            EvidenceRecord::of(&case.offer, deal, cert_o, now, kept(now)),
        ];
        let accepts = case.accept.iter();
        evidence.extend(accepts.map(|accept| EvidenceRecord::of(accept, deal, cert_r, now, kept(now))));
        let source = Source {
            asked: Some(asked),
            evidence,
            blobs: case.blobs.clone(),
            keys: case.keys.clone(),
            errand: None,
            rejected: self.rejected(hash).await?,
        };
        let Taken { said, refused } = self.take(xid, &Event::Requested(Box::new(case)), &source, now).await?;
        if refused.is_some() {
            return Ok(Heard::Refused("arbiter.refused"));
        }
        self.gather(xid, hash, role, said).await
    }

    /// Ends when a step was committed after `seen`, which a receiver of [`Arbiter::steps`] holds.
    pub fn steps(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// The answers due to `role`, with what travels beside them. A request that was answered before, and not
    /// by a decision, is answered so again.
    async fn gather(
        &self,
        xid: Xid,
        request: Digest,
        role: Role,
        said: Vec<Spoken>,
    ) -> Result<Heard, ArbiterError> {
        let mut answers = Vec::new();
        for spoken in said.into_iter().filter(|spoken| spoken.to == role) {
            answers.push(self.beside(xid, spoken).await?);
        }
        let mut settled = answers.iter().any(|said| !is_receipt(&said.statement));
        if !settled && let Some(answer) = self.answered(request).await? {
            answers.push(Said { statement: answer, records: Vec::new(), made: None });
            settled = true;
        }
        Ok(Heard::Said { said: answers, settled })
    }

    async fn beside(&self, xid: Xid, spoken: Spoken) -> Result<Said, ArbiterError> {
        let mut said = Said { statement: spoken.signed, records: Vec::new(), made: None };
        for digest in spoken.beside {
            match self.made(xid, digest).await? {
                Some(made) => said.made = Some(made),
                None => said.records.extend(self.evidence(digest).await?),
            }
        }
        Ok(said)
    }

    /// What a request was answered, where that belongs to it alone.
    async fn answered(&self, request: Digest) -> Result<Option<SignedBytes>, ArbiterError> {
        let row = self.one(Query::of(REQUEST.name).equal("hash", request)).await?;
        let answer = row.map(|row| Asked::from_row(&row)).transpose()?.and_then(|asked| asked.answer);
        match answer {
            Some(answer) => Ok(self.evidence(answer).await?),
            None => Ok(None),
        }
    }

    /// The REJECT that a request was answered before.
    async fn rejected(&self, request: Digest) -> Result<Option<(RejectCode, SignedBytes)>, ArbiterError> {
        let answer = self.answered(request).await?;
        let read = |signed: SignedBytes| {
            statement::from_bytes::<Reject>(&signed.tbs).ok().map(|reject| (reject.code, signed))
        };
        Ok(answer.and_then(read))
    }

    /// Rejects a request whose attachments do not bear it, or that is beyond the policy.
    async fn reject(&self, request: &Request, code: RejectCode, now: Moment) -> Result<Heard, ArbiterError> {
        let (_, kind, common) = request::parts(request);
        let (hash, role) = (request.digest(), common.from);
        let Some(xid) = common.xid else { return Ok(Heard::Refused("exchange.unknown-message")) };
        let said = |statement| Heard::Said {
            said: vec![Said { statement, records: Vec::new(), made: None }],
            settled: true,
        };
        if let Some((_, before)) = self.rejected(hash).await?.filter(|(before, _)| *before == code) {
            return Ok(said(before));
        }
        let reject = Reject {
            common: semper_exchange::message::Common {
                from: Role::ThirdParty,
                to: role,
                cert_t: Some(self.me.certificate),
                prev: Some(hash),
                at: now.whole_seconds(),
                signer: self.me.kid,
                ..common.clone()
            },
            request: hash,
            code,
        };
        let draft = Draft::of(&reject).map_err(|error| ArbiterError::Draft(error.to_string()))?;
        let asked = Asked {
            hash,
            xid,
            agr: common.agr.unwrap_or(hash),
            role: role_word(role).to_owned(),
            kind: kind.to_owned(),
            at: now,
            answer: None,
        };
        let answer = self.keep_rejection(&draft, asked, request_record(request, now), now).await?;
        tracing::info!(exchange = %xid, ?code, "a request was rejected");
        Ok(said(answer))
    }

    fn payments(&self) -> PaymentThirdParty {
        let banks = self.banks.iter().map(|(certificate, bank)| (*certificate, bank.key)).collect();
        PaymentThirdParty { kid: self.me.kid, banks }
    }
}

/// Until when what was shown and said is kept: ten years.
fn kept(now: Moment) -> Moment {
    now.after(Span::days(semper_exchange::deadlines::RETAIN_DAYS))
}

fn request_record(request: &Request, now: Moment) -> EvidenceRecord {
    let (signed, kind, common) = request::parts(request);
    EvidenceRecord {
        kind: kind.to_owned(),
        deal: Some(common.deal),
        signer: common.signer,
        certificate: common.certificate(),
        at: now,
        signed: signed.clone(),
        keep_until: kept(now),
    }
}

fn is_receipt(signed: &SignedBytes) -> bool {
    statement::type_of(&signed.tbs).is_ok_and(|kind| kind == Receipt::TYPE)
}
