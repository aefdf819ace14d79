//! Our verdict on two hundred spoilt certificates beside that of stock `openssl verify`.
//!
//! Whatever we accept, `openssl` accepts. What it accepts and we refuse, we refuse by a rule of the profile and
//! say which: never because the two read signatures, paths, times or lists differently.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on stops")]
#![allow(clippy::disallowed_methods, reason = "openssl reads files")]

mod pki;

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use pki::{CA_KEY, LEAF_KEY, ROOT_KEY, RawKey, World, key, merchant, now, patch, seal, serial, tbs};
use rcgen::{BasicConstraints, CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, IsCa, SanType};
use semper_supporting::{
    certificate::{
        CertRole, Certificate, Class, Issuer, TrustSnapshot, Usage, inspect, issue, request,
        status::{RevocationReason, RevokedEntry},
        to_pem,
    },
    fault::Fault,
    time::Moment,
};

struct Case {
    name: String,
    leaf: Vec<u8>,
    at: Moment,
}

fn case(name: impl Into<String>, leaf: Vec<u8>) -> Case {
    Case { name: name.into(), leaf, at: now() }
}

/// Single bits flipped all over a certificate, as it came.
fn damaged(good: &[u8]) -> impl Iterator<Item = Case> + '_ {
    (0..80).map(|n| {
        let mut der = good.to_vec();
        let place = n * der.len() / 80;
        der[place] ^= 1 << (n % 8);
        case(format!("damaged-{n}"), der)
    })
}

/// Single bits flipped in the signed part, and signed again by the authority.
fn resigned(good: &[u8]) -> impl Iterator<Item = Case> + '_ {
    (0..80).map(|n| {
        let mut inner = tbs(good).to_vec();
        let place = n * inner.len() / 80;
        inner[place] ^= 1 << ((n + 3) % 8);
        case(format!("resigned-{n}"), seal(&inner, CA_KEY))
    })
}

/// What authorities and forgers might do, one thing at a time.
fn designed(world: &World) -> Vec<Case> {
    let mut cases = Vec::new();
    for class in Class::ALL.into_iter().filter(|class| class.rules().role.is_some()) {
        let leaf = world.issue(class);
        let content = inspect(&leaf).unwrap();
        let der = leaf.der().to_vec();
        cases.push(case(format!("{class:?}-good"), der.clone()));
        let second = semper_supporting::time::Span::seconds(1);
        for (name, at) in [("early", content.from.before(second)), ("late", content.until.after(second))] {
            cases.push(Case { name: format!("{class:?}-{name}"), leaf: der.clone(), at });
        }
    }
    let mut spoil = |name: &str, change: &dyn Fn(&mut CertificateParams)| {
        let mut params = merchant();
        change(&mut params);
        cases.push(case(name, world.certify_anything(&params, LEAF_KEY).der().to_vec()));
    };
    spoil("revoked", &|params| params.serial_number = Some(vec![0x55; 16].into()));
    spoil("wildcard", &|params| {
        params.subject_alt_names[0] = SanType::DnsName("*.example".try_into().unwrap());
    });
    spoil("unknown-critical", &|params| {
        let mut extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99999, 1], vec![5, 0]);
        extension.set_criticality(true);
        params.custom_extensions.push(extension);
    });
    spoil("authority", &|params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)));
    spoil("any-purpose", &|params| params.extended_key_usages.push(ExtendedKeyUsagePurpose::Any));
    spoil("reversed-validity", &|params| {
        (params.not_before, params.not_after) = (params.not_after, params.not_before);
    });
    let good = world.certify_anything(&merchant(), LEAF_KEY);
    let negative = patch(tbs(good.der()), &[0x02, 0x10, 0x41, 0x41], &[0x02, 0x10, 0xc1, 0x41]);
    cases.push(case("negative-serial", seal(&negative, CA_KEY)));
    cases.push(case("signed-by-the-root-key", seal(tbs(good.der()), ROOT_KEY)));
    cases.push(case("signed-by-a-stranger", seal(tbs(good.der()), 77)));
    cases.push(case("signed-by-itself", seal(tbs(good.der()), LEAF_KEY)));
    let shop = rcgen::Issuer::from_ca_cert_der(&good.der().into(), RawKey::new(LEAF_KEY)).unwrap();
    cases.push(case("below-a-shop", merchant().signed_by(&RawKey::new(9), &shop).unwrap().der().to_vec()));
    let anonymous = issue::anonymous(&key(5), serial(5), now()).unwrap();
    cases.push(case("anonymous", anonymous.der().to_vec()));
    let same_name = Issuer::root(key(66), pki::authority("Test authority"), serial(6), pki::start()).unwrap();
    cases.push(case("root-of-the-same-name", same_name.certificate().der().to_vec()));
    cases
}

/// The verdict of `openssl verify`: the names of those it accepts.
fn openssl(folder: &Path, world: &World, trust: &TrustSnapshot, cases: &[Case]) -> BTreeSet<String> {
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let root = write("root.pem", world.root.certificate().to_pem());
    let ca = write("ca.pem", world.ca.certificate().to_pem());
    let lists: String = trust.crls.iter().map(semper_supporting::certificate::Crl::to_pem).collect();
    let lists = write("lists.pem", lists);
    let moments: BTreeSet<_> = cases.iter().map(|case| case.at).collect();
    let mut accepted = BTreeSet::new();
    for at in moments {
        let files: Vec<_> = cases
            .iter()
            .filter(|case| case.at == at)
            .map(|case| write(&case.name, to_pem("CERTIFICATE", &case.leaf)))
            .collect();
        let output = Command::new("openssl")
            .args(["verify", "-x509_strict", "-crl_check_all", "-check_ss_sig", "-attime"])
            .arg(at.seconds().to_string())
            .arg("-CAfile")
            .arg(&root)
            .arg("-untrusted")
            .arg(&ca)
            .arg("-CRLfile")
            .arg(&lists)
            .args(&files)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        accepted.extend(
            text.lines()
                .filter_map(|line| line.strip_suffix(": OK"))
                .filter_map(|path| Path::new(path).file_name()?.to_str().map(str::to_owned)),
        );
    }
    accepted
}

/// Our verdict for any role and any use, with lists that are fresh at every moment asked for.
fn ours(world: &World, case: &Case, revoked: &[RevokedEntry]) -> Result<(), (&'static str, String)> {
    let trust = world.trust_at(case.at, revoked, &[]);
    let say = |fault: semper_supporting::certificate::CertificateFault| (fault.code(), fault.to_string());
    let leaf = Certificate::from_der(&case.leaf).map_err(say)?;
    let mut last = Ok(());
    for usage in [Usage::Sign, Usage::TlsClient, Usage::TlsServer] {
        match trust.verify_any(std::slice::from_ref(&leaf), usage, case.at) {
            Ok(found) if found.class() == Class::Anonymous => {
                last = Err(("cert.wrong-role", "anonymous".to_owned()));
            }
            Ok(_) => return Ok(()),
            Err(fault) => last = Err(say(fault)),
        }
    }
    last
}

#[test]
fn we_and_openssl_agree_on_two_hundred_spoilt_certificates() {
    let world = World::new();
    let good = world.certify_anything(&merchant(), LEAF_KEY);
    let mut cases: Vec<_> = damaged(good.der()).chain(resigned(good.der())).collect();
    cases.extend(designed(&world));
    assert!(cases.len() >= 200, "{}", cases.len());

    let revoked = semper_supporting::certificate::Serial::from_random([0x55; 16]);
    let revoked = [RevokedEntry { serial: revoked, at: now(), reason: RevocationReason::KeyCompromise }];
    let folder = tempfile::tempdir().unwrap();
    let mut accepted = BTreeSet::new();
    let moments: BTreeSet<_> = cases.iter().map(|case| case.at).collect();
    for at in moments {
        let now_cases: Vec<_> = cases
            .iter()
            .filter(|case| case.at == at)
            .map(|case| Case { name: case.name.clone(), leaf: case.leaf.clone(), at })
            .collect();
        let trust = world.trust_at(at, &revoked, &[]);
        accepted.extend(openssl(folder.path(), &world, &trust, &now_cases));
    }

    let (mut both, mut neither, mut stricter) = (0, 0, 0);
    for case in &cases {
        match (ours(&world, case, &revoked), accepted.contains(&case.name)) {
            (Ok(()), true) => both += 1,
            (Err(_), false) => neither += 1,
            (Ok(()), false) => panic!("{}: we accept, openssl does not", case.name),
            (Err((code, words)), true) => {
                let by_rule = ["cert.profile", "cert.wrong-role", "cert.wrong-usage"].contains(&code);
                // openssl compares names without regard to case, we byte by byte.
                let other_letters = words.contains("UnknownIssuer") && names_differ_in_case(&world, case);
                assert!(by_rule || other_letters, "{}: openssl accepts, we say {words}", case.name);
                stricter += 1;
            }
        }
    }
    assert!(
        both >= 15 && neither >= 100 && stricter >= 10,
        "both {both}, neither {neither}, we only {stricter}"
    );
}

/// Whether the authority's name stands in the certificate, but not in the same letters.
fn names_differ_in_case(world: &World, case: &Case) -> bool {
    let has = |bytes: &[u8], name: &[u8]| {
        bytes.windows(name.len()).any(|window| window.eq_ignore_ascii_case(name))
            && !bytes.windows(name.len()).any(|window| window == name)
    };
    let subject = inspect(world.ca.certificate()).unwrap().subject;
    let parts = [subject.common_name, subject.organisation.unwrap(), subject.country.unwrap()];
    parts.iter().any(|part| has(&case.leaf, part.as_bytes()))
}

#[test]
fn openssl_reads_what_we_write() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let run = |args: &[&str], file: &Path| {
        let output = Command::new("openssl").args(args).arg("-in").arg(file).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let bank = world.issue(Class::Bank);
    fs::write(path("bank.pem"), bank.to_pem()).unwrap();
    let text = run(&["x509", "-noout", "-text"], &path("bank.pem"));
    assert!(
        text.contains("ED25519")
            && text.contains("DNS:shop.example")
            && text.contains("1.3.6.1.4.1.32473.1.5")
    );
    let fingerprint = run(&["x509", "-noout", "-fingerprint", "-sha256"], &path("bank.pem"));
    let digits: String = fingerprint.split('=').nth(1).unwrap().trim().replace(':', "").to_lowercase();
    assert_eq!(digits, bank.digest().to_string());

    fs::write(path("request.der"), request::make(&key(3)).unwrap()).unwrap();
    run(&["req", "-inform", "DER", "-noout", "-verify"], &path("request.der"));
    let list = world.trust().crls[0].clone();
    fs::write(path("list.pem"), list.to_pem()).unwrap();
    assert!(run(&["crl", "-noout", "-crlnumber"], &path("list.pem")).contains("07"));
    assert!(CertRole::ALL.len() == 17);
}

#[test]
fn requests_that_openssl_writes_are_taken_and_weak_certificates_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let run = |args: &[&str]| {
        let output = Command::new("openssl").args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    fs::write(path("key.der"), &*key(3).pkcs8()).unwrap();
    let (secret, out) = (path("key.der"), path("request.der"));
    let subject = ["-subj", "/C=DE/O=Fogra/CN=Fogra shop", "-outform", "DER", "-out", &out];
    run(&[&["req", "-new", "-key", &secret, "-keyform", "DER"], subject.as_slice()].concat());
    assert_eq!(request::check(&fs::read(&out).unwrap()), Ok(key(3).public()));

    let (rsa, weak) = (path("rsa.pem"), path("weak.pem"));
    run(&[
        "req", "-x509", "-sha1", "-newkey", "rsa:2048", "-nodes", "-keyout", &rsa, "-subj", "/CN=x", "-out",
        &weak,
    ]);
    let weak = Certificate::from_pem(&fs::read_to_string(weak).unwrap()).unwrap();
    let words = inspect(&weak).unwrap_err().to_string();
    assert_eq!(words, "This certificate does not follow the rules (signed with SHA-1).");
}
