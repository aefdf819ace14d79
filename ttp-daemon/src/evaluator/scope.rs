//! What an evaluator allows a service to ask for, as its operator writes it.

use semper_commerce::{download::Scope, service::statechart::Need};
use semper_supporting::money::Money;

/// What `need` asks for, with the bounds in `words` in place of its own: `pay<=XTS 20.00`, `store<=4096` (bytes), and
/// `reveal=name,address`, likewise `sign`, `receive`, `third`, `open`, `subdeal`. Nothing after the sign allows nothing.
///
/// # Errors
/// Words that say what cannot be read.
pub(super) fn bounded(need: &Need, words: &[String]) -> Result<Scope, String> {
    let mut scope = Scope::of(need);
    for word in words {
        let wrong = || format!("{word:?} is no bound: write pay<=XTS 20.00 or reveal=name,address");
        if let Some(most) = word.strip_prefix("pay<=") {
            scope.pay = Some(Money::parse(most).map_err(|error| format!("{word:?}: {error}"))?);
            continue;
        }
        if let Some(most) = word.strip_prefix("store<=") {
            scope.store = Some(most.parse().map_err(|_| wrong())?);
            continue;
        }
        let (key, list) = word.split_once('=').ok_or_else(wrong)?;
        let list: Vec<String> = list.split(',').filter(|one| !one.is_empty()).map(str::to_owned).collect();
        match key {
            "pay" if list.is_empty() => scope.pay = None,
            "store" if list.is_empty() => scope.store = None,
            "reveal" => {
                let classes = list.into_iter().map(|one| serde_json::from_value(one.into()));
                scope.reveal =
                    classes.collect::<Result<_, _>>().map_err(|error| format!("{word:?}: {error}"))?;
            }
            "sign" => scope.sign = list,
            "receive" => scope.receive = list,
            "third" => scope.third = list,
            "open" => scope.open = list,
            "subdeal" => scope.subdeal = list,
            _ => return Err(wrong()),
        }
    }
    Ok(scope)
}

#[cfg(test)]
mod tests {
    use semper_commerce::service::shipped::service;

    use super::*;

    fn read(words: &[&str]) -> Result<Scope, String> {
        let need = service("mailorder.toml").unwrap().need;
        bounded(&need, &words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn without_words_the_bounds_are_what_the_service_asks_for() {
        assert!(read(&[]).unwrap().covers(&service("mailorder.toml").unwrap().need));
    }

    #[test]
    fn each_word_takes_the_place_of_one_bound() {
        let scope = read(&["pay<=EUR 20.00", "reveal=name", "third="]).unwrap();
        assert_eq!(scope.pay, Some(Money::parse("EUR 20.00").unwrap()));
        assert_eq!((scope.reveal.len(), scope.third.len(), scope.sign.len()), (1, 0, 6));
        assert_eq!(read(&["pay="]).unwrap().pay, None);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for word in ["pay<=20", "reveal=shoesize", "fly=high", "sign", "store<=much"] {
            assert!(read(&[word]).unwrap_err().contains(word), "{word}");
        }
    }
}
