//! The frame of every screen but the door: attestation bar, navigation, status line, shortcuts.
//!
//! The content is drawn inside its own rectangle and clipped there, so nothing of it can lie over the
//! bar or the navigation.

use egui::accesskit::{AriaCurrent, Role as A11yRole};
use egui::{Align2, CentralPanel, CornerRadius, Frame, Key, Margin, Modifiers, Panel, Rect, Response, Sense};
use egui::{ScrollArea, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::format::{self, Civil};
use crate::icons::{self, Icon};
use crate::texts::{Msg, Texts};
use crate::theme::{Role, Theme, icon_font, size, space};
use crate::widgets::bar::{self, Bar, BarCommand};
use crate::widgets::button::Button;
use crate::widgets::{activated, focus_ring};

/// The places of the navigation, in its order.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Place {
    /// What waits for the user.
    Waiting,
    /// Deals in progress.
    Home,
    /// Purses.
    Purses,
    /// Archive and evidence.
    Archive,
    /// Contacts and certificates.
    Contacts,
    /// Terms of business.
    Terms,
    /// Statements of account.
    Statements,
    /// The live log.
    Log,
    /// Settings.
    Settings,
}

impl Place {
    /// All of them, in the order of the rail.
    pub const ALL: [Self; 9] = [
        Self::Waiting,
        Self::Home,
        Self::Purses,
        Self::Archive,
        Self::Contacts,
        Self::Terms,
        Self::Statements,
        Self::Log,
        Self::Settings,
    ];

    const fn icon(self) -> Icon {
        match self {
            Self::Waiting => icons::TRAY,
            Self::Home => icons::HOUSE,
            Self::Purses => icons::WALLET,
            Self::Archive => icons::ARCHIVE,
            Self::Contacts => icons::ADDRESS_BOOK,
            Self::Terms => icons::FILE_TEXT,
            Self::Statements => icons::RECEIPT,
            Self::Log => icons::LOG,
            Self::Settings => icons::GEAR,
        }
    }

    const fn msg(self) -> Msg<'static> {
        match self {
            Self::Waiting => Msg::TrayShort,
            Self::Home => Msg::PlaceHome,
            Self::Purses => Msg::PlacePurses,
            Self::Archive => Msg::PlaceArchive,
            Self::Contacts => Msg::PlaceContacts,
            Self::Terms => Msg::PlaceTerms,
            Self::Statements => Msg::PlaceStatements,
            Self::Log => Msg::PlaceLog,
            Self::Settings => Msg::PlaceSettings,
        }
    }

    /// The key that leads there together with the command key.
    const fn key(self) -> Key {
        match self {
            Self::Waiting => Key::J,
            Self::Home => Key::Num1,
            Self::Purses => Key::Num2,
            Self::Archive => Key::Num3,
            Self::Contacts => Key::Num4,
            Self::Terms => Key::Num5,
            Self::Statements => Key::Num6,
            Self::Log => Key::Num7,
            Self::Settings => Key::Num8,
        }
    }
}

/// The last event of a protocol, in plain words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Status {
    /// When it happened.
    pub at: Civil,
    /// What happened.
    pub text: String,
}

/// What the frame shows.
#[derive(Clone, Debug)]
pub struct Window {
    /// The attestation bar.
    pub bar: Bar,
    /// Where the user is.
    pub place: Place,
    /// How many things wait for the user.
    pub waiting: u32,
    /// The last event, if there was one.
    pub status: Option<Status>,
    /// By how much the clock is wrong, if by too much.
    pub clock_off: Option<String>,
    /// By how much the clock went back since something was recorded last.
    pub clock_back: Option<String>,
    /// In a narrow window: the navigation is open in place of the content.
    pub menu_open: bool,
}

/// What the user asked of the frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WindowCommand {
    /// Hide amounts and names.
    Discreet,
    /// Go to a place.
    Go(Place),
    /// Name a place or thing to go to.
    GoTo,
    /// Explain what has the focus.
    Help,
    /// Lock now.
    Lock,
    /// Open or close the log drawer.
    LogDrawer,
    /// Open or close the navigation of a narrow window.
    Menu(bool),
    /// List what is pending, then quit.
    Quit,
    /// Search this view.
    Search,
    /// Larger.
    ZoomIn,
    /// Smaller.
    ZoomOut,
    /// Back to the plain size.
    ZoomReset,
}

/// Draws the frame with the content in its middle. Answers what was asked of the frame, and what the
/// content answered, which is nothing while the menu of a narrow window covers it.
pub fn window<R>(
    ui: &mut Ui,
    theme: &Theme,
    texts: &Texts,
    data: &Window,
    content: impl FnOnce(&mut Ui) -> R,
) -> (Option<WindowCommand>, Option<R>) {
    let screen = ui.ctx().content_rect();
    let mut command = shortcut(ui);
    if let Some(BarCommand::Lock) = bar::show(ui, theme, texts, &data.bar) {
        command = Some(WindowCommand::Lock);
    }
    if let Some(span) = &data.clock_off {
        bar::banner(ui, theme, &texts.get(Msg::ClockWarn { span }));
    }
    if let Some(by) = &data.clock_back {
        bar::banner(ui, theme, &texts.get(Msg::ClockBack { by }));
    }
    let narrow = screen.width() < size::NARROW;
    if !narrow {
        let wide = screen.width() >= size::WIDE;
        command = rail_panel(ui, theme, texts, data, wide).or(command);
    }
    command = status_line(ui, theme, texts, data.status.as_ref()).or(command);
    let low = screen.height() < size::LOW;
    let margin = Margin::same(if narrow || low { space::L } else { space::XL } as i8);
    let frame = Frame::new().fill(theme.bg0).inner_margin(margin);
    let inner = CentralPanel::default().frame(frame).show(ui, |ui| {
        if narrow {
            let menu = texts.get(Msg::PlaceMenu);
            if Button::secondary(&menu).icon(icons::LIST).show(ui, theme) {
                command = Some(WindowCommand::Menu(!data.menu_open));
            }
            if data.menu_open {
                ScrollArea::vertical()
                    .show(ui, |ui| command = rail(ui, theme, texts, data, true).or(command));
                return None;
            }
            ui.add_space(space::XS);
        }
        Some(content(ui))
    });
    (command, inner.inner)
}

fn rail_panel(ui: &mut Ui, theme: &Theme, texts: &Texts, data: &Window, wide: bool) -> Option<WindowCommand> {
    let width = if wide { size::RAIL_WIDE } else { size::RAIL };
    let panel = Panel::left("rail")
        .exact_size(width)
        .resizable(false)
        .show_separator_line(false)
        .frame(Frame::new().fill(theme.bg1).inner_margin(Margin::same(space::S as i8)));
    panel
        .show(ui, |ui| {
            let edge = ui.max_rect().expand(space::S);
            ui.painter().vline(edge.right() - 0.5, edge.y_range(), Stroke::new(1.0, theme.line));
            ScrollArea::vertical().show(ui, |ui| rail(ui, theme, texts, data, wide)).inner
        })
        .inner
}

fn rail(ui: &mut Ui, theme: &Theme, texts: &Texts, data: &Window, words: bool) -> Option<WindowCommand> {
    let mut command = None;
    ui.spacing_mut().item_spacing.y = space::XS;
    for place in Place::ALL {
        let name = match place {
            Place::Waiting => texts.get(Msg::TrayLabel { n: data.waiting }),
            _ => texts.get(place.msg()),
        };
        let selected = place == data.place;
        let response = rail_item(ui, theme, (place.icon(), &name), words, selected);
        if place == Place::Waiting && data.waiting > 0 && !words {
            badge(ui, theme, response.rect, data.waiting);
        }
        if activated(&response) {
            command = Some(WindowCommand::Go(place));
        }
        if place == Place::Waiting {
            ui.add_space(space::S);
        }
    }
    command
}

fn rail_item(
    ui: &mut Ui,
    theme: &Theme,
    (icon, name): (Icon, &str),
    words: bool,
    selected: bool,
) -> Response {
    let desired = vec2(ui.available_width(), size::CONTROL_CRITICAL);
    let (rect, response) = ui.allocate_exact_size(desired, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(A11yRole::Link, true, name));
    if selected {
        ui.ctx().accesskit_node_builder(response.id, |node| node.set_aria_current(AriaCurrent::Page));
    }
    let radius = CornerRadius::same(size::RADIUS);
    if selected || response.hovered() {
        ui.painter().rect_filled(rect, radius, theme.bg3);
    }
    if selected {
        let mark = Rect::from_min_size(rect.left_top() + vec2(0.0, 10.0), vec2(3.0, rect.height() - 20.0));
        ui.painter().rect_filled(mark, CornerRadius::same(1), theme.accent);
    }
    let ink = if selected { theme.text1 } else { theme.text2 };
    let centre = if words { pos2(rect.left() + 24.0, rect.center().y) } else { rect.center() };
    ui.painter().text(centre, Align2::CENTER_CENTER, icon.glyph(), icon_font(22.0), ink);
    if words {
        let at = pos2(rect.left() + 48.0, rect.center().y);
        let role = if selected { Role::Value } else { Role::Body };
        ui.painter().text(at, Align2::LEFT_CENTER, name, role.font(), ink);
    }
    focus_ring(ui, theme, rect.shrink(4.0), &response);
    if !words {
        if response.has_focus() {
            response.show_tooltip_text(name);
        }
        return response.on_hover_text(name);
    }
    response
}

/// The number on the icon of what waits.
fn badge(ui: &Ui, theme: &Theme, rect: Rect, count: u32) {
    let text = if count > 99 { "99".to_owned() } else { count.to_string() };
    let galley = ui.painter().layout_no_wrap(text, Role::Provenance.font(), theme.on_accent);
    let ground = Rect::from_center_size(
        rect.center() + vec2(12.0, -11.0),
        vec2((galley.size().x + space::S).max(18.0), 18.0),
    );
    ui.painter().rect_filled(ground, CornerRadius::same(9), theme.accent);
    ui.painter().galley(ground.center() - galley.size() / 2.0, galley, theme.on_accent);
}

fn status_line(ui: &mut Ui, theme: &Theme, texts: &Texts, status: Option<&Status>) -> Option<WindowCommand> {
    let panel = Panel::bottom("status")
        .exact_size(size::STATUS)
        .resizable(false)
        .show_separator_line(false)
        .frame(Frame::new().fill(theme.bg1));
    panel
        .show(ui, |ui| {
            let (rect, response) = ui.allocate_exact_size(ui.available_size(), Sense::click());
            let text = status.map_or_else(|| texts.get(Msg::StatusQuiet), |status| status.text.clone());
            let spoken = format!("{}: {text}", texts.get(Msg::StatusName));
            response.widget_info(|| WidgetInfo::labeled(A11yRole::Link, true, &spoken));
            let open = texts.get(Msg::StatusLog);
            ui.ctx().accesskit_node_builder(response.id, |node| node.set_description(open));
            if response.hovered() {
                ui.painter().rect_filled(rect, CornerRadius::ZERO, theme.bg3);
            }
            ui.painter().hline(rect.x_range(), rect.top() + 0.5, Stroke::new(1.0, theme.line));
            let mut left = rect.left() + space::L;
            if let Some(status) = status {
                let at = pos2(left, rect.center().y);
                let clock = format::clock(&status.at);
                let font = Role::Mono.font();
                left =
                    ui.painter().text(at, Align2::LEFT_CENTER, clock, font, theme.text3).right() + space::M;
            }
            let log = texts.get(Msg::PlaceLog);
            let right = pos2(rect.right() - space::L, rect.center().y);
            let font = Role::Label.font();
            let end = ui.painter().text(right, Align2::RIGHT_CENTER, log, font.clone(), theme.info).left();
            let room = Rect::from_x_y_ranges(left..=(end - space::L).max(left), rect.y_range());
            let painter = ui.painter().with_clip_rect(room.intersect(ui.clip_rect()));
            painter.text(pos2(left, rect.center().y), Align2::LEFT_CENTER, text, font, theme.text2);
            focus_ring(ui, theme, rect.shrink(4.0), &response);
            activated(&response).then_some(WindowCommand::Go(Place::Log))
        })
        .inner
}

/// Takes the shortcut that was pressed, if one was.
pub fn shortcut(ui: &Ui) -> Option<WindowCommand> {
    ui.input_mut(|input| {
        let mut pressed = |modifiers: Modifiers, key: Key| input.consume_key(modifiers, key);
        let strong = Modifiers::COMMAND | Modifiers::SHIFT;
        let others = [
            (strong, Key::L, WindowCommand::Lock),
            (Modifiers::COMMAND, Key::L, WindowCommand::LogDrawer),
            (Modifiers::COMMAND, Key::F, WindowCommand::Search),
            (Modifiers::COMMAND, Key::K, WindowCommand::GoTo),
            (Modifiers::COMMAND, Key::D, WindowCommand::Discreet),
            (Modifiers::COMMAND, Key::Q, WindowCommand::Quit),
            (Modifiers::COMMAND, Key::Plus, WindowCommand::ZoomIn),
            (Modifiers::COMMAND, Key::Equals, WindowCommand::ZoomIn),
            (Modifiers::COMMAND, Key::Minus, WindowCommand::ZoomOut),
            (Modifiers::COMMAND, Key::Num0, WindowCommand::ZoomReset),
            (Modifiers::NONE, Key::F1, WindowCommand::Help),
        ];
        let places = Place::ALL.map(|place| (Modifiers::COMMAND, place.key(), WindowCommand::Go(place)));
        let mut all = others.into_iter().chain(places);
        all.find(|(modifiers, key, _)| pressed(*modifiers, *key)).map(|(_, _, command)| command)
    })
}
