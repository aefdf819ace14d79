//! The steps before there is a wallet: welcome, seal, secrets, randomness. What was typed is in here only.

use std::time::Duration;

use egui::Ui;
use semper_host::chance;
use semper_supporting::{
    certificate::words,
    comm::address::Surroundings,
    crypto::digest::Digest,
    registration::seed::{Collector, EVENTS, Event, UserPart},
    tinguin::pin::is_strong,
};
use semper_tinguin::{
    format::Locale,
    texts::Texts,
    theme::{FrameHue, Theme},
    views::first::{
        hold::Face,
        randomness::{self, Making, PadEvent, Randomness, RandomnessCommand},
        seal::{self, SealChoice, SealCommand, SealForm},
        secrets::{self, PinForm, Secrets, SecretsCommand, SecretsForm, Strength},
        welcome::{self, Welcome, WelcomeCommand},
    },
    widgets::{emblem::Emblem, seal::Picture},
};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::{Creation, FirstOrder, FirstStage};
use crate::{
    password::Password,
    pin::Pin,
    profile::{Choice, DoorPlate, DoorWords},
};

/// How long nothing is typed before it is asked how hard the password is to guess.
const PAUSE: Duration = Duration::from_millis(250);
/// How many keys are looked at before they are called regular.
const JUDGED: usize = 24;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    Welcome,
    Seal,
    Secrets,
    Randomness,
}

/// The steps, as far as the user is.
pub(super) struct Steps {
    step: Step,
    welcome: Welcome,
    surroundings: Surroundings,
    /// Whether the operating system gives random bytes.
    is_random: bool,
    seed: [u8; 32],
    face: Option<Face>,
    tried: bool,
    seal: SealForm,
    secrets: SecretsForm,
    weighing: Weighing,
    collector: Collector,
    /// Keys on the pad, how many of them counted, and whether the last thing was a paste.
    keys: (usize, usize),
    pasted: bool,
    making: Making,
}

/// What is known of the password.
#[derive(Default)]
struct Weighing {
    text: Zeroizing<String>,
    words: Option<DoorWords>,
    since: Duration,
    asked: bool,
    answer: Option<oneshot::Receiver<Strength>>,
    strength: Option<Strength>,
}

impl Steps {
    pub(super) fn new(welcome: Welcome) -> Self {
        let mut steps = Self {
            step: Step::Welcome,
            welcome,
            surroundings: Surroundings::Public,
            is_random: true,
            seed: [0; 32],
            face: None,
            tried: false,
            seal: SealForm::default(),
            secrets: SecretsForm::default(),
            weighing: Weighing::default(),
            collector: Collector::new(),
            keys: (0, 0),
            pasted: false,
            making: Making::Gathering,
        };
        steps.redraw();
        steps.other_words();
        steps
    }

    /// What stands at the door of the wallet that is made.
    pub(super) fn plate(&self) -> Option<DoorPlate> {
        Some(DoorPlate { words: self.words()?, hue: self.seal.hue })
    }

    pub(super) fn hear(&mut self, stage: &FirstStage) {
        match stage {
            FirstStage::Failed(reason) if matches!(self.making, Making::Now { .. }) => {
                self.making = Making::Failed { reason: reason.clone() };
            }
            // The order that began it is shown at once.
            _ => {}
        }
    }

    /// Draws the present step; gives its name, and what is to be done.
    pub(super) fn ui(
        &mut self,
        ui: &mut Ui,
        theme: &Theme,
        texts: &Texts,
    ) -> (&'static str, Option<FirstOrder>) {
        match self.step {
            Step::Welcome => {
                if let Some(command) = welcome::ui(ui, theme, texts, &self.welcome) {
                    self.begin(command);
                }
                ("first/welcome", None)
            }
            Step::Seal => {
                self.seal(ui, theme, texts);
                (if self.tried { "first/seal/tried" } else { "first/seal" }, None)
            }
            Step::Secrets => {
                let order = self.secrets(ui, theme, texts);
                let view = match self.weighing.strength {
                    None => "first/secrets",
                    Some(Strength::Weak(_)) => "first/secrets/weak",
                    Some(Strength::Enough { .. }) => "first/secrets/good",
                };
                (view, order)
            }
            Step::Randomness => self.randomness(ui, theme, texts),
        }
    }

    fn begin(&mut self, command: WelcomeCommand) {
        match command {
            WelcomeCommand::New => self.surroundings = Surroundings::Public,
            WelcomeCommand::Demo => self.surroundings = Surroundings::Demo,
            // Neither is offered: there is one language, and no recovery sheet.
            WelcomeCommand::Language(_) | WelcomeCommand::Restore => return,
        }
        self.step = Step::Seal;
    }

    fn seal(&mut self, ui: &mut Ui, theme: &Theme, texts: &Texts) {
        let seed = self.seed;
        let picture =
            self.face.get_or_insert_with(|| Face(Picture::emblem(Emblem::from_seed(seed)).load(ui.ctx())));
        let picture = picture.clone();
        let data = SealChoice { picture, words_fit: self.words().is_some(), tried: self.tried };
        match seal::ui(ui, theme, texts, &data, &mut self.seal) {
            Some(SealCommand::Back) => self.step = Step::Welcome,
            Some(SealCommand::Continue) => self.step = Step::Secrets,
            Some(SealCommand::Redraw) => self.redraw(),
            Some(SealCommand::OtherWords) => self.other_words(),
            Some(SealCommand::Tried) => self.tried = true,
            None => {}
        }
    }

    fn secrets(&mut self, ui: &mut Ui, theme: &Theme, texts: &Texts) -> Option<FirstOrder> {
        let order = self.weigh(ui);
        let pin = self.secrets.pin.expose().as_bytes();
        let pin = match (is_strong(pin), (6..=12).contains(&pin.len()) && pin.iter().all(u8::is_ascii_digit))
        {
            (true, _) => PinForm::Good,
            (false, true) => PinForm::Easy,
            (false, false) => PinForm::NotYet,
        };
        let data = Secrets { hue: FrameHue::new(self.seal.hue), strength: self.weighing.strength, pin };
        match secrets::ui(ui, theme, texts, &data, &mut self.secrets) {
            Some(SecretsCommand::Back) => self.step = Step::Seal,
            Some(SecretsCommand::Continue) => self.step = Step::Randomness,
            None => {}
        }
        order
    }

    /// Has the password weighed when nothing was typed for a moment.
    fn weigh(&mut self, ui: &Ui) -> Option<FirstOrder> {
        let now = Duration::try_from_secs_f64(ui.input(|input| input.time)).unwrap_or_default();
        let words = self.words();
        let weighing = &mut self.weighing;
        if *weighing.text != self.secrets.password.expose() || weighing.words != words {
            weighing.text = Zeroizing::new(self.secrets.password.expose().to_owned());
            weighing.words = words.clone();
            (weighing.since, weighing.asked, weighing.answer, weighing.strength) = (now, false, None, None);
        }
        if let Some(answer) = &mut weighing.answer
            && let Ok(strength) = answer.try_recv()
        {
            (weighing.strength, weighing.answer) = (Some(strength), None);
        }
        if weighing.asked || weighing.text.is_empty() {
            return None;
        }
        let waited = now.saturating_sub(weighing.since);
        if waited < PAUSE {
            ui.ctx().request_repaint_after(PAUSE.saturating_sub(waited));
            return None;
        }
        weighing.asked = true;
        let (password, words) = (Password::new(&weighing.text).ok()?, words?);
        let (tell, answer) = oneshot::channel();
        weighing.answer = Some(answer);
        Some(FirstOrder::Weigh { password, words, tell })
    }

    fn randomness(
        &mut self,
        ui: &mut Ui,
        theme: &Theme,
        texts: &Texts,
    ) -> (&'static str, Option<FirstOrder>) {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (keys, counted) = self.keys;
        let making = if self.is_random { self.making.clone() } else { Making::NoSystem };
        let data = Randomness {
            hue: FrameHue::new(self.seal.hue),
            counted: count(self.collector.counted()),
            total: count(EVENTS),
            is_regular: self.pasted || keys >= JUDGED && counted.saturating_mul(2) < keys,
            making,
        };
        let mut events = Vec::new();
        let command = randomness::ui(ui, theme, texts, &data, &mut events);
        if !events.is_empty() {
            self.collect(&events);
            ui.ctx().request_repaint();
        }
        let order = match command {
            Some(RandomnessCommand::Back) => {
                self.step = Step::Secrets;
                None
            }
            Some(RandomnessCommand::Continue) => {
                self.collector.finish().ok().and_then(|part| self.create(Some(part)))
            }
            Some(RandomnessCommand::Skip) => self.create(None),
            None => None,
        };
        let view = match self.making {
            Making::Now { .. } => "first/making",
            Making::Failed { .. } => "first/failed",
            _ if self.collector.counted() >= EVENTS => "first/randomness/enough",
            _ if data.is_regular => "first/randomness/regular",
            _ => "first/randomness",
        };
        (view, order)
    }

    fn collect(&mut self, events: &[PadEvent]) {
        for event in events {
            let before = self.collector.counted();
            let event = match *event {
                PadEvent::Pasted => {
                    self.pasted = true;
                    continue;
                }
                PadEvent::Pointer(x, y) => Event::Pointer { x, y },
                PadEvent::Key(key) => Event::Key(key),
            };
            let after = self.collector.take(event, chance::nanoseconds());
            if matches!(event, Event::Key(_)) {
                self.keys.0 = self.keys.0.saturating_add(1);
                self.keys.1 = self.keys.1.saturating_add(after.saturating_sub(before));
            }
            self.pasted &= after == before;
        }
    }

    fn create(&mut self, part: Option<UserPart>) -> Option<FirstOrder> {
        let plate = self.plate()?;
        let password = Password::new(self.secrets.password.expose()).ok()?;
        let pin = Pin::new(self.secrets.pin.expose().as_bytes());
        let choice = Choice { pin, emblem: self.seed, surroundings: self.surroundings };
        self.making = Making::Now { skipped: part.is_none() };
        Some(FirstOrder::Create(Box::new(Creation { plate, password, choice, part })))
    }

    /// The two words, if they are two different ones that may stand at a door.
    fn words(&self) -> Option<DoorWords> {
        let (first, second) = (self.seal.first.trim(), self.seal.second.trim());
        let words = DoorWords::parse(&format!("{first} {second}")).ok()?;
        (words.first() == first && words.second() == second && first.to_lowercase() != second.to_lowercase())
            .then_some(words)
    }

    fn redraw(&mut self) {
        match chance::random() {
            Ok(seed) => self.seed = seed,
            Err(_) => self.is_random = false,
        }
        (self.face, self.tried) = (None, false);
        if self.seal.first.is_empty() {
            self.seal.hue = self.seed.last().copied().unwrap_or_default() % FrameHue::COUNT;
        }
    }

    fn other_words(&mut self) {
        // Two draws may be the same word; sixteen times in a row they are not.
        for _ in 0..16 {
            let Ok([first, second]) = chance::random() else {
                self.is_random = false;
                return;
            };
            (self.seal.first, self.seal.second) = (noun(first).to_owned(), noun(second).to_owned());
            if first != second {
                return;
            }
        }
    }
}

/// One of 256 nouns.
fn noun(number: u8) -> &'static str {
    let [noun, ..] = words::fingerprint(&Digest::from_bytes([number; 32]));
    noun
}

/// The languages of this build.
pub(crate) fn languages() -> Vec<Locale> {
    Locale::ALL.into_iter().filter(|locale| Texts::load(*locale).is_some()).collect()
}

impl std::fmt::Debug for Steps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Steps").field("step", &self.step).finish_non_exhaustive()
    }
}
