//! The flat chart: states, finals, moves and items of a service after all blocks have been put in place.
//!
//! Only this has a meaning. All names are absolute: an item `price` of a block that is used as `buy` is
//! `buy.price`. Expressions are kept as they are written; the checks compile them.

use std::collections::BTreeMap;

use semper_supporting::{
    crypto::digest::Digest,
    deal::{Anonymity, Confidentiality, EvidenceLevel},
    money::{Currency, Money},
};
use serde::{Deserialize, Serialize};

use super::duration::Duration;

/// The most states of a flat chart.
pub const STATES: usize = 64;
/// The most moves of a flat chart.
pub const MOVES: usize = 200;
/// The most items of a flat chart.
pub const ITEMS: usize = 200;
/// The most forms of a service.
pub const FORMS: usize = 40;
/// The most fields of a form.
pub const FIELDS: usize = 80;

/// A service, flat.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Statechart {
    /// What it is called and for what it is made.
    pub service: Service,
    /// The parties, by name.
    pub parties: BTreeMap<String, Party>,
    /// The values of the deal's attributes that the terms can live with.
    pub context: Context,
    /// What the service asks for.
    pub need: Need,
    /// The forms, by name.
    pub forms: BTreeMap<String, Form>,
    /// What moves, by name.
    pub items: BTreeMap<String, Item>,
    /// Where a deal can stand, by name.
    pub states: BTreeMap<String, State>,
    /// Where a deal can end, by name; no state has the name of a final.
    pub finals: BTreeMap<String, Final>,
    /// What the parties can do, by name.
    pub moves: BTreeMap<String, Move>,
    /// The state in which a deal begins.
    pub start: String,
    /// How disputes are handled.
    pub dispute: Dispute,
    /// The block files by which it was made, by id with version (`std/pay@1.0.0`).
    pub blocks: BTreeMap<String, Digest>,
    /// Which block stands where: the id with version of each, by the path of its use.
    pub uses: BTreeMap<String, String>,
    /// The block files it is pinned to, by id; empty before it was packed.
    pub lock: BTreeMap<String, Digest>,
}

/// What a service is called and for what it is made.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its name in reverse DNS order (`org.semper.info.purchase`).
    pub id: String,
    /// Its version (semantic versioning).
    pub version: String,
    /// What it is, in the language of the file.
    pub title: String,
    /// The kinds of business it is for.
    #[serde(default)]
    pub profile: Vec<String>,
    /// The state, or block, in which a deal begins.
    pub start: String,
    /// The laws it is written for: ISO 3166-1 alpha-2, or `*`.
    #[serde(default)]
    pub law: Vec<String>,
    /// Why the buyer pays before the shop is bound; where it is absent, that is refused.
    pub prepay: Option<String>,
}

/// One party of a deal.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Where it stands.
    pub side: Side,
    /// Which certificate it needs; third parties have a duty instead.
    pub kind: Option<Kind>,
    /// What a third party is for.
    pub duty: Option<String>,
    /// The word shown for it.
    pub says: Option<String>,
}

/// Where a party stands.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Who opens the deal and accepts the terms.
    Client,
    /// Who offers the service under its terms.
    Server,
    /// Who is asked when something went wrong.
    Third,
}

/// Which certificate a party needs.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A private person.
    Consumer,
    /// A merchant.
    Business,
    /// Either.
    Any,
}

/// The values of the deal's attributes that the terms can live with; the user chooses among them.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// What who learns about the client.
    pub anonymity: AnonymityContext,
    /// How content is protected on its way.
    pub confidentiality: Vec<Confidentiality>,
    /// What is proved about what moves.
    pub evidence: Vec<EvidenceLevel>,
    /// In which currencies money may move; empty where none does.
    pub currency: Vec<Currency>,
}

/// What who may learn about the client.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AnonymityContext {
    /// The server.
    pub peer: Vec<Anonymity>,
    /// The bank.
    pub bank: Vec<Anonymity>,
    /// The network address.
    pub network: Vec<Network>,
}

/// Whether the network address of the client is hidden.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    /// It is seen.
    Open,
    /// It is hidden.
    Hidden,
}

/// What a service asks for; exactly what the chart uses, or it is refused.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Need {
    /// The most that the client may have to pay in all.
    pub pay: Option<Money>,
    /// What the client signs, by the last segments of the items' names.
    pub sign: Vec<String>,
    /// Which classes of personal data the client enters.
    pub reveal: Vec<Pii>,
    /// What the client receives beside goods: `credential`.
    pub receive: Vec<String>,
    /// Which third parties it needs.
    pub third: Vec<String>,
    /// How many bytes the client may have to store.
    pub store: Option<Size>,
    /// Which media types may be opened in another program.
    pub open: Vec<String>,
    /// Which services may be opened from within it (`org.semper.retail.mailorder@1`).
    pub subdeal: Vec<String>,
}

/// A number of bytes, written as `50 MiB`, `64 KiB` or `200 B`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Size(pub u64);

/// How personal a field is, least first.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pii {
    /// Not.
    #[default]
    None,
    /// A name.
    Name,
    /// How to reach the person.
    Contact,
    /// Where the person lives.
    Address,
    /// From where the person pays.
    Payment,
}

/// A form: fields that somebody fills in, values computed of them, and rules they keep.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Form {
    /// What it is for.
    pub says: String,
    /// The party that fills it in, or `any`.
    pub fill: String,
    /// Its fields, by name.
    pub fields: BTreeMap<String, Field>,
    /// Values computed by both sides, as expressions, by name.
    pub calc: BTreeMap<String, String>,
    /// Expressions that must be true before the form can be sent, by name.
    pub check: BTreeMap<String, Check>,
}

/// A rule of a form.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Check {
    /// The expression.
    pub rule: String,
    /// What is said to whoever breaks it.
    pub says: Option<String>,
}

/// A field of a form.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Field {
    /// What values it takes.
    pub kind: FieldKind,
    /// The word shown for it; its name where absent.
    pub says: Option<String>,
    /// Who fills it in, where that is not who fills in the form.
    pub by: Option<String>,
    /// Whether it may stay empty.
    pub optional: bool,
    /// Whether a business application may propose a value.
    pub app: bool,
    /// How personal it is.
    pub pii: Pii,
}

/// What values a field takes.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "type")]
pub enum FieldKind {
    /// Text in one or more lines.
    Text {
        /// The fewest characters.
        min: Option<u64>,
        /// The most characters.
        max: Option<u64>,
        /// A regular expression that the whole text matches.
        pattern: Option<String>,
    },
    /// A whole number.
    Int {
        /// The least.
        min: Option<i64>,
        /// The greatest.
        max: Option<i64>,
    },
    /// Yes or no.
    Bool,
    /// One of some values.
    Choice {
        /// The values.
        of: Vec<String>,
    },
    /// Some of some values.
    ChoiceSet {
        /// The values.
        of: Vec<String>,
        /// The fewest that are chosen.
        min: u64,
    },
    /// A sum of money.
    Money {
        /// Its currency, where only one will do.
        currency: Option<Currency>,
    },
    /// A day.
    Date,
    /// A point in time.
    Datetime,
    /// A span of time.
    Duration,
    /// Lines of an order: what, how many, at what price.
    OrderLines {
        /// The fewest lines.
        min: u64,
        /// The most lines.
        max: u64,
    },
    /// What a shop calls an article.
    Sku,
    /// Another party.
    PartyRef,
    /// A credential that must verify.
    CredentialRef {
        /// Its type.
        credential: String,
    },
    /// What goods are, before they are seen: media type, length, hash, title.
    ContentDescriptor,
    /// A file.
    File {
        /// The media types it may have; `*` for any.
        mime: Vec<String>,
        /// The most bytes.
        max: Size,
    },
    /// The name of a person.
    PersonName,
    /// An address for post.
    PostalAddress {
        /// The countries (ISO 3166-1 alpha-2) it may be in; empty for any.
        countries: Vec<String>,
    },
    /// An address for electronic mail.
    Email,
    /// A telephone number.
    Phone,
    /// A country (ISO 3166-1 alpha-2).
    Country {
        /// Those it may be; empty for any.
        countries: Vec<String>,
    },
    /// A VAT identification number.
    VatId,
    /// An international bank account number (ISO 13616).
    Iban,
    /// A certified attribute of the person, shown without anything else.
    AttributeProof {
        /// The attribute (`age>=18`).
        attribute: String,
    },
    /// A text that the user ticks after having seen all of it.
    Consent {
        /// The file of the text, without language and suffix (`prose/rules`).
        text: String,
    },
}

/// What may move.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Item {
    /// Bytes.
    Information {
        /// Who gives it.
        from: String,
        /// What it is.
        content: Content,
        /// The items it is given for.
        counters: Vec<String>,
    },
    /// A signed statement.
    Signature {
        /// Who signs.
        by: String,
        /// What is signed.
        over: Vec<Over>,
        /// Whether it is an offer or an acceptance that binds its signer.
        binds: bool,
        /// How long it holds.
        until: Option<Until>,
        /// What it entitles its holder to.
        credential: Option<Credential>,
        /// The items it is given for.
        counters: Vec<String>,
    },
    /// Money.
    Money {
        /// Who pays.
        from: String,
        /// Who is paid.
        to: String,
        /// How much, as an expression.
        amount: String,
        /// How much at most.
        max: Option<Money>,
        /// The items it is given for: what a refund refunds.
        counters: Vec<String>,
    },
}

/// What an item of information is.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// A form, filled in.
    Carries(String),
    /// What an expression describes.
    Matches(String),
}

/// What a signature is over.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Over {
    /// Another item, by its hash.
    Item(String),
    /// A form, filled in, by its hash.
    Form(String),
}

/// Until when something holds.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Until {
    /// For as long, from when it was made.
    After(Duration),
    /// Until the time that an expression gives.
    At(String),
}

/// What a signature entitles its holder to.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Credential {
    /// Who may use it: `buyer` or another party, or `bearer`.
    pub holder: String,
    /// What it is (`ticket`).
    #[serde(rename = "type")]
    pub kind: String,
    /// How many uses, as an expression; one where absent.
    pub count: Option<String>,
    /// Until when.
    pub until: Option<Until>,
    /// How it is shown.
    pub show: Show,
}

/// How a credential is shown.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Show {
    /// To everybody.
    Public,
    /// By a signature under the pseudonym it was issued to.
    Pseudonym,
    /// Once, by its serial number.
    Once,
}

/// Where a deal can stand.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct State {
    /// Who must act.
    pub owes: Vec<String>,
    /// For how long at most a deal stands here.
    pub limit: Duration,
    /// A time, as an expression; the earlier of it and the limit counts.
    pub until: Option<String>,
    /// Where the deal goes when the time is over.
    pub late: String,
    /// Who may complain here.
    pub complain: Vec<String>,
    /// Whose move stands where two cross.
    pub first: Option<String>,
    /// What this state is, in words.
    pub says: String,
}

/// Where a deal can end.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Final {
    /// Whether nobody has cause to be discontent.
    pub good: bool,
    /// For how long who may still complain.
    #[serde(default)]
    pub complain: BTreeMap<String, Duration>,
    /// The service that is opened next, as an expression.
    pub opens: Option<String>,
    /// What this end is, in words.
    pub says: String,
}

/// What a party can do.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Move {
    /// Where the deal stands before.
    pub from: String,
    /// Where it stands after.
    pub to: String,
    /// What kind of transfer or exchange it is.
    pub cell: Cell,
    /// Who starts.
    pub by: String,
    /// Who gives what.
    pub gives: BTreeMap<String, Package>,
    /// When it is allowed, as an expression.
    pub when: Option<String>,
    /// How often in one deal, where that is limited.
    pub max: Option<u32>,
    /// Where the deal stands when nothing moved.
    pub fail: String,
    /// Who decides without a person at the TINGUIN.
    pub decide: BTreeMap<String, Decide>,
}

/// What one party gives in a move: an item, or several that are given together.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Package {
    /// One item.
    Item(String),
    /// All of these, or none.
    All(Vec<Package>),
}

/// Who decides for a party, where that is not a person at the TINGUIN.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decide {
    /// The merchant's application, or a person who works with it.
    App,
    /// Nobody: it is done as soon as it is allowed.
    Auto,
}

/// The kind of transfer or exchange that a move is (the table of exchanges of the 1999 paper, its Figure 2).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cell {
    /// Money against nothing.
    Payment,
    /// A signature against nothing.
    SignatureTransfer,
    /// Information against nothing.
    InformationTransfer,
    /// Money against money.
    FairMoneyExchange,
    /// Money against a signature.
    FairPaymentWithReceipt,
    /// Money against information.
    FairPurchase,
    /// A signature against a signature.
    FairContractSigning,
    /// Information against a signature.
    CertifiedMail,
    /// Information against information.
    FairInformationExchange,
    /// Several items, of any kinds, against nothing.
    PackageTransfer,
    /// Several items, of any kinds, against one or several of any kinds.
    FairPackageExchange,
    /// A decision that is made known; nothing moves.
    Step,
}

/// How disputes are handled.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dispute {
    /// How long a fault can be made good before it is a dispute.
    pub cure: Duration,
    /// Who pays the arbiter.
    pub fee: Fee,
    /// SHA-256 of the text of the rules, where it is not the one that was current when the service was packed.
    pub rules: Option<Digest>,
    /// SHA-256 of the standard clause of affidavits.
    pub clause: Option<Digest>,
}

/// Who pays the arbiter.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fee {
    /// Who loses.
    #[default]
    Loser,
    /// Both, half each.
    Split,
}

impl Default for Dispute {
    fn default() -> Self {
        Self { cure: Duration::days(7), fee: Fee::Loser, rules: None, clause: None }
    }
}

impl Item {
    /// Who gives it.
    pub fn giver(&self) -> &str {
        match self {
            Self::Information { from, .. } | Self::Money { from, .. } => from,
            Self::Signature { by, .. } => by,
        }
    }

    /// The items it is given for.
    pub fn counters(&self) -> &[String] {
        match self {
            Self::Information { counters, .. }
            | Self::Signature { counters, .. }
            | Self::Money { counters, .. } => counters,
        }
    }
}

impl Package {
    /// The items in it, from left to right.
    pub fn leaves(&self) -> Vec<&str> {
        match self {
            Self::Item(item) => vec![item],
            Self::All(all) => all.iter().flat_map(Self::leaves).collect(),
        }
    }
}

impl Cell {
    /// Its word in the format.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::SignatureTransfer => "signature-transfer",
            Self::InformationTransfer => "information-transfer",
            Self::FairMoneyExchange => "fair-money-exchange",
            Self::FairPaymentWithReceipt => "fair-payment-with-receipt",
            Self::FairPurchase => "fair-purchase",
            Self::FairContractSigning => "fair-contract-signing",
            Self::CertifiedMail => "certified-mail",
            Self::FairInformationExchange => "fair-information-exchange",
            Self::PackageTransfer => "package-transfer",
            Self::FairPackageExchange => "fair-package-exchange",
            Self::Step => "step",
        }
    }

    /// Whether both sides give something, so that it takes a fair exchange.
    pub fn is_exchange(self) -> bool {
        !matches!(
            self,
            Self::Payment
                | Self::SignatureTransfer
                | Self::InformationTransfer
                | Self::PackageTransfer
                | Self::Step
        )
    }
}

impl Move {
    /// What `party` gives in it, from left to right.
    pub fn given_by(&self, party: &str) -> Vec<&str> {
        self.gives.get(party).map(Package::leaves).unwrap_or_default()
    }

    /// All items that it moves.
    pub fn items(&self) -> impl Iterator<Item = &str> {
        self.gives.values().flat_map(Package::leaves)
    }
}

impl Statechart {
    /// The name of the party on `side`, the first where there are several.
    pub fn party_on(&self, side: Side) -> Option<&str> {
        self.parties.iter().find(|(_, party)| party.side == side).map(|(name, _)| name.as_str())
    }

    /// The moves that leave `state`, by name.
    pub fn moves_from<'a>(&'a self, state: &'a str) -> impl Iterator<Item = (&'a str, &'a Move)> {
        self.moves.iter().filter(move |(_, one)| one.from == state).map(|(name, one)| (name.as_str(), one))
    }
}
