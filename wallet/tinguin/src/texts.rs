//! The texts of the window, by language.
//!
//! English is the master. The build script reads `assets/locale/<language>/*.ftl`, makes
//! [`Msg`] of the English files, and refuses to build when another language lacks a text or a
//! variable; so there is no missing text at run time. Figures and dates never pass through Fluent:
//! they come formatted from [`crate::format`].

use std::borrow::Cow;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use unic_langid::LanguageIdentifier;

use crate::format::Locale;

include!(concat!(env!("OUT_DIR"), "/msg.rs"));

/// What a person is told about a code: what happened, where money and goods stand, what to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Told {
    /// What happened.
    pub what: String,
    /// Where money and goods stand.
    pub standing: String,
    /// What to do.
    pub advice: String,
}

/// The texts of one language.
pub struct Texts {
    locale: Locale,
    bundle: FluentBundle<FluentResource>,
}

impl Texts {
    /// Loads the texts of a language, or nothing where this build has none in it.
    #[must_use]
    pub fn load(locale: Locale) -> Option<Self> {
        let sources = sources(locale)?;
        let language: LanguageIdentifier = locale.code().parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![language]);
        // Isolating marks are invisible, and egui draws no bidirectional text.
        bundle.set_use_isolating(false);
        for source in sources {
            // The build script has parsed these very bytes; what parsed then parses now.
            let resource = FluentResource::try_new((*source).to_owned()).unwrap_or_else(|(parsed, _)| parsed);
            bundle.add_resource_overriding(resource);
        }
        Some(Self { locale, bundle })
    }

    /// Loads the master language, which every build has.
    #[must_use]
    pub fn english() -> Self {
        Self::load(Locale::En).unwrap_or_else(|| Self {
            locale: Locale::En,
            bundle: FluentBundle::new_concurrent(vec![LanguageIdentifier::default()]),
        })
    }

    /// Passes every piece of text through `transform`: for a pseudo-language that shows which layouts
    /// break when words grow.
    #[must_use]
    pub fn transformed(mut self, transform: fn(&str) -> Cow<'_, str>) -> Self {
        self.bundle.set_transform(Some(transform));
        self
    }

    /// Tells whose figures and dates go with these texts.
    #[must_use]
    pub const fn locale(&self) -> Locale {
        self.locale
    }

    /// Writes a text with its arguments.
    #[must_use]
    pub fn get(&self, msg: Msg<'_>) -> String {
        let (id, attribute) = msg.key();
        let message = self.bundle.get_message(id);
        let pattern = message.and_then(|message| match attribute {
            None => message.value(),
            Some(name) => message.get_attribute(name).map(|attribute| attribute.value()),
        });
        let Some(pattern) = pattern else {
            return id.to_owned();
        };
        let arguments = msg.arguments();
        let mut faults = Vec::new();
        self.bundle.format_pattern(pattern, Some(&arguments), &mut faults).into_owned()
    }

    /// The text of an id that is made at run time, such as `line-` and a type of statement, with whatever of
    /// `names` it wants. Nothing where there is none, or where it wants another name.
    #[must_use]
    pub fn named(&self, id: &str, names: &[(&str, &str)]) -> Option<String> {
        let pattern = self.bundle.get_message(id)?.value()?;
        let (mut arguments, mut faults) = (FluentArgs::new(), Vec::new());
        for (name, value) in names {
            arguments.set(*name, *value);
        }
        let text = self.bundle.format_pattern(pattern, Some(&arguments), &mut faults).into_owned();
        faults.is_empty().then_some(text)
    }

    /// Says a dotted code, of a fault or of an exchange (`exchange.u05`), with whatever of `names` its text
    /// wants (`peer`, `item`). Nothing for a code without a text, or a text that wants another name: then the
    /// code itself is all that can be shown.
    #[must_use]
    pub fn told(&self, code: &str, names: &[(&str, &str)]) -> Option<Told> {
        let message = self.bundle.get_message(&code.replace('.', "-"))?;
        let mut arguments = FluentArgs::new();
        for (name, value) in names {
            arguments.set(*name, *value);
        }
        let mut faults = Vec::new();
        let mut write =
            |pattern| self.bundle.format_pattern(pattern, Some(&arguments), &mut faults).into_owned();
        let told = Told {
            what: write(message.value()?),
            standing: write(message.get_attribute("standing")?.value()),
            advice: write(message.get_attribute("advice")?.value()),
        };
        faults.is_empty().then_some(told)
    }
}

impl std::fmt::Debug for Texts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Texts").field("locale", &self.locale).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_stand_where_the_text_wants_them() {
        let texts = Texts::english();
        let text = texts.get(Msg::ChipPseudonym { shop: "Fogra", nick: "amber-17" });
        assert_eq!(text, "Fogra knows you as amber-17");
    }

    #[test]
    fn a_code_is_told_with_the_names_that_its_text_wants() {
        let texts = Texts::english();
        let told = texts.told("purse.insufficient", &[]).unwrap();
        assert_eq!(told.what, "There is too little in the purse");
        assert_eq!(told.standing, "Nothing was signed, and nothing was paid");
        let names = [("peer", "Fogra"), ("item", "the file"), ("unwanted", "x")];
        let told = texts.told("exchange.u05", &names).unwrap();
        assert_eq!(told.what, "You have paid. Waiting for the file");
        assert_eq!(texts.told("exchange.u05", &[]), None);
        assert_eq!(texts.told("exchange.u99", &names), None);
        for n in 1..=17 {
            let told = texts.told(&format!("exchange.u{n:02}"), &names).unwrap();
            assert!(!told.advice.is_empty());
        }
    }

    #[test]
    fn a_text_is_found_by_a_name_made_at_run_time_if_it_needs_nothing_else() {
        let texts = Texts::english();
        assert_eq!(texts.named("line-order", &[]).as_deref(), Some("Order"));
        let names = [("peer", "Fogra"), ("unwanted", "x")];
        assert_eq!(texts.named("line-sale-connected", &names).as_deref(), Some("Connected with Fogra"));
        assert_eq!(texts.named("line-sale-connected", &[]), None);
        assert_eq!(texts.named("no-such-text", &names), None);
    }

    #[test]
    fn plurals_follow_the_number() {
        let texts = Texts::english();
        assert_eq!(texts.get(Msg::S25Paused { n: 1 }), "Paused, 1 new line");
        assert_eq!(texts.get(Msg::S25Paused { n: 20 }), "Paused, 20 new lines");
    }

    #[test]
    fn a_transformed_language_keeps_the_arguments() {
        let texts = Texts::english().transformed(|text| Cow::Owned(text.to_uppercase()));
        assert_eq!(texts.get(Msg::S08NextWait { party: "Fogra" }), "WAITING FOR Fogra");
    }

    #[test]
    fn only_languages_of_this_build_load() {
        assert_eq!(Texts::load(Locale::En).map(|texts| texts.locale()), Some(Locale::En));
        for locale in Locale::ALL {
            assert_eq!(Texts::load(locale).is_some(), sources(locale).is_some());
        }
    }
}
