//! The demonstration shop: texts, documents and programs that are invented here and come out the same on every machine.
//!
//! What people wrote lies in `assets/demo/fogra`; the rest is composed from tables by a fixed seed. The result is a
//! [`Display`] and the files of its articles, exactly as a merchant would put them into the folder of a shop by hand.

mod compose;
mod pdf;
mod report;

use semper_supporting::crypto::digest::Digest;
use serde::Deserialize;

use crate::storefront::display::{Article, Display, DisplayError, Kind, Shop};

/// A file of `assets/demo/fogra`.
macro_rules! asset {
    ($name:literal) => {
        include_str!(concat!("../../../assets/demo/fogra/", $name))
    };
}

const SHOP: &str = asset!("shop.toml");
const ABSTRACTS: &str = asset!("abstracts.toml");
const TABLES: &str = asset!("tables.toml");
const REPORTS: &str = asset!("reports.toml");
const SOFTWARE: &str = asset!("software.toml");
/// The programs, by file.
const PROGRAMS: [(&str, &str); 3] = [
    ("test-form.ps", asset!("software/test-form.ps")),
    ("densitometry.csv", asset!("software/densitometry.csv")),
    ("dot-gain.awk", asset!("software/dot-gain.awk")),
];

/// The name of the shop in commands, links and the configuration.
pub const NAME: &str = "fogra";
/// What an abstract costs.
const ABSTRACT_PRICE: &str = "XTS 6.00";
/// How many abstracts are composed from tables; they come before those that people wrote.
const COMPOSED: usize = 90;
/// The number of the first abstract.
const FIRST: usize = 1101;

/// A shop and the content of its files, by name.
#[derive(Clone, Debug)]
pub struct Demo {
    /// What is shown.
    pub display: Display,
    /// What is sold.
    pub files: Vec<(String, Vec<u8>)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Abstracts {
    r#abstract: Vec<Abstract>,
}

/// An abstract: by hand, or composed.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Abstract {
    topic: String,
    title: String,
    authors: Vec<String>,
    keywords: Vec<String>,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reports {
    report: Vec<Report>,
}

/// A report, as people announced it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Report {
    sku: String,
    topic: String,
    title: String,
    price: String,
    authors: Vec<String>,
    summary: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Softwares {
    software: Vec<Software>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Software {
    sku: String,
    topic: String,
    title: String,
    file: String,
    media: String,
    price: String,
    authors: Vec<String>,
    summary: String,
}

/// Numbers that look drawn and are the same every time: SplitMix64 (Steele, Lea, Flood 2014).
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice that fall as `name` has it.
    pub(crate) fn of(name: &str) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = *Digest::of(name.as_bytes()).as_bytes();
        Self(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` to `high`, both among them.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low.saturating_add(self.next() % high.saturating_sub(low).saturating_add(1))
    }

    /// One of `all`, which are not none.
    pub(crate) fn one<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let most = u64::try_from(all.len()).unwrap_or(u64::MAX).saturating_sub(1);
        all.get(usize::try_from(self.between(0, most)).unwrap_or(0))
    }

    /// `all` in another order.
    pub(crate) fn shuffled<T>(&mut self, mut all: Vec<T>) -> Vec<T> {
        for at in (1..all.len()).rev() {
            let other = self.between(0, u64::try_from(at).unwrap_or(0));
            all.swap(at, usize::try_from(other).unwrap_or(0));
        }
        all
    }
}

impl Demo {
    /// The shop Fogra: 120 abstracts, 12 reports, 3 programs.
    ///
    /// # Errors
    /// None with the files that come with SEMPER, which a test asserts.
    pub fn fogra() -> Result<Self, DisplayError> {
        let shop: Shop = read("shop.toml", SHOP)?;
        let tables: compose::Tables = read("tables.toml", TABLES)?;
        let Abstracts { r#abstract: written } = read("abstracts.toml", ABSTRACTS)?;
        let Reports { report: reports } = read("reports.toml", REPORTS)?;
        let Softwares { software } = read("software.toml", SOFTWARE)?;
        let mut demo =
            Self { display: Display { shop, kinds: kinds(), articles: Vec::new() }, files: Vec::new() };
        let composed = compose::abstracts(&tables, COMPOSED);
        for (at, one) in composed.into_iter().chain(written).enumerate() {
            demo.add_abstract(&tables, FIRST.saturating_add(at), one);
        }
        for report in reports {
            demo.add_report(&tables, report);
        }
        for program in software {
            demo.add_software(&tables, program)?;
        }
        Ok(demo)
    }

    fn add_abstract(&mut self, tables: &compose::Tables, number: usize, one: Abstract) {
        let sku = format!("A-{number}");
        let file = format!("{sku}.txt");
        let text = compose::document(&sku, tables.topic_title(&one.topic), &one);
        let summary = one.text.trim().split_inclusive(". ").next().unwrap_or_default().trim().to_owned();
        self.display.articles.push(Article {
            sku,
            kind: "abstract".into(),
            topic: tables.topic_title(&one.topic).to_owned(),
            title: one.title,
            authors: one.authors,
            keywords: one.keywords,
            summary,
            price: ABSTRACT_PRICE.into(),
            file: file.clone(),
            media: "text/plain".into(),
        });
        self.files.push((file, text.into_bytes()));
    }

    fn add_report(&mut self, tables: &compose::Tables, report: Report) {
        let file = format!("{}.pdf", report.sku);
        let bytes = report::document(tables, &report);
        self.display.articles.push(Article {
            kind: "report".into(),
            topic: tables.topic_title(&report.topic).to_owned(),
            title: report.title,
            authors: report.authors,
            keywords: tables.keywords(&report.topic),
            summary: report.summary,
            price: report.price,
            file: file.clone(),
            media: "application/pdf".into(),
            sku: report.sku,
        });
        self.files.push((file, bytes));
    }

    fn add_software(&mut self, tables: &compose::Tables, one: Software) -> Result<(), DisplayError> {
        let content = PROGRAMS.iter().find(|(name, _)| *name == one.file).map(|(_, content)| *content);
        let content =
            content.ok_or_else(|| DisplayError::content("software.toml", format!("no file {}", one.file)))?;
        self.files.push((one.file.clone(), content.as_bytes().to_vec()));
        self.display.articles.push(Article {
            kind: "software".into(),
            topic: tables.topic_title(&one.topic).to_owned(),
            title: one.title,
            authors: one.authors,
            keywords: tables.keywords(&one.topic),
            summary: one.summary,
            price: one.price,
            file: one.file,
            media: one.media,
            sku: one.sku,
        });
        Ok(())
    }
}

fn kinds() -> Vec<Kind> {
    let kind = |name: &str, title: &str, about: &str| Kind {
        name: name.into(),
        title: title.into(),
        about: about.into(),
    };
    vec![
        kind("abstract", "Abstracts", "A page on each paper: what was asked, what was found, what follows."),
        kind("report", "Reports", "The whole account, with figures and a course of action, as PDF."),
        kind("software", "Programs and tables", "Small tools for those who measure."),
    ]
}

fn read<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, DisplayError> {
    toml::from_str(text).map_err(|error| DisplayError::content(file, error.message()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn fogra_has_120_abstracts_12_reports_and_3_programs_and_each_can_be_shown() {
        let Demo { display, files } = Demo::fogra().unwrap();
        let count = |kind: &str| display.articles.iter().filter(|one| one.kind == kind).count();
        assert_eq!((count("abstract"), count("report"), count("software")), (120, 12, 3));
        display.check().unwrap();
        let names: BTreeSet<_> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, display.articles.iter().map(|one| one.file.as_str()).collect());
        let titles: BTreeSet<_> = display.articles.iter().map(|one| one.title.as_str()).collect();
        assert_eq!(titles.len(), 135, "no two articles have one title");
        let contents: BTreeSet<_> = files.iter().map(|(_, content)| content).collect();
        assert_eq!(contents.len(), 135);
        assert!(display.articles.iter().any(|one| one.sku == "A-1207"));
    }

    #[test]
    fn prices_are_those_of_the_kinds() {
        for one in Demo::fogra().unwrap().display.articles {
            let cents: u32 = one.price.strip_prefix("XTS ").unwrap().replace('.', "").parse().unwrap();
            let right = match one.kind.as_str() {
                "abstract" => cents == 600,
                "report" => (4000..=9500).contains(&cents),
                _ => cents == 6000,
            };
            assert!(right, "{}: {}", one.sku, one.price);
        }
    }

    /// Whoever changes what comes out changes this on purpose: shops that were set up before keep what they have.
    #[test]
    fn the_shop_comes_out_the_same_everywhere() {
        let Demo { files, display } = Demo::fogra().unwrap();
        let mut all = display.catalogue().unwrap().into_bytes();
        files.iter().for_each(|(_, content)| all.extend(content));
        assert_eq!(
            Digest::of(&all).to_string(),
            "0c0fff207ac1d606107e5073db90c4fa533ccb6f193ffe9a73db7949dedcf7dc"
        );
    }

    #[test]
    fn dice_fall_within_their_bounds_and_reach_both() {
        let mut dice = Dice::of("test");
        let drawn: BTreeSet<u64> = (0..200).map(|_| dice.between(3, 6)).collect();
        assert_eq!(drawn, BTreeSet::from([3, 4, 5, 6]));
        let shuffled = dice.shuffled((0..50).collect());
        assert_ne!(shuffled, (0..50).collect::<Vec<_>>());
        assert_eq!(shuffled.iter().collect::<BTreeSet<_>>().len(), 50);
    }

    /// The program that is sold does what it says, and refuses what cannot be.
    #[test]
    fn the_dot_gain_calculator_calculates() {
        let place = tempfile::tempdir().unwrap();
        let (program, input) = (place.path().join("dot-gain.awk"), place.path().join("measured"));
        std::fs::write(&program, asset!("software/dot-gain.awk")).unwrap();
        let run = |text: &str, factor: &str| {
            std::fs::write(&input, text).unwrap();
            let mut awk = std::process::Command::new("awk");
            let done = awk.arg("-v").arg(factor).arg("-f").arg(&program).arg(&input).output().unwrap();
            (done.status.success(), String::from_utf8(done.stdout).unwrap())
        };
        let (good, text) = run("# measured\n50 0.42 1.45\n100 1.45 1.45\n", "n=1.65");
        let values = |at: usize| text.lines().nth(at).unwrap().split_whitespace().collect::<Vec<_>>();
        assert!(good);
        assert_eq!(values(1), ["50.0", "64.3", "14.3", "51.1", "1.1"]);
        assert_eq!(values(2), ["100.0", "100.0", "0.0", "100.0", "0.0"]);
        for (text, factor) in
            [("50 x 1.45", "n=1.65"), ("50 1.5 1.45", "n=1.65"), ("50 0.42", "n=2"), ("", "n=9")]
        {
            assert!(!run(text, factor).0, "{text} {factor}");
        }
    }
}
