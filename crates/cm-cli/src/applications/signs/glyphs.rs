//! The synthetic signs: what each is called, its shape, its colors, and what is painted on it.

use tiny_skia::Color;

/// The shape of a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outline {
    Circle,
    Triangle,
    /// A triangle on its tip.
    Downward,
    Diamond,
    Square,
    Octagon,
}

/// A place on a sign, whose outline has a radius of 1; y goes down.
pub type Point = (f32, f32);

/// What is painted on a sign.
#[derive(Debug, Clone, Copy)]
pub enum Glyph {
    /// Lines from point to point.
    Lines(&'static [&'static [Point]]),
    /// Round spots.
    Dots(&'static [Point]),
}

/// A kind of sign.
#[derive(Debug, Clone, Copy)]
pub struct SignClass {
    /// What a person calls it.
    pub name: &'static str,
    /// Its shape.
    pub outline: Outline,
    /// What is painted on it.
    pub glyph: Glyph,
    /// Fill, border and glyph, each of red, green and blue from 0 to 1.
    colors: [[f32; 3]; 3],
}

impl SignClass {
    pub fn fill(&self) -> Color {
        self.color(0)
    }

    pub fn border(&self) -> Color {
        self.color(1)
    }

    pub fn ink(&self) -> Color {
        self.color(2)
    }

    fn color(&self, which: usize) -> Color {
        let [red, green, blue] = self.colors[which];
        Color::from_rgba(red, green, blue, 1.0).unwrap_or(Color::BLACK)
    }
}

const RED: [f32; 3] = [0.8, 0.1, 0.12];
const BLUE: [f32; 3] = [0.08, 0.25, 0.65];
const WHITE: [f32; 3] = [0.95, 0.95, 0.95];
const BLACK: [f32; 3] = [0.08, 0.08, 0.08];
const YELLOW: [f32; 3] = [0.95, 0.8, 0.15];

const UP: &[&[Point]] = &[&[(0.0, 0.45), (0.0, -0.45)], &[(-0.25, -0.15), (0.0, -0.45), (0.25, -0.15)]];
const LEFT: &[&[Point]] = &[&[(0.45, 0.0), (-0.45, 0.0)], &[(-0.15, -0.25), (-0.45, 0.0), (-0.15, 0.25)]];
const RIGHT: &[&[Point]] = &[&[(-0.45, 0.0), (0.45, 0.0)], &[(0.15, -0.25), (0.45, 0.0), (0.15, 0.25)]];
const BAR: &[&[Point]] = &[&[(-0.5, 0.0), (0.5, 0.0)]];
const CROSS: &[&[Point]] = &[&[(-0.35, -0.35), (0.35, 0.35)], &[(0.35, -0.35), (-0.35, 0.35)]];
const UPRIGHT: &[&[Point]] = &[&[(0.0, -0.3), (0.0, 0.2)], &[(0.0, 0.42), (0.0, 0.43)]];
const BEND: &[&[Point]] = &[&[(-0.2, 0.4), (-0.2, 0.1), (0.2, -0.05), (0.2, -0.3)]];
const SEVEN: &[&[Point]] = &[&[(-0.3, -0.4), (0.3, -0.4), (-0.1, 0.45)]];
const ONE: &[&[Point]] = &[&[(-0.2, -0.2), (0.1, -0.45), (0.1, 0.45)]];
const ZED: &[&[Point]] = &[&[(-0.3, -0.4), (0.3, -0.4), (-0.3, 0.4), (0.3, 0.4)]];

const fn class(name: &'static str, outline: Outline, glyph: Glyph, colors: [[f32; 3]; 3]) -> SignClass {
    SignClass { name, outline, glyph, colors }
}

/// The kinds of signs, the most common first.
pub const CLASSES: [SignClass; 16] = [
    class("limit 1", Outline::Circle, Glyph::Lines(ONE), [WHITE, RED, BLACK]),
    class("limit 7", Outline::Circle, Glyph::Lines(SEVEN), [WHITE, RED, BLACK]),
    class("limit Z", Outline::Circle, Glyph::Lines(ZED), [WHITE, RED, BLACK]),
    class("straight on", Outline::Circle, Glyph::Lines(UP), [BLUE, WHITE, WHITE]),
    class("turn left", Outline::Circle, Glyph::Lines(LEFT), [BLUE, WHITE, WHITE]),
    class("turn right", Outline::Circle, Glyph::Lines(RIGHT), [BLUE, WHITE, WHITE]),
    class("no entry", Outline::Circle, Glyph::Lines(BAR), [RED, WHITE, WHITE]),
    class("no stopping", Outline::Circle, Glyph::Lines(CROSS), [BLUE, RED, RED]),
    class("danger", Outline::Triangle, Glyph::Lines(UPRIGHT), [WHITE, RED, BLACK]),
    class("bend", Outline::Triangle, Glyph::Lines(BEND), [WHITE, RED, BLACK]),
    class("two dots", Outline::Triangle, Glyph::Dots(&[(-0.2, 0.15), (0.2, 0.15)]), [WHITE, RED, BLACK]),
    class(
        "three dots",
        Outline::Triangle,
        Glyph::Dots(&[(0.0, -0.2), (-0.2, 0.2), (0.2, 0.2)]),
        [WHITE, RED, BLACK],
    ),
    class("give way", Outline::Downward, Glyph::Dots(&[]), [WHITE, RED, BLACK]),
    class("main road", Outline::Diamond, Glyph::Dots(&[]), [YELLOW, WHITE, BLACK]),
    class("stop", Outline::Octagon, Glyph::Lines(BAR), [RED, WHITE, WHITE]),
    class("parking", Outline::Square, Glyph::Lines(UP), [BLUE, WHITE, WHITE]),
];
