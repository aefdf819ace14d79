//! What the operator decides, in `merchantd.toml` of the daemon's folder.

use std::{net::SocketAddr, path::Path};

use semper_commerce::handover::ShopName;
use semper_exchange::deadlines::Deadlines;
use semper_host::config;
use semper_supporting::{
    certificate::{Subject, profile::BusinessKind},
    comm::address::{AddressError, Endpoint, Surroundings},
    money::Currency,
};
use serde::{Deserialize, Serialize};

pub use semper_host::config::ConfigError;

/// The configuration of one shop.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its name in certificates and letters.
    pub name: String,
    /// The organisation that runs it.
    pub organisation: String,
    /// The city of the organisation.
    pub city: String,
    /// The country of the organisation, two letters.
    pub country: String,
    /// The name under which others call it.
    pub host: String,
    /// The port under which others call it.
    pub port: u16,
    /// Further names of its host, in its certificate.
    #[serde(default)]
    pub dns: Vec<String>,
    /// Where it listens.
    pub listen: SocketAddr,
    /// Whether it runs in a demonstration: play money, and addresses inside the own network.
    pub demo: bool,
    /// The certification authority it is registered with.
    pub authority: String,
    /// The bank where it has its till.
    pub bank: String,
    /// How often it fetches the authority's revocation lists, in seconds: a certificate that was revoked is refused
    /// here that much later at most.
    #[serde(default = "hour")]
    pub lists_every_s: u64,
    /// The arbiters it trusts with its exchanges, as host:port, preferred first. Without one it sells nothing.
    #[serde(default)]
    pub arbiters: Vec<String>,
    /// How long it waits for buyers before it asks an arbiter.
    #[serde(default)]
    pub deadlines: Waiting,
    /// Its web pages, if it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shop: Option<Pages>,
}

/// The web pages of the shop: the table `[shop]`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Pages {
    /// The name of the shop in links.
    pub name: String,
    /// Where browsers call, on this machine.
    #[serde(default = "pages")]
    pub listen: SocketAddr,
    /// How long an order waits for its wallet, in seconds.
    #[serde(default = "half_hour")]
    pub offer_s: u64,
}

impl Pages {
    /// The pages of a shop, with nothing decided but its name.
    pub fn of(name: &str) -> Self {
        Self { name: name.to_owned(), listen: pages(), offer_s: half_hour() }
    }

    fn check(&self) -> Result<(), &'static str> {
        if ShopName::new(&self.name).is_err() {
            return Err("shop.name has 1 to 40 small letters, digits and hyphens");
        }
        if !self.listen.ip().is_loopback() {
            return Err(
                "shop.listen is an address of this machine alone, as 127.0.0.1:7480: pages go out by plain HTTP",
            );
        }
        if !(60..=24 * 3600).contains(&self.offer_s) {
            return Err("shop.offer_s is between a minute and a day");
        }
        Ok(())
    }
}

fn pages() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 7480))
}

const fn half_hour() -> u64 {
    1800
}

/// How long the shop waits for a buyer, and advises the buyer to wait for it, in seconds: the table `[deadlines]`.
/// Without it these are the deadlines of somebody in front of a screen.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Waiting {
    /// For the answer to its offer; then it asks the arbiter to call the exchange off.
    pub t_accept: u64,
    /// For the other side's items after agreement; then either asks the arbiter to decide.
    pub t_item: u64,
    /// For the word that the buyer has everything; payments can be ordered back for a day longer.
    pub t_close: u64,
}

impl Default for Waiting {
    fn default() -> Self {
        let Deadlines { t_accept, t_item, t_close } = Deadlines::INTERACTIVE;
        Self { t_accept, t_item, t_close }
    }
}

impl Waiting {
    /// What its offers say.
    pub const fn deadlines(&self) -> Deadlines {
        Deadlines { t_accept: self.t_accept, t_item: self.t_item, t_close: self.t_close }
    }

    /// Whether each lies between a second and a week.
    fn is_sane(&self) -> bool {
        [self.t_accept, self.t_item, self.t_close].iter().all(|seconds| (1..=7 * 24 * 3600).contains(seconds))
    }
}

const fn hour() -> u64 {
    3600
}

/// The name of the file in the daemon's folder.
pub const FILE: &str = "merchantd.toml";

impl Config {
    /// Reads the configuration of a folder.
    ///
    /// # Errors
    /// [`ConfigError`] naming the file and what is wrong with it.
    pub fn read(folder: &Path) -> Result<Self, ConfigError> {
        let config: Self = config::read(&folder.join(FILE))?;
        config.check(folder)?;
        Ok(config)
    }

    /// Writes the configuration of a folder.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn write(&self, folder: &Path) -> Result<(), ConfigError> {
        self.check(folder)?;
        config::write(&folder.join(FILE), self)
    }

    /// Checks what can be checked without calling anybody.
    ///
    /// # Errors
    /// [`ConfigError::Content`].
    pub fn check(&self, folder: &Path) -> Result<(), ConfigError> {
        if !self.demo {
            return Err(content(
                folder,
                "the shop of this version takes play money only and runs with demo = true: real money needs a payment system of a licensed bank",
            ));
        }
        if !(1..=24 * 3600).contains(&self.lists_every_s) {
            return Err(content(folder, "lists_every_s is between a second and a day"));
        }
        if !self.deadlines.is_sane() {
            return Err(content(folder, "deadlines: each is between a second and a week"));
        }
        if let Some(pages) = &self.shop {
            pages.check().map_err(|what| content(folder, what))?;
        }
        self.subject()
            .check(semper_supporting::certificate::Class::Merchant)
            .map_err(|what| content(folder, what))?;
        for (what, address) in
            [("host and port", self.endpoint()), ("authority", self.authority()), ("bank", self.bank())]
        {
            address.map_err(|error| content(folder, format!("{what}: {error}")))?;
        }
        self.arbiters().map_err(|error| content(folder, format!("arbiters: {error}")))?;
        Ok(())
    }

    /// Where others call it.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn endpoint(&self) -> Result<Endpoint, AddressError> {
        self.address(&format!("{}:{}", self.host, self.port))
    }

    /// Where its certification authority is.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn authority(&self) -> Result<Endpoint, AddressError> {
        self.address(&self.authority)
    }

    /// Where its bank is.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn bank(&self) -> Result<Endpoint, AddressError> {
        self.address(&self.bank)
    }

    /// Where the arbiters it trusts are.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn arbiters(&self) -> Result<Vec<Endpoint>, AddressError> {
        self.arbiters.iter().map(|at| self.address(at)).collect()
    }

    fn address(&self, text: &str) -> Result<Endpoint, AddressError> {
        Endpoint::parse(text, self.surroundings())
    }

    /// Whether addresses inside the own network are called.
    pub const fn surroundings(&self) -> Surroundings {
        if self.demo { Surroundings::Demo } else { Surroundings::Public }
    }

    /// The currency of its till, and so of its prices.
    pub const fn currency(&self) -> Currency {
        Currency::XTS
    }

    /// Whom its certificate is about.
    pub fn subject(&self) -> Subject {
        Subject {
            country: Some(self.country.clone()),
            locality: Some(self.city.clone()),
            organisation: Some(self.organisation.clone()),
            common_name: self.name.clone(),
            dns: std::iter::once(&self.host).chain(&self.dns).cloned().collect(),
            business: Some(BusinessKind::Business),
            ..Subject::default()
        }
    }
}

fn content(folder: &Path, what: impl ToString) -> ConfigError {
    ConfigError::content(&folder.join(FILE), what)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const TEXT: &str = "name = \"Trial shop\"\norganisation = \"Trial\"\ncity = \"Darmstadt\"\ncountry = \"DE\"\nhost = \"localhost\"\n\
                        port = 7445\nlisten = \"127.0.0.1:7445\"\ndemo = true\nauthority = \"localhost:7444\"\nbank = \"localhost:7443\"\n";

    fn read(text: &str) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), text).unwrap();
        Config::read(folder.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_configuration_is_read_as_it_was_written() {
        let config = read(TEXT).unwrap();
        let folder = tempfile::tempdir().unwrap();
        config.write(folder.path()).unwrap();
        assert_eq!(Config::read(folder.path()).unwrap(), config);
    }

    #[test]
    fn pages_are_on_this_machine_and_orders_wait_half_an_hour_unless_it_says_otherwise() {
        assert_eq!(read(TEXT).unwrap().shop, None);
        let shop = read(&format!("{TEXT}[shop]\nname = \"fogra\"\n")).unwrap().shop.unwrap();
        assert_eq!(shop, Pages::of("fogra"));
        assert_eq!((shop.listen.to_string().as_str(), shop.offer_s), ("127.0.0.1:7480", 1800));
    }

    #[test]
    fn a_deadline_that_is_not_named_is_that_of_somebody_in_front_of_a_screen() {
        assert_eq!(read(TEXT).unwrap().deadlines.deadlines(), Deadlines::INTERACTIVE);
        let deadlines = read(&format!("{TEXT}[deadlines]\nt_item = 9\n")).unwrap().deadlines.deadlines();
        assert_eq!(deadlines, Deadlines { t_item: 9, ..Deadlines::INTERACTIVE });
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (from, to, said) in [
            ("demo = true", "demo = false", "takes play money only"),
            ("city = \"Darmstadt\"\n", "", "city"),
            ("\"DE\"", "\"Germany\"", "country is not two capital letters"),
            ("localhost:7443", "localhost", "bank: "),
            ("localhost:7444", "no where:1", "authority: "),
            ("demo = true", "demo = true\narbiters = [\"no where:1\"]", "arbiters: "),
            ("port = 7445", "port = 99999", "port"),
            ("demo =", "dmeo =", "dmeo"),
            ("demo =", "lists_every_s = 0\ndemo =", "between a second and a day"),
            ("demo = true", "demo = true\ndeadlines = { t_item = 0 }", "between a second and a week"),
            ("demo = true", "demo = true\ndeadlines = { t_itme = 9 }", "t_itme"),
            ("demo = true", "demo = true\nshop = { name = \"Fogra\" }", "shop.name has"),
            (
                "demo = true",
                "demo = true\nshop = { name = \"f\", listen = \"0.0.0.0:80\" }",
                "of this machine alone",
            ),
            (
                "demo = true",
                "demo = true\nshop = { name = \"f\", offer_s = 1 }",
                "between a minute and a day",
            ),
        ] {
            let error = read(&TEXT.replacen(from, to, 1)).unwrap_err();
            assert!(error.contains(said) && error.contains(FILE), "{to}: {error}");
        }
    }
}
