//! Hostile texts, and all of Unicode.

use proptest::prelude::*;
use unicode_properties::GeneralCategoryGroup;

use super::*;

fn name(text: &str) -> Result<PartyName, TextRefused> {
    Untrusted::new(text).name()
}

fn line(text: &str) -> Result<Quoted, TextRefused> {
    Untrusted::new(text).quote(Quote::Line)
}

/// One text a line, with escapes as in Rust.
const HOSTILE: &str = include_str!("../../../tests/golden/hostile-texts.txt");

fn unescaped(line: &str) -> String {
    let (mut out, mut rest) = (String::new(), line);
    while let Some((before, after)) = rest.split_once("\\u{") {
        let (hex, after) = after.split_once('}').unwrap();
        out.push_str(before);
        out.push(char::from_u32(u32::from_str_radix(hex, 16).unwrap()).unwrap());
        rest = after;
    }
    out + rest
}

#[test]
fn every_hostile_text_is_refused() {
    let texts: Vec<_> = HOSTILE.lines().filter(|line| !line.starts_with("# ")).collect();
    assert!(texts.len() >= 100, "{} hostile texts", texts.len());
    for text in texts {
        let text = unescaped(text);
        assert!(name(&text).is_err(), "accepted as a name: {}", Untrusted::new(text.as_str()).code_points());
    }
}

#[test]
fn ordinary_names_of_europe_are_shown() {
    for text in [
        "Fogra",
        "Fogra Forschungsgesellschaft Druck",
        "Maria Papadopoulou",
        "Μαρία Παπαδοπούλου",
        "Юлия Ёлкина",
        "Müller & Söhne GmbH",
        "O'Brien Ltd.",
        "O’Brien Ltd.",
        "Łódź-Øresund AS",
        "Société Générale (Paris)",
        "Schifffahrtsgesellschaft 24/7",
        "Nguyễn Thị Ánh",
        "Demo Bank",
    ] {
        assert!(name(text).is_ok(), "{text}: {:?}", name(text));
    }
}

#[test]
fn ordinary_sentences_are_shown_as_quotations() {
    for text in [
        "Colour management, an introduction (2nd edition)",
        "Mehl, 2 × 500 g – 3,20 € je kg…",
        "A4 paper, 80 g/m², 100 % recycled",
        "Καλημέρα: «βιβλίο»",
        "Greek ελληνικά and Latin in one sentence",
        "500\u{202f}000 pieces",
    ] {
        assert!(line(text).is_ok(), "{text}: {:?}", line(text));
    }
}

#[test]
fn a_name_that_mixes_scripts_is_refused() {
    for text in ["Fοgra", "Dеmo Bank", "Αpple", "Рaypal"] {
        assert_eq!(name(text), Err(TextRefused::MixedScripts), "{text}");
    }
    assert_eq!(name("Fοgra").unwrap_err().code(), "text.mixed-scripts");
}

#[test]
fn names_that_a_reader_would_confuse_look_alike() {
    for (one, other) in [
        ("Fogra", "F0gra"),
        ("Paypal", "Paypa1"),
        ("Illinois", "lllinois"),
        ("rnodern", "modern"),
        ("FOGRA", "F0GRA"),
        ("АВС", "ABC"),
        ("ΡΟΤΑ", "POTA"),
        ("Fogra", "FOGRA"),
    ] {
        let (one, other) = (name(one).unwrap(), name(other).unwrap());
        assert!(one.looks_like(&other) && other.looks_like(&one), "{one} {other}");
        assert!(!one.looks_like(&one));
    }
    assert!(!name("Fogra").unwrap().looks_like(&name("Forga").unwrap()));
}

#[test]
fn every_greek_and_cyrillic_letter_that_looks_latin_is_noticed() {
    let (mut pairs, latin) = (0, 'a'..='z');
    for plain in latin.chain('A'..='Z') {
        for strange in ('\u{370}'..='\u{52f}').filter(|c| look(&c.to_string()) == look(&plain.to_string())) {
            let (honest, forged) = (format!("No{plain}th"), format!("No{strange}th"));
            assert!(look_alike(&honest, &forged), "{honest} {forged}");
            assert!(name(&forged).is_err(), "{forged}");
            pairs += 1;
        }
    }
    assert!(pairs > 40, "{pairs} pairs");
}

#[test]
fn texts_are_as_long_as_their_place_and_no_longer() {
    let of =
        |count: usize| "ab ".repeat(count / 3 + 1).chars().take(count).collect::<String>().replace("  ", " ");
    let fits = |count, kind| {
        let text = format!("{}c", &of(count)[..count - 1].trim_end()).replace(' ', "-");
        let text = format!("{text}{}", "d".repeat(count - text.len()));
        Untrusted::new(text).quote(kind).is_ok()
    };
    for (kind, limit) in [(Quote::Item, 80), (Quote::Line, 120), (Quote::Paragraphs, 400)] {
        assert!(fits(limit, kind) && !fits(limit + 1, kind), "{kind:?}");
    }
    let word = |length: usize| "ab".repeat(length).chars().take(length).collect::<String>();
    assert!(name(&word(32)).is_ok());
    assert_eq!(name(&word(33)), Err(TextRefused::Run));
    assert!(name(&[word(31), word(32)].join(" ")).is_ok());
    assert_eq!(name(&[word(32), word(32)].join(" ")), Err(TextRefused::TooLong { limit: 64 }));
    assert!(Untrusted::new("a\nb\nc").quote(Quote::Paragraphs).is_ok());
    assert!(Untrusted::new("a\nb\nc\nd").quote(Quote::Paragraphs).is_err());
    assert!(Untrusted::new("a\nb").quote(Quote::Line).is_err());
    assert!(Untrusted::new("a\n\nb").quote(Quote::Paragraphs).is_err());
    assert!(Untrusted::new("a".repeat(1 << 20)).quote(Quote::Paragraphs).is_err());
}

#[test]
fn marks_sit_on_letters_two_at_most() {
    assert!(name("a\u{323}\u{301}x").is_ok());
    for text in ["q\u{323}\u{301}\u{302}", "\u{301}a", "a \u{301}b", "1\u{301}", "-\u{301}"] {
        assert_eq!(name(text), Err(TextRefused::Marks), "{}", Untrusted::new(text).code_points());
    }
}

#[test]
fn a_quotation_is_lent_and_never_printed() {
    let quoted = Untrusted::new("pay here\nnow").quote(Quote::Paragraphs).unwrap();
    let mut drawn = Vec::new();
    quoted.draw(|paragraph| drawn.push(paragraph.len()));
    assert_eq!(drawn, [8, 3]);
    assert!(!format!("{quoted:?} {:?}", Untrusted::new("pay here")).contains("pay"));
}

#[test]
fn every_character_of_unicode_is_either_read_or_refused() {
    let mut accepted = 0;
    for character in '\0'..=char::MAX {
        let Ok(quoted) = line(&format!("a{character}b")) else { continue };
        accepted += 1;
        let mut text = String::new();
        quoted.draw(|paragraph| text.push_str(paragraph));
        for shown in text.chars() {
            let group = shown.general_category_group();
            assert!(!matches!(group, GeneralCategoryGroup::Other), "{shown:?}");
            let script = shown.script();
            assert!(
                matches!(
                    script,
                    Script::Latin | Script::Greek | Script::Cyrillic | Script::Common | Script::Inherited
                ),
                "{shown:?}"
            );
            let plane = u32::from(shown);
            assert!(
                !(0xe000..=0xf8ff).contains(&plane) && !(0xfe00..=0xfe0f).contains(&plane) && plane < 0x10000
                    || script == Script::Latin
                    || script == Script::Greek
                    || script == Script::Cyrillic,
                "{shown:?}"
            );
        }
    }
    assert!((700..3000).contains(&accepted), "{accepted} characters accepted");
}

proptest! {
    #[test]
    fn what_is_accepted_once_is_accepted_unchanged(text in "\\PC{1,40}") {
        if let Ok(name) = name(&text) {
            prop_assert_eq!(Untrusted::new(name.as_str()).name(), Ok(name.clone()));
            prop_assert!(name.as_str().graphemes(true).count() <= NAME_LIMIT);
        }
        if let Ok(quoted) = line(&text) {
            prop_assert_eq!(Untrusted::new(quoted.text.as_str()).quote(Quote::Line), Ok(quoted.clone()));
        }
    }

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        let _ = (name(&text), line(&text), Untrusted::new(text.as_str()).code_points());
    }
}
