//! A line on which messages of sales are lost, come late, and come twice, as a seed has it: for either side.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Mutex, PoisonError},
};

use semper_engine::{Effect, Key, Performed, Performer};
use semper_supporting::{crypto::digest::Digest, wire};
use semper_trade::sale::{Errand, SaleInput};

/// How many messages of one sale are mistreated at most on each side: even the worst line works now and then.
const MOST: u32 = 8;

/// What chaos has to know of a program, and to do in it.
pub trait Line: Send + Sync + 'static {
    /// With whom a sale is: a name that he has in every run.
    fn partner(&self, key: &Key) -> impl Future<Output = String> + Send;

    /// Cuts the connection of a sale.
    fn cut(&self, key: &Key);

    /// Is told what was done to a message in a sale with `partner`: one of [`DEEDS`].
    fn did(&self, partner: &str, deed: &'static str);
}

/// All that is done to messages.
pub const DEEDS: [&str; 4] = ["lost", "late", "doubled", "followed by an old one"];

/// What becomes of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fate {
    Comes,
    /// It does not come, and the connection falls with it.
    Lost,
    /// The same, but it comes after so many later ones, over whatever connection stands then.
    Late(u8),
    Doubled,
    /// It comes, and after it one that came before.
    Followed,
}

/// Performs what `P` does, and mistreats the messages to the other side.
#[derive(Debug)]
pub struct Chaos<P, L> {
    inner: P,
    line: L,
    seed: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// How many sales there were with each.
    partners: BTreeMap<String, u32>,
    sales: BTreeMap<Key, Sale>,
}

/// What was done to the messages of a sale.
#[derive(Debug, Default)]
struct Sale {
    name: String,
    messages: u32,
    mistreated: u32,
    /// The message that comes late, and after how many others.
    late: Option<(Effect, u8)>,
    last: Option<Effect>,
}

impl Fate {
    /// What the `number`th message of the sale called `sale` meets.
    fn of(seed: &str, sale: &str, number: u32) -> Self {
        let [kind, after, ..] = *Digest::of(format!("{seed} {sale} {number}").as_bytes()).as_bytes();
        // One in four, so that the last messages of a sale are not spared.
        match kind % 16 {
            0 => Self::Lost,
            1 => Self::Late(1 + after % 3),
            2 => Self::Doubled,
            3 => Self::Followed,
            _ => Self::Comes,
        }
    }
}

impl<P, L> Chaos<P, L> {
    /// Mistreats the messages that `inner` sends over `line`.
    pub fn new(inner: P, line: L, seed: &str) -> Self {
        Self { inner, line, seed: seed.to_owned(), state: Mutex::default() }
    }

    /// What is sent in place of `effect`, in this order, and what that does to messages.
    fn next(&self, key: &Key, partner: &str, effect: &Effect) -> (Vec<Effect>, Vec<&'static str>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { partners, sales } = &mut *state;
        let sale = sales.entry(key.clone()).or_insert_with(|| {
            let number = partners.entry(partner.to_owned()).or_default();
            *number += 1;
            Sale { name: format!("{partner} {number}"), ..Sale::default() }
        });
        sale.messages += 1;
        let fate = Fate::of(&self.seed, &sale.name, sale.messages);
        sale.meets(if sale.mistreated < MOST { fate } else { Fate::Comes }, effect)
    }
}

impl Sale {
    fn meets(&mut self, fate: Fate, effect: &Effect) -> (Vec<Effect>, Vec<&'static str>) {
        let [lost, late, doubled, followed] = DEEDS;
        let (mut sent, mut deeds) = match (fate, &self.last) {
            (Fate::Lost, _) => (Vec::new(), vec![lost]),
            // One message is late at a time.
            (Fate::Late(after), _) if self.late.is_none() => {
                self.late = Some((effect.clone(), after));
                self.mistreated += 1;
                return (Vec::new(), Vec::new());
            }
            (Fate::Doubled, _) => (vec![effect.clone(), effect.clone()], vec![doubled]),
            (Fate::Followed, Some(last)) => (vec![effect.clone(), last.clone()], vec![followed]),
            _ => (vec![effect.clone()], Vec::new()),
        };
        self.mistreated += u32::from(!deeds.is_empty());
        if sent.is_empty() {
            return (sent, deeds);
        }
        self.last = Some(effect.clone());
        match self.late.take() {
            Some((effect, after)) if after > 1 => self.late = Some((effect, after - 1)),
            Some((effect, _)) => {
                sent.push(effect);
                deeds.push(late);
            }
            None => {}
        }
        (sent, deeds)
    }
}

impl<P: Performer<SaleInput>, L: Line> Performer<SaleInput> for Chaos<P, L> {
    async fn perform(&self, key: &Key, effect: &Effect, attempt: u32) -> Performed<SaleInput> {
        let errand = wire::decode::<Errand>(&effect.body, wire::STATE_LIMIT);
        if !matches!(errand, Ok(Errand::Send { .. })) {
            return self.inner.perform(key, effect, attempt).await;
        }
        let partner = self.line.partner(key).await;
        let (sent, deeds) = self.next(key, &partner, effect);
        for deed in deeds {
            self.line.did(&partner, deed);
        }
        if sent.is_empty() {
            // A connection loses nothing without falling.
            self.line.cut(key);
        }
        for one in &sent {
            self.inner.perform(key, one, attempt).await;
        }
        Performed::Done
    }
}

#[cfg(test)]
mod tests {
    use semper_engine::Class;

    use super::*;

    fn effect(body: u8) -> Effect {
        Effect { class: Class::Peer, to: "peer".to_owned(), body: vec![body], repeat: false }
    }

    /// What a sale whose messages are numbered from 0 sends when they meet these fates.
    fn sent(fates: &[Fate]) -> Vec<u8> {
        let mut sale = Sale::default();
        let met = (0..).zip(fates).flat_map(|(n, fate)| sale.meets(*fate, &effect(n)).0);
        met.filter_map(|effect| effect.body.first().copied()).collect()
    }

    #[test]
    fn every_fate_is_what_it_is_called() {
        assert_eq!(sent(&[Fate::Comes, Fate::Lost, Fate::Comes]), [0, 2]);
        assert_eq!(sent(&[Fate::Late(1), Fate::Comes, Fate::Comes]), [1, 0, 2]);
        assert_eq!(sent(&[Fate::Late(2), Fate::Comes, Fate::Late(3), Fate::Comes]), [1, 2, 0, 3]);
        assert_eq!(sent(&[Fate::Doubled, Fate::Followed, Fate::Comes]), [0, 0, 1, 0, 2]);
        assert_eq!(sent(&[Fate::Followed, Fate::Comes]), [0, 1]);
    }

    #[test]
    fn a_seed_has_the_same_fates_in_every_run_and_others_than_the_next() {
        let fates = |seed| (0..32).map(|n| Fate::of(seed, "Ines Ortmann 1", n)).collect::<Vec<_>>();
        assert_eq!(fates("one"), fates("one"));
        assert_ne!(fates("one"), fates("two"));
    }
}
