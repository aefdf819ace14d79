//! Keys, certificates, the journal and the bundle of evidence.

use semper_supporting::{
    archive::{ArchiveId, head::JournalHead},
    certificate::status::RevocationReason,
    crypto::keys::{DestroyKey, GenerateKey, KeyPurpose, KeyRef},
    evidence::bundle::Dossier,
    registration::{
        message::{CertificateRequest, RevokeOwn},
        record::{Kind, Names},
    },
};

use super::{
    Form,
    parts::{AT, deal, hash, kid, signer},
};

pub(crate) fn forms() -> Vec<Form> {
    vec![
        Form::of(&GenerateKey { purpose: KeyPurpose::Deal, deal: Some(deal()), at: AT }),
        Form::of(&DestroyKey { key: KeyRef::of(kid(1)), at: AT }),
        Form::of(&CertificateRequest {
            root: hash("root"),
            kind: Kind::Person,
            names: Names {
                name: "Ines Ortmann".into(),
                organisation: None,
                city: Some("Köln".into()),
                country: Some("DE".into()),
            },
            keys: vec![kid(1), kid(2)],
            at: AT,
        }),
        Form::of(&RevokeOwn {
            reason: RevocationReason::KeyCompromise,
            at: AT,
            signer: signer(),
            cert: hash("certificate"),
        }),
        Form::of(&JournalHead {
            archive: ArchiveId::from_bytes([1; 32]),
            seq: 64,
            hash: hash("line"),
            at: AT,
            signer: signer(),
            cert: Some(hash("certificate")),
        }),
        Form::of(&Dossier {
            deal: deal(),
            manifest_sha256: hash("manifest"),
            verify_sha256: hash("script"),
            objects: 17,
            journal_key: Some(kid(3)),
            at: AT,
            signer: signer(),
            cert: Some(hash("certificate")),
        }),
    ]
}
