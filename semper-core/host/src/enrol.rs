//! Registering at a certification authority by its letter, over a connection, whatever is interrupted.
//!
//! The machine [`Applicant`] decides; here it is stored after every step, so that a program that was killed
//! at any point asks again with the same keys and gets the same certificates.

use std::sync::Arc;

use semper_comm_tls::{Call as Dial, Dialer, Expected, Identity, Network as _, Session, Trust};
use semper_supporting::{
    archive::{Batch, Column, Query, Row, RowOp, Store, StoreError, Table},
    certificate::{CertRole, Certificate, CertificateFault, Serial, TrustSnapshot, inspect},
    comm::{
        address::{Endpoint, Surroundings},
        fault::FrameError,
        frame::{Frame, Kind as Frames},
        hello::Features,
        session::{NetEvent, Why},
    },
    crypto::keys::KeyRef,
    machine::Machine as _,
    registration::{
        applicant::{Applicant, Failure, Input, Output, Plan},
        message::{Answer, Asked, Call, CertificateSet},
        prk::Prk,
        record::{Kind, Names},
    },
    time::Moment,
    wire::{self, WireError},
};
use tokio::sync::watch;

use crate::{
    chance::{self, NoChance},
    keyring::{Keyring, KeyringError},
    papers::{Papers, PapersError},
};

/// Where a registration stands.
pub const APPLICANT: Table = Table {
    name: "applicant",
    columns: &[Column::integer("id"), Column::bytes("state")],
    key: &["id"],
    unique: &[],
    indexes: &[],
};

/// How often a call is made before the user is told that the authority cannot be reached.
const CALLS: u32 = 3;

/// What somebody copies from a letter, and what is asked for.
#[derive(Debug)]
pub struct Letter {
    /// Where the authority is.
    pub address: Endpoint,
    /// The root whose words were compared with the letter.
    pub root: Certificate,
    /// The registration key.
    pub prk: Prk,
    /// The names as they stand in it.
    pub names: Names,
    /// Which set of certificates.
    pub kind: Kind,
    /// The names of the hosts, for a daemon.
    pub dns: Vec<String>,
}

impl Letter {
    /// Refuses certificates that were issued under other names than are typed in now.
    fn must_agree(&self, set: &CertificateSet) -> Result<(), EnrolError> {
        for certificate in &set.certificates {
            let subject = inspect(certificate)?.subject;
            if !Names::of(&subject).agree(&self.names) {
                return Err(EnrolError::Names(subject.common_name));
            }
        }
        Ok(())
    }
}

/// Why there are no certificates yet.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The authority declined, or somebody else answered.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// It cannot be reached.
    #[error("the certification authority at {address}: {why}")]
    Unreachable {
        /// Where it should be.
        address: Endpoint,
        /// Why not.
        why: Why,
    },
    /// It answered out of turn.
    #[error("the certification authority gave an answer that belongs to no question")]
    Answer,
    /// The certificates are here, under other names.
    #[error("the certificates were issued already, under other names: for {0}")]
    Names(String),
    /// The registration key cannot be used.
    #[error("the registration key cannot be derived on this machine")]
    Key,
    /// The keys refuse.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The archive refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The papers cannot be kept.
    #[error(transparent)]
    Papers(#[from] PapersError),
    /// A certificate cannot be made or read.
    #[error(transparent)]
    Certificate(#[from] CertificateFault),
    /// What was stored or sent cannot be read.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A call does not fit into a frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// There are no random bytes.
    #[error(transparent)]
    Chance(#[from] NoChance),
}

/// A way to the authority for somebody who has no certificate yet.
#[derive(Debug)]
pub struct Enrolment<'a, S> {
    /// Where it is stored how far it is.
    pub store: &'a S,
    /// The keys of the program.
    pub keys: &'a Keyring,
    /// A key for one connection, of purpose deal.
    pub anonymous: KeyRef,
    /// Whether addresses inside the own network are called.
    pub surroundings: Surroundings,
    /// The clock of connections.
    pub clock: semper_comm_tls::Clock,
    /// Who is told how far it is, if anybody is.
    pub progress: Option<watch::Sender<Stand>>,
}

/// How far a registration is.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum Stand {
    /// The authority is being called.
    #[default]
    Connecting,
    /// The connection stands, with the authority that is certified below the root.
    Connected,
    /// The proof and the requests are sent.
    Proving,
    /// The certificates are here and checked.
    Received,
}

impl Stand {
    const fn of(applicant: &Applicant) -> Self {
        match applicant {
            Applicant::Ready(_) | Applicant::Declined(..) => Self::Connecting,
            Applicant::Greeting { .. } => Self::Connected,
            Applicant::Proving(_) => Self::Proving,
            Applicant::Done(_) => Self::Received,
        }
    }
}

impl<S: Store> Enrolment<'_, S> {
    /// Goes on with the registration that is stored, or begins one with `letter` and the requests of its keys.
    ///
    /// # Errors
    /// [`EnrolError`]; what was settled with the authority stays settled, and calling again goes on from it.
    pub async fn run(
        &self,
        letter: Letter,
        requests: Vec<Vec<u8>>,
        papers: &mut Papers,
        now: impl Fn() -> Moment,
    ) -> Result<CertificateSet, EnrolError> {
        let address = letter.address.clone();
        let stored = self.stored().await?;
        if let Some(Applicant::Done(set)) = &stored {
            letter.must_agree(set)?;
        }
        papers.trust(self.store, letter.root.clone()).await?;
        // Unless it is what was asked for before, what is typed in now counts, names and letter: the authority holds
        // it against what it has settled.
        let applicant = match stored.filter(|before| goes_on(before, &letter.names, letter.kind, &letter.dns))
        {
            Some(applicant) => applicant,
            None => self.begin(letter, requests).await?,
        };
        self.pursue(applicant, address, papers, now).await
    }

    /// Goes on with the registration that is stored, if there is one that the authority has not declined.
    ///
    /// # Errors
    /// As [`Enrolment::run`].
    pub async fn resume(
        &self,
        address: Endpoint,
        papers: &mut Papers,
        now: impl Fn() -> Moment,
    ) -> Result<Option<CertificateSet>, EnrolError> {
        match self.stored().await? {
            None | Some(Applicant::Declined(..)) => Ok(None),
            Some(applicant) => self.pursue(applicant, address, papers, now).await.map(Some),
        }
    }

    async fn pursue(
        &self,
        mut applicant: Applicant,
        address: Endpoint,
        papers: &mut Papers,
        now: impl Fn() -> Moment,
    ) -> Result<CertificateSet, EnrolError> {
        self.tell(&applicant);
        let mut why = Why::Unreachable;
        for _ in 0..CALLS {
            if let Applicant::Done(set) = &applicant {
                return self.finish(set.clone(), papers, &now).await;
            }
            match self.dial(&address, papers.snapshot(), Expected::FirstContact, now()).await {
                Ok(mut session) => {
                    let exporter = *session.info.exporter.as_bytes();
                    applicant = self.converse(applicant, &mut session, exporter, &now).await?;
                }
                Err(fault) => why = fault,
            }
        }
        match applicant {
            Applicant::Done(set) => self.finish(set, papers, &now).await,
            _ => Err(EnrolError::Unreachable { address, why }),
        }
    }

    /// Fetches the newest lists of the authorities above the program's own certificates.
    ///
    /// # Errors
    /// [`EnrolError`]; lists fetched before the fault are kept.
    pub async fn fetch_lists(
        &self,
        address: &Endpoint,
        papers: &mut Papers,
        now: impl Fn() -> Moment,
    ) -> Result<(), EnrolError> {
        let call = self.dial(address, papers.snapshot(), Expected::FirstContact, now()).await;
        let mut session = call.map_err(|why| EnrolError::Unreachable { address: address.clone(), why })?;
        let authorities: Vec<Certificate> = papers.roots.iter().chain(&papers.above).cloned().collect();
        for authority in authorities {
            let call = Call::Crl { issuer: authority.digest(), since: papers.list_number(&authority) };
            match ask(&mut session, &call, address).await? {
                Answer::Crl(list) => papers.accept_list(self.store, list, now()).await?,
                Answer::CrlUnchanged | Answer::Refused(_) => {}
                _ => return Err(EnrolError::Answer),
            }
        }
        Ok(())
    }

    async fn finish(
        &self,
        set: CertificateSet,
        papers: &mut Papers,
        now: &impl Fn() -> Moment,
    ) -> Result<CertificateSet, EnrolError> {
        let batch = Papers::keep(&set, now())?.into_iter().fold(Batch::new(), Batch::row);
        self.commit(batch).await?;
        (papers.own, papers.above) = (set.certificates.clone(), set.chain.clone());
        Ok(set)
    }

    async fn begin(&self, letter: Letter, requests: Vec<Vec<u8>>) -> Result<Applicant, EnrolError> {
        let Letter { root, prk, names, kind, dns, .. } = letter;
        let above = root.clone();
        // Argon2id: on a thread of its own, since it takes a while.
        let key = tokio::task::spawn_blocking(move || prk.derive(&above)).await;
        let key = key.ok().and_then(Result::ok).ok_or(EnrolError::Key)?;
        let applicant = Applicant::Ready(Plan { root, key, kind, dns, asked: Asked { requests, names } });
        self.store(&applicant, Vec::new()).await?;
        Ok(applicant)
    }

    /// One conversation, until it is done, declined or interrupted.
    async fn converse(
        &self,
        mut applicant: Applicant,
        session: &mut Session,
        exporter: [u8; 32],
        now: &impl Fn() -> Moment,
    ) -> Result<Applicant, EnrolError> {
        let mut input = Input::Connected { exporter };
        loop {
            let step = applicant.step(input);
            applicant = step.state;
            if step.refused.is_some() {
                return Err(EnrolError::Answer);
            }
            let mut call = None;
            for output in step.outputs {
                match output {
                    Output::Send(asked) => call = Some(asked),
                    Output::Keep(_) => {}
                    Output::Tell(failure) => {
                        self.store(&applicant, Vec::new()).await?;
                        return Err(failure.into());
                    }
                }
            }
            self.store(&applicant, Vec::new()).await?;
            let Some(call) = call else { return Ok(applicant) };
            input = match send(session, &call).await? {
                Some(answer) => Input::Answered(Box::new(answer), now()),
                None => Input::Lost,
            };
            if matches!(input, Input::Lost) {
                return Ok(applicant.step(Input::Lost).state);
            }
        }
    }

    async fn dial(
        &self,
        to: &Endpoint,
        trust: TrustSnapshot,
        expected: Expected,
        now: Moment,
    ) -> Result<Session, Why> {
        let identity = self.stranger(now).map_err(|error| Why::Handshake(error.to_string()))?;
        let dialer =
            Dialer::new(self.clock.clone(), Trust::new(trust), self.surroundings, Features::default());
        Arc::new(dialer).dial(&Dial { to: to.clone(), identity, expected }).await
    }

    /// The certificate of somebody who is not known yet, made by himself.
    fn stranger(&self, now: Moment) -> Result<Identity, EnrolError> {
        let serial = Serial::from_random(chance::random()?);
        let certificate = self.keys.anonymous(&self.anonymous, serial, now.whole_seconds())?;
        let key = self.keys.tls_key(&self.anonymous)?;
        Identity::new(&[certificate], &key).map_err(|_| EnrolError::Answer)
    }

    async fn stored(&self) -> Result<Option<Applicant>, EnrolError> {
        let rows = self.store.query(vec![Query::of(APPLICANT.name)]).await?;
        let row = rows.into_iter().flatten().next();
        row.map(|row| Ok(wire::decode(row.bytes("state")?, wire::STATE_LIMIT)?)).transpose()
    }

    async fn store(&self, applicant: &Applicant, more: Vec<RowOp>) -> Result<(), EnrolError> {
        let state = wire::encode(applicant, wire::STATE_LIMIT)?;
        let row = RowOp::put(APPLICANT.name, Row::new().with("id", 0_i64).with("state", state));
        self.commit(more.into_iter().fold(Batch::new().row(row), Batch::row)).await?;
        self.tell(applicant);
        Ok(())
    }

    fn tell(&self, applicant: &Applicant) {
        if let Some(progress) = &self.progress {
            progress.send_replace(Stand::of(applicant));
        }
    }

    async fn commit(&self, batch: Batch) -> Result<(), EnrolError> {
        let done = self.store.commit(vec![batch]).await;
        Ok(done.into_iter().try_for_each(|done| done.map(drop))?)
    }
}

/// Whether a registration that was begun asks for these very certificates, and may still be answered.
pub fn goes_on(begun: &Applicant, names: &Names, kind: Kind, dns: &[String]) -> bool {
    match begun {
        Applicant::Ready(plan) | Applicant::Greeting { plan, .. } | Applicant::Proving(plan) => {
            plan.asked.names.agree(names) && plan.kind == kind && plan.dns == dns
        }
        Applicant::Declined(..) => false,
        Applicant::Done(_) => true,
    }
}

/// The role that the service of a certification authority bears.
pub const AUTHORITY: CertRole = CertRole::CaService;

async fn ask(session: &mut Session, call: &Call, address: &Endpoint) -> Result<Answer, EnrolError> {
    let answer = send(session, call).await?;
    answer.ok_or_else(|| EnrolError::Unreachable { address: address.clone(), why: Why::Lost })
}

/// Sends a call and waits for its answer; nothing if the connection fell.
async fn send(session: &mut Session, call: &Call) -> Result<Option<Answer>, EnrolError> {
    let frame = Frame::new(Frames::Ca, 0, call.write()?)?;
    if session.send.send(frame).await.is_err() {
        return Ok(None);
    }
    loop {
        match session.receive.next().await {
            NetEvent::Frame(frame) if frame.kind == Frames::Ca => {
                return Ok(Some(Answer::read(&frame.payload)?));
            }
            NetEvent::Down(_) => return Ok(None),
            _ => {}
        }
    }
}
