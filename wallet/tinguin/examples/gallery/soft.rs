//! Draws egui's triangles on the processor: the same picture on every machine, without a graphics card.
//!
//! Edge functions with the top-left rule, bilinear sampling of textures, premultiplied blending in
//! gamma space, as egui's own painters blend.

use std::collections::BTreeMap;

use egui::epaint::{ImageDelta, Mesh, Primitive, Vertex};
use egui::{Color32, Context, FullOutput, Pos2, Rect, TextureFilter, TextureId, TexturesDelta};

/// The textures so far.
#[derive(Default)]
pub(crate) struct SoftRenderer {
    textures: BTreeMap<TextureId, Texture>,
}

struct Texture {
    width: usize,
    height: usize,
    points: Vec<Color32>,
    nearest: bool,
}

/// A finished picture: rows of red, green, blue.
pub(crate) struct Canvas {
    pub(crate) width: usize,
    pub(crate) height: usize,
    points: Vec<[f32; 3]>,
}

impl Canvas {
    fn new(width: usize, height: usize) -> Self {
        Self { width, height, points: vec![[0.0; 3]; width * height] }
    }

    /// The picture as bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.points.iter().flatten().map(|part| part.round().clamp(0.0, 255.0) as u8).collect()
    }
}

impl SoftRenderer {
    /// Takes in what changed in the textures of one pass.
    pub(crate) fn update(&mut self, mut delta: TexturesDelta) {
        for (id, images) in delta.set.drain() {
            for image in images {
                self.set(id, &image);
            }
        }
        for id in delta.free.drain() {
            self.textures.remove(&id);
        }
    }

    fn set(&mut self, id: TextureId, delta: &ImageDelta) {
        let egui::ImageData::Color(image) = &delta.image;
        let [width, height] = image.size;
        match delta.pos {
            None => {
                let nearest = delta.options.magnification == TextureFilter::Nearest;
                let points = image.pixels.clone();
                self.textures.insert(id, Texture { width, height, points, nearest });
            }
            Some([left, top]) => {
                let Some(texture) = self.textures.get_mut(&id) else { return };
                for row in 0..height {
                    let from = row * width;
                    let to = (top + row) * texture.width + left;
                    texture.points[to..to + width].copy_from_slice(&image.pixels[from..from + width]);
                }
            }
        }
    }

    /// Draws the shapes of one pass.
    pub(crate) fn draw(&self, ctx: &Context, output: &FullOutput) -> Canvas {
        let scale = ctx.pixels_per_point();
        let size = ctx.content_rect().size() * scale;
        let mut canvas = Canvas::new(size.x.round() as usize, size.y.round() as usize);
        for clipped in ctx.tessellate(output.shapes.clone(), scale) {
            let Primitive::Mesh(mesh) = clipped.primitive else { continue };
            let Some(texture) = self.textures.get(&mesh.texture_id) else { continue };
            draw_mesh(&mut canvas, texture, &mesh, clipped.clip_rect, scale);
        }
        canvas
    }
}

fn draw_mesh(canvas: &mut Canvas, texture: &Texture, mesh: &Mesh, clip: Rect, scale: f32) {
    for corners in mesh.indices.chunks_exact(3) {
        let corner = |index: usize| mesh.vertices[corners[index] as usize];
        draw_triangle(canvas, texture, [corner(0), corner(1), corner(2)], clip, scale);
    }
}

/// Twice the area of the triangle a, b, p; its sign says on which side of a–b the point p lies.
fn edge(a: Pos2, b: Pos2, p: Pos2) -> f32 {
    (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x)
}

/// A point on this edge belongs to the triangle: so two triangles with a common edge share no point.
fn owns(a: Pos2, b: Pos2) -> bool {
    (a.y == b.y && b.x > a.x) || b.y < a.y
}

fn draw_triangle(canvas: &mut Canvas, texture: &Texture, mut v: [Vertex; 3], clip: Rect, scale: f32) {
    let place = |vertex: Vertex| Pos2::new(vertex.pos.x * scale, vertex.pos.y * scale);
    if edge(place(v[0]), place(v[1]), place(v[2])) < 0.0 {
        v.swap(1, 2);
    }
    let [a, b, c] = v.map(place);
    let area = edge(a, b, c);
    if area < 1e-9 {
        return;
    }
    let inside =
        |low: f32, high: f32, end: usize| (low.max(0.0) as usize)..(high.max(0.0).min(end as f32) as usize);
    let (left, right) = (a.x.min(b.x).min(c.x).floor(), a.x.max(b.x).max(c.x).ceil());
    let (top, bottom) = (a.y.min(b.y).min(c.y).floor(), a.y.max(b.y).max(c.y).ceil());
    let (low, high) = (clip.min * scale, clip.max * scale);
    let columns = inside(left.max(low.x.round()), right.min(high.x.round()), canvas.width);
    let rows = inside(top.max(low.y.round()), bottom.min(high.y.round()), canvas.height);
    let owned = [owns(b, c), owns(c, a), owns(a, b)];
    for row in rows {
        for column in columns.clone() {
            let p = Pos2::new(column as f32 + 0.5, row as f32 + 0.5);
            let weight = [edge(b, c, p), edge(c, a, p), edge(a, b, p)];
            let out =
                weight.iter().zip(owned).any(|(weight, owned)| *weight < 0.0 || (*weight == 0.0 && !owned));
            if !out {
                let source = shade(texture, &v, weight.map(|weight| weight / area));
                blend(&mut canvas.points[row * canvas.width + column], source);
            }
        }
    }
}

/// The colour of a point: vertex colours times texture.
fn shade(texture: &Texture, v: &[Vertex; 3], weight: [f32; 3]) -> [f32; 4] {
    let mix = |part: fn(&Vertex) -> f32| {
        v.iter().zip(weight).map(|(vertex, weight)| part(vertex) * weight).sum::<f32>()
    };
    let texel = texture.sample(mix(|vertex| vertex.uv.x), mix(|vertex| vertex.uv.y));
    let colour = [
        mix(|vertex| f32::from(vertex.color.r())),
        mix(|vertex| f32::from(vertex.color.g())),
        mix(|vertex| f32::from(vertex.color.b())),
        mix(|vertex| f32::from(vertex.color.a())),
    ];
    let mut out = [0.0; 4];
    for (out, (texel, colour)) in out.iter_mut().zip(texel.into_iter().zip(colour)) {
        *out = texel * colour / 255.0;
    }
    out
}

fn blend(target: &mut [f32; 3], source: [f32; 4]) {
    let rest = 1.0 - source[3] / 255.0;
    for (target, source) in target.iter_mut().zip(source) {
        *target = source + *target * rest;
    }
}

impl Texture {
    fn at(&self, x: f32, y: f32) -> [f32; 4] {
        let column = (x.max(0.0) as usize).min(self.width - 1);
        let row = (y.max(0.0) as usize).min(self.height - 1);
        self.points[row * self.width + column].to_array().map(f32::from)
    }

    fn sample(&self, u: f32, v: f32) -> [f32; 4] {
        let (x, y) = (u * self.width as f32, v * self.height as f32);
        if self.nearest {
            return self.at(x, y);
        }
        let (x, y) = (x - 0.5, y - 0.5);
        let (left, top) = (x.floor(), y.floor());
        let (across, down) = (x - left, y - top);
        let corners = [
            self.at(left, top),
            self.at(left + 1.0, top),
            self.at(left, top + 1.0),
            self.at(left + 1.0, top + 1.0),
        ];
        let weight =
            [(1.0 - across) * (1.0 - down), across * (1.0 - down), (1.0 - across) * down, across * down];
        let mut out = [0.0; 4];
        for (corner, weight) in corners.into_iter().zip(weight) {
            for (out, part) in out.iter_mut().zip(corner) {
                *out += part * weight;
            }
        }
        out
    }
}
