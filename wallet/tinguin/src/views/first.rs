//! The first start: welcome (S01), seal (S02), password and PIN (S03), randomness (S04), registration (S05).
//!
//! Each step stands in the same frame: its title, its number, its content, and at the bottom the ways out of it.
//! Nothing here acts by the Enter key.

pub mod hold;
pub mod randomness;
pub mod registration;
pub mod seal;
pub mod secrets;
pub mod welcome;

use egui::{
    Align, CentralPanel, Color32, Frame, Layout, Margin, Panel, Response, ScrollArea, Stroke, TextEdit, Ui,
    UiBuilder, vec2,
};

use crate::icons::{self, Icon};
use crate::texts::{Msg, Texts};
use crate::theme::{FrameHue, Role, Theme, size, space};
use crate::widgets::button::Button;
use crate::widgets::{decoration, heading, label};

/// How many steps there are.
pub const STEPS: u32 = 5;
/// How wide the content is at most, in logical pixels.
const WIDTH: f32 = 720.0;
/// How high the strip with the ways out is, and from which height of the window on it stands apart.
const FOOT: f32 = 64.0;
const APART: f32 = 480.0;

/// One step in its frame.
#[derive(Clone, Copy, Debug)]
struct Step<'a> {
    title: &'a str,
    number: u32,
    hue: Option<FrameHue>,
}

/// Draws the frame, the content and the ways out; gives what both came to.
fn step<A>(
    ui: &mut Ui,
    theme: &Theme,
    texts: &Texts,
    step: Step<'_>,
    content: impl FnOnce(&mut Ui) -> Option<A>,
    ways: impl FnOnce(&mut Ui) -> Option<A>,
) -> Option<A> {
    let window = ui.max_rect();
    ui.painter().rect_filled(window, 0.0, theme.bg0);
    let apart = window.height() >= APART && window.width() >= size::NARROW;
    // The ways out are read last, so they are drawn after the content; their room is taken here.
    let room = apart.then(|| {
        let frame = Frame::new().fill(theme.bg1);
        let foot = Panel::bottom("first-ways").exact_size(FOOT).resizable(false).show_separator_line(false);
        foot.frame(frame).show(ui, |ui| ui.max_rect()).inner
    });
    let mut ways = Some(ways);
    let panel = CentralPanel::default().frame(Frame::new().inner_margin(Margin::same(space::XL as i8)));
    let mut command = panel
        .show(ui, |ui| {
            ScrollArea::vertical()
                .auto_shrink(false)
                .show(ui, |ui| {
                    let wide = WIDTH.min(ui.available_width());
                    let margin = (ui.available_width() - wide) / 2.0;
                    let place =
                        ui.available_rect_before_wrap().with_max_x(ui.max_rect().left() + margin + wide);
                    let place = place.with_min_x(ui.max_rect().left() + margin);
                    let column = UiBuilder::new().max_rect(place).layout(Layout::top_down(Align::LEFT));
                    let inside = |ui: &mut Ui| {
                        let command = titled(ui, theme, texts, step, content);
                        match ways.take_if(|_| !apart) {
                            Some(ways) => {
                                ui.add_space(space::L);
                                ui.horizontal_wrapped(ways).inner.or(command)
                            }
                            None => command,
                        }
                    };
                    ui.scope_builder(column, inside).inner
                })
                .inner
        })
        .inner;
    if let (Some(room), Some(ways)) = (room, ways) {
        let inner = room.shrink2(vec2(space::XL, 0.0));
        let layout = Layout::left_to_right(Align::Center);
        let mut foot = ui.new_child(UiBuilder::new().id_salt("first-foot").max_rect(inner).layout(layout));
        command = ways(&mut foot).or(command);
    }
    let line = ui.ctx().content_rect();
    let colour = step.hue.map_or(theme.line, FrameHue::colour);
    ui.painter().hline(line.x_range(), line.top() + 1.0, Stroke::new(2.0, colour));
    command
}

fn titled<A>(
    ui: &mut Ui,
    theme: &Theme,
    texts: &Texts,
    step: Step<'_>,
    content: impl FnOnce(&mut Ui) -> Option<A>,
) -> Option<A> {
    label(
        ui,
        theme.coloured(Role::Label, texts.get(Msg::FirstStep { i: step.number, n: STEPS }), theme.text3),
    );
    heading(ui, theme.text(Role::Title, step.title));
    ui.add_space(space::M);
    content(ui)
}

/// Draws *Back* and *Continue*; the second is refused for a reason. Tells which was used.
fn back_and_on(ui: &mut Ui, theme: &Theme, texts: &Texts, refused: Option<&str>) -> (bool, bool) {
    let back = Button::secondary(&texts.get(Msg::FirstBack)).tall().show(ui, theme);
    let on = Button::primary(&texts.get(Msg::FirstContinue)).tall().refused(refused).show(ui, theme);
    (back, on)
}

/// Says something of what is above it, with a sign before it.
fn note(ui: &mut Ui, theme: &Theme, icon: Icon, colour: Color32, text: &str) {
    ui.horizontal_top(|ui| {
        decoration(ui, theme.icon(icon, 18.0, colour));
        label(ui, theme.text(Role::Body, text));
    });
}

/// Says why something cannot go on.
fn wrong(ui: &mut Ui, theme: &Theme, text: &str) {
    note(ui, theme, icons::REFUSED, theme.danger, text);
}

/// A field for text that is no secret, with its name above it.
fn field(ui: &mut Ui, theme: &Theme, name: &str, value: &mut String, width: f32) -> Response {
    let width = width.min(ui.max_rect().width()).max(size::CONTROL_CRITICAL);
    let room = vec2(width, Role::LabelStrong.line() + space::S + size::CONTROL);
    ui.allocate_ui_with_layout(room, Layout::top_down(Align::LEFT), |ui| {
        ui.set_width(width);
        label(ui, theme.coloured(Role::LabelStrong, name, theme.text3));
        let field = TextEdit::singleline(value)
            .font(Role::Body.font())
            .margin(vec2(space::M, 7.0))
            .char_limit(256)
            .desired_width(width - 2.0 * space::M);
        ui.add(field).accessible_name(name)
    })
    .inner
}
