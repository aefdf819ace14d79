//! The daemon at work: connections, jobs, and an orderly end.

use std::{path::Path, sync::Arc, time::Duration};

use semper_comm_tls::{Admission, Clock, Dialer, Listener, Sender, Server, Session};
use semper_commerce::download::withdrawn::EvaluatorQuestion;
use semper_exchange::recourse::{Question, Said, TtpAnswer, TtpRequest};
use semper_host::{
    chance,
    daemon::{self, ListenError},
};
use semper_supporting::{
    comm::{
        envelope::Envelope,
        frame::{Frame, Kind},
        hello::{Complaint, Features},
        session::NetEvent,
    },
    crypto::digest::Digest,
    evidence::SignedBytes,
    fault::Fault,
    registration::message::{Answer, Call},
    time::{Moment, Span},
    wire,
};
use semper_transfer::payment::module::BankReply;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::{
    arbiter::{self, Heard, TlsTeller},
    config::{self, Role},
    control::{self, Commands},
    program::{Program, ProgramError},
};

/// Answers of the office are released on the next mark of this length, so that their time tells nothing.
const MARK: Duration = Duration::from_millis(50);
/// The shortest time between two registrations: five a second.
const PACE: Span = Span::millis(200);
/// How often windows are looked at, and revocation lists.
const JOBS: Duration = Duration::from_secs(1);
/// How long somebody who has a receipt from the arbiter is kept waiting for the rest.
const WAIT: Duration = Duration::from_secs(20);
/// The longest request to the bank in bytes.
const REQUEST: usize = 64 << 10;

/// Runs the daemon of `folder`, which `program` is, until the system tells it to stop: connections and the operator's
/// commands.
///
/// # Errors
/// [`ProgramError`].
pub async fn run(folder: &Path, program: Arc<Program>) -> Result<(), ProgramError> {
    let stop = daemon::stop().map_err(|error| ProgramError::File("signals".into(), error))?;
    if program.counter.is_some() {
        tracing::warn!("this bank keeps play money; issuing real money needs a licence");
    }
    // Whoever is told that the daemon is ready has its commands taken.
    let (commands, commanded) = (Commands::await_in(folder), Arc::clone(&program));
    let control = tokio::spawn(async move {
        let taken = async { control::take(commands?, commanded).await };
        if let Err(error) = taken.await {
            tracing::error!(%error, "no commands are taken");
        }
    });
    let served = serve(program, stop, daemon::ready).await;
    control.abort();
    let _ = std::fs::remove_file(semper_host::control::socket(folder));
    served
}

/// Serves until `stop` ends, then answers what is under way and closes.
///
/// `ready` is told the address once calls are taken.
///
/// # Errors
/// [`ProgramError`] if the daemon cannot listen at all.
pub async fn serve(
    program: Arc<Program>,
    stop: impl Future<Output = ()>,
    ready: impl FnOnce(std::net::SocketAddr),
) -> Result<(), ProgramError> {
    // Whoever was revoked while this daemon was away is not let in.
    if program.office.is_none()
        && let Err(error) = program.renew_lists().await
    {
        tracing::warn!(%error, "revocation lists could not be renewed");
    }
    let admission = if program.config.roles.contains(&Role::Registration) {
        Admission::certified().and_anonymous()
    } else {
        Admission::certified()
    };
    let identity = program.identity().await?;
    let server = Server::new(Clock::system(), program.trust.clone(), identity.clone(), admission);
    let listen = program.config.listen;
    let mut listener = Listener::bind(listen, server)
        .await
        .map_err(|error| ListenError::of(listen, Path::new(config::FILE), error))?;
    let address = listener.address();
    tracing::info!(%address, roles = ?program.config.roles, "listening");
    ready(address);
    let jobs = tokio::spawn(jobs(Arc::clone(&program)));
    let errands = program.arbiter.clone().map(|arbiter| {
        let surroundings = program.config.surroundings();
        let dialer = Dialer::new(Clock::system(), program.trust.clone(), surroundings, Features::default());
        tokio::spawn(arbiter::work(arbiter, Arc::new(TlsTeller { dialer: Arc::new(dialer), identity })))
    });
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            session = listener.accept() => match session {
                Some(session) => drop(tokio::spawn(attend(Arc::clone(&program), session))),
                None => break,
            },
        }
    }
    tracing::info!("closing");
    jobs.abort();
    if let Some(errands) = errands {
        errands.abort();
    }
    listener.shut_down().await;
    Ok(())
}

/// What is done without being asked.
async fn jobs(program: Arc<Program>) {
    let mut ticks = interval(JOBS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut fetched, every) = (chance::now(), Span::seconds(program.config.lists_every_s));
    loop {
        ticks.tick().await;
        let now = chance::now();
        if let Some(counter) = &program.counter {
            match counter.close_windows(now).await {
                Ok(0) => {}
                Ok(closed) => tracing::info!(closed, "windows ended"),
                Err(error) => tracing::error!(%error, "windows could not be closed"),
            }
        }
        if let Some(arbiter) = &program.arbiter
            && let Err(error) = arbiter.publish(now).await
        {
            tracing::error!(%error, "the head of the journal could not be signed");
        }
        if let Some(evaluator) = &program.evaluator
            && let Err(error) = evaluator.list(&program.trust.snapshot(), now).await
        {
            tracing::error!(%error, "the list of withdrawn evaluations could not be signed");
        }
        if program.office.is_some() || now >= fetched.after(every) {
            fetched = now;
            if let Err(error) = program.renew_lists().await {
                tracing::warn!(%error, "revocation lists could not be renewed");
            }
        }
    }
}

/// One connection, one question after the other.
async fn attend(program: Arc<Program>, session: Session) {
    let Session { info, send, mut receive } = session;
    let exporter = *info.exporter.as_bytes();
    let peer = info.peer.certificate.digest();
    let mut last = Moment::default();
    tracing::debug!(%peer, "connection taken");
    loop {
        let frame = match receive.next().await {
            NetEvent::Frame(frame) => frame,
            NetEvent::Down(_) => return,
            _ => continue,
        };
        let answered = match frame.kind {
            Kind::Ca => ask_office(&program, &frame, exporter, &mut last).await,
            Kind::Payment => ask_counter(&program, &frame, peer).await,
            Kind::Exchange if program.evaluator.is_some() => ask_evaluator(&program, &frame).await,
            Kind::Exchange => ask_arbiter(&program, &frame, peer, &send).await,
            _ => Err("wire.kind".to_owned()),
        };
        if reply(&send, &frame, answered).await.is_err() {
            return;
        }
    }
}

async fn reply(send: &Sender, asked: &Frame, answered: Result<Frame, String>) -> Result<(), ()> {
    let frame = match answered {
        Ok(frame) => frame,
        Err(code) => {
            tracing::info!(code, "a question was not answered");
            Complaint::about(&code, Some(asked)).frame()
        }
    };
    send.send(frame).await.map_err(drop)
}

async fn ask_office(
    program: &Program,
    frame: &Frame,
    exporter: [u8; 32],
    last: &mut Moment,
) -> Result<Frame, String> {
    let office = program.office.as_ref().ok_or("wire.kind")?;
    let call = Call::read(&frame.payload).map_err(|error| error.code().to_owned())?;
    let registers = matches!(call, Call::RegBegin { .. } | Call::RegFinish(_));
    let begun = Instant::now();
    if registers {
        let wait = PACE.as_millis().saturating_sub(chance::now().since(*last).as_millis());
        sleep_until(begun + Duration::from_millis(wait)).await;
        *last = chance::now();
    }
    let answer: Answer = office.answer(call, exporter, chance::now()).await.map_err(|error| {
        tracing::error!(%error, "the registration office cannot answer");
        "net.busy".to_owned()
    })?;
    if registers {
        // On the next mark, whatever the answer was and however long it took to find.
        let marks = begun.elapsed().as_millis().div_euclid(MARK.as_millis()).saturating_add(1);
        sleep_until(begun + MARK.saturating_mul(u32::try_from(marks).unwrap_or(u32::MAX))).await;
    }
    let payload = answer.write().map_err(|error| error.code().to_owned())?;
    Frame::new(Kind::Ca, frame.stream, payload).map_err(|error| error.code().to_owned())
}

async fn ask_counter(program: &Program, frame: &Frame, peer: Digest) -> Result<Frame, String> {
    let counter = program.counter.as_ref().ok_or("wire.kind")?;
    let code = |error: &dyn Fault| error.code().to_owned();
    let envelope = Envelope::read(frame).map_err(|error| code(&error))?;
    let signed: SignedBytes =
        wire::decode(&envelope.body, REQUEST).map_err(|error| error.code().to_owned())?;
    let reply: BankReply = counter.serve(signed, Some(peer), chance::now()).await.map_err(|error| {
        tracing::error!(%error, "the counter cannot serve");
        "net.busy".to_owned()
    })?;
    let body = wire::encode(&reply, REQUEST).map_err(|error| error.code().to_owned())?;
    Envelope::unnumbered(None, body).frame(Kind::Payment, frame.stream).map_err(|error| code(&error))
}

async fn ask_evaluator(program: &Program, frame: &Frame) -> Result<Frame, String> {
    let evaluator = program.evaluator.as_ref().ok_or("wire.kind")?;
    let EvaluatorQuestion::Withdrawn =
        EvaluatorQuestion::read(frame).map_err(|error| error.code().to_owned())?;
    let answer = evaluator.answer(&program.trust.snapshot(), chance::now()).await.map_err(|error| {
        tracing::error!(%error, "the evaluator cannot answer");
        "net.busy".to_owned()
    })?;
    answer.frame(frame.stream).map_err(|error| error.code().to_owned())
}

/// Answers a request to the arbiter. Where the bank lets it wait, RECEIPT goes out by itself, and the rest
/// follows on the same stream; after a while it follows the next time somebody asks.
async fn ask_arbiter(program: &Program, frame: &Frame, peer: Digest, send: &Sender) -> Result<Frame, String> {
    let arbiter = program.arbiter.as_ref().ok_or("wire.kind")?;
    let code = |error: &dyn Fault| error.code().to_owned();
    let failed = |error: arbiter::ArbiterError| {
        tracing::error!(%error, "the arbiter cannot answer");
        "net.busy".to_owned()
    };
    let write = |answer: TtpAnswer| answer.frame(frame.stream).map_err(|error| code(&error));
    let request = TtpRequest::read(frame).map_err(|error| code(&error))?;
    if let Some(answer) = arbiter.consult(&request, peer, chance::now()).await.map_err(failed)? {
        return write(answer);
    }
    let TtpRequest::Ask(question) = request else { return Err("wire.kind".to_owned()) };
    let trust = program.trust.snapshot();
    let mut steps = arbiter.steps();
    let (said, settled) = match arbiter.ask(&question, peer, &trust, chance::now()).await.map_err(failed)? {
        Heard::Said { said, settled } => (said, settled),
        Heard::Refused(code) => return write(TtpAnswer::Refused(code.to_owned())),
    };
    if settled {
        return write(TtpAnswer::Said { said, more: false });
    }
    let first = said.len();
    send.send(write(TtpAnswer::Said { said, more: true })?).await.map_err(|_| "net.lost".to_owned())?;
    let rest = tokio::time::timeout(WAIT, settled_answers(program, &question, &mut steps, first)).await;
    write(TtpAnswer::Said { said: rest.unwrap_or_default(), more: false })
}

/// What is said beyond the first `heard` answers, once it is settled.
async fn settled_answers(
    program: &Program,
    question: &Question,
    steps: &mut tokio::sync::watch::Receiver<u64>,
    heard: usize,
) -> Vec<Said> {
    let Some(arbiter) = &program.arbiter else { return Vec::new() };
    while steps.changed().await.is_ok() {
        match arbiter.answer(question, &program.trust.snapshot(), chance::now()).await {
            Ok(Heard::Said { said, settled: true }) => return said.into_iter().skip(heard).collect(),
            Ok(Heard::Said { settled: false, .. }) => {}
            Ok(Heard::Refused(_)) | Err(_) => return Vec::new(),
        }
    }
    Vec::new()
}
