//! The order form, the order with its link into the wallet, and the link that identifies the shop.

use std::collections::BTreeMap;

use axum::{
    Form,
    extract::{Path, State, rejection::FormRejection},
    http::{StatusCode, header},
    response::{Html, IntoResponse as _, Redirect, Response},
};
use maud::{Markup, html};
use semper_commerce::handover::{
    Claim, Invite, Link, PairingCode, Prefill, Prefilled,
    invite::{MEDIA, SUFFIX},
};
use semper_host::chance;
use semper_supporting::{
    time::{Moment, Span},
    tinguin::text::Untrusted,
};
use serde::Deserialize;

use super::{
    super::{
        Listed, Storefront, fresh_claim,
        offers::{self, Offer, OfferError, Progress},
    },
    Front, failed, layout, message, missing, page,
};
use crate::catalogue;

/// How many seconds later a browser asks again how far an order is.
const AGAIN: u8 = 5;
/// The field of the terms of business that names the document.
const FIELD: &str = "doc";

/// The order form as it is sent.
#[derive(Debug, Deserialize)]
pub(super) struct Ordered {
    #[serde(default)]
    doc: String,
}

/// The order form of an article.
pub(super) async fn form(State(front): Front, Path(sku): Path<String>) -> Response {
    match front.listed.get(&sku) {
        Some(listed) => page(&front, "Order form", form_of(&sku, Some(listed), None)).into_response(),
        None => missing(&front),
    }
}

/// An order form that was sent: an offer is made, and its page shown.
pub(super) async fn place(State(front): Front, ordered: Result<Form<Ordered>, FormRejection>) -> Response {
    let Ok(Form(ordered)) = ordered else {
        let text = html! { p { "This is not the order form of this shop. Nothing was ordered." } };
        return message(&front, StatusCode::BAD_REQUEST, "Not an order form", text);
    };
    let doc = ordered.doc.trim().to_uppercase();
    let Some(listed) = front.listed.get(&doc) else {
        let why = if doc.is_empty() {
            "The number of a document is needed to continue."
        } else {
            "There is no document with this number."
        };
        let shown: String = ordered.doc.chars().take(20).collect();
        let body = form_of(&shown, None, Some(why));
        return (StatusCode::UNPROCESSABLE_ENTITY, page(&front, "Order form", body)).into_response();
    };
    match offer(&front, listed).await {
        Ok(Some(offer)) => Redirect::to(&format!("/orders/{}", offer.view)).into_response(),
        Ok(None) => missing(&front),
        Err(OfferError::Busy) => {
            let text = html! {
                p { "Very many orders are waiting for their wallets. Nothing was ordered. Please try again in a few minutes." }
            };
            message(&front, StatusCode::SERVICE_UNAVAILABLE, "Please try again", text)
        }
        Err(error) => failed(&front, &error),
    }
}

/// Makes an offer, unless the article has been withdrawn since the pages were read.
async fn offer(front: &Storefront, listed: &Listed) -> Result<Option<Offer>, OfferError> {
    let store = &*front.program.store;
    let found = catalogue::find(store, listed.id).await?;
    if found.is_none_or(|found| found.withdrawn.is_some()) {
        return Ok(None);
    }
    let patience = Span::seconds(front.patience_s);
    offers::make(store, &listed.article.sku, listed.id, patience, chance::now()).await.map(Some)
}

/// The page of an order.
pub(super) async fn order(State(front): Front, Path(view): Path<String>) -> Response {
    let store = &*front.program.store;
    let now = chance::now();
    let found = async {
        let Some(offer) = offers::of_view(store, &view).await? else { return Ok(None) };
        let progress = offers::progress(store, &offer, now).await?;
        Ok::<_, semper_supporting::archive::StoreError>(Some((offer, progress)))
    };
    let (offer, progress) = match found.await {
        Ok(Some(found)) => found,
        Ok(None) => return missing(&front),
        Err(error) => return failed(&front, &error),
    };
    let link = match front.offer(&offer) {
        Ok(link) => link,
        Err(error) => return failed(&front, &error),
    };
    let again =
        matches!(progress, Progress::Waiting | Progress::Claimed | Progress::UnderWay).then_some(AGAIN);
    let body = order_of(&front, &offer, progress, &link);
    Html(layout::page(&front, "Your order", again, body).into_string()).into_response()
}

/// The invite file of an order, as long as it waits.
pub(super) async fn invite(State(front): Front, Path(view): Path<String>) -> Response {
    let offer = match offers::of_view(&*front.program.store, &view).await {
        Ok(Some(offer)) if offer.claimed.is_none() && chance::now() <= offer.expires => offer,
        Ok(_) => return missing(&front),
        Err(error) => return failed(&front, &error),
    };
    let values = BTreeMap::from([(FIELD.to_owned(), Prefilled::Text(Untrusted::new(&offer.sku)))]);
    match (front.offer(&offer), Prefill::new(values)) {
        (Ok(link), Ok(prefill)) => file(&front, &Invite { link, prefill }),
        (Err(error), _) => failed(&front, &error),
        (_, Err(error)) => failed(&front, &error),
    }
}

/// The page by which a wallet sees who the shop is.
pub(super) async fn identify(State(front): Front) -> Response {
    let linked = fresh_claim().map_err(Into::into).and_then(|claim| front.listing(claim));
    let link = match linked {
        Ok(link) => link,
        Err(error) => return failed(&front, &error),
    };
    let address = format!("/identify/{}/invite.semper", link.claim.reveal());
    let body = html! {
        h1 { "Identify this shop" }
        p {
            "A page can claim to be any shop. Your wallet calls " strong { (front.host()) } " itself and shows whom the "
            "certification authority knows there."
        }
        (layout::handover(&link.to_string(), &address, &link.code().to_string(), "Identify this shop with SEMPER"))
    };
    page(&front, "Identify this shop", body).into_response()
}

/// The invite file to the link of that page.
pub(super) async fn identify_invite(State(front): Front, Path(claim): Path<String>) -> Response {
    let Ok(claim) = Claim::parse(&claim) else { return missing(&front) };
    match front.listing(claim) {
        Ok(link) => file(&front, &Invite { link, prefill: Prefill::default() }),
        Err(error) => failed(&front, &error),
    }
}

fn file(front: &Storefront, invite: &Invite) -> Response {
    let Invite { link, .. } = invite;
    let name = format!("attachment; filename=\"{}-{}{SUFFIX}\"", link.shop, link.reference);
    match invite.write() {
        Ok(text) => {
            let lines = [(header::CONTENT_TYPE, MEDIA.to_owned()), (header::CONTENT_DISPOSITION, name)];
            (lines, text).into_response()
        }
        Err(error) => failed(front, &error),
    }
}

fn form_of(doc: &str, listed: Option<&Listed>, wrong: Option<&str>) -> Markup {
    html! {
        h1 { "Order form" }
        @if let Some(Listed { article, .. }) = listed {
            p { strong { (article.title) } ", " (article.price) }
        }
        form.order action="/order" method="post" {
            label for="doc" { "The document you want" }
            p.hint #doc-hint { "Its number in this shop" }
            @if let Some(wrong) = wrong { p.wrong #doc-wrong role="alert" { (wrong) } }
            @let about = if wrong.is_some() { "doc-hint doc-wrong" } else { "doc-hint" };
            @let state = wrong.is_some().then_some("true");
            input type="text" id="doc" name="doc" value=(doc) maxlength="20" required autocomplete="off"
                spellcheck="false" aria-describedby=(about) aria-invalid=[state];
            button type="submit" { "Order with SEMPER" }
        }
        p.quiet {
            "This binds nobody. Your wallet shows the shop's signed offer with its price; you order by signing there."
        }
    }
}

fn order_of(front: &Storefront, offer: &Offer, progress: Progress, link: &Link) -> Markup {
    let listed = front.listed.get(&offer.sku);
    let (title, text) = match progress {
        Progress::Waiting => {
            ("Waiting for your wallet", "Open the offer in your wallet. This page follows by itself.")
        }
        Progress::Claimed => (
            "Opened in a wallet",
            "A wallet has opened this offer, and nobody else can. Go on in the window of your wallet.",
        ),
        Progress::UnderWay => {
            ("The sale is under way", "Go on in the window of your wallet. This page follows by itself.")
        }
        Progress::Delivered => {
            ("Paid and delivered", "Thank you. The document and the evidence of the sale are in your wallet.")
        }
        Progress::Ended => {
            ("The sale has ended", "It was not completed. Your wallet says where your money stands.")
        }
        Progress::Lapsed => ("The offer has lapsed", "No wallet has opened it in time. Nothing was ordered."),
    };
    html! {
        h1 { "Your order" }
        p {
            strong { (offer.reference) }
            @if let Some(Listed { article, .. }) = listed { ": " (article.title) ", " (article.price) }
        }
        section.state role="status" aria-labelledby="state" {
            h2 id="state" { (title) }
            p { (text) }
        }
        @if progress == Progress::Waiting {
            @let file = format!("/orders/{}/invite.semper", offer.view);
            (layout::handover(&link.to_string(), &file, &code(offer), "Order with SEMPER"))
            p.quiet {
                "Whoever opens this offer first has it. It lapses at "
                time datetime=(offer.expires) { (spoken(offer.expires)) } "."
            }
        }
        @if progress == Progress::Lapsed && listed.is_some() {
            p { a.button href={ "/order/" (offer.sku) } { "Order again" } }
        }
    }
}

/// A point in time as `02:41:52 UTC on 2026-11-21`.
fn spoken(moment: Moment) -> String {
    let text = moment.to_string();
    let (day, time) = text.split_once('T').unwrap_or((&text, ""));
    format!("{} UTC on {day}", time.trim_end_matches('Z'))
}

fn code(offer: &Offer) -> String {
    PairingCode::of(&offer.reference, &offer.claim).to_string()
}
