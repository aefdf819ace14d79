//! The owner's preferences: kept in the archive, read where they have an effect.
//!
//! Only the archive counts: a file beside it would be changed by whoever can write there. A preference that this
//! version does nothing with cannot be set, so that nobody relies on it.

mod cli;

use semper_host::{
    chance,
    record::{commit, entry},
};
use semper_supporting::{
    archive::{
        Batch, Column, Query, Row, RowOp, Store, StoreError, Table,
        journal::{Class, Kind},
    },
    money::Money,
    preferences::{Direction, Key, Layer, PreferenceError, Preferences, Value},
    time::Span,
};
use semper_tinguin::texts::{Msg, Texts};

pub use self::cli::PreferencesCommand;
use crate::{fault::WalletFault, wallet::Wallet};

/// What the owner chose, by name.
pub const PREFERENCE: Table = Table {
    name: "preference",
    columns: &[Column::text("name"), Column::text("value")],
    key: &["name"],
    unique: &[],
    indexes: &[],
};

/// The preferences that have an effect in this version.
pub const EFFECTIVE: [Key; 3] = [Key::LockAfter, Key::MoneyPerDeal, Key::ThirdArbiters];
/// The entry of a change: the name, what held before, what holds now, a line each.
const CHANGED: Kind = Kind::of(Class::Config, "preference");

/// Why a preference does not change.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unchanged {
    /// There is none of this name.
    #[error("there is no such preference")]
    Unknown,
    /// This version does nothing with it.
    #[error("{} has no effect yet", .0.name())]
    NoEffect(Key),
    /// The value is no value of it.
    #[error("{} is not written so", .0.name())]
    Form(Key),
    /// The value is out of range, or contradicts another preference.
    #[error(transparent)]
    Refused(#[from] PreferenceError),
    /// It would make the wallet less safe, and nobody said that this is meant.
    #[error("{} would make the wallet less safe", .0.name())]
    Lowers(Key),
}

/// The preferences as they are kept.
///
/// # Errors
/// [`StoreError`].
pub async fn load(store: &impl Store) -> Result<Preferences, StoreError> {
    let mut preferences = Preferences::default();
    for row in store.query(vec![Query::of(PREFERENCE.name)]).await?.iter().flatten() {
        let (name, text) = (row.text("name")?, row.text("value")?);
        let Some(key) = Key::named(name) else {
            preferences.keep_unknown(name, text);
            continue;
        };
        if !key.read(text).is_some_and(|value| preferences.restore(Layer::User, key, value)) {
            // Another version may know more values.
            tracing::warn!(name, "a preference is not understood; its default holds");
        }
    }
    Ok(preferences)
}

/// Sets the preference `name` to what `text` says; one that makes the wallet less safe only if that is meant. The
/// journal keeps an entry of it.
///
/// # Errors
/// [`WalletFault::Preference`], [`WalletFault::Store`]; nothing is changed then.
pub async fn set(wallet: &Wallet, name: &str, text: &str, lowering: bool) -> Result<Key, WalletFault> {
    let key = Key::named(name).ok_or(Unchanged::Unknown)?;
    if !EFFECTIVE.contains(&key) {
        return Err(Unchanged::NoEffect(key).into());
    }
    let value = key.read(text).ok_or(Unchanged::Form(key))?;
    let preferences = load(wallet.archive.as_ref()).await?;
    let change = preferences.change(Layer::User, key, value).map_err(Unchanged::from)?;
    match change.direction() {
        Direction::Level => return Ok(key),
        Direction::Down if !lowering => return Err(Unchanged::Lowers(key).into()),
        Direction::Down | Direction::Up => {}
    }
    let (before, after) = (change.before().to_string(), change.after().to_string());
    let payload = format!("{}\n{before}\n{after}\n", key.name());
    let batch = Batch::new()
        .entry(entry(CHANGED, payload, chance::now())?)
        .row(RowOp::put(PREFERENCE.name, Row::new().with("name", key.name()).with("value", after.as_str())));
    commit(wallet.archive.as_ref(), batch).await?;
    Ok(key)
}

/// After how long without a key or a move of the pointer the window locks.
pub fn lock_after(preferences: &Preferences) -> Span {
    match preferences.get(Key::LockAfter) {
        Value::Span(span) => span,
        _ => Span::minutes(10),
    }
}

/// The most that one deal may cost, in the currency of `price`: play money counts one to one as euro. What is sold in
/// another currency cannot be held against it, and nothing of it may be spent.
pub fn per_deal(preferences: &Preferences, price: Money) -> Money {
    let most = preferences.money(Key::MoneyPerDeal).filter(|most| {
        most.currency == price.currency
            || (price.currency.is_play() && price.currency.digits() == most.currency.digits())
    });
    most.and_then(|most| Money::new(most.minor(), price.currency).ok()).unwrap_or(Money::zero(price.currency))
}

/// Whether the third party at `at` may decide: everybody may where nobody was chosen. Both `host` and `host:port` name it.
pub fn may_decide(preferences: &Preferences, at: &str) -> bool {
    let Value::Words(chosen) = preferences.get(Key::ThirdArbiters) else { return false };
    let host = at.rsplit_once(':').map_or(at, |(host, _)| host);
    chosen.is_empty() || chosen.iter().any(|one| one == at || one == host)
}

impl Unchanged {
    /// The stable dotted code of the fault.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unknown => "pref.unknown",
            Self::NoEffect(_) => "pref.no-effect",
            Self::Form(_) => "pref.range",
            Self::Refused(error) => error.code(),
            Self::Lowers(_) => "pref.lowers",
        }
    }

    /// Says it to a person.
    pub fn say(self, texts: &Texts) -> String {
        let key = |key: Key| key.name();
        let (what, advice) = match self {
            Self::Unknown => (texts.get(Msg::PrefUnknown), texts.get(Msg::PrefUnknownAdvice)),
            Self::NoEffect(it) => {
                (texts.get(Msg::PrefNoEffect { name: key(it) }), texts.get(Msg::PrefNoEffectAdvice))
            }
            Self::Form(it) | Self::Refused(PreferenceError::Range(it)) => {
                (texts.get(Msg::PrefRange), help(it, texts).unwrap_or_default())
            }
            Self::Refused(PreferenceError::Contradiction(one, other)) => {
                let advice = Msg::PrefContradictionAdvice { one: key(one), other: key(other) };
                (texts.get(Msg::PrefContradiction), texts.get(advice))
            }
            Self::Lowers(it) => {
                (texts.get(Msg::PrefLowers { name: key(it) }), texts.get(Msg::PrefLowersAdvice))
            }
        };
        texts.get(Msg::FaultAdvice { what: &what, advice: &advice })
    }
}

/// What a preference does and which values it has; nothing for those without an effect.
fn help(key: Key, texts: &Texts) -> Option<String> {
    let text = match key {
        Key::LockAfter => Msg::PrefLockAfter,
        Key::MoneyPerDeal => Msg::PrefMoneyPerDeal,
        Key::ThirdArbiters => Msg::PrefThirdArbiters,
        _ => return None,
    };
    Some(texts.get(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(key: Key, text: &str) -> Preferences {
        let mut preferences = Preferences::default();
        assert!(preferences.restore(Layer::User, key, key.read(text).unwrap()));
        preferences
    }

    #[test]
    fn what_a_deal_may_cost_counts_in_play_money_as_in_euro_and_in_nothing_else() {
        let preferences = chosen(Key::MoneyPerDeal, "EUR 10.00");
        let most = |price: &str| per_deal(&preferences, Money::parse(price).unwrap()).to_string();
        assert_eq!((most("EUR 1.00"), most("XTS 1.00")), ("EUR 10.00".to_owned(), "XTS 10.00".to_owned()));
        assert_eq!(most("USD 1.00"), "USD 0.00");
    }

    #[test]
    fn a_third_party_is_named_by_its_host_or_its_whole_address() {
        let may = |chosen_as: &str, at| may_decide(&chosen(Key::ThirdArbiters, chosen_as), at);
        assert!(may_decide(&Preferences::default(), "any.example:7443"));
        assert!(may("a.example", "a.example:7443") && may("b.example, a.example:7443", "a.example:7443"));
        assert!(!may("a.example:7444", "a.example:7443") && !may("b.example", "a.example:7443"));
    }

    #[test]
    fn every_preference_with_an_effect_and_no_other_is_explained() {
        for key in Key::ALL {
            assert_eq!(help(*key, &Texts::english()).is_some(), EFFECTIVE.contains(key), "{}", key.name());
        }
    }

    #[test]
    fn refusals_are_said_in_the_words_of_the_catalogue() {
        let said = |why: Unchanged| why.say(&Texts::english());
        assert_eq!(
            said(Unchanged::Form(Key::LockAfter)),
            "The setting is outside of what it may be. The window locks after so long without a key or a move of the pointer: 1 min to 60 min"
        );
        assert_eq!(
            said(PreferenceError::Contradiction(Key::MoneyPerDeal, Key::MoneyPerDay).into()),
            "Two of your settings contradict each other. Change money.per_deal or money.per_day"
        );
        assert_eq!(
            said(Unchanged::NoEffect(Key::Language)),
            "This version does nothing with language yet, so it is not set. Look at those with an effect: semper-wallet preferences list"
        );
    }
}
