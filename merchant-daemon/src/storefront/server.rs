//! The pages over HTTP on this machine: limits first, then what is asked.
//!
//! Whatever a browser or a program on this machine sends costs little: so many connections at once, one question on
//! each, so much time and so many bytes for it. A name of somebody else that was made to lead here is turned away by
//! the `Host` line, an order that another page sends by the lines in which browsers say so.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
};
use tower_http::{limit::RequestBodyLimitLayer, set_header::SetResponseHeaderLayer, timeout::TimeoutLayer};

use super::{Storefront, pages};

/// How many connections are served at once; the others wait.
pub const CONNECTIONS: usize = 64;
/// How many bytes a form has at most.
pub const FORM: usize = 4 << 10;
/// How many bytes the lines before it have at most.
const HEAD: usize = 16 << 10;
/// How long a browser may take to ask.
const ASKING: Duration = Duration::from_secs(5);
/// How long an answer may take to be made.
const ANSWERING: Duration = Duration::from_secs(10);
/// How long a connection may last in all.
const CONNECTED: Duration = Duration::from_secs(20);

/// What a page may do: show itself in its own style, and send forms back here.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// The lines that every answer has.
const LINES: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Takes the address of the pages.
///
/// # Errors
/// Those of the system.
pub async fn bind(listen: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Serves the pages until the task is dropped.
pub async fn serve(listener: TcpListener, front: Arc<Storefront>) {
    let router = router(front);
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let router = router.clone();
                connections.spawn(async move {
                    let _ = tokio::time::timeout(CONNECTED, attend(stream, router)).await;
                    drop(permit);
                });
            }
            // Without files to give away the system says so at once, again and again.
            Err(error) => {
                tracing::warn!(%error, "a browser could not be let in");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn attend(stream: TcpStream, router: Router) {
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(ASKING)
        .keep_alive(false)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a browser was not served");
    }
}

fn router(front: Arc<Storefront>) -> Router {
    let mut router = pages::routes()
        .fallback(pages::nowhere)
        .method_not_allowed_fallback(pages::not_so)
        .with_state(Arc::clone(&front))
        .layer(middleware::from_fn_with_state(front, admit))
        .layer(RequestBodyLimitLayer::new(FORM))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, ANSWERING));
    for (name, value) in LINES {
        router = router.layer(SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value)));
    }
    router
}

/// Turns away who calls under a name that is not ours, and orders that another page sends.
async fn admit(State(front): State<Arc<Storefront>>, request: Request, next: Next) -> Response {
    match turned_away(&front, &request) {
        Some((status, text)) => (status, text).into_response(),
        None => next.run(request).await,
    }
}

fn turned_away(front: &Storefront, request: &Request) -> Option<(StatusCode, &'static str)> {
    let line = |name: HeaderName| request.headers().get(name).map(|value| value.to_str().unwrap_or("-"));
    let host = line(header::HOST).unwrap_or_default();
    if !front.is_called(host) {
        return Some((StatusCode::MISDIRECTED_REQUEST, "This is not the address of this shop.\n"));
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let from_here = line(header::ORIGIN).is_none_or(|origin| origin == format!("http://{host}"));
    let site = line(HeaderName::from_static("sec-fetch-site"));
    let same_site = site.is_none_or(|site| site == "same-origin" || site == "none");
    if reads || (from_here && same_site) {
        return None;
    }
    Some((StatusCode::FORBIDDEN, "An order is sent from the pages of this shop only.\n"))
}
