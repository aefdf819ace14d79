//! The PIN: typed into the window, compared here, and every try on the disk before it is looked at.

use semper_host::{chance, record::commit};
use semper_supporting::{
    archive::{Batch, Column, Guard, Query, Row, RowOp, Store as _, StoreError, Table, Value},
    time::Moment,
    tinguin::{PinLock, PinVerified, PromptId, pin::PinError},
    wire,
};
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use crate::{consent::Refused, fault::WalletFault, wallet::Wallet};

/// The PIN's check value and counter.
pub const PIN: Table = Table {
    name: "pin",
    columns: &[Column::integer("id"), Column::bytes("lock")],
    key: &["id"],
    unique: &[],
    indexes: &[],
};

/// A PIN as it was typed. It is erased when it is dropped, and never printed.
pub struct Pin(Zeroizing<Vec<u8>>);

impl Pin {
    /// The PIN in these bytes.
    pub fn new(typed: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(typed.into()))
    }

    /// Sets the first PIN of a wallet.
    ///
    /// # Errors
    /// [`WalletFault::Pin`] for one that is too easy; [`WalletFault::Store`] if there is one already: to
    /// change it is an act that a person confirms.
    pub async fn set_first(self, wallet: &Wallet) -> Result<(), WalletFault> {
        let none = Guard::absent("no PIN yet", PIN.name, vec![Value::from(0_i64)]);
        let batch = Batch::new().guard(none).row(self.first().await?);
        Ok(commit(wallet.archive.as_ref(), batch).await?)
    }

    /// The change that keeps it as the first PIN of a wallet that is being made.
    ///
    /// # Errors
    /// [`WalletFault::Pin`] for one that is too easy.
    pub(crate) async fn first(self) -> Result<RowOp, WalletFault> {
        let (salt, nonce) = (chance::random()?, chance::random()?);
        let lock = spawn_blocking(move || PinLock::set(&self.0, salt, nonce)).await;
        Ok(keep(&lock.map_err(|_| PinError::Derivation)??)?)
    }

    /// Compares it for one prompt.
    pub(crate) async fn verify(
        self,
        wallet: &Wallet,
        prompt: PromptId,
        now: Moment,
    ) -> Result<PinVerified, Refused> {
        let store = wallet.archive.as_ref();
        let mut lock = stored(wallet).await?.ok_or(Refused::NoPin)?;
        let counted = lock.begin(prompt, now)?;
        commit(store, Batch::new().row(keep(&lock)?)).await?;
        // Argon2id: on a thread of its own, since it takes a while.
        let checking = spawn_blocking(move || {
            let checked = lock.check(counted, &self.0);
            (lock, checked)
        });
        let (lock, checked) = checking.await.map_err(|_| PinError::Derivation)?;
        let verified = checked?;
        commit(store, Batch::new().row(keep(&lock)?)).await?;
        Ok(verified)
    }
}

async fn stored(wallet: &Wallet) -> Result<Option<PinLock>, StoreError> {
    let rows = wallet.archive.query(vec![Query::of(PIN.name)]).await?;
    let row = rows.into_iter().flatten().next();
    row.map(|row| {
        let damaged = |_| StoreError::Damaged("the PIN cannot be read".to_owned());
        wire::decode(row.bytes("lock")?, wire::STATE_LIMIT).map_err(damaged)
    })
    .transpose()
}

fn keep(lock: &PinLock) -> Result<RowOp, StoreError> {
    let lock = wire::encode(lock, wire::STATE_LIMIT);
    let lock = lock.map_err(|_| StoreError::Damaged("the PIN cannot be written".to_owned()))?;
    Ok(RowOp::put(PIN.name, Row::new().with("id", 0_i64).with("lock", lock)))
}

impl std::fmt::Debug for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pin(…)")
    }
}
