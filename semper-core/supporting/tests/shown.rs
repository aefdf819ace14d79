//! What a person reads before the wallet asks for certificates.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod pki;

use pki::{World, key, now};
use semper_supporting::{
    registration::{
        message::CertificateRequest,
        record::{Kind, Names},
    },
    tinguin::{Part, Words, facts::ChoiceKey},
};

fn words() -> Words {
    Words::read(ChoiceKey::new("en").unwrap(), include_str!("../../../assets/locale/en/facts.ftl"))
}

fn asked(world: &World, name: &str, city: Option<&str>) -> CertificateRequest {
    CertificateRequest {
        root: world.root.certificate().digest(),
        kind: Kind::Person,
        names: Names {
            name: name.to_owned(),
            organisation: None,
            city: city.map(str::to_owned),
            country: None,
        },
        keys: vec![key(7).public().kid(), key(8).public().kid()],
        at: now(),
    }
}

#[test]
fn a_request_for_certificates_says_who_gives_them_in_which_name_and_what_that_means() {
    use semper_supporting::tinguin::Confirmable as _;
    let world = World::new();
    let facts = asked(&world, "Ada Weber", Some("Darmstadt")).facts(world.root.certificate()).unwrap();
    let text = words().text(facts.iter()).unwrap();
    for line in [
        "You sign: A request for two certificates of your name",
        "checked here: the words of the root against your letter",
        "You sign as: “Ada Weber” (your entry)",
        "What is told: City “Darmstadt” (your entry)",
        "This binds you to: Whatever is signed with these keys",
        "Fingerprint: “",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[test]
fn another_root_and_names_that_hide_something_are_not_asked_about() {
    let (world, other) = (World::new(), World::of_another_root());
    let refused =
        |asked, world: &World| Part::new(asked, world.root.certificate(), &words()).unwrap_err().code();
    assert_eq!(refused(asked(&world, "Ada Weber", None), &other), "tinguin.mismatch");
    assert_eq!(refused(asked(&world, "Ada ✓ Weber", None), &world), "text.character");
    assert_eq!(refused(asked(&world, "Ada Weber", Some("Darmstadt ♥")), &world), "text.character");
    assert!(Part::new(asked(&world, "Ada Weber", None), world.root.certificate(), &words()).is_ok());
}
