//! S07, the door: the user's two words, the password, and nothing of what waits inside.
//!
//! The password prompt is the most attractive thing to fake, so the words stand above it and the text
//! says to type only under them. This is the only place where Enter acts.

use egui::accesskit::Role as A11yRole;
use egui::{
    Align, CentralPanel, Color32, Context, Frame, Id, Layout, Margin, Panel, ScrollArea, Stroke, Ui,
    UiBuilder,
};
use egui::{WidgetInfo, vec2};

use crate::icons::{self, Icon};
use crate::texts::{Msg, Texts};
use crate::theme::{FrameHue, Role, Theme, size, space};
use crate::widgets::button::Button;
use crate::widgets::seal::Words;
use crate::widgets::secret::{self, SecretBuf, SecretField};
use crate::widgets::state::{StateAnswer, ViewState, state_view};
use crate::widgets::{decoration, label};

/// How wide the column of the door is.
const COLUMN: f32 = 360.0;

/// What the door shows.
#[derive(Clone, Debug)]
pub struct Door {
    /// The user's two words.
    pub words: Words,
    /// The colour of the frame.
    pub hue: FrameHue,
    /// Where unlocking stands.
    pub state: DoorState,
    /// A page asks to open a deal; nothing more of it is shown before unlocking.
    pub link_waits: bool,
    /// By how much the clock is wrong, if by too much.
    pub clock_off: Option<String>,
    /// The explanation that is open.
    pub help: Option<Help>,
}

/// Where unlocking stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DoorState {
    /// The archive is damaged; what is intact can be read.
    Damaged {
        /// Which part.
        part: String,
    },
    /// The key is being derived from the password.
    Deriving {
        /// For how long already, in milliseconds.
        elapsed: u64,
    },
    /// A password is expected.
    Ready,
    /// Another window of the same wallet runs already.
    SecondInstance,
    /// After several wrong passwords, none is taken for a while.
    Throttled {
        /// For how many more seconds.
        seconds: u32,
    },
    /// The last password was wrong.
    Wrong,
}

/// An explanation that can be opened at the door.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Help {
    /// Which program this is.
    About,
    /// What to do without the password.
    Forgot,
    /// What to do when the words are not one's own.
    NotMine,
}

/// What the user asked for at the door.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DoorCommand {
    /// About this program.
    About,
    /// Open or close an explanation.
    Help(Option<Help>),
    /// Open what is intact of a damaged archive.
    OpenReadOnly,
    /// Try the password.
    Unlock,
}

/// Lets the password field have the keyboard when the door is drawn next: for a program that comes back to it.
pub fn come_back(ctx: &Context) {
    ctx.data_mut(|data| data.remove_temp::<bool>(focused_once()));
}

/// Where it is kept that the field has taken the keyboard; it takes it once, and then the user decides.
fn focused_once() -> Id {
    Id::unique("door-focused-once")
}

/// Draws the door over the whole window. The password is in `secret`, and stays there.
pub fn ui(
    ui: &mut Ui,
    theme: &Theme,
    texts: &Texts,
    data: &Door,
    secret: &mut SecretBuf,
) -> Option<DoorCommand> {
    let frame = ui.max_rect();
    ui.painter().rect_filled(frame, 0.0, theme.bg0);
    let narrow = frame.width() < size::NARROW;
    let mut command = None;
    if !narrow {
        // The links are last in the order of reading, so they are drawn after the column below; their
        // room is taken here.
        let bottom = Panel::bottom("door-links").exact_size(size::BAR_LOW).resizable(false);
        let bottom = bottom.show_separator_line(false).frame(Frame::new().fill(theme.bg0));
        let room = bottom.show(ui, |ui| ui.max_rect()).inner;
        command = column(ui, theme, texts, data, secret, false);
        let mut foot = ui.new_child(
            UiBuilder::new().id_salt("door-foot").max_rect(room.shrink2(vec2(space::XL, space::S))),
        );
        command = links(&mut foot, theme, texts, data, true).or(command);
    } else {
        command = column(ui, theme, texts, data, secret, true).or(command);
    }
    let line = ui.ctx().content_rect();
    ui.painter().hline(line.x_range(), line.top() + 1.0, Stroke::new(2.0, data.hue.colour()));
    command
}

fn column(
    ui: &mut Ui,
    theme: &Theme,
    texts: &Texts,
    data: &Door,
    secret: &mut SecretBuf,
    with_links: bool,
) -> Option<DoorCommand> {
    let panel = CentralPanel::default().frame(Frame::new().inner_margin(Margin::same(space::L as i8)));
    panel
        .show(ui, |ui| {
            ScrollArea::vertical()
                .auto_shrink(false)
                .show(ui, |ui| {
                    ui.add_space((ui.available_height() * 0.16).max(space::S));
                    ui.vertical_centered(|ui| {
                        words(ui, theme, texts, data);
                        let room = vec2(COLUMN.min(ui.available_width()), 0.0);
                        ui.allocate_ui_with_layout(room, Layout::top_down(Align::LEFT), |ui| {
                            ui.set_max_width(room.x);
                            let mut command = unlocking(ui, theme, texts, data, secret);
                            notices(ui, theme, texts, data);
                            if with_links {
                                ui.add_space(space::L);
                                command = links(ui, theme, texts, data, false).or(command);
                            }
                            command
                        })
                        .inner
                    })
                    .inner
                })
                .inner
        })
        .inner
}

fn words(ui: &mut Ui, theme: &Theme, texts: &Texts, data: &Door) {
    let text = data.words.text(texts);
    let shown = label(ui, theme.text(Role::Door, &text));
    shown.widget_info(|| WidgetInfo::labeled(A11yRole::Heading, true, &text));
    ui.add_space(space::XS);
    label(ui, theme.coloured(Role::Body, texts.get(Msg::BarDoor), theme.text2));
    ui.add_space(space::XL);
}

/// The part that differs from state to state.
fn unlocking(
    ui: &mut Ui,
    theme: &Theme,
    texts: &Texts,
    data: &Door,
    secret: &mut SecretBuf,
) -> Option<DoorCommand> {
    match &data.state {
        DoorState::SecondInstance => {
            note(ui, theme, icons::INFO, theme.info, &texts.get(Msg::S07Second));
            None
        }
        DoorState::Damaged { part } => {
            note(ui, theme, icons::REFUSED, theme.danger, &texts.get(Msg::S07Damaged { part }));
            ui.add_space(space::S);
            let text = texts.get(Msg::S07Readonly);
            let command = entry(ui, theme, texts, secret, None);
            let read = Button::secondary(&text).tall().wide(ui.available_width()).show(ui, theme);
            read.then_some(DoorCommand::OpenReadOnly).or(command)
        }
        DoorState::Deriving { elapsed } => {
            let busy = texts.get(Msg::S07Busy);
            entry(ui, theme, texts, secret, Some(&busy));
            ui.add_space(space::S);
            let step = texts.get(Msg::S07Deriving);
            let state = ViewState::Loading { step, number: 1, of: 1, elapsed: (*elapsed).min(9_999) };
            let _: StateAnswer = state_view(ui, theme, texts, &state);
            None
        }
        DoorState::Ready => entry(ui, theme, texts, secret, None),
        DoorState::Wrong => {
            let command = entry(ui, theme, texts, secret, None);
            note(ui, theme, icons::REFUSED, theme.danger, &texts.get(Msg::S07Wrong));
            command
        }
        DoorState::Throttled { seconds } => {
            let wait = texts.get(Msg::S07Wait);
            entry(ui, theme, texts, secret, Some(&wait));
            note(ui, theme, icons::REFUSED, theme.danger, &texts.get(Msg::S07Wrong));
            note(ui, theme, icons::CLOCK, theme.warn, &texts.get(Msg::S07Throttle { seconds: *seconds }));
            None
        }
    }
}

/// The password field and the button. Nothing is taken while there is a refusal.
fn entry(
    ui: &mut Ui,
    theme: &Theme,
    texts: &Texts,
    secret: &mut SecretBuf,
    refusal: Option<&str>,
) -> Option<DoorCommand> {
    let name = texts.get(Msg::S07Password);
    let wide = ui.available_width();
    label(ui, theme.coloured(Role::LabelStrong, &name, theme.text3));
    // Throttled or busy, letters can still be typed; they only cannot be tried.
    let field = SecretField::new(secret, &name).width(wide).show(ui, theme, texts);
    let first = focused_once();
    if !ui.data(|data| data.get_temp(first).unwrap_or(false)) {
        field.response.request_focus();
        ui.data_mut(|data| data.insert_temp(first, true));
    }
    if let Some(hint) = secret::hint(secret, texts) {
        note(ui, theme, icons::WARNING, theme.warn, &hint);
    }
    ui.add_space(space::XS);
    let nothing = texts.get(Msg::S07First);
    let reason = refusal.or(secret.is_empty().then_some(nothing.as_str()));
    let text = texts.get(Msg::S07Unlock);
    let button = Button::primary(&text).tall().wide(wide).refused(reason).draw(ui, theme);
    let asked = button.clicked() || field.submitted;
    (asked && reason.is_none()).then_some(DoorCommand::Unlock)
}

fn notices(ui: &mut Ui, theme: &Theme, texts: &Texts, data: &Door) {
    if data.link_waits {
        ui.add_space(space::M);
        note(ui, theme, icons::STOREFRONT, theme.info, &texts.get(Msg::S07Link));
    }
    if let Some(span) = &data.clock_off {
        ui.add_space(space::M);
        note(ui, theme, icons::CLOCK, theme.warn, &texts.get(Msg::ClockWarn { span }));
    }
    let help = match data.help {
        None => return,
        Some(Help::About) => texts.get(Msg::S07AboutText { version: env!("CARGO_PKG_VERSION") }),
        Some(Help::Forgot) => texts.get(Msg::S07Forgot),
        Some(Help::NotMine) => texts.get(Msg::S07Notmine),
    };
    ui.add_space(space::M);
    let card = crate::widgets::card(theme);
    card.show(ui, |ui| note(ui, theme, icons::INFO, theme.info, &help));
}

fn note(ui: &mut Ui, theme: &Theme, icon: Icon, colour: Color32, text: &str) {
    ui.horizontal_top(|ui| {
        decoration(ui, theme.icon(icon, 18.0, colour));
        label(ui, theme.text(Role::Body, text));
    });
}

fn links(ui: &mut Ui, theme: &Theme, texts: &Texts, data: &Door, row: bool) -> Option<DoorCommand> {
    let toggled = |help| DoorCommand::Help((data.help != Some(help)).then_some(help));
    let all = [
        (Msg::S07NotmineLink, toggled(Help::NotMine)),
        (Msg::S07ForgotLink, toggled(Help::Forgot)),
        (Msg::S07About, DoorCommand::About),
    ];
    let mut command = None;
    let mut each = |ui: &mut Ui| {
        for (msg, does) in all {
            if Button::link(&texts.get(msg)).show(ui, theme) {
                command = Some(does);
            }
            ui.add_space(if row { space::L } else { 0.0 });
        }
    };
    if row {
        ui.horizontal_centered(each);
    } else {
        each(ui);
    }
    command
}
