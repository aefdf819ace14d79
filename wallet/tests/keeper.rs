//! The task beside the window, with a real wallet on the disk: opening, wrong passwords, locking, damage.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on stops")]

use std::fs;

use semper_host::chance::{self, Source};
use semper_supporting::{
    archive::{
        Batch, Store as _,
        header::Subkey,
        journal::{Entry, Kind},
    },
    registration::{
        generator::Generator,
        seed::{UserPart, mix},
    },
    time::Span,
};
use semper_tinguin::views::door::DoorState;
use semper_wallet::{
    bridge::{Keeper, Link, Order, Stage, bridge},
    password::Password,
    profile::{DoorPlate, DoorWords, Profile},
    wallet::{Mode, Wallet},
};
use tokio::task::JoinHandle;

const PASSWORD: &str = "seven grey herons by the canal";

async fn profile(home: &tempfile::TempDir) -> Profile {
    let profile = Profile::at(home.path().join("wallet"));
    let plate = DoorPlate { words: DoorWords::parse("amber lighthouse").unwrap(), hue: 3 };
    profile
        .create(&plate, &Password::new(PASSWORD).unwrap(), &mut Source::mixed(None).unwrap())
        .await
        .unwrap();
    profile
}

fn keep(profile: &Profile) -> (Link, JoinHandle<()>) {
    let (link, keeper) = bridge(profile.clone(), DoorState::Ready, || ());
    (link, tokio::spawn(Keeper::run(keeper)))
}

async fn unlock(link: &Link, password: &str) {
    let password = Password::new(password).unwrap();
    link.orders.send(Order::Unlock { password, mode: Mode::Whole }).await.unwrap();
}

async fn until(link: &mut Link, is: impl FnMut(&Stage) -> bool) -> Stage {
    link.stage.wait_for(is).await.unwrap().clone()
}

#[tokio::test]
async fn it_opens_follows_and_locks_and_the_archive_is_free_again() {
    let home = tempfile::tempdir().unwrap();
    let profile = profile(&home).await;
    let wallet = Wallet::unlock(&profile, Password::new(PASSWORD).unwrap(), Mode::Whole).await.unwrap();
    let kind = Kind::parse("config/setting").unwrap();
    let entry = Entry { at: chance::now(), kind, deal: None, salt: [1; 32], payload: vec![1] };
    wallet.archive.commit(vec![Batch::new().entry(entry)]).await[0].as_ref().unwrap();
    drop(wallet);

    let (mut link, task) = keep(&profile);
    unlock(&link, "not the password").await;
    until(&mut link, |stage| *stage == Stage::Door(DoorState::Wrong)).await;
    unlock(&link, PASSWORD).await;
    until(&mut link, |stage| matches!(stage, Stage::Open { opening: 1, read_only: false, .. })).await;
    let news = link.news.recv().await.unwrap();
    assert_eq!((news.opening, news.lines.len(), news.lines[0].line.seq), (1, 1, 1));

    link.orders.send(Order::Lock).await.unwrap();
    until(&mut link, |stage| *stage == Stage::Door(DoorState::Ready)).await;
    drop(Wallet::unlock(&profile, Password::new(PASSWORD).unwrap(), Mode::Whole).await.unwrap());
    unlock(&link, PASSWORD).await;
    until(&mut link, |stage| matches!(stage, Stage::Open { opening: 2, .. })).await;
    drop(link);
    task.await.unwrap();
    drop(Wallet::unlock(&profile, Password::new(PASSWORD).unwrap(), Mode::Whole).await.unwrap());
}

#[tokio::test]
async fn the_third_wrong_password_costs_a_wait_in_which_none_is_taken() {
    let home = tempfile::tempdir().unwrap();
    let profile = profile(&home).await;
    let (mut link, task) = keep(&profile);
    for _ in 0..2 {
        unlock(&link, "not the password").await;
        until(&mut link, |stage| matches!(stage, Stage::Door(DoorState::Deriving { .. }))).await;
        until(&mut link, |stage| *stage == Stage::Door(DoorState::Wrong)).await;
    }
    unlock(&link, "not the password").await;
    until(&mut link, |stage| *stage == Stage::Door(DoorState::Throttled { seconds: 1 })).await;
    // Even the right one is not tried before the time is up.
    unlock(&link, PASSWORD).await;
    until(&mut link, |stage| *stage == Stage::Door(DoorState::Wrong)).await;
    unlock(&link, PASSWORD).await;
    until(&mut link, |stage| matches!(stage, Stage::Open { opening: 1, .. })).await;
    drop(link);
    task.await.unwrap();
}

#[tokio::test]
async fn a_damaged_key_file_is_said_at_the_door_and_its_older_copy_serves() {
    let home = tempfile::tempdir().unwrap();
    let profile = profile(&home).await;
    let (header, copy) = (profile.path().join("archive.hdr"), profile.path().join("archive.hdr.old"));
    let good = fs::read(&header).unwrap();
    fs::write(&header, &good[..good.len() / 2]).unwrap();
    let (mut link, _task) = keep(&profile);
    unlock(&link, PASSWORD).await;
    until(&mut link, |stage| *stage == Stage::Door(DoorState::Damaged { part: "key file".into() })).await;
    fs::write(&copy, &good).unwrap();
    unlock(&link, PASSWORD).await;
    until(&mut link, |stage| matches!(stage, Stage::Open { .. })).await;
}

#[tokio::test]
async fn nothing_is_made_in_a_folder_that_is_in_use_and_everything_is_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = tempfile::tempdir().unwrap();
    let profile = profile(&home).await;
    let plate = profile.door().unwrap();
    let again =
        profile.create(&plate, &Password::new(PASSWORD).unwrap(), &mut Source::mixed(None).unwrap()).await;
    assert_eq!(again.unwrap_err().code(), "profile.exists");
    let weak = Profile::at(home.path().join("weak"));
    let refused = weak
        .create(&plate, &Password::new("amber lighthouse").unwrap(), &mut Source::mixed(None).unwrap())
        .await;
    assert_eq!(refused.unwrap_err().code(), "password.weak");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "nothing is left behind");
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(profile.path().to_owned()), 0o700);
    assert_eq!(mode(profile.path().join("archive.hdr")), 0o600);
    assert_eq!(mode(profile.path().join("door.toml")), 0o600);
}

#[tokio::test]
async fn the_secrets_of_a_wallet_are_made_of_what_its_owner_typed_and_of_the_system_both() {
    let home = tempfile::tempdir().unwrap();
    let plate = DoorPlate { words: DoorWords::parse("amber lighthouse").unwrap(), hue: 6 };
    let mut made = Vec::new();
    for (name, typed, system) in
        [("one", 1, 1), ("same", 1, 1), ("other-owner", 2, 1), ("other-system", 1, 2)]
    {
        let seed = mix(&[0; 64], &[system; 64].into(), Some(&UserPart::kept(&[typed; 32])), None);
        let mut source = Source::of(Generator::new(&seed, chance::now()));
        let profile = Profile::at(home.path().join(name));
        let password = Password::new(PASSWORD).unwrap();
        profile.create(&plate, &password, &mut source).await.unwrap();
        let master = profile.header().unwrap().unlock(PASSWORD.as_bytes()).unwrap();
        made.push(*master.subkey(Subkey::Keys).unwrap());
    }
    assert_eq!(made[0], made[1]);
    assert!(made[2] != made[0] && made[3] != made[0] && made[3] != made[2]);
}

#[tokio::test]
async fn a_clock_behind_the_record_is_noticed_when_the_wallet_is_opened() {
    let home = tempfile::tempdir().unwrap();
    let profile = profile(&home).await;
    let open = || Wallet::unlock(&profile, Password::new(PASSWORD).unwrap(), Mode::Whole);
    let wallet = open().await.unwrap();
    assert_eq!(wallet.clock_back, None);
    let at = chance::now().after(Span::hours(5));
    let kind = Kind::parse("config/setting").unwrap();
    let entry = Entry { at, kind, deal: None, salt: [0; 32], payload: Vec::new() };
    for committed in wallet.archive.commit(vec![Batch::new().entry(entry)]).await {
        committed.unwrap();
    }
    drop(wallet);
    let back = open().await.unwrap().clock_back.unwrap();
    // Opening takes some seconds, and they count.
    assert_eq!(back.to_string(), "Your clock went back by 4 hours.");
}
