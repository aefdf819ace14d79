//! The registration office: the desk of letters and certificates, behind the archive.
//!
//! One call after the other: the desk takes a step, what it orders is stored in one transaction with its
//! line of the journal, certificates are issued as they were settled, and only then is the call answered.
//! When the office opens again after a crash it first finishes what was being issued.

use std::sync::Arc;

use semper_host::{
    chance::{self, NoChance},
    record::{commit, entry},
};
use semper_supporting::{
    archive::{
        Batch, Column, Query, Row, RowOp, Store, StoreError, Table,
        journal::{Class as Entries, Kind as Detail},
    },
    certificate::{Certificate, CertificateFault, Serial, Subject, status::RevocationReason},
    evidence::SignedBytes,
    machine::{Machine as _, Step},
    registration::{
        desk::{CallId, Desk, Event, Input, Output},
        letter::Letter,
        message::{Answer, Call, CertificateSet, Refusal, RevokeOwn},
        prk::Prk,
        record::{Kind, Names, RecordId, Registration},
    },
    time::Moment,
    wire::{self, WireError},
};
use tokio::sync::Mutex;

use crate::authority::{self, Authority, AuthorityError, revoked_row};

/// One row a registration.
pub const REGISTRATION: Table = Table {
    name: "registration",
    columns: &[Column::bytes("id"), Column::bytes("record")],
    key: &["id"],
    unique: &[],
    indexes: &[],
};

/// The tables of an office.
pub const TABLES: &[Table] = &[REGISTRATION, authority::AUTHORITY, authority::LIST, authority::REVOKED];

/// A registration office at work.
#[derive(Debug)]
pub struct Office<S> {
    store: Arc<S>,
    inside: Mutex<Inside>,
    /// Where letters say that the office is.
    pub address: Address,
}

/// What a letter says about the office.
#[derive(Clone, Debug)]
pub struct Address {
    /// The authority, as people call it.
    pub authority: String,
    /// The name of its host.
    pub host: String,
    /// Its port.
    pub port: u16,
}

#[derive(Debug)]
struct Inside {
    desk: Desk,
    authority: Authority,
}

/// Why the office did not do something. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum OfficeError {
    /// The archive refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The authority cannot issue.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// A stored registration cannot be read.
    #[error("a stored registration cannot be read: {0}")]
    Record(#[from] WireError),
    /// There are no random bytes.
    #[error(transparent)]
    Chance(#[from] NoChance),
    /// The operator asked for something that is not possible.
    #[error("{0}")]
    Operator(String),
}

impl From<CertificateFault> for OfficeError {
    fn from(fault: CertificateFault) -> Self {
        Self::Authority(fault.into())
    }
}

/// Somebody whom the operator has checked.
#[derive(Clone, Debug)]
pub struct Applicant {
    /// Which set of certificates.
    pub kind: Kind,
    /// Whom they will be about.
    pub subject: Subject,
    /// What else was confirmed.
    pub attributes: Vec<String>,
    /// Under which policy.
    pub policy: Option<String>,
}

/// A registration in a list.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Listed {
    /// Its name.
    pub id: String,
    /// Whom it is about.
    pub name: String,
    /// Which set.
    pub kind: Kind,
    /// How far it is.
    pub state: &'static str,
}

impl<S: Store> Office<S> {
    /// Opens the office and finishes what was being issued when it closed.
    ///
    /// # Errors
    /// [`OfficeError`].
    pub async fn open(store: Arc<S>, address: Address, now: Moment) -> Result<Self, OfficeError> {
        let authority = Authority::open(&*store).await?;
        let rows = store.query(vec![Query::of(REGISTRATION.name)]).await?.into_iter().flatten();
        let read = |row: Row| -> Result<Registration, OfficeError> {
            Ok(wire::decode(row.bytes("record")?, wire::STATE_LIMIT)?)
        };
        let desk = Desk::of(rows.map(read).collect::<Result<Vec<_>, _>>()?);
        let unfinished = desk.unfinished();
        let office = Self { store, inside: Mutex::new(Inside { desk, authority }), address };
        {
            let mut inside = office.inside.lock().await;
            for output in unfinished {
                office.perform(&mut inside, output, now).await?;
            }
        }
        office.renew(now).await?;
        Ok(office)
    }

    /// The root of the authority, and the issuing authority below it.
    pub async fn certificates(&self) -> [Certificate; 2] {
        let inside = self.inside.lock().await;
        [inside.authority.root().clone(), inside.authority.issuing().clone()]
    }

    /// The newest revocation lists, for the daemon's own trust.
    pub async fn lists(&self) -> Vec<semper_supporting::certificate::Crl> {
        self.inside.lock().await.authority.lists().into_iter().cloned().collect()
    }

    /// Issues a new revocation list if it is time.
    ///
    /// # Errors
    /// [`OfficeError`]; the old list stays in force.
    pub async fn renew(&self, now: Moment) -> Result<bool, OfficeError> {
        let mut inside = self.inside.lock().await;
        let due = inside.authority.list_is_due(now);
        if due {
            inside.authority.renew_list(&*self.store, now).await?;
        }
        Ok(due)
    }

    /// Answers one call. `exporter` binds it to the session it came over.
    ///
    /// # Errors
    /// [`OfficeError`] when the office itself cannot go on; the caller is told to try again.
    pub async fn answer(&self, call: Call, exporter: [u8; 32], now: Moment) -> Result<Answer, OfficeError> {
        let id = CallId(0);
        let input = match call {
            Call::RegBegin { prk_id } => Input::Begun { call: id, prk_id, nonce: chance::random()?, at: now },
            Call::RegFinish(finish) => Input::Finished {
                call: id,
                finish: Box::new(finish),
                exporter,
                serials: [Serial::from_random(chance::random()?), Serial::from_random(chance::random()?)],
                at: now,
            },
            Call::Crl { issuer, since } => {
                let inside = self.inside.lock().await;
                let list = inside.authority.list_of(&issuer);
                return Ok(list.map_or(Answer::Refused(Refusal::NotOurs), |list| Answer::list(list, since)));
            }
            Call::RevokeOwn(signed) => match self.owner(signed).await {
                Some(statement) => Input::RevokeAsked { call: id, statement, at: now },
                None => return Ok(Answer::Refused(Refusal::NotOurs)),
            },
        };
        let answer = self.take(input, now).await?;
        answer.ok_or_else(|| OfficeError::Operator("the desk gave no answer".into()))
    }

    /// The statement, checked with the key of the certificate it names.
    async fn owner(&self, signed: SignedBytes) -> Option<semper_supporting::evidence::Verified<RevokeOwn>> {
        let named: RevokeOwn = semper_supporting::evidence::statement::from_bytes(&signed.tbs).ok()?;
        let (_, key) = self.inside.lock().await.desk.holder(&named.cert)?;
        signed.verify(&key).ok()
    }

    /// Enters somebody; gives the name of the registration and its key, which is stored nowhere.
    ///
    /// # Errors
    /// [`OfficeError::Operator`] if the names break the rules of the class.
    pub async fn enter(&self, applicant: Applicant, now: Moment) -> Result<(RecordId, Prk), OfficeError> {
        let prk = Prk::from_random(&*chance::secret()?);
        let root = self.inside.lock().await.authority.root().clone();
        // Argon2id: on a thread of its own, since it takes a while.
        let (prk, key) = tokio::task::spawn_blocking(move || {
            let key = prk.derive(&root);
            (prk, key)
        })
        .await
        .map_err(|error| OfficeError::Operator(error.to_string()))?;
        let key = key.map_err(|_| OfficeError::Operator("the registration key cannot be derived".into()))?;
        let id = RecordId::from_bytes(chance::random()?);
        for class in applicant.kind.classes() {
            applicant.subject.check(*class).map_err(|fault| OfficeError::Operator(fault.to_string()))?;
        }
        let mut registration = Registration::entered(id, applicant.kind, applicant.subject, key);
        registration.attributes = applicant.attributes;
        registration.policy = applicant.policy;
        self.operate(Input::Entered(Box::new(registration), now), now, "it was entered already").await?;
        Ok((id, prk))
    }

    /// Prints the letter of a registration whose key was just made.
    ///
    /// # Errors
    /// [`OfficeError::Operator`] if it was printed before.
    pub async fn print(&self, id: RecordId, prk: &Prk, now: Moment) -> Result<String, OfficeError> {
        self.operate(
            Input::Printed(id, now),
            now,
            "its letter was printed already, or there is no such registration",
        )
        .await?;
        let inside = self.inside.lock().await;
        let registration =
            inside.desk.get(&id).ok_or_else(|| OfficeError::Operator("no such registration".into()))?;
        let letter = Letter {
            names: &Names::of(&registration.subject),
            authority: &self.address.authority,
            host: &self.address.host,
            port: self.address.port,
            prk,
            root: inside.authority.root(),
        };
        Ok(letter.text())
    }

    /// Declares a key void that nobody has used.
    ///
    /// # Errors
    /// [`OfficeError::Operator`] if it was used, or is void already.
    pub async fn void(&self, id: RecordId, reason: String, now: Moment) -> Result<(), OfficeError> {
        let input = Input::Voided { id, reason, at: now };
        self.operate(input, now, "its key was used or is void already, or there is no such registration")
            .await
    }

    /// Revokes the certificates of a registration.
    ///
    /// # Errors
    /// [`OfficeError::Operator`] if it has none.
    pub async fn revoke(
        &self,
        id: RecordId,
        reason: RevocationReason,
        now: Moment,
    ) -> Result<(), OfficeError> {
        let input = Input::RevokedHere { id, reason, at: now };
        self.operate(input, now, "it has no certificates in force, or there is no such registration").await
    }

    /// All registrations.
    pub async fn list(&self) -> Vec<Listed> {
        let inside = self.inside.lock().await;
        let listed = inside.desk.all().map(|one| Listed {
            id: one.id.to_string(),
            name: one.subject.common_name.clone(),
            kind: one.kind,
            state: state(one),
        });
        listed.collect()
    }

    async fn operate(&self, input: Input, now: Moment, otherwise: &str) -> Result<(), OfficeError> {
        let mut inside = self.inside.lock().await;
        let step = inside.desk.clone().step(input);
        if step.refused.is_some() {
            return Err(OfficeError::Operator(otherwise.to_owned()));
        }
        self.settle(&mut inside, step, now).await.map(drop)
    }

    async fn take(&self, input: Input, now: Moment) -> Result<Option<Answer>, OfficeError> {
        let mut inside = self.inside.lock().await;
        let step = inside.desk.clone().step(input);
        self.settle(&mut inside, step, now).await
    }

    /// Stores what a step ordered, then performs it; the desk is the new one only once it is stored.
    async fn settle(
        &self,
        inside: &mut Inside,
        step: Step<Desk>,
        now: Moment,
    ) -> Result<Option<Answer>, OfficeError> {
        let mut batch = Batch::new();
        let (mut after, mut answer, mut revoked) = (Vec::new(), None, false);
        for output in step.outputs {
            match output {
                Output::Store(registration) => {
                    let record = wire::encode(&registration, wire::STATE_LIMIT)?;
                    let row = Row::new().with("id", *registration.id.as_bytes()).with("record", record);
                    batch = batch.row(RowOp::put(REGISTRATION.name, row));
                }
                Output::Journal(line) => {
                    tracing::info!(registration = %line.id, event = word(line.event), "registration");
                    let payload = format!("registration {} {}", line.id, word(line.event));
                    batch =
                        batch.entry(entry(Detail::of(Entries::Decision, "registration"), payload, line.at)?);
                }
                Output::Revoke(entries) => {
                    revoked = true;
                    batch = entries.iter().map(revoked_row).fold(batch, Batch::row);
                }
                Output::Answer(_, given) => answer = Some(given),
                issue @ Output::Issue { .. } => after.push(issue),
            }
        }
        if !batch.rows.is_empty() || !batch.journal.is_empty() {
            commit(&*self.store, batch).await?;
        }
        inside.desk = step.state;
        if revoked {
            inside.authority.renew_list(&*self.store, now).await?;
        }
        for output in after {
            if let Some(given) = self.perform(inside, output, now).await? {
                answer = Some(given);
            }
        }
        Ok(answer)
    }

    /// Issues what was settled and tells the desk.
    async fn perform(
        &self,
        inside: &mut Inside,
        output: Output,
        now: Moment,
    ) -> Result<Option<Answer>, OfficeError> {
        let Output::Issue { id, call, orders } = output else { return Ok(None) };
        let certificates =
            orders.iter().map(|order| inside.authority.issue(order)).collect::<Result<_, _>>()?;
        let set = CertificateSet { certificates, chain: vec![inside.authority.issuing().clone()] };
        let step = inside.desk.clone().step(Input::Issued { id, call, set, at: now });
        Box::pin(self.settle(inside, step, now)).await
    }
}

fn state(registration: &Registration) -> &'static str {
    use semper_supporting::registration::record::RegState;
    match &registration.state {
        RegState::Entered => "entered",
        RegState::Printed => "printed",
        RegState::Issuing(_) => "being issued",
        RegState::Used(..) => "used",
        RegState::Revoked { .. } => "revoked",
        RegState::RolledOver { .. } => "rolled over",
        RegState::Void { .. } => "void",
    }
}

const fn word(event: Event) -> &'static str {
    match event {
        Event::Entered => "entered",
        Event::Printed => "printed",
        Event::WrongTry => "wrong-try",
        Event::Locked => "locked",
        Event::Voided => "voided",
        Event::Settled => "settled",
        Event::Issued => "issued",
        Event::Repeated => "repeated",
        Event::SecondSetRefused => "second-set-refused",
        Event::Revoked => "revoked",
        Event::RolledOver => "rolled-over",
    }
}
