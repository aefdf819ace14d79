//! The escrow keys of an arbiter: made when it is set up, stored wrapped.

use semper_host::chance;
use semper_supporting::{
    archive::{Batch, Query, Row, RowOp, Store, Value},
    crypto::seal::escrow::{EscrowKey, EscrowKid, WrappedEscrowKey},
};
use zeroize::Zeroizing;

use super::{ArbiterError, tables::ESCROW_KEY};

/// The escrow keys of the archive, the newest first; makes one if there is none.
///
/// # Errors
/// [`ArbiterError`]; a key that was made is stored before it is given out.
pub async fn ensure(
    store: &impl Store,
    wrapping: &Zeroizing<[u8; 32]>,
) -> Result<Vec<EscrowKey>, ArbiterError> {
    let newest =
        Query::of(ESCROW_KEY.name).order("created_s", semper_supporting::archive::Direction::Falling);
    let rows = store.query(vec![newest]).await?.into_iter().flatten().collect::<Vec<_>>();
    let mut keys = Vec::new();
    for row in &rows {
        let wrapped = WrappedEscrowKey {
            key: EscrowKid::from_bytes(row.array("kid")?),
            nonce: row.array("nonce")?,
            sealed: row.bytes("sealed")?.to_vec(),
        };
        keys.push(EscrowKey::import_wrapped(&wrapped, wrapping)?);
    }
    if keys.is_empty() {
        let key = EscrowKey::from_seed(&chance::secret()?);
        let wrapped = key.export_wrapped(wrapping, chance::random()?)?;
        let row = Row::new()
            .with("kid", Value::from(*wrapped.key.as_bytes()))
            .with("nonce", wrapped.nonce)
            .with("sealed", wrapped.sealed)
            .with("created_s", Value::seconds(chance::now()));
        semper_host::record::commit(store, Batch::new().row(RowOp::insert(ESCROW_KEY.name, row))).await?;
        keys.push(key);
    }
    Ok(keys)
}
