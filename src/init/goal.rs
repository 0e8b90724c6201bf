//! The event that matters most: found by its name (a purchase, an order, a completed offer) or, where names say nothing, by
//! being reached late and by some.

use crate::source::Data;

const GOALS: [(&str, &str, i32); 24] = [
    ("purchase", "customer", 9),
    ("purchased", "customer", 9),
    ("order", "customer", 8),
    ("buy", "customer", 8),
    ("bought", "customer", 8),
    ("transaction", "customer", 8),
    ("sale", "customer", 7),
    ("invoice", "customer", 7),
    ("payment", "customer", 6),
    ("paid", "customer", 6),
    ("subscribe", "subscriber", 8),
    ("subscribed", "subscriber", 8),
    ("subscription", "subscriber", 7),
    ("conversion", "converted", 8),
    ("converted", "converted", 8),
    ("completed", "completed", 7),
    ("complete", "completed", 7),
    ("completion", "completed", 7),
    ("won", "won", 7),
    ("booking", "customer", 7),
    ("donation", "donor", 7),
    ("deposit", "customer", 6),
    ("kauf", "customer", 9),
    ("bestellung", "customer", 8),
];
/// Words of kinds that are no goal though they hold the word of one.
const NOT_GOALS: [&str; 14] = [
    "failed",
    "error",
    "cancel",
    "cancelled",
    "view",
    "viewed",
    "start",
    "started",
    "abandoned",
    "refund",
    "offer",
    "details",
    "bug",
    "return",
];

/// What is known of a kind of event.
pub(super) struct Kind {
    pub(super) name: String,
    pub(super) n_people: usize,
    pub(super) n_events: usize,
    /// Median place among a person's kinds, in order of their first time.
    pub(super) place: f64,
    /// People whose first event it is.
    pub(super) n_first: usize,
}

pub(super) fn kinds(data: &Data) -> Vec<Kind> {
    let events = &data.events;
    let mut kinds: Vec<Kind> = events
        .kinds
        .iter()
        .map(|name| Kind { name: name.clone(), n_people: 0, n_events: 0, place: 0.0, n_first: 0 })
        .collect();
    for person in 0..data.people.len() {
        let mut seen: Vec<u16> = Vec::new();
        for &kind in &events.kind[events.of(person)] {
            kinds[usize::from(kind)].n_events += 1;
            if !seen.contains(&kind) {
                seen.push(kind);
            }
        }
        for (place, &kind) in seen.iter().enumerate() {
            let kind = &mut kinds[usize::from(kind)];
            kind.n_people += 1;
            kind.place += (place as f64 + 0.5) / seen.len() as f64;
            kind.n_first += usize::from(place == 0);
        }
    }
    for kind in &mut kinds {
        kind.place /= (kind.n_people as f64).max(1.0);
    }
    kinds
}

/// How much a kind's name speaks of a goal, and the stage that it leads to.
pub(super) fn goal_word(kind: &str) -> Option<(i32, &'static str)> {
    let words = super::look::words(kind);
    if words
        .iter()
        .any(|word| NOT_GOALS.contains(&word.as_str()) && words.last().is_none_or(|last| last != "completed"))
    {
        return None;
    }
    let of_word =
        |word: &String| GOALS.iter().find(|(known, ..)| word == known || word.strip_suffix('s') == Some(known));
    words.iter().filter_map(of_word).map(|(_, stage, score)| (*score, *stage)).max()
}

pub(super) fn goal(kinds: &[Kind], n_people: usize) -> Option<usize> {
    let is_reached = |kind: &Kind| kind.n_people >= 20.min(n_people);
    let named = (0..kinds.len()).filter(|&at| is_reached(&kinds[at]));
    let named = named.filter_map(|at| goal_word(&kinds[at].name).map(|(score, _)| (score, kinds[at].n_people, at)));
    if let Some((_, _, at)) = named.max() {
        return Some(at);
    }
    let by_place = (0..kinds.len()).filter(|&at| {
        let share = kinds[at].n_people as f64 / n_people as f64;
        is_reached(&kinds[at]) && (0.02..0.8).contains(&share)
    });
    by_place
        .max_by(|&a, &b| kinds[a].place.total_cmp(&kinds[b].place))
        .or_else(|| (0..kinds.len()).max_by_key(|&at| kinds[at].n_people))
}
