//! Attention: when a prompt is armed, and when holding the picture is done. No drawing, no clock.
//!
//! ```text
//! Settling --400 ms--> Blocked <--obstacle-- Arming --time--> Ready --press--> Holding --time--> done
//!                         '--no obstacle-->    ^                 ^-- let go -----'
//! ```
//!
//! **Invariant.** Every break (an obstacle, a pass that came late, a clock that went back) sets arming to
//! nothing and drops the hold; a hold counts only if it began with a new press after arming.

use semper_supporting::{
    time::{Moment, Span},
    tinguin::{Friction, Gesture},
};

/// A point in time by both clocks: one that only runs forward, and that of the wall.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Instant {
    /// Since the window opened.
    pub running: Span,
    /// The time of day, which may be set while nobody looks.
    pub wall: Moment,
}

/// Why a prompt cannot be confirmed now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Obstacle {
    /// The amount was not typed again.
    Amount,
    /// The clock of this computer is wrong.
    Clock,
    /// A critical fact is cut off, or lies over another.
    Fit,
    /// Another window has the keyboard.
    Front,
    /// Size or zoom of the window changed a moment ago.
    Moving,
    /// The PIN was not typed.
    Pin,
    /// A critical fact was never on the screen.
    Unseen,
    /// Nothing was done in this window since the prompt appeared.
    Untouched,
    /// Warnings to be acknowledged.
    Warnings(u32),
}

/// What is the case in one pass.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Sight {
    /// When it is drawn.
    pub at: Instant,
    /// What stops arming.
    pub obstacle: Option<Obstacle>,
    /// What is missing beside arming: PIN or amount.
    pub lacking: Option<Obstacle>,
    /// Whether the picture is held.
    pub held: bool,
    /// Whether a new press on it began in this pass.
    pub pressed: bool,
}

/// Where the person's attention stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Phase {
    /// It has just appeared; nothing that is done counts.
    Settling,
    /// It cannot be confirmed.
    Blocked(Obstacle),
    /// It is in view, and will be ready.
    Arming {
        /// In how long.
        left: Span,
    },
    /// The picture can be pressed.
    Ready,
    /// It is being held.
    Holding {
        /// How far, in thousandths.
        permille: u16,
    },
    /// The gesture is complete.
    Done(Confirmed),
}

/// A complete gesture and its times.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Confirmed {
    /// How it was confirmed.
    pub gesture: Gesture,
    /// When the prompt was first on screen.
    pub shown_at: Moment,
    /// When arming began for the last time.
    pub armed_at: Moment,
    /// When the gesture was complete.
    pub confirmed_at: Moment,
}

/// The attention that one prompt has got so far.
#[derive(Clone, Debug, Default)]
pub struct Attention {
    shown: Option<Instant>,
    last: Option<Instant>,
    armed: Option<Instant>,
    hold: Option<Instant>,
    released: bool,
}

/// How long all that is done after a prompt appeared is swallowed.
pub const SETTLING: Span = Span::millis(400);
/// A pass that comes later than this after the one before was not seen by anybody in between.
const GAP: Span = Span::seconds(1);

impl Instant {
    /// How long ago `earlier` was: by the clock that shows less.
    fn since(self, earlier: Self) -> Span {
        let running = self.running.as_millis().saturating_sub(earlier.running.as_millis());
        Span::millis(running.min(self.wall.since(earlier.wall).as_millis()))
    }

    fn follows(self, earlier: Self) -> bool {
        let gap = self.running.as_millis().saturating_sub(earlier.running.as_millis());
        self.running >= earlier.running && self.wall >= earlier.wall && gap <= GAP.as_millis()
    }
}

impl Attention {
    /// Takes one pass, and says where attention stands after it.
    pub fn pass(&mut self, sight: &Sight, friction: &Friction) -> Phase {
        let Sight { at, .. } = *sight;
        let broken = self.last.is_some_and(|last| !at.follows(last));
        self.last = Some(at);
        let shown = *self.shown.get_or_insert(at);
        if at.since(shown) < SETTLING {
            (self.armed, self.hold) = (None, None);
            return Phase::Settling;
        }
        if broken || sight.obstacle.is_some() {
            self.released |= self.hold.is_some();
            (self.armed, self.hold) = (None, None);
        }
        if let Some(obstacle) = sight.obstacle {
            return Phase::Blocked(obstacle);
        }
        let armed = *self.armed.get_or_insert(at);
        let passed = at.since(armed);
        if passed < friction.arming {
            let left = friction.arming.as_millis().saturating_sub(passed.as_millis());
            return Phase::Arming { left: Span::millis(left) };
        }
        if let Some(lacking) = sight.lacking {
            self.released |= self.hold.take().is_some();
            return Phase::Blocked(lacking);
        }
        match self.hold {
            _ if sight.pressed => {
                self.released = false;
                self.hold = Some(at);
                Phase::Holding { permille: 0 }
            }
            Some(from) if sight.held => {
                let held = at.since(from);
                if held < friction.hold {
                    let whole = friction.hold.as_millis().max(1);
                    let permille = held.as_millis().saturating_mul(1000) / whole;
                    return Phase::Holding { permille: u16::try_from(permille).unwrap_or(1000) };
                }
                let gesture =
                    Gesture::Hold { armed: from.wall.since(armed.wall), held: at.wall.since(from.wall) };
                self.hold = None;
                Phase::Done(self.confirmed(gesture, armed, at))
            }
            Some(_) => {
                (self.hold, self.released) = (None, true);
                Phase::Ready
            }
            None => Phase::Ready,
        }
    }

    /// The gesture of whoever typed PIN and amount instead, once the prompt was armed twice as long.
    pub fn typed(&self, friction: &Friction) -> Option<Confirmed> {
        let (armed, at) = (self.armed?, self.last?);
        let enough = at.since(armed) >= friction.arming.doubled();
        let gesture = Gesture::Typed { armed: at.wall.since(armed.wall) };
        enough.then(|| self.confirmed(gesture, armed, at))
    }

    /// In how long the typed confirmation is ready; nothing before arming began.
    pub fn typed_left(&self, friction: &Friction) -> Option<Span> {
        let passed = self.last?.since(self.armed?);
        Some(Span::millis(friction.arming.doubled().as_millis().saturating_sub(passed.as_millis())))
    }

    /// Whether the picture was let go too early since it was pressed last.
    pub const fn was_released(&self) -> bool {
        self.released
    }

    /// Begins anew: what was answered did not count.
    pub fn again(&mut self) {
        (self.armed, self.hold, self.released) = (None, None, false);
    }

    fn confirmed(&self, gesture: Gesture, armed: Instant, at: Instant) -> Confirmed {
        let shown_at = self.shown.map_or(armed.wall, |shown| shown.wall);
        Confirmed { gesture, shown_at, armed_at: armed.wall, confirmed_at: at.wall }
    }
}

#[cfg(test)]
mod tests {
    use semper_supporting::tinguin::Level;

    use super::*;

    const FRICTION: Friction = Friction {
        level: Level::B,
        arming: Span::seconds(1),
        hold: Span::seconds(1),
        pin: false,
        retype: None,
    };

    fn at(ms: u64) -> Instant {
        Instant { running: Span::millis(ms), wall: Moment::from_millis(1_800_000_000_000 + ms) }
    }

    fn sight(ms: u64) -> Sight {
        Sight { at: at(ms), obstacle: None, lacking: None, held: false, pressed: false }
    }

    /// Draws every 50 ms from one moment to another.
    fn look(attention: &mut Attention, from: u64, to: u64, held: bool) -> Phase {
        let mut phase = Phase::Settling;
        for ms in (from..=to).step_by(50) {
            phase = attention.pass(&Sight { held, ..sight(ms) }, &FRICTION);
        }
        phase
    }

    fn ready() -> Attention {
        let mut attention = Attention::default();
        assert_eq!(look(&mut attention, 0, 1400, false), Phase::Ready);
        attention
    }

    #[test]
    fn an_attentive_person_confirms() {
        let mut attention = ready();
        assert_eq!(look(&mut Attention::default(), 0, 350, true), Phase::Settling);
        let press = Sight { pressed: true, held: true, ..sight(1450) };
        assert_eq!(attention.pass(&press, &FRICTION), Phase::Holding { permille: 0 });
        assert_eq!(look(&mut attention, 1500, 1950, true), Phase::Holding { permille: 500 });
        let Phase::Done(done) = look(&mut attention, 2000, 2450, true) else {
            unreachable!("held long enough")
        };
        let (armed, held) = (Span::millis(1050), Span::seconds(1));
        assert_eq!(done.gesture, Gesture::Hold { armed, held });
        assert_eq!(done.armed_at.after(armed).after(held), done.confirmed_at);
    }

    #[test]
    fn a_press_before_arming_never_counts() {
        let mut attention = Attention::default();
        look(&mut attention, 0, 600, false);
        attention.pass(&Sight { pressed: true, held: true, ..sight(650) }, &FRICTION);
        assert_eq!(look(&mut attention, 700, 5000, true), Phase::Ready);
    }

    #[test]
    fn letting_go_too_early_begins_anew() {
        let mut attention = ready();
        attention.pass(&Sight { pressed: true, held: true, ..sight(1450) }, &FRICTION);
        look(&mut attention, 1500, 2400, true);
        assert_eq!(attention.pass(&sight(2450), &FRICTION), Phase::Ready);
        assert!(attention.was_released());
        assert_eq!(look(&mut attention, 2500, 4000, true), Phase::Ready, "held on without a new press");
    }

    #[test]
    fn every_break_sets_arming_to_nothing() {
        let all = [Obstacle::Front, Obstacle::Fit, Obstacle::Moving, Obstacle::Unseen, Obstacle::Warnings(1)];
        for obstacle in all {
            let mut attention = ready();
            attention.pass(&Sight { pressed: true, held: true, ..sight(1450) }, &FRICTION);
            let broken = Sight { obstacle: Some(obstacle), held: true, ..sight(1500) };
            assert_eq!(attention.pass(&broken, &FRICTION), Phase::Blocked(obstacle));
            assert_eq!(look(&mut attention, 1550, 2500, true), Phase::Arming { left: Span::millis(50) });
            assert_eq!(look(&mut attention, 2550, 5000, true), Phase::Ready);
        }
        let mut attention = ready();
        assert!(matches!(attention.pass(&sight(9000), &FRICTION), Phase::Arming { .. }), "hidden meanwhile");
        let mut attention = ready();
        let back = Instant { running: Span::millis(1450), wall: at(1000).wall };
        assert!(matches!(attention.pass(&Sight { at: back, ..sight(0) }, &FRICTION), Phase::Arming { .. }));
    }

    #[test]
    fn without_the_pin_nothing_is_held() {
        let mut attention = ready();
        let lacking = Sight { lacking: Some(Obstacle::Pin), pressed: true, held: true, ..sight(1450) };
        assert_eq!(attention.pass(&lacking, &FRICTION), Phase::Blocked(Obstacle::Pin));
        assert_eq!(look(&mut attention, 1500, 3000, true), Phase::Ready);
    }

    #[test]
    fn typing_takes_twice_the_arming() {
        let mut attention = ready();
        assert_eq!(attention.typed(&FRICTION), None);
        look(&mut attention, 1450, 2400, false);
        let typed = attention.typed(&FRICTION).unwrap();
        assert_eq!(typed.gesture, Gesture::Typed { armed: Span::seconds(2) });
    }
}
