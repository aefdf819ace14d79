//! The pages: what is asked for, and the page that answers.
//!
//! | address | what it is |
//! |---|---|
//! | `/` | the first page |
//! | `/kind/{name}` | the articles of a kind, page by page |
//! | `/search?q=` | the articles with these words |
//! | `/article/{number}` | one article |
//! | `/order/{number}` | its order form, sent to `/order` by POST |
//! | `/orders/{name}` | an order: link, invite file, pairing code, and what became of it |
//! | `/identify` | the link by which a wallet sees who the shop is |
//!
//! Names in addresses are looked up among those that are there; none ever becomes a path of a file.

mod layout;
mod order;
mod shelf;

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use maud::{Markup, html};

use super::Storefront;

/// What every handler is given.
type Front = State<Arc<Storefront>>;

/// The style of all pages.
const STYLE: &str = include_str!("style.css");

/// The pages by address and method.
pub(super) fn routes() -> Router<Arc<Storefront>> {
    Router::new()
        .route("/", get(shelf::home))
        .route("/style.css", get(style))
        .route("/kind/{name}", get(shelf::kind))
        .route("/search", get(shelf::search))
        .route("/article/{sku}", get(shelf::article))
        .route("/order/{sku}", get(order::form))
        .route("/order", post(order::place))
        .route("/orders/{view}", get(order::order))
        .route("/orders/{view}/invite.semper", get(order::invite))
        .route("/identify", get(order::identify))
        .route("/identify/{claim}/invite.semper", get(order::identify_invite))
}

async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

/// There is no such page.
pub(super) async fn nowhere(State(front): Front) -> Response {
    missing(&front)
}

/// The page is there and is not asked for in this way.
pub(super) async fn not_so(State(front): Front) -> Response {
    let text = html! { p { "This page cannot be asked for in this way." } };
    message(&front, StatusCode::METHOD_NOT_ALLOWED, "Not in this way", text)
}

fn missing(front: &Storefront) -> Response {
    let text = html! {
        p { "There is no such page. The address may have a typing error, or the article is not sold any more." }
        p { a href="/" { "To the first page" } }
    };
    message(front, StatusCode::NOT_FOUND, "Not found", text)
}

/// The archive, or the machine, does not do what it should. The visitor is told no more than that.
fn failed(front: &Storefront, error: &dyn std::fmt::Display) -> Response {
    tracing::error!(%error, "a page could not be made");
    let text = html! { p { "The shop has a fault. Nothing was ordered. Please try again later." } };
    message(front, StatusCode::INTERNAL_SERVER_ERROR, "The shop has a fault", text)
}

fn message(front: &Storefront, status: StatusCode, title: &str, text: Markup) -> Response {
    let body = html! { h1 { (title) } (text) };
    (status, page(front, title, body)).into_response()
}

fn page(front: &Storefront, title: &str, body: Markup) -> Html<String> {
    Html(layout::page(front, title, None, body).into_string())
}
