//! The card of a prompt: title, amount, facts with where they come from; and beside it what was checked here.
//!
//! Every critical fact says whether it fits: nothing cut, nothing shortened, no sum broken in two.

use egui::accesskit::Role as A11yRole;
use egui::{CornerRadius, Rect, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use semper_supporting::tinguin::FactKey;

use super::told::{Row, Told};
use super::{Attempt, Prompt};
use crate::icons;
use crate::texts::{Msg, Texts};
use crate::theme::{Role, Theme, space};
use crate::widgets::button::Button;
use crate::widgets::{card, decoration, heading, label, rule};

/// Which ends of a fact have been on the screen long enough.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    top: Mark,
    bottom: Mark,
}

#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    since: Option<u64>,
    done: bool,
}

/// How long a fact must be on the screen.
const LOOK: u64 = 300;
/// The width of the labels, where they stand beside the values.
const LABELS: f32 = 136.0;
/// How much of the signed text is shown.
const SHOWN: usize = 4000;

impl Seen {
    pub(super) const fn is_whole(&self) -> bool {
        self.top.done && self.bottom.done
    }

    fn look(&mut self, rect: Rect, clip: Rect, now: u64) {
        let within = |y: f32| y >= clip.top() - 1.0 && y <= clip.bottom() + 1.0;
        self.top.look(within(rect.top()), now);
        self.bottom.look(within(rect.bottom()), now);
    }
}

impl Mark {
    fn look(&mut self, visible: bool, now: u64) {
        if !visible {
            self.since = None;
            return;
        }
        let since = *self.since.get_or_insert(now);
        self.done |= now.saturating_sub(since) >= LOOK;
    }
}

/// Draws the card; says whether every critical fact fits.
pub(super) fn ui(
    ui: &mut Ui,
    theme: &Theme,
    texts: &Texts,
    (data, told): (&Prompt<'_>, &Told),
    attempt: &mut Attempt,
) -> bool {
    let mut fits = true;
    card(theme).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = space::XS;
        heading(ui, theme.text(Role::Title, &told.title));
        if let Some((figures, spelled)) = &told.amount {
            fits &= amount(ui, theme, figures);
            if let Some(spelled) = spelled {
                label(ui, theme.coloured(Role::Body, spelled, theme.text2));
            }
        }
        ui.add_space(space::S);
        rule(ui, theme);
        fits &= rows(ui, theme, told, attempt, true);
        if told.rows.iter().any(|row| !row.critical) {
            let msg = if attempt.look.details { Msg::S12DetailsLess } else { Msg::S12Details };
            if Button::link(&texts.get(msg)).show(ui, theme) {
                attempt.look.details = !attempt.look.details;
            }
            if attempt.look.details {
                rows(ui, theme, told, attempt, false);
            }
        }
        if Button::link(&texts.get(Msg::S12Bytes)).show(ui, theme) {
            attempt.look.bytes = !attempt.look.bytes;
        }
        if attempt.look.bytes {
            bytes(ui, theme, texts, data);
        }
    });
    fits
}

/// The sum in the largest letters, on one line.
fn amount(ui: &mut Ui, theme: &Theme, figures: &str) -> bool {
    let room = ui.available_width();
    let galley = ui.painter().layout(figures.to_owned(), Role::Amount.font(), theme.text1, room);
    let (rect, response) =
        ui.allocate_exact_size(vec2(room, galley.size().y.max(Role::Amount.line())), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(A11yRole::Label, true, figures));
    let whole = galley.rows.len() == 1 && !galley.elided && galley.size().x <= room + 0.5;
    let shown = Rect::from_min_size(rect.min, galley.size());
    let fits = whole && within(ui, shown);
    ui.painter().galley(rect.min, galley, theme.text1);
    fits
}

/// Whether something lies within the width that is drawn; above and below one can scroll.
fn within(ui: &Ui, rect: Rect) -> bool {
    let clip = ui.clip_rect();
    rect.left() >= clip.left() - 0.5 && rect.right() <= clip.right() + 0.5
}

fn rows(ui: &mut Ui, theme: &Theme, told: &Told, attempt: &mut Attempt, critical: bool) -> bool {
    let now = (ui.input(|input| input.time) * 1000.0) as u64;
    let mut fits = true;
    let mut last = f32::NEG_INFINITY;
    for row in told.rows.iter().filter(|row| row.critical == critical) {
        ui.add_space(space::XS);
        let (rect, whole) = fact_row(ui, theme, row);
        let apart = rect.top() >= last - 0.5;
        last = rect.bottom();
        if critical {
            fits &= whole && apart;
            let clip = ui.clip_rect();
            attempt.seen.entry(row.key).or_default().look(rect, clip, now);
        }
    }
    fits
}

/// Draws one fact. Says where it stands, and whether all of it can be read.
fn fact_row(ui: &mut Ui, theme: &Theme, row: &Row) -> (Rect, bool) {
    let room = ui.available_width();
    let beside = room >= 380.0;
    let left = if beside { LABELS + space::M } else { 0.0 };
    let width = (room - left).max(space::XXL);
    let indent = if row.quoted { space::M } else { 0.0 };
    let role = if row.digits { Role::Mono } else { Role::Value };
    let painter = ui.painter().clone();
    let label = painter.layout(
        row.label.clone(),
        Role::Label.font(),
        theme.text3,
        if beside { LABELS } else { room },
    );
    let from = painter.layout(row.from.clone(), Role::Provenance.font(), theme.text2, width);
    let aside = width - from.size().x - space::L;
    let value = painter.layout(row.value.clone(), role.font(), theme.text1, (width - indent).max(space::XXL));
    let side = !row.quoted && value.rows.len() == 1 && value.size().x <= aside;
    let offset = if beside { 0.0 } else { label.size().y };
    let mut height = offset + value.size().y;
    if !side {
        height += from.size().y + 2.0;
    }
    let height = if beside { height.max(label.size().y) } else { height };
    let (rect, response) = ui.allocate_exact_size(vec2(room, height), Sense::hover());
    let name = format!("{}: {}, {}", row.label, row.value, row.from);
    response.widget_info(|| WidgetInfo::labeled(A11yRole::Label, true, &name));
    let origin = pos2(rect.left() + left, rect.top() + offset);
    if row.quoted {
        let bar = Rect::from_min_size(origin, vec2(3.0, value.size().y));
        painter.rect_filled(bar, CornerRadius::same(1), theme.edge);
    }
    let at = origin + vec2(indent, 0.0);
    let shown = Rect::from_min_size(at, value.size());
    let one_line =
        !matches!(row.key, FactKey::Amount | FactKey::Total | FactKey::Fee | FactKey::BalanceAfter)
            || value.rows.len() == 1;
    let whole = !value.elided
        && !label.elided
        && shown.right() <= rect.right() + 0.5
        && within(ui, shown)
        && one_line;
    let below = if side {
        pos2(rect.right() - from.size().x, origin.y + (value.size().y - from.size().y) / 2.0)
    } else {
        pos2(origin.x, origin.y + value.size().y + 2.0)
    };
    let centred = if beside { ((Role::Value.line() - label.size().y) / 2.0).max(0.0) } else { 0.0 };
    painter.galley(rect.min + vec2(0.0, centred), label, theme.text3);
    painter.galley(at, value, theme.text1);
    painter.galley(below, from, theme.text2);
    (rect, whole)
}

/// The exact texts that would be signed, and their digest.
fn bytes(ui: &mut Ui, theme: &Theme, texts: &Texts, data: &Prompt<'_>) {
    label(ui, theme.coloured(Role::Label, texts.get(Msg::S12BytesDigest), theme.text3));
    label(ui, theme.text(Role::Mono, data.sealed.digest().to_string()));
    for document in data.sealed.documents() {
        // Letters beyond ASCII are shown by their bytes, so that none hides or imitates another.
        let text: String = document
            .iter()
            .take(SHOWN)
            .map(|byte| match byte {
                b'\n' => "\n".to_owned(),
                b' '..=b'~' => char::from(*byte).to_string(),
                other => format!("\\{other:02x}"),
            })
            .collect();
        ui.add_space(space::XS);
        label(ui, theme.coloured(Role::Mono, text, theme.text2));
        if document.len() > SHOWN {
            let (shown, all) = (SHOWN.to_string(), document.len().to_string());
            let cut = texts.get(Msg::S12BytesCut { shown: &shown, all: &all });
            label(ui, theme.coloured(Role::Label, cut, theme.text3));
        }
    }
}

/// Draws the warnings, each with its own button, and what was checked on this computer.
pub(super) fn checks(ui: &mut Ui, theme: &Theme, texts: &Texts, told: &Told, attempt: &mut Attempt) {
    heading(ui, theme.text(Role::Section, texts.get(Msg::S12Checked)));
    for (look, (key, warning)) in told.warnings.iter().enumerate() {
        ui.add_space(space::S);
        let known = attempt.acknowledged.contains(key);
        let colour = if known { theme.text3 } else { theme.warn };
        // Four looks, so that they do not become a habit; the words keep their place.
        let (icon, fill) = match look % 4 {
            0 => (icons::WARNING, theme.bg2),
            1 => (icons::EYE, theme.bg3),
            2 => (icons::INFO, theme.bg1),
            _ => (icons::WARNING, theme.bg3),
        };
        card(theme).fill(fill).stroke(Stroke::new(1.5, colour)).inner_margin(space::M).show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal_top(|ui| {
                decoration(ui, theme.icon(if known { icons::CHECK_CIRCLE } else { icon }, 18.0, colour));
                label(ui, theme.text(Role::Body, warning));
            });
            if !known {
                let name = texts.get(Msg::WAckName { warning });
                if Button::secondary(&texts.get(Msg::WAck)).name(&name).show(ui, theme) {
                    attempt.acknowledged.push(key.clone());
                }
            }
        });
    }
    ui.add_space(space::S);
    for check in &told.checks {
        ui.horizontal_top(|ui| {
            decoration(ui, theme.icon(icons::CHECK_CIRCLE, 18.0, theme.ok));
            label(ui, theme.coloured(Role::Label, check, theme.text2));
        });
    }
}
