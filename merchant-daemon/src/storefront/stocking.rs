//! Stocking: the files of a shop's folder sealed and put into the catalogue, each once.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::Path,
};

use semper_supporting::archive::{Column, Query, Row, RowOp, Store, StoreError, Table};
use semper_transfer::catalogue::ArticleId;

use super::display::{self, Article, Display, DisplayError};
use crate::{
    catalogue::{self, AddError, Wanted},
    program::Program,
};

/// Which article of the catalogue a number of the pages stands for.
pub const LISTING: Table = Table {
    name: "listing",
    columns: &[Column::text("sku"), Column::bytes("article")],
    key: &["sku"],
    unique: &[&["article"]],
    indexes: &[],
};

/// Why a shop is not stocked, or not all of it. What was put into the catalogue before is there.
#[derive(Debug, thiserror::Error)]
pub enum StockError {
    /// What is to be shown.
    #[error(transparent)]
    Display(#[from] DisplayError),
    /// An article.
    #[error("{sku}: {error}")]
    Article {
        /// Its number.
        sku: String,
        /// What is wrong with it.
        error: AddError,
    },
    /// The archive refuses.
    #[error("the archive: {0}")]
    Store(#[from] StoreError),
}

/// Writes a shop and the files of its articles into the folder of a daemon. What has been stocked already stays there.
///
/// # Errors
/// [`DisplayError`].
pub fn furnish(folder: &Path, display: &Display, files: &[(String, Vec<u8>)]) -> Result<(), DisplayError> {
    let shop = folder.join(display::FOLDER);
    let goods = shop.join(display::GOODS);
    let failed = |error| DisplayError::File { path: goods.clone(), error };
    DirBuilder::new().recursive(true).mode(0o700).create(&goods).map_err(failed)?;
    for (name, content) in files {
        display::put(&goods.join(name), content)?;
    }
    display.write(&shop)
}

/// Whether the folder of a daemon shows nothing yet, or what `display` shows: then nobody's shop is lost.
///
/// # Errors
/// [`DisplayError`].
pub fn may_be_furnished(folder: &Path, display: &Display) -> Result<bool, DisplayError> {
    let path = folder.join(display::FOLDER).join(display::CATALOGUE);
    match fs::read(&path) {
        Ok(there) => Ok(there == display.catalogue()?.as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(DisplayError::File { path, error }),
    }
}

/// Seals every article that is not in the catalogue yet; gives how many these were. Interrupted and run again, it goes
/// on where it stopped. `progress` is told how many articles of how many are done.
///
/// # Errors
/// [`StockError`].
pub async fn stock(
    program: &Program,
    display: &Display,
    mut progress: impl FnMut(usize, usize) + Send,
) -> Result<usize, StockError> {
    let before = stocked(&*program.store).await?;
    let new: Vec<&Article> = display.articles.iter().filter(|one| !before.contains_key(&one.sku)).collect();
    for (done, article) in new.iter().enumerate() {
        progress(done, new.len());
        let added = add(program, article).await;
        added.map_err(|error| StockError::Article { sku: article.sku.clone(), error })?;
    }
    progress(new.len(), new.len());
    Ok(new.len())
}

async fn add(program: &Program, article: &Article) -> Result<(), AddError> {
    let file = program.folder.join(display::FOLDER).join(display::GOODS).join(&article.file);
    let wanted = Wanted {
        title: article.title.clone(),
        price: article.price.clone(),
        media: Some(article.media.clone()),
    };
    let (goods, till) = (&program.goods, program.config.currency());
    let prepared = tokio::task::block_in_place(|| {
        catalogue::prepare(goods, &file, &wanted, till, program.wrapping(), &mut |_, _| {})
    });
    let (entry, placed) = prepared?;
    let row = Row::new().with("sku", article.sku.clone()).with("article", *entry.id.as_bytes());
    let listed = vec![RowOp::put(LISTING.name, row)];
    match catalogue::keep_with(&*program.store, goods, till, program.wrapping(), &entry, listed).await {
        Ok(()) => Ok(()),
        Err(error) => {
            placed.discard();
            Err(error)
        }
    }
}

/// The articles of the catalogue by their numbers on the pages, the withdrawn ones among them.
///
/// # Errors
/// [`StoreError`].
pub async fn stocked(store: &impl Store) -> Result<BTreeMap<String, ArticleId>, StoreError> {
    let query = Query::of(LISTING.name).limit(semper_supporting::archive::store::LIMIT);
    let rows = store.query(vec![query]).await?.concat();
    rows.iter()
        .map(|row| Ok((row.text("sku")?.to_owned(), ArticleId::from_bytes(row.array("article")?))))
        .collect()
}
