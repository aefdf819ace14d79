//! What the window shows, from the door to the places inside, and what becomes of what the user does there.
//!
//! The shell owns everything that is drawn and nothing that can be waited for: orders go out and news come
//! in through the [`Link`]. It draws with egui alone, so it is tested without a window.

mod asking;
mod inside;

use std::time::Duration;

use egui::{Context, Ui, ViewportCommand};
use semper_tinguin::{
    texts::Texts,
    theme::Theme,
    views::door::{self, Door, DoorCommand, DoorState, Help},
    widgets::secret::SecretBuf,
    window::WindowCommand,
};

use crate::{
    bridge::{Link, Order, Stage},
    password::Password,
    profile::DoorPlate,
    wallet::Mode,
};

use asking::Deed;
use inside::Inside;

/// The window's content.
#[derive(Debug)]
pub struct Shell {
    link: Link,
    theme: Theme,
    texts: Texts,
    plate: DoorPlate,
    secret: SecretBuf,
    help: Option<Help>,
    deriving_since: Option<Duration>,
    inside: Option<Inside>,
    /// Inside: when the user last did something, in the window's time, and after how long without that it locks.
    used: Duration,
    lock_after: Duration,
    /// The last opening that the user locked. What still comes of it is for nobody.
    locked: u64,
    /// The view that was drawn last, and the one that was announced last.
    drawn: &'static str,
    announced: &'static str,
    /// How many sales were drawn as open, and how many of them as asking something; and what was announced.
    sales: (usize, u32),
    told: (usize, u32),
    /// How many questions were drawn as waiting, and announced.
    questions: usize,
    counted: usize,
}

/// The smallest and the largest zoom in per cent, and its step.
pub(crate) const ZOOM: (u8, u8, u8) = (80, 200, 10);
/// How often the door is drawn while the key is being derived.
const TICK: Duration = Duration::from_millis(100);

impl Shell {
    /// The content of a window that stands at the door.
    pub fn new(link: Link, plate: DoorPlate, theme: Theme, texts: Texts) -> Self {
        let secret = SecretBuf::new();
        let (help, deriving_since, inside) = (None, None, None);
        let (locked, drawn, announced, none) = (0, "", "", (0, 0));
        Self {
            link,
            theme,
            texts,
            plate,
            secret,
            help,
            deriving_since,
            inside,
            used: Duration::ZERO,
            lock_after: Duration::MAX,
            locked,
            drawn,
            announced,
            sales: none,
            told: none,
            questions: 0,
            counted: 0,
        }
    }

    /// Takes in what came from the other side. Called before each drawing, and while the window is hidden.
    pub fn logic(&mut self, ctx: &Context) {
        let stage = self.link.stage.borrow_and_update().clone();
        match stage {
            Stage::Door(_) | Stage::First(_) => self.leave(ctx),
            Stage::Open { opening, emblem, read_only, lock_after, clock_back } => {
                if opening > self.locked
                    && self.inside.as_ref().is_none_or(|inside| inside.opening() != opening)
                {
                    self.inside = Some(Inside::new(ctx, opening, emblem, &self.plate, read_only, clock_back));
                    self.used = time(ctx);
                    self.lock_after = Duration::from_millis(lock_after.as_millis());
                    self.link.desk.mark_changed();
                    self.secret.clear();
                }
            }
        }
        if let Some(inside) = &mut self.inside
            && self.link.desk.has_changed().unwrap_or_default()
        {
            let desk = self.link.desk.borrow_and_update().clone();
            inside.lay(desk, &self.texts);
        }
        while let Ok(news) = self.link.news.try_recv() {
            if let Some(inside) = &mut self.inside {
                inside.hear(news, &self.texts);
            }
        }
        self.lock_unused(ctx);
    }

    /// Locks when nobody has done anything for as long as the owner prefers.
    fn lock_unused(&mut self, ctx: &Context) {
        if self.inside.is_none() {
            return;
        }
        let now = time(ctx);
        if ctx.input(|input| !input.events.is_empty()) {
            self.used = now;
        }
        match self.lock_after.checked_sub(now.saturating_sub(self.used)) {
            Some(left) if !left.is_zero() => ctx.request_repaint_after(left),
            Some(_) | None => {
                tracing::info!("the window was not used for as long as its owner prefers");
                self.act(ctx, WindowCommand::Lock);
            }
        }
    }

    /// Draws, and acts on what the user did.
    pub fn ui(&mut self, ui: &mut Ui) {
        self.announce();
        let drawing = self.current();
        let (asked, deed) = match &mut self.inside {
            Some(inside) => inside.ui(ui, &self.theme, &self.texts),
            None => {
                self.door(ui);
                (semper_tinguin::window::shortcut(ui), None)
            }
        };
        match deed {
            Some(Deed::Lock) => self.act(ui.ctx(), WindowCommand::Lock),
            Some(Deed::Order(order)) => {
                if !self.order(order)
                    && let Some(inside) = &mut self.inside
                {
                    inside.unsent();
                }
            }
            None => {}
        }
        if let Some(command) = asked {
            self.act(ui.ctx(), command);
        }
        self.drawn = drawing;
        self.sales = self.inside.as_ref().map_or((0, 0), Inside::sales);
        self.questions = self.inside.as_ref().map_or(0, Inside::questions);
        let counted = self.questions == self.counted;
        if !counted || self.drawn != self.announced || self.drawn != self.current() || self.sales != self.told
        {
            ui.ctx().request_repaint();
        }
    }

    fn door(&mut self, ui: &mut Ui) {
        let state = self.at_door();
        if door_view(&state) != self.drawn {
            // In another state other elements stand around the field.
            door::come_back(ui.ctx());
        }
        let state = self.timed(ui, state);
        let door = Door {
            words: self.plate.words(),
            hue: self.plate.hue(),
            state,
            link_waits: false,
            clock_off: None,
            help: self.help,
        };
        match door::ui(ui, &self.theme, &self.texts, &door, &mut self.secret) {
            Some(DoorCommand::Unlock) => self.unlock(Mode::Whole),
            Some(DoorCommand::OpenReadOnly) => self.unlock(Mode::ReadOnly),
            Some(DoorCommand::Help(help)) => self.help = help,
            Some(DoorCommand::About) => {
                self.help = (self.help != Some(Help::About)).then_some(Help::About);
            }
            None => {}
        }
    }

    /// What the door shows. It is ready as soon as the user has locked: a password typed then waits until
    /// the archive is closed.
    fn at_door(&self) -> DoorState {
        match &*self.link.stage.borrow() {
            Stage::Door(state) => state.clone(),
            Stage::First(_) | Stage::Open { .. } => DoorState::Ready,
        }
    }

    /// Puts in for how long the key is being derived already.
    fn timed(&mut self, ui: &Ui, state: DoorState) -> DoorState {
        if !matches!(state, DoorState::Deriving { .. }) {
            self.deriving_since = None;
            return state;
        }
        let now = time(ui.ctx());
        let since = *self.deriving_since.get_or_insert(now);
        ui.ctx().request_repaint_after(TICK);
        let elapsed = u64::try_from(now.saturating_sub(since).as_millis()).unwrap_or(u64::MAX);
        DoorState::Deriving { elapsed }
    }

    /// Sends the password away and forgets it here.
    fn unlock(&mut self, mode: Mode) {
        if let Ok(password) = Password::new(self.secret.expose()) {
            self.order(Order::Unlock { password, mode });
        }
        self.secret.clear();
    }

    fn act(&mut self, ctx: &Context, command: WindowCommand) {
        match command {
            WindowCommand::Quit => ctx.send_viewport_cmd(ViewportCommand::Close),
            WindowCommand::ZoomIn => zoom(ctx, |now| now.saturating_add(ZOOM.2)),
            WindowCommand::ZoomOut => zoom(ctx, |now| now.saturating_sub(ZOOM.2)),
            WindowCommand::ZoomReset => zoom(ctx, |_| 100),
            WindowCommand::Lock => {
                // What was shown goes at once, whatever the other side still has to do.
                if let Some(inside) = &self.inside {
                    self.locked = inside.opening();
                    self.leave(ctx);
                    self.order(Order::Lock);
                }
            }
            inner => {
                if let Some(inside) = &mut self.inside {
                    inside.act(inner);
                }
            }
        }
    }

    /// Drops what was shown inside, and stands at the door.
    fn leave(&mut self, ctx: &Context) {
        if self.inside.take().is_some() {
            self.help = None;
            door::come_back(ctx);
        }
    }

    /// Whether the order went out. It is dropped when sixteen others wait: the other side then works on something
    /// slow, and the user sees so.
    fn order(&self, order: Order) -> bool {
        let sent = self.link.orders.try_send(order).is_ok();
        if !sent {
            tracing::warn!("the wallet is busy; an order was dropped");
        }
        sent
    }

    /// One line for operators and tests whenever another view stands in the window, or another number of sales.
    /// It is written with the next drawing, when the one before is on the screen.
    fn announce(&mut self) {
        if self.sales != self.told {
            self.told = self.sales;
            let (open, asking) = self.told;
            tracing::info!(open, asking, "the window shows other sales");
        }
        if self.questions != self.counted {
            self.counted = self.questions;
            tracing::info!(waiting = self.counted, "other questions wait");
        }
        if self.drawn != self.announced {
            self.announced = self.drawn;
            tracing::info!(view = self.announced, "the window shows another view");
        }
    }

    fn current(&self) -> &'static str {
        match &self.inside {
            Some(inside) => inside.view(),
            None => door_view(&self.at_door()),
        }
    }
}

/// The window's time.
fn time(ctx: &Context) -> Duration {
    Duration::try_from_secs_f64(ctx.input(|input| input.time)).unwrap_or_default()
}

fn door_view(state: &DoorState) -> &'static str {
    match state {
        DoorState::Damaged { .. } => "door/damaged",
        DoorState::Deriving { .. } => "door/deriving",
        DoorState::Ready => "door/ready",
        DoorState::SecondInstance => "door/second",
        DoorState::Throttled { .. } => "door/throttled",
        DoorState::Wrong => "door/wrong",
    }
}

#[expect(clippy::float_arithmetic, reason = "a zoom is a factor; money never passes through here")]
pub(crate) fn zoom(ctx: &Context, change: impl FnOnce(u8) -> u8) {
    let next = change(per_cent(ctx)).clamp(ZOOM.0, ZOOM.1);
    ctx.set_zoom_factor(f32::from(next) / 100.0);
}

/// The zoom in per cent.
#[expect(clippy::float_arithmetic, reason = "a zoom is a factor; money never passes through here")]
pub(crate) fn per_cent(ctx: &Context) -> u8 {
    (ctx.zoom_factor() * 100.0).round() as u8
}
