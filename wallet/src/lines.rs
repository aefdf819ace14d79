//! The journal as the live log shows it.

use std::collections::{BTreeMap, BTreeSet};

use semper_engine::StepRecord;
use semper_supporting::{
    archive::{
        Query, Row, Store, StoreError,
        journal::{Class, Kind, Line},
        record::{CERTIFICATE, EVIDENCE, EvidenceRecord},
    },
    certificate::{Certificate, inspect},
    crypto::{digest::Digest, signature::Kid},
    deal::DealId,
    evidence::statement,
    time::Moment,
    tinguin::text::Quote,
};
use semper_tinguin::{
    format::Civil,
    texts::Texts,
    views::DealKey,
    widgets::log_row::{Entry, Extent, Field, FieldValue, Layer, Verdict, Way},
};

use crate::deals::{Book, Party, shown};

/// One line of the journal with what was kept of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Seen {
    /// The line.
    pub line: Line,
    /// What happened; nothing where it was erased.
    pub payload: Vec<u8>,
    /// What is known of the signature over the payload.
    pub signed: Signed,
    /// The certified name of another party that signed it.
    pub signer: Option<String>,
}

/// What is known of the signature over what was sent or received.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Signed {
    /// Nothing is kept as evidence under this content.
    Unknown,
    /// By a key of another party; it was checked before it was kept.
    Other,
    /// By a key of this wallet.
    Own,
}

/// Reads rows of the journal, and looks up what is kept as evidence of them. `own` are the wallet's keys.
///
/// # Errors
/// [`StoreError`].
pub async fn read<S: Store>(store: &S, rows: &[Row], own: &BTreeSet<Kid>) -> Result<Vec<Seen>, StoreError> {
    let mut seen = Vec::with_capacity(rows.len());
    let mut asked = Vec::new();
    let mut queries = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let line = Line::from_row(row)?;
        let payload = if row.is_null("payload") { Vec::new() } else { row.bytes("payload")?.to_vec() };
        if matches!(line.kind.class(), Class::Sent | Class::Received) && !payload.is_empty() {
            asked.push(index);
            queries.push(Query::of(EVIDENCE.name).equal("hash", Digest::of(&payload)));
        }
        seen.push(Seen { line, payload, signed: Signed::Unknown, signer: None });
    }
    if queries.is_empty() {
        return Ok(seen);
    }
    let found = store.query(queries).await?;
    let mut names: BTreeMap<Digest, Option<String>> = BTreeMap::new();
    for (index, rows) in asked.into_iter().zip(found) {
        let Some(row) = rows.first() else { continue };
        let record = EvidenceRecord::from_row(row)?;
        let Some(seen) = seen.get_mut(index) else { continue };
        if own.contains(&record.signer) {
            seen.signed = Signed::Own;
            continue;
        }
        seen.signed = Signed::Other;
        let Some(certificate) = record.certificate else { continue };
        if let std::collections::btree_map::Entry::Vacant(unknown) = names.entry(certificate) {
            unknown.insert(name(store, certificate).await?);
        }
        seen.signer = names.get(&certificate).cloned().flatten();
    }
    Ok(seen)
}

/// The name in a certificate that is kept, and was checked before it was.
async fn name<S: Store>(store: &S, certificate: Digest) -> Result<Option<String>, StoreError> {
    let rows = store.query(vec![Query::of(CERTIFICATE.name).equal("hash", certificate)]).await?;
    let Some(row) = rows.iter().flatten().next() else { return Ok(None) };
    let content = Certificate::from_der(row.bytes("der")?).ok().and_then(|one| inspect(&one).ok());
    Ok(content.and_then(|content| shown(&content.subject.common_name, Quote::Line)))
}

impl Seen {
    /// The line as the log shows it; `book` names its deal.
    pub fn entry(&self, texts: &Texts, book: &mut Book) -> Entry {
        let kind = &self.line.kind;
        let deal = match self.line.deal {
            Some(deal) => Some(book.key(deal)),
            None => self.instance().and_then(|instance| book.key_of(&instance)),
        };
        let peer = || book.name(party(kind.detail()), deal, texts);
        let (way, layer) = match kind.class() {
            Class::Sent => (Way::To(peer()), layer(kind.detail())),
            Class::Received => (Way::From(self.signer.clone().unwrap_or_else(peer)), layer(kind.detail())),
            Class::AskedUser
            | Class::UserChoice
            | Class::Decision
            | Class::KeyEvent
            | Class::Config
            | Class::Alarm
            | Class::Anchor
            | Class::Export => (Way::Here, Layer::Here),
        };
        let message = words(kind, deal, book, texts).unwrap_or_else(|| match way {
            Way::Here => kind.to_string(),
            Way::From(_) | Way::To(_) => kind.detail().to_owned(),
        });
        Entry {
            number: self.line.seq,
            at: civil(Moment::from_seconds(self.line.at)),
            way,
            layer,
            message,
            extent: Extent::Bytes(u64::try_from(self.payload.len()).unwrap_or(u64::MAX)),
            verdict: match self.signed {
                Signed::Unknown if layer == Layer::Here => Verdict::Unsigned,
                Signed::Unknown => Verdict::Unknown,
                Signed::Other => Verdict::Checked,
                Signed::Own => Verdict::You,
            },
            deal,
            session: None,
            fields: fields(&self.payload),
            bytes: self.payload.clone(),
        }
    }

    /// The instance of the engine that took a step, where the line is the one of a step.
    fn instance(&self) -> Option<Vec<u8>> {
        if self.line.kind.class() != Class::Decision {
            return None;
        }
        StepRecord::read(&self.payload).ok().map(|step| step.instance.id)
    }
}

/// Who is on the other side of a message of this type.
fn party(detail: &str) -> Party {
    match detail.split_once('/') {
        Some(("pay", rest)) if !rest.starts_with("neg") => Party::Bank,
        Some(("t", _)) => Party::Arbiter,
        _ => Party::Other,
    }
}

/// A line in plain words: a statement by its type, a step by its name, a code by what it tells. Nothing for a
/// kind that this version has no words for; it is shown by its name then.
fn words(kind: &Kind, deal: Option<DealKey>, book: &Book, texts: &Texts) -> Option<String> {
    let (peer, item) = (book.name(Party::Other, deal, texts), book.item(deal, texts));
    let names = [("peer", peer.as_str()), ("item", item.as_str())];
    let named = |kind: &str| texts.named(&format!("line-{}", kind.replace('/', "-")), &names);
    let said = match kind.class() {
        Class::Sent | Class::Received => named(kind.detail()),
        Class::Decision | Class::Alarm => {
            named(kind.detail()).or_else(|| named(&kind.to_string())).or_else(|| {
                // A code, whose dots are strokes in the kind of a line.
                Some(texts.told(&kind.detail().replace('/', "."), &names)?.what)
            })
        }
        Class::AskedUser
        | Class::UserChoice
        | Class::KeyEvent
        | Class::Config
        | Class::Anchor
        | Class::Export => named(&kind.to_string()),
    };
    let said = said?;
    let mut letters = said.chars();
    // What stands for a name may begin the sentence.
    Some(letters.next()?.to_uppercase().chain(letters).collect())
}

/// The layer that the types of a message belong to.
fn layer(detail: &str) -> Layer {
    match detail.split_once('/').map_or(detail, |(first, _)| first) {
        "x" | "t" | "a" => Layer::Exchange,
        "pay" | "cred" => Layer::Transfer,
        "comm" => Layer::Communication,
        _ => Layer::Commerce,
    }
}

/// The lines of a payload that is a statement. Anything else shows its bytes only: what is in it was not
/// checked to be text that a person can be shown.
fn fields(payload: &[u8]) -> Vec<Field> {
    let lines = statement::lines(payload).unwrap_or_default();
    lines.into_iter().map(|(name, value)| Field { name, value: FieldValue::Text(value) }).collect()
}

/// A moment as the clocks of the window show it: in universal time and to the second, as the journal is written.
pub fn civil(at: Moment) -> Civil {
    let nanos = i128::from(at.millis()).saturating_mul(1_000_000);
    let Ok(time) = time::OffsetDateTime::from_unix_timestamp_nanos(nanos) else {
        return Civil::epoch(ZONE);
    };
    let year = u16::try_from(time.year()).unwrap_or_default();
    let date = (year, u8::from(time.month()), time.day());
    let clock = (time.hour(), time.minute(), time.second(), None);
    Civil::new(date, clock, ZONE).unwrap_or_else(|| Civil::epoch(ZONE))
}

const ZONE: &str = "UTC";

/// The first digits of a deal's name, enough to tell a person's deals apart.
pub fn short(deal: DealId) -> String {
    deal.to_string().chars().take(8).collect()
}

#[cfg(test)]
mod tests {
    use semper_supporting::{
        archive::journal::{Chain, Entry as Written},
        evidence::registry::TYPES,
    };
    use semper_tinguin::format;

    use super::*;

    fn seen(kind: &str, payload: &[u8], signed: Signed) -> Seen {
        let entry = Written {
            at: Moment::from_seconds(1_772_359_512),
            kind: Kind::parse(kind).unwrap(),
            deal: Some(DealId::from_bytes([0x5f; 32])),
            salt: [7; 32],
            payload: payload.to_vec(),
        };
        let mut chain = Chain::EMPTY;
        Seen { line: chain.append(&entry), payload: entry.payload, signed, signer: None }
    }

    #[test]
    fn what_is_sent_and_received_has_a_way_a_layer_and_its_fields() {
        let texts = Texts::english();
        let mut book = Book::default();
        let text = b"semper-statement/1 x/gxv/offer\nxid: 5f\nat: 2026-03-01T10:00:00Z\n";
        let entry = seen("sent/x/gxv/offer", text, Signed::Own).entry(&texts, &mut book);
        assert_eq!((entry.layer, entry.message.as_str()), (Layer::Exchange, "Offer of the exchange"));
        assert_eq!((entry.way, entry.verdict), (Way::To("the other party".into()), Verdict::You));
        assert_eq!(entry.fields[0], Field { name: "xid".into(), value: FieldValue::Text("5f".into()) });
        assert_eq!(format::clock_exact(&entry.at), "10:05:12");
        let entry = seen("received/order", b"\xff\xfe", Signed::Unknown).entry(&texts, &mut book);
        assert_eq!((entry.layer, entry.verdict), (Layer::Commerce, Verdict::Unknown));
        assert!(entry.fields.is_empty() && entry.bytes == b"\xff\xfe");
    }

    fn told(kind: &str) -> String {
        seen(kind, b"", Signed::Unknown).entry(&Texts::english(), &mut Book::default()).message
    }

    #[test]
    fn every_type_of_statement_has_a_line_in_plain_words() {
        for kind in TYPES {
            for class in ["sent", "received"] {
                let line = told(&format!("{class}/{kind}"));
                assert!(line != *kind && line.starts_with(char::is_uppercase), "{kind}: {line}");
            }
        }
    }

    #[test]
    fn every_step_of_a_sale_and_everything_told_of_it_has_a_line_in_plain_words() {
        assert_eq!(told("decision/sale/buy"), "You began to buy");
        assert_eq!(told("decision/sale/bank-silent"), "The bank does not answer");
        assert_eq!(told("decision/exchange/u05"), "You have paid. Waiting for what was agreed");
        assert_eq!(
            told("decision/exchange/u12"),
            "The other party sent something that does not match what was agreed"
        );
        assert_eq!(
            told("alarm/exchange/offer-window"),
            "What you would rely on ends before the exchange surely has"
        );
        assert_eq!(told("alarm/effect-dropped"), "Something could not be sent and was given up");
        assert_eq!(told("export/dossier"), "A dossier was exported");
        for n in 1..=17 {
            assert!(!told(&format!("decision/exchange/u{n:02}")).contains('/'));
        }
    }

    #[test]
    fn a_kind_without_words_is_shown_by_its_name() {
        assert_eq!(told("received/x/new/kind"), "x/new/kind");
        assert_eq!(told("alarm/made/up"), "alarm/made/up");
    }

    #[test]
    fn what_happened_here_is_shown_by_its_whole_kind() {
        let entry =
            seen("decision/MoveDone", b"", Signed::Unknown).entry(&Texts::english(), &mut Book::default());
        assert_eq!((entry.way, entry.layer), (Way::Here, Layer::Here));
        assert_eq!(entry.message, "decision/MoveDone");
    }
}
