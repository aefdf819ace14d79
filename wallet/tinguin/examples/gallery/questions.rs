//! Pictures of the critical prompts in their states, in three sizes and two zooms, and of what waits.

use std::error::Error;

use egui::{Event, PointerButton, Pos2, Ui, Vec2, pos2, vec2};
use semper_supporting::time::Span;
use semper_supporting::tinguin::gate::Pending;
use semper_tinguin::prompts::stopped::{self, Stopped};
use semper_tinguin::prompts::{self, Attempt, PinState, Prompt};
use semper_tinguin::views::waiting;
use semper_tinguin::window::{Place, window};

use crate::{LARGE, SMALL, Studio, WINDOW, asked, sample};

/// What is done before the picture is taken: pass by pass, a quarter of a second each.
struct Scene {
    name: &'static str,
    pending: Pending,
    pin: PinState,
    sending: bool,
    events: Vec<Event>,
}

fn still(name: &'static str, pending: Pending) -> Scene {
    Scene {
        name,
        pending,
        pin: PinState::Free,
        sending: false,
        events: vec![Event::PointerMoved(pos2(500.0, 300.0)); 4],
    }
}

fn button(pos: Pos2, pressed: bool) -> Event {
    Event::PointerButton { pos, button: PointerButton::Primary, pressed, modifiers: egui::Modifiers::NONE }
}

/// Where the picture stands in a window of the usual size.
const PICTURE: Pos2 = pos2(772.0, 704.0);
const TYPE: Pos2 = pos2(330.0, 704.0);

const DECLINE: Pos2 = pos2(58.0, 704.0);
const KEYPAD: Pos2 = pos2(285.0, 616.0);

fn clicks(at: Pos2) -> Vec<Event> {
    vec![Event::PointerMoved(at), Event::PointerMoved(at), button(at, true), button(at, false)]
}

fn scenes() -> Vec<Scene> {
    let cheap = || asked::order("XTS 4.90", &[]);
    let resting = PinState::Blocked { until: asked::NOW.after(Span::minutes(10)) };
    let mut ready = vec![Event::PointerMoved(PICTURE); 14];
    let mut holding = ready.clone();
    holding.extend([button(PICTURE, true), Event::PointerMoved(PICTURE)]);
    ready.push(Event::PointerMoved(PICTURE));
    vec![
        still("s12_order", asked::order("XTS 24.90", &[])),
        still("s12_warned", asked::order("XTS 24.90", &["w-first", "w-identity"])),
        Scene { events: ready, ..still("s12_ready", cheap()) },
        Scene { events: holding, ..still("s12_holding", asked::order("XTS 24.90", &[])) },
        Scene { events: clicks(TYPE), ..still("s12_typing", cheap()) },
        Scene { events: clicks(DECLINE), ..still("s12_declining", cheap()) },
        Scene { events: clicks(KEYPAD), ..still("s14_keypad", asked::swap("XTS 124.90", "XTS 36.30")) },
        Scene { sending: true, ..still("s12_sending", cheap()) },
        still("s13_exchange", asked::swap("XTS 24.90", "XTS 36.30")),
        still("s13_level_c", asked::swap("XTS 124.90", "XTS 36.30")),
        still("s13_level_d", asked::swap("XTS 1,240.00".replace(',', "").as_str(), "XTS 36.30")),
        Scene {
            pin: PinState::Wrong { left: 4 },
            ..still("s14_wrong", asked::swap("XTS 124.90", "XTS 36.30"))
        },
        Scene { pin: resting, ..still("s14_blocked", asked::swap("XTS 124.90", "XTS 36.30")) },
        Scene { pin: PinState::Absent, ..still("s14_none", asked::swap("XTS 124.90", "XTS 36.30")) },
        still("s17_load", asked::load("XTS 20.00")),
    ]
}

/// Draws them all.
pub(crate) fn draw(studio: &Studio<'_>) -> Result<(), Box<dyn Error>> {
    for scene in scenes() {
        shoot(studio, scene.name, (WINDOW, 1.0), &scene)?;
    }
    for (name, size, zoom) in
        [("800", SMALL, 1.0), ("1600", LARGE, 1.0), ("zoom15", WINDOW, 1.5), ("zoom2", WINDOW, 2.0)]
    {
        for scene in [
            still("s12", asked::order("XTS 24.90", &["w-first"])),
            still("s13", asked::swap("XTS 124.90", "XTS 36.30")),
        ] {
            shoot(studio, &format!("size_{name}_{}", scene.name), (size, zoom), &scene)?;
        }
    }
    stops(studio)?;
    for (name, prompts) in [("empty", Vec::new()), ("three", asked::tray())] {
        let mut frame = None;
        studio.shoot(&format!("s26_{name}"), WINDOW, 1.0, Vec::new(), |ui| {
            let frame = frame.get_or_insert_with(|| sample::window(ui.ctx(), Place::Waiting));
            window(ui, &studio.theme, &studio.texts, frame, |ui| {
                waiting::ui(ui, &studio.theme, &studio.texts, &prompts, asked::NOW)
            });
        })?;
    }
    Ok(())
}

fn shoot(
    studio: &Studio<'_>,
    name: &str,
    (size, zoom): (Vec2, f32),
    scene: &Scene,
) -> Result<(), Box<dyn Error>> {
    let (mut attempt, mut bar) = (Attempt::default(), None);
    let (program, steps) = (asked::program(), asked::steps());
    let events = scene.events.clone();
    studio.shoot(name, size, zoom, events, |ui: &mut Ui| {
        let bar = bar.get_or_insert_with(|| sample::bar(ui.ctx()));
        let passed = ui.input(|input| (input.time * 1000.0) as u64);
        let data = Prompt {
            sealed: scene.pending.prompt(),
            bar,
            deal: Some(("Deal with Fogra", &steps)),
            now: asked::NOW.after(Span::millis(passed)),
            zone: asked::zone,
            pin: scene.pin,
            clock_off: None,
            sending: scene.sending,
            refused: None,
            program: &program,
        };
        prompts::ui(ui, &studio.theme, &studio.texts, &data, &mut attempt);
    })
}

fn stops(studio: &Studio<'_>) -> Result<(), Box<dyn Error>> {
    let facts = |pending: &Pending| pending.prompt().facts().to_vec();
    let (old, new) = (asked::swap("XTS 24.90", "XTS 36.30"), asked::swap("XTS 29.90", "XTS 31.30"));
    let before = facts(&old).into_iter().filter(|fact| !facts(&new).contains(fact)).collect();
    let after = facts(&new).into_iter().filter(|fact| !facts(&old).contains(fact)).collect();
    let all = [
        ("changed", Stopped::Changed { before, after, again: true }),
        ("expired", Stopped::Expired { time: "14:05".into() }),
        ("withdrawn", Stopped::Withdrawn { party: "Fogra".into() }),
        ("gone", Stopped::Gone),
        ("restart", Stopped::Restarted),
    ];
    for (name, data) in all {
        let mut bar = None;
        studio.shoot(&format!("s15_{name}"), vec2(1120.0, 760.0), 1.0, Vec::new(), |ui| {
            let bar = bar.get_or_insert_with(|| sample::bar(ui.ctx()));
            stopped::ui(ui, &studio.theme, &studio.texts, bar, &data, asked::zone);
        })?;
    }
    Ok(())
}
