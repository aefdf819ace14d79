//! What one peer may take of us: frames, bytes, connections, mistakes. Time is an argument everywhere.

use std::collections::BTreeMap;

use super::{
    fault::{Busy, FrameError},
    hello::Token,
};
use crate::time::{Moment, Span};

/// How many chunk bytes may be on their way without having been taken (4 MiB).
pub const WINDOW: u64 = 4 << 20;

/// How long a connection attempt may take until the greeting has come.
pub const GREETING: Span = Span::seconds(5);

/// How many mistakes are forgiven before a peer is refused for [`REFUSAL`].
const STRIKES: u32 = 3;
/// How long a peer that made too many mistakes is refused.
const REFUSAL: Span = Span::minutes(10);
/// How many pings may wait for their pong.
const QUESTIONS: usize = 16;
/// How many peers with mistakes are remembered; above that the oldest is forgotten.
const REMEMBERED: usize = 4096;

/// What a listener allows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Connections in all.
    pub connections: usize,
    /// Connections from one address.
    pub per_address: usize,
    /// Pieces of frames a second from one connection, on average.
    pub pieces_per_second: u64,
    /// Bytes a second from one connection, on average.
    pub bytes_per_second: u64,
    /// How many seconds' worth of both may come at once.
    pub burst: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            per_address: 16,
            pieces_per_second: 50,
            bytes_per_second: 10 << 20,
            burst: 4,
        }
    }
}

/// A bucket that fills with time and is emptied by use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TokenBucket {
    /// Thousandths of a token, so that a millisecond's share is never lost; below zero is debt.
    level: i64,
    capacity: i64,
    per_second: i64,
    at: Moment,
}

impl TokenBucket {
    /// A full bucket of `capacity` tokens that gains `per_second` of them.
    pub fn new(per_second: u64, capacity: u64, now: Moment) -> Self {
        let capacity = signed(capacity).saturating_mul(1000);
        Self { level: capacity, capacity, per_second: signed(per_second).max(1), at: now }
    }

    /// Takes `count` tokens, or none.
    ///
    /// # Errors
    /// The time until there are enough. More than the bucket holds is let through once it is full, so
    /// that nothing waits for ever.
    pub fn take(&mut self, now: Moment, count: u64) -> Result<(), Span> {
        self.fill(now);
        let wanted = signed(count).saturating_mul(1000).min(self.capacity);
        if self.level < wanted {
            return Err(self.time_for(wanted - self.level));
        }
        self.level -= wanted;
        Ok(())
    }

    /// Takes `count` tokens even if they are not there, and says how long until the debt is paid.
    pub fn charge(&mut self, now: Moment, count: u64) -> Span {
        self.fill(now);
        self.level = self.level.saturating_sub(signed(count).saturating_mul(1000));
        self.time_for(self.level.saturating_neg().max(0))
    }

    fn fill(&mut self, now: Moment) {
        // A clock that went back gives nothing.
        let gained = signed(now.since(self.at).as_millis()).saturating_mul(self.per_second);
        self.level = self.level.saturating_add(gained).min(self.capacity);
        self.at = now;
    }

    fn time_for(&self, missing: i64) -> Span {
        Span::millis(missing.unsigned_abs().div_ceil(self.per_second.unsigned_abs()))
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The two rates of one connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rates {
    pieces: TokenBucket,
    bytes: TokenBucket,
}

impl Rates {
    /// Full buckets according to `limits`.
    pub fn new(limits: &Limits, now: Moment) -> Self {
        let bucket =
            |per_second: u64| TokenBucket::new(per_second, per_second.saturating_mul(limits.burst), now);
        Self { pieces: bucket(limits.pieces_per_second), bytes: bucket(limits.bytes_per_second) }
    }

    /// Counts a piece of `length` bytes that has come, and says how long nothing more is to be read from
    /// this peer.
    pub fn count(&mut self, now: Moment, length: u64) -> Span {
        self.pieces.charge(now, 1).max(self.bytes.charge(now, length))
    }
}

/// The open connections of a listener, by address.
#[derive(Clone, Debug)]
pub struct Connections<A> {
    total: usize,
    by_address: BTreeMap<A, usize>,
}

impl<A: Ord + Clone> Connections<A> {
    /// No connections.
    pub const fn new() -> Self {
        Self { total: 0, by_address: BTreeMap::new() }
    }

    /// Counts one more from `address`.
    ///
    /// # Errors
    /// [`Busy`] when there are too many in all or from there; then it is not counted.
    pub fn enter(&mut self, limits: &Limits, address: &A, now: Moment) -> Result<(), Busy> {
        let here = self.by_address.get(address).copied().unwrap_or_default();
        if self.total >= limits.connections || here >= limits.per_address {
            return Err(Busy { until: now.after(GREETING) });
        }
        self.total += 1;
        self.by_address.insert(address.clone(), here + 1);
        Ok(())
    }

    /// Counts one less from `address`.
    pub fn leave(&mut self, address: &A) {
        let Some(here) = self.by_address.get_mut(address) else { return };
        self.total = self.total.saturating_sub(1);
        *here -= 1;
        if *here == 0 {
            self.by_address.remove(address);
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.total
    }
}

impl<A: Ord + Clone> Default for Connections<A> {
    fn default() -> Self {
        Self::new()
    }
}

/// Who broke the protocol, and until when it is refused for that.
#[derive(Clone, Debug)]
pub struct Penalties<K> {
    mistakes: BTreeMap<K, (u32, Moment)>,
}

impl<K: Ord + Clone> Penalties<K> {
    /// Nobody has made a mistake.
    pub const fn new() -> Self {
        Self { mistakes: BTreeMap::new() }
    }

    /// Notes a mistake of `peer`.
    pub fn strike(&mut self, peer: &K, now: Moment) {
        if self.mistakes.len() >= REMEMBERED && !self.mistakes.contains_key(peer) {
            let oldest = self.mistakes.iter().min_by_key(|(_, (_, at))| *at).map(|(peer, _)| peer.clone());
            if let Some(oldest) = oldest {
                self.mistakes.remove(&oldest);
            }
        }
        let entry = self.mistakes.entry(peer.clone()).or_insert((0, now));
        let forgiven = now.since(entry.1) >= REFUSAL;
        *entry = (if forgiven { 1 } else { entry.0.saturating_add(1) }, now);
    }

    /// Whether `peer` is heard.
    ///
    /// # Errors
    /// [`Busy`] until its refusal ends.
    pub fn check(&self, peer: &K, now: Moment) -> Result<(), Busy> {
        match self.mistakes.get(peer) {
            Some((count, at)) if *count >= STRIKES && now.since(*at) < REFUSAL => {
                Err(Busy { until: at.after(REFUSAL) })
            }
            _ => Ok(()),
        }
    }
}

impl<K: Ord + Clone> Default for Penalties<K> {
    fn default() -> Self {
        Self::new()
    }
}

/// The sender's half of the flow window: how many chunk bytes may still go out.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct SendWindow {
    sent: u64,
    taken: u64,
}

impl SendWindow {
    /// Whether a chunk of `length` bytes may go out now.
    pub fn has_room(&self, length: u64) -> bool {
        self.sent - self.taken + length <= WINDOW
    }

    /// Counts a chunk that goes out.
    pub fn send(&mut self, length: u64) {
        self.sent = self.sent.saturating_add(length);
    }

    /// How many chunk bytes have gone out on this connection: what the next ping asks about.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Takes note of a pong.
    ///
    /// # Errors
    /// [`FrameError::Window`] if it confirms more than was sent.
    pub fn confirm(&mut self, token: Token) -> Result<(), FrameError> {
        if token.chunks > self.sent {
            return Err(FrameError::Window { limit: self.sent, got: token.chunks });
        }
        self.taken = self.taken.max(token.chunks);
        Ok(())
    }
}

/// The receiver's half of the flow window: a pong goes out once the chunks before its ping are taken.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ReceiveWindow {
    received: u64,
    taken: u64,
    confirmed: u64,
    /// Pings without a pong, in the order in which they came.
    asked: Vec<Token>,
}

impl ReceiveWindow {
    /// Counts a chunk that has come.
    ///
    /// # Errors
    /// [`FrameError::Window`] if its sender had no room for it.
    pub fn receive(&mut self, length: u64) -> Result<(), FrameError> {
        self.received = self.received.saturating_add(length);
        let got = self.received - self.confirmed;
        if got > WINDOW { Err(FrameError::Window { limit: WINDOW, got }) } else { Ok(()) }
    }

    /// Takes note of a ping; gives the token to answer with if its chunks have been taken already.
    ///
    /// # Errors
    /// [`FrameError::Window`] if it speaks of chunks that have not come.
    pub fn ask(&mut self, token: Token) -> Result<Option<Token>, FrameError> {
        if token.chunks > self.received {
            return Err(FrameError::Window { limit: self.received, got: token.chunks });
        }
        // Only the last of too many is kept: its answer stands for those before it.
        if self.asked.len() >= QUESTIONS {
            self.asked.clear();
        }
        self.asked.push(token);
        Ok(self.answer())
    }

    /// Counts a chunk that the layer above has taken; gives the token that can be answered now.
    pub fn take(&mut self, length: u64) -> Option<Token> {
        self.taken = self.taken.saturating_add(length).min(self.received);
        self.answer()
    }

    fn answer(&mut self) -> Option<Token> {
        let answerable = self.asked.iter().rposition(|token| token.chunks <= self.taken)?;
        let token = self.asked.drain(..=answerable).next_back()?;
        self.confirmed = self.confirmed.max(token.chunks);
        Some(token)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: Moment = Moment::from_seconds(1_000_000);

    fn after(millis: u64) -> Moment {
        START.after(Span::millis(millis))
    }

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let mut bucket = TokenBucket::new(50, 100, START);
        assert!((0..100).all(|_| bucket.take(START, 1).is_ok()));
        assert_eq!(bucket.take(START, 1), Err(Span::millis(20)));
        assert_eq!(bucket.take(after(19), 1), Err(Span::millis(1)));
        assert_eq!(bucket.take(after(20), 1), Ok(()));
        assert_eq!(bucket.take(after(20), 1), Err(Span::millis(20)));
    }

    #[test]
    fn a_debt_is_paid_before_anything_else_is_given() {
        let mut bucket = TokenBucket::new(10, 10, START);
        assert_eq!(bucket.charge(START, 10), Span::millis(0));
        assert_eq!(bucket.charge(START, 20), Span::seconds(2));
        assert_eq!(bucket.take(after(2_000), 1), Err(Span::millis(100)));
        assert_eq!(bucket.take(after(2_100), 1), Ok(()));
    }

    #[test]
    fn a_clock_that_goes_back_neither_gives_nor_blocks() {
        let mut bucket = TokenBucket::new(1, 1, START);
        assert_eq!(bucket.take(START, 1), Ok(()));
        assert_eq!(bucket.take(START.before(Span::hours(1)), 1), Err(Span::seconds(1)));
        assert_eq!(bucket.take(START.before(Span::minutes(59)), 1), Ok(()));
    }

    #[test]
    fn ten_thousand_small_frames_take_their_time() {
        let mut rates = Rates::new(&Limits::default(), START);
        let mut now = START;
        for _ in 0..10_000 {
            now = now.after(rates.count(now, 17));
        }
        assert!(now.since(START) >= Span::seconds(190), "{:?}", now.since(START));
    }

    #[test]
    fn one_address_cannot_take_all_connections() {
        let limits = Limits { connections: 20, ..Limits::default() };
        let mut connections = Connections::new();
        assert!((0..16).all(|_| connections.enter(&limits, &"a", START).is_ok()));
        assert_eq!(connections.enter(&limits, &"a", START), Err(Busy { until: after(5_000) }));
        assert!((0..4).all(|_| connections.enter(&limits, &"b", START).is_ok()));
        assert!(connections.enter(&limits, &"c", START).is_err());
        connections.leave(&"a");
        connections.leave(&"never there");
        assert!(connections.enter(&limits, &"c", START).is_ok());
        assert_eq!(connections.count(), 20);
    }

    #[test]
    fn three_mistakes_are_refused_for_ten_minutes() {
        let mut penalties = Penalties::new();
        for _ in 0..2 {
            penalties.strike(&7, START);
        }
        assert_eq!(penalties.check(&7, START), Ok(()));
        penalties.strike(&7, START);
        let until = START.after(Span::minutes(10));
        assert_eq!(penalties.check(&7, after(599_999)), Err(Busy { until }));
        assert_eq!(penalties.check(&8, START), Ok(()));
        assert_eq!(penalties.check(&7, until), Ok(()));
        penalties.strike(&7, until);
        assert_eq!(penalties.check(&7, until), Ok(()));
    }

    #[test]
    fn mistakes_of_many_peers_do_not_fill_the_memory() {
        let mut penalties = Penalties::new();
        for peer in 0..10_000_u64 {
            penalties.strike(&peer, after(peer));
        }
        assert_eq!(penalties.mistakes.len(), REMEMBERED);
        assert!(penalties.mistakes.contains_key(&9_999));
    }

    #[test]
    fn chunks_wait_until_earlier_ones_are_taken() {
        let (mut out, mut come) = (SendWindow::default(), ReceiveWindow::default());
        for _ in 0..4 {
            assert!(out.has_room(1 << 20));
            out.send(1 << 20);
            come.receive(1 << 20).unwrap();
        }
        assert!(!out.has_room(1));
        let token = Token { chunks: out.sent(), number: 1 };
        assert_eq!(come.ask(token), Ok(None));
        assert_eq!(come.take(3 << 20), None);
        assert_eq!(come.take(1 << 20), Some(token));
        out.confirm(token).unwrap();
        assert!(out.has_room(WINDOW));
    }

    #[test]
    fn a_sender_that_ignores_the_window_is_noticed() {
        let mut come = ReceiveWindow::default();
        come.receive(WINDOW).unwrap();
        // Taking is not confirming: the sender cannot know of it.
        assert_eq!(come.take(WINDOW), None);
        assert_eq!(come.receive(1), Err(FrameError::Window { limit: WINDOW, got: WINDOW + 1 }));
    }

    #[test]
    fn tokens_about_chunks_that_were_never_sent_are_refused() {
        let token = Token { chunks: 1, number: 0 };
        assert_eq!(SendWindow::default().confirm(token), Err(FrameError::Window { limit: 0, got: 1 }));
        assert_eq!(ReceiveWindow::default().ask(token), Err(FrameError::Window { limit: 0, got: 1 }));
    }

    proptest! {
        /// An honest pair never breaks the window, whatever the order of sending, asking and taking.
        #[test]
        fn an_honest_sender_is_never_refused(events in proptest::collection::vec((0_u8..3, 1_u64..300_000), 0..300)) {
            let (mut out, mut come) = (SendWindow::default(), ReceiveWindow::default());
            for (event, length) in events {
                let answer = match event {
                    0 if out.has_room(length) => {
                        out.send(length);
                        prop_assert_eq!(come.receive(length), Ok(()));
                        None
                    }
                    1 => come.ask(Token { chunks: out.sent(), number: 0 }).unwrap(),
                    _ => come.take(length),
                };
                if let Some(token) = answer {
                    prop_assert_eq!(out.confirm(token), Ok(()));
                }
            }
        }
    }
}
