//! Colours, type, spacing and sizes of the window. No other file names a colour.
//!
//! Dark and light are equal; each pair of text and ground reaches WCAG AA (text 4.5, controls 3),
//! which the test at the end computes anew. Colour never speaks alone: a state has an icon and a word.

use egui::style::{ScrollStyle, WidgetVisuals};
use egui::{
    Color32, Context, CornerRadius, FontFamily, FontId, RichText, Shadow, Stroke, Style, Vec2, Visuals,
};

use crate::fonts;
use crate::icons::Icon;

/// Spacing on a grid of four logical pixels.
pub mod space {
    /// 4 px, inside a line.
    pub const XS: f32 = 4.0;
    /// 8 px, between controls.
    pub const S: f32 = 8.0;
    /// 12 px, between lines that belong together.
    pub const M: f32 = 12.0;
    /// 16 px, between groups.
    pub const L: f32 = 16.0;
    /// 24 px, inside a card.
    pub const XL: f32 = 24.0;
    /// 32 px, between sections.
    pub const XXL: f32 = 32.0;
}

/// Sizes in logical pixels.
pub mod size {
    /// Corner radius of controls.
    pub const RADIUS: u8 = 8;
    /// Corner radius of cards.
    pub const RADIUS_CARD: u8 = 12;
    /// Height of a control, and the smallest side of anything that can be hit.
    pub const CONTROL: f32 = 36.0;
    /// Height of a control that decides something.
    pub const CONTROL_CRITICAL: f32 = 44.0;
    /// Height of the attestation bar.
    pub const BAR: f32 = 72.0;
    /// Height of the attestation bar in a low window.
    pub const BAR_LOW: f32 = 56.0;
    /// Below this height the window is low.
    pub const LOW: f32 = 640.0;
    /// Width of the navigation rail with words.
    pub const RAIL_WIDE: f32 = 216.0;
    /// Width of the navigation rail with icons.
    pub const RAIL: f32 = 64.0;
    /// From this width on the rail has words.
    pub const WIDE: f32 = 1280.0;
    /// Below this width the rail hides behind a button.
    pub const NARROW: f32 = 800.0;
    /// Height of the status line.
    pub const STATUS: f32 = 28.0;
    /// Height of the log drawer.
    pub const DRAWER: f32 = 240.0;
    /// Smallest window, and the one it opens with.
    pub const WINDOW_MIN: [f32; 2] = [800.0, 600.0];
    /// The window as it first opens.
    pub const WINDOW: [f32; 2] = [1120.0, 760.0];
}

/// A colour from its six hexadecimal digits.
const fn hex(digits: u32) -> Color32 {
    let [_, red, green, blue] = digits.to_be_bytes();
    Color32::from_rgb(red, green, blue)
}

/// Which set of colours is in force.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Mode {
    /// Light text on dark ground.
    Dark,
    /// Dark text on light ground.
    Light,
}

/// The colour tokens of one look, and how much moves in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Theme {
    /// Dark or light.
    pub mode: Mode,
    /// Behind everything.
    pub bg0: Color32,
    /// Attestation bar, navigation, action bar.
    pub bg1: Color32,
    /// Cards.
    pub bg2: Color32,
    /// Chips, hover, selected row.
    pub bg3: Color32,
    /// Separators, which carry no meaning.
    pub line: Color32,
    /// Borders of inputs and buttons.
    pub edge: Color32,
    /// Main text.
    pub text1: Color32,
    /// Second text.
    pub text2: Color32,
    /// Labels.
    pub text3: Color32,
    /// Commit control, selection, you.
    pub accent: Color32,
    /// Text on the accent.
    pub on_accent: Color32,
    /// Bank, links inside the window.
    pub info: Color32,
    /// Verified.
    pub ok: Color32,
    /// Attention, arbiter.
    pub warn: Color32,
    /// Loss, refusal.
    pub danger: Color32,
    /// The merchant's lane.
    pub peer: Color32,
    /// The ring around what has the focus.
    pub focus: Color32,
    /// Nothing fades or slides.
    pub less_motion: bool,
}

impl Theme {
    /// The dark look.
    pub const DARK: Self = Self {
        mode: Mode::Dark,
        bg0: hex(0x0E1116),
        bg1: hex(0x141A21),
        bg2: hex(0x1B222B),
        bg3: hex(0x26303B),
        line: hex(0x34414E),
        edge: hex(0x748496),
        text1: hex(0xF1F4F7),
        text2: hex(0xB7C2CD),
        text3: hex(0x93A1AF),
        accent: hex(0x45C4AC),
        on_accent: hex(0x04211B),
        info: hex(0x7AB6FF),
        ok: hex(0x62D38D),
        warn: hex(0xF3BC55),
        danger: hex(0xFF857B),
        peer: hex(0xC3A6FF),
        focus: hex(0x9AD8FF),
        less_motion: false,
    };

    /// The light look.
    pub const LIGHT: Self = Self {
        mode: Mode::Light,
        bg0: hex(0xF3F5F7),
        bg1: hex(0xFFFFFF),
        bg2: hex(0xFFFFFF),
        bg3: hex(0xE8EDF1),
        line: hex(0xD5DCE3),
        edge: hex(0x74818E),
        text1: hex(0x12181F),
        text2: hex(0x414D59),
        text3: hex(0x566370),
        accent: hex(0x0A6B5B),
        on_accent: hex(0xFFFFFF),
        info: hex(0x1C57B5),
        ok: hex(0x17693A),
        warn: hex(0x7A4F00),
        danger: hex(0xA8231C),
        peer: hex(0x5B3FA8),
        focus: hex(0x0B5FB0),
        less_motion: false,
    };

    /// Strengthens second text, labels and separators.
    #[must_use]
    pub const fn high_contrast(mut self) -> Self {
        self.text2 = self.text1;
        self.text3 = self.text1;
        self.line = self.edge;
        self
    }

    /// Stops everything that fades or slides.
    #[must_use]
    pub const fn still(mut self) -> Self {
        self.less_motion = true;
        self
    }

    /// Puts the fonts and this look into force. Labels are never selectable: a selection would go to
    /// the primary clipboard on X11 and Wayland.
    pub fn install(&self, ctx: &Context) {
        ctx.set_fonts(fonts::definitions());
        self.apply(ctx);
    }

    /// Puts this look into force where the fonts are there already.
    pub fn apply(&self, ctx: &Context) {
        ctx.set_theme(match self.mode {
            Mode::Dark => egui::Theme::Dark,
            Mode::Light => egui::Theme::Light,
        });
        ctx.all_styles_mut(|style| self.style(style));
        // Quitting and zooming are ours: quitting lists what is pending, zoom is kept in preferences.
        ctx.options_mut(|options| {
            options.zoom_with_keyboard = false;
            options.quit_shortcuts.clear();
        });
    }

    fn style(&self, style: &mut Style) {
        style.interaction.selectable_labels = false;
        style.animation_time = if self.less_motion { 0.0 } else { 0.12 };
        style.spacing.item_spacing = Vec2::splat(space::S);
        style.spacing.button_padding = Vec2::new(space::M, space::S);
        style.spacing.interact_size = Vec2::splat(size::CONTROL);
        style.spacing.scroll = ScrollStyle::solid();
        style.spacing.scroll.bar_width = space::S;
        style.text_styles = [
            (egui::TextStyle::Body, Role::Body.font()),
            (egui::TextStyle::Button, Role::Value.font()),
            (egui::TextStyle::Heading, Role::Title.font()),
            (egui::TextStyle::Monospace, Role::Mono.font()),
            (egui::TextStyle::Small, Role::Provenance.font()),
        ]
        .into();
        style.visuals = self.visuals();
    }

    fn visuals(&self) -> Visuals {
        let mut visuals = match self.mode {
            Mode::Dark => Visuals::dark(),
            Mode::Light => Visuals::light(),
        };
        visuals.override_text_color = None;
        visuals.panel_fill = self.bg0;
        visuals.window_fill = self.bg2;
        visuals.window_stroke = Stroke::new(1.0, self.line);
        visuals.window_shadow = Shadow::NONE;
        visuals.popup_shadow = Shadow::NONE;
        visuals.menu_corner_radius = CornerRadius::same(size::RADIUS);
        visuals.extreme_bg_color = self.bg0;
        visuals.text_edit_bg_color = Some(self.bg0);
        visuals.faint_bg_color = self.bg3;
        visuals.selection.bg_fill = self.bg3;
        visuals.selection.stroke = Stroke::new(1.0, self.accent);
        visuals.hyperlink_color = self.info;
        visuals.warn_fg_color = self.warn;
        visuals.error_fg_color = self.danger;
        visuals.weak_text_color = Some(self.text3);
        let look = |fill: Color32, text: Color32, edge: Stroke| WidgetVisuals {
            bg_fill: fill,
            weak_bg_fill: fill,
            bg_stroke: edge,
            corner_radius: CornerRadius::same(size::RADIUS),
            fg_stroke: Stroke::new(1.0, text),
            expansion: 0.0,
        };
        let edge = Stroke::new(1.0, self.edge);
        visuals.widgets.noninteractive = look(self.bg2, self.text1, Stroke::new(1.0, self.line));
        visuals.widgets.inactive = look(self.bg2, self.text1, edge);
        visuals.widgets.hovered = look(self.bg3, self.text1, edge);
        visuals.widgets.active = look(self.pressed(self.bg3), self.text1, edge);
        visuals.widgets.open = look(self.bg3, self.text1, edge);
        visuals
    }

    /// A ground while it is pressed: eight hundredths darker.
    #[must_use]
    pub fn pressed(&self, ground: Color32) -> Color32 {
        ground.lerp_to_gamma(Color32::BLACK, 0.08)
    }

    /// A ground shining through: for the unfilled part of a bar.
    #[must_use]
    pub fn faint(&self, colour: Color32) -> Color32 {
        colour.gamma_multiply(0.25)
    }

    /// Text in its role, in the main colour.
    #[must_use]
    pub fn text(&self, role: Role, text: impl Into<String>) -> RichText {
        self.coloured(role, text, self.text1)
    }

    /// Text in its role and a colour of this theme.
    #[must_use]
    pub fn coloured(&self, role: Role, text: impl Into<String>, colour: Color32) -> RichText {
        RichText::new(text).font(role.font()).line_height(Some(role.line())).color(colour)
    }

    /// An icon at a size in logical pixels.
    #[must_use]
    pub fn icon(&self, icon: Icon, size: f32, colour: Color32) -> RichText {
        RichText::new(icon.glyph()).font(icon_font(size)).color(colour)
    }
}

/// The font of the icons at a size.
pub(crate) fn icon_font(size: f32) -> FontId {
    FontId::new(size, fonts::icons())
}

/// What a piece of text is for; gives its font, size and line.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Role {
    /// The sum to be approved.
    Amount,
    /// The two words at the door.
    Door,
    /// Fields of a form, notes below them.
    Label,
    /// A label that heads a group.
    LabelStrong,
    /// Identifiers, hashes, keys, log.
    Mono,
    /// Where a fact comes from; heads of columns; the smallest.
    Provenance,
    /// Plain text.
    Body,
    /// Heads a section.
    Section,
    /// Heads a screen.
    Title,
    /// A fact.
    Value,
}

impl Role {
    /// The font and its size.
    #[must_use]
    pub fn font(self) -> FontId {
        let (size, family) = match self {
            Self::Amount => (40.0, fonts::semibold()),
            Self::Door => (28.0, fonts::semibold()),
            Self::Title => (22.0, fonts::semibold()),
            Self::Section => (17.0, fonts::semibold()),
            Self::Body => (15.0, FontFamily::Proportional),
            Self::Value => (15.0, fonts::medium()),
            Self::Label => (13.0, FontFamily::Proportional),
            Self::LabelStrong => (13.0, fonts::medium()),
            Self::Provenance => (12.0, FontFamily::Proportional),
            Self::Mono => (13.0, FontFamily::Monospace),
        };
        FontId::new(size, family)
    }

    /// The height of a line.
    #[must_use]
    pub const fn line(self) -> f32 {
        match self {
            Self::Amount => 48.0,
            Self::Door => 36.0,
            Self::Title => 30.0,
            Self::Section => 24.0,
            Self::Body | Self::Value => 22.0,
            Self::Mono => 20.0,
            Self::Label | Self::LabelStrong => 18.0,
            Self::Provenance => 16.0,
        }
    }
}

/// The user's own colour of the frame; each reaches 3:1 against bar and window in both looks.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct FrameHue(u8);

const FRAME_HUES: [Color32; 12] = [
    hex(0xCE4F3B),
    hex(0xB86423),
    hex(0xA0740D),
    hex(0x6A8321),
    hex(0x358D35),
    hex(0x238B5F),
    hex(0x188B87),
    hex(0x2180BA),
    hex(0x4976DF),
    hex(0x8764D8),
    hex(0xB54FC4),
    hex(0xD1477A),
];

impl FrameHue {
    /// How many there are.
    pub const COUNT: u8 = 12;

    /// Takes a number; beyond the last one it starts over.
    #[must_use]
    pub const fn new(number: u8) -> Self {
        Self(number % Self::COUNT)
    }

    /// The colour itself.
    #[must_use]
    pub fn colour(self) -> Color32 {
        let [first, ..] = FRAME_HUES;
        FRAME_HUES.get(usize::from(self.0)).copied().unwrap_or(first)
    }
}

/// The four inks an emblem is drawn with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Inks {
    /// Behind everything.
    pub sky: Color32,
    /// The lower part, and patterns of the ground.
    pub land: Color32,
    /// The motif.
    pub motif: Color32,
    /// Its details, and the small thing beside it.
    pub detail: Color32,
}

const fn inks(sky: u32, land: u32, motif: u32, detail: u32) -> Inks {
    Inks { sky: hex(sky), land: hex(land), motif: hex(motif), detail: hex(detail) }
}

/// The palettes of emblems. They are the same in both looks: a picture is recognised by its colours.
const EMBLEM_INKS: [Inks; 12] = [
    inks(0x22395B, 0x2F7F86, 0xF1F4F7, 0xD9793A),
    inks(0x7A2E3A, 0x4E1C2A, 0xF6DDA8, 0xE9A13B),
    inks(0xF6DDA8, 0xD9A45B, 0x8A2F2A, 0x2E4057),
    inks(0x1F5B4C, 0x123A33, 0xE8F1D4, 0xF0B43C),
    inks(0xBFD9E8, 0x6FA3C4, 0x1D3A5F, 0xC8452F),
    inks(0x3B2A5A, 0x241A3D, 0xE7D7FF, 0xF2748C),
    inks(0xFBE9E1, 0xE9B7A5, 0x3F5B3A, 0xC2513F),
    inks(0x14323E, 0x0B2029, 0x7FD1C4, 0xF7E27A),
    inks(0xE4C53F, 0xB9902A, 0x26323D, 0xB3331F),
    inks(0x4A4F59, 0x2E333B, 0xF0F0EB, 0x6FC3E8),
    inks(0xD7E7C6, 0x8DB26B, 0x6B3F1D, 0xD95F86),
    inks(0xB6481F, 0x7D2E12, 0xFFF1D6, 0x2E6E78),
];

/// How many palettes of emblems there are.
pub const EMBLEM_PALETTES: u16 = 12;

/// A palette of an emblem by its number; beyond the last one it starts over.
#[must_use]
pub fn emblem_inks(number: u16) -> Inks {
    let [first, ..] = EMBLEM_INKS;
    EMBLEM_INKS.get(usize::from(number % EMBLEM_PALETTES)).copied().unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance of WCAG 2.2.
    fn luminance(colour: Color32) -> f64 {
        let part = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(colour.r()) + 0.7152 * part(colour.g()) + 0.0722 * part(colour.b())
    }

    fn contrast(one: Color32, other: Color32) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    fn looks() -> [Theme; 4] {
        [Theme::DARK, Theme::LIGHT, Theme::DARK.high_contrast(), Theme::LIGHT.high_contrast()]
    }

    #[test]
    fn theme_contrast() {
        for theme in looks() {
            let grounds = [theme.bg0, theme.bg1, theme.bg2, theme.bg3];
            let words = [
                ("text1", theme.text1),
                ("text2", theme.text2),
                ("text3", theme.text3),
                ("accent", theme.accent),
                ("info", theme.info),
                ("ok", theme.ok),
                ("warn", theme.warn),
                ("danger", theme.danger),
                ("peer", theme.peer),
            ];
            for ground in grounds {
                for (name, word) in words {
                    let reached = contrast(word, ground);
                    assert!(reached >= 4.5, "{:?} {name} on {ground:?}: {reached:.2}", theme.mode);
                }
                for (name, control) in [("edge", theme.edge), ("focus", theme.focus)] {
                    let reached = contrast(control, ground);
                    assert!(reached >= 3.0, "{:?} {name} on {ground:?}: {reached:.2}", theme.mode);
                }
            }
            assert!(contrast(theme.on_accent, theme.accent) >= 4.5);
            assert!(contrast(theme.on_accent, theme.pressed(theme.accent)) >= 4.5);
        }
    }

    #[test]
    fn every_frame_colour_stands_out_in_both_looks() {
        for number in 0..FrameHue::COUNT {
            let hue = FrameHue::new(number).colour();
            for ground in [Theme::DARK.bg0, Theme::DARK.bg1, Theme::LIGHT.bg0, Theme::LIGHT.bg1] {
                assert!(contrast(hue, ground) >= 3.0, "{number}: {:.2}", contrast(hue, ground));
            }
        }
    }

    #[test]
    fn a_motif_can_be_told_from_its_ground() {
        for number in 0..EMBLEM_PALETTES {
            let inks = emblem_inks(number);
            for ground in [inks.sky, inks.land] {
                assert!(contrast(inks.motif, ground) >= 2.0, "{number}: {:.2}", contrast(inks.motif, ground));
            }
        }
    }

    #[test]
    fn labels_cannot_be_selected_and_quitting_is_ours() {
        let ctx = Context::default();
        Theme::DARK.still().install(&ctx);
        for theme in [egui::Theme::Dark, egui::Theme::Light] {
            let style = ctx.style_of(theme);
            assert!(!style.interaction.selectable_labels);
            assert_eq!(style.animation_time, 0.0);
        }
        assert!(ctx.options(|options| options.quit_shortcuts.is_empty() && !options.zoom_with_keyboard));
    }

    #[test]
    fn high_contrast_has_no_weak_text() {
        let theme = Theme::LIGHT.high_contrast();
        assert_eq!([theme.text2, theme.text3], [theme.text1; 2]);
        assert_eq!(theme.line, theme.edge);
    }
}
