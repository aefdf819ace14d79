//! The field for passwords and PINs.
//!
//! A text field of egui keeps what was typed in its undo history, and takes what is pasted or set by
//! assistive technology. This one reads key presses itself, writes them into a buffer of fixed size
//! that is zeroed when it is dropped, and takes them out of egui's input at once. It accepts no paste,
//! no middle-click paste, no composed input and no action of an assistive technology, and what it shows
//! has one width whatever it holds.

use egui::accesskit::Role as A11yRole;
use egui::{CornerRadius, CursorIcon, Event, EventFilter, Key, Modifiers, Sense, Stroke, StrokeKind};
use egui::{Response, Ui, WidgetInfo, pos2, vec2};
use zeroize::{Zeroize, Zeroizing};

use super::focus_ring;
use crate::texts::{Msg, Texts};
use crate::theme::{Theme, size, space};

/// How many bytes a secret may have, as UTF-8.
pub const SECRET_BYTES: usize = 128;

/// How many dots stand for a secret, however long it is.
const DOTS: u8 = 16;

/// A secret being typed. It can be read, but neither copied nor printed; dropping it zeroes it.
pub struct SecretBuf {
    // On the heap, so that moving the value leaves no copy behind.
    bytes: Box<Zeroizing<[u8; SECRET_BYTES]>>,
    length: usize,
    caps_lock: bool,
    full: bool,
}

impl SecretBuf {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        let bytes = Box::new(Zeroizing::new([0; SECRET_BYTES]));
        Self { bytes, length: 0, caps_lock: false, full: false }
    }

    /// Tells whether nothing has been typed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Lends the secret. The caller copies it nowhere that is not zeroed.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.bytes.get(..self.length).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }

    /// Forgets everything, and zeroes it.
    pub fn clear(&mut self) {
        self.bytes.as_mut().zeroize();
        self.length = 0;
        self.full = false;
    }

    /// Tells whether the keys typed last look as if Caps Lock were on.
    #[must_use]
    pub const fn caps_lock(&self) -> bool {
        self.caps_lock
    }

    /// Tells whether a letter was refused because there is no room for it.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.full
    }

    pub(crate) fn push(&mut self, letter: char) {
        let end = self.length.saturating_add(letter.len_utf8());
        match self.bytes.get_mut(self.length..end) {
            Some(room) => {
                letter.encode_utf8(room);
                self.length = end;
            }
            None => self.full = true,
        }
    }

    pub(crate) fn pop(&mut self) {
        let width = self.expose().chars().next_back().map_or(0, char::len_utf8);
        let end = self.length.saturating_sub(width);
        if let Some(last) = self.bytes.get_mut(end..self.length) {
            last.zeroize();
        }
        self.length = end;
        self.full = false;
    }

    fn note_caps(&mut self, letter: char, modifiers: Modifiers) {
        if letter.is_alphabetic() {
            self.caps_lock = letter.is_uppercase() && !modifiers.shift;
        }
    }
}

impl Default for SecretBuf {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for SecretBuf {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SecretBuf(…)")
    }
}

/// The field, drawn by [`SecretField::show`].
#[derive(Debug)]
#[must_use]
pub struct SecretField<'a> {
    secret: &'a mut SecretBuf,
    name: &'a str,
    enabled: bool,
    width: f32,
}

/// What became of the field in one pass.
#[derive(Debug)]
pub struct SecretResponse {
    /// What egui knows of it.
    pub response: Response,
    /// Enter was pressed in it.
    pub submitted: bool,
}

impl<'a> SecretField<'a> {
    /// A field that writes into `secret` and is called `name`.
    pub fn new(secret: &'a mut SecretBuf, name: &'a str) -> Self {
        Self { secret, name, enabled: true, width: 280.0 }
    }

    /// Takes the field in or out of use.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Sets its width in logical pixels; what it holds does not change it.
    pub fn width(mut self, width: f32) -> Self {
        self.width = width;
        self
    }

    /// Draws the field and takes what was typed.
    pub fn show(self, ui: &mut Ui, theme: &Theme, texts: &Texts) -> SecretResponse {
        let width = self.width.min(ui.available_width()).max(size::CONTROL_CRITICAL);
        let sense = if self.enabled { Sense::click() } else { Sense::hover() };
        let (rect, response) = ui.allocate_exact_size(vec2(width, size::CONTROL_CRITICAL), sense);
        if self.enabled && response.clicked() {
            response.request_focus();
        }
        let mut submitted = false;
        if self.enabled && response.has_focus() {
            let filter = EventFilter { horizontal_arrows: true, ..EventFilter::default() };
            ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
            submitted = take_input(ui, self.secret);
        }
        response.widget_info(|| WidgetInfo::labeled(A11yRole::PasswordInput, self.enabled, self.name));
        if !self.secret.is_empty() {
            let filled = texts.get(Msg::SecretMask);
            ui.ctx().accesskit_node_builder(response.id, |node| node.set_description(filled));
        }
        if ui.is_rect_visible(rect) {
            self.paint(ui, theme, &response);
        }
        SecretResponse { response: response.on_hover_cursor(CursorIcon::Text), submitted }
    }

    fn paint(&self, ui: &Ui, theme: &Theme, response: &Response) {
        let rect = response.rect;
        let radius = CornerRadius::same(size::RADIUS);
        let (ground, edge) = if self.enabled { (theme.bg0, theme.edge) } else { (theme.bg2, theme.line) };
        ui.painter().rect(rect, radius, ground, Stroke::new(1.0, edge), StrokeKind::Inside);
        let ink = if self.enabled { theme.text1 } else { theme.text3 };
        let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
        let mut caret = rect.left() + space::L;
        if !self.secret.is_empty() {
            let step = ((rect.width() - 2.0 * space::L) / f32::from(DOTS)).min(space::L);
            for dot in 0..DOTS {
                let x = rect.left() + space::L + step * (f32::from(dot) + 0.5);
                painter.circle_filled(pos2(x, rect.center().y), 3.5, ink);
            }
            caret += step * f32::from(DOTS) + 2.0;
        }
        if self.enabled && response.has_focus() {
            painter.vline(caret, rect.shrink(space::M).y_range(), Stroke::new(1.5, theme.focus));
        }
        focus_ring(ui, theme, rect, response);
    }
}

/// Says what the user should know of the last keys, if anything.
#[must_use]
pub fn hint(secret: &SecretBuf, texts: &Texts) -> Option<String> {
    if secret.is_full() {
        Some(texts.get(Msg::SecretFull))
    } else if secret.caps_lock() {
        Some(texts.get(Msg::SecretCaps))
    } else {
        None
    }
}

/// Takes what is for a secret out of egui's input, and zeroes it there. Tells whether Enter was pressed.
fn take_input(ui: &Ui, secret: &mut SecretBuf) -> bool {
    ui.input_mut(|input| {
        let modifiers = input.modifiers;
        let mut submitted = false;
        input.events.retain_mut(|event| match event {
            Event::Text(text) => {
                for letter in text.chars().filter(|letter| !letter.is_control()) {
                    secret.note_caps(letter, modifiers);
                    secret.push(letter);
                }
                text.zeroize();
                false
            }
            Event::Key { key, pressed, modifiers, .. } => {
                if *pressed {
                    submitted |= *key == Key::Enter;
                    edit(secret, *key, *modifiers);
                }
                stays(*key, *modifiers)
            }
            other => !is_foreign(other),
        });
        // egui keeps the events a second time, as they came.
        input.raw.events.retain_mut(|event| match event {
            Event::Text(text) => {
                text.zeroize();
                false
            }
            Event::Key { key, modifiers, .. } => stays(*key, *modifiers),
            other => !is_foreign(other),
        });
        submitted
    })
}

fn edit(secret: &mut SecretBuf, key: Key, modifiers: Modifiers) {
    match key {
        Key::Backspace if modifiers.command || modifiers.alt => secret.clear(),
        Key::Backspace => secret.pop(),
        Key::Delete => secret.clear(),
        _ => {}
    }
}

/// Keys that are not for the field: moving the focus, leaving, and shortcuts.
fn stays(key: Key, modifiers: Modifiers) -> bool {
    matches!(key, Key::Tab | Key::Escape | Key::F1) || (modifiers.command && key != Key::Backspace)
}

/// Ways of entering text that a secret is not entered by.
fn is_foreign(event: &mut Event) -> bool {
    match event {
        Event::Paste(text) | Event::MiddleClickPaste { text, .. } => {
            text.zeroize();
            true
        }
        Event::Copy | Event::Cut | Event::Ime(_) | Event::PasteImage(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_go_in_and_come_out_whole() {
        let mut secret = SecretBuf::new();
        "aß€𝄞".chars().for_each(|letter| secret.push(letter));
        assert_eq!(secret.expose(), "aß€𝄞");
        secret.pop();
        secret.pop();
        assert_eq!(secret.expose(), "aß");
        assert!(secret.bytes[3..].iter().all(|byte| *byte == 0), "what was taken back is zeroed");
    }

    #[test]
    fn a_letter_without_room_is_refused_whole() {
        let mut secret = SecretBuf::new();
        (0..127).for_each(|_| secret.push('a'));
        secret.push('ß');
        assert!(secret.is_full());
        assert_eq!(secret.expose().len(), 127);
        secret.push('b');
        assert_eq!(secret.expose().len(), SECRET_BYTES);
    }

    #[test]
    fn clearing_zeroes_every_byte() {
        let mut secret = SecretBuf::new();
        "canary".chars().for_each(|letter| secret.push(letter));
        secret.clear();
        assert!(secret.is_empty() && secret.bytes.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn printing_tells_nothing() {
        let mut secret = SecretBuf::new();
        "canary".chars().for_each(|letter| secret.push(letter));
        assert!(!format!("{secret:?}").contains("canary"));
    }

    #[test]
    fn capitals_without_shift_look_like_caps_lock() {
        let mut secret = SecretBuf::new();
        secret.note_caps('A', Modifiers::NONE);
        assert!(secret.caps_lock());
        secret.note_caps('A', Modifiers::SHIFT);
        assert!(!secret.caps_lock());
        secret.note_caps('A', Modifiers::NONE);
        secret.note_caps('7', Modifiers::NONE);
        assert!(secret.caps_lock(), "a digit says nothing about it");
    }
}
