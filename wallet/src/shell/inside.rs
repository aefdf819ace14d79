//! What the window shows once the wallet is open: home and the live log, in the frame with bar and rail.

use std::{collections::VecDeque, time::Duration};

use egui::{Context, Ui};
use semper_host::chance;
use semper_supporting::{
    time::ClockBack,
    tinguin::{Critical, PromptId, SealedPrompt},
};
use semper_tinguin::{
    texts::{Msg, Texts},
    theme::{Role, Theme},
    views::{
        DealKey,
        home::{self, Deadline, Directory, Home, HomeCommand, NextStep},
        log::{self, Log, LogCommand, LogLook},
        waiting::{self, WaitingCommand},
    },
    widgets::{
        bar::{Bar, Slot},
        emblem::Emblem,
        label,
        log_row::Entry,
        seal::{Picture, Seal},
        state::{ViewState, state_view},
    },
    window::{Place, Status, Window, WindowCommand, shortcut, window},
};

use super::asking::{Asking, Deed};
use crate::{bridge::News, deals::Book, desk::Desk, follow::KEPT, lines::civil, profile::DoorPlate};

const SECOND: Duration = Duration::from_secs(1);

/// The inside of the window during one opening of the wallet. Dropped when it is locked.
#[derive(Debug)]
pub(super) struct Inside {
    opening: u64,
    frame: Window,
    read_only: bool,
    book: Book,
    home: Home,
    query: String,
    entries: VecDeque<Entry>,
    titles: Vec<(DealKey, String)>,
    look: LogLook,
    /// While paused: the number of the last line shown.
    paused: Option<u64>,
    fresh: bool,
    desk: Desk,
    asking: Asking,
}

impl Inside {
    pub(super) fn new(
        ctx: &Context,
        opening: u64,
        emblem: Emblem,
        plate: &DoorPlate,
        read_only: bool,
        clock_back: Option<ClockBack>,
    ) -> Self {
        let picture = Picture::emblem(emblem).load(ctx);
        let seal = Seal { words: plate.words(), picture, hue: plate.hue() };
        let bar = Bar { slot: Slot::Open(seal), anonymity: None, play_money: false, line: None };
        let frame = Window {
            bar,
            place: Place::Home,
            waiting: 0,
            status: None,
            clock_off: None,
            clock_back: clock_back.map(|back| back.by.in_words()),
            menu_open: false,
        };
        let home = Home {
            state: ViewState::Ready,
            resuming: None,
            unshown: 0,
            deals: Vec::new(),
            purses: Vec::new(),
            can_open_purse: false,
            ended: Vec::new(),
            directory: Directory::Absent,
        };
        Self {
            opening,
            frame,
            read_only,
            book: Book::default(),
            home,
            query: String::new(),
            entries: VecDeque::new(),
            titles: Vec::new(),
            look: LogLook::default(),
            paused: None,
            fresh: false,
            desk: Desk::default(),
            asking: Asking::default(),
        }
    }

    pub(super) fn opening(&self) -> u64 {
        self.opening
    }

    /// The name of the view, for the program's own log.
    pub(super) fn view(&self) -> &'static str {
        if let Some(view) = self.asking.view() {
            return view;
        }
        match self.frame.place {
            Place::Waiting => "waiting",
            Place::Home => "home",
            Place::Purses => "purses",
            Place::Archive => "archive",
            Place::Contacts => "contacts",
            Place::Terms => "terms",
            Place::Statements => "statements",
            Place::Log => "log",
            Place::Settings => "settings",
        }
    }

    /// How many sales are open, and how many of them ask something.
    pub(super) fn sales(&self) -> (usize, u32) {
        (self.book.sales(), self.book.questions())
    }

    /// How many questions wait.
    pub(super) fn questions(&self) -> usize {
        self.desk.prompts.len()
    }

    /// Takes what waits for the person, unless it is of another opening.
    pub(super) fn lay(&mut self, desk: Desk, texts: &Texts) {
        if desk.opening != self.opening {
            return;
        }
        self.asking.follow(&desk, texts);
        self.desk = desk;
        self.fresh = true;
    }

    /// An order of the open question did not go out.
    pub(super) fn unsent(&mut self) {
        self.asking.unsent();
    }

    /// Takes lines of the journal, unless they are of another opening.
    pub(super) fn hear(&mut self, news: News, texts: &Texts) {
        if news.opening != self.opening {
            return;
        }
        if let Some(ledger) = news.ledger {
            self.book.learn(ledger);
        }
        for seen in &news.lines {
            self.book.observe(seen);
            self.entries.push_back(seen.entry(texts, &mut self.book));
        }
        while self.entries.len() > KEPT {
            self.entries.pop_front();
        }
        if let Some(last) = self.entries.back() {
            self.frame.status = Some(Status { at: last.at.clone(), text: last.message.clone() });
        }
        self.fresh = true;
    }

    /// Brings what is derived from the lines and the ledger up to date, at most once for each drawing. Where
    /// time that is left is shown, it is drawn again each second.
    fn refresh(&mut self, ctx: &Context, texts: &Texts) {
        let counts = match self.frame.place {
            Place::Home => self.home.deals.iter().any(|deal| deal.deadline.is_some()),
            Place::Waiting => !self.desk.prompts.is_empty(),
            _ => false,
        };
        let fresh = std::mem::take(&mut self.fresh);
        if counts {
            ctx.request_repaint_after(SECOND);
        }
        if fresh || counts {
            self.home.deals = self.book.open(texts, chance::now());
            self.mark_asked();
        }
        if fresh {
            self.home.ended = self.book.ended(texts);
            self.home.purses = self.book.purses();
            // A wallet that is open for reading only asks nothing.
            self.home.unshown = if self.read_only { self.book.questions() } else { 0 };
            let waiting = u32::try_from(self.desk.prompts.len()).unwrap_or(u32::MAX);
            self.frame.waiting = waiting.max(self.home.unshown);
            self.frame.bar.play_money = self.book.plays();
            self.titles = self.book.titles(texts);
            self.entries.make_contiguous();
        }
    }

    /// Has each deal that asks something say what, and until when.
    fn mark_asked(&mut self) {
        let now = chance::now();
        for prompt in &self.desk.prompts {
            let Some(key) = prompt.deal().map(|deal| self.book.key(deal)) else { continue };
            let Some(deal) = self.home.deals.iter_mut().find(|deal| deal.key == key) else { continue };
            deal.next = match prompt.family() {
                Critical::Exchange | Critical::Pay => NextStep::Pay,
                _ => NextStep::Sign,
            };
            let left = prompt.expires().since(now).as_millis() / 1000;
            deal.deadline = Some(Deadline { at: civil(prompt.expires()), left: Some(left) });
        }
    }

    /// The question that a deal asks, if it does.
    fn asked_of(&mut self, deal: DealKey) -> Option<SealedPrompt> {
        let book = &mut self.book;
        let of_deal = |prompt: &&SealedPrompt| prompt.deal().is_some_and(|name| book.key(name) == deal);
        self.desk.prompts.iter().find(of_deal).cloned()
    }

    /// Opens a question that waits, because the person chose it.
    fn open(&mut self, id: PromptId) -> Option<Deed> {
        let prompt = self.desk.prompts.iter().find(|prompt| prompt.id() == id)?;
        Some(self.asking.open(prompt, &self.desk))
    }

    /// The open question over the whole window.
    fn prompt(&mut self, ui: &mut Ui, theme: &Theme, texts: &Texts) -> Option<Deed> {
        let bar = self.frame.bar.clone();
        let key = self.asking.deal().map(|deal| self.book.key(deal));
        let deal = self.home.deals.iter().find(|deal| Some(deal.key) == key);
        let deal = deal.map(|deal| (deal.title.as_str(), &deal.steps));
        self.asking.ui(ui, theme, texts, (&bar, &self.desk), deal)
    }

    pub(super) fn ui(
        &mut self,
        ui: &mut Ui,
        theme: &Theme,
        texts: &Texts,
    ) -> (Option<WindowCommand>, Option<Deed>) {
        self.refresh(ui.ctx(), texts);
        if self.asking.fills() {
            let deed = self.prompt(ui, theme, texts);
            // Of all shortcuts only zoom and lock are left.
            let kept = |command: &WindowCommand| {
                matches!(
                    command,
                    WindowCommand::Lock
                        | WindowCommand::ZoomIn
                        | WindowCommand::ZoomOut
                        | WindowCommand::ZoomReset
                )
            };
            return (shortcut(ui).filter(kept), deed);
        }
        let frame = self.frame.clone();
        let mut deed = None;
        let (command, _) = window(ui, theme, texts, &frame, |ui| {
            if self.read_only {
                label(ui, theme.coloured(Role::Value, texts.get(Msg::ReadOnly), theme.warn));
            }
            match self.frame.place {
                Place::Home => deed = self.home(ui, theme, texts),
                Place::Log => self.log(ui, theme, texts),
                Place::Waiting if self.home.unshown > 0 => {
                    let text = texts.get(Msg::S08Unshown { n: self.home.unshown });
                    state_view(ui, theme, texts, &ViewState::Empty(text));
                }
                Place::Waiting => {
                    let asked = waiting::ui(ui, theme, texts, &self.desk.prompts, chance::now());
                    deed = asked.and_then(|WaitingCommand::Open(id)| self.open(id));
                }
                _ => {
                    state_view(ui, theme, texts, &ViewState::Empty(texts.get(Msg::PlaceNone)));
                }
            }
        });
        (command, deed)
    }

    fn home(&mut self, ui: &mut Ui, theme: &Theme, texts: &Texts) -> Option<Deed> {
        match home::ui(ui, theme, texts, &self.home, &mut self.query) {
            // Where a deal is shown by its lines, that is what there is to be seen of it.
            Some(HomeCommand::Act(deal)) => {
                let asked = self.asked_of(deal).map(|prompt| prompt.id());
                return asked.and_then(|id| self.open(id));
            }
            Some(HomeCommand::OpenDeal(deal)) => {
                self.look = LogLook { deal: Some(deal), ..LogLook::default() };
                self.frame.place = Place::Log;
            }
            // Nothing of this is offered: there is no directory, nothing is waited for, and no purse opens.
            Some(
                HomeCommand::Cancel
                | HomeCommand::CloseDirectory
                | HomeCommand::OpenDirectory
                | HomeCommand::OpenPurse(_)
                | HomeCommand::OpenShop(_)
                | HomeCommand::Search,
            )
            | None => {}
        }
        None
    }

    fn log(&mut self, ui: &mut Ui, theme: &Theme, texts: &Texts) {
        let (entries, _) = self.entries.as_slices();
        let shown = match self.paused {
            None => entries.len(),
            Some(last) => entries.partition_point(|entry| entry.number <= last),
        };
        let since = u32::try_from(entries.len().saturating_sub(shown)).unwrap_or(u32::MAX);
        let data = Log {
            entries: entries.get(..shown).unwrap_or_default(),
            paused: self.paused.map(|_| since),
            deals: &self.titles,
            can_export: false,
        };
        match log::ui(ui, theme, texts, data, &mut self.look) {
            Some(LogCommand::Pause) => {
                self.paused = Some(self.entries.back().map_or(0, |last| last.number));
            }
            Some(LogCommand::Follow) => self.paused = None,
            // The lines of a deal are what there is to be seen of it.
            Some(LogCommand::ShowInDeal(number)) => {
                let deal = self.entries.iter().find(|entry| entry.number == number);
                let deal = deal.and_then(|entry| entry.deal);
                self.look = LogLook { deal, open: Some(number), ..LogLook::default() };
            }
            // Exporting is not offered.
            Some(LogCommand::Export) | None => {}
        }
    }

    pub(super) fn act(&mut self, command: WindowCommand) {
        match command {
            WindowCommand::Go(place) => {
                self.frame.place = place;
                self.frame.menu_open = false;
            }
            WindowCommand::Menu(open) => self.frame.menu_open = open,
            // The drawer over other views is not there; the log itself is.
            WindowCommand::LogDrawer => self.frame.place = Place::Log,
            // The frame keeps these keys, and nothing in the window promises anything of them.
            WindowCommand::Discreet
            | WindowCommand::GoTo
            | WindowCommand::Help
            | WindowCommand::Lock
            | WindowCommand::Quit
            | WindowCommand::Search
            | WindowCommand::ZoomIn
            | WindowCommand::ZoomOut
            | WindowCommand::ZoomReset => {}
        }
    }
}
