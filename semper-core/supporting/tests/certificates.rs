//! Which certificates are believed, for which role and use, and with which words the others are refused.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on stops")]

mod pki;

use pki::{CA_KEY, LEAF_KEY, World, key, merchant, now, patch, seal, serial, start, tbs, tlv};
use rcgen::{CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, IsCa, SanType};
use semper_supporting::{
    certificate::{
        CertRole, Certificate, CertificateFault, Class, Issuance, Issuer, ListAge, Subject, TrustSnapshot,
        Usage, inspect, issue,
        status::{LIST_VALIDITY, RevocationReason, RevokedEntry},
        words,
    },
    crypto::digest::Digest,
    fault::Fault,
    time::Span,
};

const LEAVES: [Class; 9] = [
    Class::PersonSign,
    Class::PersonAuth,
    Class::Merchant,
    Class::Arbiter,
    Class::Evaluator,
    Class::Bank,
    Class::Directory,
    Class::CaService,
    Class::TimeStamp,
];
const USAGES: [Usage; 3] = [Usage::Sign, Usage::TlsServer, Usage::TlsClient];

fn revoked(n: u8) -> RevokedEntry {
    RevokedEntry { serial: serial(n), at: now(), reason: RevocationReason::KeyCompromise }
}

fn code(
    result: Result<semper_supporting::certificate::VerifiedCertificate, CertificateFault>,
) -> &'static str {
    result.map_or_else(|fault| fault.code(), |_| "ok")
}

#[test]
fn every_class_is_believed_for_its_own_role_and_uses_and_no_other() {
    let world = World::new();
    let trust = world.trust();
    for class in LEAVES {
        let leaf = world.issue(class);
        let rules = class.rules();
        for usage in USAGES {
            for role in CertRole::ALL {
                let found = trust.verify(std::slice::from_ref(&leaf), role, usage, now());
                let expected = match (rules.allow(usage), rules.role == Some(role)) {
                    (true, true) => "ok",
                    (true, false) => "cert.wrong-role",
                    (false, _) => "cert.wrong-usage",
                };
                assert_eq!(code(found), expected, "{class:?} {usage:?} {role}");
            }
        }
    }
}

#[test]
fn a_verified_certificate_tells_what_was_certified() {
    let world = World::new();
    let mut order = World::order(Class::Bank);
    order.subject.account = Some(Digest::of(b"account"));
    order.subject.also = [CertRole::PayBank, CertRole::PayMint].into();
    let leaf = world.ca.issue(&order).unwrap();
    let trust = world.trust();
    let found = trust.verify(std::slice::from_ref(&leaf), CertRole::PayMint, Usage::Sign, now()).unwrap();
    assert_eq!((found.class(), found.subject(), found.key()), (Class::Bank, &order.subject, &order.key));
    assert_eq!((found.digest(), found.kid()), (Digest::of(leaf.der()), order.key.kid()));
    assert_eq!(found.content().policy.as_deref(), Some("test/1"));
    assert_eq!((found.content().serial, found.list()), (order.serial, Some(ListAge::Current)));
    assert!(found.serves("Shop.Example") && !found.serves("example"));
}

#[test]
fn the_same_order_gives_the_same_bytes() {
    let world = World::new();
    assert_eq!(world.issue(Class::Merchant), World::new().issue(Class::Merchant));
}

#[test]
fn a_peer_may_send_the_authority_along_instead() {
    let world = World::new();
    let mut trust = world.trust();
    trust.intermediates.clear();
    let leaf = world.issue(Class::Merchant);
    let alone = trust.verify_any(std::slice::from_ref(&leaf), Usage::TlsServer, now());
    assert_eq!(code(alone), "cert.untrusted");
    let ca = world.ca.certificate().clone();
    assert_eq!(code(trust.verify_any(&[leaf.clone(), ca.clone()], Usage::TlsServer, now())), "ok");
    let root = world.root.certificate().clone();
    assert_eq!(
        code(trust.verify_any(&[leaf.clone(), ca.clone(), root.clone()], Usage::TlsServer, now())),
        "ok"
    );
    let four = [leaf, ca, root.clone(), root];
    assert_eq!(code(trust.verify_any(&four, Usage::TlsServer, now())), "cert.profile");
}

#[test]
fn a_certificate_is_valid_from_its_first_to_its_last_second() {
    let world = World::new();
    let order = World::order(Class::Merchant);
    let (from, until) = (order.from, order.from.after(Span::days(365)));
    let leaf = [world.ca.issue(&order).unwrap()];
    let check = |at| {
        let trust = world.trust_at(at, &[], &[]);
        trust.verify(&leaf, CertRole::Merchant, Usage::TlsServer, at)
    };
    assert_eq!((code(check(from)), code(check(until))), ("ok", "ok"));
    let late = until.after(Span::seconds(1));
    assert_eq!(check(late), Err(CertificateFault::NotValid { from, until, now: late }));
    assert_eq!(code(check(from.before(Span::seconds(1)))), "cert.not-valid");
    assert_eq!(
        check(late).unwrap_err().to_string(),
        "Valid from 2026-02-28T10:00:00Z to 2027-02-28T10:00:00Z; now is 2027-02-28T10:00:01Z."
    );
}

#[test]
fn nothing_is_valid_longer_than_its_authorities() {
    let world = World::new();
    let end = start().after(Span::days(1825));
    let order = Issuance { from: end.before(Span::days(10)), ..World::order(Class::Merchant) };
    let leaf = world.ca.issue(&order).unwrap();
    assert_eq!(inspect(&leaf).unwrap().until, end);
    let late = end.after(Span::days(1));
    let trust = world.trust_at(late, &[], &[]);
    assert_eq!(code(trust.verify(&[leaf], CertRole::Merchant, Usage::Sign, late)), "cert.not-valid");
}

#[test]
fn what_is_revoked_is_refused_and_so_is_everything_below_a_revoked_authority() {
    let world = World::new();
    let leaf = [world.issue(Class::PersonAuth)];
    let verify = |trust: TrustSnapshot| code(trust.verify(&leaf, CertRole::Buyer, Usage::TlsClient, now()));
    let listed = now().before(Span::hours(1));
    assert_eq!(verify(world.trust_at(listed, &[revoked(3)], &[])), "cert.revoked");
    assert_eq!(verify(world.trust_at(listed, &[revoked(4)], &[])), "ok");
    assert_eq!(verify(world.trust_at(listed, &[], &[revoked(2)])), "cert.revoked");
}

#[test]
fn without_the_lists_of_the_whole_path_nothing_is_believed() {
    let world = World::new();
    let leaf = [world.issue(Class::Merchant)];
    for kept in 0..2 {
        let mut trust = world.trust();
        trust.crls.truncate(kept);
        assert_eq!(
            code(trust.verify(&leaf, CertRole::Merchant, Usage::Sign, now())),
            "crl.missing",
            "{kept}"
        );
        let first = trust.verify_first_contact(&leaf, CertRole::Merchant, Usage::Sign, now());
        assert_eq!(first.map(|found| found.list()), Ok(None));
    }
}

#[test]
fn an_overdue_list_serves_for_a_week_and_says_how_old_it_is() {
    let world = World::new();
    let leaf = [world.issue(Class::Merchant)];
    let trust = world.trust_at(now(), &[], &[]);
    let age = |at| trust.verify(&leaf, CertRole::Merchant, Usage::Sign, at).map(|found| found.list());
    assert_eq!(age(now().after(LIST_VALIDITY)), Ok(Some(ListAge::Current)));
    assert_eq!(age(now().after(Span::hours(25))), Ok(Some(ListAge::Overdue { days: 1 })));
    assert_eq!(age(now().after(Span::days(7))), Ok(Some(ListAge::Overdue { days: 7 })));
    let late = now().after(Span::days(7)).after(Span::seconds(1));
    assert_eq!(age(late), Err(CertificateFault::ListStale { days: 7 }));
}

#[test]
fn a_list_never_goes_back_and_comes_only_from_a_known_authority() {
    let world = World::new();
    let mut trust = world.trust();
    let list = |number, entries: &[RevokedEntry]| {
        world.ca.issue_list(number, now(), LIST_VALIDITY, entries).unwrap()
    };
    let rollback = |offered| Err(CertificateFault::ListRollback { held: 8, offered });
    assert_eq!(trust.accept_list(list(8, &[revoked(3)]), now()), Ok(()));
    assert_eq!(trust.accept_list(list(8, &[revoked(3)]), now()), Ok(()));
    assert_eq!(trust.accept_list(list(8, &[]), now()), rollback(8));
    assert_eq!(trust.accept_list(list(7, &[]), now()), rollback(7));
    let leaf = [world.issue(Class::Merchant)];
    assert_eq!(code(trust.verify(&leaf, CertRole::Merchant, Usage::Sign, now())), "cert.revoked");

    let stranger = Issuer::root(key(9), pki::authority("Test authority"), serial(9), start()).unwrap();
    let forged = stranger.issue_list(99, now(), LIST_VALIDITY, &[]).unwrap();
    assert_eq!(trust.accept_list(forged, now()).map_err(|fault| fault.code()), Err("crl.bad"));
}

#[test]
fn an_authority_is_taken_only_below_a_root() {
    let world = World::new();
    let mut trust =
        TrustSnapshot { roots: vec![world.root.certificate().clone()], ..TrustSnapshot::default() };
    assert_eq!(trust.accept_authority(world.ca.certificate().clone(), now()), Ok(()));
    let other = Issuer::root(key(9), pki::authority("Test root"), serial(9), start()).unwrap();
    let order =
        Issuance { class: Class::IssuingCa, subject: pki::authority("X"), ..World::order(Class::IssuingCa) };
    let below = other.issue(&order).unwrap();
    assert_eq!(trust.accept_authority(below, now()).map_err(|fault| fault.code()), Err("cert.untrusted"));
    let shop = world.issue(Class::Merchant);
    assert_eq!(trust.accept_authority(shop, now()).map_err(|fault| fault.code()), Err("cert.profile"));
}

#[test]
fn a_root_of_the_same_name_with_another_key_helps_nobody() {
    let world = World::new();
    let other = Issuer::root(key(9), pki::authority("Test root"), serial(1), start()).unwrap();
    let mut trust = world.trust();
    trust.roots = vec![other.certificate().clone()];
    let leaf = [world.issue(Class::Merchant)];
    assert_eq!(code(trust.verify(&leaf, CertRole::Merchant, Usage::Sign, now())), "cert.untrusted");
}

#[test]
fn authorities_issue_only_what_is_theirs() {
    let world = World::new();
    assert!(world.root.issue(&World::order(Class::Merchant)).is_err());
    for class in [Class::Root, Class::IssuingCa, Class::Anonymous] {
        let subject = pki::subject(class);
        assert!(world.ca.issue(&Issuance { class, subject, ..World::order(class) }).is_err(), "{class:?}");
    }
    let shop = world.issue(Class::Merchant);
    assert!(Issuer::open(key(LEAF_KEY), shop).is_err());
    assert_eq!(
        Issuer::open(key(9), world.ca.certificate().clone()).map(|_| ()),
        Err(CertificateFault::BadKey)
    );
}

#[test]
fn an_anonymous_party_vouches_for_itself_and_for_connections_only() {
    let world = World::new();
    let made = issue::anonymous(&key(5), serial(5), now()).unwrap();
    let trust = world.trust();
    let found = trust.verify_any(std::slice::from_ref(&made), Usage::TlsClient, now()).unwrap();
    assert_eq!((found.class(), found.key()), (Class::Anonymous, &key(5).public()));
    assert_eq!(found.content().from.to_string(), "2026-03-01T00:00:00Z");
    assert_eq!(found.subject(), &Subject::anonymous());
    let one = std::slice::from_ref(&made);
    assert_eq!(code(trust.verify_any(one, Usage::Sign, now())), "cert.wrong-usage");
    assert_eq!(code(trust.verify(one, CertRole::Buyer, Usage::TlsClient, now())), "cert.wrong-role");
    let late = now().after(Span::days(32));
    assert_eq!(code(trust.verify_any(one, Usage::TlsClient, late)), "cert.not-valid");
    // Signed by somebody else, it is neither self-made nor issued.
    let foreign = Certificate::from_der(&seal(tbs(made.der()), 6)).unwrap();
    assert_eq!(code(trust.verify_any(&[foreign], Usage::TlsClient, now())), "cert.profile");
}

#[test]
fn a_root_that_ended_stops_its_chains_unless_its_key_has_a_newer_certificate() {
    let long_ago = start().before(Span::days(7300));
    let old = Issuer::root(key(pki::ROOT_KEY), pki::authority("Test root"), serial(8), long_ago).unwrap();
    let world = World::new();
    let leaf = [world.issue(Class::Merchant)];
    let mut trust = world.trust();
    trust.roots.insert(0, old.certificate().clone());
    trust.roots.insert(0, Certificate::from_der(&[0x30, 0]).unwrap());
    assert_eq!(code(trust.verify(&leaf, CertRole::Merchant, Usage::Sign, now())), "ok");
    trust.roots.pop();
    assert_eq!(code(trust.verify(&leaf, CertRole::Merchant, Usage::Sign, now())), "cert.not-valid");
}

#[test]
fn the_words_of_a_root_are_those_of_its_digest() {
    let world = World::new();
    let digest = world.root.certificate().digest();
    assert!(words::is_fingerprint(&words::fingerprint(&digest).join(" "), &digest));
}

/// What the profile says about a certificate made of these parameters, which the authority did sign.
fn verdict(params: &CertificateParams) -> String {
    let world = World::new();
    let leaf = world.certify_anything(params, LEAF_KEY);
    match world.trust().verify(&[leaf], CertRole::Merchant, Usage::TlsServer, now()) {
        Ok(_) => "ok".to_owned(),
        Err(fault) => fault.to_string(),
    }
}

fn spoilt(change: impl FnOnce(&mut CertificateParams)) -> String {
    let mut params = merchant();
    change(&mut params);
    verdict(&params)
}

fn rule(what: &str) -> String {
    format!("This certificate does not follow the rules ({what}).")
}

#[test]
fn what_the_profile_does_not_allow_is_named() {
    assert_eq!(verdict(&merchant()), "ok");
    let other = || CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99999, 1], vec![5, 0]);
    assert_eq!(
        spoilt(|params| {
            let mut extension = other();
            extension.set_criticality(true);
            params.custom_extensions.push(extension);
        }),
        rule("unknown critical extension")
    );
    assert_eq!(spoilt(|params| params.custom_extensions.push(other())), "ok");
    assert_eq!(
        spoilt(|params| params.subject_alt_names[0] = SanType::DnsName("*.example".try_into().unwrap())),
        rule("wildcard")
    );
    assert_eq!(
        spoilt(|params| params.subject_alt_names.push(SanType::IpAddress([127, 0, 0, 1].into()))),
        rule("an alternative name that is not of its class")
    );
    assert_eq!(
        spoilt(|params| params.subject_alt_names[1] = SanType::URI("semper-id:A".try_into().unwrap())),
        rule("subject name of another key")
    );
    assert_eq!(
        spoilt(|params| params.extended_key_usages.push(ExtendedKeyUsagePurpose::Any)),
        rule("an extended key usage that is not of its class")
    );
    assert_eq!(
        spoilt(|params| {
            params.extended_key_usages.push(ExtendedKeyUsagePurpose::Other(CertRole::Bank.oid()));
        }),
        rule("a role that is not of its class")
    );
    assert_eq!(
        spoilt(|params| {
            params.extended_key_usages.pop();
        }),
        rule("without the role of its class")
    );
    assert_eq!(
        spoilt(|params| params.key_usages.push(rcgen::KeyUsagePurpose::KeyCertSign)),
        rule("key usage")
    );
    assert_eq!(
        spoilt(|params| params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained)),
        rule("basic constraints")
    );
    assert_eq!(spoilt(|params| params.is_ca = IsCa::NoCa), rule("basic constraints"));
    assert_eq!(
        spoilt(|params| params.not_after += time::Duration::days(300)),
        rule("validity longer than its class allows")
    );
    assert_eq!(spoilt(|params| params.custom_extensions.clear()), rule("no class"));
    assert_eq!(
        spoilt(|params| params.custom_extensions.push(params.custom_extensions[0].clone())),
        rule("an extension twice")
    );
    assert_eq!(
        spoilt(|params| params.distinguished_name.push(rcgen::DnType::OrganizationalUnitName, "x")),
        rule("an unknown part of the name")
    );
    assert_eq!(
        spoilt(|params| params.serial_number = Some(vec![0x41; 17].into())),
        rule("serial number of a wrong length")
    );
}

#[test]
fn a_certificate_longer_than_4_kib_is_not_even_read() {
    assert_eq!(
        Certificate::from_der(&[0x30; 4097]).map_err(|fault| fault.to_string()),
        Err(rule("longer than 4 KiB"))
    );
}

#[test]
fn a_negative_serial_number_and_sha_1_are_refused_although_the_authority_signed() {
    let world = World::new();
    let good = world.certify_anything(&merchant(), LEAF_KEY);
    let negative = patch(tbs(good.der()), &[0x02, 0x10, 0x41, 0x41], &[0x02, 0x10, 0xc1, 0x41]);
    let negative = Certificate::from_der(&seal(&negative, CA_KEY)).unwrap();
    assert_eq!(inspect(&negative).map_err(|fault| fault.to_string()), Err(rule("negative serial number")));

    let sha1_with_rsa = tlv(0x30, &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5, 5, 0]);
    let der = tlv(0x30, &[tbs(good.der()), &sha1_with_rsa, &tlv(0x03, &[0; 65])].concat());
    let weak = Certificate::from_der(&der).unwrap();
    assert_eq!(inspect(&weak).map_err(|fault| fault.to_string()), Err(rule("signed with SHA-1")));
}

#[test]
fn a_shop_cannot_act_as_an_authority() {
    let world = World::new();
    let shop = world.certify_anything(&merchant(), LEAF_KEY);
    let issuer = rcgen::Issuer::from_ca_cert_der(&shop.der().into(), pki::RawKey::new(LEAF_KEY)).unwrap();
    let below = merchant().signed_by(&pki::RawKey::new(LEAF_KEY), &issuer).unwrap();
    let below = Certificate::from_der(below.der()).unwrap();
    let found = world.trust().verify_any(&[below, shop], Usage::TlsServer, now());
    assert_eq!(code(found), "cert.untrusted");
}

#[test]
fn a_snapshot_is_stored_and_read_again() {
    let trust = World::new().trust();
    let bytes = semper_supporting::wire::encode(&trust, 1 << 20).unwrap();
    assert_eq!(semper_supporting::wire::decode(&bytes, 1 << 20), Ok(trust));
}
