//! Small static charts as SVG: no script, sizes in a view box, colours from the page's style sheet.
//!
//! A [`Chart`] is one panel with two axes. Every mark carries a class (the style sheet gives it colour, dashes and
//! shape) and, where it stands for people, a `<title>` that tells its numbers. All text is escaped here.

use std::fmt::Write as _;

/// Width of a chart in view box units: that of a phone's page, so that text has the page's size there.
const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 262.0;
const LEFT: f64 = 50.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 28.0;
const BOTTOM: f64 = 44.0;

/// One axis: what it measures, from where to where, and how its ticks are written.
pub(super) struct Axis {
    /// What it measures.
    pub(super) label: &'static str,
    /// The value at its start.
    pub(super) low: f64,
    /// The value at its end.
    pub(super) high: f64,
    /// The ticks and their texts.
    pub(super) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// An axis that holds all `values`, begins and ends at a tick, with about four round steps.
    pub(super) fn holding(
        label: &'static str,
        values: impl IntoIterator<Item = f64>,
        write: fn(f64) -> String,
    ) -> Self {
        let (low, high) = values
            .into_iter()
            .filter(|value| value.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        let (low, high) = match (low, high) {
            (low, high) if low < high => (low, high),
            (same, _) if same.is_finite() => (same.min(0.0), same.max(same.min(0.0) + 1.0)),
            _ => (0.0, 1.0),
        };
        let step = round_step((high - low) / 4.0);
        let (first, last) = ((low / step + 1e-9).floor(), (high / step - 1e-9).ceil());
        let ticks = whole_numbers(first, last).map(|i| (i * step, write(i * step))).collect();
        Self { label, low: first * step, high: last * step, ticks }
    }

    /// An axis of `n` places for the given texts; of many, some are left out.
    pub(super) fn places(label: &'static str, texts: &[String], most: usize) -> Self {
        let every = texts.len().div_ceil(most.max(1)).max(1);
        let offset = if texts.is_empty() { 0 } else { (texts.len() - 1) % every };
        let shown = texts.iter().enumerate().skip(offset).step_by(every);
        let ticks = shown.map(|(i, text)| (place(i), text.clone())).collect();
        Self { label, low: -0.5, high: place(texts.len().max(1)) - 0.5, ticks }
    }
}

/// The middle of the i-th place of an axis of places.
pub(super) fn place(i: usize) -> f64 {
    f64::from(u32::try_from(i).unwrap_or(u32::MAX))
}

/// 1, 2 or 5 times a power of ten, not below `step`.
fn round_step(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|&nice| nice >= step * 0.999).unwrap_or(10.0 * power)
}

fn whole_numbers(first: f64, last: f64) -> impl Iterator<Item = f64> {
    std::iter::successors(Some(first), |i| Some(i + 1.0)).take_while(move |i| *i <= last + 0.5).take(50)
}

/// A panel that marks are added to.
pub(super) struct Chart {
    id: String,
    title: String,
    description: String,
    x: Axis,
    y: Axis,
    marks: String,
}

impl Chart {
    /// An empty panel. `id` is unique on the page.
    pub(super) fn new(id: impl Into<String>, title: &str, description: &str, x: Axis, y: Axis) -> Self {
        Self { id: id.into(), title: title.into(), description: description.into(), x, y, marks: String::new() }
    }

    /// From the lowest to the highest value of the upright axis.
    pub(super) fn height(&self) -> f64 {
        self.y.high - self.y.low
    }

    fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let along = |value: f64, axis: &Axis| (value - axis.low) / (axis.high - axis.low);
        (
            LEFT + along(x, &self.x) * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - along(y, &self.y) * (HEIGHT - TOP - BOTTOM),
        )
    }

    fn path(&self, points: impl IntoIterator<Item = (f64, f64)>) -> String {
        let mut path = String::new();
        for (x, y) in points {
            let (x, y) = self.at(x, y);
            let _ = write!(path, "{}{x:.1} {y:.1}", if path.is_empty() { 'M' } else { 'L' });
        }
        path
    }

    /// A line through the points.
    pub(super) fn line(&mut self, class: &str, points: &[(f64, f64)]) {
        let path = self.path(points.iter().copied());
        let _ = write!(self.marks, r#"<path class="line {class}" d="{path}"/>"#);
    }

    /// The area between two lines: `(x, low, high)`.
    pub(super) fn band(&mut self, points: &[(f64, f64, f64)]) {
        let there = points.iter().map(|&(x, low, _)| (x, low));
        let back = points.iter().rev().map(|&(x, _, high)| (x, high));
        let path = self.path(there.chain(back));
        let _ = write!(self.marks, r#"<path class="band" d="{path}Z"/>"#);
    }

    /// The area between two lines, `(x, low, high)`, and what it tells.
    pub(super) fn area(&mut self, class: &str, points: &[(f64, f64, f64)], tip: &str) {
        let there = points.iter().map(|&(x, low, _)| (x, low));
        let back = points.iter().rev().map(|&(x, _, high)| (x, high));
        let path = self.path(there.chain(back));
        let _ = write!(self.marks, r#"<path class="area {class}" d="{path}Z"><title>{}</title></path>"#, escape(tip));
    }

    /// A bar from the axis up to `y`, `width` wide in units of x.
    pub(super) fn bar(&mut self, class: &str, x: f64, width: f64, y: f64, tip: &str) {
        let ((left, top), (right, bottom)) =
            (self.at(x - width / 2.0, y), self.at(x + width / 2.0, self.y.low.max(0.0)));
        let (y, height) = (top.min(bottom), (bottom - top).abs());
        let _ = write!(
            self.marks,
            r#"<rect class="bar {class}" x="{left:.1}" y="{y:.1}" width="{:.1}" height="{height:.1}" rx="2"><title>{}</title></rect>"#,
            right - left,
            escape(tip),
        );
    }

    /// An interval at `x`.
    pub(super) fn whisker(&mut self, x: f64, low: f64, high: f64) {
        let ((x, bottom), (_, top)) = (self.at(x, low), self.at(x, high));
        let _ = write!(self.marks, r#"<path class="whisker" d="M{x:.1} {bottom:.1}V{top:.1}"/>"#);
    }

    /// A point: a circle, a diamond or a square.
    pub(super) fn point(&mut self, shape: Shape, x: f64, y: f64, tip: &str) {
        let (x, y) = self.at(x, y);
        let (class, path) = match shape {
            Shape::Circle => ("circle", format!("M{:.1} {y:.1}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z", x - 4.0)),
            Shape::Diamond => ("diamond", format!("M{x:.1} {:.1}l5 5l-5 5l-5 -5Z", y - 5.0)),
            Shape::Square => ("square", format!("M{:.1} {:.1}h8v8h-8Z", x - 4.0, y - 4.0)),
        };
        let _ = write!(self.marks, r#"<path class="point {class}" d="{path}"><title>{}</title></path>"#, escape(tip));
    }

    /// Words beside a mark, `up` units above it; `anchor` is start, middle or end.
    pub(super) fn words(&mut self, anchor: &str, (x, y): (f64, f64), up: f64, text: &str) {
        let (x, y) = self.at(x, y);
        let y = y - up;
        let _ = write!(
            self.marks,
            r#"<text class="note" x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{}</text>"#,
            escape(text)
        );
    }

    /// The whole drawing.
    pub(super) fn finish(self) -> String {
        let mut svg = open(&self.id, "chart", (WIDTH, HEIGHT), &self.title, &self.description);
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for (value, text) in &self.y.ticks {
            let (_, y) = self.at(self.x.low, *value);
            let _ = write!(svg, r#"<path class="gridline" d="M{LEFT} {y:.1}H{right}"/>"#);
            let _ =
                write!(svg, r#"<text x="{}" y="{:.1}" text-anchor="end">{}</text>"#, LEFT - 6.0, y + 4.0, escape(text));
        }
        for (value, text) in &self.x.ticks {
            let (x, _) = self.at(*value, self.y.low);
            let is_wide = text.len() > 4 && x > WIDTH - 40.0;
            let (x, anchor) = if is_wide { (x + 8.0, "end") } else { (x, "middle") };
            let _ =
                write!(svg, r#"<text x="{x:.1}" y="{}" text-anchor="{anchor}">{}</text>"#, bottom + 16.0, escape(text));
        }
        let _ = write!(svg, r#"<path class="axis" d="M{LEFT} {bottom}H{right}"/>{}"#, self.marks);
        let middle = f64::midpoint(LEFT, right);
        let _ = write!(
            svg,
            r#"<text class="label" x="{middle}" y="{}" text-anchor="middle">{}</text>"#,
            HEIGHT - 6.0,
            self.x.label
        );
        let _ = write!(svg, r#"<text class="label" x="2" y="12">{}</text></svg>"#, self.y.label);
        svg
    }
}

/// The shape of a point: it tells groups apart without colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Round.
    Circle,
    /// On its tip.
    Diamond,
    /// On its side.
    Square,
}

/// The opening tag with the title and description that screen readers tell.
pub(super) fn open(id: &str, class: &str, (width, height): (f64, f64), title: &str, description: &str) -> String {
    format!(
        r#"<svg class="{class}" viewBox="0 0 {width} {height}" role="img" aria-labelledby="{id}-t {id}-d"><title id="{id}-t">{}</title><desc id="{id}-d">{}</desc>"#,
        escape(title),
        escape(description),
    )
}

/// A hundred dots, `filled` of them solid and the rest rings, in rows of twenty.
pub(super) fn dots(id: &str, filled: u32, title: &str) -> String {
    let mut paths = [String::new(), String::new()];
    for i in 0..100u32 {
        let (x, y) = (f64::from(i % 20) * 17.0 + 9.0, f64::from(i / 20) * 17.0 + 9.0);
        let _ = write!(paths[usize::from(i >= filled)], "M{x} {y}m-5.5 0a5.5 5.5 0 1 0 11 0a5.5 5.5 0 1 0 -11 0Z");
    }
    let [solid, ring] = paths;
    let open = open(id, "dots", (341.0, 86.0), title, "A hundred dots; each solid dot is a person who moves on.");
    format!(r#"{open}<path class="solid" d="{solid}"/><path class="ring" d="{ring}"/></svg>"#)
}

/// Text that is safe between tags and in attributes.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::words;

    #[test]
    fn axes_hold_their_values_between_round_ticks() {
        let axis = Axis::holding("share", [0.013, 0.231], words::percent_tick);
        let texts: Vec<&str> = axis.ticks.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["0 %", "10 %", "20 %", "30 %"]);
        let flat = Axis::holding("share", [0.0, 0.0], words::tick);
        assert!(flat.high > flat.low);
        let none = Axis::holding("share", [f64::NAN], words::tick);
        assert!(none.high.is_finite() && none.high > none.low, "{} {}", none.low, none.high);
    }

    #[test]
    fn text_in_a_drawing_cannot_leave_it() {
        assert_eq!(escape(r#"</title><script>"'&"#), "&lt;/title&gt;&lt;script&gt;&quot;&#39;&amp;");
    }
}
