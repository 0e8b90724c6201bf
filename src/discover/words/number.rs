//! One or several of what events and properties are called: "1 purchase", "3 emails sent", "2 won events".

#![expect(clippy::float_cmp, reason = "one thing is told from several by its exact count")]

use super::amount;

/// `1 purchase`, `3 purchases`.
pub(super) fn counted(value: f32, what: &str) -> String {
    let what = if value == 1.0 { singular(what) } else { plural(what) };
    format!("{} {what}", amount(value))
}

/// `no purchase`, `not won`.
pub(super) fn no(what: &str) -> String {
    if is_participle(what) { format!("not {what}") } else { format!("no {what}") }
}

pub(super) fn never(what: &str) -> String {
    format!("{} yet", no(what))
}

/// `purchase`, `won event`: what was done and not to what is no thing.
pub(super) fn singular(what: &str) -> String {
    if is_no_noun(what) { format!("{what} event") } else { what.to_owned() }
}

/// Whether a name is no thing that there can be several of: `won`, `add to cart`, `sign up`.
fn is_no_noun(what: &str) -> bool {
    let leads_on = |word: &str| ["from", "in", "of", "off", "out", "to", "up"].contains(&word);
    is_participle(what) || what.split(' ').skip(1).any(leads_on)
}

fn is_participle(word: &str) -> bool {
    const OTHERS: [&str; 7] = ["bought", "made", "paid", "seen", "sent", "sold", "won"];
    let ends_so = word.len() > 4 && word.ends_with("ed") && !word.ends_with("eed");
    !word.contains(' ') && (ends_so || OTHERS.contains(&word))
}

/// `purchases`, `deliveries`, `emails sent`.
pub(super) fn plural(what: &str) -> String {
    if is_no_noun(what) {
        return format!("{what} events");
    }
    if let Some((thing, done)) = what.rsplit_once(' ').filter(|(_, done)| is_participle(done)) {
        return format!("{} {done}", plural(thing));
    }
    let sibilant = ["s", "x", "z", "ch", "sh"].iter().any(|ending| what.ends_with(ending));
    let consonant_y = what.ends_with('y') && !["ay", "ey", "oy", "uy"].iter().any(|ending| what.ends_with(ending));
    match what {
        _ if is_plural(what) => what.to_owned(),
        _ if consonant_y => format!("{}ies", &what[..what.len() - 1]),
        _ if sibilant => format!("{what}es"),
        _ => format!("{what}s"),
    }
}

/// Whether a name says several things already: `shipping details`, and not `status`.
pub(super) fn is_plural(what: &str) -> bool {
    what.ends_with('s') && !["ss", "us", "is"].iter().any(|ending| what.ends_with(ending))
}

/// `pages` → `page`, `categories` → `category`.
pub(super) fn one_of(things: &str) -> String {
    match things.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => things.strip_suffix('s').unwrap_or(things).to_owned(),
    }
}
