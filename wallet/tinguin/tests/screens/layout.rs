//! All screens in all their states, in three sizes of the window, two looks, three zooms, and in a
//! pseudo-language with longer words: nothing panics, every letter has a glyph (a missing one stops
//! the test), and no control lies over another or beyond the window.

use std::borrow::Cow;

use egui::{Rect, Ui, Vec2, pos2, vec2};
use egui_kittest::Harness;
use semper_tinguin::icons;
use semper_tinguin::texts::Texts;
use semper_tinguin::theme::Theme;
use semper_tinguin::views::door::{self, Door};
use semper_tinguin::views::home::{self, Home};
use semper_tinguin::views::log::{self, Log, LogLook};
use semper_tinguin::widgets::emblem::{Emblem, MOTIFS};
use semper_tinguin::widgets::log_row::Entry;
use semper_tinguin::widgets::seal::{self, Picture, Seal};
use semper_tinguin::widgets::secret::SecretBuf;
use semper_tinguin::window::{Place, Window, window};

use crate::first::{self, First, firsts};
use crate::kit::{controls, open, open_in};
use crate::sample;

const SIZES: [Vec2; 3] = [vec2(800.0, 600.0), vec2(1120.0, 760.0), vec2(1600.0, 1000.0)];
const ZOOMS: [f32; 3] = [1.0, 1.5, 2.0];

enum Screen {
    Door(Door),
    First(Box<First>),
    Home(Box<Home>),
    Log(Vec<Entry>, LogLook),
}

struct Scene {
    screens: Vec<(String, Screen)>,
    present: usize,
    frame: Option<Window>,
    secret: SecretBuf,
    query: String,
}

fn screens() -> Vec<(String, Screen)> {
    let doors = sample::doors().into_iter().map(|(name, data)| (format!("s07 {name}"), Screen::Door(data)));
    let homes =
        sample::homes().into_iter().map(|(name, data)| (format!("s08 {name}"), Screen::Home(Box::new(data))));
    let looks = [
        ("lines", 30, LogLook::default()),
        ("empty", 0, LogLook::default()),
        ("fields", 6, LogLook { open: Some(5), ..LogLook::default() }),
        ("hex", 6, LogLook { open: Some(5), hex: true, ..LogLook::default() }),
    ];
    let logs = looks
        .into_iter()
        .map(|(name, count, look)| (format!("s25 {name}"), Screen::Log(sample::entries(count), look)));
    let firsts = firsts().into_iter().map(|(name, data)| (name.to_owned(), Screen::First(Box::new(data))));
    doors.chain(homes).chain(logs).chain(firsts).collect()
}

fn draw(ui: &mut Ui, theme: &Theme, texts: &Texts, scene: &mut Scene) {
    let frame = scene.frame.get_or_insert_with(|| sample::window(ui.ctx(), Place::Home));
    match scene.screens.get_mut(scene.present) {
        Some((_, Screen::Door(data))) => {
            door::ui(ui, theme, texts, data, &mut scene.secret);
        }
        Some((_, Screen::First(data))) => {
            first::draw(ui, theme, texts, data);
        }
        Some((_, Screen::Home(data))) => {
            window(ui, theme, texts, frame, |ui| home::ui(ui, theme, texts, data, &mut scene.query));
        }
        Some((_, Screen::Log(entries, look))) => {
            let deals = sample::log_deals();
            let data = Log { entries, paused: None, deals: &deals, can_export: true };
            window(ui, theme, texts, frame, |ui| log::ui(ui, theme, texts, data, look));
        }
        None => {}
    }
}

/// Longer words with marks on their vowels.
fn pseudo(text: &str) -> Cow<'_, str> {
    let longer = text.chars().flat_map(|letter| match letter {
        'a' => vec!['å', 'a'],
        'e' => vec!['é', 'e'],
        'i' => vec!['ï'],
        'o' => vec!['ö', 'o'],
        'u' => vec!['û', 'u'],
        other => vec![other],
    });
    Cow::Owned(longer.collect())
}

fn walk(theme: Theme, texts: fn() -> Texts) {
    for size in SIZES {
        for zoom in ZOOMS {
            let scene = Scene {
                screens: screens(),
                present: 0,
                frame: None,
                secret: SecretBuf::new(),
                query: String::new(),
            };
            let mut harness = open_in(size, zoom, theme, texts(), scene, draw);
            for present in 0..harness.state().screens.len() {
                harness.state_mut().present = present;
                harness.run_steps(2);
                check(&harness, size / zoom, &format!("{size:?} × {zoom}"));
            }
        }
    }
}

fn check(harness: &Harness<'_, Scene>, size: Vec2, case: &str) {
    let (screen, _) = &harness.state().screens[harness.state().present];
    let window = Rect::from_min_size(pos2(0.0, 0.0), size);
    let all = controls(harness);
    for (index, (name, rect)) in all.iter().enumerate() {
        let inside = rect.left() >= window.left() - 0.5 && rect.right() <= window.right() + 0.5;
        assert!(inside, "{screen} {case}: {name:?} at {rect:?} lies beyond the window");
        for (other, theirs) in &all[index + 1..] {
            let common = rect.intersect(*theirs).intersect(window);
            let apart = common.width() <= 1.0 || common.height() <= 1.0;
            // What is scrolled out of sight lies under the frame, and cannot be hit there.
            let hidden = scrolled(*rect, harness) || scrolled(*theirs, harness);
            assert!(apart || hidden, "{screen} {case}: {name:?} {rect:?} lies over {other:?} {theirs:?}");
        }
    }
}

/// Tells whether a control is (partly) scrolled under the bar or the line at the bottom.
fn scrolled(rect: Rect, harness: &Harness<'_, Scene>) -> bool {
    let window = harness.ctx.content_rect();
    let bar = semper_tinguin::widgets::bar::height(window.height());
    let foot = semper_tinguin::theme::size::BAR_LOW;
    (rect.top() < bar && rect.bottom() > bar) || rect.bottom() > window.bottom() - foot
}

#[test]
fn the_dark_look_fits_every_window() {
    walk(Theme::DARK, Texts::english);
}

#[test]
fn the_light_look_fits_every_window() {
    walk(Theme::LIGHT, Texts::english);
}

#[test]
fn longer_words_fit_every_window() {
    walk(Theme::LIGHT, || Texts::english().transformed(pseudo));
}

#[test]
fn every_icon_has_its_glyph() {
    let mut harness = open(vec2(800.0, 600.0), (), |ui, theme, _, ()| {
        for icon in icons::ALL {
            ui.label(theme.icon(*icon, 20.0, theme.text1));
        }
    });
    harness.run();
}

#[test]
fn figures_and_months_of_all_languages_have_their_glyphs() {
    use semper_tinguin::format::{Amount, Civil, Locale, date, money};
    let mut harness = open(vec2(800.0, 600.0), (), |ui, _, _, ()| {
        for locale in Locale::ALL {
            ui.label(money(locale, &Amount::new(-123_456_789, 2, "EUR")));
            for month in 1..=12 {
                let at = Civil::new((2027, month, 3), (0, 0, 0, None), "CET").expect("in range");
                ui.label(date(locale, &at));
            }
        }
    });
    harness.run();
}

#[test]
fn every_emblem_can_be_drawn_as_a_seal() {
    let mut harness = open(vec2(800.0, 600.0), Vec::<Seal>::new(), |ui, theme, texts, seals| {
        if seals.is_empty() {
            *seals = (0..MOTIFS)
                .map(|motif| Seal {
                    picture: Picture::emblem(Emblem::of(motif, motif, motif, motif)).load(ui.ctx()),
                    ..sample::seal(ui.ctx())
                })
                .collect();
        }
        ui.horizontal_wrapped(|ui| {
            for seal in seals {
                seal::show(ui, theme, texts, seal, 60.0);
            }
        });
    });
    harness.run();
    assert_eq!(crate::kit::names(&harness, egui::accesskit::Role::Image).len(), usize::from(MOTIFS));
}
