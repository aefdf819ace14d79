//! What a shop shows of its articles, as the merchant writes it into the folder `shop` of the daemon.
//!
//! ```text
//! shop/shop.toml        the shop: title, city, motto, words of welcome
//! shop/catalogue.toml   kinds and articles
//! shop/goods/           a file for each article
//! ```

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use semper_supporting::{
    money::Money,
    tinguin::text::{Quote, Untrusted},
};
use serde::{Deserialize, Serialize};

/// The folder below the daemon's own.
pub const FOLDER: &str = "shop";
/// The folder of the files that are sold, below that.
pub const GOODS: &str = "goods";
/// The file about the shop.
const SHOP: &str = "shop.toml";
/// The file about the articles.
pub(crate) const CATALOGUE: &str = "catalogue.toml";
/// How many bytes a catalogue has at most: some ten thousand articles.
const LARGEST: u64 = 16 << 20;
/// How many articles a shop shows at most.
const ARTICLES: usize = 10_000;

/// A shop and its articles as pages show them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Display {
    /// The shop.
    pub shop: Shop,
    /// The kinds of articles, in the order of the pages.
    pub kinds: Vec<Kind>,
    /// The articles, in the order of the pages.
    pub articles: Vec<Article>,
}

/// The words of a shop about itself.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Shop {
    /// The version of the format, which is 1.
    pub shop: u32,
    /// What it calls itself. Who it is stands in its certificate.
    pub title: String,
    /// Where it is.
    pub city: String,
    /// One line below its title.
    pub motto: String,
    /// Paragraphs on its first page.
    pub welcome: Vec<String>,
}

/// A kind of articles.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// Its name in addresses of pages.
    pub name: String,
    /// Its title.
    pub title: String,
    /// What it is.
    pub about: String,
}

/// An article as pages show it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Article {
    /// Its number in the shop.
    pub sku: String,
    /// Its kind, by name.
    pub kind: String,
    /// Its field.
    pub topic: String,
    /// Its title, at most 80 characters: the title in the offer.
    pub title: String,
    /// Who wrote it.
    pub authors: Vec<String>,
    /// Words by which it is found.
    pub keywords: Vec<String>,
    /// What it is about, at most 400 characters.
    pub summary: String,
    /// What it costs, as `XTS 6.00`.
    pub price: String,
    /// Its file in the folder of goods.
    pub file: String,
    /// Its media type.
    pub media: String,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    catalogue: u32,
    kind: Vec<Kind>,
    #[serde(default)]
    article: Vec<Article>,
}

/// Why a shop cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum DisplayError {
    /// A file cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Something in a file cannot be.
    #[error("{file}: {what}")]
    Content {
        /// Which.
        file: String,
        /// What.
        what: String,
    },
}

impl DisplayError {
    /// Something in `file` cannot be.
    pub fn content(file: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Content { file: file.into(), what: what.into() }
    }
}

impl Display {
    /// Reads the folder of a shop.
    ///
    /// # Errors
    /// [`DisplayError`] naming the file, and the article if it is about one.
    pub fn read(folder: &Path) -> Result<Self, DisplayError> {
        let shop: Shop = file(&folder.join(SHOP))?;
        let Catalogue { catalogue, kind: kinds, article: articles } = file(&folder.join(CATALOGUE))?;
        if catalogue != 1 {
            return Err(DisplayError::content(
                CATALOGUE,
                "catalogue = 1 is missing: it is of another version",
            ));
        }
        let display = Self { shop, kinds, articles };
        display.check()?;
        Ok(display)
    }

    /// Writes the folder of a shop, without the files that it sells.
    ///
    /// # Errors
    /// [`DisplayError`].
    pub fn write(&self, folder: &Path) -> Result<(), DisplayError> {
        let shop =
            toml::to_string(&self.shop).map_err(|error| DisplayError::content(SHOP, error.to_string()))?;
        put(&folder.join(SHOP), shop.as_bytes())?;
        put(&folder.join(CATALOGUE), self.catalogue()?.as_bytes())
    }

    /// The file about the articles.
    ///
    /// # Errors
    /// [`DisplayError::Content`].
    pub fn catalogue(&self) -> Result<String, DisplayError> {
        let all = Catalogue { catalogue: 1, kind: self.kinds.clone(), article: self.articles.clone() };
        toml::to_string(&all).map_err(|error| DisplayError::content(CATALOGUE, error.to_string()))
    }

    /// Checks that everything can be shown and sold.
    ///
    /// # Errors
    /// [`DisplayError::Content`].
    pub fn check(&self) -> Result<(), DisplayError> {
        let Shop { shop, title, city, motto, welcome } = &self.shop;
        if *shop != 1 {
            return Err(DisplayError::content(SHOP, "shop = 1 is missing: it is of another version"));
        }
        for (what, text, quote) in
            [("title", title, Quote::Item), ("city", city, Quote::Item), ("motto", motto, Quote::Line)]
        {
            shown(text, quote).map_err(|why| DisplayError::content(SHOP, format!("{what}: {why}")))?;
        }
        for text in welcome {
            shown(text, Quote::Paragraphs)
                .map_err(|why| DisplayError::content(SHOP, format!("welcome: {why}")))?;
        }
        let wrong = |whose: &str, what: String| DisplayError::content(CATALOGUE, format!("{whose}: {what}"));
        if self.articles.len() > ARTICLES {
            return Err(wrong("article", format!("there are more than {ARTICLES}")));
        }
        let mut names = BTreeSet::new();
        for kind in &self.kinds {
            kind.check(&mut names).map_err(|what| wrong(&kind.name, what))?;
        }
        let mut numbers = BTreeSet::new();
        for article in &self.articles {
            let checked = article.check(&names, &mut numbers);
            checked.map_err(|what| wrong(&article.sku, what))?;
        }
        Ok(())
    }
}

impl Kind {
    fn check<'a>(&'a self, names: &mut BTreeSet<&'a str>) -> Result<(), String> {
        let small = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !(1..=40).contains(&self.name.len()) || !self.name.bytes().all(small) {
            return Err("a name has 1 to 40 small letters, digits and hyphens".into());
        }
        if !names.insert(&self.name) {
            return Err("another kind has this name".into());
        }
        shown(&self.title, Quote::Item)?;
        shown(&self.about, Quote::Line)
    }
}

impl Article {
    fn check<'a>(&'a self, kinds: &BTreeSet<&str>, numbers: &mut BTreeSet<&'a str>) -> Result<(), String> {
        if !is_sku(&self.sku) {
            return Err("a number has 1 to 20 capitals, digits and hyphens".into());
        }
        if !numbers.insert(&self.sku) {
            return Err("another article has this number".into());
        }
        if !kinds.contains(self.kind.as_str()) {
            return Err(format!("there is no kind {:?}", self.kind));
        }
        if !is_file(&self.file) {
            return Err(format!("{:?} is no name of a file in the folder of goods", self.file));
        }
        let price = Money::parse(&self.price).ok().filter(|price| !price.is_zero());
        if price.is_none() {
            return Err(format!("the price {:?} is not of the form \"XTS 6.00\"", self.price));
        }
        for (text, quote) in
            [(&self.topic, Quote::Item), (&self.title, Quote::Item), (&self.summary, Quote::Paragraphs)]
        {
            shown(text, quote)?;
        }
        if self.summary.contains('\n') {
            return Err("the summary is one paragraph".into());
        }
        self.authors.iter().chain(&self.keywords).try_for_each(|text| shown(text, Quote::Item))
    }
}

/// Whether `text` can be the number of an article.
pub fn is_sku(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=20).contains(&text.len()) && text.bytes().all(plain)
}

/// Whether `text` names a file in a folder and nothing outside of it.
fn is_file(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=100).contains(&text.len()) && !text.starts_with('.') && text.bytes().all(plain)
}

fn shown(text: &str, quote: Quote) -> Result<(), String> {
    Untrusted::new(text)
        .quote(quote)
        .map(drop)
        .map_err(|refused| format!("{text:?} cannot be shown: {refused}"))
}

fn file<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, DisplayError> {
    let failed = |error| DisplayError::File { path: path.to_owned(), error };
    if fs::metadata(path).map_err(failed)?.len() > LARGEST {
        return Err(DisplayError::content(
            path.display().to_string(),
            "it is larger than a catalogue may be",
        ));
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    toml::from_str(&text)
        .map_err(|error| DisplayError::content(path.display().to_string(), error.to_string()))
}

/// Writes a file whole, or leaves what was there.
pub(crate) fn put(path: &Path, content: &[u8]) -> Result<(), DisplayError> {
    let failed = |error| DisplayError::File { path: path.to_owned(), error };
    let part = path.with_extension("part");
    fs::write(&part, content).and_then(|()| fs::rename(&part, path)).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::Demo;

    #[test]
    fn a_shop_is_read_as_it_was_written() {
        let place = tempfile::tempdir().unwrap();
        let display = Demo::fogra().unwrap().display;
        display.write(place.path()).unwrap();
        assert_eq!(Display::read(place.path()).unwrap(), display);
    }

    #[test]
    fn what_cannot_be_shown_or_sold_is_named() {
        let good = Demo::fogra().unwrap().display;
        type Change = fn(&mut Display);
        let cases: [(Change, &str); 12] = [
            (|one| one.shop.shop = 2, "shop.toml: shop = 1 is missing"),
            (|one| one.shop.motto = "a\u{202e}b".into(), "shop.toml: motto: "),
            (|one| one.kinds[0].name = "a/b".into(), "catalogue.toml: a/b: a name has"),
            (|one| one.kinds[1].name = "abstract".into(), "another kind has this name"),
            (|one| one.articles[0].sku = "../x".into(), "a number has 1 to 20"),
            (|one| one.articles[0].sku = "A-1102".into(), "another article has this number"),
            (|one| one.articles[0].kind = "book".into(), "there is no kind \"book\""),
            (|one| one.articles[0].file = "../merchantd.toml".into(), "is no name of a file"),
            (|one| one.articles[0].file = ".key".into(), "is no name of a file"),
            (|one| one.articles[0].price = "6".into(), "is not of the form"),
            (|one| one.articles[0].title = "a".repeat(81), "cannot be shown"),
            (|one| one.articles[0].summary = "two\nparagraphs".into(), "one paragraph"),
        ];
        for (change, said) in cases {
            let mut display = good.clone();
            change(&mut display);
            let error = display.check().unwrap_err().to_string();
            assert!(error.contains(said), "{said}: {error}");
        }
    }

    #[test]
    fn a_file_of_another_form_is_refused_by_name() {
        let place = tempfile::tempdir().unwrap();
        Demo::fogra().unwrap().display.write(place.path()).unwrap();
        let path = place.path().join("catalogue.toml");
        let text = fs::read_to_string(&path).unwrap();
        for (from, to) in [("catalogue = 1", "catalogue = 2"), ("sku =", "sku_ =")] {
            fs::write(&path, text.replacen(from, to, 1)).unwrap();
            assert!(Display::read(place.path()).unwrap_err().to_string().contains("catalogue.toml"));
        }
        fs::remove_file(&path).unwrap();
        assert!(matches!(Display::read(place.path()), Err(DisplayError::File { .. })));
    }
}
