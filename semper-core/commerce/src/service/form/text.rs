//! Texts with a form of their own: addresses, numbers of telephones, of accounts and for VAT.

use unicode_normalization::UnicodeNormalization;

/// What was typed, without what does not count: line breaks are LF, letters in normal form C, ends trimmed.
pub(super) fn tidied(typed: &str) -> String {
    let joined = typed.replace("\r\n", "\n");
    joined.nfc().collect::<String>().trim().to_owned()
}

/// `text` without any of these `characters`.
pub(super) fn without(text: &str, characters: &str) -> String {
    text.chars().filter(|c| !characters.contains(*c)).collect()
}

/// Whether `text` is a mailbox whose local part needs no quotes (RFC 5321, 4.1.2), at most 254 bytes.
pub(super) fn is_email(text: &str) -> bool {
    let atom = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
    };
    let label = |part: &str| {
        (1..=63).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    text.len() <= 254
        && text.rsplit_once('@').is_some_and(|(local, domain)| {
            local.len() <= 64
                && local.split('.').all(atom)
                && domain.contains('.')
                && domain.split('.').all(label)
        })
}

/// Whether `text` is a number of ITU-T E.164: `+` and 7 to 15 digits, the first not zero.
pub(super) fn is_phone(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0')
    })
}

/// Whether `text` is an account number whose check digits are right (ISO 13616, ISO 7064 MOD 97-10).
pub(super) fn is_iban(text: &str) -> bool {
    let sound = (15..=34).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && text.bytes().take(2).all(|b| b.is_ascii_uppercase())
        && text.bytes().skip(2).take(2).all(|b| b.is_ascii_digit());
    let digits = text.chars().skip(4).chain(text.chars().take(4)).filter_map(|c| c.to_digit(36));
    let rest = digits.fold(0, |rest, digit| (rest * if digit > 9 { 100 } else { 10 } + digit) % 97);
    sound && rest == 1
}

/// Forms of VAT identification numbers (Directive 2006/112/EC, Article 215): `#` is a digit, `A` a letter, `*` either.
const VAT: &[(&str, &[&str])] = &[
    ("ATU", &["########"]),
    ("BE", &["##########"]),
    ("BG", &["#########", "##########"]),
    ("CHE", &["#########"]),
    ("CY", &["########A"]),
    ("CZ", &["########", "#########", "##########"]),
    ("DE", &["#########"]),
    ("DK", &["########"]),
    ("EE", &["#########"]),
    ("EL", &["#########"]),
    ("ES", &["*#######*"]),
    ("FI", &["########"]),
    ("FR", &["**#########"]),
    ("GB", &["#########", "############"]),
    ("HR", &["###########"]),
    ("HU", &["########"]),
    ("IE", &["#######A", "#######AA", "#A#####A"]),
    ("IT", &["###########"]),
    ("LT", &["#########", "############"]),
    ("LU", &["########"]),
    ("LV", &["###########"]),
    ("MT", &["########"]),
    ("NL", &["************"]),
    ("PL", &["##########"]),
    ("PT", &["#########"]),
    ("RO", &["##", "###", "####", "#####", "######", "#######", "########", "#########", "##########"]),
    ("SE", &["############"]),
    ("SI", &["########"]),
    ("SK", &["##########"]),
    ("XI", &["#########", "############"]),
];

/// Whether `text` has the form of a VAT identification number of its country.
pub(super) fn is_vat_id(text: &str) -> bool {
    let fits = |number: &str, form: &&str| {
        number.len() == form.len()
            && number.bytes().zip(form.bytes()).all(|(b, form)| match form {
                b'#' => b.is_ascii_digit(),
                b'A' => b.is_ascii_uppercase(),
                _ => b.is_ascii_uppercase() || b.is_ascii_digit(),
            })
    };
    VAT.iter().any(|(country, forms)| {
        text.strip_prefix(country).is_some_and(|number| forms.iter().any(|form| fits(number, form)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_checked_by_their_own_rules() {
        for iban in ["DE89370400440532013000", "GB29NWBK60161331926819", "NO9386011117947"] {
            assert!(is_iban(iban), "{iban}");
            assert!(!is_iban(&iban.replace('9', "8")), "{iban} with a wrong digit");
        }
        assert!(!is_iban("de89370400440532013000") && !is_iban("89DE370400440532013000") && !is_iban(""));
        assert!(is_vat_id("DE123456789") && is_vat_id("ATU12345678") && is_vat_id("FRXX123456789"));
        assert!(!is_vat_id("DE12345678") && !is_vat_id("US123456789") && !is_vat_id("AT12345678"));
        assert!(is_phone("+4930123456") && !is_phone("030123456") && !is_phone("+0301234567"));
        assert!(is_email("a.b+c@example.org") && is_email("x@a-b.example"));
        for bad in ["a@b", "a@@b.c", ".a@b.c", "a b@c.d", "a@-b.c", "a@b..c", "@b.c", "a@é.c", "a\n@b.c"] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn what_was_typed_is_tidied() {
        assert_eq!(tidied("  e\u{301}te\r\nb \n"), "\u{e9}te\nb");
    }
}
