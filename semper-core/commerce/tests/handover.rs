//! Links and invite files: what shops write is read, and nothing else is.
#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::{collection::btree_map, prelude::*};
use semper_commerce::handover::{
    About, Back, Claim, HandoverFault, Invite, KeyPin, Link, Prefill, Prefilled, Reference, ShopName,
    claim::CLAIM, invite, uri,
};
use semper_supporting::{
    comm::address::{Endpoint, Surroundings},
    crypto::signature::Kid,
    fault::Fault as _,
    tinguin::text::Untrusted,
};

const K: &str = "0H7TNV4C8R2J5W9YQKX3BZ6FMD";
const GOOD: &str =
    "semper://shop.example/fogra/offer/7Q2M-9XKD?k=0H7TNV4C8R2J5W9YQKX3BZ6FMD&m=77e2c1d09a3b4f10";
/// `https://shop.example/order/1`.
const BACK: &str = "aHR0cHM6Ly9zaG9wLmV4YW1wbGUvb3JkZXIvMQ";

fn code(text: &str, surroundings: Surroundings) -> &'static str {
    Link::parse(text, surroundings).map_or_else(|error| error.code(), |_| "good")
}

#[test]
fn a_link_says_where_to_call_about_what_and_whose_key_to_expect() {
    let link = Link::parse(GOOD, Surroundings::Public).unwrap();
    assert_eq!(link.at, Endpoint::parse("shop.example:7443", Surroundings::Public).unwrap());
    assert_eq!(
        (link.shop.as_str(), link.about, link.reference.as_str()),
        ("fogra", About::Offer, "7Q2M-9XKD")
    );
    assert_eq!((link.claim.reveal(), link.pin.to_string().as_str()), (K, "77e2c1d09a3b4f10"));
    assert_eq!((link.back.clone(), link.code().to_string().as_str()), (None, "DF7M"));
    assert_eq!(link.to_string(), GOOD);

    let text = format!("{}&r={BACK}", GOOD.replace("example/", "example:8443/"));
    let link = Link::parse(&text, Surroundings::Public).unwrap();
    let back = link.back.as_ref().unwrap();
    assert_eq!((link.at.port(), back.as_str()), (8443, "https://shop.example/order/1"));
    assert!(back.is_at(["www.shop.example", "shop.example"]) && !back.is_at(["shop.example.org"]));
    assert_eq!(link.to_string(), text);
}

/// Links that are refused in real use and in demonstrations, each made of the good one by one change.
fn bad_links() -> Vec<String> {
    let mut bad: Vec<String> = [
        ("semper://", ""),
        ("semper://", "semper:"),
        ("semper://", "semper:/"),
        ("semper://", "Semper://"),
        ("semper://", "https://"),
        ("semper://", " semper://"),
        ("shop.example", ""),
        ("shop.example", "Shop.example"),
        ("shop.example", "shop.example."),
        ("shop.example", "shop..example"),
        ("shop.example", "-shop.example"),
        ("shop.example", "b\u{fc}cher.example"),
        ("shop.example", "sh%6fp.example"),
        ("shop.example", "me@shop.example"),
        ("shop.example", "me:word@shop.example"),
        ("shop.example", "shop.example:"),
        ("shop.example", "shop.example:0"),
        ("shop.example", "shop.example:07443"),
        ("shop.example", "shop.example:65536"),
        ("shop.example", "shop.example:+1"),
        ("shop.example", "shop.example:1:2"),
        ("shop.example", "127.1"),
        ("shop.example", "0x7f000001"),
        ("shop.example", "2130706433"),
        ("shop.example", "[::1"),
        ("shop.example", "::1"),
        ("shop.example", "shop\\example"),
        ("/fogra/", "/Fogra/"),
        ("/fogra/", "//"),
        ("/fogra/", "/../"),
        ("/fogra/", "/fo_gra/"),
        ("/fogra/", "/fogra%20/"),
        ("/fogra/", "/fogra;x/"),
        ("/fogra/", "/fogra/fogra/"),
        ("/fogra/offer/", "/offer/"),
        ("/offer/", "/pay/"),
        ("/offer/", "/OFFER/"),
        ("/offer/", "/offers/"),
        ("7Q2M-9XKD", ""),
        ("7Q2M-9XKD", ".."),
        ("7Q2M-9XKD", "7Q2M/9XKD"),
        ("7Q2M-9XKD", "7Q2M+9XKD"),
        ("7Q2M-9XKD", "7Q2M%2D9XKD"),
        ("7Q2M-9XKD", "7Q2M-9XKD/"),
        ("7Q2M-9XKD", "7Q2M-9XKD#x"),
        ("7Q2M-9XKD?", "7Q2M-9XKD"),
        ("7Q2M-9XKD?", "7Q2M-9XKD?&"),
        ("k=0", "K=0"),
        ("k=0", "k=o"),
        ("k=0", "k=I"),
        ("k=0", "k="),
        ("k=0", "k=00"),
        ("k=0H", "k=%30H"),
        ("&m=", "&k=0H7TNV4C8R2J5W9YQKX3BZ6FMD&m="),
        ("&m=", "&n="),
        ("&m=", ";m="),
        ("&m=", "&&m="),
        ("4f10", "4F10"),
        ("4f10", "4f1"),
        ("4f10", "4f1000"),
        ("4f10", "4f10&"),
        ("4f10", "4f10#top"),
        ("4f10", "4f10\n"),
        ("4f10", "4f10\0"),
        ("4f10", "4f10&r="),
        ("4f10", "4f10&x=1"),
        ("4f10", "4f10&m=77e2c1d09a3b4f10"),
        ("4f10", "4f10&amount=XTS%206.00"),
    ]
    .into_iter()
    .map(|(from, to)| {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "{from} is not in the good link");
        text
    })
    .collect();
    bad.extend([
        String::new(),
        "semper://".into(),
        GOOD.replacen("fogra", &"a".repeat(41), 1),
        GOOD.replacen("7Q2M-9XKD", &"a".repeat(65), 1),
        GOOD.replacen("shop.example", &format!("{}example", "abcdefgh.".repeat(28)), 1),
        format!("{GOOD}&r={}", "A".repeat(600)),
        GOOD.replacen(
            "?k=0H7TNV4C8R2J5W9YQKX3BZ6FMD&m=77e2c1d09a3b4f10",
            "?m=77e2c1d09a3b4f10&k=0H7TNV4C8R2J5W9YQKX3BZ6FMD",
            1,
        ),
    ]);
    bad
}

#[test]
fn every_one_of_the_bad_links_is_refused_everywhere() {
    let bad = bad_links();
    assert!(bad.len() >= 60, "{}", bad.len());
    for text in &bad {
        assert_eq!(code(text, Surroundings::Public), "uri.bad", "{text:?}");
        assert_eq!(code(text, Surroundings::Demo), "uri.bad", "{text:?}");
    }
}

#[test]
fn a_way_back_that_is_no_plain_address_of_a_page_is_refused() {
    for address in [
        "",
        "https://shop.example",
        "HTTPS://shop.example/",
        "http://shop.example/",
        "javascript:alert(1)//",
        "https:///",
        "https://me@shop.example/",
        "https://shop.example/?to=https://elsewhere.example/",
        "https://shop.example/#x",
        "https://shop.example/%2e%2e/",
        "https://shop.example/a/../b",
        "https://shop.example//elsewhere.example/",
        "https://shop.example\\@elsewhere.example/",
        "https://Shop.example/",
        "https://shop.example:0443/",
        "https://b\u{fc}cher.example/",
        "https://shop.example/\n",
    ] {
        let refused = Back::new(address, Surroundings::Demo).unwrap_err();
        assert_eq!(refused.code(), "uri.bad", "{address:?}");
    }
    let long = format!("https://shop.example/{}", "a".repeat(140));
    assert!(matches!(Back::new(&long, Surroundings::Public), Err(HandoverFault::Link(_))));
    // The same bytes written in another way: with padding, with the other alphabet, with bits nobody reads.
    for text in [format!("{BACK}=="), BACK.replace("Ly9", "L+9"), BACK.replace("MQ", "MR")] {
        assert_eq!(code(&format!("{GOOD}&r={text}"), Surroundings::Public), "uri.bad", "{text}");
    }
}

#[test]
fn what_leads_inside_is_followed_in_demonstrations_only() {
    for host in [
        "localhost",
        "localhost:7445",
        "127.0.0.1",
        "[::1]:7443",
        "10.0.0.1",
        "printer.local",
        "router",
        "93.184.216.34",
    ] {
        let text = GOOD.replacen("shop.example", host, 1);
        assert_eq!(code(&text, Surroundings::Public), "uri.internal", "{text}");
        assert_eq!(Link::parse(&text, Surroundings::Demo).unwrap().to_string(), text.replace(":7443/", "/"));
    }
    let back = Back::new("http://localhost:7480/orders/1", Surroundings::Demo).unwrap();
    assert!(back.is_at(["localhost"]));
    for address in ["https://localhost/", "https://127.0.0.1/", "http://localhost:7480/orders/1"] {
        let refused = Back::new(address, Surroundings::Public).unwrap_err();
        assert_eq!(refused.code(), "uri.internal", "{address}");
    }
}

fn file(rest: &str) -> String {
    format!("invite = 1\nuri = \"{GOOD}\"\n{rest}")
}

fn refused(text: &str) -> String {
    let error = Invite::read(text.as_bytes(), Surroundings::Public).unwrap_err();
    format!("{} {error}", error.code())
}

#[test]
fn an_invite_file_is_a_link_and_what_was_typed() {
    let text = file("prefill = { doc = \"A-1207\", copies = 2, gift = true }\n");
    let invite = Invite::read(text.as_bytes(), Surroundings::Public).unwrap();
    let values = BTreeMap::from([
        ("doc".to_owned(), Prefilled::Text(Untrusted::new("A-1207"))),
        ("copies".to_owned(), Prefilled::Number(2)),
        ("gift".to_owned(), Prefilled::Choice(true)),
    ]);
    assert_eq!((invite.link.to_string().as_str(), invite.prefill.values()), (GOOD, &values));
    let again = Invite::read(invite.write().unwrap().as_bytes(), Surroundings::Public).unwrap();
    assert_eq!(again, invite);
    let bare = Invite::read(file("").as_bytes(), Surroundings::Public).unwrap();
    assert_eq!(bare.prefill, Prefill::default());
    assert_eq!(bare.write().unwrap(), file(""));

    let fields = BTreeSet::from(["copies", "doc", "gift"]);
    assert_eq!(invite.prefill.clone().allowed(&fields).unwrap(), invite.prefill);
    let fewer = BTreeSet::from(["doc"]);
    assert!(invite.prefill.allowed(&fewer).unwrap_err().to_string().contains("\"copies\""));
}

#[test]
fn an_invite_file_with_anything_else_in_it_is_refused() {
    for text in [
        String::new(),
        "invite = 1\n".to_owned(),
        format!("uri = \"{GOOD}\"\n"),
        file("amount = \"XTS 6.00\"\n"),
        file("invite = 1\n"),
        file("prefill = 1\n"),
        file("prefill = { doc = 1.5 }\n"),
        file("prefill = { doc = [\"A\"] }\n"),
        file("prefill = { doc = { a = 1 } }\n"),
        file("prefill = { doc = 2026-01-01 }\n"),
        file("prefill = { Doc = \"A\" }\n"),
        file("prefill = { \"\" = \"A\" }\n"),
        file(&format!("prefill = {{ doc = \"{}\" }}\n", "a".repeat(invite::PREFILL))),
        file(&format!("# {}\n", "a".repeat(invite::FILE))),
        file("").replace("= 1", "= 2"),
        file("").replace("= 1", "= \"1\""),
        file("\u{0}"),
    ] {
        assert!(refused(&text).starts_with("uri.invite This invite file is"), "{text}");
    }
    assert!(refused(&file("").replace("shop.example", "localhost")).starts_with("uri.internal"));
    assert!(refused(&file("").replace("offer", "pay")).starts_with("uri.bad"));
    let error = Invite::read(b"\xff", Surroundings::Public).unwrap_err();
    assert_eq!(error.to_string(), "This invite file is damaged or not genuine: it is no text.");
}

fn any_link() -> impl Strategy<Value = Link> {
    let about =
        prop::sample::select(vec![About::Join, About::Listing, About::Offer, About::Return, About::Service]);
    let back = prop::option::of(
        "https://[a-z]{1,9}\\.example(:[1-9][0-9]{0,3})?(/[A-Za-z0-9._~-]*[A-Za-z0-9]){1,3}",
    );
    let names =
        ("[a-z][a-z0-9]{0,20}\\.example", 1_u16.., "[a-z0-9-]{1,40}", "[A-Za-z0-9][A-Za-z0-9._-]{0,63}");
    (names, about, any::<[u8; CLAIM]>(), any::<[u8; 32]>(), back).prop_map(
        |((host, port, shop, reference), about, claim, key, back)| Link {
            at: Endpoint::parse(&format!("{host}:{port}"), Surroundings::Public).unwrap(),
            shop: ShopName::new(&shop).unwrap(),
            about,
            reference: Reference::new(&reference).unwrap(),
            claim: Claim::from_random(&claim),
            pin: KeyPin::of(&Kid::from_bytes(key)),
            back: back.map(|back| Back::new(&back, Surroundings::Public).unwrap()),
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read_and_short_enough(link in any_link()) {
        let text = link.to_string();
        prop_assert!(text.len() <= uri::LINK, "{text}");
        prop_assert_eq!(Link::parse(&text, Surroundings::Public).unwrap(), link);
    }

    #[test]
    fn a_link_with_one_character_changed_is_another_link_or_none(link in any_link(), at in any::<prop::sample::Index>(), to in 0_u8..128) {
        let mut text = link.to_string().into_bytes();
        let at = at.index(text.len());
        prop_assume!(text[at] != to);
        text[at] = to;
        let text = String::from_utf8(text).unwrap();
        if let Ok(read) = Link::parse(&text, Surroundings::Public) {
            prop_assert_ne!(read, link);
        }
    }

    #[test]
    fn an_invite_is_read_as_it_was_written(
        link in any_link(),
        values in btree_map("[a-z][a-z0-9_]{0,9}", prop_oneof![
            any::<bool>().prop_map(Prefilled::Choice),
            any::<i64>().prop_map(Prefilled::Number),
            "\\PC{0,20}".prop_map(|text| Prefilled::Text(Untrusted::new(text))),
        ], 0..8),
    ) {
        let invite = Invite { link, prefill: Prefill::new(values).unwrap() };
        let text = invite.write().unwrap();
        prop_assert_eq!(Invite::read(text.as_bytes(), Surroundings::Public).unwrap(), invite);
    }
}
