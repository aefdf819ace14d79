//! One caller of the shop: questions about goods answered, sealed goods sent.

use std::{collections::BTreeSet, io::SeekFrom, sync::Arc};

use semper_comm_tls::{Sender, Session};
use semper_host::chance;
use semper_supporting::{
    archive::StoreError,
    comm::{
        frame::{Frame, Kind},
        hello::Complaint,
        session::NetEvent,
    },
    crypto::digest::Digest,
    fault::Fault as _,
};
use semper_trade::sale::{CounterFault, Guest};
use semper_transfer::catalogue::{Answer, PAGE, Question, Refusal};
use tokio::{
    fs::File,
    io::{AsyncReadExt as _, AsyncSeekExt as _},
    task::JoinSet,
};

use crate::{catalogue, program::Program, selling::Sales, terms};

/// How many downloads one connection may have under way.
const DOWNLOADS: usize = 4;

/// Sealed goods on their way to a caller.
struct Download {
    stream: u32,
    sealed: Digest,
    file: File,
    /// The offset of the next byte, and of the byte after the last.
    from: u64,
    length: u64,
}

/// Serves a connection until it ends.
pub async fn attend(program: Arc<Program>, sales: Arc<Sales>, session: Session) {
    let Session { info, send, mut receive } = session;
    let peer = info.peer.certificate.digest();
    tracing::debug!(%peer, "connection taken");
    let mut guest = Guest::new(&info, send.clone());
    let mut downloads = JoinSet::new();
    let mut streams = BTreeSet::new();
    loop {
        let event = tokio::select! {
            event = receive.next() => event,
            Some(ended) = downloads.join_next() => {
                if let Ok(stream) = ended {
                    streams.remove(&stream);
                }
                continue;
            }
        };
        let frame = match event {
            NetEvent::Frame(frame) => frame,
            // The downloads under way end with the connection.
            NetEvent::Down(_) => {
                sales.left(&guest);
                return;
            }
            NetEvent::Up(_) | NetEvent::Complained(_) | NetEvent::Busy(_) => continue,
        };
        let (answer, download) = match frame.kind {
            Kind::Directory => answer(&program, &frame, &streams).await,
            Kind::Deal | Kind::Exchange | Kind::Payment => {
                match sales.take(&mut guest, &frame, chance::now()).await {
                    Ok(()) => continue,
                    Err(CounterFault::Refused(code)) => (Err(code.to_owned()), None),
                    Err(error) => {
                        // The buyer calls again, and then the frame comes again.
                        tracing::warn!(%peer, %error, "a frame was not taken");
                        sales.left(&guest);
                        send.close();
                        return;
                    }
                }
            }
            _ => (Err("wire.kind".to_owned()), None),
        };
        let reply =
            match answer.and_then(|answer| answer.frame(frame.stream).map_err(|e| e.code().to_owned())) {
                Ok(reply) => reply,
                Err(code) => {
                    tracing::info!(%peer, code, "a question was not answered");
                    Complaint::about(&code, Some(&frame)).frame()
                }
            };
        if send.send(reply).await.is_err() {
            sales.left(&guest);
            return;
        }
        if let Some(download) = download {
            streams.insert(download.stream);
            downloads.spawn(carry(download, send.clone(), peer));
        }
    }
}

/// The answer to a question, and what is to be sent after it.
async fn answer(
    program: &Program,
    frame: &Frame,
    streams: &BTreeSet<u32>,
) -> (Result<Answer, String>, Option<Download>) {
    let question = match Question::read(&frame.payload) {
        Ok(question) => question,
        Err(error) => return (Err(error.code().to_owned()), None),
    };
    let answered = match question {
        Question::Articles { after } => articles(program, after).await,
        Question::Article { id } => catalogue::find(&*program.store, id).await.map(|found| {
            let offered = found.filter(|found| found.withdrawn.is_none());
            offered
                .map_or(Answer::Refused(Refusal::Unknown), |found| Answer::Article(Box::new(found.shown())))
        }),
        Question::Services => terms::offered(&*program.store, chance::now()).await.map(Answer::Services),
        Question::ServicePart { file, from } => terms::part(&*program.store, file, from).await,
        Question::Sealed { .. } if streams.len() >= DOWNLOADS || streams.contains(&frame.stream) => {
            Ok(Answer::Refused(Refusal::Busy))
        }
        Question::Sealed { sealed, from } => match open(program, frame.stream, sealed, from).await {
            Ok(Ok(download)) => {
                return (Ok(Answer::Coming { from, length: download.length }), Some(download));
            }
            Ok(Err(refusal)) => Ok(Answer::Refused(refusal)),
            Err(error) => Err(error),
        },
    };
    let answered = answered.map_err(|error| {
        tracing::error!(%error, "the archive does not answer");
        "net.busy".to_owned()
    });
    (answered, None)
}

async fn articles(
    program: &Program,
    after: Option<semper_transfer::catalogue::ArticleId>,
) -> Result<Answer, StoreError> {
    let most = u32::try_from(PAGE).unwrap_or(u32::MAX);
    let found = catalogue::list(&*program.store, after, most.saturating_add(1)).await?;
    let articles = found.iter().take(PAGE).map(catalogue::Entry::shown).collect();
    Ok(Answer::Articles { articles, more: found.len() > PAGE })
}

/// Opens sealed goods at an offset. Also those of a withdrawn article, which deals name still.
async fn open(
    program: &Program,
    stream: u32,
    sealed: Digest,
    from: u64,
) -> Result<Result<Download, Refusal>, StoreError> {
    let Some(article) = catalogue::with_goods(&*program.store, sealed).await? else {
        return Ok(Err(Refusal::Unknown));
    };
    let length = article.shown().sealed_length();
    if from >= length {
        return Ok(Err(Refusal::Offset));
    }
    let path = program.goods.path(&sealed);
    let opened = async {
        let mut file = File::open(&path).await?;
        file.seek(SeekFrom::Start(from)).await?;
        Ok::<_, std::io::Error>(file)
    };
    Ok(match opened.await {
        Ok(file) => Ok(Download { stream, sealed, file, from, length }),
        Err(error) => {
            tracing::error!(path = %path.display(), %error, "goods are missing");
            Err(Refusal::Unavailable)
        }
    })
}

/// Sends goods chunk by chunk, as fast as the caller takes them, and gives the stream back.
async fn carry(mut download: Download, send: Sender, peer: Digest) -> u32 {
    let Download { stream, sealed, from, .. } = download;
    tracing::info!(%peer, %sealed, from, "download begun");
    match chunks(&mut download, &send).await {
        Ok(()) => tracing::info!(%peer, %sealed, "download ended"),
        Err(why) => tracing::info!(%peer, %sealed, at = download.from, why, "download cut"),
    }
    stream
}

async fn chunks(download: &mut Download, send: &Sender) -> Result<(), String> {
    let limit = u64::try_from(Kind::Chunk.piece_limit()).unwrap_or(u64::MAX);
    while download.from < download.length {
        let next = limit.min(download.length.saturating_sub(download.from));
        let mut chunk = vec![0; usize::try_from(next).unwrap_or(0)];
        if let Err(error) = download.file.read_exact(&mut chunk).await {
            tracing::error!(sealed = %download.sealed, %error, "goods are damaged");
            // The caller waits for bytes that will not come: the connection says so.
            send.close();
            return Err(error.to_string());
        }
        download.from = download.from.saturating_add(next);
        let frame = Frame::chunk(download.stream, download.from >= download.length, chunk);
        let frame = frame.map_err(|error| error.to_string())?;
        send.send(frame).await.map_err(|why| why.to_string())?;
    }
    Ok(())
}
