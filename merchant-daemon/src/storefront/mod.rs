//! The shop as web pages beside the daemon, and the offers that lead from them into the wallet.
//!
//! ```text
//! browser --HTTP on this machine--> pages --order--> offer (archive) <--claim-- wallet
//! ```
//!
//! The pages are a business application: they show, search and hand over, and they decide nothing. No price on a page
//! binds anybody; what the shop signs does. Their texts are the shop's own words and so stand here, not among the
//! texts of SEMPER. They need no script and load nothing from elsewhere.

pub mod display;
pub mod offers;
pub mod pages;
pub mod search;
pub mod server;
pub mod stocking;

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use semper_commerce::handover::{
    About, Back, Claim, HandoverFault, KeyPin, Link, Reference, ShopName, claim::CLAIM,
};
use semper_host::chance::{self, NoChance};
use semper_supporting::comm::address::{AddressError, Host};
use semper_transfer::catalogue::ArticleId;

use crate::{
    catalogue,
    config::Pages,
    program::{Program, ProgramError},
};
use display::{Article, Display};
use offers::Offer;
use search::Index;

/// Everything that the pages show, read when the daemon starts.
#[derive(Debug)]
pub struct Storefront {
    pub(crate) program: Arc<Program>,
    pub(crate) name: ShopName,
    /// How long an offer waits for its claim, in seconds.
    pub(crate) patience_s: u64,
    pub(crate) display: Display,
    /// The articles that are stocked, by number.
    pub(crate) listed: BTreeMap<String, Listed>,
    pub(crate) index: Index,
    /// Where the pages are.
    pub(crate) address: SocketAddr,
}

/// An article of the pages and its goods in the catalogue.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listed {
    /// What is shown.
    pub article: Article,
    /// Its name in the catalogue.
    pub id: ArticleId,
    /// How many bytes it has.
    pub length: u64,
}

/// Why a link cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The operating system gave no random bytes.
    #[error(transparent)]
    Chance(#[from] NoChance),
    /// A part of it is none.
    #[error(transparent)]
    Handover(#[from] HandoverFault),
    /// The address of the shop is none.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The key of the shop is not there.
    #[error("the key of the shop cannot be read")]
    Key,
}

impl Storefront {
    /// Reads what is shown of the shop whose pages are at `address`. Articles without goods are left out.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub async fn open(
        program: Arc<Program>,
        pages: &Pages,
        address: SocketAddr,
    ) -> Result<Self, ProgramError> {
        let display = Display::read(&program.folder.join(display::FOLDER))?;
        let stocked = stocking::stocked(&*program.store).await?;
        let mut listed = BTreeMap::new();
        for article in &display.articles {
            let Some(id) = stocked.get(&article.sku) else {
                tracing::warn!(sku = article.sku, "an article is shown nowhere: it has not been stocked");
                continue;
            };
            if let Some(entry) =
                catalogue::find(&*program.store, *id).await?.filter(|one| one.withdrawn.is_none())
            {
                let one = Listed { article: article.clone(), id: *id, length: entry.length };
                listed.insert(article.sku.clone(), one);
            }
        }
        let index = Index::of(listed.values().map(|one| &one.article));
        let name = ShopName::new(&pages.name).map_err(|_| ProgramError::Unfinished)?;
        Ok(Self { name, patience_s: pages.offer_s, program, display, listed, index, address })
    }

    /// The link by which a wallet sees who the shop is. Nothing is kept of it.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn listing(&self, claim: Claim) -> Result<Link, LinkError> {
        self.link(About::Listing, Reference::new(self.name.as_str())?, claim, None)
    }

    /// The link to an offer. A wallet on the same machine as the pages is told the way back.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn offer(&self, offer: &Offer) -> Result<Link, LinkError> {
        let config = &self.program.config;
        let address = format!("http://{}:{}/orders/{}", config.host, self.address.port(), offer.view);
        let back =
            (config.host == "localhost").then(|| Back::new(&address, config.surroundings())).transpose()?;
        self.link(About::Offer, offer.reference.clone(), offer.claim.clone(), back)
    }

    fn link(
        &self,
        about: About,
        reference: Reference,
        claim: Claim,
        back: Option<Back>,
    ) -> Result<Link, LinkError> {
        let program = &self.program;
        let key = program.keys.public(&program.key).map_err(|_| LinkError::Key)?;
        let at = program.config.endpoint()?;
        Ok(Link { at, shop: self.name.clone(), about, reference, claim, pin: KeyPin::of(&key.kid()), back })
    }

    /// The hosts under which a browser may call the pages: anything else is a page of somebody who had his own name
    /// lead here.
    pub(crate) fn is_called(&self, host: &str) -> bool {
        let port = self.address.port();
        let own = [self.address.to_string(), format!("localhost:{port}"), format!("127.0.0.1:{port}")];
        own.iter().any(|one| one == host)
    }

    /// The certified host of the shop, as the pages name it.
    pub(crate) fn host(&self) -> String {
        Host::parse(&self.program.config.host).map_or_else(|_| String::new(), |host| host.to_string())
    }
}

/// A fresh claim.
///
/// # Errors
/// [`NoChance`].
pub fn fresh_claim() -> Result<Claim, NoChance> {
    Ok(Claim::from_random(&chance::random::<CLAIM>()?))
}
