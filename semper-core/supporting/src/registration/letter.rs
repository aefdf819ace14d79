//! The letter that a registration authority hands over: what the applicant types in, and what he compares.

use super::prk::Prk;
use crate::{
    certificate::{Certificate, words},
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
    }
}
