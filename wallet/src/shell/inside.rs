//! What the window shows once the wallet is open: home and the live log, in the frame with bar and rail.

use std::{collections::VecDeque, time::Duration};

use egui::{Context, Ui};
use semper_host::chance;
use semper_supporting::time::ClockBack;
use semper_tinguin::{
    texts::{Msg, Texts},
    theme::{Role, Theme},
    views::{
        DealKey,
        home::{self, Directory, Home, HomeCommand},
        log::{self, Log, LogCommand, LogLook},
    },
    widgets::{
        bar::{Bar, Slot},
        emblem::Emblem,
        label,
        log_row::Entry,
        seal::{Picture, Seal},
        state::{ViewState, state_view},
    },
    window::{Place, Status, Window, WindowCommand, window},
};

use crate::{bridge::News, deals::Book, follow::KEPT, profile::DoorPlate};

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
        }
    }

    pub(super) fn opening(&self) -> u64 {
        self.opening
    }

    /// The name of the view, for the program's own log.
    pub(super) fn view(&self) -> &'static str {
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
        let counts =
            self.frame.place == Place::Home && self.home.deals.iter().any(|deal| deal.deadline.is_some());
        let fresh = std::mem::take(&mut self.fresh);
        if counts {
            ctx.request_repaint_after(SECOND);
        }
        if fresh || counts {
            self.home.deals = self.book.open(texts, chance::now());
        }
        if fresh {
            self.home.ended = self.book.ended(texts);
            self.home.purses = self.book.purses();
            self.home.unshown = self.book.questions();
            self.frame.waiting = self.home.unshown;
            self.frame.bar.play_money = self.book.plays();
            self.titles = self.book.titles(texts);
            self.entries.make_contiguous();
        }
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, theme: &Theme, texts: &Texts) -> Option<WindowCommand> {
        self.refresh(ui.ctx(), texts);
        let frame = self.frame.clone();
        let (command, _) = window(ui, theme, texts, &frame, |ui| {
            if self.read_only {
                label(ui, theme.coloured(Role::Value, texts.get(Msg::ReadOnly), theme.warn));
            }
            match self.frame.place {
                Place::Home => self.home(ui, theme, texts),
                Place::Log => self.log(ui, theme, texts),
                Place::Waiting if self.home.unshown > 0 => {
                    let text = texts.get(Msg::S08Unshown { n: self.home.unshown });
                    state_view(ui, theme, texts, &ViewState::Empty(text));
                }
                Place::Waiting => {
                    state_view(ui, theme, texts, &ViewState::Empty(texts.get(Msg::TrayNone)));
                }
                _ => {
                    state_view(ui, theme, texts, &ViewState::Empty(texts.get(Msg::PlaceNone)));
                }
            }
        });
        command
    }

    fn home(&mut self, ui: &mut Ui, theme: &Theme, texts: &Texts) {
        match home::ui(ui, theme, texts, &self.home, &mut self.query) {
            // Where a deal is shown by its lines, that is what there is to be seen of it.
            Some(HomeCommand::OpenDeal(deal) | HomeCommand::Act(deal)) => {
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
