//! A shopper: a wallet's folder and library, and somebody who reads its prompts.

use std::{path::Path, sync::Arc};

use semper_engine::Performer;
use semper_host::chance::Source;
use semper_supporting::{
    certificate::Certificate,
    comm::address::{Endpoint, Surroundings},
    money::Currency,
    registration::letter::Received,
    tinguin::{Critical, FactKey},
};
use semper_trade::sale::{Errands, SaleInput};
use semper_transfer::payment::PurseId;
use semper_wallet::{
    account::Accounts,
    buying::{Buying, Person},
    consent::Consent,
    membership::Membership,
    password::Password,
    pin::Pin,
    places::Places,
    profile::{DoorPlate, DoorWords, Profile},
    wallet::{Mode, Wallet},
};

use crate::{
    failure::Result,
    letter::Letter,
    marketplace::Marketplace,
    money::money,
    script::{Expected, ScriptedUi, Sitting},
};

/// The PIN of every shopper of a trial.
pub const PIN: &str = "728193";
/// The password of every wallet of a trial.
pub const PASSWORD: &str = "seven grey herons by the canal";

/// Somebody with a wallet. Everything that is signed in his name goes through its gate.
#[derive(Debug)]
pub struct Shopper {
    /// The wallet.
    pub wallet: Arc<Wallet>,
    /// Who reads the prompts.
    pub ui: ScriptedUi,
    /// Through which everything is asked.
    pub consent: Consent,
    profile: Profile,
    sitting: Sitting,
}

impl Shopper {
    /// Makes a wallet in `folder`, with a PIN, in the surroundings of a demonstration.
    ///
    /// # Errors
    /// [`Failure`](crate::Failure).
    pub async fn create(folder: &Path) -> Result<Self> {
        let profile = Profile::at(folder);
        let plate = DoorPlate { words: DoorWords::parse("amber lighthouse")?, hue: 3 };
        profile.create(&plate, &Password::new(PASSWORD)?, &mut Source::mixed(None)?).await?;
        let shopper = Self::open(profile).await?;
        Pin::new(PIN).set_first(&shopper.wallet).await?;
        let places = Places { surroundings: Surroundings::Demo, ..Places::default() };
        places.keep(shopper.wallet.archive.as_ref()).await?;
        Ok(shopper)
    }

    /// Opens the wallet that [`Shopper::create`] made in `folder`.
    ///
    /// # Errors
    /// [`Failure`](crate::Failure).
    pub async fn again(folder: &Path) -> Result<Self> {
        Self::open(Profile::at(folder)).await
    }

    async fn open(profile: Profile) -> Result<Self> {
        let wallet = Arc::new(Wallet::unlock(&profile, Password::new(PASSWORD)?, Mode::Whole).await?);
        let (ui, consent, sitting) = ScriptedUi::sit_down(&wallet, Some(PIN))?;
        Ok(Self { wallet, ui, consent, profile, sitting })
    }

    /// Ends the program where it is, and starts it again. Nothing that it asked for is waited for.
    ///
    /// # Errors
    /// [`Failure`](crate::Failure).
    pub async fn restart(self) -> Result<Self> {
        let Self { wallet, ui, consent, profile, sitting } = self;
        sitting.end().await;
        drop((wallet, ui, consent));
        Self::open(profile).await
    }

    /// Registers by a letter, as a person who confirms it.
    ///
    /// # Errors
    /// [`Failure`](crate::Failure).
    pub async fn register(&self, letter: &Letter, root: Certificate) -> Result<()> {
        self.ui.expect(
            Expected::confirmed(Critical::Sign)
                .says(FactKey::Document, "A request for two certificates of your name")
                .says(FactKey::SignedAs, &format!("“{}”", letter.must("For")?)),
        );
        Membership::new(self.consent.clone()).register(&Received::read(&letter.text)?, root).await?;
        Ok(())
    }

    /// The accounts and purses, over connections under the certified name.
    ///
    /// # Errors
    /// [`Failure`](crate::Failure) before the registration.
    pub async fn accounts(&self) -> Result<Accounts> {
        let caller = Membership::new(self.consent.clone()).caller().await?;
        Ok(Accounts::new(self.consent.clone(), caller)?)
    }

    /// Knows this bank and this arbiter, and opens a purse that holds `load`, as a person who confirms it.
    ///
    /// # Errors
    /// [`Failure`](crate::Failure) before the registration.
    pub async fn furnish(&self, bank: &Endpoint, arbiter: &Endpoint, load: &str) -> Result<PurseId> {
        let store = self.wallet.archive.as_ref();
        let mut places = Places::load(store).await?;
        places.banks = vec![bank.clone()];
        places.arbiters = vec![arbiter.clone()];
        places.keep(store).await?;
        let accounts = self.accounts().await?;
        self.expect_opening();
        let purse = accounts.open(bank, "Purse", Currency::XTS).await?.id;
        self.expect_load(load);
        accounts.load(purse, money(load)?).await?;
        Ok(purse)
    }

    /// The sales of the wallet; the arbiters it knows are asked who they are.
    ///
    /// # Errors
    /// [`Failure`](crate::Failure) before the registration.
    pub async fn buying(&self) -> Result<Buying> {
        let caller = Membership::new(self.consent.clone()).caller().await?;
        Ok(Buying::start(self.consent.clone(), caller).await?)
    }

    /// As [`Shopper::buying`]; what sales order is done by what `by` makes of the wallet's performer.
    ///
    /// # Errors
    /// As [`Shopper::buying`].
    pub async fn buying_by<P: Performer<SaleInput>>(
        &self,
        by: impl FnOnce(Errands<Person>) -> P,
    ) -> Result<Buying> {
        let caller = Membership::new(self.consent.clone()).caller().await?;
        Ok(Buying::start_by(self.consent.clone(), caller, by).await?)
    }

    /// Expects the prompt that opens a deal with this shop, as a person who confirms it.
    pub fn expect_deal(&self, shop: &str) {
        self.ui.expect(Expected::confirmed(Critical::Sign).says(FactKey::Counterparty, shop));
    }

    /// Expects the prompt of an exchange with this shop for this price, as a person who confirms it.
    pub fn expect_exchange(&self, shop: &str, price: &str) {
        let exchange = Expected::confirmed(Critical::Exchange);
        self.ui.expect(exchange.says(FactKey::Counterparty, shop).says(FactKey::Amount, price));
    }

    /// Leaves the question about an exchange unanswered.
    pub fn leave_exchange(&self) {
        self.ui.expect(Expected::left(Critical::Exchange));
    }

    /// Confirms whatever may still be asked about a purchase from this shop for this price.
    pub fn may_expect(&self, shop: &str, price: &str) {
        self.ui.expect(Expected::confirmed(Critical::Sign).says(FactKey::Counterparty, shop).whenever());
        let exchange = Expected::confirmed(Critical::Exchange).whenever();
        self.ui.expect(exchange.says(FactKey::Counterparty, shop).says(FactKey::Amount, price));
    }

    /// Ends the program in an orderly way: nothing holds the wallet afterwards.
    pub async fn end(self) {
        let Self { wallet, ui, consent, sitting, .. } = self;
        sitting.end().await;
        drop((ui, consent, wallet));
    }

    /// Expects the two prompts of opening an account and a purse, as a person who confirms them.
    pub fn expect_opening(&self) {
        for what in ["opens an account at the bank", "opens a purse at the bank"] {
            self.ui.expect(
                Expected::confirmed(Critical::PurseMove)
                    .says(FactKey::Move, what)
                    .says(FactKey::Counterparty, BANK),
            );
        }
    }

    /// Expects the prompt of a load, as a person who confirms it.
    pub fn expect_load(&self, amount: &str) {
        self.ui.expect(
            Expected::confirmed(Critical::PurseMove)
                .says(FactKey::Move, "from your account into your purse")
                .says(FactKey::Amount, amount)
                .says(FactKey::Counterparty, BANK),
        );
    }
}

/// The certified name of the bank of a market.
pub const BANK: &str = "Trial bank";

impl Marketplace {
    /// A shopper of this name with a wallet and a letter, not registered yet.
    ///
    /// # Errors
    /// [`Failure`](crate::Failure).
    pub async fn newcomer(&self, name: &str) -> Result<(Shopper, Letter)> {
        let letter = self.letter(name, &["--city", "Darmstadt", "--country", "DE"]).await?;
        Ok((Shopper::create(&self.folder(name)).await?, letter))
    }

    /// A shopper of this name, registered by a letter.
    ///
    /// # Errors
    /// [`Failure`](crate::Failure).
    pub async fn shopper(&self, name: &str) -> Result<Shopper> {
        let (shopper, letter) = self.newcomer(name).await?;
        shopper.register(&letter, self.root().clone()).await?;
        Ok(shopper)
    }
}
