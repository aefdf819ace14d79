//! What each operation costs that a sale cannot do without.

use semper_host::chance::now;
use semper_supporting::{
    access::{Action, Circumstance, Decision, Facts, Limits, Object, Subject, decide},
    archive::{ArchiveId, head::JournalHead},
    certificate::Usage,
    crypto::{
        digest::Digest,
        keys::{GenerateKey, KeyPurpose, KeyRef, KeyStore as _, SoftKeys},
        seal::{ContentKey, EscrowKey, content, escrow},
    },
    evidence::Statement,
    time::Moment,
    tinguin::Permit,
};
use semper_tests::{Failure, Result};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{
    connection::{Ends, World},
    measure::{Effort, each},
    sale::GOODS,
};

/// CPU time of one core for each, in microseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Operations {
    /// A signature as a key store makes it: the statement written, signed, and the signature checked.
    pub(crate) signature: f64,
    /// The verification of a signature.
    pub(crate) verification: f64,
    /// The verification of a certificate with its authority's and the root, against both revocation lists.
    pub(crate) certificate: f64,
    /// A key sealed to a third party.
    pub(crate) escrow: f64,
    /// The goods of a sale opened.
    pub(crate) opening: f64,
    /// A connection, at whoever calls.
    pub(crate) calling: f64,
    /// A connection, at whoever is called.
    pub(crate) answering: f64,
}

/// Measures all of them.
///
/// # Errors
/// [`Failure`] where one does not succeed.
pub(crate) fn measure(effort: Effort) -> Result<Operations> {
    let (signature, verification) = signatures(effort)?;
    let world = World::new()?;
    let chain = world.merchant()?.chain;
    let certificate =
        each(effort, nothing, |()| Ok(world.trusted.verify_any(&chain, Usage::Sign, now())?))?;
    let (key, third) =
        (ContentKey::from_bytes([6; 32]), EscrowKey::from_seed(&Zeroizing::new([5; 32])).public());
    let seal = || Ok(escrow::seal(&third, b"semper-statement/1 x/escrow\n", key.as_bytes(), &[4; 32])?);
    let escrow = each(effort, nothing, |()| seal())?;
    let (sealed, _) = content::seal_whole(&key, &vec![1; GOODS])?;
    let opening = each(effort, nothing, |()| Ok(content::open_whole(&key, &sealed)?))?;
    let Ends { caller, callee } = world.connect(effort)?;
    Ok(Operations {
        signature,
        verification,
        certificate,
        escrow,
        opening,
        calling: caller,
        answering: callee,
    })
}

fn nothing() -> Result<()> {
    Ok(())
}

/// What a signature costs, and what its verification. The statement is the head of a journal.
fn signatures(effort: Effort) -> Result<(f64, f64)> {
    let (keys, key) = journal_key()?;
    let head = JournalHead {
        archive: ArchiveId::from_bytes([1; 32]),
        seq: 64,
        hash: Digest::of(b"line"),
        at: now().whole_seconds(),
        signer: key.kid(),
        cert: None,
    };
    let permit = || permit(Action::KeepJournal, &head, Facts::default(), now());
    let sign = |permit| Ok(keys.sign(&key, permit, now())?);
    let signed = sign(permit()?)?.bytes().clone();
    let public = keys.public(&key)?;
    let verify = |()| Ok(public.verify(&signed.tbs, &signed.signature)?);
    Ok((each(effort, permit, sign)?, each(effort, nothing, verify)?))
}

fn journal_key() -> Result<(SoftKeys, KeyRef)> {
    let at = now().whole_seconds();
    let act = GenerateKey { purpose: KeyPurpose::Journal, deal: None, at };
    let circumstances = &[Circumstance::FirstStart];
    let facts = Facts { key: Some(KeyPurpose::Journal), circumstances, ..Facts::default() };
    let mut keys = SoftKeys::new();
    let permit = permit(Action::GenerateKey, &act, facts, at)?;
    let key = keys.generate(KeyPurpose::Journal, &Zeroizing::new([7; 32]), permit, at)?;
    Ok((keys, key))
}

/// What access control gives a program of some operator.
fn permit<T: Statement>(action: Action, statement: &T, facts: Facts<'_>, at: Moment) -> Result<Permit<T>> {
    let program = Subject::Operator { policy: Digest::of(b"measurements/1") };
    match decide(&program, action, &Object::with(statement, facts), None, &Limits::default(), at) {
        Decision::Allow(permit) => Ok(permit),
        Decision::Ask(_) | Decision::Deny(_) => Err(Failure::new("a program may not keep a journal")),
    }
}
