//! S08, home: the deals in progress with one next step each, the money, and what ended lately.

use egui::accesskit::Role as A11yRole;
use egui::{
    Align, Align2, Color32, CornerRadius, Layout, ScrollArea, Sense, Stroke, StrokeKind, TextEdit, Ui,
};
use egui::{UiBuilder, WidgetInfo, pos2, vec2};

use super::DealKey;
use crate::format::{self, Amount, Civil};
use crate::icons::{self, Icon};
use crate::texts::{Msg, Texts};
use crate::theme::{Role, Theme, icon_font, size, space};
use crate::widgets::button::Button;
use crate::widgets::chip::Anonymity;
use crate::widgets::sparkline::sparkline;
use crate::widgets::state::{StateAnswer, ViewState, state_view};
use crate::widgets::stepper::{Steps, stepper};
use crate::widgets::{activated, card, decoration, fixed, focus_ring, heading, label, line, rule};

/// What home shows.
#[derive(Clone, Debug)]
pub struct Home {
    /// The state of the list of deals; [`ViewState::Ready`] with no deal is shown as empty.
    pub state: ViewState,
    /// How many deals are being resumed after a restart.
    pub resuming: Option<u32>,
    /// How many questions wait that this window cannot show.
    pub unshown: u32,
    /// The deals in progress, in any order.
    pub deals: Vec<Deal>,
    /// The purses.
    pub purses: Vec<PurseLine>,
    /// Whether a purse can be opened; only then it is a button.
    pub can_open_purse: bool,
    /// Deals that ended, latest first.
    pub ended: Vec<EndedDeal>,
    /// The search for a shop.
    pub directory: Directory,
}

/// A deal in progress.
#[derive(Clone, Debug)]
pub struct Deal {
    /// Its key.
    pub key: DealKey,
    /// Shop and goods.
    pub title: String,
    /// What it is about in money, once that is known.
    pub amount: Option<Amount>,
    /// What comes next.
    pub next: NextStep,
    /// Until when.
    pub deadline: Option<Deadline>,
    /// Where it stands.
    pub steps: Steps,
    /// How well the shop knows the user, where that is known.
    pub anonymity: Option<Anonymity>,
}

/// What comes next in a deal, and whose turn it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NextStep {
    /// The user checks what was delivered.
    Check,
    /// The user pays.
    Pay,
    /// The user reads the offer and orders.
    Sign,
    /// Somebody else does something.
    Wait {
        /// Who.
        party: String,
    },
}

/// Until when the next step has to be done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Deadline {
    /// The point in time.
    pub at: Civil,
    /// How many seconds are left; nothing when it has passed.
    pub left: Option<u64>,
}

/// One purse in the strip.
#[derive(Clone, Debug)]
pub struct PurseLine {
    /// Its number in the strip's own order.
    pub key: u64,
    /// Its name.
    pub name: String,
    /// What is in it; nothing for means without a balance, such as a card.
    pub balance: Option<Amount>,
    /// How the balance went, in thousandths of its highest, oldest first.
    pub history: Vec<u16>,
}

/// A deal that ended.
#[derive(Clone, Debug)]
pub struct EndedDeal {
    /// Its key.
    pub key: DealKey,
    /// When it ended.
    pub at: Civil,
    /// Shop and goods.
    pub title: String,
    /// What was paid, if anything was.
    pub amount: Option<Amount>,
    /// How it ended.
    pub how: Ending,
}

/// How a deal ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Ending {
    /// The other party broke the agreement, and it could not be made good.
    Broken {
        /// Who.
        party: String,
    },
    /// It was closed; nothing more is known of it.
    Closed,
    /// As agreed.
    Completed,
    /// The user declined.
    Declined,
    /// The other party refused.
    Refused {
        /// Who.
        party: String,
    },
    /// It never came about, for a reason of its own.
    Told {
        /// The reason, in a sentence.
        what: String,
    },
    /// An exchange was undone, and nothing was paid.
    Undone,
}

/// The search for a shop.
#[derive(Clone, Debug, Default)]
pub enum Directory {
    /// There is none to ask, and no search is offered.
    Absent,
    /// Not open.
    #[default]
    Closed,
    /// Open, with what the directory answered to the present query.
    Open(Vec<Shop>),
    /// Open, and the directory does not answer.
    Silent,
}

/// A shop as the directory lists it.
#[derive(Clone, Debug)]
pub struct Shop {
    /// Its number in the answer.
    pub key: u64,
    /// Its certified name.
    pub name: String,
    /// What it sells, by the directory's own categories.
    pub trade: String,
    /// Who certified it.
    pub certifier: String,
}

/// What the user asked for on home.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HomeCommand {
    /// Do the next step of a deal.
    Act(DealKey),
    /// Stop what is loading.
    Cancel,
    /// Close the search.
    CloseDirectory,
    /// Open the search.
    OpenDirectory,
    /// Show a deal, in progress or ended.
    OpenDeal(DealKey),
    /// Show a purse.
    OpenPurse(u64),
    /// Show a shop.
    OpenShop(u64),
    /// The query changed.
    Search,
}

/// Draws home. `query` is what is typed into the search.
pub fn ui(ui: &mut Ui, theme: &Theme, texts: &Texts, data: &Home, query: &mut String) -> Option<HomeCommand> {
    let mut command = None;
    ScrollArea::vertical().id_salt("home").auto_shrink(false).show(ui, |ui| {
        // The ring of the focus needs room beside the outermost controls.
        egui::Frame::new().inner_margin(space::XS).show(ui, |ui| {
            command = head(ui, theme, texts, data).or(command);
            command = directory(ui, theme, texts, &data.directory, query).or(command);
            if let Some(n) = data.resuming {
                notice(ui, theme, icons::CLOCK, theme.info, &texts.get(Msg::S08Resume { n }));
            }
            if data.unshown > 0 {
                notice(ui, theme, icons::TRAY, theme.warn, &texts.get(Msg::S08Unshown { n: data.unshown }));
            }
            command = deals(ui, theme, texts, data).or(command);
            ui.add_space(space::L);
            command = money(ui, theme, texts, data).or(command);
            ui.add_space(space::L);
            command = ended(ui, theme, texts, &data.ended).or(command);
        });
    });
    command
}

fn head(ui: &mut Ui, theme: &Theme, texts: &Texts, data: &Home) -> Option<HomeCommand> {
    let closed = matches!(data.directory, Directory::Closed);
    let (find, close) = (texts.get(Msg::S08Find), texts.get(Msg::S08FindClose));
    let mut command = None;
    ui.horizontal(|ui| {
        let room = vec2((ui.available_width() - 180.0).max(120.0), size::CONTROL);
        ui.allocate_ui_with_layout(room, Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_width(room.x);
            heading(ui, theme.text(Role::Title, texts.get(Msg::S08Title)));
        });
        if matches!(data.directory, Directory::Absent) {
            return;
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let button = Button::secondary(if closed { &find } else { &close }).icon(icons::MAGNIFIER);
            if button.show(ui, theme) {
                let open = if closed { HomeCommand::OpenDirectory } else { HomeCommand::CloseDirectory };
                command = Some(open);
            }
        });
    });
    ui.add_space(space::S);
    command
}

fn directory(
    ui: &mut Ui,
    theme: &Theme,
    texts: &Texts,
    directory: &Directory,
    query: &mut String,
) -> Option<HomeCommand> {
    let shops = match directory {
        Directory::Absent | Directory::Closed => return None,
        Directory::Open(shops) => shops.as_slice(),
        Directory::Silent => &[],
    };
    let mut command = None;
    card(theme).show(ui, |ui| {
        ui.set_width(ui.available_width());
        let name = texts.get(Msg::S08FindLabel);
        label(ui, theme.coloured(Role::LabelStrong, &name, theme.text3));
        let field = TextEdit::singleline(query)
            .font(Role::Body.font())
            .margin(vec2(space::M, 7.0))
            .desired_width(f32::INFINITY);
        if ui.add(field).accessible_name(name).changed() {
            command = Some(HomeCommand::Search);
        }
        if matches!(directory, Directory::Silent) {
            notice(ui, theme, icons::OFFLINE, theme.warn, &texts.get(Msg::S08Nodir));
        } else if shops.is_empty() && !query.is_empty() {
            label(ui, theme.coloured(Role::Body, texts.get(Msg::S08FindNone), theme.text2));
        }
        for shop in shops {
            rule(ui, theme);
            ui.horizontal(|ui| {
                decoration(ui, theme.icon(icons::STOREFRONT, 20.0, theme.peer));
                let room = vec2((ui.available_width() - size::CONTROL - space::S).max(0.0), size::CONTROL);
                ui.allocate_ui_with_layout(room, Layout::top_down(Align::LEFT), |ui| {
                    ui.set_min_width(room.x);
                    ui.spacing_mut().item_spacing.y = 0.0;
                    let certifier = texts.get(Msg::S08ShopCertified { certifier: &shop.certifier });
                    line(ui, theme.text(Role::Value, &shop.name));
                    let below = format!("{} · {certifier}", shop.trade);
                    line(ui, theme.coloured(Role::Label, below, theme.text3));
                });
                let name = texts.get(Msg::S08ShopOpen { shop: &shop.name });
                if Button::secondary("").icon(icons::CARET_RIGHT).name(&name).show(ui, theme) {
                    command = Some(HomeCommand::OpenShop(shop.key));
                }
            });
        }
    });
    ui.add_space(space::S);
    command
}

fn deals(ui: &mut Ui, theme: &Theme, texts: &Texts, data: &Home) -> Option<HomeCommand> {
    let empty = ViewState::Empty(texts.get(Msg::S08Empty));
    let nothing = data.state == ViewState::Ready && data.deals.is_empty();
    match state_view(ui, theme, texts, if nothing { &empty } else { &data.state }) {
        StateAnswer::Cancel => return Some(HomeCommand::Cancel),
        StateAnswer::Instead => return None,
        StateAnswer::Content => {}
    }
    let mut sorted: Vec<&Deal> = data.deals.iter().collect();
    // What is overdue or ends soonest comes first, what has no deadline last; the sort is stable.
    sorted.sort_by_key(|deal| deal.deadline.as_ref().map_or(u64::MAX, |deadline| deadline.left.unwrap_or(0)));
    let mut command = None;
    for deal in sorted {
        ui.push_id(("deal", deal.key), |ui| {
            card(theme).show(ui, |ui| {
                ui.set_width(ui.available_width());
                command = row(ui, theme, texts, deal).or(command);
            });
        });
    }
    command
}

/// One deal. In a wide row all stands in one line above the steps, in a narrow one below each other.
fn row(ui: &mut Ui, theme: &Theme, texts: &Texts, deal: &Deal) -> Option<HomeCommand> {
    let wide = ui.available_width() >= 780.0;
    let mut command = None;
    let gap = ui.spacing().item_spacing.x;
    ui.horizontal(|ui| {
        let (amount, next, due) = (124.0, 180.0, 108.0);
        let others = if wide { amount + next + due + 2.0 * space::L + 4.0 * gap } else { gap };
        let title = (ui.available_width() - size::CONTROL - others).max(0.0);
        cell(ui, title, Align::LEFT, |ui| {
            line(ui, theme.text(Role::Value, &deal.title));
        });
        if wide {
            cell(ui, amount, Align::RIGHT, |ui| sum(ui, theme, texts, deal.amount.as_ref()));
            ui.add_space(space::L);
            cell(ui, next, Align::LEFT, |ui| command = next_step(ui, theme, texts, deal).or(command));
            ui.add_space(space::L);
            cell(ui, due, Align::LEFT, |ui| deadline(ui, theme, texts, deal.deadline.as_ref()));
        }
        command = open(ui, theme, texts, deal).or(command);
    });
    if !wide {
        ui.horizontal_wrapped(|ui| {
            ui.set_row_height(size::CONTROL);
            command = next_step(ui, theme, texts, deal).or(command);
            ui.add_space(space::S);
            sum(ui, theme, texts, deal.amount.as_ref());
            ui.add_space(space::S);
            deadline(ui, theme, texts, deal.deadline.as_ref());
        });
    }
    let room = ui.available_width() >= 480.0;
    // Nothing below is used by hand, so the lines need not be as high as controls.
    ui.spacing_mut().interact_size.y = space::XL;
    ui.horizontal(|ui| {
        stepper(ui, theme, texts, &deal.steps);
        line(ui, theme.coloured(Role::Label, deal.steps.present(), theme.text2));
        if room {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| known(ui, theme, texts, deal));
        }
    });
    if !room {
        ui.horizontal(|ui| known(ui, theme, texts, deal));
    }
    command
}

/// A part of a row with a width of its own.
fn cell(ui: &mut Ui, width: f32, align: Align, contents: impl FnOnce(&mut Ui)) {
    let layout = match align {
        Align::Min => Layout::left_to_right(Align::Center),
        Align::Center => Layout::left_to_right(Align::Center).with_main_align(Align::Center),
        Align::Max => Layout::right_to_left(Align::Center),
    };
    ui.allocate_ui_with_layout(vec2(width, size::CONTROL), layout, |ui| {
        ui.set_min_size(vec2(width, size::CONTROL));
        contents(ui);
    });
}

fn sum(ui: &mut Ui, theme: &Theme, texts: &Texts, amount: Option<&Amount>) {
    if let Some(amount) = amount {
        fixed(ui, theme.text(Role::Value, format::money(texts.locale(), amount)));
    }
}

fn next_step(ui: &mut Ui, theme: &Theme, texts: &Texts, deal: &Deal) -> Option<HomeCommand> {
    let act = match &deal.next {
        NextStep::Check => texts.get(Msg::S08NextCheck),
        NextStep::Pay => texts.get(Msg::S08NextPay),
        NextStep::Sign => texts.get(Msg::S08NextSign),
        NextStep::Wait { party } => {
            label(ui, theme.coloured(Role::Body, texts.get(Msg::S08NextWait { party }), theme.text2));
            return None;
        }
    };
    let name = texts.get(Msg::S08ActName { act: &act, deal: &deal.title });
    let wide = ui.available_width().min(180.0);
    Button::primary(&act).name(&name).wide(wide).show(ui, theme).then_some(HomeCommand::Act(deal.key))
}

fn deadline(ui: &mut Ui, theme: &Theme, texts: &Texts, deadline: Option<&Deadline>) {
    /// Below a day the time left is shown, above it the date.
    const DAY: u64 = 86_400;
    let Some(deadline) = deadline else { return };
    let (icon, colour, text) = match deadline.left {
        None => (icons::WARNING, theme.danger, texts.get(Msg::S08Overdue)),
        Some(left) if left < DAY => {
            let colour = if left < 300 { theme.warn } else { theme.text2 };
            (icons::CLOCK, colour, format::countdown(left))
        }
        Some(_) => {
            let date = format::day(texts.locale(), &deadline.at);
            (icons::CLOCK, theme.text3, texts.get(Msg::S08By { date: &date }))
        }
    };
    ui.spacing_mut().item_spacing.x = space::XS;
    decoration(ui, theme.icon(icon, 18.0, colour));
    let spoken = match deadline.left {
        Some(left) if left < DAY => texts.get(Msg::S08Left { time: &text }),
        _ => text.clone(),
    };
    let shown = fixed(ui, theme.text(Role::Body, text));
    ui.ctx().accesskit_node_builder(shown.id, |node| node.set_value(spoken));
}

fn open(ui: &mut Ui, theme: &Theme, texts: &Texts, deal: &Deal) -> Option<HomeCommand> {
    let name = texts.get(Msg::S08Open { deal: &deal.title });
    let button = Button::link("").icon(icons::CARET_RIGHT).name(&name);
    button.show(ui, theme).then_some(HomeCommand::OpenDeal(deal.key))
}

fn known(ui: &mut Ui, theme: &Theme, texts: &Texts, deal: &Deal) {
    let Some(anonymity) = &deal.anonymity else { return };
    let (icon, colour) = anonymity.sign(theme);
    ui.spacing_mut().item_spacing.x = space::XS;
    let text = theme.coloured(Role::Label, anonymity.text(texts), theme.text2);
    if ui.layout().prefer_right_to_left() {
        line(ui, text);
        decoration(ui, theme.icon(icon, 16.0, colour));
    } else {
        decoration(ui, theme.icon(icon, 16.0, colour));
        line(ui, text);
    }
}

fn money(ui: &mut Ui, theme: &Theme, texts: &Texts, data: &Home) -> Option<HomeCommand> {
    heading(ui, theme.text(Role::Section, texts.get(Msg::S08Money)));
    if data.purses.is_empty() {
        label(ui, theme.coloured(Role::Body, texts.get(Msg::S08MoneyNone), theme.text2));
        return None;
    }
    let mut command = None;
    ui.horizontal_wrapped(|ui| {
        for purse in &data.purses {
            if purse_card(ui, theme, texts, purse, data.can_open_purse) {
                command = Some(HomeCommand::OpenPurse(purse.key));
            }
        }
    });
    command
}

/// Draws a purse; tells whether it was used.
fn purse_card(ui: &mut Ui, theme: &Theme, texts: &Texts, purse: &PurseLine, opens: bool) -> bool {
    let width = 264.0_f32.min(ui.available_width());
    let sense = if opens { Sense::click() } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(vec2(width, 64.0), sense);
    let ready = texts.get(Msg::S08Ready);
    let balance = purse.balance.as_ref().map_or(ready, |balance| format::money(texts.locale(), balance));
    let name = texts.get(Msg::S08Purse { purse: &purse.name, balance: &balance });
    let role = if opens { A11yRole::Button } else { A11yRole::Label };
    response.widget_info(|| WidgetInfo::labeled(role, true, &name));
    let ground = if opens && response.hovered() { theme.bg3 } else { theme.bg2 };
    let radius = CornerRadius::same(size::RADIUS);
    let edge = if opens { theme.edge } else { theme.line };
    ui.painter().rect(rect, radius, ground, Stroke::new(1.0, edge), StrokeKind::Inside);
    let inside = rect.shrink2(vec2(space::M, space::S));
    let icon = if purse.balance.is_some() { icons::COINS } else { icons::WALLET };
    let centre = pos2(inside.left() + 12.0, inside.center().y);
    ui.painter().text(centre, Align2::CENTER_CENTER, icon.glyph(), icon_font(22.0), theme.text2);
    let painter = ui.painter().with_clip_rect(inside.intersect(ui.clip_rect()));
    let write = |y: f32, role: Role, text: &str, colour: Color32| {
        let at = pos2(inside.left() + 36.0, inside.center().y + y);
        painter.text(at, Align2::LEFT_CENTER, text, role.font(), colour);
    };
    write(-11.0, Role::Value, &purse.name, theme.text1);
    write(11.0, Role::Label, &balance, theme.text2);
    let layout = Layout::right_to_left(Align::Center);
    let mut right = ui.new_child(UiBuilder::new().id_salt(purse.key).max_rect(inside).layout(layout));
    sparkline(&mut right, theme, &purse.history);
    focus_ring(ui, theme, rect, &response);
    activated(&response)
}

fn ended(ui: &mut Ui, theme: &Theme, texts: &Texts, ended: &[EndedDeal]) -> Option<HomeCommand> {
    heading(ui, theme.text(Role::Section, texts.get(Msg::S08Ended)));
    if ended.is_empty() {
        label(ui, theme.coloured(Role::Body, texts.get(Msg::S08EndedNone), theme.text2));
        return None;
    }
    let mut command = None;
    for deal in ended {
        ui.push_id(("ended", deal.key), |ui| command = ended_row(ui, theme, texts, deal).or(command));
    }
    command
}

fn ended_row(ui: &mut Ui, theme: &Theme, texts: &Texts, deal: &EndedDeal) -> Option<HomeCommand> {
    let (icon, colour, how): (Icon, Color32, String) = match &deal.how {
        Ending::Closed => (icons::INFO, theme.text3, texts.get(Msg::S08EndedClosed)),
        Ending::Completed => (icons::CHECK_CIRCLE, theme.ok, texts.get(Msg::S08EndedCompleted)),
        Ending::Declined => (icons::REFUSED, theme.text3, texts.get(Msg::S08EndedDeclined)),
        Ending::Refused { party } => {
            (icons::REFUSED, theme.danger, texts.get(Msg::S08EndedRefused { party }))
        }
        Ending::Broken { party } => (icons::REFUSED, theme.danger, texts.get(Msg::S08EndedBroken { party })),
        Ending::Told { what } => (icons::WARNING, theme.warn, what.clone()),
        Ending::Undone => (icons::WARNING, theme.warn, texts.get(Msg::S08EndedUndone)),
    };
    let mut command = None;
    ui.horizontal(|ui| {
        decoration(ui, theme.icon(icon, 18.0, colour));
        let date = format::day(texts.locale(), &deal.at);
        cell(ui, 64.0, Align::LEFT, |ui| {
            fixed(ui, theme.coloured(Role::Body, date, theme.text3));
        });
        let amount = if ui.available_width() >= 480.0 { 124.0 } else { 0.0 };
        let gaps = 2.0 * ui.spacing().item_spacing.x;
        let title = (ui.available_width() - amount - size::CONTROL - gaps).max(0.0);
        cell(ui, title, Align::LEFT, |ui| {
            line(ui, theme.text(Role::Body, format!("{}: {how}", deal.title)));
        });
        if amount > 0.0 {
            cell(ui, amount, Align::RIGHT, |ui| sum(ui, theme, texts, deal.amount.as_ref()));
        }
        let name = texts.get(Msg::S08Open { deal: &deal.title });
        if Button::link("").icon(icons::CARET_RIGHT).name(&name).show(ui, theme) {
            command = Some(HomeCommand::OpenDeal(deal.key));
        }
    });
    command
}

fn notice(ui: &mut Ui, theme: &Theme, icon: Icon, colour: Color32, text: &str) {
    ui.horizontal_top(|ui| {
        decoration(ui, theme.icon(icon, 20.0, colour));
        label(ui, theme.text(Role::Body, text));
    });
    ui.add_space(space::XS);
}
