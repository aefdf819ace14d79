//! The pages on which articles are found and looked at.

use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    response::{IntoResponse as _, Response},
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    super::{Listed, Storefront, search},
    Front, layout, missing, page,
};
use crate::goods::Size;

/// How many articles are on a page.
const PAGE: usize = 20;
/// How many are on the first page for each kind.
const TASTE: usize = 3;

/// What a list is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    q: String,
    page: Option<usize>,
}

/// The first page.
pub(super) async fn home(State(front): Front) -> Response {
    let shop = &front.display.shop;
    let body = html! {
        h1 { (shop.title) }
        p.motto { (shop.motto) }
        @for paragraph in &shop.welcome { p { (paragraph) } }
        @for kind in &front.display.kinds {
            @let all = of_kind(&front, &kind.name);
            section aria-labelledby={ "kind-" (kind.name) } {
                h2 id={ "kind-" (kind.name) } { (kind.title) }
                p { (kind.about) " " a href={ "/kind/" (kind.name) } { "All " (all.len()) } }
                ul.cards { @for one in all.iter().take(TASTE) { (layout::card(one)) } }
            }
        }
    };
    page(&front, "Welcome", body).into_response()
}

/// The articles of a kind.
pub(super) async fn kind(
    State(front): Front,
    Path(name): Path<String>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Response {
    let Some(kind) = front.display.kinds.iter().find(|kind| kind.name == name) else {
        return missing(&front);
    };
    let at = wanted.unwrap_or_default().page.unwrap_or(1);
    let Some(list) = list(&of_kind(&front, &name), at, |at| format!("/kind/{name}?page={at}")) else {
        return missing(&front);
    };
    let body = html! { h1 { (kind.title) } p { (kind.about) } (list) };
    page(&front, &kind.title, body).into_response()
}

/// The articles that a search finds.
pub(super) async fn search(State(front): Front, wanted: Result<Query<Wanted>, QueryRejection>) -> Response {
    let Wanted { q, page: at } = wanted.unwrap_or_default().0;
    let question: String = q.trim().chars().take(search::QUESTION).collect();
    let found: Vec<&Listed> =
        front.index.find(&question).into_iter().filter_map(|sku| front.listed.get(sku)).collect();
    let encoded = encoded(&question);
    let Some(list) = list(&found, at.unwrap_or(1), |at| format!("/search?q={encoded}&page={at}")) else {
        return missing(&front);
    };
    let body = html! {
        h1 { "Search" }
        @if question.is_empty() {
            p { "Type a number, a name or words into the field above. All of them must fit." }
        } @else {
            p role="status" { (found.len()) " found for “" (question) "”." }
            (list)
        }
    };
    page(&front, "Search", body).into_response()
}

/// One article.
pub(super) async fn article(State(front): Front, Path(sku): Path<String>) -> Response {
    let Some(listed) = front.listed.get(&sku) else { return missing(&front) };
    let one = &listed.article;
    let body = html! {
        p.sort { (one.sku) " · " (one.topic) }
        h1 { (one.title) }
        p.authors { (one.authors.join(", ")) }
        p.summary { (one.summary) }
        dl.facts {
            dt { "Keywords" } dd { (one.keywords.join(", ")) }
            dt { "File" } dd { (one.media) ", " (Size(listed.length)) }
            dt { "Price" } dd.price { (one.price) }
        }
        p { a.button href={ "/order/" (one.sku) } { "To the order form" } }
        p.quiet { "You have the document in the same step in which you pay, or neither happens." }
    };
    page(&front, &one.title, body).into_response()
}

fn of_kind<'a>(front: &'a Storefront, name: &str) -> Vec<&'a Listed> {
    let all = front.display.articles.iter().filter(|one| one.kind == name);
    all.filter_map(|one| front.listed.get(&one.sku)).collect()
}

/// One page of a list, and links to its neighbours; none beyond the end.
fn list(all: &[&Listed], at: usize, address: impl Fn(usize) -> String) -> Option<Markup> {
    let pages = all.len().div_ceil(PAGE).max(1);
    if at == 0 || at > pages {
        return None;
    }
    let shown = all.iter().skip(at.saturating_sub(1).saturating_mul(PAGE)).take(PAGE);
    Some(html! {
        ul.cards { @for one in shown { (layout::card(one)) } }
        @if pages > 1 {
            nav.turn aria-label="Pages" {
                @if at > 1 { a rel="prev" href=(address(at.saturating_sub(1))) { "Back" } }
                span { "Page " (at) " of " (pages) }
                @if at < pages { a rel="next" href=(address(at.saturating_add(1))) { "On" } }
            }
        }
    })
}

/// A question as part of an address (RFC 3986, 2.1).
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
