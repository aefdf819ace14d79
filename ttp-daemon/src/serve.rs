//! The daemon at work: connections, jobs, and an orderly end.

use std::{sync::Arc, time::Duration};

use semper_comm_tls::{Admission, Clock, Listener, Sender, Server, Session};
use semper_host::chance;
use semper_supporting::{
    comm::{
        envelope::Envelope,
        frame::{Frame, Kind},
        hello::Complaint,
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
    config::Role,
    program::{Program, ProgramError},
};

/// Answers of the office are released on the next mark of this length, so that their time tells nothing.
const MARK: Duration = Duration::from_millis(50);
/// The shortest time between two registrations: five a second.
const PACE: Span = Span::millis(200);
/// How often windows are looked at, and revocation lists.
const JOBS: Duration = Duration::from_secs(1);
/// How often a daemon that is no authority fetches the lists.
const FETCH: Span = Span::hours(1);
/// The longest request to the bank in bytes.
const REQUEST: usize = 64 << 10;

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
    let server = Server::new(Clock::system(), program.trust.clone(), identity, admission);
    let listen = program.config.listen;
    let mut listener = Listener::bind(listen, server)
        .await
        .map_err(|error| ProgramError::File(listen.to_string(), error))?;
    let address = listener.address();
    tracing::info!(%address, roles = ?program.config.roles, "listening");
    ready(address);
    let jobs = tokio::spawn(jobs(Arc::clone(&program)));
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
    listener.shut_down().await;
    Ok(())
}

/// What is done without being asked.
async fn jobs(program: Arc<Program>) {
    let mut ticks = interval(JOBS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut fetched = chance::now();
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
        if program.office.is_some() || now >= fetched.after(FETCH) {
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
    loop {
        let frame = match receive.next().await {
            NetEvent::Frame(frame) => frame,
            NetEvent::Down(_) => return,
            _ => continue,
        };
        let answered = match frame.kind {
            Kind::Ca => ask_office(&program, &frame, exporter, &mut last).await,
            Kind::Payment => ask_counter(&program, &frame, peer).await,
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
