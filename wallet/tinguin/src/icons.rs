//! The icons in use: code points of the bundled Phosphor font (regular, 2.1), and only these.

/// One icon of the bundled font.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Icon(char);

impl Icon {
    /// The character that stands for the icon in the font.
    #[must_use]
    pub const fn glyph(self) -> char {
        self.0
    }
}

macro_rules! icons {
    ($($name:ident $code:literal $says:literal;)*) => {
        $(#[doc = $says] pub const $name: Icon = Icon($code);)*

        /// All of them, so that a test can draw each.
        pub const ALL: &[Icon] = &[$($name),*];
    };
}

icons! {
    ADDRESS_BOOK '\u{E6F8}' "Contacts.";
    ARCHIVE '\u{E00C}' "Archive.";
    ARROW_LEFT '\u{E058}' "Received.";
    ARROW_RIGHT '\u{E06C}' "Sent.";
    CARET_DOWN '\u{E136}' "Expanded.";
    CARET_RIGHT '\u{E13A}' "Opens something.";
    CHECK_CIRCLE '\u{E184}' "Done, checked.";
    CLOCK '\u{E19A}' "Time left.";
    COINS '\u{E78E}' "Cash, play money.";
    DESKTOP '\u{E560}' "This computer.";
    DETECTIVE '\u{E83E}' "Anonymous.";
    EXPORT '\u{EAF0}' "Export.";
    EYE '\u{E220}' "Less anonymous.";
    FILE_TEXT '\u{E23A}' "Terms.";
    GEAR '\u{E270}' "Settings.";
    HOUSE '\u{E2C2}' "Home.";
    INFO '\u{E2CE}' "Note.";
    LIST '\u{E2F0}' "Menu.";
    LOCK '\u{E308}' "Lock.";
    LOG '\u{E000}' "Log.";
    MAGNIFIER '\u{E30C}' "Search.";
    OFFLINE '\u{E4F2}' "No connection.";
    ONLINE '\u{E4EA}' "Connected.";
    PAUSE '\u{E39E}' "Pause.";
    PLAY '\u{E3D0}' "Follow.";
    PSEUDONYM '\u{E9F4}' "Known by a pseudonym.";
    RECEIPT '\u{E3EC}' "Statements.";
    REFUSED '\u{E4F8}' "Refused, failed.";
    STOREFRONT '\u{E470}' "Shop.";
    TRAY '\u{E4AA}' "Waiting for you.";
    USER '\u{E4C2}' "Known by name.";
    WALLET '\u{E68A}' "Purses.";
    WARNING '\u{E4E0}' "Attention.";
}
