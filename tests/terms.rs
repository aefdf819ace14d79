//! Terms of business by separate processes: an evaluator vouches, a shop publishes, a wallet looks. And what a shop
//! changes under its own word.
#![cfg(test)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use semper_commerce::download::shipped;
use semper_host::record::commit;
use semper_merchant_daemon::terms::{TERMS, TERMS_FILE};
use semper_supporting::{
    access::Grade,
    archive::{Batch, Row, RowOp, Value, record::EVIDENCE},
    crypto::digest::Digest,
};
use semper_tests::{
    Daemon, Failure, Kept, Marketplace, Result, daemon::Said, marketplace::trial, programs::TTPD,
    programs::WALLET, shop::NAME, shopper::PASSWORD,
};
use semper_wallet::terms::pins;
use serde_json::Value as Json;
use tokio::{io::AsyncWriteExt as _, process::Command};

/// The id of the shop's own service.
const OWN: &str = "example.otto.mailorder";

/// A service of the shop's own: mail order under another name, so that it does not come with SEMPER.
struct Own {
    file: PathBuf,
    prose: PathBuf,
}

impl Own {
    fn write(market: &Marketplace) -> Result<Self> {
        let own = Self { file: market.folder("own.toml"), prose: market.folder("prose") };
        fs::create_dir(&own.prose)?;
        own.change(&[])?;
        for (path, bytes) in parts()?.files.iter().filter(|(path, _)| path.starts_with("prose/")) {
            fs::write(market.folder(path), bytes)?;
        }
        Ok(own)
    }

    /// Writes the service anew, with these words in place of others.
    fn change(&self, words: &[(&str, &str)]) -> Result<()> {
        let mut text = String::from_utf8(parts()?.service)?.replace("org.semper.retail.mailorder", OWN);
        for (old, new) in words {
            assert!(text.contains(old), "{old}");
            text = text.replace(old, new);
        }
        Ok(fs::write(&self.file, text)?)
    }

    /// What every command is told that makes the package.
    fn words(&self) -> Vec<String> {
        [text(&self.file), "--play".into(), "--prose".into(), text(&self.prose)].into()
    }
}

fn parts() -> Result<semper_commerce::download::pack::Parts> {
    shipped::parts("mailorder.toml").ok_or_else(|| Failure::new("mail order does not come with SEMPER"))
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

async fn terms(market: &Marketplace, deed: &str, own: &Own, more: &[&str]) -> Result<Said> {
    let words = own.words();
    let words: Vec<&str> = ["terms", deed].into_iter().chain(words.iter().map(String::as_str)).collect();
    market.shop.command(&[&words, more].concat()).await
}

fn good(said: Said) -> Result<String> {
    if said.code == Some(0) { Ok(said.out) } else { Err(Failure::of("a command", format!("{said:?}"))) }
}

/// Registers an evaluator of this organisation, at a port that nobody has.
async fn evaluator(market: &Marketplace, name: &'static str, organisation: &str) -> Result<Daemon> {
    let (host, port) = (format!("{name}.localhost"), market.arbiter_at.port().to_string());
    let about = ["--kind", "evaluator", "--organisation", organisation, "--country", "DE", "--dns", &host];
    let letter = market.letter(organisation, &about).await?;
    let file = market.folder(name).with_extension("letter");
    fs::write(&file, &letter.text)?;
    let daemon = Daemon::new(name, TTPD, market.folder(name));
    let (root, file) = (text(&market.authority.folder().join("root.pem")), text(&file));
    let (listen, authority) = (format!("127.0.0.1:{port}"), market.authority_at.to_string());
    let who = ["init", "--roles", "evaluator", "--name", organisation, "--organisation", organisation];
    let place = ["--country", "DE", "--host", &host, "--demo", "--port", &port, "--listen", &listen];
    let papers = ["--authority", &authority, "--root", &root, "--letter", &file, "--lists-every", "2"];
    daemon.done(&[who.as_slice(), &place, &papers].concat()).await?;
    Ok(daemon)
}

/// A command of the wallet in this folder.
async fn wallet(profile: &Path, words: &[&str]) -> Result<Said> {
    let mut command = Command::new(WALLET.path()?);
    command.args(words).arg("--profile").arg(profile).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(PASSWORD.as_bytes()).await?;
    }
    let output = child.wait_with_output().await?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Said { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) })
}

/// What the wallet says of the one service of the shop, and whether all of it is well.
async fn fetch(market: &Marketplace, profile: &Path) -> Result<(Json, bool)> {
    let said = wallet(profile, &["terms", "fetch", &market.shop_at.to_string(), "--json"]).await?;
    let all: Vec<Json> = serde_json::from_str(&said.out).map_err(|_| Failure::of("the wallet", &said.err))?;
    match <[Json; 1]>::try_from(all) {
        Ok([one]) => Ok((one, said.code == Some(0))),
        Err(all) => Err(Failure::of("not one service", format!("{all:?}"))),
    }
}

/// A wallet that is registered, in its folder; nobody has it open.
async fn customer(market: &Marketplace) -> Result<PathBuf> {
    market.shopper("Ada Weber").await?.end().await;
    Ok(market.folder("Ada Weber"))
}

fn codes(seen: &Json) -> Vec<&str> {
    seen["uncounted"].as_array().into_iter().flatten().filter_map(|one| one["code"].as_str()).collect()
}

#[test]
fn terms_are_believed_as_an_evaluator_vouches_for_them_until_it_withdraws() {
    trial(async |market| {
        market.found_shop(&[]).await?;
        let own = Own::write(market)?;
        let (package, evaluated) =
            (text(&market.folder("own.package")), text(&market.folder("own.evaluated")));
        good(terms(market, "pack", &own, &["--out", &package]).await?)?;

        // A person's grade needs a person's words.
        let mut tested = evaluator(market, "evaluator", "Trial evaluator").await?;
        let said = tested.command(&["evaluate", &package, "--grade", "2"]).await?;
        assert!(said.code != Some(0) && said.err.contains("--notes"), "{said:?}");
        let notes = text(&market.folder("notes"));
        fs::write(&notes, "Every outcome was run against a test shop.\n")?;
        let person = ["--grade", "2", "--notes", &notes, "--out", &evaluated, "--json"];
        let said = tested.done(&[["evaluate", &package].as_slice(), &person].concat()).await?;
        let said: Json = serde_json::from_str(&said)?;
        let serial = said["serial"].as_str().ok_or_else(|| Failure::new("no serial"))?.to_owned();
        tested.start().await?;

        let published = terms(market, "publish", &own, &["--evaluation", &evaluated, "--json"]).await?;
        let published: Json = serde_json::from_str(&good(published)?)?;
        assert_eq!(published["published"]["package"], said["package"], "packing is reproducible");
        assert_eq!(published["warnings"].as_array().map(Vec::len), Some(0), "{published}");
        market.shop.start().await?;

        let profile = customer(market).await?;
        let (seen, well) = fetch(market, &profile).await?;
        assert_eq!((seen["grade"].as_u64(), well), (Some(0), true));
        assert_eq!(codes(&seen), ["service-uncounted-not-trusted"]);

        // Trusting somebody takes a comparison.
        let certificate = text(&tested.folder().join("certificate.pem"));
        let said = wallet(&profile, &["trust", "evaluator", &certificate]).await?;
        assert!(said.code != Some(0) && said.err.contains("--compared"), "{said:?}");
        let real = ["trust", "evaluator", &certificate, "--compared", "--ceiling", "EUR 10.00"];
        assert!(wallet(&profile, &real).await?.code != Some(0), "real money");
        good(wallet(&profile, &["trust", "evaluator", &certificate, "--compared"]).await?)?;
        let (seen, well) = fetch(market, &profile).await?;
        assert_eq!((seen["grade"].as_u64(), well), (Some(2), true), "{seen}");
        assert_eq!(seen["by"][0]["name"], "Trial evaluator");
        assert_eq!((seen["response"].as_str(), codes(&seen).len()), (Some("first-seen"), 0));
        assert_eq!(seen["shop"]["organisation"], NAME);

        // The word of the shop's own organisation counts for nothing, whoever trusts it.
        let friend = evaluator(market, "friend", NAME).await?;
        let friendly = text(&market.folder("own.friendly"));
        let three = ["evaluate", &package, "--grade", "3", "--notes", &notes, "--out", &friendly];
        friend.done(&three).await?;
        let added = market.shop.done(&["terms", "add-evaluation", &friendly, "--json"]).await?;
        assert!(added.contains("its organisation"), "{added}");
        let certificate = text(&friend.folder().join("certificate.pem"));
        good(wallet(&profile, &["trust", "evaluator", &certificate, "--compared"]).await?)?;
        let (seen, _) = fetch(market, &profile).await?;
        assert_eq!(
            (seen["grade"].as_u64(), codes(&seen)),
            (Some(2), vec!["service-uncounted-not-independent"])
        );

        // What is withdrawn counts for nothing from the next look on, and stays so when nobody answers.
        tested.done(&["evaluation", "revoke", &serial, "--reason", "mistake"]).await?;
        let (seen, well) = fetch(market, &profile).await?;
        assert_eq!((seen["grade"].as_u64(), well), (Some(0), true), "{seen}");
        assert!(codes(&seen).contains(&"service-uncounted-withdrawn"), "{seen}");
        let list: Vec<Json> = serde_json::from_str(&tested.done(&["evaluation", "list", "--json"]).await?)?;
        assert_eq!(list[0]["reason"], "mistake");
        assert!(tested.command(&["evaluation", "revoke", &serial, "--reason", "law"]).await?.code != Some(0));
        tested.stop().await?;
        let (seen, _) = fetch(market, &profile).await?;
        assert!(codes(&seen).contains(&"service-uncounted-withdrawn"), "{seen}");
        let known = good(wallet(&profile, &["terms", "list", "--json"]).await?)?;
        assert!(known.contains("service-uncounted-withdrawn"), "{known}");
        // People read the same in words.
        let words = good(wallet(&profile, &["terms", "list"]).await?)?;
        assert!(words.contains("The evaluator withdrew this evaluation on"), "{words}");
        Ok(())
    });
}

/// Accepts everything that the wallet has seen, as a person does in a prompt.
async fn accept(profile: &Path) -> Result<()> {
    let kept = Kept::wallet(profile).await?;
    for one in pins::all(&*kept.store).await? {
        pins::accept(&*kept.store, &one.pin, Grade::Uncertified, Digest::of(b"prompt")).await?;
    }
    Ok(())
}

async fn withdraw(market: &Marketplace, published: &str) -> Result<()> {
    let package: Json = serde_json::from_str(published)?;
    let name = package["published"]["package"].as_str().unwrap_or_default().to_owned();
    market.shop.done(&["terms", "withdraw", &name]).await.map(drop)
}

#[test]
fn what_a_shop_changes_under_its_own_word_is_refused() {
    trial(async |market| {
        market.found_shop(&[]).await?;
        let own = Own::write(market)?;
        let profile = customer(market).await?;
        market.shop.start().await?;
        good(terms(market, "publish", &own, &[]).await?)?;
        let (seen, well) = fetch(market, &profile).await?;
        assert_eq!((seen["response"].as_str(), well), (Some("first-seen"), true));
        accept(&profile).await?;
        assert_eq!(fetch(market, &profile).await?.0["response"], "unchanged");

        // The operator is kept from a second text under one version.
        let title = ("Mail order: goods by post", "Post order: goods by mail");
        own.change(&[title])?;
        let said = terms(market, "publish", &own, &[]).await?;
        assert!(said.code != Some(0) && said.err.contains("Give the new text a new version"), "{said:?}");
        // What the checks refuse is not signed either.
        own.change(&[("\"1.0.0\"", "\"2.0.0\""), ("third = [\"arbiter\"] }", "third = [] }")])?;
        let said = terms(market, "publish", &own, &[]).await?;
        assert!(said.code != Some(0) && said.err.contains("refuse THIRD"), "{said:?}");

        // A newer version shows what changed; once it was accepted, the older one is not taken.
        own.change(&[
            ("\"1.0.0\"", "\"1.1.0\""),
            ("within = \"P14D\", transit", "within = \"P7D\", transit"),
            title,
        ])?;
        let newer = good(terms(market, "publish", &own, &["--json"]).await?)?;
        let (seen, _) = fetch(market, &profile).await?;
        assert_eq!(
            (seen["response"].as_str(), seen["change"]["to"].as_str()),
            (Some("update"), Some("1.1.0"))
        );
        assert!(seen["change"]["deadlines"].to_string().contains("P7D"), "{seen}");
        accept(&profile).await?;
        withdraw(market, &newer).await?;
        let (seen, well) = fetch(market, &profile).await?;
        assert_eq!((seen["refused"]["code"].as_str(), well), (Some("service.downgrade"), false), "{seen}");

        // A shop whose archive forgets, so that it signs a second text: both are kept, and it stays blocked.
        market.shop.stop().await?;
        let first = forget(market).await?;
        own.change(&[title])?;
        good(terms(market, "publish", &own, &[]).await?)?;
        market.shop.start().await?;
        for _ in 0..2 {
            let (seen, well) = fetch(market, &profile).await?;
            assert_eq!(
                (seen["refused"]["code"].as_str(), well),
                (Some("service.equivocation"), false),
                "{seen}"
            );
            assert_eq!(seen["change"]["statements"].as_array().map(Vec::len), Some(2));
        }
        let kept = Kept::wallet(&profile).await?;
        let signed = kept.rows(EVIDENCE.name).await?;
        let signed = signed.iter().filter(|row| row.text("type") == Ok("service-terms")).count();
        assert!(signed >= 3, "{signed}");
        drop(kept);

        // One byte of what the shop hands out: first in its statement, then in the terms.
        for (place, code) in
            [(Place::Statement, "service.bad-statement"), (Place::Terms, "service.bad-package")]
        {
            market.shop.stop().await?;
            damage(market, place, first).await?;
            market.shop.start().await?;
            let (seen, well) = fetch(market, &profile).await?;
            assert_eq!((seen["refused"]["code"].as_str(), well), (Some(code), false), "{seen}");
        }
        let words = wallet(&profile, &["terms", "fetch", &market.shop_at.to_string()]).await?;
        assert!(words.out.contains("The service file is damaged"), "{words:?}");
        Ok(())
    });
}

/// Makes the shop, which does not run, forget what it has published; gives how many packages that were.
async fn forget(market: &Marketplace) -> Result<usize> {
    let kept = Kept::shop(market.shop.folder()).await?;
    let rows = kept.rows(TERMS.name).await?;
    let mut batch = Batch::new();
    for row in &rows {
        batch = batch.row(RowOp::delete(TERMS.name, vec![Value::from(row.bytes("package")?.to_vec())]));
    }
    commit(&*kept.store, batch).await?;
    Ok(rows.len())
}

/// Where a package names its service.
#[derive(Clone, Copy)]
enum Place {
    Statement,
    Terms,
}

/// Changes one letter in every file that the shop, which does not run, hands out.
async fn damage(market: &Marketplace, place: Place, at_least: usize) -> Result<()> {
    let kept = Kept::shop(market.shop.folder()).await?;
    let rows = kept.rows(TERMS_FILE.name).await?;
    assert!(rows.len() >= at_least, "{}", rows.len());
    let mut batch = Batch::new();
    for row in &rows {
        let mut content = row.bytes("content")?.to_vec();
        // The files of a package are in the order of their names, so the terms come last.
        let mut named = content.windows(OWN.len()).enumerate().filter(|(_, part)| *part == OWN.as_bytes());
        let found = match place {
            Place::Statement => named.next(),
            Place::Terms => named.next_back(),
        };
        let found = found.map(|(at, _)| at);
        let byte = found.and_then(|at| content.get_mut(at)).ok_or_else(|| Failure::new("no id"))?;
        *byte = b'f';
        let key = vec![Value::from(row.bytes("file")?.to_vec())];
        batch = batch.row(RowOp::update(TERMS_FILE.name, key, Row::new().with("content", content)));
    }
    Ok(commit(&*kept.store, batch).await?)
}
