//! Exact, machine-checkable statements of what an item is. What is signed in an exchange is a description,
//! never a wish.
//!
//! A description is written as lines below the path of its leaf, and its hash is taken over exactly those
//! lines without the path:
//!
//! ```text
//! kind: data
//! title: Colour management, an introduction
//! media: application/pdf
//! length: 48213
//! plain: 5f2c…
//! sealed: 91ab…
//! key: 07de…
//! licence: -
//! ```
//!
//! [`Description::matches`] compares what was received with it.

use std::fmt;

use semper_supporting::{
    crypto::{
        digest::Digest,
        signature::{Kid, PublicKey},
    },
    evidence::{
        SignedBytes,
        statement::{StatementError, part_lines},
    },
    money::Money,
    time::Moment,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    fault::Mismatch,
    item::{Kind, PayRef, SysId},
    tagged::tagged,
};

/// What an item is, exactly.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Description {
    /// A credential.
    Credential(CredentialDescription),
    /// Data.
    Data(DataDescription),
    /// A payment.
    Payment(PaymentDescription),
    /// A statement.
    Statement(StatementDescription),
}

tagged!(pub Description, Kind {
    Credential(CredentialDescription),
    Data(DataDescription),
    Payment(PaymentDescription),
    Statement(StatementDescription),
});

/// A text that somebody signs.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct StatementDescription {
    /// What it is for.
    pub semantics: Semantics,
    /// SHA-256 of the exact bytes that are signed.
    pub text: Digest,
    /// The media type of the text.
    pub media: String,
    /// The signer's certificate: SHA-256 of its DER.
    pub signer: Digest,
    /// Whom it is made out to.
    #[serde(rename = "for")]
    pub addressee: Addressee,
}

/// What a statement is for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Semantics {
    /// It acknowledges something.
    Acknowledgement,
    /// It certifies something, also towards others.
    Certificate,
    /// It is one side's signature on a contract.
    Contract,
    /// It offers something and binds its signer.
    Offer,
    /// It orders something and binds its signer.
    Order,
    /// Anything else.
    Other,
    /// It confirms that something was received.
    Receipt,
}

/// Whom a statement is made out to.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Addressee {
    /// Whoever holds it, `*`.
    Anybody,
    /// The holder of this certificate: SHA-256 of its DER.
    Certificate(Digest),
}

/// Bytes, by their digests.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct DataDescription {
    /// What people call it.
    pub title: String,
    /// The media type.
    pub media: String,
    /// Length in bytes before sealing.
    pub length: u64,
    /// SHA-256 of the content.
    pub plain: Digest,
    /// SHA-256 of the sealed content, if it is sealed.
    pub sealed: Option<Digest>,
    /// The commitment to the content key, if it is sealed.
    pub key: Option<Digest>,
    /// SHA-256 of the licence, if there is one.
    pub licence: Option<Digest>,
}

/// A sum of money on its way from one party to the other.
///
/// Before the means of payment are negotiated, the optional lines are absent.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct PaymentDescription {
    /// How much the payee gets.
    pub amount: Money,
    /// The reference both sides derived.
    #[serde(rename = "ref")]
    pub reference: Option<PayRef>,
    /// Whether it goes directly or through an escrow.
    pub mode: Option<Mode>,
    /// Who pays, as the payee and the bank know it: a reference, possibly blinded.
    pub payer: Option<String>,
    /// Who is paid: an account or another reference.
    pub payee: Option<String>,
    /// The payment system.
    pub module: Option<SysId>,
    /// How money moves in it.
    pub model: Option<Model>,
    /// The certificate of whoever keeps the record: SHA-256 of its DER.
    pub authority: Option<Digest>,
    /// What the payer pays beside the amount.
    pub fees: Option<Money>,
}

/// How a payment reaches the payee.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// At once.
    Direct,
    /// Through a hold that a third party can capture or void.
    Escrow,
}

/// How money moves in a payment system.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    /// From account to account.
    Account,
    /// As coins or a stored value.
    Cash,
    /// As an order the payee presents.
    Cheque,
}

/// A right bound to a holder's key.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct CredentialDescription {
    /// Its type, in the issuer's words.
    #[serde(rename = "type")]
    pub kind: String,
    /// SHA-256 of its attributes.
    pub attributes: Digest,
    /// The issuer's certificate: SHA-256 of its DER.
    pub issuer: Digest,
    /// The holder's key.
    pub holder_key: Kid,
    /// From when it is valid.
    pub valid_from: Moment,
    /// Until when it is valid.
    pub valid_to: Moment,
    /// The certificate of the service that says whether it was revoked: SHA-256 of its DER.
    pub status_service: Option<Digest>,
}

/// What was received for a leaf, with everything a comparison needs.
#[derive(Clone, Copy, Debug)]
pub enum Received<'a> {
    /// Signed bytes, and the key of the certificate the description names as signer.
    Statement {
        /// The bytes and the signature over them.
        signed: &'a SignedBytes,
        /// The key of the certificate named in the description, checked by the caller.
        key: &'a PublicKey,
    },
    /// Content, measured while it was streamed.
    Data {
        /// Its length in bytes.
        length: u64,
        /// Its SHA-256.
        plain: Digest,
    },
    /// What the authority's record says; its signature and binding were checked by the payment module.
    Payment {
        /// The reference the record is kept under.
        reference: PayRef,
        /// How much the payee got.
        amount: Money,
        /// Who was paid.
        payee: &'a str,
    },
    /// A credential whose issuer and status were checked by the credential module.
    Credential(&'a CredentialDescription),
}

impl Description {
    /// The exact lines the hash is taken over, each with its LF.
    ///
    /// # Errors
    /// [`StatementError::Unwritable`] for a text that no statement carries.
    pub fn lines(&self) -> Result<String, StatementError> {
        part_lines(self)
    }

    /// The name of this description in permits, records and decisions: SHA-256 of its lines.
    ///
    /// # Errors
    /// [`StatementError::Unwritable`] for a text that no statement carries.
    pub fn hash(&self) -> Result<Digest, StatementError> {
        self.lines().map(|lines| Digest::of(lines.as_bytes()))
    }

    /// Compares what was received with this description.
    ///
    /// # Errors
    /// [`Mismatch`] naming the first difference.
    pub fn matches(&self, received: &Received<'_>) -> Result<(), Mismatch> {
        match (self, received) {
            (Self::Statement(wanted), Received::Statement { signed, key }) => wanted.matches(signed, key),
            (Self::Data(wanted), Received::Data { length, plain }) => wanted.matches(*length, plain),
            (Self::Payment(wanted), Received::Payment { reference, amount, payee }) => {
                same(wanted.reference == Some(*reference), Mismatch::Reference)?;
                same(wanted.amount == *amount, Mismatch::Amount)?;
                same(wanted.payee.as_deref() == Some(*payee), Mismatch::Payee)
            }
            (Self::Credential(wanted), Received::Credential(got)) => {
                same(wanted == *got, Mismatch::Credential)
            }
            _ => Err(Mismatch::Kind),
        }
    }
}

impl StatementDescription {
    /// Compares signed bytes with this description: the exact text, signed by the key of the named
    /// certificate.
    ///
    /// # Errors
    /// [`Mismatch::Text`] or [`Mismatch::Signature`].
    pub fn matches(&self, signed: &SignedBytes, key: &PublicKey) -> Result<(), Mismatch> {
        same(signed.digest() == self.text, Mismatch::Text)?;
        key.verify(&signed.tbs, &signed.signature).map_err(|_| Mismatch::Signature)
    }
}

impl DataDescription {
    /// Compares length and digest of content with this description.
    ///
    /// # Errors
    /// [`Mismatch::Length`] or [`Mismatch::Content`].
    pub fn matches(&self, length: u64, plain: &Digest) -> Result<(), Mismatch> {
        same(self.length == length, Mismatch::Length)?;
        same(self.plain == *plain, Mismatch::Content)
    }
}

fn same(equal: bool, otherwise: Mismatch) -> Result<(), Mismatch> {
    if equal { Ok(()) } else { Err(otherwise) }
}

impl fmt::Display for Addressee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anybody => f.write_str("*"),
            Self::Certificate(digest) => fmt::Display::fmt(digest, f),
        }
    }
}

impl Serialize for Addressee {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Addressee {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "*" => Ok(Self::Anybody),
            other => Digest::parse(other).map(Self::Certificate).map_err(de::Error::custom),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::Path;

    use semper_supporting::{
        deal::DealId,
        evidence::statement::{Statement, from_bytes, to_bytes},
        wire,
    };

    use super::*;

    pub(crate) fn data(title: &str) -> DataDescription {
        DataDescription {
            title: title.into(),
            media: "application/pdf".into(),
            length: 48_213,
            plain: Digest::of(b"plain"),
            sealed: Some(Digest::of(b"sealed")),
            key: Some(Digest::of(b"key")),
            licence: None,
        }
    }

    pub(crate) fn receipt() -> StatementDescription {
        StatementDescription {
            semantics: Semantics::Receipt,
            text: Digest::of(b"text"),
            media: "text/plain".into(),
            signer: Digest::of(b"seller"),
            addressee: Addressee::Certificate(Digest::of(b"buyer")),
        }
    }

    fn payment() -> PaymentDescription {
        PaymentDescription {
            amount: Money::parse("XTS 12.50").unwrap(),
            reference: Some(PayRef::from_bytes(*DealId::from_bytes([7; 32]).as_bytes())),
            mode: Some(Mode::Direct),
            payer: None,
            payee: Some("merch-1".into()),
            module: SysId::new("sim").ok(),
            model: Some(Model::Account),
            authority: Some(Digest::of(b"bank")),
            fees: None,
        }
    }

    fn ticket() -> CredentialDescription {
        CredentialDescription {
            kind: "ticket".into(),
            attributes: Digest::of(b"row 7"),
            issuer: Digest::of(b"theatre"),
            holder_key: Kid::from_bytes([9; 32]),
            valid_from: Moment::from_seconds(1_772_359_200),
            valid_to: Moment::from_seconds(1_772_445_600),
            status_service: None,
        }
    }

    pub(crate) fn one_of_each() -> [Description; 4] {
        [
            data("Colour management, an introduction").into(),
            receipt().into(),
            payment().into(),
            ticket().into(),
        ]
    }

    #[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
    struct Carrier {
        leaf: Description,
    }

    impl Statement for Carrier {
        const TYPE: &'static str = "x/gxv/offer";
    }

    /// The golden files show each kind's lines and the hash over exactly these bytes (`sha256sum`).
    #[test]
    fn the_lines_of_each_kind_are_those_of_the_golden_files() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/description");
        for description in one_of_each() {
            let name = match description.kind() {
                Kind::Credential => "credential",
                Kind::Data => "data",
                Kind::Payment => "payment",
                Kind::Statement => "statement",
            };
            let lines = description.lines().unwrap();
            assert_eq!(include(&folder, &format!("{name}.txt")), lines, "{name}");
            let sum = format!("{}  {name}.txt\n", description.hash().unwrap());
            assert!(include(&folder, "SHA256SUMS").contains(&sum), "{sum}");
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a test reads its golden files")]
    fn include(folder: &Path, name: &str) -> String {
        std::fs::read_to_string(folder.join(name)).unwrap()
    }

    #[test]
    fn a_description_is_read_as_it_was_written() {
        for leaf in one_of_each() {
            let bytes = to_bytes(&Carrier { leaf: leaf.clone() }).unwrap();
            assert_eq!(from_bytes(&bytes), Ok(Carrier { leaf: leaf.clone() }));
            let journaled = wire::encode(&leaf, 4096).unwrap();
            assert_eq!(wire::decode(&journaled, 4096), Ok(leaf));
        }
    }

    #[test]
    fn lines_of_another_kind_are_refused() {
        let bytes = to_bytes(&Carrier { leaf: data("x").into() }).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        for (from, to) in
            [("kind: data", "kind: payment"), ("kind: data", "kind: money"), ("leaf/key: ", "leaf/kex: ")]
        {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text);
            assert!(from_bytes::<Carrier>(changed.as_bytes()).is_err(), "{to}");
        }
    }

    #[test]
    fn data_matches_by_length_and_content_only() {
        let wanted = Description::from(data("x"));
        let got = |length, plain| wanted.matches(&Received::Data { length, plain });
        assert_eq!(got(48_213, Digest::of(b"plain")), Ok(()));
        assert_eq!(got(48_212, Digest::of(b"plain")), Err(Mismatch::Length));
        assert_eq!(got(48_213, Digest::of(b"other")), Err(Mismatch::Content));
    }

    #[test]
    fn a_payment_matches_its_own_record_only() {
        let wanted = Description::from(payment());
        let got = |reference: [u8; 32], amount: &str, payee: &str| {
            let amount = Money::parse(amount).unwrap();
            wanted.matches(&Received::Payment { reference: PayRef::from_bytes(reference), amount, payee })
        };
        assert_eq!(got([7; 32], "XTS 12.50", "merch-1"), Ok(()));
        assert_eq!(got([8; 32], "XTS 12.50", "merch-1"), Err(Mismatch::Reference));
        assert_eq!(got([7; 32], "XTS 12.49", "merch-1"), Err(Mismatch::Amount));
        assert_eq!(got([7; 32], "EUR 12.50", "merch-1"), Err(Mismatch::Amount));
        assert_eq!(got([7; 32], "XTS 12.50", "merch-2"), Err(Mismatch::Payee));
        assert_eq!(wanted.matches(&Received::Credential(&ticket())), Err(Mismatch::Kind));
    }
}
