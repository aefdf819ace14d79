//! Setting a shop up, and what interrupts it.

use std::{
    net::TcpListener,
    path::Path,
    pin::{Pin, pin},
    task::{Context, Poll},
};

use semper_host::Registration;
use semper_merchant_daemon::{
    config::Config,
    program::{Program, ProgramError},
    till::Till,
};
use semper_supporting::{
    archive::{Query, Store as _, record},
    evidence::Verified,
    registration::record::Kind,
};
use semper_transfer::payment::{message::Account, purse::PurseKind};

use crate::world::{authority, shop};

/// A future that is dropped when it has been polled so often.
struct Cut<'a, F> {
    work: Pin<&'a mut F>,
    polls: u32,
}

impl<F: Future> Future for Cut<'_, F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            return Poll::Ready(None);
        }
        self.polls -= 1;
        self.work.as_mut().poll(context).map(Some)
    }
}

async fn init(folder: &Path, config: &Config, letter: &Registration) -> Result<Till, String> {
    Program::init(folder, config.clone(), letter).await.map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_that_is_interrupted_anywhere_has_one_certificate_and_one_account_in_the_end() {
    let authority = authority().await;
    let bank = authority.bank().await;
    let letter = authority.letter(Kind::Merchant, "Trial shop", Some("Darmstadt")).await;
    let place = tempfile::tempdir().unwrap();
    let config = shop(&authority.address, &bank.address);
    let (mut polls, mut cuts) = (1, 0);
    let till = loop {
        let work = pin!(Program::init(place.path(), config.clone(), &letter));
        match (Cut { work, polls }).await {
            Some(done) => break done.unwrap(),
            None => (polls, cuts) = (polls * 2, cuts + 1),
        }
    };
    assert!(cuts > 3, "it was cut {cuts} times only");
    let merchants: Vec<_> =
        bank.accounts().await.into_iter().filter(|(kind, _)| *kind == "liab:merch").collect();
    assert_eq!(merchants, [("liab:merch", till.purse.account.to_string())]);
    assert_eq!(till.purse.kind, PurseKind::ReceiveOnly);
    assert_eq!(till.purse.system.scheme, "Trial bank");

    // The bank's word is kept as evidence, and verifies.
    let word: Verified<Account> = till.account.clone().verify(&till.purse.bank).unwrap();
    assert_eq!((word.account, word.owner), (till.purse.account, till.purse.key));
    assert_eq!(till.bank, bank.program.papers.lock().await.own[0].digest());
    let program = Program::open(place.path()).await.unwrap();
    let kept = Query::of(record::EVIDENCE.name).equal("hash", till.account.digest());
    assert_eq!(program.store.query(vec![kept]).await.unwrap().concat().len(), 1);
    assert_eq!(program.till, till);
    drop(program);

    // Once more changes nothing; another name, authority or bank is refused.
    assert_eq!(init(place.path(), &config, &letter).await, Ok(till.clone()));
    let named = Config { name: "Other shop".into(), ..config.clone() };
    assert_eq!(
        init(place.path(), &named, &letter).await.unwrap_err(),
        "this shop is set up already, with another name, organisation, city, country or host: see merchantd.toml in its folder"
    );
    let banked = Config { bank: "localhost:1".into(), ..config.clone() };
    assert_eq!(
        init(place.path(), &banked, &letter).await.unwrap_err(),
        "this shop is set up already, with another bank: see merchantd.toml in its folder"
    );
    assert_eq!(Config::read(place.path()).unwrap(), config);
    assert_eq!(bank.accounts().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bank_that_is_away_or_none_is_named_and_setting_up_goes_on_with_the_right_one() {
    let authority = authority().await;
    let letter = authority.letter(Kind::Merchant, "Trial shop", Some("Darmstadt")).await;
    let place = tempfile::tempdir().unwrap();
    // Nobody listens on a port that was given back.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let away = shop(&authority.address, &format!("localhost:{closed}"));
    assert_eq!(
        init(place.path(), &away, &letter).await.unwrap_err(),
        format!("the bank at localhost:{closed}: Nobody can be reached at this address.")
    );
    let unfinished = Program::open(place.path()).await;
    assert!(matches!(unfinished, Err(ProgramError::Unfinished)));

    let none = shop(&authority.address, &authority.address);
    let refused = init(place.path(), &none, &letter).await.unwrap_err();
    assert_eq!(refused, format!("the bank at {}: {}", authority.address, wrong_role()));

    let bank = authority.bank().await;
    let right = shop(&authority.address, &bank.address);
    let till = init(place.path(), &right, &letter).await.unwrap();
    assert_eq!(bank.accounts().await, [("liab:merch", till.purse.account.to_string())]);
}

fn wrong_role() -> String {
    use semper_supporting::certificate::{CertRole, CertificateFault};
    CertificateFault::WrongRole { expected: CertRole::Bank }.to_string()
}
