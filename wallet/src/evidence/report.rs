//! What a dossier says to people: what each object is, and the report of what happened in order.
//!
//! None of it proves anything; it leads a reader to what does.

use std::collections::BTreeSet;

use semper_supporting::{archive::record::EvidenceRecord, crypto::digest::Digest, deal::DealId};
use semper_tinguin::texts::{Msg, Texts};

use super::shelf::Shelf;

/// The head of the report.
pub(super) fn title(texts: &Texts, shelf: &Shelf, deal: DealId, compiler: &Digest) -> String {
    let compiler = shelf.name(compiler).unwrap_or_default();
    format!("{}\n\n", texts.get(Msg::EvidenceReport { deal: &deal.to_string(), compiler }))
}

/// What an object is, and who signed it, in one line.
pub(super) fn about(texts: &Texts, shelf: &Shelf, record: &EvidenceRecord, by: Option<Digest>) -> String {
    let named = texts
        .named(&format!("line-{}", record.kind.replace('/', "-")), &[("peer", &texts.get(Msg::BookOther))]);
    let what = named.as_deref().unwrap_or(&record.kind);
    match by.and_then(|certificate| shelf.name(&certificate)) {
        Some(signer) => texts.get(Msg::EvidenceAbout { what, signer }),
        None => texts.get(Msg::EvidenceAboutAccount { what }),
    }
}

/// The lines of an object in the report.
pub(super) fn lines(number: u32, record: &EvidenceRecord, about: &str) -> String {
    let EvidenceRecord { at, kind, signed, .. } = record;
    format!("{number:03}  {at}  {about}\n     {kind}  {}\n", signed.digest())
}

/// The end of the report: whose certificates are there.
pub(super) fn parties(texts: &Texts, shelf: &Shelf, certificates: &BTreeSet<Digest>) -> String {
    let mut text = format!("\n{}\n", texts.get(Msg::EvidenceParties));
    for certificate in certificates {
        let name = shelf.name(certificate).unwrap_or_default();
        text.push_str(&format!("     {certificate}  {name}\n"));
    }
    text
}
