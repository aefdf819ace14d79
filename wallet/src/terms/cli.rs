//! `semper-wallet terms …` and `semper-wallet trust …`: a first way to see what a shop's terms are worth. The list of
//! evaluators belongs to the window, as everything that makes the wallet trust more; until a screen for it stands, it is
//! changed here, for play money only, and only by who says that the fingerprint was compared.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Subcommand;
use semper_commerce::download::trust::TrustedEvaluator;
use semper_host::{chance, papers::Papers};
use semper_supporting::{
    certificate::{CERTIFICATE_LIMIT, CHAIN_LIMIT, CertRole, Certificate, Usage},
    comm::address::Endpoint,
    crypto::signature::Kid,
    fault::Fault as _,
    money::Money,
    time::Moment,
};
use semper_tinguin::texts::{Msg, Texts};
use tokio::runtime::Runtime;

use super::{
    TermsFault, evaluators, known, look,
    shown::{self, ShownEvaluator},
};
use crate::{
    cli::{Secret, answer, say},
    fault::WalletFault,
    membership,
    places::Places,
    profile::Profile,
    wallet::{Mode, Wallet},
};

/// What is done with terms of business.
#[derive(Debug, Subcommand)]
pub enum TermsCommand {
    /// Fetches the terms of a shop, checks them, and says how far they are believed.
    Fetch {
        /// The shop, as host:port.
        shop: String,
        /// Answers in JSON.
        #[arg(long)]
        json: bool,
        /// Where the password comes from.
        #[command(flatten)]
        secret: Secret,
    },
    /// Lists the terms that were fetched before, as far as they are believed now. Calls nobody.
    List {
        /// Answers in JSON.
        #[arg(long)]
        json: bool,
        /// Where the password comes from.
        #[command(flatten)]
        secret: Secret,
    },
}

/// Whom the owner trusts.
#[derive(Debug, Subcommand)]
pub enum TrustCommand {
    /// Trusts an evaluator of terms of business, for play money.
    Evaluator {
        /// The file with its certificate, certificate.pem of its folder.
        certificate: PathBuf,
        /// Says that you have compared the words of its fingerprint with those it told you.
        #[arg(long)]
        compared: bool,
        /// The highest grade that is believed.
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=3))]
        most: u8,
        /// The largest sum, in play money.
        #[arg(long, default_value = "XTS 1000.00")]
        ceiling: String,
        /// Until when, as 2027-11-20; until its certificate ends if absent.
        #[arg(long)]
        until: Option<String>,
        /// Where the password comes from.
        #[command(flatten)]
        secret: Secret,
    },
    /// Lists the evaluators that are trusted.
    List {
        /// Answers in JSON.
        #[arg(long)]
        json: bool,
        /// Where the password comes from.
        #[command(flatten)]
        secret: Secret,
    },
    /// Trusts an evaluator no more.
    Forget {
        /// Its key, as the list shows it.
        key: String,
        /// Where the password comes from.
        #[command(flatten)]
        secret: Secret,
    },
}

impl TermsCommand {
    /// Does it. It fails where a service of the shop is refused.
    ///
    /// # Errors
    /// [`WalletFault`].
    pub fn run(self, profile: &Profile, runtime: &Runtime, texts: &Texts) -> Result<ExitCode, WalletFault> {
        let languages = [texts.locale().code().to_owned()];
        match self {
            Self::Fetch { shop, json, secret } => {
                let password = secret.password(texts)?;
                let (keeper, all) = runtime.block_on(async {
                    let wallet = Wallet::unlock(profile, password, Mode::Whole).await?;
                    if let Err(fault) = membership::renew_lists(&wallet).await {
                        tracing::warn!(%fault, "revocation lists could not be renewed");
                    }
                    let store = wallet.archive.as_ref();
                    let places = Places::load(store).await.map_err(TermsFault::from)?;
                    let at = Endpoint::parse(&shop, places.surroundings).map_err(TermsFault::from)?;
                    let caller = membership::caller(&wallet).await.map_err(TermsFault::from)?;
                    let looked = look(store, &caller, &at, places.surroundings, &languages).await?;
                    Ok::<_, WalletFault>(looked)
                })?;
                if json {
                    answer(&shown::looked(&all, texts))?;
                } else {
                    let organisation = keeper.organisation.as_deref().unwrap_or_default();
                    say(&texts.get(Msg::TermsShop { name: &keeper.name, organisation }))?;
                    if all.is_empty() {
                        say(&texts.get(Msg::TermsNone))?;
                    }
                    for one in &all {
                        match &one.seen {
                            Ok(seen) => shown::lines(seen, texts).iter().try_for_each(|line| say(line))?,
                            Err(fault) => {
                                let (service, version) = (&one.offered.service, &one.offered.version);
                                let why = fault.to_string();
                                say(&texts.get(Msg::TermsRefused {
                                    service,
                                    version,
                                    why: &why,
                                    code: fault.code(),
                                }))?;
                            }
                        }
                    }
                }
                let refused =
                    all.iter().any(|one| one.seen.as_ref().map_or(true, |seen| seen.refusal().is_some()));
                Ok(if refused { ExitCode::FAILURE } else { ExitCode::SUCCESS })
            }
            Self::List { json, secret } => {
                let password = secret.password(texts)?;
                let all = runtime.block_on(async {
                    let wallet = Wallet::unlock(profile, password, Mode::Whole).await?;
                    Ok::<_, WalletFault>(known(wallet.archive.as_ref(), &languages).await?)
                })?;
                if json {
                    answer(&all.iter().map(|seen| shown::shown(seen, texts)).collect::<Vec<_>>())?;
                } else if all.is_empty() {
                    say(&texts.get(Msg::TermsNone))?;
                } else {
                    for seen in &all {
                        let organisation = seen.shop.organisation.as_deref().unwrap_or_default();
                        say(&texts.get(Msg::TermsShop { name: &seen.shop.name, organisation }))?;
                        shown::lines(seen, texts).iter().try_for_each(|line| say(line))?;
                    }
                }
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

impl TrustCommand {
    /// Does it.
    ///
    /// # Errors
    /// [`WalletFault`].
    pub fn run(self, profile: &Profile, runtime: &Runtime, texts: &Texts) -> Result<(), WalletFault> {
        match self {
            Self::Evaluator { certificate, compared, most, ceiling, until, secret } => {
                let chain = chain(&certificate)?;
                let ceiling = Money::parse(&ceiling).map_err(|_| TermsFault::Form(ceiling))?;
                if !ceiling.currency.is_play() {
                    return Err(TermsFault::RealMoney.into());
                }
                let until = until.map(|text| moment(&text)).transpose()?;
                let password = secret.password(texts)?;
                let trusted = runtime.block_on(async {
                    let wallet = Wallet::unlock(profile, password, Mode::Whole).await?;
                    let store = wallet.archive.as_ref();
                    let trust = Papers::load(store).await.map_err(TermsFault::from)?.snapshot();
                    let now = chance::now();
                    let verified = trust.verify(&chain, CertRole::Evaluator, Usage::Sign, now);
                    let verified = verified.map_err(TermsFault::from)?;
                    if !compared {
                        return Err(TermsFault::Unconfirmed(shown::words(&verified.digest())).into());
                    }
                    let ends = verified.content().until;
                    let trusted = TrustedEvaluator {
                        key: verified.kid(),
                        certificate: verified.digest(),
                        name: verified.subject().common_name.clone(),
                        most: evaluators::grade(most.into()).ok_or(TermsFault::Form(most.to_string()))?,
                        profiles: Vec::new(),
                        jurisdictions: Vec::new(),
                        ceiling: Some(ceiling),
                        expires: until.map_or(ends, |until| until.min(ends)),
                    };
                    evaluators::trust(store, &trusted).await?;
                    Ok::<_, WalletFault>(trusted)
                })?;
                say(&line(&trusted, texts))
            }
            Self::List { json, secret } => {
                let password = secret.password(texts)?;
                let all = runtime.block_on(async {
                    let wallet = Wallet::unlock(profile, password, Mode::Whole).await?;
                    Ok::<_, WalletFault>(evaluators::trusted(wallet.archive.as_ref()).await?)
                })?;
                if json {
                    return answer(&all.iter().map(evaluator).collect::<Vec<_>>());
                }
                if all.is_empty() {
                    say(&texts.get(Msg::EvaluatorNone))?;
                }
                all.iter().try_for_each(|one| say(&line(one, texts)))
            }
            Self::Forget { key, secret } => {
                let key = Kid::parse(&key).map_err(|_| TermsFault::Form(key))?;
                let password = secret.password(texts)?;
                runtime.block_on(async {
                    let wallet = Wallet::unlock(profile, password, Mode::Whole).await?;
                    Ok::<_, WalletFault>(evaluators::forget(wallet.archive.as_ref(), key).await?)
                })
            }
        }
    }
}

/// The certificates in a file, which may have as many as a chain has.
fn chain(path: &Path) -> Result<Vec<Certificate>, TermsFault> {
    let most = u64::try_from(4 * CHAIN_LIMIT * CERTIFICATE_LIMIT).unwrap_or(u64::MAX);
    let mut text = String::new();
    let opened = File::open(path).and_then(|file| file.take(most).read_to_string(&mut text));
    opened.map_err(|error| TermsFault::File(path.to_owned(), error))?;
    Ok(Certificate::all_from_pem(&text, CHAIN_LIMIT)?)
}

/// A time, or a day, which begins at midnight UTC.
fn moment(text: &str) -> Result<Moment, TermsFault> {
    let day = |_| Moment::parse(&format!("{text}T00:00:00Z"));
    Moment::parse(text).or_else(day).map_err(|_| TermsFault::Form(text.to_owned()))
}

fn evaluator(one: &TrustedEvaluator) -> ShownEvaluator {
    ShownEvaluator {
        name: one.name.clone(),
        key: one.key.to_string(),
        certificate: one.certificate.to_string(),
        words: shown::words(&one.certificate),
        most: evaluators::number(one.most),
        ceiling: one.ceiling.map(|money| money.to_string()),
        until: one.expires.to_string(),
    }
}

fn line(one: &TrustedEvaluator, texts: &Texts) -> String {
    let ceiling = one.ceiling.map(|money| money.to_string()).unwrap_or_default();
    texts.get(Msg::EvaluatorTrusted {
        name: &one.name,
        most: &evaluators::number(one.most).to_string(),
        ceiling: &ceiling,
        until: &shown::day(one.expires, texts),
        key: &one.key.to_string(),
        words: &shown::words(&one.certificate),
    })
}
