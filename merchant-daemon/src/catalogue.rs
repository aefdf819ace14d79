//! The catalogue: which articles there are, what they cost, and their keys.

use std::{io, path::Path};

use semper_host::{
    chance::{self, NoChance},
    record::{commit, entry},
};
use semper_supporting::{
    archive::{
        Batch, Column, Query, Relation, Row, RowOp, Store, StoreError, Table, Value,
        journal::{Class, Kind as Detail},
    },
    crypto::{
        digest::Digest,
        seal::{BadSeal, ContentKey, WrappedContentKey},
    },
    money::{Currency, Money, MoneyError},
    time::Moment,
    tinguin::text::{TextRefused, Untrusted},
};
use semper_trade::sale::SALE;
use semper_transfer::{
    catalogue::{Article, ArticleId, BadArticle},
    description::DataDescription,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::goods::{Goods, GoodsError, Placed};

/// One row an article. Its key is sealed under the folder's wrapping key.
pub const ARTICLE: Table = Table {
    name: "article",
    columns: &[
        Column::bytes("id"),
        Column::text("title"),
        Column::text("media"),
        Column::integer("length"),
        Column::bytes("plain"),
        Column::bytes("sealed"),
        Column::bytes("commitment"),
        Column::bytes("nonce"),
        Column::bytes("wrapped"),
        Column::text("price"),
        Column::integer("added_s"),
        Column::integer("withdrawn_s").optional(),
    ],
    key: &["id"],
    unique: &[&["sealed"]],
    indexes: &[],
};

/// What the operator says of a file that is to be sold.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What buyers see.
    pub title: String,
    /// What it costs, as `XTS 6.00`.
    pub price: String,
    /// Its media type; by the end of its name if absent.
    pub media: Option<String>,
}

/// An article as it is kept.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Entry {
    /// Its name in this shop.
    pub id: ArticleId,
    /// What buyers see.
    pub title: String,
    /// Its media type.
    pub media: String,
    /// Its length in bytes before sealing.
    pub length: u64,
    /// SHA-256 of its content.
    pub plain: Digest,
    /// SHA-256 of its sealed form.
    pub sealed: Digest,
    /// Its key, wrapped.
    pub key: WrappedContentKey,
    /// What it costs.
    pub price: Money,
    /// When it was added.
    pub added: Moment,
    /// When it was taken out of the catalogue although deals name it.
    pub withdrawn: Option<Moment>,
}

/// Why an article is not added. Nothing was added then, and nothing is left on the disk.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// Its title cannot be shown to anybody.
    #[error("the title cannot be shown: {0}")]
    Title(TextRefused),
    /// Its media type is none.
    #[error("{0:?} is no media type, as application/pdf is one")]
    Media(String),
    /// The price is no sum of money.
    #[error("the price {0:?} is not of the form \"XTS 6.00\"")]
    Price(String),
    /// The currency is unknown.
    #[error("the price {0:?} is in no currency this program knows")]
    Currency(String),
    /// The sum is too large.
    #[error("the price {0:?} is larger than any sum this program handles")]
    TooMuch(String),
    /// Nothing is sold for nothing.
    #[error("an article that costs nothing is not sold")]
    Free,
    /// The till takes another currency.
    #[error(
        "this shop takes play money ({till}) only: taking {asked} needs a licensed bank and its payment system"
    )]
    RealMoney {
        /// What the till takes.
        till: Currency,
        /// What the price is in.
        asked: Currency,
    },
    /// The file or the disk.
    #[error(transparent)]
    Goods(#[from] GoodsError),
    /// The key.
    #[error("the key of the article: {0}")]
    Key(#[from] BadSeal),
    /// There are no random bytes.
    #[error(transparent)]
    Chance(#[from] NoChance),
    /// The goods are not where they should be.
    #[error("the sealed goods are not in the folder of this shop")]
    Missing,
    /// The archive refuses.
    #[error("the archive: {0}")]
    Store(#[from] StoreError),
}

/// Why an article was not removed.
#[derive(Debug, thiserror::Error)]
pub enum RemoveError {
    /// There is none of that name.
    #[error("there is no article {0}")]
    Unknown(String),
    /// The archive refuses.
    #[error("the archive: {0}")]
    Store(#[from] StoreError),
    /// There are no random bytes.
    #[error(transparent)]
    Chance(#[from] NoChance),
    /// Its row is gone, and its goods could not be removed; the next start tries again.
    #[error("the article is removed, its sealed goods are not yet: {0}")]
    Goods(#[from] io::Error),
}

/// What became of an article that was to be removed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Removed {
    /// It is gone with its goods and its key.
    Gone,
    /// It is offered no more; goods and key stay, since deals name it.
    Withdrawn,
}

/// Checks what the operator says, seals `file`, and gives the entry to be kept with its goods in place. Blocks.
///
/// # Errors
/// [`AddError`]; nothing is left on the disk.
pub fn prepare(
    goods: &Goods,
    file: &Path,
    wanted: &Wanted,
    till: Currency,
    wrapping: &Zeroizing<[u8; 32]>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(Entry, Placed), AddError> {
    let price = price(&wanted.price, till)?;
    Untrusted::new(&wanted.title)
        .quote(semper_supporting::tinguin::text::Quote::Item)
        .map_err(AddError::Title)?;
    let media = wanted.media.clone().unwrap_or_else(|| media_of(file).to_owned());
    if !semper_transfer::catalogue::is_media(&media) {
        return Err(AddError::Media(media));
    }
    let key = ContentKey::from_bytes(*chance::secret()?);
    let placed = goods.place(file, &key, progress)?;
    let now = chance::now();
    let measured = placed.measured;
    let entry = Entry {
        id: name(now)?,
        title: wanted.title.clone(),
        media,
        length: measured.length,
        plain: measured.plain,
        sealed: measured.sealed,
        key: key.wrap(wrapping, chance::random()?)?,
        price,
        added: now.whole_seconds(),
        withdrawn: None,
    };
    Ok((entry, placed))
}

/// Keeps an article whose goods are in place.
///
/// # Errors
/// [`AddError`]; nothing was added.
pub async fn keep(
    store: &impl Store,
    goods: &Goods,
    till: Currency,
    wrapping: &Zeroizing<[u8; 32]>,
    article: &Entry,
) -> Result<(), AddError> {
    keep_with(store, goods, till, wrapping, article, Vec::new()).await
}

/// As [`keep`], with further changes in the same transaction.
///
/// # Errors
/// As [`keep`].
pub async fn keep_with(
    store: &impl Store,
    goods: &Goods,
    till: Currency,
    wrapping: &Zeroizing<[u8; 32]>,
    article: &Entry,
    further: Vec<RowOp>,
) -> Result<(), AddError> {
    let shown = article.shown();
    shown.check().map_err(|bad| match bad {
        BadArticle::Title(refused) => AddError::Title(refused),
        BadArticle::Media => AddError::Media(article.media.clone()),
        BadArticle::Nothing => AddError::Free,
    })?;
    price(&article.price.to_string(), till)?;
    article.key.open(wrapping)?;
    if !goods.has(&article.sealed, shown.sealed_length()) {
        return Err(AddError::Missing);
    }
    let line = format!("article {} {} {}", article.id, article.sealed, article.price);
    let batch = Batch::new().row(RowOp::insert(ARTICLE.name, article.row())).entry(entry(
        Detail::of(Class::Config, "article-added"),
        line,
        chance::now(),
    )?);
    commit(store, further.into_iter().fold(batch, Batch::row)).await?;
    tracing::info!(article = %article.id, price = %article.price, "article added");
    Ok(())
}

/// The articles from the oldest to the newest, `limit` at most, after one of them.
///
/// # Errors
/// [`StoreError`].
pub async fn list(
    store: &impl Store,
    after: Option<ArticleId>,
    limit: u32,
) -> Result<Vec<Entry>, StoreError> {
    let query = Query::of(ARTICLE.name).equal("withdrawn_s", Value::Null).limit(limit);
    let query = match after {
        Some(id) => query.when("id", Relation::Greater, *id.as_bytes()),
        None => query,
    };
    store.query(vec![query]).await?.iter().flatten().map(Entry::from_row).collect()
}

/// The article of this name, withdrawn or not.
///
/// # Errors
/// [`StoreError`].
pub async fn find(store: &impl Store, id: ArticleId) -> Result<Option<Entry>, StoreError> {
    one(store, Query::of(ARTICLE.name).equal("id", *id.as_bytes())).await
}

/// The article with these sealed goods, withdrawn or not.
///
/// # Errors
/// [`StoreError`].
pub async fn with_goods(store: &impl Store, sealed: Digest) -> Result<Option<Entry>, StoreError> {
    one(store, Query::of(ARTICLE.name).equal("sealed", sealed)).await
}

/// Removes an article, or takes it out of the catalogue if deals name it.
///
/// # Errors
/// [`RemoveError`].
pub async fn remove(store: &impl Store, goods: &Goods, name: &str) -> Result<Removed, RemoveError> {
    let unknown = || RemoveError::Unknown(name.to_owned());
    let id = ArticleId::parse(name).map_err(|_| unknown())?;
    let found = find(store, id).await?.filter(|found| found.withdrawn.is_none()).ok_or_else(unknown)?;
    let now = chance::now();
    let key = vec![Value::from(*id.as_bytes())];
    let line = |what| entry(Detail::of(Class::Config, what), format!("article {id}"), now);
    let unused = semper_supporting::archive::Guard::none(
        "article.in-deal",
        SALE.name,
        vec![semper_supporting::archive::Comparison::new("article", Relation::Equal, id.to_string())],
    );
    let gone = Batch::new()
        .guard(unused)
        .row(RowOp::delete(ARTICLE.name, key.clone()))
        .entry(line("article-removed")?);
    match commit(store, gone).await {
        Ok(()) => {
            tracing::info!(article = %id, "article removed");
            goods.remove(&found.sealed)?;
            Ok(Removed::Gone)
        }
        Err(StoreError::Guard(_)) => {
            let set = Row::new().with("withdrawn_s", Value::seconds(now));
            let batch =
                Batch::new().row(RowOp::update(ARTICLE.name, key, set)).entry(line("article-withdrawn")?);
            commit(store, batch).await?;
            tracing::info!(article = %id, "article withdrawn");
            Ok(Removed::Withdrawn)
        }
        Err(error) => Err(error.into()),
    }
}

/// Removes what a crash has left in the folder of goods; gives how many files.
///
/// # Errors
/// [`StoreError`]; files that cannot be removed are left and reported.
pub async fn tidy(store: &impl Store, goods: &Goods) -> Result<u32, StoreError> {
    let left = |error: io::Error| tracing::warn!(%error, "left-over goods could not be removed");
    let mut removed = 0;
    for (path, sealed) in goods.files().inspect_err(|error| left(error.kind().into())).unwrap_or_default() {
        if has_row(store, sealed).await? {
            continue;
        }
        match goods.claim(path) {
            // Whoever seals keeps the row before it gives the lock back: now it is there, or never will be.
            Ok(Some(stray)) if !has_row(store, sealed).await? => match stray.remove() {
                Ok(()) => removed += 1,
                Err(error) => left(error),
            },
            Ok(_) => {}
            Err(error) => left(error),
        }
    }
    if removed > 0 {
        tracing::info!(removed, "left-over goods removed");
    }
    Ok(removed)
}

async fn has_row(store: &impl Store, sealed: Option<Digest>) -> Result<bool, StoreError> {
    match sealed {
        Some(sealed) => Ok(with_goods(store, sealed).await?.is_some()),
        None => Ok(false),
    }
}

impl Entry {
    /// The article as buyers see it.
    pub fn shown(&self) -> Article {
        Article {
            id: self.id,
            title: Untrusted::new(&self.title),
            media: self.media.clone(),
            length: self.length,
            plain: self.plain,
            sealed: self.sealed,
            key: self.key.commitment,
            price: self.price,
        }
    }

    /// The article as an offer describes it.
    pub fn description(&self) -> DataDescription {
        DataDescription {
            title: self.title.clone(),
            media: self.media.clone(),
            length: self.length,
            plain: self.plain,
            sealed: Some(self.sealed),
            key: Some(self.key.commitment),
            licence: None,
        }
    }

    fn row(&self) -> Row {
        Row::new()
            .with("id", *self.id.as_bytes())
            .with("title", self.title.clone())
            .with("media", self.media.clone())
            .with("length", Value::count(self.length))
            .with("plain", self.plain)
            .with("sealed", self.sealed)
            .with("commitment", self.key.commitment)
            .with("nonce", self.key.nonce)
            .with("wrapped", self.key.sealed.clone())
            .with("price", self.price.to_string())
            .with("added_s", Value::seconds(self.added))
            .with("withdrawn_s", self.withdrawn.map(Value::seconds).unwrap_or(Value::Null))
    }

    fn from_row(row: &Row) -> Result<Self, StoreError> {
        let price = Money::parse(row.text("price")?);
        let withdrawn = if row.is_null("withdrawn_s") {
            None
        } else {
            Some(Moment::from_seconds(row.count("withdrawn_s")?))
        };
        Ok(Self {
            id: ArticleId::from_bytes(row.array("id")?),
            title: row.text("title")?.to_owned(),
            media: row.text("media")?.to_owned(),
            length: row.count("length")?,
            plain: Digest::from_bytes(row.array("plain")?),
            sealed: Digest::from_bytes(row.array("sealed")?),
            key: WrappedContentKey {
                commitment: Digest::from_bytes(row.array("commitment")?),
                nonce: row.array("nonce")?,
                sealed: row.bytes("wrapped")?.to_vec(),
            },
            price: price.map_err(|error| StoreError::Damaged(format!("price of an article: {error}")))?,
            added: Moment::from_seconds(row.count("added_s")?),
            withdrawn,
        })
    }
}

async fn one(store: &impl Store, query: Query) -> Result<Option<Entry>, StoreError> {
    store.query(vec![query]).await?.iter().flatten().next().map(Entry::from_row).transpose()
}

/// A name that is greater than those made before: milliseconds in 6 bytes, then chance in 2.
fn name(now: Moment) -> Result<ArticleId, NoChance> {
    let [_, _, a, b, c, d, e, f] = now.millis().to_be_bytes();
    let [g, h] = chance::random::<2>()?;
    Ok(ArticleId::from_bytes([a, b, c, d, e, f, g, h]))
}

fn price(text: &str, till: Currency) -> Result<Money, AddError> {
    let text = text.trim();
    let price = Money::parse(text).map_err(|error| match error {
        MoneyError::UnknownCurrency => AddError::Currency(text.to_owned()),
        MoneyError::Overflow => AddError::TooMuch(text.to_owned()),
        _ => AddError::Price(text.to_owned()),
    })?;
    if price.currency != till {
        return Err(AddError::RealMoney { till, asked: price.currency });
    }
    if price.is_zero() { Err(AddError::Free) } else { Ok(price) }
}

/// The media type that the end of a file's name stands for.
fn media_of(file: &Path) -> &'static str {
    let end = file.extension().and_then(|end| end.to_str()).map(str::to_ascii_lowercase);
    match end.as_deref() {
        Some("pdf") => "application/pdf",
        Some("txt") => "text/plain",
        Some("html" | "htm") => "text/html",
        Some("epub") => "application/epub+zip",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("tif" | "tiff") => "image/tiff",
        Some("svg") => "image/svg+xml",
        Some("mp3") => "audio/mpeg",
        Some("flac") => "audio/flac",
        Some("ogg") => "audio/ogg",
        Some("mp4") => "video/mp4",
        Some("mkv") => "video/matroska",
        Some("zip") => "application/zip",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_names_are_greater() {
        let (one, two) = (name(Moment::from_millis(1)).unwrap(), name(Moment::from_millis(2)).unwrap());
        assert!(one < two);
        assert_eq!(one.to_string().len(), 16);
    }

    #[test]
    fn a_price_that_cannot_be_asked_is_refused_in_plain_words() {
        let refused = |text| price(text, Currency::XTS).unwrap_err().to_string();
        assert_eq!(price(" XTS 6.00\n", Currency::XTS).unwrap(), Money::parse("XTS 6.00").unwrap());
        assert_eq!(refused("6.00"), "the price \"6.00\" is not of the form \"XTS 6.00\"");
        assert_eq!(refused("XTS 6"), "the price \"XTS 6\" is not of the form \"XTS 6.00\"");
        assert_eq!(refused("XTS -6.00"), "the price \"XTS -6.00\" is not of the form \"XTS 6.00\"");
        assert_eq!(refused("ABC 6.00"), "the price \"ABC 6.00\" is in no currency this program knows");
        assert_eq!(
            refused("JPY 1000000000000000"),
            "the price \"JPY 1000000000000000\" is larger than any sum this program handles"
        );
        assert_eq!(refused("XTS 0.00"), "an article that costs nothing is not sold");
        assert_eq!(
            refused("EUR 6.00"),
            "this shop takes play money (XTS) only: taking EUR needs a licensed bank and its payment system"
        );
    }

    #[test]
    fn a_file_is_what_the_end_of_its_name_says() {
        assert_eq!(media_of(Path::new("a/Report.PDF")), "application/pdf");
        assert_eq!(media_of(Path::new("a.pdf/report")), "application/octet-stream");
    }
}
