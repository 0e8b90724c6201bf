//! The stage flow as a Sankey diagram: a bar per stage, in the order of the lifecycle, and a band per transition, each as
//! thick as it has people.
//!
//! Every stage has a place of its own along the diagram. A band that passes stages is led past them, below their
//! bars (as dummy nodes do in layered graphs: Sugiyama, Tagawa and Toda 1981); a band that goes back leaves its stage,
//! turns round and comes back underneath. Drawn from left to right for wide pages and downwards for phones.

use std::fmt::Write as _;

use crate::report::{svg, words};

/// A stage of the diagram.
pub(super) struct Node {
    /// Its name.
    pub(super) name: String,
    /// People who were ever in it.
    pub(super) n_ever: u64,
    /// People who are in it now.
    pub(super) n_now: u64,
}

/// A transition of the diagram.
pub(super) struct Link {
    /// Position of the stage left.
    pub(super) from: usize,
    /// Position of the stage entered.
    pub(super) to: usize,
    /// People who made it.
    pub(super) n_people: u64,
    /// What is told about it.
    pub(super) tip: String,
}

/// Which way the diagram runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// From left to right.
    Right,
    /// From top to bottom.
    Down,
}

/// Sizes in view box units; `along` runs with the flow, `across` at right angles to it.
struct Frame {
    direction: Direction,
    step: f64,
    first: f64,
    top: f64,
    across: f64,
}

const BAR: f64 = 12.0;
const GAP: f64 = 14.0;
const SHADES: usize = 6;

/// Draws the diagram; nothing when there is nothing to draw.
pub(super) fn draw(id: &str, direction: Direction, nodes: &[Node], links: &[Link]) -> Option<String> {
    let mut links: Vec<&Link> = links.iter().filter(|link| link.n_people > 0 && link.from != link.to).collect();
    if nodes.len() < 2 || links.is_empty() {
        return None;
    }
    links.sort_by_key(|link| (link.to < link.from, link.to.abs_diff(link.from), link.from));
    #[expect(clippy::cast_precision_loss, reason = "a lifecycle has few stages")]
    let n = nodes.len() as f64;
    let (frame, size) = match direction {
        Direction::Right => {
            let step = (960.0 / (n - 1.0)).min(320.0);
            let size = (140.0 + step * (n - 1.0), 350.0);
            (Frame { direction, step, first: 40.0, top: 62.0, across: 285.0 }, size)
        }
        Direction::Down => {
            let step = 92.0;
            let size = (360.0, 60.0 + step * (n - 1.0) + 50.0);
            (Frame { direction, step, first: 30.0, top: 10.0, across: 335.0 }, size)
        }
    };
    let title = "How people flow from stage to stage";
    let description =
        format!("{} stages; the widths tell how many people moved. The table beside has the numbers.", nodes.len());
    let mut drawing = svg::open(id, "flow", size, title, &description);
    let scale = frame.scale(nodes, &links);
    for (link, points) in links.iter().zip(frame.route(scale, nodes, &links).0) {
        frame.band(&mut drawing, link, &points, (scale * people(link.n_people)).max(1.0));
    }
    for (i, node) in nodes.iter().enumerate() {
        let room = match direction {
            Direction::Right if i + 1 < nodes.len() => frame.step,
            Direction::Right => frame.step.min(100.0),
            Direction::Down => 170.0,
        };
        frame.node(&mut drawing, i, node, scale * extent(i, nodes, &links), &shortened(&node.name, room));
    }
    drawing.push_str("</svg>");
    Some(drawing)
}

#[expect(clippy::cast_precision_loss, reason = "counts of people fit a double's 53 bits")]
fn people(count: u64) -> f64 {
    count as f64
}

/// People that a stage's bar must have room for: everyone who was there, or who left, or who came.
fn extent(node: usize, nodes: &[Node], links: &[&Link]) -> f64 {
    let total = |end: fn(&Link) -> usize| {
        links.iter().filter(|link| end(link) == node).map(|link| people(link.n_people)).sum::<f64>()
    };
    people(nodes[node].n_ever).max(total(|link| link.from)).max(total(|link| link.to))
}

impl Frame {
    /// Units across per person: as many as fit. The depth grows with the scale, so that halving finds it.
    fn scale(&self, nodes: &[Node], links: &[&Link]) -> f64 {
        let most = (0..nodes.len()).map(|i| extent(i, nodes, links)).fold(1.0, f64::max);
        let (mut low, mut high) = (0.0, self.across / most);
        for _ in 0..40 {
            let middle = f64::midpoint(low, high);
            if self.route(middle, nodes, links).1 <= self.across { low = middle } else { high = middle }
        }
        low
    }

    /// The middle of each band at each place it comes by, across (for a band that goes back: its start, its lane, its
    /// end), and how deep the diagram becomes.
    fn route(&self, scale: f64, nodes: &[Node], links: &[&Link]) -> (Vec<Vec<f64>>, f64) {
        let mut below: Vec<f64> = (0..nodes.len()).map(|i| scale * extent(i, nodes, links)).collect();
        let (mut left, mut entered) = (vec![0.0; nodes.len()], vec![0.0; nodes.len()]);
        let place = |used: &mut f64, width: f64| {
            *used += width;
            self.top + *used - width / 2.0
        };
        let mut routes = Vec::with_capacity(links.len());
        for link in links {
            let width = scale * people(link.n_people);
            let mut route = vec![place(&mut left[link.from], width)];
            if link.to < link.from {
                let passed = &mut below[link.to..=link.from];
                let mut lane = passed.iter().copied().fold(0.0, f64::max) + GAP;
                route.push(place(&mut lane, width));
                passed.fill(lane);
            }
            for used in below.iter_mut().take(link.to).skip(link.from + 1) {
                *used += GAP;
                route.push(place(used, width));
            }
            route.push(place(&mut entered[link.to], width));
            routes.push(route);
        }
        (routes, below.into_iter().fold(0.0, f64::max))
    }

    fn along(&self, i: usize) -> f64 {
        self.first + self.step * people(i as u64)
    }

    fn point(&self, along: f64, across: f64) -> String {
        match self.direction {
            Direction::Right => format!("{along:.1} {across:.1}"),
            Direction::Down => format!("{across:.1} {along:.1}"),
        }
    }

    fn curve(&self, path: &mut String, from: (f64, f64), to: (f64, f64), bend: f64) {
        let (first, second) = (self.point(from.0 + bend, from.1), self.point(to.0 - bend, to.1));
        let _ = write!(path, "C{first} {second} {}", self.point(to.0, to.1));
    }

    fn band(&self, drawing: &mut String, link: &Link, route: &[f64], width: f64) {
        let start = self.along(link.from) + BAR;
        let mut path = format!("M{}", self.point(start, route[0]));
        if link.to < link.from {
            let (turn, end) = (self.step.min(72.0) * 0.45, self.along(link.to));
            let _ = write!(
                path,
                "C{} {} {}",
                self.point(start + turn, route[0]),
                self.point(start + turn, route[1]),
                self.point(start, route[1])
            );
            let _ = write!(path, "L{}", self.point(end, route[1]));
            let _ = write!(
                path,
                "C{} {} {}",
                self.point(end - turn, route[1]),
                self.point(end - turn, route[2]),
                self.point(end, route[2])
            );
        } else {
            let mut at = (start, route[0]);
            for (i, &across) in route.iter().enumerate().skip(1) {
                let to = (self.along(link.from + i), across);
                self.curve(&mut path, at, to, (to.0 - at.0) / 2.0);
                at = (to.0 + BAR, across);
                if i + 1 < route.len() {
                    let _ = write!(path, "L{}", self.point(at.0, at.1));
                }
            }
        }
        let back = if link.to < link.from { " back" } else { "" };
        let shade = link.from % SHADES;
        let tip = svg::escape(&link.tip);
        let _ = write!(
            drawing,
            r#"<path class="flow-band s{shade}{back}" d="{path}" stroke-width="{width:.1}"><title>{tip}</title></path>"#
        );
    }

    fn node(&self, drawing: &mut String, i: usize, node: &Node, height: f64, name: &str) {
        let (along, height, shade) = (self.along(i), height.max(2.0), i % SHADES);
        let tip = svg::escape(&format!(
            "{}: {} ever, {} now",
            node.name,
            words::people(node.n_ever),
            words::count(node.n_now)
        ));
        let (x, y, width, height) = match self.direction {
            Direction::Right => (along, self.top, BAR, height),
            Direction::Down => (self.top, along, height, BAR),
        };
        let _ = write!(
            drawing,
            r#"<rect class="flow-node s{shade}" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" rx="2"><title>{tip}</title></rect>"#
        );
        let (ever, now) = (words::count(node.n_ever), words::count(node.n_now));
        let name = svg::escape(name);
        let _ = match self.direction {
            Direction::Right => write!(
                drawing,
                r#"<text class="name" x="{x:.1}" y="18">{name}</text><text x="{x:.1}" y="36">{ever} ever</text><text x="{x:.1}" y="52">{now} now</text>"#
            ),
            Direction::Down => write!(
                drawing,
                r#"<text x="{x:.1}" y="{:.1}"><tspan class="name">{name}</tspan><tspan dx="8">{ever} ever · {now} now</tspan></text>"#,
                along - 7.0
            ),
        };
    }
}

/// The first characters of a text when it is wider than there is room for; a bold letter takes about 8.5 units.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "room for a name is a small positive number"
)]
fn shortened(text: &str, room: f64) -> String {
    let n = (room / 8.5).max(4.0) as usize;
    if text.chars().count() <= n { text.into() } else { text.chars().take(n - 1).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(counts: &[u64]) -> Vec<Node> {
        counts.iter().map(|&n| Node { name: format!("s{n}"), n_ever: n, n_now: 0 }).collect()
    }

    fn link(from: usize, to: usize, n_people: u64) -> Link {
        Link { from, to, n_people, tip: String::new() }
    }

    #[test]
    fn bands_never_leave_the_frame_nor_cover_a_bar_they_pass() {
        let nodes = nodes(&[100, 60, 30, 50]);
        let links = [link(0, 1, 60), link(1, 2, 30), link(0, 3, 20), link(1, 3, 20), link(3, 1, 10)];
        let links: Vec<&Link> = links.iter().collect();
        let frame = Frame { direction: Direction::Right, step: 100.0, first: 0.0, top: 0.0, across: 300.0 };
        let scale = frame.scale(&nodes, &links);
        let (routes, _) = frame.route(scale, &nodes, &links);
        for (link, route) in links.iter().zip(&routes) {
            let half = scale * people(link.n_people) / 2.0;
            assert!(route.iter().all(|across| across - half >= -1e-9 && across + half <= 300.0 + 1e-9), "{route:?}");
        }
        // The band 0 → 3 passes the bar of stage 1, which is 60 people thick, below it.
        assert!(routes[2][1] - scale * 10.0 >= scale * 60.0);
    }

    #[test]
    fn nobody_moving_draws_nothing() {
        assert!(draw("f", Direction::Right, &nodes(&[5, 5]), &[link(0, 1, 0)]).is_none());
        assert!(draw("f", Direction::Right, &nodes(&[5]), &[]).is_none());
    }
}
