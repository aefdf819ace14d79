//! The letter that a registration authority hands over: what the applicant types in, and what he compares.

use super::prk::{Prk, PrkFault};
use crate::{
    certificate::{Certificate, words},
    fault::{Blame, Fault, Standing},
    registration::record::Names,
};

/// What stands in the letter.
#[derive(Debug)]
pub struct Letter<'a> {
    /// To whom it goes.
    pub names: &'a Names,
    /// The authority, as people call it.
    pub authority: &'a str,
    /// The name of its host.
    pub host: &'a str,
    /// Its port.
    pub port: u16,
    /// The registration key. Printed here and nowhere else.
    pub prk: &'a Prk,
    /// The root above the authority.
    pub root: &'a Certificate,
}

impl Letter<'_> {
    /// The letter as a page of plain text, lines of at most 72 characters but for long names.
    pub fn text(&self) -> String {
        let digest = self.root.digest();
        let words = words::fingerprint(&digest);
        let (first, second) = words.split_at(words.len() / 2);
        let hexadecimal = digest.to_string();
        let (upper, lower) = hexadecimal.split_at(hexadecimal.len() / 2);
        let mut page = format!("{}\nLetter of registration\n\n", self.authority);
        let facts = [
            ("For", Some(self.names.name.as_str())),
            ("Organisation", self.names.organisation.as_deref()),
            ("City", self.names.city.as_deref()),
            ("Country", self.names.country.as_deref()),
            ("Address", Some(&format!("{}:{}", self.host, self.port))),
            ("Registration key", Some(&self.prk.text())),
        ];
        for (label, value) in facts {
            if let Some(value) = value {
                page.push_str(&format!("{label:<18}{value}\n"));
            }
        }
        page.push_str(&format!(
            "
Compare these words with those on your screen before you go on:

    {}
    {}

They are the first 64 bits of the root's SHA-256, which is in full:

    {upper}
    {lower}

Enter the names exactly as they are printed here. The registration key
gives one set of certificates, once; after 20 wrong tries it is void.
Keep this letter: with it you can have the certificates revoked.
",
            first.join(" "),
            second.join(" "),
        ));
        page
    }
}

/// A letter as its receiver has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Received {
    /// To whom it went.
    pub names: Names,
    /// Where the authority is: host and port, not looked at yet.
    pub address: String,
    /// The registration key.
    pub prk: Prk,
    /// The eight words.
    words: String,
    /// The whole digest of the root.
    digest: String,
}

/// Why a text is no letter, or not one from the authority of this root.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LetterFault {
    /// A line that every letter has is not there.
    #[error("The letter has no line {line:?}.")]
    Line {
        /// The label of the line.
        line: &'static str,
    },
    /// The registration key in it is none.
    #[error(transparent)]
    Prk(#[from] PrkFault),
    /// The words or the digest in it are not those of the root.
    #[error("The words in the letter are not those of this root.")]
    OtherRoot,
}

impl Fault for LetterFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Line { .. } => "letter.line",
            Self::Prk(fault) => fault.code(),
            Self::OtherRoot => "letter.other-root",
        }
    }

    fn blame(&self) -> Blame {
        Blame::User
    }

    fn standing(&self) -> Standing {
        Standing::NothingMoved
    }
}

impl Received {
    /// Reads the page of a letter.
    ///
    /// # Errors
    /// [`LetterFault::Line`] and [`LetterFault::Prk`].
    pub fn read(page: &str) -> Result<Self, LetterFault> {
        let line = |label: &str| {
            let behind = page.lines().filter_map(|line| line.strip_prefix(label));
            behind.filter(|rest| rest.starts_with(' ')).map(str::trim).next()
        };
        let must = |label: &'static str| line(label).ok_or(LetterFault::Line { line: label });
        let names = Names {
            name: must("For")?.to_owned(),
            organisation: line("Organisation").map(str::to_owned),
            city: line("City").map(str::to_owned),
            country: line("Country").map(str::to_owned),
        };
        let mut compared = page.lines().filter_map(|line| line.strip_prefix("    "));
        let mut two = || match (compared.next(), compared.next()) {
            (Some(first), Some(second)) => Ok((first, second)),
            _ => Err(LetterFault::Line { line: "Compare these words" }),
        };
        let ((first, second), (upper, lower)) = (two()?, two()?);
        Ok(Self {
            names,
            address: must("Address")?.to_owned(),
            prk: Prk::parse(must("Registration key")?)?,
            words: format!("{first} {second}"),
            digest: format!("{upper}{lower}"),
        })
    }

    /// What somebody has typed from a letter, who has compared the words in it with those of `root`.
    pub fn typed(names: Names, address: String, prk: Prk, root: &Certificate) -> Self {
        let digest = root.digest();
        let words = words::fingerprint(&digest).join(" ");
        Self { names, address, prk, words, digest: digest.to_string() }
    }

    /// Compares the words and the digest in the letter with those of `root`.
    ///
    /// # Errors
    /// [`LetterFault::OtherRoot`]: whoever sent the root is not who sent the letter.
    pub fn compare(&self, root: &Certificate) -> Result<(), LetterFault> {
        let digest = root.digest();
        let same = words::is_fingerprint(&self.words, &digest) && self.digest == digest.to_string();
        if same { Ok(()) } else { Err(LetterFault::OtherRoot) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_letter_holds_what_is_typed_in_and_what_is_compared() {
        let names = Names {
            name: "Ada Weber".into(),
            organisation: None,
            city: Some("Darmstadt".into()),
            country: Some("DE".into()),
        };
        let (prk, root) = (Prk::from_random(&[9; 14]), Certificate::from_der(b"root").unwrap());
        let letter = Letter {
            names: &names,
            authority: "GMD CA",
            host: "ca.example",
            port: 7443,
            prk: &prk,
            root: &root,
        };
        let text = letter.text();
        assert!(
            text.contains(&*prk.text()) && text.contains("ca.example:7443") && text.contains("Ada Weber")
        );
        assert!(!text.contains("Organisation"));
        let from = text.find("go on:").unwrap() + 6;
        let to = text.find("They are").unwrap();
        assert!(words::is_fingerprint(&text[from..to], &root.digest()));
        let hexadecimal: String = text.split_whitespace().filter(|word| word.len() == 32).collect();
        assert_eq!(hexadecimal, root.digest().to_string());
        assert!(text.lines().all(|line| line.len() <= 72));

        let received = Received::read(&text).unwrap();
        assert_eq!((&received.names, received.address.as_str()), (&names, "ca.example:7443"));
        assert_eq!(received.prk, prk);
        let typed = Received::typed(names.clone(), "ca.example:7443".into(), prk.clone(), &root);
        assert!(typed == received && typed.compare(&root).is_ok());
        assert_eq!(received.compare(&root), Ok(()));
        let other = Certificate::from_der(b"another").unwrap();
        assert_eq!(received.compare(&other), Err(LetterFault::OtherRoot));
        // One word or one digit that differs is enough.
        for (from, to) in [(words::fingerprint(&root.digest())[7], "zebra"), (&hexadecimal[60..], "xxxx")] {
            let (head, tail) = text.rsplit_once(from).unwrap();
            let changed = Received::read(&format!("{head}{to}{tail}")).unwrap();
            assert_eq!(changed.compare(&root), Err(LetterFault::OtherRoot), "{from}");
        }
    }

    #[test]
    fn a_page_that_lacks_a_line_is_no_letter() {
        let names = Names { name: "Ada Weber".into(), organisation: None, city: None, country: None };
        let (prk, root) = (Prk::from_random(&[9; 14]), Certificate::from_der(b"root").unwrap());
        let letter = Letter { names: &names, authority: "CA", host: "ca", port: 1, prk: &prk, root: &root };
        let text = letter.text();
        for (label, code) in [
            ("For", "letter.line"),
            ("Address", "letter.line"),
            ("Registration key", "letter.line"),
            ("    ", "letter.line"),
        ] {
            let without: Vec<_> = text.lines().filter(|line| !line.starts_with(label)).collect();
            assert_eq!(Received::read(&without.join("\n")).unwrap_err().code(), code, "{label}");
        }
        let typo = text.replace(&*prk.text(), "AAAA-BBBB-CCCC-DDDD");
        assert_eq!(Received::read(&typo).unwrap_err().code(), "prk.unclear");
    }
}
