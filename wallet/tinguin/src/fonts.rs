//! The five bundled fonts, and no other: a character they lack is a test failure, not a guess.
//!
//! IBM Plex has all figures of one width, a capital I with serifs and an l with a tail, and complete
//! Greek and Cyrillic. Icons are a family of their own and never a fallback, so that no letter of
//! anybody's text can turn into one.

use std::sync::Arc;

use egui::{FontData, FontDefinitions, FontFamily};

macro_rules! font {
    ($file:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/fonts/", $file))
    };
}

const REGULAR: &[u8] = font!("IBMPlexSans-Regular.ttf");
const MEDIUM: &[u8] = font!("IBMPlexSans-Medium.ttf");
const SEMIBOLD: &[u8] = font!("IBMPlexSans-SemiBold.ttf");
const MONO: &[u8] = font!("IBMPlexMono-Regular.ttf");
const ICONS: &[u8] = font!("Phosphor.ttf");

/// The licences of the bundled fonts, by font, for the page about this program.
pub const LICENCES: [(&str, &str); 2] = [
    (
        "IBM Plex",
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/fonts/IBMPlex-OFL-1.1.txt")),
    ),
    ("Phosphor", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/fonts/Phosphor-MIT.txt"))),
];

/// Plex Sans Medium.
pub(crate) fn medium() -> FontFamily {
    FontFamily::Name("medium".into())
}

/// Plex Sans SemiBold.
pub(crate) fn semibold() -> FontFamily {
    FontFamily::Name("semibold".into())
}

/// Phosphor.
pub(crate) fn icons() -> FontFamily {
    FontFamily::Name("icons".into())
}

/// Lists the families of the window: sans, medium, semibold, mono (then sans, for Greek), icons.
#[must_use]
pub fn definitions() -> FontDefinitions {
    let mut fonts = FontDefinitions::empty();
    let files =
        [("sans", REGULAR), ("medium", MEDIUM), ("semibold", SEMIBOLD), ("mono", MONO), ("icons", ICONS)];
    for (name, file) in files {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(file)));
    }
    let families: [(FontFamily, &[&str]); 5] = [
        (FontFamily::Proportional, &["sans"]),
        (FontFamily::Monospace, &["mono", "sans"]),
        (medium(), &["medium"]),
        (semibold(), &["semibold"]),
        (icons(), &["icons"]),
    ];
    for (family, names) in families {
        fonts.families.insert(family, names.iter().map(|name| (*name).to_owned()).collect());
    }
    fonts
}
