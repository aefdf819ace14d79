//! Storms of keys, clicks, pastes and resizes: no screen panics, and the door opens to nobody who
//! does not type into it.

use egui::{Event, Key, Modifiers, MouseWheelUnit, PointerButton, Pos2, TouchPhase, Vec2, pos2, vec2};
use egui_kittest::Harness;
use semper_tinguin::views::door::{self, DoorCommand, DoorState};
use semper_tinguin::views::home;
use semper_tinguin::views::log::{self, Log, LogLook};
use semper_tinguin::widgets::secret::SecretBuf;
use semper_tinguin::window::{Place, window};

use crate::kit::{WINDOW, open};
use crate::sample;

/// A generator of numbers that are as good as random for a storm (Knuth, The Art of Computer
/// Programming 2, section 3.3.4, MMIX), so that every run is the same.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn place(&mut self, size: Vec2) -> Pos2 {
        pos2(self.throw(size.x as u64) as f32, self.throw(size.y as u64) as f32)
    }

    /// Anything but letters typed.
    fn event(&mut self, size: Vec2) -> Event {
        const KEYS: [Key; 10] = [
            Key::Tab,
            Key::Enter,
            Key::Space,
            Key::Escape,
            Key::Backspace,
            Key::ArrowDown,
            Key::ArrowUp,
            Key::Delete,
            Key::PageDown,
            Key::A,
        ];
        let modifiers = [Modifiers::NONE, Modifiers::SHIFT, Modifiers::COMMAND][self.throw(3) as usize];
        match self.throw(8) {
            0 | 1 => Event::PointerMoved(self.place(size)),
            2 | 3 => Event::PointerButton {
                pos: self.place(size),
                button: PointerButton::Primary,
                pressed: self.throw(2) == 0,
                modifiers,
            },
            4 => Event::Paste("intruder".into()),
            5 => Event::MouseWheel {
                unit: MouseWheelUnit::Point,
                delta: vec2(0.0, self.throw(400) as f32 - 200.0),
                phase: TouchPhase::Move,
                source: egui::MouseWheelSource::Unknown,
                modifiers,
            },
            6 => Event::WindowFocused(self.throw(2) == 0),
            _ => {
                let key = KEYS[self.throw(KEYS.len() as u64) as usize];
                let pressed = self.throw(2) == 0;
                Event::Key { key, physical_key: None, pressed, repeat: false, modifiers }
            }
        }
    }
}

pub(crate) fn storm<State>(harness: &mut Harness<'_, State>, seed: u64) {
    let mut dice = Dice(seed);
    let mut size = WINDOW;
    for step in 0..400 {
        harness.event(dice.event(size));
        if step % 50 == 49 {
            size = vec2(320.0 + dice.throw(1400) as f32, 240.0 + dice.throw(900) as f32);
            harness.set_size(size);
        }
        harness.step();
    }
}

#[test]
fn no_storm_unlocks_the_door() {
    let mut hits = 0;
    for seed in 0..4 {
        let data = sample::door(DoorState::Ready);
        let state = (SecretBuf::new(), Vec::new());
        let mut harness = open(WINDOW, state, |ui, theme, texts, (secret, commands)| {
            commands.extend(door::ui(ui, theme, texts, &data, secret));
        });
        storm(&mut harness, seed);
        let (secret, commands) = harness.state();
        assert!(secret.is_empty() && !commands.contains(&DoorCommand::Unlock), "seed {seed}");
        hits += commands.len();
    }
    assert!(hits > 0, "a storm hits something");
}

#[test]
fn no_storm_breaks_home() {
    for seed in 10..13 {
        let data = sample::home();
        let state = (String::new(), 0_usize);
        let mut frame = None;
        let mut harness = open(WINDOW, state, |ui, theme, texts, (query, count)| {
            let frame = frame.get_or_insert_with(|| sample::window(ui.ctx(), Place::Home));
            let (command, _) = window(ui, theme, texts, frame, |ui| home::ui(ui, theme, texts, &data, query));
            *count += usize::from(command.is_some());
        });
        storm(&mut harness, seed);
        assert!(harness.state().1 > 0, "seed {seed}: a storm hits something");
    }
}

#[test]
fn no_storm_breaks_the_log() {
    for seed in 20..23 {
        let (entries, deals) = (sample::entries(3_000), sample::log_deals());
        let mut frame = None;
        let mut harness = open(WINDOW, LogLook::default(), |ui, theme, texts, look| {
            let frame = frame.get_or_insert_with(|| sample::window(ui.ctx(), Place::Log));
            let data = Log { entries: &entries, paused: None, deals: &deals, can_export: true };
            window(ui, theme, texts, frame, |ui| log::ui(ui, theme, texts, data, look));
        });
        storm(&mut harness, seed);
        assert_ne!(*harness.state(), LogLook::default(), "seed {seed}: a storm hits something");
    }
}
