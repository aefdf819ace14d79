//! Emblems: pictures drawn from a random seed, for users who take no photo of their own as their seal.
//!
//! A seed of 32 bytes chooses one of 24 motifs, 12 palettes, 8 grounds and 4 accents: 9,216 pictures
//! that can be told apart at a glance. The picture is computed here, point by point, so that the same
//! seed gives the same bytes on every machine.

mod motifs;

use egui::{Color32, ColorImage};

use motifs::{ACCENT_PARTS, MOTIF_PARTS};

use crate::theme::{EMBLEM_PALETTES, Inks, emblem_inks};

/// How many motifs there are.
pub const MOTIFS: u16 = 24;
/// How many grounds there are.
pub const GROUNDS: u16 = 8;
/// How many accents there are.
pub const ACCENTS: u16 = 4;

/// The side of a picture in points.
pub const SIDE: usize = 256;

/// What a seed chose.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Emblem {
    motif: u16,
    palette: u16,
    ground: u16,
    accent: u16,
}

impl Emblem {
    /// Chooses by the first eight bytes of the seed; the others are kept for choices to come.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = seed;
        Self {
            motif: u16::from_be_bytes([a, b]) % MOTIFS,
            palette: u16::from_be_bytes([c, d]) % EMBLEM_PALETTES,
            ground: u16::from_be_bytes([e, f]) % GROUNDS,
            accent: u16::from_be_bytes([g, h]) % ACCENTS,
        }
    }

    /// Puts an emblem together by hand, for showing all of them; numbers beyond the last start over.
    #[must_use]
    pub const fn of(motif: u16, palette: u16, ground: u16, accent: u16) -> Self {
        let palette = palette % EMBLEM_PALETTES;
        Self { motif: motif % MOTIFS, palette, ground: ground % GROUNDS, accent: accent % ACCENTS }
    }

    /// Draws the picture with the given side, each point as the mean of four.
    #[must_use]
    pub fn picture(&self, side: usize) -> ColorImage {
        let inks = emblem_inks(self.palette);
        let motif = MOTIF_PARTS.get(usize::from(self.motif)).copied().unwrap_or_default();
        let scale = 1.0 / side.max(1) as f32;
        let mut pixels = Vec::with_capacity(side.saturating_mul(side));
        for row in 0..side {
            for column in 0..side {
                let mut sum = [0_u16; 3];
                for sample in 0_u8..4 {
                    let x = (column as f32 + (f32::from(sample % 2) + 0.5) / 2.0) * scale;
                    let y = (row as f32 + (f32::from(sample / 2) + 0.5) / 2.0) * scale;
                    let colour = ink(inks, self.at(motif, x, y));
                    for (sum, part) in sum.iter_mut().zip([colour.r(), colour.g(), colour.b()]) {
                        *sum = sum.saturating_add(u16::from(part));
                    }
                }
                let [red, green, blue] = sum.map(|part| u8::try_from(part / 4).unwrap_or(u8::MAX));
                pixels.push(Color32::from_rgb(red, green, blue));
            }
        }
        ColorImage::new([side, side], pixels)
    }

    /// The ink at a point: the uppermost part that covers it.
    fn at(&self, motif: &[(Ink, Shape)], x: f32, y: f32) -> Ink {
        let covering = motif.iter().rev().find(|(_, shape)| shape.covers(x, y));
        if let Some((ink, _)) = covering {
            return *ink;
        }
        let accent = ACCENT_PARTS.get(usize::from(self.accent)).copied().unwrap_or_default();
        if accent.iter().any(|shape| shape.covers(x, y)) {
            return Ink::Detail;
        }
        if on_land(self.ground, x, y) { Ink::Land } else { Ink::Sky }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Ink {
    Detail,
    Land,
    Motif,
    Sky,
}

const fn ink(inks: Inks, ink: Ink) -> Color32 {
    match ink {
        Ink::Detail => inks.detail,
        Ink::Land => inks.land,
        Ink::Motif => inks.motif,
        Ink::Sky => inks.sky,
    }
}

/// A shape in a square of side 1, y pointing down.
#[derive(Clone, Copy, Debug)]
enum Shape {
    /// Upper half of an ellipse: centre, radii.
    Dome(f32, f32, f32, f32),
    /// Ellipse: centre, radii.
    Oval(f32, f32, f32, f32),
    /// Convex polygon.
    Poly(&'static [(f32, f32)]),
    /// Left, top, right, bottom.
    Rect(f32, f32, f32, f32),
    /// Centre, outer radius, width.
    Ring(f32, f32, f32, f32),
    /// Centre and outer radius of a star with five points.
    Star(f32, f32, f32),
}

impl Shape {
    fn covers(&self, x: f32, y: f32) -> bool {
        match *self {
            Self::Dome(cx, cy, rx, ry) => y <= cy && Self::Oval(cx, cy, rx, ry).covers(x, y),
            Self::Oval(cx, cy, rx, ry) => {
                let (dx, dy) = ((x - cx) / rx, (y - cy) / ry);
                dx * dx + dy * dy <= 1.0
            }
            Self::Poly(corners) => {
                let next = corners.iter().cycle().skip(1);
                let mut sides = corners.iter().zip(next).map(|(a, b)| turn(*a, *b, (x, y)));
                let first = sides.next().unwrap_or(false);
                sides.all(|side| side == first)
            }
            Self::Rect(left, top, right, bottom) => x >= left && x <= right && y >= top && y <= bottom,
            Self::Ring(cx, cy, radius, width) => {
                let distance = ((x - cx) * (x - cx) + (y - cy) * (y - cy)).sqrt();
                distance <= radius && distance >= radius - width
            }
            Self::Star(cx, cy, radius) => {
                let (dx, dy) = (x - cx, cy - y);
                let distance = (dx * dx + dy * dy).sqrt();
                // Folded into half a point of the star, whose edge is one straight line from the tip
                // to the inner corner.
                let fifth = std::f32::consts::TAU / 5.0;
                let angle = dx.atan2(dy).rem_euclid(fifth);
                let angle = angle.min(fifth - angle);
                let point = (distance * angle.cos(), distance * angle.sin());
                let inner = 0.42 * radius;
                let corner = (inner * (fifth / 2.0).cos(), inner * (fifth / 2.0).sin());
                turn((radius, 0.0), corner, point)
            }
        }
    }
}

/// On which side of the line from a to b the point lies.
fn turn(a: (f32, f32), b: (f32, f32), p: (f32, f32)) -> bool {
    (b.0 - a.0) * (p.1 - a.1) - (b.1 - a.1) * (p.0 - a.0) >= 0.0
}

/// The patterns behind the motif.
fn on_land(ground: u16, x: f32, y: f32) -> bool {
    match ground {
        0 => false,
        1 => y > 0.78,
        2 => {
            Shape::Oval(0.2, 1.06, 0.5, 0.34).covers(x, y) || Shape::Oval(0.85, 1.04, 0.45, 0.26).covers(x, y)
        }
        3 => (x * 5.0).rem_euclid(1.0) < 0.5,
        4 => (x + y) > 0.72 && (x + y) < 1.28,
        5 => Shape::Oval(0.5, 0.5, 0.42, 0.42).covers(x, y),
        6 => {
            let (dx, dy) = ((x * 6.0).rem_euclid(1.0) - 0.5, (y * 6.0).rem_euclid(1.0) - 0.5);
            dx * dx + dy * dy < 0.07
        }
        _ => y > 0.7 && ((y + (x * 18.0).sin() * 0.018) * 10.0).rem_euclid(1.0) < 0.55,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn one_seed_gives_one_picture() {
        let seed = [7; 32];
        assert_eq!(Emblem::from_seed(seed), Emblem::from_seed(seed));
        assert_eq!(Emblem::from_seed(seed).picture(32).pixels, Emblem::from_seed(seed).picture(32).pixels);
    }

    #[test]
    fn every_choice_can_be_told_from_every_other() {
        let base = Emblem::of(0, 0, 0, 0);
        let mut seen = BTreeSet::new();
        let mut look = |emblem: Emblem| {
            let bytes: Vec<[u8; 4]> =
                emblem.picture(24).pixels.iter().map(|pixel| pixel.to_array()).collect();
            seen.insert(bytes);
        };
        look(base);
        (1..MOTIFS).for_each(|motif| look(Emblem { motif, ..base }));
        (1..EMBLEM_PALETTES).for_each(|palette| look(Emblem { palette, ..base }));
        (1..GROUNDS).for_each(|ground| look(Emblem { ground, ..base }));
        (1..ACCENTS).for_each(|accent| look(Emblem { accent, ..base }));
        assert_eq!(seen.len(), usize::from(1 + MOTIFS - 1 + EMBLEM_PALETTES - 1 + GROUNDS - 1 + ACCENTS - 1));
    }

    #[test]
    fn a_motif_fills_a_fair_part_of_the_picture_and_not_all_of_it() {
        for motif in 0..MOTIFS {
            let emblem = Emblem::of(motif, 0, 0, 0);
            let parts = MOTIF_PARTS[usize::from(motif)];
            let points = (0..400).filter(|point| {
                let (x, y) = ((point % 20) as f32 / 20.0 + 0.025, (point / 20) as f32 / 20.0 + 0.025);
                !matches!(emblem.at(parts, x, y), Ink::Sky)
            });
            let covered = points.count();
            assert!((40..300).contains(&covered), "motif {motif} covers {covered} of 400");
        }
    }

    #[test]
    fn the_seed_reaches_every_motif() {
        let reached: BTreeSet<u16> = (0..=255_u8)
            .map(|byte| {
                let mut seed = [0; 32];
                seed[1] = byte;
                Emblem::from_seed(seed).motif
            })
            .collect();
        assert_eq!(reached.len(), usize::from(MOTIFS));
    }
}
