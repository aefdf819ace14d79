//! The certificates of other third parties that the operator names: a bank's arbiters, an arbiter's banks.
//!
//! They are checked before anything is set up, and copied into the daemon's folder, so that neither a slip of the
//! pen nor a file that moves later is noticed only once the letter is used up.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use semper_host::{MembershipError, Registration};
use semper_supporting::{
    certificate::{
        CertRole, Certificate, CertificateFault, TrustSnapshot, Usage, VerifiedCertificate, inspect,
    },
    comm::address::AddressError,
    crypto::{
        digest::Digest,
        signature::{Kid, PublicKey},
    },
    time::Moment,
};

use crate::{
    arbiter::BankPlace,
    config::Config,
    program::{ProgramError, write},
};

/// The longest chain in one file.
const CHAIN: usize = 3;
/// Where the copies are, below the daemon's folder.
const COPIES: &str = "others";

/// What is wrong with the certificate of another third party.
#[derive(Debug, thiserror::Error)]
#[error("the certificate of {whose} in {}: {fault}", file.display())]
pub struct BadOther {
    /// Whose it should be.
    whose: &'static str,
    /// The file.
    file: PathBuf,
    /// What is wrong.
    fault: OtherFault,
}

/// Why it cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OtherFault {
    /// It cannot be read.
    #[error(transparent)]
    System(#[from] io::Error),
    /// It is none that counts here.
    #[error(transparent)]
    Certificate(#[from] CertificateFault),
    /// Its bank cannot be called.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// There is none.
    #[error("there is no certificate in it")]
    Empty,
}

/// The certificates that a configuration names, checked.
#[derive(Debug)]
pub struct Others(Vec<Vec<Certificate>>);

impl Others {
    /// Reads what `config` names, each path as its operator wrote it, and checks it: below the root of the operator's
    /// letter, where there is one; what revocation lists say is asked when the daemon starts.
    ///
    /// # Errors
    /// [`ProgramError::Other`] naming the file; [`ProgramError::Membership`] if the letter's root is none.
    pub fn read(
        config: &mut Config,
        registration: Option<&Registration>,
        now: Moment,
    ) -> Result<Self, ProgramError> {
        let root = registration.map(|letter| Certificate::from_pem(&letter.root)).transpose();
        let root = root.map_err(MembershipError::Root)?;
        let mut chains = Vec::new();
        for (role, file) in named(config) {
            let checked = chain(file).and_then(|chain| {
                check(&chain, role, root.as_ref(), now)?;
                Ok(chain)
            });
            chains.push(checked.map_err(|fault| ProgramError::Other(bad(role, file, fault)))?);
        }
        Ok(Self(chains))
    }

    /// Copies them into the daemon's `folder`; from now on `config` names the copies.
    ///
    /// # Errors
    /// Those of the system.
    pub fn keep(self, folder: &Path, config: &mut Config) -> Result<(), ProgramError> {
        for ((_, file), chain) in named(config).into_iter().zip(self.0) {
            let Some(leaf) = chain.first() else { continue };
            let place = folder.join(COPIES);
            fs::create_dir_all(&place)
                .map_err(|error| ProgramError::File(place.display().to_string(), error))?;
            *file = Path::new(COPIES).join(format!("{}.pem", leaf.digest()));
            let text: String = chain.iter().map(Certificate::to_pem).collect();
            write(&folder.join(&*file), &text, 0o644)?;
        }
        Ok(())
    }
}

/// The arbiters whose orders the bank of `folder` follows.
///
/// # Errors
/// [`BadOther`].
pub fn arbiters(
    folder: &Path,
    config: &Config,
    trust: &TrustSnapshot,
    now: Moment,
) -> Result<BTreeMap<Kid, PublicKey>, BadOther> {
    let read = |file: &PathBuf| {
        let file = folder.join(file);
        let arbiter = verified(&file, CertRole::Arbiter, trust, now);
        let arbiter = arbiter.map_err(|fault| bad(CertRole::Arbiter, &file, fault))?;
        Ok((arbiter.kid(), *arbiter.key()))
    };
    config.bank.arbiters.iter().map(read).collect()
}

/// The banks that take the orders of the arbiter of `folder`, each under a certificate that is a bank's.
///
/// # Errors
/// [`BadOther`].
pub fn banks(
    folder: &Path,
    config: &Config,
    trust: &TrustSnapshot,
    now: Moment,
) -> Result<BTreeMap<Digest, BankPlace>, BadOther> {
    let mut found = BTreeMap::new();
    for entry in &config.arbiter.banks {
        let file = folder.join(&entry.certificate);
        let read = verified(&file, CertRole::Bank, trust, now)
            .and_then(|bank| Ok((bank, config.address_of(entry)?)));
        let (bank, address) = read.map_err(|fault| bad(CertRole::Bank, &file, fault))?;
        found.insert(bank.digest(), BankPlace { address, key: *bank.key() });
    }
    Ok(found)
}

fn named(config: &mut Config) -> Vec<(CertRole, &mut PathBuf)> {
    let arbiters = config.bank.arbiters.iter_mut().map(|file| (CertRole::Arbiter, file));
    let banks = config.arbiter.banks.iter_mut().map(|bank| (CertRole::Bank, &mut bank.certificate));
    arbiters.chain(banks).collect()
}

fn chain(file: &Path) -> Result<Vec<Certificate>, OtherFault> {
    Ok(Certificate::all_from_pem(&fs::read_to_string(file)?, CHAIN)?)
}

fn check(
    chain: &[Certificate],
    role: CertRole,
    root: Option<&Certificate>,
    now: Moment,
) -> Result<(), OtherFault> {
    let leaf = chain.first().ok_or(OtherFault::Empty)?;
    if let Some(root) = root {
        let trust = TrustSnapshot { roots: vec![root.clone()], ..TrustSnapshot::default() };
        trust.verify_first_contact(chain, role, Usage::Sign, now)?;
    } else if !inspect(leaf)?.roles.contains(&role) {
        return Err(CertificateFault::WrongRole { expected: role }.into());
    }
    Ok(())
}

fn verified(
    file: &Path,
    role: CertRole,
    trust: &TrustSnapshot,
    now: Moment,
) -> Result<VerifiedCertificate, OtherFault> {
    Ok(trust.verify(&chain(file)?, role, Usage::Sign, now)?)
}

fn bad(role: CertRole, file: &Path, fault: OtherFault) -> BadOther {
    let whose = if role == CertRole::Bank { "a bank" } else { "an arbiter" };
    BadOther { whose, file: file.to_owned(), fault }
}
