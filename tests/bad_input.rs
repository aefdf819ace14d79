//! What real daemons and programs say to what they should never get, by code and word.

use std::{fs, os::unix::fs::PermissionsExt as _};

use semper_comm_tls::Clock;
use semper_host::{enrol::EnrolError, now};
use semper_supporting::{
    certificate::CertRole,
    comm::{
        envelope::Envelope,
        frame::{Frame, Kind},
        session::Why,
    },
    crypto::{keys::KeyPurpose, signature::Signature},
    evidence::{SignedBytes, statement},
    fault::Fault as _,
    registration::{applicant::Failure as NotRegistered, message::Refusal},
    time::Span,
};
use semper_tests::{
    Failure, Letter, Marketplace, Result,
    money::{money, order},
    person::Unanswered,
    trial,
};
use semper_transfer::payment::{
    Op, Status,
    message::{Inspect, Pay},
    module::BankReply,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// The key of a letter with one character changed.
fn with_a_typo(letter: &Letter) -> Result<Letter> {
    let key = letter.must("Registration key")?.to_owned();
    let mut typed: Vec<char> = key.chars().collect();
    // The first character of the third of four groups.
    if let Some(wrong) = typed.get_mut(10) {
        *wrong = if *wrong == '7' { '8' } else { '7' };
    }
    let typed: String = typed.into_iter().collect();
    Ok(Letter { text: letter.text.replace(&key, &typed), ..letter.clone() })
}

#[test]
fn a_typing_error_in_a_registration_key_is_found_without_a_call() {
    trial(async |market| {
        let before = market.authority.connections();
        let (mut ada, letter) = market.somebody("Ada Weber").await?;
        let wrong = with_a_typo(&letter)?;
        let said = ada.try_enrol(&wrong, &market.authority_at, |_| {}).await.map(drop);
        assert_eq!(said.unwrap_err().to_string(), "One character in group 3 is wrong.");

        // The same at an operator's terminal.
        let path = market.folder("wrong.letter");
        fs::write(&path, &wrong.text)?;
        let root = market.authority.folder().join("root.pem");
        let (path, root, at) =
            (path.display().to_string(), root.display().to_string(), market.authority_at.to_string());
        let words = ["init", "--roles", "bank", "--name", "Other bank", "--organisation", "Other", "--demo"];
        let about = ["--country", "DE", "--host", "localhost", "--authority", &at, "--root", &root];
        let other = semper_tests::Daemon::new("other", semper_tests::programs::TTPD, market.folder("other"));
        let said = other.command(&[words.as_slice(), &about, &["--letter", &path]].concat()).await?;
        assert_eq!(said.code, Some(1));
        assert!(said.err.contains("One character in group 3 is wrong."), "{said:?}");
        assert_eq!(market.authority.connections(), before);
        Ok(())
    });
}

#[test]
fn a_key_that_is_certified_already_is_not_certified_again() {
    trial(async |market| {
        let (mut ada, letter) = market.somebody("Ada Weber").await?;
        ada.register(&letter).await?;
        ada.forget_registration().await?;
        let second = market.letter("Ada Weber", &["--city", "Darmstadt", "--country", "DE"]).await?;
        match ada.try_enrol(&second, &market.authority_at, |_| {}).await? {
            Err(EnrolError::Failure(failure @ NotRegistered::Refused(Refusal::BadKey))) => {
                assert_eq!(failure.code(), "ca.bad-key");
            }
            other => return Err(Failure::new(format!("{other:?}"))),
        }
        // Its own letter still gives what it gave.
        ada.forget_registration().await?;
        ada.enrol(&letter, &market.authority_at, |_| {}).await.map(drop)
    });
}

#[test]
fn a_right_chain_in_the_wrong_role_or_at_the_wrong_time_is_refused_by_the_caller() {
    trial(async |market| {
        let mut ada = market.person("Ada Weber").await?;
        let why = refused(ada.call(&market.authority_at, CertRole::Bank).await?)?;
        assert_eq!(
            (why.code(), why.to_string().as_str()),
            ("cert.wrong-role", "The certificate does not carry the role bank.")
        );
        let late = Clock::reading(|| now().after(Span::days(365 * 30)));
        let why = refused(ada.call_by(late, &market.bank_at, CertRole::Bank).await?)?;
        assert_eq!(why.code(), "cert.not-valid");
        let said = why.to_string();
        assert!(said.starts_with("Valid from 20") && said.contains("; now is 205"), "{said}");
        Ok(())
    });
}

#[test]
fn a_bank_takes_no_calls_of_strangers_and_outlives_rubbish() {
    trial(async |market| {
        let mut ada = market.person("Ada Weber").await?;
        refused(ada.call_as_stranger(&market.bank_at, CertRole::Bank).await?)?;

        for rubbish in
            [&b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..], &[0; 4096], b"\x16\x03\x01\xff\xff"]
        {
            let mut stream = TcpStream::connect(("127.0.0.1", market.bank_at.port())).await?;
            stream.write_all(rubbish).await?;
            stream.shutdown().await?;
            // Whatever it says to that, it hangs up.
            let mut said = Vec::new();
            let _ = stream.read_to_end(&mut said).await;
        }
        ada.bank(&market.bank_at).await?;
        let refusals = market.bank.log().count(&["call refused"]);
        assert!(refusals >= 2, "{refusals}");
        assert_eq!(market.bank.log().count(&["panicked"]), 0);
        Ok(())
    });
}

#[test]
fn frames_that_do_not_belong_are_answered_by_code() {
    trial(async |market| {
        let mut ada = market.person("Ada Weber").await?;
        for (kind, payload, code) in [
            (Kind::Ca, vec![1, 2, 3], "wire.kind"),
            (Kind::Payment, vec![1, 2, 3], "wire.not-canonical"),
            (
                Kind::Payment,
                Envelope::unnumbered(None, vec![9; 40]).frame(Kind::Payment, 0)?.payload,
                "wire.not-canonical",
            ),
        ] {
            let mut counter = ada.bank(&market.bank_at).await?;
            match counter.ask_frame(Frame::new(kind, 0, payload)?).await? {
                Err(Unanswered::Complained(complaint)) => assert_eq!(complaint.code(), code),
                other => return Err(Failure::new(format!("{other:?} instead of {code}"))),
            }
        }
        Ok(())
    });
}

#[test]
fn a_statement_in_another_form_or_hand_is_refused_and_books_nothing() {
    trial(async |market| {
        let (mut ada, mut emil) = (market.person("Ada Weber").await?, market.person("Emil Otto").await?);
        let mut counter = ada.bank(&market.bank_at).await?;
        let mut account = ada.open_account(&mut counter).await?;
        let till = emil.till_at(&market.bank_at).await?;
        ada.operate(&mut counter, &mut account.purse, Op::Load(money("XTS 10.00")?)).await?;
        let payment = ada.begin(Some(&account.purse), Op::Pay(order(&till, money("XTS 3.00")?)?))?;
        let text = String::from_utf8(payment.request.tbs.clone()).map_err(|_| Failure::new("text"))?;

        let forms = [
            text.replace('\n', "\r\n"),
            format!("\u{feff}{text}"),
            text.replacen("amount:", "amount: XTS 3.00\namount:", 1),
            text.replacen("XTS 3.00\n", "XTS 3.00 \n", 1),
            text.replacen("XTS 3.00\n", "XTS 3.00\nfee: XTS 0.00\n", 1),
            text.replacen("XTS 3.00\n", "XTS 3.000\n", 1),
            text.replacen("XTS 3.00\n", "XTS 03.00\n", 1),
            text.trim_end().to_owned(),
        ];
        for form in forms {
            assert_ne!(form, text);
            let why = statement::from_bytes::<Pay>(form.as_bytes()).unwrap_err();
            assert_eq!(why.code(), "stmt.form", "{form:?}");
            let changed = SignedBytes { tbs: form.into_bytes(), ..payment.request.clone() };
            assert_eq!(counter.ask(&changed).await?, BankReply::Refused("pay.malformed".into()));
        }
        let other_type = statement::from_bytes::<Inspect>(text.as_bytes()).unwrap_err();
        assert_eq!(other_type.code(), "stmt.type");

        // Another amount under the same signature; no signature; somebody else's, in his own name and in hers.
        let richer = text.replacen("XTS 3.00", "XTS 9.00", 1).into_bytes();
        let theirs = emil.sign_draft(&payment.request.tbs).map(drop);
        assert!(theirs.unwrap_err().to_string().contains("is to be signed by"));
        let (own, other) = (ada.key(KeyPurpose::Account)?.kid(), emil.key(KeyPurpose::Account)?.kid());
        let as_emil = emil.sign_draft(text.replace(&own.to_string(), &other.to_string()).as_bytes())?;
        for request in [
            SignedBytes { tbs: richer, ..payment.request.clone() },
            SignedBytes { signature: Signature::from_bytes([0; 64]), ..payment.request.clone() },
            SignedBytes { tbs: payment.request.tbs.clone(), signature: as_emil.signature },
            as_emil.clone(),
        ] {
            assert_eq!(counter.ask(&request).await?, BankReply::Refused("pay.not-yours".into()));
        }

        // After all this the payment itself goes through, once, for what it says.
        let reply = counter.ask(&payment.request).await?;
        payment.settle(reply)?.must_be(Status::Settled)?;
        ada.operate(&mut counter, &mut account.purse, Op::Inspect).await?;
        assert_eq!(account.purse.available(), money("XTS 7.00")?);
        market.must_be_clean().await
    });
}

#[test]
fn a_folder_that_is_not_as_it_was_left_is_not_opened() {
    trial(async |market| {
        market.end().await?;
        let secret = market.bank.folder().join("secret");
        let good = fs::read_to_string(&secret)?;
        let mode = |mode| fs::set_permissions(&secret, fs::Permissions::from_mode(mode));

        mode(0o644)?;
        says(market, "can be read by others: run `chmod 600` on it").await?;
        mode(0o600)?;
        fs::write(&secret, "rubbish\n")?;
        says(market, "is not the secret of this folder: 64 hexadecimal digits were expected").await?;
        fs::copy(market.authority.folder().join("secret"), &secret)?;
        says(market, "the archive in").await?;
        fs::write(&secret, &good)?;
        let config = market.bank.folder().join("ttpd.toml");
        let text = fs::read_to_string(&config)?;
        fs::write(&config, text.replace("XTS 100.00", "EUR 100.00"))?;
        says(market, "bank.gift is play money (XTS): issuing real money needs a licence").await?;
        fs::write(&config, text.replace("demo = true", "demo = false"))?;
        says(market, "issuing real money needs a licence").await?;
        fs::write(&config, text)?;
        market.must_be_clean().await
    });
}

/// Both `run` and `audit` end at once with these words.
async fn says(market: &Marketplace, words: &str) -> Result<()> {
    for task in ["run", "audit"] {
        let said = market.bank.command(&[task]).await?;
        if said.code != Some(1) || !said.err.contains(words) {
            return Err(Failure::new(format!("{task} said {said:?}, not {words:?}")));
        }
    }
    Ok(())
}

fn refused<T>(outcome: std::result::Result<T, Why>) -> Result<Why> {
    outcome.err().ok_or_else(|| Failure::new("the call was taken"))
}
