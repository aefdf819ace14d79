//! Every situation in which a service that is known is offered again.
#![cfg(test)]

mod common;

use common::{
    AT,
    world::{Somebody, World, changed, packed},
};
use semper_commerce::download::{
    Package, Pin, ServiceFault, ServiceTerms,
    pin::{Held, Offer, Response, Unreachable, respond, unreachable},
    terms_statement,
    update::Update,
};
use semper_supporting::{
    access::Grade,
    crypto::{digest::Digest, signature::Kid},
    evidence::Verified,
    fault::Fault as _,
    time::Span,
};

const NEXT: (&str, &str) = ("version = \"1.0.0\"", "version = \"1.1.0\"");

/// A package that a shop has offered.
struct Offered {
    package: Package,
    terms: Verified<ServiceTerms>,
}

fn offered(shop: &Somebody, package: Package) -> Offered {
    let until = AT.after(Span::days(365));
    let draft = terms_statement::draft(&package, &shop.verified, AT, until, None).unwrap();
    Offered { terms: shop.sign(&draft), package }
}

impl Offered {
    fn offer(&self) -> Offer<'_> {
        Offer { package: &self.package, terms: &self.terms, grade: Grade::Reviewed, formerly: &[] }
    }

    fn pin(&self) -> Pin {
        Pin { accepted: Some(Digest::of(b"prompt")), ..Pin::of(&self.offer(), AT) }
    }
}

fn shop() -> Somebody {
    World::new().merchant(1, "Fogra")
}

/// What is done with `second` where `first` was accepted.
fn after(first: &Offered, second: &Offer<'_>) -> Response {
    let pin = first.pin();
    respond(&[Held { pin: &pin, package: &first.package, withdrawn: false }], second).unwrap()
}

fn update(response: Response) -> Update {
    match response {
        Response::Update(update) => *update,
        other => panic!("no update: {other:?}"),
    }
}

#[test]
fn a_service_is_new_once_and_then_unchanged() {
    let shop = shop();
    let first = offered(&shop, packed().package);
    assert_eq!(respond(&[], &first.offer()), Ok(Response::FirstSeen));
    assert_eq!(after(&first, &first.offer()), Response::Unchanged);
    // The same text offered for longer is the same text.
    let draft = terms_statement::draft(&first.package, &shop.verified, AT, AT.after(Span::days(700)), None);
    let longer = Offered { terms: shop.sign(&draft.unwrap()), package: first.package.clone() };
    assert_eq!(after(&first, &longer.offer()), Response::Unchanged);
}

#[test]
fn what_was_only_looked_at_binds_the_shop_and_not_the_user() {
    let shop = shop();
    let (first, next) = (offered(&shop, packed().package), offered(&shop, changed(&[NEXT]).package));
    let (accepted, seen) = (first.pin(), Pin::of(&next.offer(), AT));
    let looked = Held { pin: &seen, package: &next.package, withdrawn: false };
    let held = [Held { pin: &accepted, package: &first.package, withdrawn: false }, looked];
    assert_eq!(respond(&[looked], &next.offer()), Ok(Response::FirstSeen));
    assert!(matches!(respond(&held, &next.offer()), Ok(Response::Update(_))));
    assert_eq!(respond(&held, &first.offer()), Ok(Response::Unchanged));
    let other = offered(&shop, changed(&[NEXT, ("P14D", "P7D")]).package);
    assert!(matches!(respond(&[looked], &other.offer()), Ok(Response::Equivocation(_))));
}

/// H16: a second text under the same version for some customers.
#[test]
fn h16_a_second_text_under_one_version_blocks_the_service_with_proof() {
    let shop = shop();
    let first = offered(&shop, packed().package);
    let second = offered(&shop, changed(&[("P14D", "P7D")]).package);
    let response = after(&first, &second.offer());
    let fault = response.fault().unwrap();
    assert_eq!(
        (fault.code(), fault.to_string().as_str()),
        (
            "service.equivocation",
            "This shop has signed two different texts under the same version 1.0.0. Both are kept as evidence. \
             The service is blocked."
        )
    );
    let Response::Equivocation(proof) = response else { panic!("not blocked") };
    assert_eq!(proof.verify(&shop.hand.public(), &shop.hand.public()), Ok(fault));
    // Also where a newer version is known already.
    let newer = offered(&shop, changed(&[NEXT]).package);
    let (old, new) = (first.pin(), newer.pin());
    let held = [
        Held { pin: &new, package: &newer.package, withdrawn: false },
        Held { pin: &old, package: &first.package, withdrawn: false },
    ];
    assert!(matches!(respond(&held, &second.offer()), Ok(Response::Equivocation(_))));
}

/// H17: back to an older version with a weak clause.
#[test]
fn h17_an_older_version_is_refused_unless_the_newer_one_was_withdrawn() {
    let shop = shop();
    let (old, new) = (offered(&shop, packed().package), offered(&shop, changed(&[NEXT]).package));
    let response = after(&new, &old.offer());
    let fault = response.fault().unwrap();
    assert_eq!(
        (fault.code(), fault.to_string().as_str()),
        ("service.downgrade", "The shop offers an older version (1.0.0) than the one you accepted (1.1.0).")
    );
    let downgrade =
        |confirmable| Response::Downgrade { old: "1.0.0".to_owned(), new: "1.1.0".to_owned(), confirmable };
    assert_eq!(response, downgrade(false));
    let (first, second) = (old.pin(), new.pin());
    let held = |withdrawn| {
        [
            Held { pin: &first, package: &old.package, withdrawn: false },
            Held { pin: &second, package: &new.package, withdrawn },
        ]
    };
    assert_eq!(respond(&held(false), &old.offer()), Ok(downgrade(false)), "though it was accepted once");
    assert_eq!(respond(&held(true), &old.offer()), Ok(downgrade(true)));
}

#[test]
fn versions_are_compared_as_numbers() {
    let shop = shop();
    let nine = offered(&shop, changed(&[("1.0.0", "1.9.0")]).package);
    let ten = offered(&shop, changed(&[("1.0.0", "1.10.0")]).package);
    assert!(matches!(after(&nine, &ten.offer()), Response::Update(_)));
    assert!(matches!(after(&ten, &nine.offer()), Response::Downgrade { .. }));
}

#[test]
fn a_newer_version_shows_which_texts_and_deadlines_changed() {
    let shop = shop();
    let first = offered(&shop, packed().package);
    let next = offered(
        &shop,
        changed(&[
            NEXT,
            ("\"Money returned\"", "\"Money came back\""),
            ("\"Delivered and paid\"", "\"Done\""),
            ("std/ship@1\", with = { within = \"P14D\"", "std/ship@1\", with = { within = \"P7D\""),
        ])
        .package,
    );
    let update = update(after(&first, &next.offer()));
    assert_eq!(update.to_string(), "2 changed texts, 1 changed deadline: P14D → P7D");
    assert_eq!((update.from.as_str(), update.to.as_str()), ("1.0.0", "1.1.0"));
    assert!(update.keeps_instructions() && update.widened.is_empty() && update.other.is_empty());
    let text = update.texts.iter().find(|one| one.place == "final.refunded.says").unwrap();
    assert_eq!(text.new.as_deref(), Some("Money came back"));
}

#[test]
fn a_wider_need_or_a_lower_grade_ends_standing_instructions() {
    let shop = shop();
    let first = offered(&shop, packed().package);
    let wider = changed(&[
        NEXT,
        ("pay = \"EUR 2000.00\"", "pay = \"EUR 3000.00\""),
        ("reveal = [\"name\", \"address\"]", "reveal = [\"name\", \"address\", \"payment\"]"),
        ("service = {", "service = { prepay = \"You pay first.\","),
    ]);
    let wider = offered(&shop, wider.package);
    let widened = update(after(&first, &wider.offer()));
    let capabilities: Vec<&str> = widened.widened.iter().map(|one| one.capability).collect();
    assert_eq!(capabilities, ["pay", "reveal", "prepay"]);
    assert_eq!(
        (widened.widened[0].old.as_str(), widened.widened[0].new.as_str()),
        ("EUR 2000.00", "EUR 3000.00")
    );
    assert!(!widened.keeps_instructions());
    let narrower = offered(&shop, changed(&[("1.0.0", "1.2.0")]).package);
    assert!(update(after(&wider, &narrower.offer())).widened.is_empty());
    let next = offered(&shop, changed(&[NEXT]).package);
    let lower = update(after(&first, &Offer { grade: Grade::Uncertified, ..next.offer() }));
    assert_eq!(lower.lower_grade, Some((Grade::Reviewed, Grade::Uncertified)));
    assert!(!lower.keeps_instructions());
    let higher = update(after(&first, &Offer { grade: Grade::Approved, ..next.offer() }));
    assert!(higher.lower_grade.is_none() && higher.keeps_instructions());
}

#[test]
fn nothing_in_the_rules_changes_unseen() {
    let shop = shop();
    let first = offered(&shop, packed().package);
    for change in [
        ("complain = { buyer = \"P90D\", seller = \"P90D\" }", "complain = { buyer = \"P90D\" }"),
        ("money('EUR 5.95')", "money('EUR 6.95')"),
        ("countries = [\"DE\", \"AT\"]", "countries = [\"DE\"]"),
        ("pii = \"name\"", "pii = \"contact\""),
        ("declined = \"declined\", lapsed = \"lapsed\"", "declined = \"lapsed\", lapsed = \"lapsed\""),
    ] {
        let next = offered(&shop, changed(&[NEXT, change]).package);
        let update = update(after(&first, &next.offer()));
        assert!(!update.other.is_empty() || !update.deadlines.is_empty(), "{change:?}");
    }
}

#[test]
fn a_deal_that_runs_goes_on_from_the_archive_when_the_package_is_gone() {
    let first = offered(&shop(), packed().package);
    let pin = first.pin();
    let held = Held { pin: &pin, package: &first.package, withdrawn: false };
    assert_eq!(unreachable(Some(&held), true), Unreachable::Archived(first.package.sha256()));
    assert_eq!(unreachable(Some(&held), false), Unreachable::NoDeal);
    assert_eq!(unreachable(None, true), Unreachable::NoDeal);
}

#[test]
fn a_shop_with_a_new_key_is_another_shop_unless_its_roll_over_is_proved() {
    let world = World::new();
    let (before, now) = (world.merchant(1, "Fogra"), world.merchant(9, "Fogra"));
    let first = offered(&before, packed().package);
    let same = offered(&now, packed().package);
    assert_eq!(after(&first, &same.offer()), Response::FirstSeen);
    let formerly: [Kid; 1] = [before.verified.kid()];
    assert_eq!(after(&first, &Offer { formerly: &formerly, ..same.offer() }), Response::Unchanged);
    let other = offered(&now, changed(&[("P14D", "P7D")]).package);
    let blocked = after(&first, &Offer { formerly: &formerly, ..other.offer() });
    let Response::Equivocation(proof) = blocked else { panic!("not blocked") };
    assert!(proof.verify(&before.hand.public(), &now.hand.public()).is_ok());
    assert!(proof.verify(&now.hand.public(), &now.hand.public()).is_err());
}

#[test]
fn a_statement_about_another_package_is_no_offer() {
    let shop = shop();
    let (first, second) = (offered(&shop, packed().package), offered(&shop, changed(&[NEXT]).package));
    let crossed = Offer { package: &second.package, ..first.offer() };
    assert!(matches!(respond(&[], &crossed), Err(ServiceFault::OtherTerms { .. })));
}
