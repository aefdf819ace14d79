//! The seal: the user's picture, two words and colour of the frame, made at first start and kept on
//! this machine only. Whoever knows them is TINGUIN.

use egui::accesskit::Role as A11yRole;
use egui::{Color32, ColorImage, Context, CornerRadius, Rect, Sense, Shape, Stroke, StrokeKind};
use egui::{TextureHandle, TextureOptions, Ui, WidgetInfo, epaint::RectShape, pos2, vec2};

use super::emblem::{Emblem, SIDE};
use crate::texts::{Msg, Texts};
use crate::theme::{FrameHue, Theme, size};

/// The two words of the user. They are never printed: whoever has them can imitate the door.
#[derive(Clone, Eq, Ord, PartialEq, PartialOrd)]
pub struct Words {
    /// The first word.
    pub first: String,
    /// The second word.
    pub second: String,
}

impl Words {
    /// Puts two words together.
    #[must_use]
    pub fn new(first: &str, second: &str) -> Self {
        Self { first: first.to_owned(), second: second.to_owned() }
    }

    /// Writes them side by side.
    #[must_use]
    pub fn text(&self, texts: &Texts) -> String {
        texts.get(Msg::S07Words { first: &self.first, second: &self.second })
    }
}

impl std::fmt::Debug for Words {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Words(…)")
    }
}

/// The user's picture: a square of 256 points, opaque.
#[derive(Clone, PartialEq)]
pub struct Picture(ColorImage);

impl Picture {
    /// The bytes of a picture: red, green, blue and a byte that is not used, by rows.
    pub const BYTES: usize = SIDE * SIDE * 4;

    /// Draws the picture of an emblem.
    #[must_use]
    pub fn emblem(emblem: Emblem) -> Self {
        Self(emblem.picture(SIDE))
    }

    /// Takes the points of a photo that was decoded and cropped at import; nothing if there are not
    /// exactly [`Picture::BYTES`].
    #[must_use]
    pub fn from_rgba(bytes: &[u8]) -> Option<Self> {
        let (points, rest) = bytes.as_chunks::<4>();
        (bytes.len() == Self::BYTES && rest.is_empty()).then(|| {
            let pixels = points.iter().map(|[red, green, blue, _]| Color32::from_rgb(*red, *green, *blue));
            Self(ColorImage::new([SIDE, SIDE], pixels.collect()))
        })
    }

    /// Loads the picture for drawing. The answer must live as long as it is drawn.
    pub fn load(&self, ctx: &Context) -> TextureHandle {
        ctx.load_texture("seal", self.reduced(4), TextureOptions::LINEAR)
    }

    /// The picture with each side divided, every point the mean of those it stands for; so it stays
    /// smooth where it is drawn small.
    fn reduced(&self, by: usize) -> ColorImage {
        let side = SIDE / by.max(1);
        let count = u32::try_from(by.saturating_mul(by).max(1)).unwrap_or(1);
        let mut pixels = Vec::with_capacity(side.saturating_mul(side));
        for row in 0..side {
            for column in 0..side {
                let mut sum = [0_u32; 3];
                for y in row * by..(row + 1) * by {
                    for x in column * by..(column + 1) * by {
                        let point = self.0.pixels.get(y * SIDE + x).copied().unwrap_or_default();
                        for (sum, part) in sum.iter_mut().zip([point.r(), point.g(), point.b()]) {
                            *sum += u32::from(part);
                        }
                    }
                }
                let [red, green, blue] = sum.map(|sum| u8::try_from(sum / count).unwrap_or(u8::MAX));
                pixels.push(Color32::from_rgb(red, green, blue));
            }
        }
        ColorImage::new([side, side], pixels)
    }
}

impl std::fmt::Debug for Picture {
    /// The picture is never printed: whoever has it can imitate the window.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Picture(…)")
    }
}

/// The seal as a view gets it once the archive is open.
#[derive(Clone)]
pub struct Seal {
    /// The two words.
    pub words: Words,
    /// The loaded picture.
    pub picture: TextureHandle,
    /// The colour of the frame.
    pub hue: FrameHue,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Seal(…)")
    }
}

/// Draws the picture into a rectangle.
pub fn paint(ui: &Ui, theme: &Theme, picture: &TextureHandle, rect: Rect) {
    let uv = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    let radius = CornerRadius::same(size::RADIUS);
    // White leaves the points of a texture as they are.
    let shape = RectShape::filled(rect, radius, Color32::WHITE).with_texture(picture.id(), uv);
    ui.painter().add(Shape::Rect(shape));
    ui.painter().rect_stroke(rect, radius, Stroke::new(1.0, theme.line), StrokeKind::Inside);
}

/// Draws the picture as an element of its own, with the given side.
pub fn show(ui: &mut Ui, theme: &Theme, texts: &Texts, seal: &Seal, side: f32) {
    let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::hover());
    paint(ui, theme, &seal.picture, rect);
    response.widget_info(|| WidgetInfo::labeled(A11yRole::Image, true, texts.get(Msg::BarSeal)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_needs_all_its_bytes() {
        assert!(Picture::from_rgba(&vec![9; Picture::BYTES]).is_some());
        assert!(Picture::from_rgba(&vec![9; Picture::BYTES - 1]).is_none());
        assert!(Picture::from_rgba(&vec![9; Picture::BYTES + 4]).is_none());
    }

    #[test]
    fn reducing_takes_the_mean() {
        let mut bytes = vec![0; Picture::BYTES];
        bytes.chunks_exact_mut(4).for_each(|point| point.copy_from_slice(&[200, 100, 50, 255]));
        let picture = Picture::from_rgba(&bytes).unwrap();
        let small = picture.reduced(4);
        assert_eq!(small.size, [SIDE / 4, SIDE / 4]);
        assert!(small.pixels.iter().all(|pixel| pixel.to_array() == [200, 100, 50, 255]));
    }

    #[test]
    fn printing_tells_nothing_of_picture_and_words() {
        assert_eq!(format!("{:?}", Words::new("amber", "lighthouse")), "Words(…)");
        assert_eq!(format!("{:?}", Picture::emblem(Emblem::from_seed([1; 32]))), "Picture(…)");
    }
}
