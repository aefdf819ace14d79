//! Setting a daemon up, and the slips of those who do.

use std::{
    fs,
    path::{Path, PathBuf},
};

use semper_host::Registration;
use semper_supporting::registration::record::Kind;
use semper_ttp_daemon::{
    config::{BankEntry, Config, Role},
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
