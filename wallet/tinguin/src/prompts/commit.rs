//! The action bar: decline, decide later, and the user's own picture, which is held to confirm.
//!
//! Nothing here is used by Enter, by a single click or by an assistive technology's click on the picture: that
//! opens the typed way, which asks for PIN and amount.

use egui::accesskit::{Action, Role as A11yRole};
use egui::{
    Align, CornerRadius, Event, Key, Layout, PointerButton, Rect, Response, Sense, Stroke, StrokeKind, Ui,
    UiBuilder, WidgetInfo, pos2, vec2,
};

use super::attention::{Confirmed, Obstacle, Phase, Sight};
use super::layout::Places;
use super::told::{Told, party};
use super::{Attempt, Prompt};
use crate::texts::{Msg, Texts};
use crate::theme::{Role, Theme, size, space};
use crate::widgets::bar::Slot;
use crate::widgets::button::Button;
use crate::widgets::{focus_ring, label, seal};

/// What the user did in the bar.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Act {
    Confirm(Confirmed),
    Decline,
    Later,
}

/// What became of the bar in one pass.
#[derive(Debug)]
pub(super) struct Acted {
    pub(super) phase: Phase,
    pub(super) command: Option<Act>,
}

/// The commit control.
const WIDTH: f32 = 372.0;
const HEIGHT: f32 = 80.0;

/// Draws the bar and takes what is done there; `sight` comes without the hand on the picture.
pub(super) fn ui(
    ui: &mut Ui,
    theme: &Theme,
    texts: &Texts,
    (data, told): (&Prompt<'_>, &Told),
    attempt: &mut Attempt,
    sight: Sight,
    places: &Places,
) -> Acted {
    let rect = places.actions;
    ui.painter().rect_filled(rect, CornerRadius::ZERO, theme.bg1);
    ui.painter().hline(rect.x_range(), rect.top() + 0.5, Stroke::new(1.0, theme.line));
    let inner = rect.shrink2(vec2(space::L, space::S));
    let width = WIDTH.min(inner.width());
    let (buttons, commit) = if places.narrow {
        let split = inner.top() + size::CONTROL_CRITICAL + space::S;
        let commit = Rect::from_min_size(pos2(inner.left(), split), vec2(inner.width(), HEIGHT));
        (Rect::from_min_max(inner.min, pos2(inner.right(), split)), commit)
    } else {
        let left = inner.right() - width;
        let top = inner.center().y - HEIGHT / 2.0;
        let commit = Rect::from_min_size(pos2(left, top), vec2(width, HEIGHT));
        (Rect::from_min_max(inner.min, pos2(left - space::L, inner.bottom())), commit)
    };
    let layout = Layout::left_to_right(Align::Center);
    let mut child = ui.new_child(UiBuilder::new().max_rect(buttons).layout(layout));
    let command = actions(&mut child, theme, texts, (data, told), attempt, places.narrow);
    if attempt.look.typing {
        let phase = attempt.attention.pass(&sight, data.sealed.friction());
        let typed = typed(ui, theme, texts, data, attempt, &phase, commit);
        return Acted { phase, command: typed.map(Act::Confirm).or(command) };
    }
    let (phase, fits) = picture(ui, theme, texts, (data, told), attempt, sight, commit);
    // A sum that does not fit its control is no sum that somebody has read.
    let phase = if fits { phase } else { Phase::Blocked(Obstacle::Fit) };
    Acted { phase, command }
}

fn actions(
    ui: &mut Ui,
    theme: &Theme,
    texts: &Texts,
    (data, told): (&Prompt<'_>, &Told),
    attempt: &mut Attempt,
    narrow: bool,
) -> Option<Act> {
    let busy = texts.get(Msg::S12Sending);
    let refused = data.sending.then_some(busy.as_str());
    let mut command = None;
    if attempt.declining {
        let party = party(data.sealed.facts()).unwrap_or_else(|| texts.get(Msg::PromptSomebody));
        let told = texts.get(Msg::PromptDeclineTold { party: &party });
        let (yes, no) = (texts.get(Msg::PromptDeclineYes), texts.get(Msg::PromptDeclineNo));
        let ask = |ui: &mut Ui, attempt: &mut Attempt, command: &mut Option<Act>| {
            if Button::secondary(&yes).tall().refused(refused).show(ui, theme) {
                *command = Some(Act::Decline);
            }
            if Button::secondary(&no).tall().show(ui, theme) {
                attempt.declining = false;
            }
        };
        if narrow {
            ask(ui, attempt, &mut command);
        } else {
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = space::XS;
                // In a low window the second sentence says enough.
                if ui.available_height() >= HEIGHT + space::M {
                    label(ui, theme.text(Role::Value, texts.get(Msg::PromptDeclineSure)));
                }
                label(ui, theme.coloured(Role::Label, told, theme.text2));
                ui.horizontal(|ui| ask(ui, attempt, &mut command));
            });
        }
        return command;
    }
    let (decline, later) = (texts.get(Msg::S12Decline), texts.get(Msg::S12Later));
    let name = texts.get(Msg::PromptDeclineName { what: &told.title });
    if Button::secondary(&decline).name(&name).tall().refused(refused).show(ui, theme) {
        attempt.declining = true;
    }
    if Button::secondary(&later).tall().show(ui, theme) {
        command = Some(Act::Later);
    }
    let msg = if attempt.look.typing { Msg::S12TypedBack } else { Msg::S12Typed };
    if Button::link(&texts.get(msg)).show(ui, theme) {
        attempt.look.typing = !attempt.look.typing;
    }
    command
}

/// The picture and the words beside it.
fn picture(
    ui: &mut Ui,
    theme: &Theme,
    texts: &Texts,
    (data, told): (&Prompt<'_>, &Told),
    attempt: &mut Attempt,
    mut sight: Sight,
    rect: Rect,
) -> (Phase, bool) {
    let square = Rect::from_min_size(rect.min, vec2(HEIGHT, HEIGHT)).shrink(space::XS);
    let id = egui::Id::unique("the picture that is held");
    let response = ui.interact(square, id, Sense::click_and_drag());
    let (pressed, held) = hand(ui, &response, square);
    let free = !data.sending;
    (sight.pressed, sight.held) = (pressed && free, held && free);
    let phase = attempt.attention.pass(&sight, data.sealed.friction());
    if ui.input(|input| input.has_accesskit_action_request(id, Action::Click)) {
        attempt.look.typing = true;
    }
    let ready = matches!(phase, Phase::Ready | Phase::Holding { .. } | Phase::Done(_)) && free;
    let radius = CornerRadius::same(size::RADIUS_CARD);
    let ground = if ready { theme.bg2 } else { theme.bg1 };
    let edge = if ready { Stroke::new(2.0, theme.accent) } else { Stroke::new(1.0, theme.line) };
    ui.painter().rect(rect, radius, ground, edge, StrokeKind::Inside);
    if let Phase::Holding { permille } = phase {
        let whole = rect.shrink(2.0);
        let filled = Rect::from_min_size(
            whole.min,
            vec2(whole.width() * f32::from(permille) / 1000.0, whole.height()),
        );
        ui.painter().rect_filled(filled, radius, theme.faint(theme.accent));
    }
    if let Slot::Open(shown) = &data.bar.slot {
        seal::paint(ui, theme, &shown.picture, square);
    }
    focus_ring(ui, theme, square, &response);
    let state = state(texts, data, attempt, &phase);
    response.widget_info(|| WidgetInfo::labeled(A11yRole::Button, ready, &told.hold));
    ui.ctx().accesskit_node_builder(id, |node| node.set_description(state.clone()));
    let words = Rect::from_min_max(pos2(square.right() + space::M, rect.top()), rect.max)
        .shrink2(vec2(space::S, 0.0));
    let ink = if ready { theme.text1 } else { theme.text2 };
    let hold = ui.painter().layout(told.hold.clone(), Role::Value.font(), ink, words.width());
    let below = ui.painter().layout(state, Role::Label.font(), theme.text2, words.width());
    let height = hold.size().y + below.size().y + 2.0;
    let fits = height <= rect.height() + 0.5 && !hold.elided && hold.size().x <= words.width() + 0.5;
    let top = (words.center().y - height / 2.0).max(rect.top());
    let under = pos2(words.left(), top + hold.size().y + 2.0);
    ui.painter().galley(pos2(words.left(), top), hold, ink);
    ui.painter().galley(under, below, theme.text2);
    (phase, fits)
}

/// Whether a new press on the picture began, and whether it is held: by the first button alone, within the
/// picture, or by the space bar.
fn hand(ui: &Ui, response: &Response, square: Rect) -> (bool, bool) {
    let down = response.is_pointer_button_down_on();
    let focused = response.has_focus();
    ui.input(|input| {
        let pointer = &input.pointer;
        let within = pointer.interact_pos().is_some_and(|at| square.contains(at));
        let others =
            pointer.button_down(PointerButton::Secondary) || pointer.button_down(PointerButton::Middle);
        let by_pointer = down && within && !others && pointer.primary_down();
        let space =
            |event: &Event| matches!(event, Event::Key { key: Key::Space, pressed: true, repeat: false, .. });
        let by_key = focused && input.key_down(Key::Space);
        let pressed = (by_pointer && pointer.primary_pressed()) || (by_key && input.events.iter().any(space));
        (pressed, by_pointer || by_key)
    })
}

/// Where it stands, in a sentence.
fn state(texts: &Texts, data: &Prompt<'_>, attempt: &Attempt, phase: &Phase) -> String {
    if data.sending {
        return texts.get(Msg::S12Sending);
    }
    match phase {
        Phase::Settling => {
            texts.get(Msg::S12WaitRead { s: &seconds(data.sealed.friction().arming.as_millis()) })
        }
        Phase::Arming { left } => match data.refused {
            Some(what) => texts.get(Msg::PromptRefused { what }),
            None => texts.get(Msg::S12WaitRead { s: &seconds(left.as_millis()) }),
        },
        Phase::Ready if attempt.attention.was_released() => texts.get(Msg::S12Released),
        Phase::Ready => texts.get(Msg::S12Ready),
        Phase::Holding { .. } => texts.get(Msg::S12Keep),
        Phase::Done(_) => texts.get(Msg::S12Sending),
        Phase::Blocked(obstacle) => texts.get(match *obstacle {
            Obstacle::Amount => Msg::S12WaitAmount,
            Obstacle::Clock => Msg::S12WaitClock { span: data.clock_off.unwrap_or_default() },
            Obstacle::Fit => Msg::S12WaitFit,
            Obstacle::Front => Msg::S12WaitFront,
            Obstacle::Moving => Msg::S12WaitMoving,
            Obstacle::Pin => Msg::S12WaitPin,
            Obstacle::Unseen => Msg::S12WaitSeen,
            Obstacle::Untouched => Msg::S12WaitTouch,
            Obstacle::Warnings(n) => Msg::S12WaitWarn { n },
        }),
    }
}

/// Whole seconds, rounded up.
fn seconds(milliseconds: u64) -> String {
    milliseconds.div_ceil(1000).to_string()
}

/// The typed way: a button that is ready once PIN and amount are typed and twice the arming has passed.
fn typed(
    ui: &mut Ui,
    theme: &Theme,
    texts: &Texts,
    data: &Prompt<'_>,
    attempt: &Attempt,
    phase: &Phase,
    rect: Rect,
) -> Option<Confirmed> {
    let friction = data.sealed.friction();
    let left = attempt.attention.typed_left(friction).map_or(u64::MAX, |left| left.as_millis());
    let refusal = match phase {
        _ if data.sending => Some(state(texts, data, attempt, phase)),
        Phase::Settling | Phase::Blocked(_) => Some(state(texts, data, attempt, phase)),
        _ if left > 0 => Some(texts.get(Msg::S12WaitRead { s: &seconds(left) })),
        _ => None,
    };
    let mut child = ui.new_child(UiBuilder::new().max_rect(rect).layout(Layout::top_down(Align::LEFT)));
    child.add_space(space::XS);
    let button = texts.get(Msg::PromptConfirm);
    let used = Button::primary(&button)
        .tall()
        .wide(rect.width())
        .refused(refusal.as_deref())
        .show(&mut child, theme);
    label(
        &mut child,
        theme.coloured(Role::Label, refusal.clone().unwrap_or_else(|| texts.get(Msg::S12Ready)), theme.text2),
    );
    if used && refusal.is_none() { attempt.attention.typed(friction) } else { None }
}
