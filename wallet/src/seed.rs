//! The owner's part in the keys of a new wallet: typed at the terminal, and never shown.
//!
//! The generator of the operating system is enough by itself, if it is as good as it should be. What the owner types,
//! and when, can only add to it.

use std::{
    io::{self, IsTerminal as _, Write as _},
    os::fd::AsFd as _,
    path::Path,
};

use rustix::termios::{self, LocalModes, OptionalActions, SpecialCodeIndex, Termios};
use semper_host::chance;
use semper_supporting::registration::seed::{Collector, EVENTS, Event, SeedFault, UserPart};
use semper_tinguin::texts::{Msg, Texts};
use zeroize::Zeroizing;

use crate::fault::WalletFault;

/// What the owner has put into the seed of the first start.
pub enum Contribution {
    /// What was typed.
    Typed(UserPart),
    /// Nothing: the owner left it out.
    LeftOut,
    /// Nothing: there is no terminal at which anybody could type.
    Unattended,
}

/// Ctrl-D, which leaves the part out.
const END: char = '\u{4}';

impl Contribution {
    /// Asks for it at the terminal, if there is one.
    ///
    /// # Errors
    /// [`WalletFault::System`] if the terminal does not do what it is asked.
    pub fn ask(texts: &Texts) -> Result<Self, WalletFault> {
        if !io::stdin().is_terminal() {
            return Ok(Self::Unattended);
        }
        let typing = || -> io::Result<Self> {
            let before = silence()?;
            let outcome = listen(texts);
            // What was typed too much is thrown away, so that no shell takes it for a command.
            termios::tcsetattr(io::stdin(), OptionalActions::Flush, &before)?;
            writeln!(io::stderr())?;
            outcome
        };
        typing().map_err(|error| WalletFault::system(Path::new("stdin"), error))
    }

    /// The part, if there is one.
    pub const fn part(&self) -> Option<&UserPart> {
        match self {
            Self::Typed(part) => Some(part),
            Self::LeftOut | Self::Unattended => None,
        }
    }

    /// Says what the keys are made of.
    pub fn say(&self, texts: &Texts) -> String {
        texts.get(match self {
            Self::Typed(_) => Msg::SeedTyped,
            Self::LeftOut => Msg::SeedLeftOut,
            Self::Unattended => Msg::SeedUnattended,
        })
    }
}

impl std::fmt::Debug for Contribution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Typed(_) => "Typed(…)",
            Self::LeftOut => "LeftOut",
            Self::Unattended => "Unattended",
        })
    }
}

/// Has the terminal give each key at once and show none; says how it was before.
fn silence() -> io::Result<Termios> {
    let before = termios::tcgetattr(io::stdin())?;
    let mut silent = before.clone();
    silent.local_modes -= LocalModes::ECHO | LocalModes::ICANON;
    silent.special_codes[SpecialCodeIndex::VMIN] = 1;
    silent.special_codes[SpecialCodeIndex::VTIME] = 0;
    termios::tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
    Ok(before)
}

fn listen(texts: &Texts) -> io::Result<Contribution> {
    let total = u32::try_from(EVENTS).unwrap_or(u32::MAX);
    let mut screen = io::stderr();
    writeln!(screen, "{}", texts.get(Msg::SeedAsk { total }))?;
    let mut collector = Collector::new();
    loop {
        let counted = u32::try_from(collector.counted()).unwrap_or(u32::MAX);
        write!(screen, "\r{}", texts.get(Msg::SeedProgress { counted, total }))?;
        screen.flush()?;
        match key()? {
            None | Some(END) => return Ok(Contribution::LeftOut),
            Some('\r' | '\n') => {
                if let Err(fault) = collector.finish() {
                    writeln!(screen, "\n{}", say(&fault, texts))?;
                }
            }
            Some(key) => {
                collector.take(Event::Key(key), chance::nanoseconds());
                if let Ok(part) = collector.finish() {
                    write!(screen, "\r{}", texts.get(Msg::SeedProgress { counted: total, total }))?;
                    return Ok(Contribution::Typed(part));
                }
            }
        }
    }
}

/// The next key; nothing if the terminal is gone.
fn key() -> io::Result<Option<char>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(4));
    loop {
        let mut byte = Zeroizing::new([0; 1]);
        if rustix::io::read(io::stdin().as_fd(), byte.as_mut_slice())? == 0 {
            return Ok(None);
        }
        bytes.extend_from_slice(byte.as_slice());
        match std::str::from_utf8(&bytes) {
            Ok(text) => return Ok(text.chars().next()),
            // Whatever a terminal sends that is no UTF-8 counts as one key.
            Err(error) if error.error_len().is_some() => return Ok(Some(char::REPLACEMENT_CHARACTER)),
            Err(_) => {}
        }
    }
}

/// Says to a person why it is not enough yet.
fn say(fault: &SeedFault, texts: &Texts) -> String {
    let total = u32::try_from(EVENTS).unwrap_or(u32::MAX);
    let count = |counted| u32::try_from(counted).unwrap_or(u32::MAX);
    let (what, advice) = match *fault {
        SeedFault::TooShort { counted } => {
            (Msg::SeedTooShort { counted: count(counted), total }, Msg::SeedTooShortAdvice)
        }
        SeedFault::TooRegular { counted } => {
            (Msg::SeedTooRegular { counted: count(counted), total }, Msg::SeedTooRegularAdvice)
        }
    };
    texts.get(Msg::FaultAdvice { what: &texts.get(what), advice: &texts.get(advice) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_enough_is_said_in_the_words_of_the_catalogue() {
        let said = |fault| say(&fault, &Texts::english());
        assert_eq!(
            said(SeedFault::TooShort { counted: 4 }),
            "4 of 128 events so far. Go on a little, or continue without your part"
        );
        assert_eq!(
            said(SeedFault::TooRegular { counted: 9 }),
            "What you entered repeats itself. 9 of 128 events count. Move the pointer freely, or type something less regular"
        );
    }
}
