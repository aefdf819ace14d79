//! The password of a wallet: where it comes from, and which new ones are taken.
//!
//! It comes from the standard input or from a file, never from the command line, which every program on
//! the machine can read. Where the standard input is a terminal, what is typed is not shown.

use std::{
    fs,
    io::{self, IsTerminal as _, Write as _},
    os::{
        fd::{AsFd as _, BorrowedFd},
        unix::fs::PermissionsExt as _,
    },
    path::Path,
};

use rustix::termios::{self, LocalModes, OptionalActions};
use semper_supporting::archive::header::PASSWORD_LEAST;
use semper_tinguin::{
    views::first::secrets::{Strength, Weakness},
    widgets::secret::SECRET_BYTES,
};
use zeroize::Zeroizing;
use zxcvbn::{Score, feedback::Warning, zxcvbn};

use crate::{fault::WalletFault, profile::DoorWords};

/// A password. Erased when dropped, never printed.
pub struct Password(Zeroizing<Vec<u8>>);

/// What everybody knows of a wallet, and so is no part of a good password.
const KNOWN: [&str; 4] = ["semper", "tinguin", "wallet", "password"];

impl Password {
    /// Takes a password: one line without control characters that fits into the field of the door.
    ///
    /// # Errors
    /// [`WalletFault::PasswordAbsent`], [`WalletFault::PasswordForm`].
    pub fn new(text: &str) -> Result<Self, WalletFault> {
        if text.is_empty() {
            return Err(WalletFault::PasswordAbsent);
        }
        if text.len() > SECRET_BYTES || text.chars().any(char::is_control) {
            return Err(WalletFault::PasswordForm);
        }
        Ok(Self(Zeroizing::new(text.as_bytes().to_vec())))
    }

    /// Reads the first line of a file that its owner alone can read.
    ///
    /// # Errors
    /// [`WalletFault`]: unreadable, readable by others, or no password.
    pub fn from_file(path: &Path) -> Result<Self, WalletFault> {
        let file = fs::File::open(path).map_err(|error| WalletFault::system(path, error))?;
        let about = file.metadata().map_err(|error| WalletFault::system(path, error))?;
        if about.permissions().mode() & 0o077 != 0 {
            return Err(WalletFault::Exposed(path.to_owned()));
        }
        first_line(file).map_err(|error| WalletFault::system(path, error)).and_then(Self::of_line)
    }

    /// Reads one line of the standard input; at a terminal it asks with `prompt` and shows nothing.
    ///
    /// # Errors
    /// [`WalletFault`]: unreadable, or no password.
    pub fn from_input(prompt: &str) -> Result<Self, WalletFault> {
        let input = io::stdin();
        let place = Path::new("stdin");
        let failed = |error| WalletFault::system(place, error);
        if !input.is_terminal() {
            return first_line(Bare(input.as_fd())).map_err(failed).and_then(Self::of_line);
        }
        let mut screen = io::stderr();
        screen.write_all(prompt.as_bytes()).and_then(|()| screen.flush()).map_err(failed)?;
        let before = termios::tcgetattr(&input).map_err(|error| failed(error.into()))?;
        let mut silent = before.clone();
        silent.local_modes -= LocalModes::ECHO;
        termios::tcsetattr(&input, OptionalActions::Flush, &silent).map_err(|error| failed(error.into()))?;
        let line = first_line(Bare(input.as_fd()));
        let restored = termios::tcsetattr(&input, OptionalActions::Flush, &before);
        screen.write_all(b"\n").map_err(failed)?;
        restored.map_err(|error| failed(error.into()))?;
        line.map_err(failed).and_then(Self::of_line)
    }

    /// The password itself.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Refuses what a stranger would guess with a stolen file. Takes some milliseconds.
    ///
    /// # Errors
    /// [`WalletFault::PasswordShort`], [`WalletFault::PasswordWeak`].
    pub fn check_new(&self, door: &DoorWords) -> Result<(), WalletFault> {
        let text = std::str::from_utf8(&self.0).map_err(|_| WalletFault::PasswordForm)?;
        match weigh(text, door) {
            Strength::Enough { .. } => Ok(()),
            Strength::Weak(Weakness::Short) => Err(WalletFault::PasswordShort),
            Strength::Weak(_) => Err(WalletFault::PasswordWeak),
        }
    }

    /// Says how hard it is to guess for a stranger with a stolen file. Takes some milliseconds.
    pub fn strength(&self, door: &DoorWords) -> Strength {
        std::str::from_utf8(&self.0).map_or(Strength::Weak(Weakness::Few), |text| weigh(text, door))
    }

    fn of_line(line: Zeroizing<Vec<u8>>) -> Result<Self, WalletFault> {
        Self::new(std::str::from_utf8(&line).map_err(|_| WalletFault::PasswordForm)?)
    }
}

/// How many passwords a stranger tries in a day against the stolen key file, with a machine made for it: 10,000 in a
/// second.
const TRIES: u64 = 10_000 * 86_400;

fn weigh(text: &str, door: &DoorWords) -> Strength {
    if text.chars().count() < PASSWORD_LEAST {
        return Strength::Weak(Weakness::Short);
    }
    let mut known = KNOWN.to_vec();
    // The words of the door as people would put them together, too.
    let (first, second) = (door.first(), door.second());
    let joined = [format!("{first} {second}"), format!("{second} {first}")];
    known.extend([first, second]);
    known.extend(joined.iter().map(String::as_str));
    let entropy = zxcvbn(text, &known);
    if entropy.score() >= Score::Three {
        return Strength::Enough { strong: entropy.score() == Score::Four, days: entropy.guesses() / TRIES };
    }
    let lower = text.to_lowercase();
    if [first, second].iter().any(|word| lower.contains(&word.to_lowercase())) {
        return Strength::Weak(Weakness::Known);
    }
    Strength::Weak(entropy.feedback().and_then(|feedback| feedback.warning()).map_or(Weakness::Few, weakness))
}

const fn weakness(warning: Warning) -> Weakness {
    match warning {
        Warning::StraightRowsOfKeysAreEasyToGuess
        | Warning::ShortKeyboardPatternsAreEasyToGuess
        | Warning::RepeatsLikeAaaAreEasyToGuess
        | Warning::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess
        | Warning::SequencesLikeAbcAreEasyToGuess => Weakness::Row,
        Warning::ThisIsATop10Password
        | Warning::ThisIsATop100Password
        | Warning::ThisIsACommonPassword
        | Warning::ThisIsSimilarToACommonlyUsedPassword => Weakness::Common,
        Warning::RecentYearsAreEasyToGuess | Warning::DatesAreOftenEasyToGuess => Weakness::Date,
        Warning::AWordByItselfIsEasyToGuess
        | Warning::NamesAndSurnamesByThemselvesAreEasyToGuess
        | Warning::CommonNamesAndSurnamesAreEasyToGuess => Weakness::Word,
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

/// The standard input without the buffer of the standard library, which is never erased.
struct Bare<'a>(BorrowedFd<'a>);

impl io::Read for Bare<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(self.0, room)?)
    }
}

/// Reads up to the end of a line, byte by byte, so that no buffer keeps a copy; longer lines come back
/// longer than any password.
fn first_line(mut from: impl io::Read) -> io::Result<Zeroizing<Vec<u8>>> {
    // Room for all of it at once: a buffer that grows leaves pieces behind.
    let mut line = Zeroizing::new(Vec::with_capacity(SECRET_BYTES.saturating_add(2)));
    let mut byte = Zeroizing::new([0; 1]);
    while line.len() <= SECRET_BYTES {
        match from.by_ref().read(byte.as_mut_slice())? {
            0 => break,
            _ => match *byte {
                [b'\n'] => break,
                [letter] => line.push(letter),
            },
        }
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> &'static str {
        let door = DoorWords::parse("amber lighthouse").unwrap();
        Password::new(text).and_then(|password| password.check_new(&door)).unwrap_err().code()
    }

    #[test]
    fn short_and_guessable_passwords_are_refused_and_sentences_taken() {
        assert_eq!(refused("x9#Kq!2zW"), "password.short");
        assert_eq!(refused("1234567890123"), "password.weak");
        assert_eq!(refused("amber lighthouse"), "password.weak");
        assert_eq!(refused("semperwallet"), "password.weak");
        assert_eq!(refused(""), "password.absent");
        assert_eq!(refused("tab\tin the middle of it"), "password.form");
        assert_eq!(refused(&"long ".repeat(30)), "password.form");
        let door = DoorWords::parse("amber lighthouse").unwrap();
        Password::new("seven grey herons by the canal").unwrap().check_new(&door).unwrap();
    }

    #[test]
    fn only_the_first_line_counts_and_a_long_one_is_refused() {
        let read = |text: &str| first_line(text.as_bytes()).unwrap();
        assert_eq!(read("one line\nand another").as_slice(), b"one line");
        assert_eq!(read("of Windows\r\n").as_slice(), b"of Windows");
        assert_eq!(read("no end").as_slice(), b"no end");
        assert_eq!(Password::of_line(read(&"a".repeat(400))).unwrap_err().code(), "password.form");
        assert_eq!(Password::of_line(read("\nx")).unwrap_err().code(), "password.absent");
    }

    #[test]
    fn a_password_is_never_printed() {
        assert_eq!(format!("{:?}", Password::new("canary bird").unwrap()), "Password(…)");
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        fs::write(&path, "seven grey herons\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(Password::from_file(&path).unwrap_err().code(), "profile.exposed");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(Password::from_file(&path).unwrap().expose(), b"seven grey herons");
    }
}
