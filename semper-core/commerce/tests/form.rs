//! Forms: what each type of field takes, who fills in what, rules, files, roots, and one field alone.
#![cfg(test)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on stops")]
#![expect(clippy::disallowed_methods, reason = "tests read their golden files and ask sha256sum")]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    process::Command,
};

use proptest::prelude::*;
use semper_commerce::service::{
    Statechart,
    definition::Definition,
    expression::{Expressions, Values},
    flatten::flatten,
    form::{Draft, FormFault, FormValues, Line, Opening, Proofs, Salt, Value, bad_patterns},
    shipped,
    statechart::Form,
};
use semper_supporting::{
    crypto::digest::Digest,
    fault::Fault,
    money::{Currency, Money},
};

/// A form with a field of every type.
const SERVICE: &str = r#"
tob = 1
service = { id = "org.example.test", version = "1.0.0", title = "Test", start = "a" }
party = { buyer = { side = "client", kind = "any" }, seller = { side = "server", kind = "any" } }
context = { anonymity = { peer = ["identified"], bank = ["anonymous"], network = ["open"] }, confidentiality = ["channel"], evidence = ["full"], currency = ["EUR"] }
[form.t]
says = "Everything"
fill = "buyer"
field.text = { type = "text", min = 2, max = 6, says = "Words" }
field.code = { type = "text", max = 10, pattern = "[a-z]|[0-9]{4}", optional = true }
field.bad = { type = "text", max = 10, pattern = "a)|(b", optional = true }
field.huge = { type = "text", max = 10, pattern = "(\\pL{99}){99}", optional = true }
field.int = { type = "int", min = -2, max = 9 }
field.bool = { type = "bool" }
field.choice = { type = "choice", of = ["year", "month"] }
field.set = { type = "choice-set", of = ["c", "a", "b"], min = 2 }
field.money = { type = "money", currency = "EUR" }
field.any_money = { type = "money" }
field.date = { type = "date" }
field.at = { type = "datetime" }
field.span = { type = "duration" }
field.lines = { type = "order-lines", max = 2, app = true }
field.sku = { type = "sku", app = true }
field.who = { type = "party-ref" }
field.cred = { type = "credential-ref", credential = "pass" }
field.what = { type = "content-descriptor" }
field.file = { type = "file", mime = ["image/png"], max = "1 KiB" }
field.name = { type = "person-name", pii = "name" }
field.home = { type = "postal-address", pii = "address", countries = ["DE", "AT"], app = true }
field.mail = { type = "email" }
field.tel = { type = "phone" }
field.land = { type = "country", countries = ["DE"] }
field.vat = { type = "vat-id" }
field.iban = { type = "iban" }
field.adult = { type = "attribute-proof", attribute = "age>=18" }
field.ok = { type = "consent", text = "prose/ok", app = true }
field.price = { type = "money", by = "seller", says = "Price" }
check.limit = { rule = "atmost(f.t.price, money('EUR 9.00'))", says = "At most nine euro." }
check.small = "f.t.int < 5"
[item]
note = { kind = "information", from = "buyer", carries = "t" }
[state]
a = { owes = ["buyer"], limit = "P1D", late = "end", says = "A" }
[move]
go = { from = "a", to = "end", cell = "information-transfer", by = "buyer", gives = { buyer = "note" } }
[final]
end = { good = true, says = "The end" }
"#;

const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

fn chart() -> Statechart {
    flatten(&Definition::read("terms.toml", SERVICE.as_bytes()).unwrap(), &[]).unwrap()
}

fn form() -> Form {
    chart().forms.remove("t").unwrap()
}

fn proofs() -> Proofs {
    let pair = |kind: &str, id: &str| (kind.to_owned(), id.to_owned());
    let text = BTreeSet::from([Digest::of(b"I agree"), Digest::of(b"Einverstanden")]);
    Proofs {
        credentials: BTreeSet::from([pair("pass", "p-1"), pair("age>=18", "proof-7")]),
        texts: BTreeMap::from([("prose/ok".to_owned(), text)]),
    }
}

fn read(form: &Form, name: &str, typed: &str) -> Result<Value, FormFault> {
    Value::read(name, &form.fields[name], typed, &proofs())
}

/// What may stand in each field: typed, and as it is kept.
fn good() -> Vec<(&'static str, String, String)> {
    let line = "a-1\tA thing\t3\tEUR 1.50\t190\tEUR 4.50";
    let what = format!("application/pdf\n12\nsha256 {ZEROS}\nA book");
    let made = format!("application/pdf\n12\ntemplate mug/3 {ZEROS}\nA mug");
    let file = format!("image/png\n1024\n{ZEROS}");
    let plain = |name, text: &str| (name, text.to_owned(), text.to_owned());
    let to = |name, typed: &str, kept: &str| (name, typed.to_owned(), kept.to_owned());
    vec![
        to("text", " e\u{301}\r\nb\n", "\u{e9}\nb"),
        plain("text", "ab\\n"),
        plain("code", "1234"),
        plain("int", "-2"),
        plain("bool", "yes"),
        plain("choice", "month"),
        to("set", "c\na", "a\nc"),
        to("money", "12.50", "EUR 12.50"),
        plain("any_money", "JPY 12"),
        plain("date", "2024-02-29"),
        plain("at", "2024-02-29T12:00:01Z"),
        to("span", "PT26H", "P1DT2H"),
        plain("lines", line),
        plain("sku", "book 17"),
        plain("who", "Shop of Maria"),
        plain("cred", "p-1"),
        plain("what", &what),
        plain("what", &made),
        plain("file", &file),
        plain("name", "Zo\u{eb} Müller"),
        plain("home", "Hauptstr. 1\nHinterhaus\n10115\nBerlin\nDE"),
        plain("mail", "a.b@example.org"),
        to("tel", "+49 (30) 123-456", "+4930123456"),
        to("land", "de", "DE"),
        to("vat", "DE 123 456 789", "DE123456789"),
        to("iban", "de89 3704 0044 0532 0130 00", "DE89370400440532013000"),
        plain("adult", "proof-7"),
    ]
}

#[test]
fn every_type_of_field_takes_what_it_should_in_one_text() {
    let form = form();
    for (name, typed, kept) in good() {
        let value = read(&form, name, &typed).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert_eq!(value.to_string(), kept, "{name}");
        let again = Value::canonical(name, &form.fields[name], &kept, &proofs());
        assert_eq!(again, Ok(value), "{name}");
        if typed != kept {
            assert!(Value::canonical(name, &form.fields[name], &typed, &proofs()).is_err(), "{name}");
        }
    }
}

#[test]
fn every_type_of_field_refuses_what_it_must_with_code_and_text() {
    let form = form();
    let lines = |rows: &[&str]| rows.join("\n");
    let line = "a\tA\t3\tEUR 1.50\t190\tEUR 4.50";
    let three = lines(&[line, line, line]);
    let off = lines(&[line, "a\tA\t3\tEUR 1.50\t190\tEUR 4.51"]);
    let mixed = lines(&[line, "a\tA\t1\tUSD 1.50\t190\tUSD 1.50"]);
    let jpeg = format!("image/jpeg\n12\n{ZEROS}");
    let large = format!("image/png\n1025\n{ZEROS}");
    let long = "x".repeat(129);
    let cases: &[(&str, &str, &str, &str)] = &[
        ("text", "abcdefg", "form.too-long", "Words: at most 6 characters."),
        ("text", "a", "form.too-short", "Words: at least 2 characters."),
        ("text", "a\u{202e}b", "form.text", "Words: this is not text that can be shown."),
        ("text", "a\tb", "form.text", "Words: this is not text that can be shown."),
        ("code", "12345", "form.pattern", "code: this does not have the form that is asked for."),
        ("code", "ab", "form.pattern", "code: this does not have the form that is asked for."),
        ("bad", "a", "tob.pattern", "bad: these terms ask for a form that cannot be checked."),
        ("huge", "a", "tob.pattern", "huge: these terms ask for a form that cannot be checked."),
        ("int", "10", "form.range", "int: between -2 and 9."),
        ("int", "-3", "form.range", "int: between -2 and 9."),
        ("int", "1.5", "form.range", "int: between -2 and 9."),
        ("int", "99999999999999999999", "form.range", "int: between -2 and 9."),
        ("bool", "maybe", "form.not-a-choice", "bool: choose one of: yes, no."),
        ("choice", "week", "form.not-a-choice", "choice: choose one of: year, month."),
        ("set", "a\nd", "form.not-a-choice", "set: choose one of: c, a, b."),
        ("set", "a", "form.range", "set: between 2 and 3."),
        ("money", "12.5", "form.money", "money: this is not a sum of money in EUR."),
        ("money", "-1.00", "form.money", "money: this is not a sum of money in EUR."),
        ("money", "USD 1.00", "form.money", "money: this is not a sum of money in EUR."),
        ("any_money", "1.00", "form.money", "any_money: this is not a sum of money in any currency."),
        ("date", "2023-02-29", "form.date", "date: this is not a day of the form 2026-03-01."),
        (
            "at",
            "2024-02-29T12:00:01+01:00",
            "form.date",
            "at: this is not a time of the form 2026-03-01T10:00:00Z.",
        ),
        ("span", "P0D", "form.date", "span: this is not a span of time of the form P14D."),
        ("lines", &three, "form.range", "lines: between 1 and 2."),
        ("lines", &off, "form.line-sum", "Line 2 does not add up."),
        ("lines", &mixed, "form.line-sum", "Line 2 does not add up."),
        ("lines", "a\tA\t0\tEUR 1.50\t190\tEUR 0.00", "form.text", "lines: this is not an order."),
        ("lines", "a\tA\t10000\tEUR 0.00\t190\tEUR 0.00", "form.text", "lines: this is not an order."),
        ("lines", "a\tA\t1\tEUR 1.50\t1001\tEUR 1.50", "form.text", "lines: this is not an order."),
        ("lines", "a\tA\t03\tEUR 1.50\t190\tEUR 4.50", "form.text", "lines: this is not an order."),
        ("sku", &long, "form.text", "sku: this is not a reference of one line."),
        ("who", "a\nb", "form.text", "who: this is not a reference of one line."),
        ("cred", "p-2", "form.credential", "cred: no valid credential of type pass was shown."),
        ("adult", "p-1", "form.credential", "adult: no valid credential of type age>=18 was shown."),
        (
            "what",
            "application/pdf\n12\nsha256 00\nA",
            "form.text",
            "what: this is not a description of content.",
        ),
        ("file", &jpeg, "form.file-type", "file: only files of these types: image/png."),
        ("file", &large, "form.file-size", "file: at most 1024 bytes."),
        ("name", "a\nb", "form.text", "name: this is not a name."),
        ("home", "Rue 1\n1000\nParis\nFR", "form.address-country", "This shop delivers only to DE, AT."),
        ("home", "1000\nBerlin\nDE", "form.text", "home: this is not an address."),
        ("home", "1\n2\n3\n4\n5\n6\n1000\nBerlin\nDE", "form.text", "home: this is not an address."),
        ("mail", "a@b", "form.text", "mail: this is not an e-mail address (name@domain)."),
        ("tel", "030123456", "form.text", "tel: this is not a telephone number of the form +49 30 123456."),
        ("land", "FR", "form.address-country", "This shop delivers only to DE."),
        ("land", "Germany", "form.text", "land: this is not a country of the form DE."),
        ("vat", "DE12345678", "form.text", "vat: this is not a VAT identification number."),
        ("iban", "DE89370400440532013001", "form.text", "iban: this is not an account number (IBAN)."),
        ("ok", "yes", "form.consent", "ok: only you can agree to this, after having read it."),
    ];
    for (name, typed, code, says) in cases {
        let fault = read(&form, name, typed).map(|value| format!("{name} takes {value:?}")).unwrap_err();
        assert_eq!((fault.code(), fault.to_string().as_str()), (*code, *says), "{name} {typed:?}");
    }
}

#[test]
fn a_value_of_another_type_fits_no_field() {
    let form = form();
    let values: Vec<(&str, Value)> =
        good().iter().map(|(name, typed, _)| (*name, read(&form, name, typed).unwrap())).collect();
    for (from, value) in &values {
        for (to, field) in &form.fields {
            let fits = value.check(to, field, &proofs()).is_ok();
            let text = matches!(value, Value::Text(_) | Value::Money(_));
            assert!(from == to || text || !fits, "{value:?} of {from} fits {to}");
        }
    }
}

#[test]
fn suggestions_are_marked_and_bind_nobody_until_they_were_seen() {
    let (form, proofs) = (form(), proofs());
    let mut draft = Draft::of("buyer");
    let text = |text: &str| toml::Value::String(text.to_owned());
    assert_eq!(draft.suggest(&form, "sku", &text("x-1"), &proofs), Ok(true));
    assert_eq!(draft.unseen().collect::<Vec<_>>(), ["sku"]);
    let faults =
        draft.bind(&form, &FormValues::empty("t"), |_| Salt::from_bytes([1; 32]), &proofs).unwrap_err();
    assert!(faults.contains(&FormFault::Required { label: "sku".to_owned() }));
    draft.seen("sku");
    let faults =
        draft.bind(&form, &FormValues::empty("t"), |_| Salt::from_bytes([1; 32]), &proofs).unwrap_err();
    assert!(!faults.contains(&FormFault::Required { label: "sku".to_owned() }));
    assert_eq!(
        draft.suggest(&form, "sku", &text("x-2"), &proofs),
        Ok(false),
        "what was seen is not replaced"
    );
    draft.enter(&form, "sku", "mine", &proofs).unwrap();
    assert_eq!(draft.suggest(&form, "sku", &text("x-3"), &proofs), Ok(false));
    assert_eq!(draft.entries()["sku"].value, Value::Text("mine".to_owned()));
    assert_eq!(draft.suggest(&form, "name", &text("Eve"), &proofs).unwrap_err().code(), "form.suggestion");
    assert_eq!(draft.suggest(&form, "ok", &text("yes"), &proofs).unwrap_err().code(), "form.consent");
    assert_eq!(draft.suggest(&form, "price", &text("EUR 1.00"), &proofs).unwrap_err().code(), "form.binder");
    assert_eq!(draft.suggest(&form, "nothing", &text("1"), &proofs).unwrap_err().code(), "form.unknown");
}

#[test]
fn a_file_proposes_lines_and_addresses_as_tables() {
    let (form, proofs) = (form(), proofs());
    let table: toml::Table = r#"
lines = [{ sku = "a", text = "A", quantity = 3, price = "EUR 1.50", tax = 190 }]
home = { lines = ["Hauptstr. 1"], postcode = "10115", place = "Berlin", country = "DE" }
sku = 17
bad = [{ sku = "a", text = "A", quantity = 3, price = "EUR 1.50", tax = 190, amount = "EUR 9.00" }]
"#
    .parse()
    .unwrap();
    let mut draft = Draft::of("buyer");
    assert_eq!(draft.suggest(&form, "lines", &table["lines"], &proofs), Ok(true));
    assert_eq!(draft.suggest(&form, "home", &table["home"], &proofs), Ok(true));
    assert_eq!(draft.suggest(&form, "sku", &table["sku"], &proofs).unwrap_err().code(), "form.text");
    assert_eq!(draft.suggest(&form, "lines", &table["bad"], &proofs).unwrap_err().code(), "form.text");
    let price = Money::new(150, Currency::EUR).unwrap();
    let line = Line::new(("a".to_owned(), "A".to_owned()), 3, (price, 190)).unwrap();
    assert_eq!(draft.entries()["lines"].value, Value::Lines(vec![line]));
    assert_eq!(draft.entries()["home"].value.to_string(), "Hauptstr. 1\n10115\nBerlin\nDE");
}

#[test]
fn only_the_text_that_was_shown_can_be_ticked() {
    let (form, proofs) = (form(), proofs());
    let mut draft = Draft::of("buyer");
    assert_eq!(draft.tick(&form, "ok", Digest::of(b"other"), &proofs).unwrap_err().code(), "form.consent");
    assert_eq!(
        draft.tick(&form, "bool", Digest::of(b"I agree"), &proofs).unwrap_err().code(),
        "form.consent"
    );
    assert!(draft.entries().is_empty());
    draft.tick(&form, "ok", Digest::of(b"Einverstanden"), &proofs).unwrap();
    assert_eq!(draft.entries()["ok"].value, Value::Consent(Digest::of(b"Einverstanden")));
}

/// All fields of the buyer filled in.
fn filled() -> (Form, FormValues) {
    let (form, proofs) = (form(), proofs());
    let mut draft = Draft::of("buyer");
    for (name, typed, _) in good() {
        draft.enter(&form, name, &typed, &proofs).unwrap();
    }
    draft.tick(&form, "ok", Digest::of(b"I agree"), &proofs).unwrap();
    let salt = |name: &str| Salt::from_bytes(*Digest::of(name.as_bytes()).as_bytes());
    let bound = draft.bind(&form, &FormValues::empty("t"), salt, &proofs).unwrap();
    (form, bound)
}

#[test]
fn each_fills_in_what_is_theirs_and_only_once() {
    let (form, mut values) = filled();
    let (salt, proofs) = (Salt::from_bytes([7; 32]), proofs());
    let price = |text| Value::Money(Money::parse(text).unwrap());
    let required = |label: &str| vec![FormFault::Required { label: label.to_owned() }];
    assert_eq!(values.missing(&form, Some("buyer")), []);
    assert_eq!(values.missing(&form, None), required("Price"));
    assert_eq!(values.missing(&form, Some("seller"))[0].to_string(), "Please fill in: Price.");
    let buyer = values.bind((&form, "buyer"), "price", (salt, price("EUR 1.00")), &proofs).unwrap_err();
    assert_eq!(
        (buyer.code(), buyer.to_string().as_str()),
        ("form.binder", "Price: this is not filled in by buyer.")
    );
    let seller = values.bind((&form, "seller"), "sku", (salt, Value::Text("x".to_owned())), &proofs);
    assert_eq!(seller.unwrap_err().code(), "form.binder");
    values.bind((&form, "seller"), "price", (salt, price("EUR 1.00")), &proofs).unwrap();
    values.bind((&form, "seller"), "price", (salt, price("EUR 1.00")), &proofs).unwrap();
    let other = values.bind((&form, "seller"), "price", (salt, price("EUR 2.00")), &proofs);
    assert_eq!(other.unwrap_err().code(), "form.bound");
    let mut again = values.renewed(&form, "seller");
    assert_eq!((again.version(), again.get("price"), again.get("sku")), (2, None, values.get("sku")));
    again.bind((&form, "seller"), "price", (salt, price("EUR 2.00")), &proofs).unwrap();
    assert_ne!(again.root(), values.root());
}

#[test]
fn what_the_other_side_sends_continues_the_form_with_its_own_fields_only() {
    let (form, values) = filled();
    let (salt, proofs) = (Salt::from_bytes([7; 32]), proofs());
    let price = Value::Money(Money::parse("EUR 1.00").unwrap());
    let mut priced = values.clone();
    priced.bind((&form, "seller"), "price", (salt, price), &proofs).unwrap();
    let mut ours = values.clone();
    ours.adopt((&form, "seller"), &priced, &proofs).unwrap();
    assert_eq!(ours, priced);
    let code = |ours: &FormValues, party: &str, theirs: &FormValues| {
        let mut after = ours.clone();
        let fault = after.adopt((&form, party), theirs, &proofs).unwrap_err();
        assert_eq!(&after, ours);
        fault.code()
    };
    assert_eq!(code(&values, "buyer", &priced), "form.binder");
    assert_eq!(code(&priced, "seller", &values), "form.file", "the price is gone");
    assert_eq!(code(&values, "seller", &values.renewed(&form, "seller")), "form.file", "another version");
    let text = values.file().replace(" book 17", " book 18");
    let changed = FormValues::read(("t", 1), &form, text.as_bytes(), &proofs).unwrap();
    assert_eq!(code(&values, "buyer", &changed), "form.bound");
    assert_eq!(code(&values, "seller", &changed), "form.binder");
}

#[test]
fn rules_are_held_against_a_form_once_they_can_be() {
    let chart = chart();
    let expressions = Expressions::compile(&chart).unwrap();
    let (form, mut values) = filled();
    let broken = |values: &FormValues| values.broken(&form, &expressions, &mut Values::default());
    assert_eq!(broken(&values), [], "the price is not there yet");
    let price = Value::Money(Money::parse("EUR 9.01").unwrap());
    let salt = Salt::from_bytes([7; 32]);
    values.bind((&form, "seller"), "price", (salt, price), &proofs()).unwrap();
    let faults = broken(&values);
    assert_eq!(faults[0].code(), "form.check");
    assert_eq!(faults.iter().map(ToString::to_string).collect::<Vec<_>>(), ["At most nine euro."]);
    let dollars = Value::Money(Money::parse("USD 1.00").unwrap());
    let mut foreign = values.renewed(&form, "seller");
    foreign.bind((&form, "seller"), "price", (salt, dollars), &proofs()).unwrap();
    assert_eq!(broken(&foreign).len(), 1, "a rule without a value does not hold");
    let mut anew = FormValues::empty("t");
    anew.bind((&form, "buyer"), "int", (salt, Value::Int(5)), &proofs()).unwrap();
    assert_eq!(broken(&anew)[0].to_string(), "Everything: the rule “small” does not hold.");
}

#[test]
fn the_patterns_that_cannot_be_checked_are_found_before_anybody_types() {
    let labels: Vec<String> = bad_patterns(&form()).iter().map(ToString::to_string).collect();
    let says = |label: &str| format!("{label}: these terms ask for a form that cannot be checked.");
    assert_eq!(labels, [says("bad"), says("huge")]);
    for (file, _) in shipped::SERVICES {
        for (_, form) in shipped::service(file).unwrap().forms {
            assert_eq!(bad_patterns(&form), [], "{file}");
        }
    }
}

#[test]
fn the_file_and_its_root_are_those_of_the_golden_files() {
    let (form, values) = filled();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/form");
    let home = values.open("home").unwrap();
    let files = [
        ("form.txt", values.file()),
        ("list.txt", home.list.clone()),
        ("root.txt", format!("{}\n", values.root())),
        ("home.txt", home.line),
    ];
    for (name, text) in files {
        let kept = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert_eq!(kept, text, "{name}");
    }
    let again = FormValues::read(("t", 1), &form, values.file().as_bytes(), &proofs());
    assert_eq!(again, Ok(values));
}

#[test]
fn sha256sum_checks_the_list_and_the_root() {
    let (_, values) = filled();
    let folder = tempfile::tempdir().unwrap();
    for line in values.file().lines() {
        let (name, _) = line.split_once(": ").unwrap();
        std::fs::write(folder.path().join(name), format!("{line}\n")).unwrap();
    }
    std::fs::write(folder.path().join("LIST"), values.open("home").unwrap().list).unwrap();
    std::fs::write(folder.path().join("ROOT"), format!("{}  LIST\n", values.root())).unwrap();
    let check = |list| {
        let run =
            Command::new("sha256sum").args(["--check", "--strict", list]).current_dir(folder.path()).output();
        run.unwrap().status.success()
    };
    assert!(check("LIST") && check("ROOT"));
    std::fs::write(folder.path().join("home"), "changed").unwrap();
    assert!(!check("LIST"));
}

/// Any text that forms can carry.
fn any_text() -> impl Strategy<Value = String> {
    proptest::collection::vec(prop_oneof![Just('\\'), Just('\n'), Just('n'), Just('t'), any::<char>()], 2..6)
        .prop_map(|letters| letters.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read_again_and_one_byte_changes_the_root(
        text in any_text(), number in -2..10_i64, salt in any::<[u8; 32]>(), at in any::<prop::sample::Index>(), flip in 1..=255_u8,
    ) {
        let (form, proofs) = (form(), proofs());
        let mut values = FormValues::empty("t");
        let Ok(text) = read(&form, "text", &text) else { return Ok(()) };
        values.bind((&form, "buyer"), "text", (Salt::from_bytes(salt), text), &proofs).unwrap();
        let number = Value::Int(number);
        values.bind((&form, "buyer"), "int", (Salt::from_bytes([3; 32]), number), &proofs).unwrap();
        let file = values.file();
        let again = FormValues::read(("t", 1), &form, file.as_bytes(), &proofs).unwrap();
        prop_assert_eq!(&again, &values);
        let mut changed = file.into_bytes();
        let index = at.index(changed.len());
        changed[index] ^= flip;
        if let Ok(other) = FormValues::read(("t", 1), &form, &changed, &proofs) {
            prop_assert_ne!(other.root(), values.root());
        }
    }

    #[test]
    fn a_field_alone_verifies_and_nothing_else_does(at in any::<prop::sample::Index>(), flip in 1..=127_u8) {
        let (_, values) = filled();
        let root = values.root();
        for (name, value) in values.iter() {
            let opening = values.open(name).unwrap();
            prop_assert_eq!(opening.verify(root), Ok((name.to_owned(), value.to_string())));
            prop_assert!(opening.verify(Digest::of(b"other")).is_err());
            for (other, _) in values.iter().filter(|(other, _)| *other != name) {
                let moved = opening.line.replacen(name, other, 1);
                let opening = Opening { line: moved, list: opening.list.clone() };
                prop_assert!(opening.verify(root).is_err());
            }
            let mut line = opening.line.clone().into_bytes();
            let index = at.index(line.len());
            line[index] ^= flip;
            if let Ok(line) = String::from_utf8(line) {
                let opening = Opening { line, list: opening.list.clone() };
                prop_assert!(opening.verify(root).is_err());
            }
        }
        prop_assert_eq!(values.open("nothing"), None);
    }

    #[test]
    fn no_bytes_end_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200), typed in any::<String>()) {
        let form = form();
        let _ = FormValues::read(("t", 1), &form, &bytes, &proofs());
        for (name, field) in &form.fields {
            if let Ok(value) = Value::read(name, field, &typed, &proofs()) {
                prop_assert_eq!(Value::canonical(name, field, &value.to_string(), &proofs()), Ok(value));
            }
        }
    }
}
