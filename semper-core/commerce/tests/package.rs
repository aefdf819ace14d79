//! Packages: reproducible, strict, and named by every byte of what they say.
#![cfg(test)]

mod common;

use std::{collections::BTreeMap, sync::LazyLock};

use common::{
    AT,
    world::{World, changed, packed, parts},
};
use proptest::prelude::*;
use semper_commerce::{
    download::{
        Package, ServiceFault, ServiceTerms,
        pack::{Parts, pack},
        package::with_signatures,
        play, shipped, terms_statement, ustar,
    },
    service::shipped::SERVICES,
};
use semper_supporting::{
    certificate::{CertRole, TrustSnapshot, Usage, VerifiedCertificate},
    crypto::digest::Digest,
    fault::Fault as _,
    money::{Currency, Money},
    time::Span,
};

const BLOCK: usize = 512;

fn refused(parts: &Parts) -> String {
    pack(parts).unwrap_err().to_string()
}

fn with(path: &str, content: &str) -> Parts {
    let mut parts = parts();
    parts.files.insert(path.to_owned(), content.as_bytes().to_vec());
    parts
}

/// The files of a package, changed, with a list that fits them, as whoever forges one would make it.
fn forged(change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) -> Result<Package, ServiceFault> {
    let bytes = packed().bytes;
    let mut files: BTreeMap<String, Vec<u8>> = ustar::read(&bytes)
        .unwrap()
        .into_iter()
        .map(|(name, bytes)| (name.to_owned(), bytes.to_vec()))
        .collect();
    change(&mut files);
    files.remove("files.lst");
    let list: String = files
        .iter()
        .filter(|(path, _)| !path.starts_with("sig/"))
        .map(|(path, bytes)| format!("{}  {path}\n", Digest::of(bytes)))
        .collect();
    files.insert("files.lst".to_owned(), list.into_bytes());
    let lent: Vec<(&str, &[u8])> = files.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
    Package::read(&ustar::write(&lent).unwrap())
}

#[test]
fn every_shipped_service_makes_a_package_that_reads_back() {
    let all = shipped::packages().unwrap();
    assert!(SERVICES.iter().all(|(file, _)| all.contains_key(*file)));
    for (file, packed) in &all {
        assert_eq!(Package::read(&packed.bytes).as_ref(), Ok(&packed.package), "{file}");
        assert_eq!(packed.package.chart().lock.len(), packed.package.chart().blocks.len(), "{file}");
    }
    let built_in = shipped::BuiltIn::new().unwrap();
    assert!(all.values().all(|packed| built_in.has(&packed.package.sha256())));
    assert!(!built_in.has(&Digest::of(b"another")));
}

#[test]
fn packing_again_gives_the_same_bytes_also_when_the_lock_is_there_already() {
    let first = packed();
    assert_eq!(pack(&parts()).unwrap().bytes, first.bytes);
    let files = ustar::read(&first.bytes).unwrap();
    let terms = files.iter().find(|(name, _)| *name == "terms.toml").unwrap().1.to_vec();
    assert_eq!(pack(&Parts { service: terms.clone(), ..parts() }).unwrap().bytes, first.bytes);
    let source = parts().service;
    assert!(
        terms.starts_with(&source) && terms[source.len()..].starts_with(b"[lock]\n\"std/offer-order\" = ")
    );
}

#[test]
fn only_the_blocks_that_are_used_are_in_it_and_the_name_is_that_of_the_list() {
    let packed = packed();
    let names: Vec<&str> = ustar::read(&packed.bytes).unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "blocks/offer-order.toml",
            "blocks/pay.toml",
            "blocks/refund.toml",
            "blocks/ship.toml",
            "blocks/withdraw.toml",
            "files.lst",
            "prose/withdrawal.en.md",
            "terms.toml",
        ]
    );
    let files: BTreeMap<&str, &[u8]> = ustar::read(&packed.bytes).unwrap().into_iter().collect();
    assert_eq!(packed.package.sha256(), Digest::of(files["files.lst"]));
    assert_eq!(packed.package.terms_sha256(), Digest::of(files["terms.toml"]));
}

#[test]
fn what_does_not_belong_in_a_package_is_refused() {
    type Change = fn(&mut BTreeMap<String, Vec<u8>>);
    let put = |name: &'static str| {
        move |files: &mut BTreeMap<String, Vec<u8>>| drop(files.insert(name.to_owned(), b"x".to_vec()))
    };
    for name in
        ["run.sh", "prose/a/b.en.md", "text/de.md", "sig/other.stmt", "sig/terms.sig", "sig/eval-a.pem"]
    {
        let why = forged(put(name)).unwrap_err().to_string();
        assert!(why.contains("does not belong in it"), "{name}: {why}");
    }
    let cases: [(Change, &str); 6] = [
        (|files| drop(files.remove("terms.toml")), "no terms"),
        (|files| drop(files.remove("blocks/pay.toml")), "there is no block std/pay@1"),
        (|files| drop(files.remove("prose/withdrawal.en.md")), "prose/withdrawal is not there in English"),
        (
            |files| {
                let pay = files["blocks/pay.toml"].clone();
                files.insert("blocks/other.toml".to_owned(), [&pay[..], b"# other\n"].concat());
            },
            "there are two blocks",
        ),
        (
            |files| files.get_mut("blocks/pay.toml").unwrap().extend(b"# weaker\n"),
            "its blocks are not those that the terms lock",
        ),
        (|files| drop(files.insert("sig/terms.stmt".to_owned(), vec![])), "sig/terms.sig is missing"),
    ];
    for (change, expected) in cases {
        let why = forged(change).unwrap_err().to_string();
        assert!(why.contains(expected), "{expected}: {why}");
    }
    let unused = forged(|files| {
        let block = parts().files["blocks/order.toml"].clone();
        files.insert("blocks/order.toml".to_owned(), block);
    });
    assert!(unused.unwrap_err().to_string().contains("a block that the terms do not use"));
}

#[test]
fn a_list_that_names_other_files_is_refused() {
    let packed = packed();
    let mut files: Vec<(&str, Vec<u8>)> =
        ustar::read(&packed.bytes).unwrap().into_iter().map(|(n, b)| (n, b.to_vec())).collect();
    files.iter_mut().find(|(name, _)| *name == "prose/withdrawal.en.md").unwrap().1.push(b'\n');
    let lent: Vec<(&str, &[u8])> = files.iter().map(|(n, b)| (*n, b.as_slice())).collect();
    let fault = Package::read(&ustar::write(&lent).unwrap()).unwrap_err();
    assert_eq!(
        (fault.code(), fault.to_string().as_str()),
        ("service.bad-package", "The service file is damaged (its list of files is of other files).")
    );
}

#[test]
fn translations_are_of_texts_that_exist_and_fall_back_to_english() {
    let german = "final.declined.says = \"Abgelehnt\"\nservice.title = \"Versandhandel\"\n\
                  [state.\"pay.due\"]\n[form.order.field.ship_to]\nsays = \"Lieferanschrift\"\n";
    let package = pack(&with("text/de.toml", german)).unwrap().package;
    let words =
        |path, language| package.words(path, language).map(|said| (said.words.to_owned(), said.translated));
    assert_eq!(words("final.declined.says", "de"), Some(("Abgelehnt".to_owned(), true)));
    assert_eq!(words("form.order.field.ship_to.says", "de"), Some(("Lieferanschrift".to_owned(), true)));
    assert_eq!(words("form.order.field.ship_to.says", "fr"), Some(("ship_to".to_owned(), false)));
    assert_eq!(words("final.refunded.says", "de"), Some(("Money returned".to_owned(), false)));
    assert_eq!(words("final.refunded.says", "en"), Some(("Money returned".to_owned(), true)));
    assert_eq!(words("final.nowhere.says", "de"), None);
    assert!(!package.prose("prose/withdrawal", "de").unwrap().translated);
    for (text, why) in [
        ("final.nowhere.says = \"x\"", "final.nowhere.says is no text of these terms"),
        ("final.declined.good = \"x\"", "is no text of these terms"),
        ("service.title = 7", "service.title is no text"),
        ("service.title = \"a\\u202Eb\"", "changes the direction of writing"),
        ("service.title = \"a\\nb\"", "is not one line of words"),
        ("service.title = \" \"", "is not one line of words"),
        ("service.title = \"a\"\nservice.title = \"b\"", "duplicate key"),
    ] {
        assert!(
            refused(&with("text/de.toml", text)).contains(why),
            "{text}: {}",
            refused(&with("text/de.toml", text))
        );
    }
    assert!(refused(&with("text/en.toml", "")).contains("not the name of another language"));
    assert!(refused(&with("text/German.toml", "")).contains("cannot be packed"));
}

/// H12 where an escape hides it from the reader of characters.
#[test]
fn a_word_that_turns_the_direction_of_writing_is_refused_also_as_an_escape() {
    let mut parts = parts();
    let text = String::from_utf8(parts.service).unwrap();
    parts.service = text.replace("\"Money returned\"", "\"EUR 5\\u202E00.1\"").into_bytes();
    assert_eq!(pack(&parts).unwrap_err().code(), "tob.bad-text");
}

#[test]
fn a_play_edition_names_no_real_money_and_is_a_service_of_its_own() {
    let mut made = Vec::new();
    for (file, _) in SERVICES {
        let Ok(parts) = play::edition(&shipped::parts(file).unwrap()) else { continue };
        let chart = pack(&parts).unwrap().package.chart().clone();
        assert_eq!(chart.context.currency, [Currency::XTS], "{file}");
        assert!(chart.need.pay.is_none_or(|sum| sum.currency.is_play()), "{file}");
        assert!(!String::from_utf8_lossy(&parts.service).contains("EUR"), "{file}");
        assert!(chart.service.id.ends_with(".play"), "{file}");
        assert!(chart.need.subdeal.iter().all(|one| one.contains(".play@")), "{file}");
        made.push(*file);
    }
    assert!(made.contains(&"info.toml") && made.contains(&"rfq.toml") && made.len() >= 8, "{made:?}");
    let play = play::edition(&parts()).unwrap();
    let text = String::from_utf8(play.service).unwrap();
    assert!(
        text.contains("money('XTS 75.00')") && text.contains("id = \"org.semper.retail.mailorder.play\"")
    );
    assert_eq!(
        pack(&play::edition(&parts()).unwrap()).unwrap().bytes,
        pack(&play::edition(&parts()).unwrap()).unwrap().bytes
    );
}

/// The sale of information exists by hand as well, with another block for the order.
#[test]
fn the_play_edition_of_information_asks_for_what_the_one_made_by_hand_asks_for() {
    let made = pack(&play::edition(&shipped::parts("info.toml").unwrap()).unwrap()).unwrap().package;
    let by_hand = pack(&shipped::parts("info-play.toml").unwrap()).unwrap().package;
    assert_eq!(made.chart().need, by_hand.chart().need);
    assert_eq!(made.chart().context, by_hand.chart().context);
    assert_eq!(made.chart().forms, by_hand.chart().forms);
    assert_eq!(made.chart().need.pay, Money::parse("XTS 100.00").ok());
}

#[test]
fn a_play_edition_changes_texts_and_refuses_what_it_cannot_change() {
    let prose = with("prose/fees.en.md", "Returning costs EUR 5.95. EUR is the euro.\n");
    let play = play::edition(&prose).unwrap();
    assert_eq!(play.files["prose/fees.en.md"], b"Returning costs XTS 5.95. EUR is the euro.\n");
    let wrong = |parts: &Parts| play::edition(parts).unwrap_err().to_string();
    let second = with("prose/fees.en.md", "Returning costs USD 5.95.\n");
    assert!(wrong(&second).contains("USD 5.95 is in a second currency"));
    let hidden = with("text/de.toml", "service.title = \"EUR\\u00205.00\"\n");
    assert!(wrong(&hidden).contains("cannot be changed"));
    assert!(wrong(&play).contains("one real currency"));
    let none = shipped::parts("registration.toml").unwrap();
    assert!(wrong(&none).contains("one real currency"));
}

/// H20: the reader lends what it was given, so it holds at most 64 pairs of pointers; what it refuses it refuses
/// at the first wrong block, whatever comes after.
#[test]
fn h20_bombs_links_and_ways_out_are_refused_before_anything_is_held() {
    let code = |bytes: &[u8]| Package::read(bytes).map_err(|fault| fault.code());
    let empty = ustar::write(&[("a", b"")]).unwrap();
    let hundred_thousand: Vec<u8> = empty[..BLOCK].repeat(100_000);
    assert_eq!(code(&hundred_thousand), Err("service.bad-package"));
    assert_eq!(
        ustar::read(&hundred_thousand).unwrap_err().to_string(),
        "The service file is damaged (longer than 2 MiB)."
    );
    // As many as two mebibytes hold, with names in order.
    let names: Vec<String> = (0..65).map(|n| format!("f{n:03}")).collect();
    let mut many: Vec<u8> = Vec::new();
    for name in &names {
        many.extend(&ustar::write(&[(name.as_str(), &b""[..])]).unwrap()[..BLOCK]);
    }
    many.resize(ustar::PACKAGE_LIMIT, 0xff);
    assert!(ustar::read(&many).unwrap_err().to_string().contains("more than 64 files"));
    let huge = vec![b'a'; ustar::PACKAGE_LIMIT];
    assert!(ustar::write(&[("huge", &huge)]).is_err());
    // Every slice that is read lies in the input.
    let bytes = packed().bytes;
    let range = bytes.as_ptr_range();
    for (name, content) in ustar::read(&bytes).unwrap() {
        assert!(range.contains(&name.as_ptr()) && content.as_ptr_range().end <= range.end);
    }
    for (at, with) in [(156, b'2'), (156, b'1'), (156, b'5'), (0, b'/'), (0, b'.')] {
        let mut bytes = bytes.clone();
        bytes[at] = with;
        assert_eq!(code(&bytes), Err("service.bad-package"));
    }
}

#[test]
fn signatures_come_along_and_leave_the_name_of_the_package() {
    let world = World::new();
    let merchant = world.merchant(1, "Fogra");
    let packed = packed();
    let until = AT.after(Span::days(365));
    let draft = terms_statement::draft(&packed.package, &merchant.verified, AT, until, None).unwrap();
    let signed = merchant.signed::<ServiceTerms>(&draft);
    let bytes =
        with_signatures(&packed.bytes, Some(&signed), &BTreeMap::from([("tuev".to_owned(), signed.clone())]))
            .unwrap();
    let package = Package::read(&bytes).unwrap();
    assert_eq!(package.sha256(), packed.package.sha256());
    assert_eq!(package.terms_signed(), Some(&signed));
    assert_eq!(package.evaluations(), std::slice::from_ref(&signed));
    assert_eq!(with_signatures(&bytes, None, &BTreeMap::new()).unwrap(), packed.bytes);
    let terms = terms_statement::verify(signed.statement, &merchant.verified).unwrap();
    assert_eq!(terms.is_about(&package), Ok(()));
    let other = changed(&[("P14D", "P7D")]).package;
    assert_eq!(terms.is_about(&other).unwrap_err().code(), "service.other-terms");
    assert_eq!(terms.is_offered(until), Err(ServiceFault::NotOffered));
    assert_eq!(terms.is_offered(AT), Ok(()));
}

/// A package as it is delivered, signed; who signed it, and by what that is known.
static DELIVERED: LazyLock<(Vec<u8>, VerifiedCertificate, TrustSnapshot)> = LazyLock::new(|| {
    let world = World::new();
    let merchant = world.merchant(1, "Fogra");
    let packed = packed();
    let until = AT.after(Span::days(365));
    let draft = terms_statement::draft(&packed.package, &merchant.verified, AT, until, None).unwrap();
    let signed = merchant.signed::<ServiceTerms>(&draft);
    let bytes = with_signatures(&packed.bytes, Some(&signed), &BTreeMap::new()).unwrap();
    (bytes, merchant.verified, world.trust)
});

proptest! {
    /// Whatever one byte becomes: the package is refused, has another name, or is not signed by the shop.
    #[test]
    fn no_byte_of_a_package_can_be_changed_unseen(at in any::<prop::sample::Index>(), by in 1_u8..) {
        let (delivered, shop, trust) = &*DELIVERED;
        let mut bytes = delivered.clone();
        bytes[at.index(delivered.len())] ^= by;
        let name = Package::read(delivered).unwrap().sha256();
        if let Ok(package) = Package::read(&bytes) && package.sha256() == name {
            let signed = package.terms_signed().unwrap();
            let same = trust
                .verify(&signed.chain, CertRole::Merchant, Usage::Sign, AT)
                .is_ok_and(|signer| signer == *shop);
            prop_assert!(!same || terms_statement::verify(signed.statement.clone(), shop).is_err());
        }
    }

    #[test]
    fn bytes_from_anywhere_are_refused_and_nothing_worse(bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
        prop_assert!(Package::read(&bytes).is_err());
    }
}
