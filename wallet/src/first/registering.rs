//! Registering the owner of a new wallet, beside the window: the request, the question, the conversation.
//!
//! What the window shows is a [`Registering`]; what happened meanwhile comes as [`Event`]s. A registration that was
//! interrupted goes on with what the archive holds.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use semper_comm_tls::Clock;
use semper_host::{
    enrol::{EnrolError, Stand},
    papers::Papers,
};
use semper_supporting::{
    certificate::{Certificate, inspect, words},
    crypto::digest::Digest,
    registration::{applicant::Failure, letter::Received, message::Refusal},
    time::{Moment, Span},
    tinguin::{
        Answer, PromptId, SealedPrompt, Tinguin, Words,
        facts::ChoiceKey,
        prompt::Withdrawn,
        window::{Abilities, Asked, Notice, Presence, SecretAsk},
    },
};
use semper_tinguin::{format, texts::Texts, views::first::registration::Problem, widgets::emblem::Emblem};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

use crate::{
    consent::{Consent, ConsentFault},
    lines::civil,
    membership::{Membership, MembershipFault},
    wallet::Wallet,
};

/// What the window shows of a registration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Registering {
    /// What the owner's picture is drawn from.
    pub emblem: Emblem,
    /// The root certificates on this computer.
    pub roots: Vec<Root>,
    /// What was read last: the count of files read, and what was in it.
    pub read: (u32, Read),
    /// Where it stands.
    pub standing: Standing,
}

/// The root certificate of an authority.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Root {
    /// The certificate.
    pub certificate: Certificate,
    /// The name in it.
    pub name: String,
    /// The last moment of its validity, formatted.
    pub until: String,
    /// The eight words of its digest.
    pub words: String,
}

/// What was in a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Read {
    /// Nothing was read yet.
    Nothing,
    /// Neither letter nor root.
    Bad(PathBuf),
    /// A root certificate, the last one of the list.
    Root(usize),
    /// A letter, and the number of its authority if that is known here.
    Letter(Box<Received>, Option<usize>),
}

/// Where a registration stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It was begun and interrupted.
    Begun(Option<Problem>),
    /// The owner is asked.
    Confirm(Question),
    /// The certificate of this name is here.
    Done(String),
    /// The form is open.
    Typing(Option<Problem>),
    /// It is under way.
    Working(Stand),
}

/// A prompt as the window needs it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Question {
    /// Which one.
    pub id: PromptId,
    /// The digest of what is shown.
    pub digest: Digest,
    /// The facts, in words.
    pub facts: Vec<String>,
    /// How long it is in view before the picture can be held.
    pub arming: Span,
    /// How long the picture is held.
    pub hold: Span,
    /// The language of the facts.
    pub language: ChoiceKey,
    /// The digest of the words.
    pub catalogue: Digest,
}

/// What happened in a registration.
#[derive(Debug)]
pub enum Event {
    /// The owner is to be asked.
    Asked(Box<SealedPrompt>),
    /// A file was read.
    File(Result<(Option<Box<Received>>, Vec<Certificate>), PathBuf>),
    /// It has ended; whether anything was begun.
    Ended(Result<bool, MembershipFault>),
    /// It is so far.
    Stand(Stand),
}

/// The desk of one registration.
pub(crate) struct Desk {
    /// The open wallet.
    pub(crate) wallet: Arc<Wallet>,
    /// What the window shows.
    pub(crate) shown: Registering,
    consent: Consent,
    membership: Membership,
    events: mpsc::UnboundedReceiver<Event>,
    tell: mpsc::UnboundedSender<Event>,
    work: Option<JoinHandle<()>>,
    authority: String,
}

/// Where the root certificates of a computer are kept.
const ROOTS: [&str; 2] = ["/etc/semper/roots", "/usr/share/semper/roots"];
/// The most bytes a letter or certificate has, and the most files that are looked at in a folder.
const FILE_LIMIT: u64 = 64 << 10;
const FILES: usize = 256;

impl Desk {
    /// Opens the desk, and goes on with what was begun.
    ///
    /// # Errors
    /// [`MembershipFault`] if the archive cannot be read.
    pub(crate) async fn open(wallet: Arc<Wallet>) -> Result<Self, MembershipFault> {
        let (tell, events) = mpsc::unbounded_channel();
        let window: Arc<dyn Tinguin> = Arc::new(Window(tell.clone()));
        let consent = Consent::new(Arc::clone(&wallet), window, Clock::system())?;
        let (progress, stands) = watch::channel(Stand::default());
        tokio::spawn(pass_on(stands, tell.clone()));
        let membership = Membership::new(consent.clone()).telling(progress);
        let papers = Papers::load(wallet.archive.as_ref()).await?;
        let certificates = papers.roots.iter().cloned().chain(in_folders().await).collect();
        let roots = roots(certificates);
        let authority = roots.first().map(|root| root.name.clone()).unwrap_or_default();
        let standing = Standing::Working(Stand::default());
        let shown = Registering { emblem: wallet.emblem, roots, read: (0, Read::Nothing), standing };
        let mut desk = Self { wallet, shown, consent, membership, events, tell, work: None, authority };
        desk.go_on();
        Ok(desk)
    }

    /// The next thing that happens.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// Goes on with what was begun.
    pub(crate) fn go_on(&mut self) {
        self.shown.standing = Standing::Working(Stand::default());
        let (membership, tell) = (self.membership.clone(), self.tell.clone());
        self.work = Some(tokio::spawn(async move {
            let ended = membership.resume().await.map(|papers| papers.is_some());
            let _ = tell.send(Event::Ended(ended));
        }));
    }

    /// Asks for the certificates of a letter.
    pub(crate) fn ask(&mut self, letter: Received, root: Certificate) {
        self.authority = inspect(&root).map_or_else(|_| String::new(), |root| root.subject.common_name);
        self.shown.standing = Standing::Working(Stand::default());
        let (membership, tell) = (self.membership.clone(), self.tell.clone());
        self.work = Some(tokio::spawn(async move {
            let ended = membership.register(&letter, root).await.map(|_| true);
            let _ = tell.send(Event::Ended(ended));
        }));
    }

    /// Takes the answer to the question.
    pub(crate) async fn answer(&mut self, answer: Answer) {
        self.shown.standing = Standing::Working(Stand::default());
        if let Err(refused) = self.consent.answer(&answer, None).await {
            tracing::warn!(%refused, "the answer does not count");
            let open = self.consent.open(answer.id);
            self.shown.standing = open
                .and_then(|prompt| question(&prompt, self.consent.words()))
                .map_or(Standing::Typing(None), Standing::Confirm);
        }
    }

    /// The form is opened, whatever was begun.
    pub(crate) fn other(&mut self) {
        self.shown.standing = Standing::Typing(None);
    }

    /// Reads a file in a task beside.
    pub(crate) fn read(&self, path: PathBuf) {
        let tell = self.tell.clone();
        tokio::spawn(async move {
            let _ = tell.send(Event::File(file(&path).await.ok_or(path)));
        });
    }

    /// Takes in what happened.
    pub(crate) async fn hear(&mut self, event: Event, texts: &Texts) {
        match event {
            Event::Asked(prompt) => {
                let opened = self.consent.open(prompt.id());
                if let Some(question) = opened.and_then(|prompt| question(&prompt, self.consent.words())) {
                    self.shown.standing = Standing::Confirm(question);
                }
            }
            Event::Stand(stand) => {
                if let Standing::Working(before) = &mut self.shown.standing {
                    *before = stand;
                }
            }
            Event::File(read) => self.learn(read),
            Event::Ended(ended) => self.end(ended, texts).await,
        }
    }

    fn learn(&mut self, read: Result<(Option<Box<Received>>, Vec<Certificate>), PathBuf>) {
        let known = self.shown.roots.iter().map(|root| root.certificate.clone());
        let read = match read {
            Err(path) => Read::Bad(path),
            Ok((None, certificates)) => {
                let newest = certificates.last().cloned();
                self.shown.roots = roots(known.chain(certificates).collect());
                let place =
                    self.shown.roots.iter().position(|root| Some(&root.certificate) == newest.as_ref());
                place.map_or(Read::Nothing, Read::Root)
            }
            Ok((Some(letter), certificates)) => {
                // Of all that lies beside it, only what the letter vouches for.
                let its = certificates.into_iter().filter(|root| letter.compare(root).is_ok());
                self.shown.roots = roots(known.chain(its).collect());
                let place =
                    self.shown.roots.iter().position(|root| letter.compare(&root.certificate).is_ok());
                Read::Letter(letter, place)
            }
        };
        self.shown.read = (self.shown.read.0.saturating_add(1), read);
    }

    async fn end(&mut self, ended: Result<bool, MembershipFault>, texts: &Texts) {
        self.work = None;
        let papers = Papers::load(self.wallet.archive.as_ref()).await;
        let own = papers.ok().and_then(|papers| papers.own.first().cloned());
        if let Some(name) = own.and_then(|own| inspect(&own).ok()).map(|own| own.subject.common_name) {
            if let Err(fault) = &ended {
                tracing::warn!(code = fault.code(), "registered, but the newest lists are not here: {fault}");
            }
            self.shown.standing = Standing::Done(name);
            return;
        }
        let was_asked = !matches!(&ended, Ok(false));
        self.shown.standing = match ended {
            Ok(_) => Standing::Typing(None),
            Err(MembershipFault::Consent(ConsentFault::Declined(_))) => Standing::Typing(None),
            Err(fault) => {
                tracing::warn!(code = fault.code(), "not registered: {fault}");
                let problem = problem(&fault, &self.authority, texts);
                if problem == Problem::Offline && was_asked {
                    Standing::Begun(Some(problem))
                } else {
                    Standing::Typing(Some(problem))
                }
            }
        };
    }

    /// Ends the work, and gives the wallet back.
    pub(crate) async fn close(self) -> Arc<Wallet> {
        let Self { wallet, consent, work, .. } = self;
        consent.lock();
        if let Some(work) = work {
            work.abort();
            // Cancelled or ended, it holds the wallet no more.
            let _ = work.await;
        }
        wallet
    }
}

async fn pass_on(mut stands: watch::Receiver<Stand>, tell: mpsc::UnboundedSender<Event>) {
    while stands.changed().await.is_ok() {
        let stand = *stands.borrow_and_update();
        if tell.send(Event::Stand(stand)).is_err() {
            return;
        }
    }
}

/// Why there is no certificate, as the window says it.
fn problem(fault: &MembershipFault, ca: &str, texts: &Texts) -> Problem {
    let date = |at: Moment| format::date(texts.locale(), &civil(at));
    let MembershipFault::Enrol(enrol) = fault else { return other(fault, &[("ca", ca)], texts) };
    match enrol {
        EnrolError::Unreachable { .. } => Problem::Offline,
        // Which of both was right, nobody is told.
        EnrolError::Failure(Failure::Refused(Refusal::UnknownPrk | Refusal::NameDiffers { .. })) => {
            Problem::Unknown
        }
        EnrolError::Failure(Failure::Refused(Refusal::AlreadyIssued { at, .. })) => {
            Problem::Issued { date: date(*at) }
        }
        EnrolError::Failure(Failure::Refused(Refusal::Locked { until })) => {
            other(fault, &[("ca", ca), ("until", &format::moment(texts.locale(), &civil(*until)))], texts)
        }
        EnrolError::Failure(Failure::OtherNames { given }) => {
            other(fault, &[("ca", ca), ("given", given)], texts)
        }
        _ => other(fault, &[("ca", ca)], texts),
    }
}

fn other(fault: &MembershipFault, names: &[(&str, &str)], texts: &Texts) -> Problem {
    let told = texts.told(fault.code(), names);
    Problem::Other(told.map_or_else(|| fault.to_string(), |told| format!("{}. {}", told.what, told.advice)))
}

fn question(prompt: &SealedPrompt, words: &Words) -> Option<Question> {
    let facts = words.text(prompt.facts()).ok()?;
    let friction = prompt.friction();
    Some(Question {
        id: prompt.id(),
        digest: prompt.digest(),
        facts: facts.lines().map(str::to_owned).collect(),
        arming: friction.arming,
        hold: friction.hold,
        language: words.locale().clone(),
        catalogue: words.digest(),
    })
}

/// Each certificate once, with what is shown of it; what is none is left out.
fn roots(certificates: Vec<Certificate>) -> Vec<Root> {
    let mut seen = BTreeSet::new();
    let texts = Texts::english();
    let fresh = certificates.into_iter().filter(|root| seen.insert(root.digest()));
    let read = fresh.filter_map(|certificate| {
        let content = inspect(&certificate).ok()?;
        let until = format::date(texts.locale(), &civil(content.until));
        let words = words::fingerprint(&certificate.digest()).join(" ");
        Some(Root { name: content.subject.common_name, until, words, certificate })
    });
    read.collect()
}

async fn in_folders() -> Vec<Certificate> {
    let mut found = Vec::new();
    for folder in ROOTS {
        found.extend(beside(Path::new(folder)).await);
    }
    found
}

/// The root certificates in a folder.
async fn beside(folder: &Path) -> Vec<Certificate> {
    let mut found = Vec::new();
    let Ok(mut entries) = tokio::fs::read_dir(folder).await else { return found };
    for _ in 0..FILES {
        let Ok(Some(entry)) = entries.next_entry().await else { break };
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "pem")
            && let Some(text) = text(&path).await
            && let Ok(root) = Certificate::from_pem(&text)
        {
            found.push(root);
        }
    }
    found
}

/// What is in a file: a letter and the certificates beside it, or a certificate.
async fn file(path: &Path) -> Option<(Option<Box<Received>>, Vec<Certificate>)> {
    let text = text(path).await?;
    if let Ok(root) = Certificate::from_pem(&text) {
        return Some((None, vec![root]));
    }
    let letter = Received::read(&text).ok()?;
    Some((Some(Box::new(letter)), beside(path.parent().unwrap_or(Path::new("."))).await))
}

async fn text(path: &Path) -> Option<String> {
    let about = tokio::fs::metadata(path).await.ok()?;
    if !about.is_file() || about.len() > FILE_LIMIT {
        return None;
    }
    tokio::fs::read_to_string(path).await.ok()
}

/// The window of the first start: it passes on what is asked.
struct Window(mpsc::UnboundedSender<Event>);

impl Tinguin for Window {
    fn ask(&self, prompt: SealedPrompt) -> Asked {
        match self.0.send(Event::Asked(Box::new(prompt))) {
            Ok(()) => Asked::Waiting,
            Err(_) => Asked::Unavailable,
        }
    }

    fn withdraw(&self, _: PromptId, _: Withdrawn) {}

    fn supersede(&self, _: PromptId, by: SealedPrompt) -> Asked {
        self.ask(by)
    }

    fn secret(&self, _: SecretAsk) -> Asked {
        Asked::Unavailable
    }

    fn show(&self, _: Notice) {}

    fn presence(&self) -> Presence {
        Presence::Visible
    }

    fn abilities(&self) -> Abilities {
        Abilities::default()
    }
}
