//! Lines of the journal as a little business leaves them, for the window to show.

use semper_host::chance;
use semper_supporting::{
    archive::{
        Batch, Store as _,
        journal::{Entry, Kind},
    },
    deal::DealId,
};
use semper_wallet::{
    password::Password,
    profile::Profile,
    wallet::{Mode, Wallet},
};

/// The deals and the kinds of their lines.
const LINES: [(u8, &str); 9] = [
    (0x5f, "sent/deal-propose"),
    (0x5f, "received/deal-accept"),
    (0x91, "sent/deal-propose"),
    (0x5f, "received/offer"),
    (0x5f, "asked-user/Prompted"),
    (0x91, "received/x/gxv/offer"),
    (0x33, "received/offer"),
    (0x33, "sent/deal-close"),
    (0x91, "sent/pay/pay"),
];

/// Writes them into the wallet of this folder.
#[tokio::main]
pub(crate) async fn write(profile: &str, password: &str) {
    let password = Password::new(password).unwrap();
    let wallet = Wallet::unlock(&Profile::at(profile), password, Mode::Whole).await.unwrap();
    let mut batch = Batch::new();
    for (deal, kind) in LINES {
        let deal = DealId::from_bytes([deal; 32]);
        let (at, salt, kind) = (chance::now(), chance::random().unwrap(), Kind::parse(kind).unwrap());
        let payload = format!("semper-statement/1 {}\ndeal: {deal}\n", kind.detail()).into_bytes();
        batch = batch.entry(Entry { at, kind, deal: Some(deal), salt, payload });
    }
    for committed in wallet.archive.commit(vec![batch]).await {
        committed.unwrap();
    }
}
