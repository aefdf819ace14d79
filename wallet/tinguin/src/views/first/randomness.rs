//! S04, randomness: the user's part in the keys, and what the keys are made of.

use egui::accesskit::Role as A11yRole;
use egui::{Color32, Event, EventFilter, Sense, Stroke, StrokeKind, Ui, WidgetInfo, vec2};

use super::{Step, back_and_on, step, wrong};
use crate::icons::{self, Icon};
use crate::texts::{Msg, Texts};
use crate::theme::{FrameHue, Role, Theme, size, space};
use crate::widgets::button::Button;
use crate::widgets::{decoration, focus_ring, label};

/// How high the pad is.
const PAD: f32 = 176.0;

/// What this step shows.
#[derive(Clone, Debug)]
pub struct Randomness {
    /// The colour of the frame.
    pub hue: FrameHue,
    /// How many events of the user count, and how many are asked for.
    pub counted: u32,
    /// How many are asked for.
    pub total: u32,
    /// Whether what was entered last repeats itself.
    pub is_regular: bool,
    /// Where the making of keys stands.
    pub making: Making,
}

/// Where the making of keys stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Making {
    /// It failed; nothing was made.
    Failed {
        /// Why.
        reason: String,
    },
    /// The user gives a part.
    Gathering,
    /// The operating system gives no random bytes.
    NoSystem,
    /// Keys and archive are being made.
    Now {
        /// Whether the user left the own part out.
        skipped: bool,
    },
}

/// Something the user did on the pad.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PadEvent {
    /// Pressed a key.
    Key(char),
    /// Pasted something, which does not count.
    Pasted,
    /// Moved the pointer there, in logical pixels.
    Pointer(i32, i32),
}

/// What the user asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RandomnessCommand {
    /// To the step before.
    Back,
    /// Make the keys.
    Continue,
    /// Make the keys without the user's part.
    Skip,
}

/// Draws the pad and the list. What was done on the pad is put into `events`.
pub fn ui(
    ui: &mut Ui,
    theme: &Theme,
    texts: &Texts,
    data: &Randomness,
    events: &mut Vec<PadEvent>,
) -> Option<RandomnessCommand> {
    let title = texts.get(Msg::S04Title);
    let shown = Step { title: &title, number: 4, hue: Some(data.hue) };
    let (n, total) = (data.counted.min(data.total), data.total);
    let short = texts.get(Msg::S04Short { n, total });
    let content = |ui: &mut Ui| {
        match &data.making {
            Making::NoSystem => wrong(ui, theme, &texts.get(Msg::S04Stop)),
            Making::Gathering => pad(ui, theme, texts, events),
            Making::Now { .. } => {}
            Making::Failed { reason } => {
                wrong(ui, theme, &texts.get(Msg::S04Failed { reason }));
                pad(ui, theme, texts, events);
            }
        }
        ui.add_space(space::M);
        list(ui, theme, texts, data);
        ui.add_space(space::M);
        label(ui, theme.text(Role::Body, texts.get(Msg::S04Mixed)));
        if data.is_regular {
            wrong(ui, theme, &texts.get(Msg::S04Regular));
        }
        if data.is_open() && n < total {
            label(ui, theme.coloured(Role::Body, &short, theme.text2));
        }
        None
    };
    let ways = |ui: &mut Ui| {
        if !data.is_open() {
            return None;
        }
        let refused = (n < total).then_some(short.as_str());
        let mut command = match back_and_on(ui, theme, texts, refused) {
            (true, _) => Some(RandomnessCommand::Back),
            (false, true) => Some(RandomnessCommand::Continue),
            (false, false) => None,
        };
        if Button::link(&texts.get(Msg::S04Skip)).show(ui, theme) {
            command = Some(RandomnessCommand::Skip);
        }
        command
    };
    step(ui, theme, texts, shown, content, ways)
}

impl Randomness {
    /// Whether keys can still be asked for.
    fn is_open(&self) -> bool {
        matches!(self.making, Making::Gathering | Making::Failed { .. })
    }
}

/// A field for the pointer and for keys. What is typed goes nowhere else.
fn pad(ui: &mut Ui, theme: &Theme, texts: &Texts, events: &mut Vec<PadEvent>) {
    let wide = ui.available_width();
    let (rect, response) =
        ui.allocate_exact_size(vec2(wide, PAD.min(ui.ctx().content_rect().height() / 2.0)), Sense::click());
    let name = texts.get(Msg::S04Pad);
    response.widget_info(|| WidgetInfo::labeled(A11yRole::TextInput, true, &name));
    if response.clicked() {
        response.request_focus();
    }
    let focused = response.has_focus();
    if focused {
        let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..EventFilter::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    }
    let visible = rect.intersect(ui.clip_rect());
    ui.input_mut(|input| {
        input.events.retain(|event| match event {
            Event::PointerMoved(at) if visible.contains(*at) => {
                events.push(PadEvent::Pointer(at.x as i32, at.y as i32));
                true
            }
            Event::Text(text) if focused => {
                events.extend(text.chars().map(PadEvent::Key));
                false
            }
            Event::Paste(_) | Event::MiddleClickPaste { .. } => {
                events.push(PadEvent::Pasted);
                false
            }
            _ => true,
        });
    });
    ui.painter().rect(rect, size::RADIUS_CARD, theme.bg2, Stroke::new(1.0, theme.edge), StrokeKind::Inside);
    let room = rect.shrink(space::L);
    let galley = ui.painter().layout(name, Role::Body.font(), theme.text2, room.width());
    let at = egui::pos2(room.left(), room.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, theme.text2);
    focus_ring(ui, theme, rect, &response);
}

/// The three things the keys are made of, in their order.
fn list(ui: &mut Ui, theme: &Theme, texts: &Texts, data: &Randomness) {
    let (n, total) = (data.counted.min(data.total), data.total);
    let stopped = data.making == Making::NoSystem;
    let making = matches!(data.making, Making::Now { .. });
    let yours = if data.making == (Making::Now { skipped: true }) {
        texts.get(Msg::S04YoursSkipped)
    } else {
        texts.get(Msg::S04Yours { n, total })
    };
    let keys = texts.get(if making { Msg::S04Making } else { Msg::S04Keys });
    let system = if stopped { (icons::REFUSED, theme.danger) } else { (icons::CHECK_CIRCLE, theme.ok) };
    let own =
        if making || n == total { (icons::CHECK_CIRCLE, theme.ok) } else { (icons::CLOCK, theme.text3) };
    let last = if making { (icons::CLOCK, theme.accent) } else { (icons::CARET_RIGHT, theme.text3) };
    row(ui, theme, system, &texts.get(Msg::S04Computer));
    row(ui, theme, own, &yours);
    row(ui, theme, last, &keys);
}

fn row(ui: &mut Ui, theme: &Theme, (icon, colour): (Icon, Color32), text: &str) {
    ui.horizontal(|ui| {
        decoration(ui, theme.icon(icon, 20.0, colour));
        label(ui, theme.text(Role::Body, text));
    });
}
