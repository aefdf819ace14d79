//! The evidence of a real sale: exported by the real wallet, checked by a judge who has a shell and `openssl`, and
//! then forged.
#![cfg(test)]

use std::{collections::BTreeMap, fs, path::Path};

use semper_merchant_daemon::program::Program;
use semper_supporting::{
    archive::{
        Query, Store as _,
        record::{CERTIFICATE, EVIDENCE, EvidenceRecord},
    },
    certificate::{Certificate, Usage, inspect},
    crypto::{
        digest::Digest,
        signature::{KeyPair, PublicKey},
    },
    deal::DealId,
    evidence::bundle::Files,
};
use semper_tests::{
    Failure, Marketplace, Result, Shopper, Ware,
    buyer::Buyer,
    dossier::{self, Desk},
    marketplace::{runtime, whole_trial},
    shop,
    shopper::BANK,
};

const BUYER: &str = "Ines Ortmann";

/// Every document of a sale in order, and who signs it; `-` is the key of the buyer's account.
const DOCUMENTS: [(&str, &str); 17] = [
    ("deal-propose", BUYER),
    ("deal-accept", shop::NAME),
    ("deal-open", BUYER),
    ("x/neg/propose", BUYER),
    ("x/neg/answer", shop::NAME),
    ("pay/neg-p", shop::NAME),
    ("pay/neg-s", BUYER),
    ("pay/neg-c", shop::NAME),
    ("x/gxv/offer", shop::NAME),
    ("x/gxv/accept", BUYER),
    ("pay/pay", "-"),
    ("pay/tx-statement", BANK),
    ("x/gxv/moved", BUYER),
    ("x/gxv/item", shop::NAME),
    ("x/gxv/close", BUYER),
    ("deal-close", BUYER),
    ("deal-close", shop::NAME),
];

#[test]
fn the_evidence_of_a_sale_convinces_a_judge_and_no_forger_does() -> Result<()> {
    let home = tempfile::tempdir()?;
    let profile = home.path().join("wallet");
    let mut taken: Option<(Files, Digest)> = None;
    whole_trial(async |market| {
        let file = market.folder("introduction.pdf");
        fs::write(&file, (0..30_000_u32).flat_map(u32::to_be_bytes).collect::<Vec<u8>>())?;
        let ware = Ware { file: &file, title: "Colour management, an introduction", price: "XTS 12.50" };
        let shop = market.open_shop(&[ware]).await?;
        let buyer = Buyer::found(market, BUYER, "XTS 50.00").await?;
        let article = shop.articles.first().ok_or_else(|| Failure::new("nothing is sold"))?;
        let bought = buyer.buy(market, article).await?;
        let deal = bought["deal"].as_str().ok_or_else(|| Failure::new("no deal"))?;

        let listed = buyer.wallet(&["evidence", "list"]).await?;
        assert!(listed.contains(deal) && listed.contains("17 statements"), "{listed}");
        let out = market.folder("dossier");
        let folder = out.to_str().ok_or_else(|| Failure::new("no plain path"))?;
        buyer.wallet(&["evidence", "export", deal, "--out", folder]).await?;
        let root = market.root().digest();
        let said = buyer.wallet(&["evidence", "verify", folder, "--root", &root.to_string()]).await?;
        assert!(said.contains("Accepted: 19 signed objects"), "{said}");

        taken = Some((dossier::read(&out)?, root));
        fs::rename(&buyer.profile, &profile)?;
        assert_eq!(market.shop.stop().await?, Some(0));
        the_shop_keeps_it_too(market, DealId::parse(deal)?).await
    });
    // A judge needs nobody's program to run, and a forger only the wallet.
    let (files, root) = taken.ok_or_else(|| Failure::new("no dossier"))?;
    is_whole(&files, root)?;
    a_judge_accepts(&files, root)?;
    runtime()?.block_on(async {
        let maker = Shopper::again(&profile).await?;
        no_spoilt_one_is_accepted(&files, root, &maker)?;
        no_other_list_is_accepted(&files, root, &maker)?;
        maker.end().await;
        no_forged_one_is_accepted(&files, root)
    })
}

/// Every document is there with its signer, the chain above every signer, the newest lists, and the record.
fn is_whole(files: &Files, root: Digest) -> Result<()> {
    // The buyer's account, and the purse that is loaded from it, of one key.
    let opening = ["pay/acct"; 2].map(|kind| (kind.to_owned(), BANK.to_owned()));
    let sale = DOCUMENTS.map(|(kind, name)| (kind.to_owned(), name.to_owned()));
    assert_eq!(dossier::signers(files)?, [opening.as_slice(), &sale].concat());
    let roots = dossier::certificates(files, "roots/")?;
    assert_eq!(roots.iter().map(|(root, _)| root.digest()).collect::<Vec<_>>(), [root]);
    let certificates = dossier::certificates(files, "certs/")?;
    // The arbiter signed nothing, and every document names its certificate.
    for name in [BUYER, shop::NAME, BANK, "Trial arbiter", "Trial authority issuing authority"] {
        let count = certificates.iter().filter(|(_, it)| it.subject.common_name == name).count();
        assert_eq!(count, 1, "{name}");
    }
    let lists = dossier::lists(files)?;
    for (authority, content) in roots.iter().chain(&certificates) {
        let listed = lists.iter().filter(|list| list.is_signed_by(authority)).count();
        assert_eq!(listed, usize::from(content.class.rules().authority), "{}", content.subject.common_name);
    }
    let record = dossier::text(files, "journal/own.txt")?;
    for (kind, name) in DOCUMENTS {
        let way = if [BUYER, "-"].contains(&name) { "sent" } else { "received" };
        assert!(record.contains(&format!(" {way}/{kind} ")), "{way}/{kind}");
    }
    let report = dossier::text(files, "report.txt")?;
    assert!(report.contains("012  ") && report.contains(&format!("Signed by {}", shop::NAME)), "{report}");
    Ok(())
}

fn a_judge_accepts(files: &Files, root: Digest) -> Result<()> {
    let desk = Desk::new()?;
    let shells = dossier::shells();
    assert!(shells.contains(&"sh"));
    for shell in shells {
        let (accepted, said) = desk.run(shell, files, root)?;
        assert!(accepted && said.contains("ACCEPTED 19 objects"), "{shell}: {said}");
    }
    Ok(())
}

/// Random positions that a printed seed determines.
struct Positions(Digest);

impl Positions {
    #[expect(clippy::print_stderr, reason = "whoever repeats a failure needs the seed")]
    fn new() -> Result<Self> {
        let seed = match std::env::var("SEMPER_SEED") {
            Ok(seed) => seed,
            Err(_) => Digest::from_bytes(semper_host::random()?).to_string(),
        };
        eprintln!("SEMPER_SEED={seed}");
        Ok(Self(Digest::of(seed.as_bytes())))
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 = Digest::of(self.0.as_bytes());
        let [a, b, c, d, ..] = *self.0.as_bytes();
        usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or_default() % limit.max(1)
    }

    /// The content with one bit flipped.
    fn spoil(&mut self, content: &[u8]) -> Vec<u8> {
        let (at, bit) = (self.below(content.len()), self.below(8));
        content.iter().enumerate().map(|(n, byte)| if n == at { byte ^ (1 << bit) } else { *byte }).collect()
    }
}

/// A bit is flipped in every file: as an accident, by a forger who writes the list anew, and by the very maker of
/// the dossier, who signs the list again.
fn no_spoilt_one_is_accepted(files: &Files, root: Digest, maker: &Shopper) -> Result<()> {
    let (desk, mut positions) = (Desk::new()?, Positions::new()?);
    let mut tried: BTreeMap<String, u32> = BTreeMap::new();
    for (path, content) in files {
        let mut spoilt = files.clone();
        spoilt.insert(path.clone(), positions.spoil(content));
        let (accepted, said) = desk.run("sh", &spoilt, root)?;
        assert!(!accepted, "{path}: {said}");
        if path.starts_with("MANIFEST") {
            assert!(!dossier::accepted(&spoilt, root).0, "{path}");
            continue;
        }
        let mut listed = spoilt.clone();
        dossier::relist(&mut listed)?;
        assert!(!dossier::accepted(&listed, root).0, "{path}, in a list made anew");
        if !binds(path) {
            continue;
        }
        dossier::relist_as_maker(&mut spoilt, &maker.wallet)?;
        assert!(!dossier::accepted(&spoilt, root).0, "{path}, by its maker");
        let kind = Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned());
        let kind = if path.ends_with(".pem") { path.split('/').next().map(str::to_owned) } else { kind };
        let count = tried.entry(kind.unwrap_or_default()).or_default();
        *count += 1;
        // The script takes its time: one of each kind.
        if *count == 1 && !path.starts_with("crls/") {
            for forged in [&listed, &spoilt] {
                let (accepted, said) = desk.run("sh", forged, root)?;
                assert!(!accepted, "{path}: {said}");
            }
        }
    }
    Ok(())
}

/// Whether a file is more than the words of whoever made the folder.
fn binds(path: &str) -> bool {
    let words = ["/about.txt", "/at.txt", "README.txt", "report.txt", "verify.sh"];
    !words.iter().any(|word| path.ends_with(word))
}

/// Documents taken out or put in: by somebody who is nobody, and what others signed by the maker itself.
fn no_other_list_is_accepted(files: &Files, root: Digest, maker: &Shopper) -> Result<()> {
    let desk = Desk::new()?;
    let refused = |files: &Files, what: &str| -> Result<()> {
        assert!(!dossier::accepted(files, root).0, "{what}");
        let (accepted, said) = desk.run("sh", files, root)?;
        assert!(!accepted && said.ends_with("REFUSED\n"), "{what}: {said}");
        Ok(())
    };
    let stranger = KeyPair::from_seed(&[3; 32]);
    let without = |part: &str| -> Files {
        let mut files = files.clone();
        files.retain(|path, _| !path.contains(part));
        files
    };
    let mut fewer = without("evidence/010-");
    refused(&fewer, "a document is missing")?;
    dossier::relist_as_stranger(&mut fewer, &stranger)?;
    refused(&fewer, "a document is missing in a list by a stranger")?;
    let mut more = files.clone();
    for (path, content) in files.iter().filter(|(path, _)| path.starts_with("evidence/010-")) {
        more.insert(path.replace("010-", "099-"), content.clone());
    }
    refused(&more, "a document was added")?;
    dossier::relist_as_stranger(&mut more, &stranger)?;
    refused(&more, "a document was added to a list by a stranger")?;
    // The bank's word about the buyer's account is needed for the order to pay, whoever made the list.
    let mut unvouched = without("-pay-acct/");
    dossier::relist_as_maker(&mut unvouched, &maker.wallet)?;
    refused(&unvouched, "nobody vouches for the key of the account")
}

/// A dossier with authorities of the forger's own is as good as the forger's root.
fn no_forged_one_is_accepted(files: &Files, root: Digest) -> Result<()> {
    let desk = Desk::new()?;
    let (forged, own) = dossier::forged(files, true)?;
    let (accepted, findings) = dossier::accepted(&forged, own);
    assert!(accepted, "as good as forgeries get: {findings}");
    let (accepted, said) = desk.run("sh", &forged, own)?;
    assert!(accepted, "as good as forgeries get: {said}");
    assert!(!dossier::accepted(&forged, root).0);
    let (accepted, said) = desk.run("sh", &forged, root)?;
    assert!(!accepted && said.contains("is not in roots/"), "{said}");
    // The real root beside it changes nothing.
    let mut both = forged;
    let real = format!("roots/{root}.pem");
    both.insert(real.clone(), files.get(&real).cloned().unwrap_or_default());
    dossier::relist(&mut both)?;
    assert!(!dossier::accepted(&both, root).0);
    assert!(!desk.run("sh", &both, root)?.0);
    // Under the right root, nobody but a bank says whose the key of an account is.
    let (forged, own) = dossier::forged(files, false)?;
    let (accepted, findings) = dossier::accepted(&forged, own);
    assert!(!accepted && findings.contains("Unvouched"), "{findings}");
    let (accepted, said) = desk.run("sh", &forged, own)?;
    assert!(!accepted && said.contains("no bank says"), "{said}");
    Ok(())
}

/// The shop's archive has the same documents, each under the certificate of its signer.
async fn the_shop_keeps_it_too(market: &Marketplace, deal: DealId) -> Result<()> {
    let program = Program::open(market.shop.folder()).await?;
    let rows = program.store.query(vec![Query::of(CERTIFICATE.name)]).await?;
    let mut certificates = BTreeMap::new();
    for row in rows.iter().flatten() {
        let certificate = Certificate::from_der(row.bytes("der")?)?;
        certificates.insert(certificate.digest(), certificate);
    }
    let trust = program.trust.snapshot();
    assert!(!trust.crls.is_empty() && !trust.roots.is_empty());
    let rows = program.store.query(vec![EvidenceRecord::of_deal(deal)]).await?;
    let mut found = Vec::new();
    for row in rows.iter().flatten() {
        let record = EvidenceRecord::from_row(row)?;
        let named = record.certificate.ok_or_else(|| Failure::of("no certificate", &record.kind))?;
        let certificate = certificates.get(&named).ok_or_else(|| Failure::of("not kept", &record.kind))?;
        let content = inspect(certificate)?;
        let key: PublicKey = content.key;
        key.verify(&record.signed.tbs, &record.signed.signature)?;
        assert_eq!(record.signer, key.kid(), "{}", record.kind);
        trust.verify_any(std::slice::from_ref(certificate), Usage::Sign, record.at)?;
        found.push((record.kind, content.subject.common_name));
    }
    // The order to pay goes from the buyer to the bank.
    let documents = DOCUMENTS.iter().filter(|(_, name)| *name != "-");
    let mut all: Vec<_> = documents.map(|(kind, name)| ((*kind).to_owned(), (*name).to_owned())).collect();
    all.sort();
    found.sort();
    assert_eq!(found, all);
    let accounts = Query::of(EVIDENCE.name).equal("type", "pay/acct");
    assert_eq!(program.store.query(vec![accounts]).await?.iter().flatten().count(), 1, "its till");
    Ok(())
}
