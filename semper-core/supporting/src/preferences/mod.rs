//! Preferences: typed, in layers, and never weakened without a person's confirmation.
//!
//! A value is looked up in the deal, then in what the user chose, then in the profile, then among the
//! defaults. A change says which way it goes; access control makes every step towards less security a
//! critical act. Names that this program does not know are kept and ignored.

mod key;
mod text;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::key::{Direction, Key, Value};
use crate::{access::Action, money::Money};

/// The layers above the defaults, lowest first.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Layer {
    /// What the profile sets: trial, normal, merchant.
    Profile,
    /// What the user chose.
    User,
    /// What holds for one deal.
    Deal,
}

/// The preferences of a program, or, with a deal's layer, of one deal.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Preferences {
    layers: BTreeMap<Layer, BTreeMap<Key, Value>>,
    unknown: BTreeMap<String, String>,
}

/// What a change would do. It takes effect when it is applied.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use = "a change that is not applied changes nothing"]
pub struct Change {
    layer: Layer,
    key: Key,
    before: Value,
    after: Value,
    direction: Direction,
}

/// Why a preference does not change.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PreferenceError {
    /// The value is of another type, or out of range.
    #[error("{} does not take this value", .0.name())]
    Range(Key),
    /// The value contradicts another preference.
    #[error("{} contradicts {}", .0.name(), .1.name())]
    Contradiction(Key, Key),
}

impl PreferenceError {
    /// The stable dotted code of the fault.
    pub fn code(self) -> &'static str {
        match self {
            Self::Range(_) => "pref.range",
            Self::Contradiction(..) => "pref.contradiction",
        }
    }
}

impl Change {
    /// The preference.
    pub fn key(&self) -> Key {
        self.key
    }

    /// What held before.
    pub fn before(&self) -> &Value {
        &self.before
    }

    /// What would hold.
    pub fn after(&self) -> &Value {
        &self.after
    }

    /// Which way it goes.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The action that access control decides about.
    pub fn action(&self) -> Action {
        match self.direction {
            Direction::Level | Direction::Up => Action::ChangePrefUp,
            Direction::Down => Action::ChangePrefDown,
        }
    }
}

impl Preferences {
    /// The value that holds.
    pub fn get(&self, key: Key) -> Value {
        let layers = self.layers.values().rev();
        layers.filter_map(|layer| layer.get(&key)).next().cloned().unwrap_or_else(|| key.default())
    }

    /// The sum that holds, for preferences that are sums.
    pub fn money(&self, key: Key) -> Option<Money> {
        if let Value::Money(money) = self.get(key) { Some(money) } else { None }
    }

    /// What setting `key` in `layer` would do. A layer above may still hide it.
    ///
    /// # Errors
    /// [`PreferenceError`].
    pub fn change(&self, layer: Layer, key: Key, after: Value) -> Result<Change, PreferenceError> {
        if !key.takes(&after) {
            return Err(PreferenceError::Range(key));
        }
        let before = self.get(key);
        // A value that a higher layer hides today comes to light when that layer goes: it counts by itself.
        let direction = key.direction(&self.below(layer, key), &after);
        let change = Change { layer, key, before, after, direction };
        let mut then = self.clone();
        then.apply(change.clone());
        then.consistent()?;
        Ok(change)
    }

    /// Applies a change that access control or a person allowed.
    pub fn apply(&mut self, change: Change) {
        self.layers.entry(change.layer).or_default().insert(change.key, change.after);
    }

    /// Takes a value up again that was kept; whether `key` takes it. Values that agreed when they were kept still do.
    pub fn restore(&mut self, layer: Layer, key: Key, value: Value) -> bool {
        let taken = key.takes(&value);
        if taken {
            self.layers.entry(layer).or_default().insert(key, value);
        }
        taken
    }

    /// Keeps a value under a name that this program does not know; whether it is such a name.
    pub fn keep_unknown(&mut self, name: &str, text: &str) -> bool {
        let unknown = Key::ALL.iter().all(|key| key.name() != name);
        if unknown && self.unknown.len() < 256 && name.len() <= 128 && text.len() <= 4096 {
            self.unknown.insert(name.to_owned(), text.to_owned());
        }
        unknown
    }

    /// What was kept although this program does not know it.
    pub fn unknown(&self) -> &BTreeMap<String, String> {
        &self.unknown
    }

    /// The value of `key` up to and including `layer`.
    fn below(&self, layer: Layer, key: Key) -> Value {
        let layers = self.layers.range(..=layer).rev();
        layers.filter_map(|(_, values)| values.get(&key)).next().cloned().unwrap_or_else(|| key.default())
    }

    /// Whether the values that hold agree with each other.
    fn consistent(&self) -> Result<(), PreferenceError> {
        let pairs = [
            (Key::MoneyPerDeal, Key::MoneyPerDay),
            (Key::MoneyAskAbove, Key::MoneyPerDeal),
            (Key::UncertifiedRealMoney, Key::MoneyPerDeal),
        ];
        for (less, more) in pairs {
            if self.money(less) > self.money(more) {
                return Err(PreferenceError::Contradiction(less, more));
            }
        }
        let hidden = self.get(Key::NetworkHiddenDefault) == Value::Flag(true);
        if hidden && self.get(Key::NetworkProxy) == Value::Word(String::new()) {
            return Err(PreferenceError::Contradiction(Key::NetworkHiddenDefault, Key::NetworkProxy));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        deal::{Anonymity, EvidenceLevel},
        time::Span,
    };

    fn euro(text: &str) -> Value {
        Value::Money(Money::parse(text).unwrap())
    }

    fn words(list: &[&str]) -> Value {
        Value::Words(list.iter().map(|word| (*word).to_owned()).collect())
    }

    fn direction(key: Key, value: Value) -> Direction {
        Preferences::default().change(Layer::User, key, value).unwrap().direction()
    }

    #[test]
    fn every_default_is_within_its_range_and_together_they_agree() {
        for key in Key::ALL {
            assert!(key.takes(&key.default()), "{}", key.name());
            assert!(crate::evidence::statement::is_segment(&key.help()), "{}", key.help());
        }
        assert_eq!(Preferences::default().consistent(), Ok(()));
    }

    #[test]
    fn the_highest_layer_holds() {
        let mut preferences = Preferences::default();
        for (layer, text) in
            [(Layer::Deal, "EUR 50.00"), (Layer::Profile, "EUR 10.00"), (Layer::User, "EUR 20.00")]
        {
            let change = preferences.change(layer, Key::MoneyPerDeal, euro(text)).unwrap();
            preferences.apply(change);
        }
        assert_eq!(preferences.get(Key::MoneyPerDeal), euro("EUR 50.00"));
        assert_eq!(preferences.get(Key::MoneyPerDay), euro("EUR 500.00"));
    }

    #[test]
    fn less_security_is_a_critical_act() {
        for (key, value) in [
            (Key::MoneyPerDeal, euro("EUR 200.01")),
            (Key::MoneyAskAbove, euro("EUR 0.01")),
            (Key::UncertifiedRealMoney, euro("EUR 10.00")),
            (Key::AnonymityDefault, Value::Anonymity(Anonymity::Identified)),
            (Key::EvidenceMin, Value::Evidence(EvidenceLevel::Origin)),
            (Key::LockAfter, Value::Span(Span::minutes(11))),
            (Key::ArchiveKeepYears, Value::Number(9)),
            (Key::OpenTypes, words(&["application/pdf"])),
            (Key::ThirdArbiters, words(&["arbiter.example"])),
            (Key::NetworkProxy, Value::Word("127.0.0.1:9050".to_owned())),
        ] {
            let change = Preferences::default().change(Layer::User, key, value).unwrap();
            assert_eq!((change.direction(), change.action()), (Direction::Down, Action::ChangePrefDown));
        }
    }

    #[test]
    fn more_security_is_not_and_tastes_are_neither() {
        assert_eq!(direction(Key::MoneyPerDeal, euro("EUR 199.99")), Direction::Up);
        assert_eq!(direction(Key::SignPasswordEach, Value::Flag(true)), Direction::Up);
        assert_eq!(direction(Key::AnonymityDefault, Value::Anonymity(Anonymity::Anonymous)), Direction::Up);
        assert_eq!(direction(Key::Language, Value::Word("el".to_owned())), Direction::Level);
        assert_eq!(direction(Key::PaymentOrder, words(&["sim"])), Direction::Level);
        assert_eq!(direction(Key::MoneyPerDeal, euro("EUR 200.00")), Direction::Level);
    }

    #[test]
    fn a_weaker_value_hidden_below_a_stronger_one_is_weaker_still() {
        let mut preferences = Preferences::default();
        let change = preferences.change(Layer::Deal, Key::MoneyPerDeal, euro("EUR 400.00")).unwrap();
        preferences.apply(change);
        let below = preferences.change(Layer::User, Key::MoneyPerDeal, euro("EUR 300.00")).unwrap();
        assert_eq!(below.direction(), Direction::Down);
    }

    #[test]
    fn values_out_of_range_or_of_another_type_are_refused() {
        for (key, value) in [
            (Key::UncertifiedRealMoney, euro("EUR 10.01")),
            (Key::MoneyPerDeal, euro("XTS 1.00")),
            (Key::MoneyPerDeal, Value::Number(5)),
            (Key::EvidenceMin, Value::Evidence(EvidenceLevel::None)),
            (Key::LockAfter, Value::Span(Span::minutes(61))),
            (Key::LockAfter, Value::Span(Span::seconds(59))),
            (Key::ArchiveKeepYears, Value::Number(0)),
            (Key::UriAccept, Value::Word("always".to_owned())),
            (Key::Language, Value::Word("xx".to_owned())),
            (Key::NetworkProxy, Value::Word("localhost".to_owned())),
            (Key::NetworkProxy, Value::Word("a b:1".to_owned())),
            (Key::NetworkProxy, Value::Word("host:0".to_owned())),
            (Key::OpenTypes, words(&["a", "a"])),
            (Key::OpenTypes, words(&[" "])),
            (Key::OpenTypes, words(&["x"; 65])),
        ] {
            let refused = Preferences::default().change(Layer::User, key, value.clone()).unwrap_err();
            assert_eq!(refused, PreferenceError::Range(key), "{value:?}");
        }
    }

    #[test]
    fn preferences_that_contradict_each_other_are_refused() {
        let preferences = Preferences::default();
        let per_deal = preferences.change(Layer::User, Key::MoneyPerDeal, euro("EUR 500.01")).unwrap_err();
        assert_eq!((per_deal.code()), "pref.contradiction");
        let per_day = preferences.change(Layer::User, Key::MoneyPerDay, euro("EUR 199.99")).unwrap_err();
        assert_eq!(per_day, PreferenceError::Contradiction(Key::MoneyPerDeal, Key::MoneyPerDay));
        assert!(preferences.change(Layer::User, Key::NetworkHiddenDefault, Value::Flag(true)).is_err());
    }

    #[test]
    fn what_is_not_known_is_kept_and_ignored() {
        let mut preferences = Preferences::default();
        assert!(preferences.keep_unknown("future.key", "7"));
        assert!(!preferences.keep_unknown("money.per_deal", "EUR 9999.00"));
        assert_eq!(preferences.unknown().len(), 1);
        assert_eq!(preferences.get(Key::MoneyPerDeal), euro("EUR 200.00"));
    }
}
