//! A row per person and no times: the outcome is a column of two values.

use super::draft::{Draft, slug, sql_text, toml};
use super::lifecycle::audience;
use super::look::{Column, Seen, Values, words};
use super::outcome::{Target, may_be_outcome, speaks_of_outcome, target};
use super::plan::LEAST_OUTCOMES;
use super::roles::{Sure, amount_score, person_score};
use crate::error::Result;

/// Runs of rows whose rates are compared, to tell whether rows stand in time.
const RUNS: usize = 10;
/// Columns that are named where none looks like an outcome, at most.
const SHOWN: usize = 12;
/// Names, addresses, postcodes … that tell people apart.
const LEAST_CONTACT: usize = 3;

/// Adds people, stages, a prediction and a list for the table that holds the outcome: the one that was told, or that seems to; with
/// none, people alone.
pub(super) fn snapshot<'a>(tables: &'a [Seen], told: Option<(&'a Seen, Target<'a>)>, draft: &mut Draft) -> Result<()> {
    let with_target = tables.iter().filter_map(|seen| target(seen).map(|target| (seen, target)));
    // Of two parts of one table the one with a column more is that which holds the outcome.
    let best = told.or_else(|| with_target.max_by_key(|(seen, target)| (target.sure, seen.columns.len(), seen.n_rows)));
    let Some((seen, target)) = best else {
        people_alone(tables, draft);
        return Ok(());
    };
    for other in tables.iter().filter(|other| other.name != seen.name) {
        draft.notes.push(format!("not used: {}: it has no outcome of its own, and no times", other.name));
    }
    let person = person_column(seen);
    let order = order_hint(seen, &target)?;
    draft.sources.push(people(seen, person, order));
    let (reached, rest) = stage_names(&target);
    let Target { column, yes, share, sure } = &target;
    let rule = match column.values {
        Values::Text => format!("{} = {}", column.sql(), sql_text(yes)),
        Values::Truth => format!("{} = {}", column.sql(), yes.to_lowercase()),
        _ => format!("{} = {yes}", column.sql()),
    };
    let other = if *sure == Sure::Guess { ": if it is another column, --outcome COLUMN names it" } else { "" };
    draft.notes.push(format!("the outcome: {rule}, {:.1} % of the rows ({}{other})", 100.0 * share, sure.word()));
    draft.rest.push(format!(
        "# Where people stand, by their row: the outcome is `{}` ({}). Columns that a rule names are kept out of the features.\n[[lifecycle.stages]]\nname = {}                               # no rule: everybody else\n[[lifecycle.stages]]\nname = {}\nwhen = {}",
        column.name,
        sure.word(),
        toml(rest),
        toml(&reached),
        toml(&rule)
    ));
    let after = known_with(seen, &target)?;
    draft.rest.push(format!(
        "# Columns that were filled in after the outcome must stay out: `clo discover` names those that look like it.\n[[predictions]]\nname = {}\nfrom = [{}]\nto = [{}]\n{}",
        toml(&reached),
        toml(rest),
        toml(&reached),
        exclude(&after)
    ));
    draft.rest.extend(test_of(seen, &rule, &after));
    let list = audience(&reached, consent(seen));
    draft.rest.push(list.replace("size = ", &format!("candidates = \"stage = '{rest}'\"\nsize = ")));
    Ok(())
}

/// The column that names people, if each row has its own.
fn person_column(seen: &Seen) -> Option<&Column> {
    let keys = seen.columns.iter().filter(|column| seen.is_key(&column.name));
    let scored = keys.map(|column| (person_score(seen, column), column)).filter(|(score, _)| *score > 0);
    scored.max_by_key(|(score, _)| *score).map(|(_, column)| column)
}

fn people(seen: &Seen, person: Option<&Column>, order: Option<String>) -> String {
    let (key, comment) = match person {
        Some(column) => (toml(&column.name), format!("`{}` names each row (likely)", column.name)),
        None => (toml("row"), "no column names the rows: their numbers do (sure)".to_owned()),
    };
    let order = order.map(|order| format!("\n{order}")).unwrap_or_default();
    format!(
        "# A row per person, no times: {comment}.\n[people.{name}]\ntable = {table}\nperson = {key}{order}",
        name = seen.name,
        table = toml(&seen.name)
    )
}

/// Columns whose names speak of an outcome or of money, and without which nobody has the outcome, though many of the others
/// are: a visit and what was spent, of those who bought.
fn known_with<'a>(seen: &'a Seen, target: &Target<'_>) -> Result<Vec<&'a Column>> {
    const LEAST_ZERO: f64 = 0.3;
    let outcomes = seen.texts(&target.column.name)?;
    let mut known = Vec::new();
    for column in seen.columns.iter().filter(|column| column.name != target.column.name) {
        let speaks = speaks_of_outcome(column) || amount_score(column) >= 4;
        if !speaks || !(column.is_number() || column.values == Values::Truth) {
            continue;
        }
        let values = seen.texts(&column.name)?;
        let is_zero = |value: &Option<String>| value.as_deref().is_none_or(|value| ["0", "false"].contains(&value));
        let mut n = [[0_usize; 2]; 2];
        for (value, outcome) in values.iter().zip(&outcomes) {
            n[usize::from(outcome.as_deref() == Some(&target.yes))][usize::from(is_zero(value))] += 1;
        }
        let [[rest, rest_zero], [reached, reached_zero]] = n;
        if reached >= LEAST_OUTCOMES && reached_zero == 0 && rest_zero as f64 >= LEAST_ZERO * (rest + rest_zero) as f64
        {
            known.push(column);
        }
    }
    Ok(known)
}

fn exclude(after: &[&Column]) -> String {
    if after.is_empty() {
        return "# exclude = [\"attr.…\"]".to_owned();
    }
    let names: Vec<String> = after.iter().map(|column| toml(&format!("attr.{}", column.name))).collect();
    format!("exclude = [{}]    # nobody with the outcome is without them: known only then (likely)", names.join(", "))
}

/// A test, if a column seems to say who was left alone (`No E-Mail` beside `Mens E-Mail`): what would learn whom it changes.
fn test_of(seen: &Seen, outcome: &str, after: &[&Column]) -> Option<String> {
    let (column, control) = seen.columns.iter().find_map(|column| Some((column, left_alone(column)?)))?;
    let (treated, _) = column.top.iter().find(|(level, _)| level != control)?;
    let is = |level: &str| toml(&format!("{} = {}", column.sql(), sql_text(level)));
    let after: Vec<String> = after.iter().map(|column| toml(&column.name)).collect();
    Some(format!(
        "# `{}` looks like a test: {} was left alone. If who was treated was drawn at random, this learns whom it changes.\n# [[uplifts]]\n# name = {}\n# treatment = {}\n# control = {}\n# outcome = {}\n# after = [{}]",
        column.name,
        sql_text(control),
        toml(&slug(&[treated]).replace('_', "-")),
        is(treated),
        is(control),
        toml(outcome),
        after.join(", ")
    ))
}

/// The value that says that nothing was done where all others say what was.
fn left_alone(column: &Column) -> Option<&String> {
    if column.values != Values::Text || !(2..=6).contains(&column.n_distinct) {
        return None;
    }
    let is_left = |level: &str| {
        let said = words(level);
        let mut others = column.top.iter().filter(|(other, _)| other != level).map(|(other, _)| words(other));
        let shares = |other: Vec<String>| said[1..].iter().all(|word| other.contains(word));
        match said.first().map(String::as_str) {
            Some("control" | "holdout" | "placebo") => true,
            Some("no") => said.len() > 1 && others.all(shares),
            _ => false,
        }
    };
    column.top.iter().map(|(level, _)| level).find(|level| is_left(level))
}

/// The stage of those with the outcome, and of those without.
fn stage_names(target: &Target<'_>) -> (String, &'static str) {
    let word =
        |words: &[&str]| target.column.words.iter().any(|word| words.iter().any(|known| word.starts_with(known)));
    if word(&["churn", "attrit", "exit", "left", "cancel"]) {
        ("churned".into(), "active")
    } else if word(&["conver", "purchas", "bought", "buy", "sold"]) {
        ("converted".into(), "prospect")
    } else if word(&["respon", "accept", "click"]) {
        ("responded".into(), "prospect")
    } else if word(&["subscri", "deposit"]) {
        ("subscriber".into(), "prospect")
    } else if word(&["default", "fraud"]) {
        (slug(&[&target.column.name]), "in_order")
    } else if target.column.words.len() == 1 && target.column.words[0].len() < 3
        || word(&["column", "target", "label", "class"])
    {
        ("outcome".into(), "prospect")
    } else {
        (slug(&[&target.column.name]), "others")
    }
}

/// A line on the order of the rows, when the outcome moves along the file as it would not in a shuffled one.
fn order_hint(seen: &Seen, target: &Target<'_>) -> Result<Option<String>> {
    let values = seen.texts(&target.column.name)?;
    let size = values.len().div_ceil(RUNS).max(1);
    let share = |rows: &[Option<String>]| {
        rows.iter().filter(|value| value.as_deref() == Some(&target.yes)).count() as f64 / rows.len() as f64
    };
    let shares: Vec<f64> = values.chunks(size).map(share).collect();
    let error = (target.share * (1.0 - target.share) / size as f64).sqrt();
    let chi: f64 = shares.iter().map(|share| ((share - target.share) / error).powi(2)).sum();
    // Nine degrees of freedom: above 50 by chance once in ten million.
    let moves = shares.len() == RUNS && chi > 50.0;
    let (first, last) = (shares.first().copied().unwrap_or(0.0), shares.last().copied().unwrap_or(0.0));
    Ok(moves.then(|| {
        format!(
            "# The outcome moves along the file, from {:.1} % in the first tenth to {:.1} % in the last. If the rows stand in time, say so:\n# the last part is then the test, as it will be in use. If they are sorted by something else, leave it.\n# order = \"row\"",
            100.0 * first,
            100.0 * last
        )
    }))
}

fn consent(seen: &Seen) -> Option<String> {
    let is_consent = |column: &&Column| {
        column.values == Values::Truth
            && (column.has(&["consent", "optin"]) || (column.has(&["opt"]) && column.has(&["in"])))
    };
    seen.columns.iter().find(is_consent).map(|column| column.name.clone())
}

/// People without times and without an outcome: enough to look at the data and to find who is who.
fn people_alone(tables: &[Seen], draft: &mut Draft) {
    for seen in tables {
        draft.sources.push(people(seen, person_column(seen), None));
    }
    if tables.iter().all(|seen| seen.columns.iter().filter(|column| column.is_contact()).count() >= LEAST_CONTACT) {
        draft.sources.push(
            "# Rows that are likely one person become one, within and across tables (a guess: without this each id is a person).\n[identity.match]".into(),
        );
    }
    let columns = || tables.iter().flat_map(|seen| &seen.columns).filter(|column| may_be_outcome(column));
    let names: Vec<&str> = columns().take(SHOWN).map(|column| column.name.as_str()).collect();
    let more = if columns().count() > SHOWN { " …" } else { "" };
    let next = if names.is_empty() {
        "to predict, bring what people did and when, or a column that tells who moved on".to_owned()
    } else {
        format!("if one of {}{more} is what you want to predict, say so: --outcome COLUMN", names.join(", "))
    };
    draft
        .notes
        .push(format!("no times and nothing that looks like an outcome: people alone, nothing to predict yet; {next}"));
    draft.rest.push("[[lifecycle.stages]]\nname = \"known\"".into());
}
