//! S25, the live log: what is really being sent, received and kept, line by line.
//!
//! Only the lines in sight are laid out, so ten thousand of them cost no more than twenty.

use egui::{Align, Layout, Rect, ScrollArea, TextEdit, Ui, UiBuilder, pos2, vec2};

use super::DealKey;
use crate::icons;
use crate::texts::{Msg, Texts};
use crate::theme::{Role, Theme, size, space};
use crate::widgets::button::Button;
use crate::widgets::log_row::{Entry, Layer, ROW, detail, detail_height, detail_rect, log_row};
use crate::widgets::state::{ViewState, state_view};
use crate::widgets::{activated, heading, label};

/// What the log shows.
#[derive(Clone, Copy, Debug)]
pub struct Log<'a> {
    /// The lines, oldest first. While paused, those that were there when the pause began.
    pub entries: &'a [Entry],
    /// While paused: how many lines have come since.
    pub paused: Option<u32>,
    /// The deals that can be chosen, by key and title.
    pub deals: &'a [(DealKey, String)],
    /// Whether the log can be exported; only then it is offered.
    pub can_export: bool,
}

/// How the user looks at the log.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LogLook {
    /// Only lines that contain this, in any case of letters.
    pub search: String,
    /// Only lines of this deal.
    pub deal: Option<DealKey>,
    /// Only lines of this layer.
    pub layer: Option<Layer>,
    /// The number of the line that is open.
    pub open: Option<u64>,
    /// The open line shows its bytes, not its fields.
    pub hex: bool,
}

/// What the user asked for in the log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogCommand {
    /// Export the log; that is asked for once more.
    Export,
    /// Follow the newest line.
    Follow,
    /// Stop at the present line.
    Pause,
    /// Show the message of this number among all that belongs to its deal.
    ShowInDeal(u64),
}

/// Draws the log into what is left of the room.
pub fn ui(
    ui: &mut Ui,
    theme: &Theme,
    texts: &Texts,
    data: Log<'_>,
    look: &mut LogLook,
) -> Option<LogCommand> {
    let mut command = tools(ui, theme, texts, data, look);
    if let Some(n) = data.paused {
        label(ui, theme.coloured(Role::Value, texts.get(Msg::S25Paused { n }), theme.warn));
    }
    if data.entries.is_empty() {
        state_view(ui, theme, texts, &ViewState::Empty(texts.get(Msg::S25Empty)));
        return command;
    }
    let shown: Vec<&Entry> = data.entries.iter().filter(|entry| fits(entry, look)).collect();
    if shown.is_empty() {
        state_view(ui, theme, texts, &ViewState::Empty(texts.get(Msg::S25Nomatch)));
        return command;
    }
    command = lines(ui, theme, texts, &shown, data.paused.is_none(), look).or(command);
    command
}

/// Tells whether a line passes the filters.
#[must_use]
pub fn fits(entry: &Entry, look: &LogLook) -> bool {
    look.deal.is_none_or(|deal| entry.deal == Some(deal))
        && look.layer.is_none_or(|layer| entry.layer == layer)
        && (look.search.is_empty()
            || contains(&entry.message, &look.search)
            || entry.peer().is_some_and(|peer| contains(peer, &look.search)))
}

/// Finds a text in another, in any case of letters, without copying either where both are ASCII.
fn contains(text: &str, part: &str) -> bool {
    if text.is_ascii() && part.is_ascii() {
        let (text, part) = (text.as_bytes(), part.as_bytes());
        return text.windows(part.len().max(1)).any(|window| window.eq_ignore_ascii_case(part));
    }
    text.to_lowercase().contains(&part.to_lowercase())
}

fn tools(ui: &mut Ui, theme: &Theme, texts: &Texts, data: Log<'_>, look: &mut LogLook) -> Option<LogCommand> {
    let mut command = None;
    ui.horizontal_wrapped(|ui| {
        ui.set_row_height(size::CONTROL);
        heading(ui, theme.text(Role::Title, texts.get(Msg::S25Title)));
        ui.add_space(space::L);
        let (text, icon, does) = if data.paused.is_some() {
            (texts.get(Msg::S25Follow), icons::PLAY, LogCommand::Follow)
        } else {
            (texts.get(Msg::S25Pause), icons::PAUSE, LogCommand::Pause)
        };
        if Button::secondary(&text).icon(icon).show(ui, theme) {
            command = Some(does);
        }
        let name = texts.get(Msg::S25Search);
        let field = TextEdit::singleline(&mut look.search)
            .font(Role::Body.font())
            .hint_text(theme.coloured(Role::Body, &name, theme.text3))
            .margin(vec2(space::M, 7.0))
            .desired_width(180.0);
        ui.add(field).accessible_name(name);
        deal_choice(ui, texts, data.deals, look);
        layer_choice(ui, texts, look);
        if data.can_export {
            let export = texts.get(Msg::S25Export);
            if Button::secondary(&export).icon(icons::EXPORT).show(ui, theme) {
                command = Some(LogCommand::Export);
            }
        }
    });
    ui.add_space(space::XS);
    command
}

fn deal_choice(ui: &mut Ui, texts: &Texts, deals: &[(DealKey, String)], look: &mut LogLook) {
    let all = texts.get(Msg::S25DealAll);
    let chosen =
        deals.iter().find(|(key, _)| Some(*key) == look.deal).map_or(all.as_str(), |(_, title)| title);
    let choice = egui::ComboBox::from_id_salt("log-deal").selected_text(chosen).width(150.0).truncate();
    let shown = choice.show_ui(ui, |ui| {
        ui.selectable_value(&mut look.deal, None, &all);
        for (key, title) in deals {
            ui.selectable_value(&mut look.deal, Some(*key), title);
        }
    });
    shown.response.accessible_name(texts.get(Msg::S25Deal));
}

fn layer_choice(ui: &mut Ui, texts: &Texts, look: &mut LogLook) {
    let all = texts.get(Msg::S25LayerAll);
    let chosen = look.layer.map_or_else(|| all.clone(), |layer| layer.text(texts));
    let choice = egui::ComboBox::from_id_salt("log-layer").selected_text(chosen).width(140.0).truncate();
    let shown = choice.show_ui(ui, |ui| {
        ui.selectable_value(&mut look.layer, None, &all);
        for layer in Layer::ALL {
            ui.selectable_value(&mut look.layer, Some(layer), layer.text(texts));
        }
    });
    shown.response.accessible_name(texts.get(Msg::S25Layer));
}

fn lines(
    ui: &mut Ui,
    theme: &Theme,
    texts: &Texts,
    shown: &[&Entry],
    follow: bool,
    look: &mut LogLook,
) -> Option<LogCommand> {
    let opened = shown.iter().position(|entry| Some(entry.number) == look.open);
    let extra = opened.and_then(|index| shown.get(index)).map_or(0.0, |entry| detail_height(entry, look.hex));
    let mut command = None;
    // Under a name of its own: it stands where other views had been scrolled.
    let area = ScrollArea::vertical().id_salt("log").auto_shrink(false).stick_to_bottom(follow);
    let mut drawn = 0.0;
    let scrolled = area.show_viewport(ui, |ui, viewport| {
        drawn = viewport.top();
        ui.set_height(shown.len() as f32 * ROW + extra);
        let origin = ui.max_rect().left_top();
        let width = ui.available_width();
        // Above the opened line each index has its plain place; below it, everything is lower by `extra`.
        let first = ((viewport.top() - extra).max(0.0) / ROW) as usize;
        let count = ((viewport.height() + extra) / ROW) as usize + 2;
        for (index, entry) in shown.iter().enumerate().skip(first).take(count) {
            let lower = opened.is_some_and(|opened| index > opened);
            let top = origin.y + index as f32 * ROW + if lower { extra } else { 0.0 };
            let rect = Rect::from_min_size(pos2(origin.x, top), vec2(width, ROW));
            let open = opened == Some(index);
            let hidden = rect.bottom() + if open { extra } else { 0.0 } < ui.clip_rect().top()
                || rect.top() > ui.clip_rect().bottom();
            if hidden {
                continue;
            }
            // Of an opened line only what it opens into may be in sight.
            let in_sight = rect.bottom() > ui.clip_rect().top();
            if in_sight && activated(&log_row(ui, theme, texts, entry, open, rect)) {
                look.open = if open { None } else { Some(entry.number) };
            }
            if open {
                command = opened_line(ui, theme, texts, entry, detail_rect(rect, extra), look).or(command);
            }
        }
    });
    if (scrolled.state.clamped_offset().y - drawn).abs() > 0.5 {
        // It moves to the end only after new lines were laid out.
        ui.ctx().request_repaint();
    }
    command
}

fn opened_line(
    ui: &mut Ui,
    theme: &Theme,
    texts: &Texts,
    entry: &Entry,
    rect: Rect,
    look: &mut LogLook,
) -> Option<LogCommand> {
    let mut command = None;
    let inside = rect.shrink2(vec2(space::L, space::M));
    ui.scope_builder(UiBuilder::new().id_salt(("opened", entry.number)).max_rect(inside), |ui| {
        ui.with_layout(Layout::top_down(Align::LEFT), |ui| {
            ui.scope(|ui| detail(ui, theme, texts, entry, look.hex));
            ui.add_space(space::S);
            ui.horizontal(|ui| {
                let other = if look.hex { texts.get(Msg::S25Fields) } else { texts.get(Msg::S25Hex) };
                if Button::secondary(&other).show(ui, theme) {
                    look.hex = !look.hex;
                }
                // Where only its deal is shown, the line stands in it already.
                if entry.deal.is_some() && entry.deal != look.deal {
                    let text = texts.get(Msg::S25Diagram);
                    if Button::link(&text).show(ui, theme) {
                        command = Some(LogCommand::ShowInDeal(entry.number));
                    }
                }
            });
        });
    });
    command
}

/// How high one line is, for a drawer that wants to hold a whole number of them.
pub const LINE: f32 = ROW;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_takes_any_case_and_other_alphabets() {
        assert!(contains("ContractHalf", "contract"));
        assert!(contains("Βιβλία", "βιβ"));
        assert!(!contains("Order", "orders"));
        assert!(!contains("", "a"));
    }
}
