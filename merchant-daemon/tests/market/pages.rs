//! The demonstration shop in a process of its own, as a browser sees it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::{SocketAddr, TcpStream},
};

use semper_commerce::handover::{About, Invite, Link, Prefilled, invite::MEDIA};
use semper_merchant_daemon::{
    config::{Config, Pages},
    program::Program,
    storefront::{offers, stocking},
};
use semper_supporting::{comm::address::Surroundings, crypto::signature::Kid, tinguin::text::Untrusted};
use tempfile::TempDir;

use crate::{
    browser::{Answer, get, post, send},
    trading::{Daemon, market, merchantd, said},
    world::Running,
};

/// The demonstration shop, stocked, with pages at any port.
async fn fogra() -> (Running, Running, TempDir) {
    let (authority, bank, folder) = market().await;
    let told = said(&merchantd(folder.path(), &["shop", "init", "fogra", "--listen", "127.0.0.1:0"]));
    assert!(told.starts_with("135 of 135 articles were put into the catalogue."), "{told}");
    (authority, bank, folder)
}

fn ordered(at: &str, doc: &str) -> Answer {
    post(
        at,
        "/order",
        &format!("doc={doc}"),
        &format!("Origin: http://{at}\r\nSec-Fetch-Site: same-origin\r\n"),
    )
}

fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer.line("location").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_of_the_shop_is_sound_and_every_article_is_found_from_the_first() {
    let (_authority, _bank, folder) = fogra().await;
    // Once more changes nothing.
    let told = said(&merchantd(folder.path(), &["shop", "init", "fogra"]));
    assert!(told.starts_with("0 of 135 articles were put into the catalogue."), "{told}");
    let config = Config::read(folder.path()).unwrap().shop.unwrap();
    assert_eq!((config.name.as_str(), config.listen.to_string().as_str()), ("fogra", "127.0.0.1:0"));

    let (daemon, at) = Daemon::start_with_pages(folder.path());
    let (mut seen, mut ahead) = (BTreeMap::new(), vec!["/".to_owned()]);
    while let Some(path) = ahead.pop() {
        if seen.contains_key(&path) {
            continue;
        }
        let answer = get(&at, &path);
        assert_eq!(answer.status, 200, "{path}");
        let policy = answer.line("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'self'; form-action 'self'"), "{path}");
        let guarded = ["x-content-type-options", "referrer-policy", "x-frame-options", "cache-control"];
        assert!(guarded.iter().all(|name| !answer.line(name).is_empty()), "{path}");
        if answer.line("content-type").starts_with("text/html") {
            let page = answer.page();
            // What is different each time is looked at elsewhere.
            let links = page.attributes("[href]", "href").into_iter();
            ahead.extend(links.filter(|link| link.starts_with('/') && !link.starts_with("/identify/")));
            seen.insert(path, page.text("h1"));
        } else {
            seen.insert(path, String::new());
        }
    }
    let articles = seen.keys().filter(|path| path.starts_with("/article/")).count();
    let forms = seen.keys().filter(|path| path.starts_with("/order/")).count();
    assert_eq!((articles, forms), (135, 135));
    assert_eq!(seen["/article/A-1207"], "Blistering in the web: the last two per cent");
    assert!(seen.contains_key("/kind/abstract?page=6") && seen.contains_key("/style.css"));

    let found = get(&at, "/search?q=blister+web").page();
    assert_eq!(found.attributes("main .card a", "href"), ["/article/A-1207"]);
    let many = get(&at, "/search?q=paper").page();
    let next = many.attributes("a[rel=next]", "href");
    assert_eq!(get(&at, &next[0]).page().all("main .card").len(), 20, "{next:?}");
    assert_eq!(get(&at, "/kind/abstract?page=7").status, 404);
    daemon.terminate();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_leads_into_the_wallet_and_its_page_says_what_became_of_it() {
    let (_authority, _bank, folder) = fogra().await;
    let (daemon, at) = Daemon::start_with_pages(folder.path());
    let form = get(&at, "/order/A-1207").page();
    assert_eq!(form.attributes("form.order", "action"), ["/order"]);
    assert_eq!(form.attributes("form.order input", "value"), ["A-1207"]);
    let view = location(&ordered(&at, "A-1207"));
    assert_ne!(location(&ordered(&at, "a-1207+")), view, "each order is one of its own");
    let shown = get(&at, &view).page();
    assert_eq!(shown.text("#state"), "Waiting for your wallet");
    assert_eq!(shown.attributes("meta[http-equiv=refresh]", "content"), ["5"]);
    let text = shown.attributes("a.button", "href").remove(0);
    let link = Link::parse(&text, Surroundings::Demo).unwrap();
    assert_eq!((link.shop.as_str(), link.about), ("fogra", About::Offer));
    assert_eq!(link.at.to_string(), "localhost:7445");
    assert_eq!(shown.text(".code dd"), link.code().to_string());
    let port = at.rsplit(':').next().unwrap();
    let back = link.back.clone().unwrap();
    assert_eq!(back.as_str(), format!("http://localhost:{port}{view}"));

    let file = get(&at, &format!("{view}/invite.semper"));
    assert_eq!((file.status, file.line("content-type")), (200, MEDIA));
    let name = format!("attachment; filename=\"fogra-{}.semper\"", link.reference);
    assert_eq!(file.line("content-disposition"), name);
    let invite = Invite::read(file.body.as_bytes(), Surroundings::Demo).unwrap();
    let typed = BTreeMap::from([("doc".to_owned(), Prefilled::Text(Untrusted::new("A-1207")))]);
    assert_eq!((&invite.link, invite.prefill.values()), (&link, &typed));
    daemon.terminate();

    let program = Program::open(folder.path()).await.unwrap();
    assert!(link.pin.fits(&program.keys.public(&program.key).unwrap().kid()));
    let (wallet, now) = (Kid::from_bytes([1; 32]), semper_host::chance::now());
    let claimed = offers::claim(&*program.store, &link.reference, &link.claim, &wallet, now).await.unwrap();
    let stocked = stocking::stocked(&*program.store).await.unwrap();
    assert_eq!(claimed.offer.article, stocked["A-1207"]);
    drop(program);

    let (daemon, at) = Daemon::start_with_pages(folder.path());
    let shown = get(&at, &view).page();
    assert_eq!(shown.text("#state"), "Opened in a wallet");
    // The claim has done its work: the page does not hand it out again.
    assert!(shown.all("a.button").is_empty() && shown.all(".code").is_empty());
    assert_eq!(get(&at, &format!("{view}/invite.semper")).status, 404);
    daemon.terminate();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shop_is_identified_by_a_link_of_its_own_each_time() {
    let (_authority, _bank, folder) = fogra().await;
    let (daemon, at) = Daemon::start_with_pages(folder.path());
    let mut codes = BTreeSet::new();
    for _ in 0..3 {
        let shown = get(&at, "/identify").page();
        let link = Link::parse(&shown.attributes("a.button", "href")[0], Surroundings::Demo).unwrap();
        assert_eq!((link.about, link.reference.as_str()), (About::Listing, "fogra"));
        assert_eq!(shown.text(".code dd"), link.code().to_string());
        let file = get(&at, &shown.attributes(".handover p a[href^='/identify']", "href")[0]);
        let invite = Invite::read(file.body.as_bytes(), Surroundings::Demo).unwrap();
        assert_eq!(invite.link, link);
        codes.insert(link.claim.reveal().to_owned());
    }
    assert_eq!(codes.len(), 3);
    assert_eq!(get(&at, "/identify/0H7T/invite.semper").status, 404);
    daemon.terminate();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_hostile_browser_sends_is_refused_escaped_or_cut_off() {
    let (_authority, _bank, folder) = fogra().await;
    let (daemon, at) = Daemon::start_with_pages(folder.path());
    let hostile = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
    for shown in [
        get(&at, &format!("/search?q={hostile}")),
        ordered(&at, hostile),
        ordered(&at, ""),
        get(&at, "/nothing"),
    ] {
        shown.page();
        assert!(!shown.body.contains("<script"), "{}", shown.body);
    }
    assert_eq!(ordered(&at, hostile).status, 422);
    let wrong = ordered(&at, "B-1").page();
    assert_eq!(wrong.attributes("input#doc", "aria-invalid"), ["true"]);
    assert_eq!(wrong.text("#doc-wrong"), "There is no document with this number.");
    for path in [
        "/article/../../merchantd.toml",
        "/article/%2e%2e%2f%2e%2e%2fmerchantd.toml",
        "/../../etc/passwd",
        "/style.css/../merchantd.toml",
        "//merchantd.toml",
        "/orders/..",
        "/orders/0",
        "/kind/abstract%00",
        "/search/%ff",
        "/article/a-1207",
    ] {
        assert!([400, 404].contains(&get(&at, path).status), "{path}");
    }
    // A name of somebody else that leads here; a page of somebody else that orders.
    let foreign =
        |host: &str| send(&at, format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).unwrap().status;
    let port = at.rsplit(':').next().unwrap();
    assert_eq!(
        (foreign(&format!("evil.example:{port}")), foreign("evil.example"), foreign("")),
        (421, 421, 421)
    );
    assert_eq!(foreign(&format!("localhost:{port}")), 200);
    for line in ["Origin: http://evil.example\r\n", "Origin: null\r\n", "Sec-Fetch-Site: cross-site\r\n"] {
        assert_eq!(post(&at, "/order", "doc=A-1207", line).status, 403, "{line}");
    }
    for (method, path, status) in [
        ("DELETE", "/", 405),
        ("PUT", "/order", 405),
        ("POST", "/", 405),
        ("GET", "/order", 405),
        ("TRACE", "/", 405),
    ] {
        let request = format!("{method} {path} HTTP/1.1\r\nHost: {at}\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(send(&at, request.as_bytes()).unwrap().status, status, "{method} {path}");
    }
    let plain = format!(
        "POST /order HTTP/1.1\r\nHost: {at}\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\ndoc=A-1207"
    );
    assert_eq!(send(&at, plain.as_bytes()).unwrap().status, 400);
    assert_eq!(post(&at, "/order", &format!("doc={}", "A".repeat(5000)), "").status, 413);
    let long = format!("GET / HTTP/1.1\r\nHost: {at}\r\nX: {}\r\n\r\n", "a".repeat(40_000));
    assert!(send(&at, long.as_bytes()).is_none_or(|answer| answer.status == 431));
    assert!(send(&at, b"\x16\x03\x01\x02\x00\x01").is_none_or(|answer| answer.status == 400));
    // As many as may be connected say nothing; whoever asks is answered all the same, once they are cut off.
    let silent: Vec<TcpStream> = (0..70).map(|_| TcpStream::connect(&at).unwrap()).collect();
    assert_eq!(get(&at, "/").status, 200);
    drop(silent);
    daemon.terminate();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_withdrawn_article_is_not_ordered_any_more() {
    let (_authority, _bank, folder) = fogra().await;
    let program = Program::open(folder.path()).await.unwrap();
    let id = stocking::stocked(&*program.store).await.unwrap()["S-403"];
    drop(program);
    let (daemon, at) = Daemon::start_with_pages(folder.path());
    said(&merchantd(folder.path(), &["catalogue", "remove", &id.to_string()]));
    assert_eq!(ordered(&at, "S-403").status, 404);
    daemon.terminate();
    let (daemon, at) = Daemon::start_with_pages(folder.path());
    assert_eq!((get(&at, "/article/S-403").status, get(&at, "/article/S-402").status), (404, 200));
    daemon.terminate();
}

const SHOP: &str =
    "shop = 1\ntitle = \"Books\"\ncity = \"Darmstadt\"\nmotto = \"Two of them\"\nwelcome = []\n";

/// A catalogue of two books in files of their own.
fn books() -> String {
    let book = |number: u32| {
        format!(
            "[[article]]\nsku = \"B-{number}\"\nkind = \"book\"\ntopic = \"Trade\"\ntitle = \"Book {number}\"\nauthors = []\n\
             keywords = []\nsummary = \"A <b>bold</b> & \\\"quoted\\\" one\"\nprice = \"XTS 9.00\"\nfile = \"{number}.txt\"\n\
             media = \"text/plain\"\n"
        )
    };
    let kind = "[[kind]]\nname = \"book\"\ntitle = \"Books\"\nabout = \"To be read\"\n";
    format!("catalogue = 1\n{kind}{}{}", book(1), book(2))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_of_ones_own_is_stocked_as_far_as_it_goes_and_never_overwritten() {
    let (_authority, _bank, folder) = market().await;
    let folder = folder.path();
    let goods = folder.join("shop/goods");
    fs::create_dir_all(&goods).unwrap();
    fs::write(folder.join("shop/shop.toml"), SHOP).unwrap();
    fs::write(folder.join("shop/catalogue.toml"), books()).unwrap();
    fs::write(goods.join("1.txt"), "The first").unwrap();
    let failed = merchantd(folder, &["shop", "stock"]);
    let error = String::from_utf8(failed.stderr).unwrap();
    assert!(
        !failed.status.success() && error.contains("B-2: ") && error.contains("2.txt cannot be read"),
        "{error}"
    );
    fs::write(goods.join("2.txt"), "The second").unwrap();
    assert_eq!(
        said(&merchantd(folder, &["shop", "stock"])),
        "1 of 2 articles were put into the catalogue.\n"
    );

    let other = merchantd(folder, &["shop", "init", "fogra"]);
    assert!(
        !other.status.success() && String::from_utf8(other.stderr).unwrap().contains("holds another shop")
    );
    assert_eq!(fs::read_to_string(folder.join("shop/catalogue.toml")).unwrap(), books());
    assert_eq!(Config::read(folder).unwrap().shop, None);

    let pages = Pages { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..Pages::of("books") };
    Config { shop: Some(pages), ..Config::read(folder).unwrap() }.write(folder).unwrap();
    let (daemon, at) = Daemon::start_with_pages(folder);
    let shown = get(&at, "/kind/book").page();
    assert_eq!(shown.attributes("main .card a", "href"), ["/article/B-1", "/article/B-2"]);
    assert_eq!(get(&at, "/article/B-1").page().text("p.summary"), "A <b>bold</b> & \"quoted\" one");
    daemon.terminate();
}
