//! What the operator decides, in `ttpd.toml` of the daemon's folder.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use semper_host::config;
use semper_supporting::{
    certificate::Subject,
    comm::address::{AddressError, Endpoint, Surroundings},
    money::Money,
    registration::record::Kind,
};
use serde::{Deserialize, Serialize};

pub use semper_host::config::ConfigError;

/// A role of the daemon.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Registers people and daemons, and certifies their keys.
    Registration,
    /// Keeps accounts and moves money.
    Bank,
    /// Decides fair exchanges whose parties turn to it.
    Arbiter,
    /// Checks terms of business and says how far they are to be believed.
    Evaluator,
}

/// The configuration of one daemon.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its name in certificates and letters.
    pub name: String,
    /// The organisation that runs it.
    pub organisation: String,
    /// The country of the organisation, two letters.
    pub country: String,
    /// The name under which others call it.
    pub host: String,
    /// The port under which others call it.
    pub port: u16,
    /// Where it listens.
    pub listen: SocketAddr,
    /// What it does.
    pub roles: Vec<Role>,
    /// Whether it runs in a demonstration: play money, and addresses inside the own network.
    pub demo: bool,
    /// The certification authority it is registered with; absent where it is one itself.
    pub authority: Option<String>,
    /// How often it fetches the revocation lists of that authority, in seconds: a certificate that was revoked is
    /// refused here that much later at most.
    #[serde(default = "hour")]
    pub lists_every_s: u64,
    /// What belongs to the role of a bank.
    #[serde(default)]
    pub bank: BankConfig,
    /// What belongs to the role of an arbiter.
    #[serde(default)]
    pub arbiter: ArbiterConfig,
}

/// What belongs to the role of an arbiter.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ArbiterConfig {
    /// How long it takes at most to answer a request, in seconds.
    #[serde(default = "hour")]
    pub answer_within: u64,
    /// The banks that take its orders.
    #[serde(default)]
    pub banks: Vec<BankEntry>,
}

/// A bank that takes an arbiter's orders.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BankEntry {
    /// Where it is, as `host:port`. The host is one its certificate names.
    pub address: String,
    /// The file with its certificate, as the bank's own folder has it in `certificate.pem`; in `ttpd.toml` a relative
    /// path begins at the daemon's folder.
    pub certificate: PathBuf,
}

impl Default for ArbiterConfig {
    fn default() -> Self {
        Self { answer_within: hour(), banks: Vec::new() }
    }
}

const fn hour() -> u64 {
    3600
}

impl std::str::FromStr for BankEntry {
    type Err = String;

    /// Reads `host:port=file`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (address, file) =
            text.split_once('=').ok_or("a bank is given as host:port=file of its certificate")?;
        Ok(Self { address: address.to_owned(), certificate: file.into() })
    }
}

/// What belongs to the role of a bank.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BankConfig {
    /// Play money given to each new customer's account, as `XTS 100.00`.
    pub gift: Option<String>,
    /// Files with the certificates of the arbiters whose orders it follows; in `ttpd.toml` a relative path begins at
    /// the daemon's folder.
    #[serde(default)]
    pub arbiters: Vec<PathBuf>,
}

/// The name of the file in the daemon's folder.
pub const FILE: &str = "ttpd.toml";

impl Config {
    /// Reads the configuration of a folder.
    ///
    /// # Errors
    /// [`ConfigError`] naming the file and what is wrong with it.
    pub fn read(folder: &Path) -> Result<Self, ConfigError> {
        let path = folder.join(FILE);
        let config: Self = config::read(&path)?;
        config.check(&path)?;
        Ok(config)
    }

    /// Writes the configuration of a new folder.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn write(&self, folder: &Path) -> Result<(), ConfigError> {
        let path = folder.join(FILE);
        self.check(&path)?;
        config::write(&path, self)
    }

    fn check(&self, path: &Path) -> Result<(), ConfigError> {
        if self.roles.is_empty() {
            return Err(ConfigError::content(path, "a daemon has at least one role"));
        }
        let own = self.roles.contains(&Role::Registration);
        if own == self.authority.is_some() {
            return Err(ConfigError::content(
                path,
                "a daemon is a certification authority, or names the one it is registered with",
            ));
        }
        let gift = self.gift(path)?;
        if gift.is_some_and(|gift| !gift.currency.is_play()) {
            return Err(ConfigError::content(
                path,
                "bank.gift is play money (XTS): issuing real money needs a licence",
            ));
        }
        if self.roles.contains(&Role::Bank) && !self.demo {
            return Err(ConfigError::content(
                path,
                "the bank of this version keeps play money only and runs with demo = true: issuing real money needs a licence",
            ));
        }
        if self.roles.contains(&Role::Arbiter) && self.roles.len() > 1 {
            return Err(ConfigError::content(
                path,
                "an arbiter has no other role: it judges what banks and authorities have recorded",
            ));
        }
        if self.roles.contains(&Role::Evaluator) && self.roles.len() > 1 {
            return Err(ConfigError::content(
                path,
                "an evaluator has no other role: its certificate is for this one",
            ));
        }
        for bank in &self.arbiter.banks {
            self.address_of(bank).map_err(|error| {
                ConfigError::content(path, format!("arbiter.banks: {:?}: {error}", bank.address))
            })?;
        }
        if !(1..=7 * 24 * 3600).contains(&self.arbiter.answer_within) {
            return Err(ConfigError::content(path, "arbiter.answer_within is between a second and a week"));
        }
        if !(1..=24 * 3600).contains(&self.lists_every_s) {
            return Err(ConfigError::content(path, "lists_every_s is between a second and a day"));
        }
        self.endpoint().map(drop).map_err(|error| ConfigError::content(path, error.to_string()))
    }

    /// Where a bank is that takes this arbiter's orders.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn address_of(&self, bank: &BankEntry) -> Result<Endpoint, AddressError> {
        Endpoint::parse(&bank.address, self.surroundings())
    }

    /// Play money given to new customers.
    fn gift(&self, path: &Path) -> Result<Option<Money>, ConfigError> {
        let read = |text: &String| {
            Money::parse(text).map_err(|error| ConfigError::content(path, format!("bank.gift: {error}")))
        };
        self.bank.gift.as_ref().map(read).transpose()
    }

    /// Play money given to new customers, of a configuration that was checked.
    pub fn gift_money(&self) -> Option<Money> {
        self.gift(Path::new(FILE)).ok().flatten()
    }

    /// Where others call it.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn endpoint(&self) -> Result<Endpoint, AddressError> {
        Endpoint::parse(&format!("{}:{}", self.host, self.port), self.surroundings())
    }

    /// Whether addresses inside the own network are called.
    pub const fn surroundings(&self) -> Surroundings {
        if self.demo { Surroundings::Demo } else { Surroundings::Public }
    }

    /// Which set of certificates the daemon registers for.
    pub fn kind(&self) -> Kind {
        if self.roles.contains(&Role::Registration) {
            Kind::CaService
        } else if self.roles.contains(&Role::Arbiter) {
            Kind::Arbiter
        } else if self.roles.contains(&Role::Evaluator) {
            Kind::Evaluator
        } else {
            Kind::Bank
        }
    }

    /// Whom its certificates are about.
    pub fn subject(&self) -> Subject {
        Subject {
            country: Some(self.country.clone()),
            organisation: Some(self.organisation.clone()),
            common_name: self.name.clone(),
            dns: vec![self.host.clone()],
            ..Subject::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn text(change: impl Fn(&str) -> String) -> String {
        let text = "name = \"Trial bank\"\norganisation = \"Trial\"\ncountry = \"DE\"\nhost = \"localhost\"\nport = 7443\n\
                    listen = \"127.0.0.1:7443\"\nroles = [\"bank\"]\ndemo = true\nauthority = \"localhost:7444\"\n\n\
                    [bank]\ngift = \"XTS 100.00\"\n";
        change(text)
    }

    fn read(text: &str) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), text).unwrap();
        Config::read(folder.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_configuration_is_read_as_it_was_written() {
        let config = read(&text(str::to_owned)).unwrap();
        assert_eq!(config.lists_every_s, 3600);
        let folder = tempfile::tempdir().unwrap();
        config.write(folder.path()).unwrap();
        assert_eq!(Config::read(folder.path()).unwrap(), config);
    }

    #[test]
    fn an_arbiter_names_the_banks_that_take_its_orders() {
        let arbiter = text(|text| {
            text.replace("[\"bank\"]", "[\"arbiter\"]")
                + "\n[[arbiter.banks]]\naddress = \"localhost:7445\"\ncertificate = \"bank.pem\"\n"
        });
        let config = read(&arbiter).unwrap();
        assert_eq!(config.kind(), Kind::Arbiter);
        assert_eq!(config.arbiter.answer_within, 3600);
        let bank = BankEntry { address: "localhost:7445".into(), certificate: "bank.pem".into() };
        assert_eq!(config.arbiter.banks, std::slice::from_ref(&bank));
        assert_eq!("localhost:7445=bank.pem".parse(), Ok(bank));
        assert!("localhost:7445".parse::<BankEntry>().is_err());
        let error = read(&arbiter.replace("localhost:7445", "localhost")).unwrap_err();
        assert!(error.contains("arbiter.banks"), "{error}");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (from, to, said) in [
            ("XTS 100.00", "EUR 100.00", "play money"),
            ("XTS 100.00", "XTS 100", "bank.gift"),
            ("demo = true", "demo = false", "licence"),
            ("[\"bank\"]", "[]", "at least one role"),
            ("[\"bank\"]", "[\"printer\"]", "printer"),
            ("authority = \"localhost:7444\"\n", "", "names the one"),
            ("port = 7443", "port = 99999", "port"),
            ("gift =", "gfit =", "gfit"),
            ("[\"bank\"]", "[\"bank\", \"arbiter\"]", "no other role"),
            ("[\"bank\"]", "[\"evaluator\", \"bank\"]", "an evaluator has no other role"),
            ("demo = true", "demo = true\nlists_every_s = 0", "between a second and a day"),
            ("demo = true", "demo = true\nlists_every_s = 86401", "between a second and a day"),
        ] {
            let error = read(&text(|text| text.replacen(from, to, 1))).unwrap_err();
            assert!(error.contains(said) && error.contains("ttpd.toml"), "{to}: {error}");
        }
    }
}
