//! Draws every screen in both looks as a picture: `cargo run --release -p semper-tinguin --example gallery -- DIRECTORY`.
//!
//! A second argument draws only the pictures whose names begin with it (`s07`, `size_800`).
//! For looking at, not for comparing: the pictures are not kept in the repository.

#![allow(clippy::float_arithmetic, reason = "pictures")]
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a tool for developers; it may stop")]

mod asked;
mod first;
mod questions;
mod sample;
mod soft;

use std::error::Error;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use egui::{Context, Event, Key, Modifiers, PointerButton, RawInput, Rect, Ui, Vec2, pos2, vec2};
use semper_tinguin::texts::Texts;
use semper_tinguin::theme::Theme;
use semper_tinguin::views::{door, home, log};
use semper_tinguin::widgets::emblem::{Emblem, MOTIFS};
use semper_tinguin::widgets::secret::SecretBuf;
use semper_tinguin::window::{Place, window};
use soft::{Canvas, SoftRenderer};

const WINDOW: Vec2 = vec2(1120.0, 760.0);
const SMALL: Vec2 = vec2(800.0, 600.0);
const LARGE: Vec2 = vec2(1600.0, 1000.0);

fn main() -> Result<(), Box<dyn Error>> {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        return Err("say into which directory".into());
    };
    let only = std::env::args().nth(2).unwrap_or_default();
    fs::create_dir_all(&folder)?;
    for (look, theme) in [("dark", Theme::DARK), ("light", Theme::LIGHT)] {
        let studio = Studio { folder: &folder, only: &only, look, theme, texts: Texts::english() };
        firsts(&studio)?;
        doors(&studio)?;
        homes(&studio)?;
        logs(&studio)?;
        questions::draw(&studio)?;
        sizes(&studio)?;
        uses(&studio)?;
    }
    emblems(&folder)
}

struct Studio<'a> {
    folder: &'a Path,
    only: &'a str,
    look: &'static str,
    theme: Theme,
    texts: Texts,
}

impl Studio<'_> {
    /// Lets egui settle, drives the events given, and writes the last pass as a picture.
    fn shoot(
        &self,
        name: &str,
        size: Vec2,
        zoom: f32,
        events: Vec<Event>,
        mut draw: impl FnMut(&mut Ui),
    ) -> Result<(), Box<dyn Error>> {
        if !name.starts_with(self.only) {
            return Ok(());
        }
        let ctx = Context::default();
        self.theme.still().install(&ctx);
        let mut soft = SoftRenderer::default();
        let mut picture = None;
        // One event in each pass, after two for settling and before three for what follows from them.
        let mut events = events.into_iter();
        let passes = u16::try_from(events.len())? + 5;
        for pass in 0..passes {
            let mut input = RawInput {
                screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), size / zoom)),
                time: Some(f64::from(pass) * 0.25),
                focused: true,
                ..RawInput::default()
            };
            input.viewports.entry(input.viewport_id).or_default().native_pixels_per_point = Some(zoom);
            if pass >= 2 {
                input.events = events.next().into_iter().collect();
            }
            let mut output = ctx.run_ui(input, &mut draw);
            soft.update(std::mem::take(&mut output.textures_delta));
            if pass + 1 == passes {
                picture = Some(soft.draw(&ctx, &output));
            }
        }
        let picture = picture.ok_or("nothing was drawn")?;
        write(&self.folder.join(format!("{name}_{}.png", self.look)), &picture.bytes(), &picture)
    }
}

fn write(path: &Path, bytes: &[u8], canvas: &Canvas) -> Result<(), Box<dyn Error>> {
    let (width, height) = (u32::try_from(canvas.width)?, u32::try_from(canvas.height)?);
    let mut encoder = png::Encoder::new(BufWriter::new(File::create(path)?), width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(bytes)?;
    Ok(())
}

fn doors(studio: &Studio<'_>) -> Result<(), Box<dyn Error>> {
    for (name, data) in sample::doors() {
        let mut secret = SecretBuf::new();
        let typed = if name == "ready" { Vec::new() } else { vec![Event::Text("Canary bird".into())] };
        studio.shoot(&format!("s07_{name}"), WINDOW, 1.0, typed, |ui| {
            door::ui(ui, &studio.theme, &studio.texts, &data, &mut secret);
        })?;
    }
    Ok(())
}

/// The first start, at the size of the window; in three sizes and two zooms for each first state of a step.
fn firsts(studio: &Studio<'_>) -> Result<(), Box<dyn Error>> {
    let mut before = String::new();
    for (name, mut data) in first::firsts() {
        let typed = match name {
            "s03_weak" => ["password1234", "password1234", "123456", ""],
            "s03_good" => ["seven grey herons", "seven grey herons", "728193", "728193"],
            _ => [""; 4],
        };
        let tab = Event::Key {
            key: Key::Tab,
            physical_key: None,
            pressed: true,
            repeat: false,
            modifiers: Modifiers::NONE,
        };
        let keys = typed.into_iter().filter(|typed| !typed.is_empty());
        let keys: Vec<Event> = keys.flat_map(|typed| [tab.clone(), Event::Text(typed.into())]).collect();
        let mut draw = |ui: &mut Ui| {
            first::draw(ui, &studio.theme, &studio.texts, &mut data);
        };
        studio.shoot(name, WINDOW, 1.0, keys, &mut draw)?;
        if !before.starts_with(&name[..3]) {
            for (size_name, size, zoom) in [("800", SMALL, 1.0), ("1600", LARGE, 1.0), ("zoom2", WINDOW, 2.0)]
            {
                studio.shoot(&format!("{name}_{size_name}"), size, zoom, Vec::new(), &mut draw)?;
            }
        }
        name.clone_into(&mut before);
    }
    Ok(())
}

fn homes(studio: &Studio<'_>) -> Result<(), Box<dyn Error>> {
    for (name, data) in sample::homes() {
        let mut query = if name == "directory" { "docu".to_owned() } else { String::new() };
        let mut frame = None;
        studio.shoot(&format!("s08_{name}"), WINDOW, 1.0, Vec::new(), |ui| {
            let frame = frame.get_or_insert_with(|| sample::window(ui.ctx(), Place::Home));
            window(ui, &studio.theme, &studio.texts, frame, |ui| {
                home::ui(ui, &studio.theme, &studio.texts, &data, &mut query)
            });
        })?;
    }
    Ok(())
}

fn logs(studio: &Studio<'_>) -> Result<(), Box<dyn Error>> {
    let deals = sample::log_deals();
    let cases = [("empty", 0, None, None, false), ("lines", 40, None, None, false)];
    let opened = [("fields", 12, None, Some(5), false), ("hex", 12, None, Some(5), true)];
    for (name, count, _, open, hex) in
        cases.into_iter().chain(opened).chain([("paused", 40, Some(3_u32), None, false)])
    {
        let entries = sample::entries(count);
        let paused = (name == "paused").then_some(3);
        let mut look = log::LogLook { open, hex, ..log::LogLook::default() };
        let mut frame = None;
        studio.shoot(&format!("s25_{name}"), WINDOW, 1.0, Vec::new(), |ui| {
            let frame = frame.get_or_insert_with(|| sample::window(ui.ctx(), Place::Log));
            let data = log::Log { entries: &entries, paused, deals: &deals, can_export: true };
            window(ui, &studio.theme, &studio.texts, frame, |ui| {
                log::ui(ui, &studio.theme, &studio.texts, data, &mut look)
            });
        })?;
    }
    Ok(())
}

/// The ring of the focus, and a list that is open.
fn uses(studio: &Studio<'_>) -> Result<(), Box<dyn Error>> {
    let data = sample::home();
    let tab = Event::Key {
        key: Key::Tab,
        physical_key: None,
        pressed: true,
        repeat: false,
        modifiers: Modifiers::NONE,
    };
    for (name, tabs) in [("rail", 4), ("button", 12), ("link", 13), ("purse", 17)] {
        let mut query = String::new();
        let mut frame = None;
        studio.shoot(&format!("focus_{name}"), WINDOW, 1.0, vec![tab.clone(); tabs], |ui| {
            let frame = frame.get_or_insert_with(|| sample::window(ui.ctx(), Place::Home));
            window(ui, &studio.theme, &studio.texts, frame, |ui| {
                home::ui(ui, &studio.theme, &studio.texts, &data, &mut query)
            });
        })?;
    }
    let (entries, deals) = (sample::entries(12), sample::log_deals());
    let mut look = log::LogLook::default();
    let mut frame = None;
    let pos = pos2(560.0, 118.0);
    let press = |pressed| Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    let events = vec![Event::PointerMoved(pos), press(true), press(false)];
    studio.shoot("s25_choice", WINDOW, 1.0, events, |ui| {
        let frame = frame.get_or_insert_with(|| sample::window(ui.ctx(), Place::Log));
        let data = log::Log { entries: &entries, paused: None, deals: &deals, can_export: true };
        window(ui, &studio.theme, &studio.texts, frame, |ui| {
            log::ui(ui, &studio.theme, &studio.texts, data, &mut look)
        });
    })
}

/// The three screens in a small and a large window, and zoomed.
fn sizes(studio: &Studio<'_>) -> Result<(), Box<dyn Error>> {
    let data = sample::home();
    let entries = sample::entries(40);
    let deals = sample::log_deals();
    let door_data = sample::door(door::DoorState::Wrong);
    for (size_name, size, zoom) in
        [("800", SMALL, 1.0), ("1600", LARGE, 1.0), ("zoom15", WINDOW, 1.5), ("zoom2", WINDOW, 2.0)]
    {
        let mut frame = None;
        let mut query = String::new();
        studio.shoot(&format!("size_{size_name}_s08"), size, zoom, Vec::new(), |ui| {
            let frame = frame.get_or_insert_with(|| sample::window(ui.ctx(), Place::Home));
            window(ui, &studio.theme, &studio.texts, frame, |ui| {
                home::ui(ui, &studio.theme, &studio.texts, &data, &mut query)
            });
        })?;
        let mut frame = None;
        let mut look = log::LogLook { open: Some(38), ..log::LogLook::default() };
        studio.shoot(&format!("size_{size_name}_s25"), size, zoom, Vec::new(), |ui| {
            let frame = frame.get_or_insert_with(|| sample::window(ui.ctx(), Place::Log));
            let data = log::Log { entries: &entries, paused: None, deals: &deals, can_export: true };
            window(ui, &studio.theme, &studio.texts, frame, |ui| {
                log::ui(ui, &studio.theme, &studio.texts, data, &mut look)
            });
        })?;
        let mut secret = SecretBuf::new();
        studio.shoot(&format!("size_{size_name}_s07"), size, zoom, Vec::new(), |ui| {
            door::ui(ui, &studio.theme, &studio.texts, &door_data, &mut secret);
        })?;
    }
    Ok(())
}

/// All motifs on one sheet, each with another palette, ground and accent.
fn emblems(folder: &Path) -> Result<(), Box<dyn Error>> {
    const SIDE: usize = 128;
    const COLUMNS: usize = 6;
    let rows = usize::from(MOTIFS).div_ceil(COLUMNS);
    let (width, height) = (SIDE * COLUMNS, SIDE * rows);
    let mut bytes = vec![0; width * height * 3];
    for motif in 0..MOTIFS {
        let picture = Emblem::of(motif, motif, motif / 2, motif / 3).picture(SIDE);
        let (column, row) = (usize::from(motif) % COLUMNS, usize::from(motif) / COLUMNS);
        for (index, point) in picture.pixels.iter().enumerate() {
            let (x, y) = (column * SIDE + index % SIDE, row * SIDE + index / SIDE);
            let at = (y * width + x) * 3;
            bytes[at..at + 3].copy_from_slice(&[point.r(), point.g(), point.b()]);
        }
    }
    let mut encoder = png::Encoder::new(
        BufWriter::new(File::create(folder.join("emblems.png"))?),
        u32::try_from(width)?,
        u32::try_from(height)?,
    );
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(&bytes)?;
    Ok(())
}
