//! What all pages have in common: head, search, kinds, and what a page cannot do.

use maud::{DOCTYPE, Markup, html};

use super::super::{Listed, Storefront, display::Article};

/// A page. With `again` the browser asks for it again after so many seconds.
pub(super) fn page(front: &Storefront, title: &str, again: Option<u8>, body: Markup) -> Markup {
    let shop = &front.display.shop;
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                @if let Some(seconds) = again { meta http-equiv="refresh" content=(seconds); }
                title { (title) " · " (shop.title) }
                link rel="stylesheet" href="/style.css";
            }
            body {
                a.skip href="#content" { "To the content" }
                header.top {
                    div.brand { a href="/" { (shop.title) } span.city { (shop.city) } }
                    form.search action="/search" method="get" role="search" {
                        label for="q" { "Search" }
                        input type="search" id="q" name="q" maxlength="100" autocomplete="off";
                        button type="submit" { "Search" }
                    }
                    nav aria-label="Kinds of articles" {
                        ul {
                            @for kind in &front.display.kinds {
                                li { a href={ "/kind/" (kind.name) } { (kind.title) } }
                            }
                            li { a href="/identify" { "Identify this shop" } }
                        }
                    }
                }
                main id="content" { (body) }
                footer {
                    p {
                        "Play money. Any page can look like this one: what you sign and pay is shown only in the window "
                        "of your wallet, behind your picture and your two words, and never in a browser."
                    }
                }
            }
        }
    }
}

/// An article in a list.
pub(super) fn card(listed: &Listed) -> Markup {
    let Article { sku, topic, title, authors, summary, price, .. } = &listed.article;
    html! {
        li.card {
            p.sort { (sku) " · " (topic) }
            h3 { a href={ "/article/" (sku) } { (title) } }
            p.authors { (authors.join(", ")) }
            p { (summary) }
            p.price { (price) }
        }
    }
}

/// A link to a wallet, for browsers that follow it and for those that do not.
pub(super) fn handover(link: &str, file: &str, code: &str, action: &str) -> Markup {
    html! {
        div.handover {
            p { a.button href=(link) { (action) } }
            dl.code {
                dt { "Pairing code" }
                dd { (code) }
            }
            p {
                "The window of your wallet shows the same four characters. If it shows others, the link is not that of "
                "this page: refuse."
            }
            p { "Does nothing happen? " a href=(file) { "Fetch the invite file" } " and open it with your wallet." }
        }
    }
}
