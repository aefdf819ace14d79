//! A line on which messages are lost, come twice, and come late: as a printed seed has it.

use std::sync::{Mutex, PoisonError};

use semper_engine::{Effect, Key, Performed, Performer};
use semper_supporting::{crypto::digest::Digest, wire};
use semper_tests::wire::Knife;
use semper_trade::sale::{Errand, SaleInput};

/// How many messages of one sale are mistreated at most: even the worst line works now and then.
const MOST: u32 = 6;

/// What became of messages.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Deeds {
    pub(crate) lost: u32,
    pub(crate) doubled: u32,
    pub(crate) late: u32,
}

/// Performs what `inner` does, and mistreats messages to the other side.
pub(crate) struct Chaos<P> {
    inner: P,
    knife: Knife,
    state: Mutex<State>,
}

struct State {
    seed: Digest,
    held: Option<(Key, Effect)>,
    left: u32,
    deeds: Deeds,
}

enum Fate {
    Comes(Option<(Key, Effect)>),
    ComesTwice,
    IsLost,
}

impl<P> Chaos<P> {
    pub(crate) fn new(inner: P, knife: Knife, seed: Digest) -> Self {
        let state = State { seed, held: None, left: MOST, deeds: Deeds::default() };
        Self { inner, knife, state: Mutex::new(state) }
    }

    /// What becomes of the next message of a sale.
    fn fate(&self, key: &Key, effect: &Effect) -> Fate {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.seed = Digest::of(state.seed.as_bytes());
        if let Some(held) = state.held.take() {
            return Fate::Comes(Some(held));
        }
        let [chance, ..] = *state.seed.as_bytes();
        if state.left == 0 || chance % 2 == 0 {
            return Fate::Comes(None);
        }
        state.left -= 1;
        match chance % 3 {
            0 => {
                state.deeds.lost += 1;
                Fate::IsLost
            }
            1 => {
                state.deeds.late += 1;
                state.held = Some((key.clone(), effect.clone()));
                Fate::IsLost
            }
            _ => {
                state.deeds.doubled += 1;
                Fate::ComesTwice
            }
        }
    }

    /// What was done so far; the next sale is mistreated anew.
    pub(crate) fn deeds(&self) -> Deeds {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.left, state.held) = (MOST, None);
        state.deeds
    }
}

impl<P: Performer<SaleInput>> Performer<SaleInput> for Chaos<P> {
    async fn perform(&self, key: &Key, effect: &Effect, attempt: u32) -> Performed<SaleInput> {
        let errand = wire::decode::<Errand>(&effect.body, wire::STATE_LIMIT);
        if !matches!(errand, Ok(Errand::Send { .. })) {
            return self.inner.perform(key, effect, attempt).await;
        }
        match self.fate(key, effect) {
            Fate::Comes(held) => {
                let performed = self.inner.perform(key, effect, attempt).await;
                if let Some((key, effect)) = held {
                    self.inner.perform(&key, &effect, attempt).await;
                }
                performed
            }
            Fate::ComesTwice => {
                self.inner.perform(key, effect, attempt).await;
                self.inner.perform(key, effect, attempt).await
            }
            // What is lost on a connection is lost with it.
            Fate::IsLost => {
                self.knife.cut();
                Performed::Done
            }
        }
    }
}
