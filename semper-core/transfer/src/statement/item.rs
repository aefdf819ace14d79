//! Statement items: the closed list of what parties sign for each other, and the lines they have in common.
//!
//! The type of a statement item is one of ten words, whatever the terms of business call the item: a service
//! that could name an item `rollover` would break the separation of domains. The name in the terms is the
//! line `item`.

use semper_supporting::{
    crypto::{digest::Digest, signature::Kid},
    deal::DealId,
    evidence::{
        Signable, SignedBytes,
        signed::EvidenceError,
        statement::{self, Statement, StatementError},
    },
    time::Moment,
};
use serde::{Deserialize, Serialize};

semper_supporting::identifier! {
    /// Random bytes in a statement whose content could be guessed from its hash.
    Salt, 16
}

/// The lines every statement inside a deal begins with.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct InDeal {
    /// The deal.
    pub deal: Option<DealId>,
    /// SHA-256 of the terms of business.
    pub terms_sha256: Option<Digest>,
    /// The hash of the state of the deal in which it is said.
    pub conf: Option<Digest>,
    /// The number of the message in the deal, in its direction.
    pub seq: u64,
    /// When it is signed, by the signer's clock, in whole seconds.
    pub at: Moment,
    /// The signing key.
    pub signer: Kid,
    /// The signer's certificate: SHA-256 of its DER.
    pub cert: Digest,
    /// Random bytes, where the content could be guessed.
    pub salt: Option<Salt>,
}

/// The lines of a statement item. Its content is in the forms and statements it names.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Lines {
    /// What every statement inside a deal says.
    #[serde(rename = "")]
    pub in_deal: InDeal,
    /// The item's name in the terms of business: `sale.order`.
    pub item: String,
    /// The roots of the forms it is about.
    pub form_sha256: Vec<Digest>,
    /// The hashes of the statements it is about.
    pub over: Vec<Digest>,
    /// Whether it is an offer or acceptance that binds its signer.
    pub binds: bool,
    /// Until when it binds.
    pub until: Option<Moment>,
    /// SHA-256 of the text as it was displayed to the signer, if a person signed.
    pub text_sha256: Option<Digest>,
    /// The language of that text.
    pub locale: Option<String>,
    /// The rules by which that text was made.
    pub facts_profile: Option<String>,
}

/// Declares the types of statement items.
macro_rules! items {
    ($($(#[$meta:meta])* $name:ident = $type:literal),* $(,)?) => {
        /// The types of statement items.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum ItemType {
            $( $(#[$meta])* $name, )*
        }

        impl ItemType {
            /// All of them.
            pub const ALL: &'static [Self] = &[$( Self::$name ),*];

            /// The word in the first line.
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$name => $type ),* }
            }

            /// Reads a statement item of this type.
            ///
            /// # Errors
            /// [`StatementError`].
            pub fn read(self, tbs: &[u8]) -> Result<Lines, StatementError> {
                match self { $( Self::$name => statement::from_bytes::<$name>(tbs).map(|item| item.0) ),* }
            }

            /// Writes a statement item of this type: the exact bytes to be signed.
            ///
            /// # Errors
            /// [`StatementError::Unwritable`].
            pub fn write(self, lines: Lines) -> Result<Vec<u8>, StatementError> {
                match self { $( Self::$name => statement::to_bytes(&$name(lines)) ),* }
            }
        }

        $(
            $(#[$meta])*
            #[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
            pub struct $name(pub Lines);

            impl Statement for $name {
                const TYPE: &'static str = $type;
            }

            impl Signable for $name {
                fn signer(&self) -> Kid {
                    self.0.in_deal.signer
                }
            }
        )*
    };
}

items! {
    /// What was ordered arrived and is accepted.
    Accepted = "accepted",
    /// An order is confirmed.
    Confirmation = "confirmation",
    /// One party's signature on a contract.
    Contract = "contract",
    /// Something was sent off.
    Dispatch = "dispatch",
    /// A notice.
    Notice = "notice",
    /// An offer.
    Offer = "offer",
    /// An order.
    Order = "order",
    /// Something was received.
    Receipt = "receipt",
    /// An offer or order is refused.
    Refusal = "refusal",
    /// Any other statement.
    Other = "statement",
}

impl ItemType {
    /// The type of the item the terms of business call `name`: the last segment of the name if it is in the
    /// list, otherwise `statement`.
    pub fn of_item(name: &str) -> Self {
        let last = name.rsplit('.').next().unwrap_or(name);
        Self::ALL.iter().copied().find(|kind| kind.as_str() == last).unwrap_or(Self::Other)
    }

    /// The type whose word is `word`.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }
}

/// Reads any statement item: its type, its lines, and that its type is the one its item's name demands.
///
/// # Errors
/// [`EvidenceError::Statement`] for any other text.
pub fn read(tbs: &[u8]) -> Result<(ItemType, Lines), EvidenceError> {
    let word = statement::type_of(tbs)?;
    let other = || StatementError::Type { expected: "statement", got: word.clone() };
    let kind = ItemType::of_word(&word).ok_or_else(other)?;
    let lines = kind.read(tbs)?;
    if ItemType::of_item(&lines.item) != kind {
        return Err(other().into());
    }
    Ok((kind, lines))
}

/// Reads a signed statement item; its signature is checked by [`crate::description::StatementDescription::matches`].
///
/// # Errors
/// As [`read()`].
pub fn read_signed(signed: &SignedBytes) -> Result<(ItemType, Lines), EvidenceError> {
    read(&signed.tbs)
}

#[cfg(test)]
pub(crate) mod tests {
    use semper_supporting::evidence::registry::is_registered;

    use super::*;

    pub(crate) fn lines(item: &str, signer: Kid, cert: Digest) -> Lines {
        Lines {
            in_deal: InDeal {
                deal: Some(DealId::from_bytes([1; 32])),
                terms_sha256: Some(Digest::of(b"terms")),
                conf: Some(Digest::of(b"conf")),
                seq: 7,
                at: Moment::from_seconds(1_772_359_200),
                signer,
                cert,
                salt: Some(Salt::from_bytes([2; 16])),
            },
            item: item.into(),
            form_sha256: vec![Digest::of(b"form")],
            over: vec![],
            binds: true,
            until: None,
            text_sha256: Some(Digest::of(b"shown")),
            locale: Some("en".into()),
            facts_profile: None,
        }
    }

    #[test]
    fn every_type_of_item_is_registered() {
        assert!(ItemType::ALL.iter().all(|kind| is_registered(kind.as_str())));
    }

    #[test]
    fn a_service_does_not_choose_the_type_of_what_is_signed() {
        assert_eq!(ItemType::of_item("sale.order"), ItemType::Order);
        assert_eq!(ItemType::of_item("order"), ItemType::Order);
        for name in ["rollover", "sale.rollover", "order.x", "x/gxv/offer", "deal-open", "", "."] {
            assert_eq!(ItemType::of_item(name), ItemType::Other, "{name}");
        }
    }

    #[test]
    fn an_item_is_read_as_it_was_written_and_under_its_own_type_only() {
        for kind in ItemType::ALL {
            let name = format!("sale.{}", kind.as_str());
            let lines = lines(&name, Kid::from_bytes([3; 32]), Digest::of(b"seller"));
            let tbs = kind.write(lines.clone()).unwrap();
            assert_eq!(read(&tbs), Ok((*kind, lines.clone())));
            let other = if *kind == ItemType::Order { ItemType::Receipt } else { ItemType::Order };
            assert!(other.read(&tbs).is_err());
            assert!(read(&other.write(lines).unwrap()).is_err(), "{name}");
        }
    }

    #[test]
    fn the_lines_of_an_item_stand_in_the_fixed_order() {
        let lines = lines("sale.receipt", Kid::from_bytes([3; 32]), Digest::of(b"seller"));
        let text = String::from_utf8(ItemType::Receipt.write(lines).unwrap()).unwrap();
        let keys: Vec<&str> = text.lines().skip(1).filter_map(|line| line.split(':').next()).collect();
        assert_eq!(
            keys,
            [
                "deal",
                "terms-sha256",
                "conf",
                "seq",
                "at",
                "signer",
                "cert",
                "salt",
                "item",
                "form-sha256/0",
                "over",
                "binds",
                "until",
                "text-sha256",
                "locale",
                "facts-profile"
            ]
        );
        assert!(text.starts_with("semper-statement/1 receipt\n"));
    }

    #[test]
    fn a_statement_of_a_protocol_is_no_item() {
        assert!(read(b"semper-statement/1 rollover\nitem: sale.order\n").is_err());
        assert!(read(b"order").is_err());
    }
}
