//! What a person is shown before the wallet asks for certificates.

use super::{message::CertificateRequest, record::Kind};
use crate::{
    certificate::{Certificate, inspect, words},
    tinguin::{
        Confirmable, Critical, FactKey, FactValue, Facts, Provenance, Quote, Untrusted,
        facts::{ChoiceKey, DataItem, FactError},
    },
};

impl Confirmable for CertificateRequest {
    const FAMILY: Critical = Critical::Sign;
    /// The root whose words were compared with the letter.
    type Context = Certificate;

    /// The authority stands there by the name in its root, since nobody above it vouches for that name: what
    /// makes it the right one is that its fingerprint was compared.
    fn facts(&self, root: &Certificate) -> Result<Facts, FactError> {
        if self.root != root.digest() {
            return Err(FactError::Mismatch);
        }
        let authority = inspect(root).map_err(|_| FactError::Mismatch)?.subject.common_name;
        let authority = Untrusted::new(authority).name()?;
        let name = Untrusted::new(self.names.name.as_str()).quote(Quote::Line)?;
        let fingerprint = Untrusted::new(words::fingerprint(&root.digest()).join(" ")).quote(Quote::Line)?;
        let compared = || Ok::<_, FactError>(Provenance::checked(ChoiceKey::new("check-letter")?));
        let document =
            if self.kind == Kind::Person { "document-certificates" } else { "document-certificate" };
        let facts = Facts::new()
            .critical(
                FactKey::Document,
                FactValue::Choice(ChoiceKey::new(document)?),
                Provenance::checked(ChoiceKey::new("check-statement")?),
            )
            .critical(FactKey::Counterparty, FactValue::Party(authority), compared()?)
            .critical(FactKey::SignedAs, FactValue::Text(name), Provenance::entered())
            .critical(
                FactKey::Binds,
                FactValue::Choice(ChoiceKey::new("binds-name-to-keys")?),
                Provenance::checked(ChoiceKey::new("check-statement")?),
            )
            .critical(FactKey::Fingerprint, FactValue::Text(fingerprint), compared()?);
        let data = self.data()?;
        Ok(if data.is_empty() {
            facts
        } else {
            facts.critical(FactKey::Data, FactValue::Data(data), Provenance::entered())
        })
    }
}

impl CertificateRequest {
    /// What will stand in the certificates beside the name.
    fn data(&self) -> Result<Vec<DataItem>, FactError> {
        let named = [
            ("data-organisation", self.names.organisation.as_ref()),
            ("data-city", self.names.city.as_ref()),
            ("data-country", self.names.country.as_ref()),
        ];
        let items = named.into_iter().filter_map(|(name, value)| Some((name, value?)));
        items
            .map(|(name, value)| {
                let value = Untrusted::new(value.as_str()).quote(Quote::Line)?;
                Ok(DataItem { name: ChoiceKey::new(name)?, value, personal: true })
            })
            .collect()
    }
}
