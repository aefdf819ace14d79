//! Setting a daemon up, and the slips of those who do.

use std::{
    fs,
    path::{Path, PathBuf},
};

use semper_host::Registration;
use semper_supporting::{certificate::inspect, registration::record::Kind};
use semper_ttp_daemon::{
    config::{BankEntry, Config, Role},
    control::{Command, Unprinted, execute},
    program::Program,
};

use crate::market::{Market, config, trial};

/// The path from the folder in which the tests run.
fn relative(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap();
    let up: PathBuf = here.components().skip(1).map(|_| "..").collect();
    up.join(path.strip_prefix("/").unwrap())
}

async fn init(folder: &Path, config: &Config, letter: &Registration) -> Result<(), String> {
    Program::init(folder, config.clone(), Some(letter.clone())).await.map_err(|error| error.to_string())
}

#[test]
fn a_certificate_that_is_none_costs_no_letter_and_a_good_one_may_be_named_from_anywhere() {
    trial(|| async {
        let market = Market::new().await;
        let letter = market.letter(Kind::Arbiter, "Trial arbiter").await;
        let folder = market.place.path().join("second");
        let named = |file: PathBuf| {
            let mut config = config(Role::Arbiter, 7443, Some(market.authority.at.to_string()));
            config.arbiter.banks = vec![BankEntry { address: market.bank.at.to_string(), certificate: file }];
            config
        };
        let typed = market.place.path().join("typed.pem");
        for (text, said) in [
            (None, "No such file"),
            (Some("nothing".to_owned()), "no certificate in it"),
            (
                Some(fs::read_to_string(market.authority.folder.join("certificate.pem")).unwrap()),
                "does not carry the role",
            ),
            (
                Some(fs::read_to_string(market.authority.folder.join("root.pem")).unwrap()),
                "certificate of a bank",
            ),
        ] {
            if let Some(text) = text {
                fs::write(&typed, text).unwrap();
            }
            let error = init(&folder, &named(relative(&typed)), &letter).await.unwrap_err();
            let whole = [said, "typed.pem: ", "the letter is still good"];
            assert!(whole.iter().all(|part| error.contains(part)), "{error}");
            assert!(!folder.exists());
        }

        fs::copy(market.bank.folder.join("certificate.pem"), &typed).unwrap();
        init(&folder, &named(relative(&typed)), &letter).await.unwrap();
        fs::remove_file(typed).unwrap();
        let arbiter = Program::open(&folder).await.unwrap();
        let kept = &arbiter.config.arbiter.banks[0].certificate;
        assert!(kept.starts_with("others") && folder.join(kept).exists(), "{}", kept.display());
        drop(arbiter);
        market.close().await;
    });
}

#[test]
fn a_daemon_is_registered_under_the_names_of_its_letter_and_no_others_also_when_it_was_interrupted() {
    trial(|| async {
        let mut market = Market::new().await;
        let letter = market.letter(Kind::Bank, "Trial bank").await;
        let folder = market.place.path().join("second");
        let right = config(Role::Bank, 7443, Some(market.authority.at.to_string()));
        let slip = Config { name: "Trial bankk".into(), ..right.clone() };

        // What is begun while the authority is away is not what counts when it is back.
        market.authority.stop().await;
        let error = init(&folder, &right, &letter).await.unwrap_err();
        assert!(error.contains("Nobody can be reached"), "{error}");
        market.authority.start().await;
        for left in [4, 3] {
            let error = init(&folder, &slip, &letter).await.unwrap_err();
            assert!(
                error.contains("The names differ") && error.contains(&format!("{left} tries")),
                "{error}"
            );
        }

        // Nor is a slip then in the way of what is right now.
        market.authority.stop().await;
        init(&folder, &slip, &letter).await.unwrap_err();
        market.authority.start().await;
        init(&folder, &right, &letter).await.unwrap();
        let bank = Program::open(&folder).await.unwrap();
        assert_eq!(bank.config.name, "Trial bank");
        let own = bank.papers.lock().await.own[0].clone();
        assert_eq!(inspect(&own).unwrap().subject.common_name, bank.config.name);
        drop(bank);
        market.close().await;
    });
}

#[test]
fn who_operates_a_desk_is_told_which_option_is_wrong_and_that_a_list_is_empty() {
    trial(|| async {
        let market = Market::new().await;
        let enter =
            |kind, organisation: Option<&str>, city: Option<&str>, country: Option<&str>, dns: &[&str]| {
                let text = |text: Option<&str>| text.map(str::to_owned);
                let (organisation, city, country) = (text(organisation), text(city), text(country));
                let dns = dns.iter().map(|name| (*name).to_owned()).collect();
                let (name, attributes) = ("Otto".to_owned(), Vec::new());
                Command::Enter { kind, name, organisation, city, country, dns, attributes, print: true }
            };
        let void = Command::Void { id: "0".repeat(32), reason: " ".into() };
        for (command, said) in [
            (enter(Kind::Person, None, Some("Darmstadt"), None, &[]), "--country is missing"),
            (enter(Kind::Person, None, None, Some("DE"), &[]), "--city is missing"),
            (enter(Kind::Person, None, Some("Darmstadt"), Some("DE"), &["localhost"]), "--dns is too much"),
            (enter(Kind::Merchant, Some("Trial"), Some("Darmstadt"), Some("DE"), &[]), "--dns is missing"),
            (enter(Kind::Person, None, Some("Darmstadt"), Some("de"), &[]), "--country \"de\": two capital"),
            (void, "--reason"),
        ] {
            let done = execute(market.authority.program(), &Unprinted::default(), command).await;
            assert!(!done.good && done.text.contains(said), "{done:?}");
        }
        let done =
            execute(market.arbiter.program(), &Unprinted::default(), Command::Cases { json: false }).await;
        assert!(done.good && done.text.starts_with("nobody has asked"), "{done:?}");
        market.close().await;
    });
}
