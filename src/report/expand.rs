//! Section 4: a plain page per audience: who, how many, what to expect, what to do with it.

use crate::expand::Power;
use crate::report::measure::{self, Measured};
use crate::report::read::{self, Results, Summary};
use crate::report::svg::{Axis, Chart, Shape};
use crate::report::table::{Cell, Kind, Table};
use crate::report::workbook::Sheets;
use crate::report::{Figure, overlap, predict, seed, words};
use crate::spec::Spec;

/// What the section shows.
pub(super) struct Section {
    pub(super) audiences: Vec<Audience>,
    /// What the lists have in common.
    pub(super) overlap: Option<Table>,
}

/// An audience: its name, and its page when it was made.
pub(super) struct Audience {
    pub(super) name: String,
    pub(super) made: Option<Made>,
}

/// The page of an audience.
pub(super) struct Made {
    /// Where its order comes from, in a sentence.
    pub(super) source: String,
    pub(super) who: String,
    pub(super) n_target: String,
    pub(super) n_holdout: String,
    pub(super) n_chosen: String,
    pub(super) has_holdout: bool,
    pub(super) expected: Option<String>,
    pub(super) expected_range: Option<String>,
    pub(super) at_random: Option<String>,
    pub(super) goal: String,
    /// From candidates to list: how many, what of, and whether they were taken out.
    pub(super) steps: Vec<Step>,
    pub(super) figures: Vec<Figure>,
    pub(super) seed: Option<seed::Seed>,
    pub(super) first: Table,
    pub(super) files: Vec<File>,
    pub(super) warnings: Vec<String>,
    /// What the holdout can show.
    pub(super) power: Option<String>,
    /// What the campaign changed.
    pub(super) measured: Option<Measured>,
}

/// A step from the candidates to the list.
pub(super) struct Step {
    pub(super) sign: &'static str,
    pub(super) n_people: u64,
    pub(super) what: String,
}

/// A file to upload.
pub(super) struct File {
    pub(super) destination: String,
    pub(super) path: String,
    pub(super) kept: String,
    pub(super) rejected: Vec<String>,
}

impl Step {
    /// How many people, written.
    pub(super) fn people(&self) -> String {
        words::count(self.n_people)
    }
}

impl Section {
    /// Whether an audience was made yet.
    pub(super) fn ran(&self) -> bool {
        self.audiences.iter().any(|audience| audience.made.is_some())
    }

    /// Each audience in a sentence: whose it is, and what it says.
    pub(super) fn short(&self) -> Vec<(String, String)> {
        let sentence = |audience: &Audience| {
            let made = audience.made.as_ref()?;
            let chosen =
                format!("A list of {} people to contact, {} held out to measure it", made.n_target, made.n_holdout);
            let expected = made.expected.as_ref().map(|n| format!("; about {n} of them all will {}", made.goal));
            let measured = made.measured.as_ref().map(|measured| match &measured.span {
                Some(span) => format!(" Measured {span}: {}", measured.sentence),
                None => format!(" {}", measured.sentence),
            });
            let sentence = format!("{chosen}{}.{}", expected.unwrap_or_default(), measured.unwrap_or_default());
            Some((audience.name.clone(), sentence))
        };
        self.audiences.iter().filter_map(sentence).collect()
    }
}

/// The section, and its sheets.
pub(super) fn section(results: &Results, spec: &Spec, sheets: &mut Sheets) -> Section {
    let one = |(i, (audience, made)): (usize, (&crate::spec::Audience, &Option<read::Audience>))| Audience {
        name: audience.name.clone(),
        made: made.as_ref().map(|made| page(i, &audience.name, made, sheets)),
    };
    let audiences = spec.audiences.iter().zip(&results.audiences).enumerate().map(one).collect();
    Section { audiences, overlap: overlap::table(results, spec, sheets) }
}

fn page(i: usize, name: &str, audience: &read::Audience, sheets: &mut Sheets) -> Made {
    let summary = &audience.summary;
    let (steps, first, curve) = (steps(summary), first(audience), curve_table(summary));
    sheets.add("Audiences", &steps_table(&steps).of("Audience", name));
    sheets.add("Audience sizes", &curve.of("Audience", name));
    sheets.add("First people", &first.of("Audience", name));
    let reached = seed::sizes(summary);
    let seed = seed::of(summary);
    if let Some(seed) = &seed {
        sheets.add("Seed sizes", &reached.of("Audience", name));
        sheets.add("Seed skew", &seed.skew.of("Audience", name));
    }
    let goal = predict::goal(&summary.to, summary.horizon.as_deref());
    let number =
        |value: Option<f64>| value.filter(|value| value.is_finite()).map(|value| words::number(value, decimals(value)));
    let range = number(summary.expected_low).zip(number(summary.expected_high));
    Made {
        source: source(summary),
        who: who(summary),
        n_target: words::count(summary.n_target),
        n_holdout: words::count(summary.n_holdout),
        n_chosen: words::count(summary.n_chosen),
        has_holdout: summary.n_holdout > 0,
        expected: number(summary.expected_conversions),
        expected_range: range.map(|(low, high)| format!("{low} to {high}")),
        at_random: number(at_random(summary)),
        goal,
        steps,
        figures: [
            conversions(i, summary, &curve),
            profit(i, summary, &curve),
            seed::reached(i, summary, thinned(&reached)),
        ]
        .into_iter()
        .flatten()
        .collect(),
        seed,
        first,
        files: files(name, summary),
        warnings: summary.warnings.clone(),
        power: summary.power.as_ref().filter(|power| power.warning().is_none()).map(power),
        measured: audience.measured.as_ref().map(|found| measure::measured(i, found, sheets)),
    }
}

fn power(power: &Power) -> String {
    format!("What to hope to see: {}.", power.sentence())
}

fn source(summary: &Summary) -> String {
    match (&summary.prediction, &summary.uplift) {
        (Some(prediction), _) => format!("A list from the prediction {prediction}."),
        (_, Some(uplift)) => format!("A list from the uplift {uplift}."),
        _ => "A list of people like the seed.".to_owned(),
    }
}

/// Whom the list is made of.
fn who(summary: &Summary) -> String {
    match (&summary.prediction, &summary.uplift) {
        (Some(_), _) => format!("people in the stage {}", words::any_of(&summary.from)),
        (_, Some(_)) => "people whom it changes most".to_owned(),
        _ => "people who are like the seed".to_owned(),
    }
}

/// One decimal for small numbers.
fn decimals(value: f64) -> usize {
    usize::from(value.abs() < 10.0)
}

/// The conversions of as many people picked at random from all who may be contacted.
#[expect(clippy::cast_precision_loss, reason = "counts of people fit a double's 53 bits")]
fn at_random(summary: &Summary) -> Option<f64> {
    summary.base_rate_expected.map(|rate| rate * summary.n_chosen as f64)
}

fn steps(summary: &Summary) -> Vec<Step> {
    let step = |sign, n: u64, what: &str| Step { sign, n_people: n, what: what.into() };
    let mut steps = vec![step("", summary.n_candidates, "candidates")];
    let (size, blocked): (Vec<_>, Vec<_>) = summary
        .dropped
        .iter()
        .filter_map(|(reason, n)| Some((reason, n.as_u64()?)))
        .partition(|(reason, _)| reason.as_str() == "below size");
    steps.extend(blocked.into_iter().map(|(reason, n)| step("−", n, reason)));
    steps.push(step("=", summary.n_contactable, "may be contacted"));
    steps.extend(size.into_iter().map(|(_, n)| step("−", n, "ranked below the size of the list")));
    steps.push(step("=", summary.n_chosen, "chosen"));
    steps.push(step("−", summary.n_holdout, "held out at random, not contacted"));
    steps.push(step("=", summary.n_target, "to contact"));
    steps
}

fn steps_table(steps: &[Step]) -> Table {
    let mut table =
        Table::new("From candidates to list", &[("Step", Kind::Text), ("", Kind::Text), ("People", Kind::Count)]);
    for step in steps {
        table.push(vec![step.what.as_str().into(), step.sign.into(), Cell::count(step.n_people)]);
    }
    table
}

fn first(audience: &read::Audience) -> Table {
    let has_propensity = audience.first.iter().any(|member| member.propensity.is_some());
    let measure = if has_propensity { ("Propensity", Kind::Share) } else { ("Score", Kind::Number(3)) };
    let columns =
        [("Rank", Kind::Count), ("Person", Kind::Text), measure, ("Group", Kind::Text), ("Reasons", Kind::Text)];
    let mut table = Table::new("The first people of the list (no contact data)", &columns);
    for member in &audience.first {
        table.push(vec![
            member.rank.into(),
            member.person.as_str().into(),
            if has_propensity { member.propensity } else { member.score }.into(),
            member.group.as_str().into(),
            member.reasons.join("; ").into(),
        ]);
    }
    table
}

fn curve_table(summary: &Summary) -> Table {
    let columns = [
        ("People", Kind::Count),
        ("Share of all", Kind::Share),
        ("Expected to move on", Kind::Interval(1)),
        ("Of the people contacted", Kind::Share),
        ("Expected profit", Kind::Number(2)),
    ];
    let mut table = Table::new("Size against expected conversions", &columns);
    for size in &summary.curve {
        table.push(vec![
            Cell::count(size.n_people),
            size.share.into(),
            interval(size.expected_conversions, size.expected_low, size.expected_high),
            size.expected_precision.into(),
            size.expected_profit.into(),
        ]);
    }
    table
}

fn interval(value: Option<f64>, low: Option<f64>, high: Option<f64>) -> Cell {
    match (value, low, high) {
        (Some(value), Some(low), Some(high)) => Cell::Interval { value, low, high },
        _ => value.into(),
    }
}

/// At most about twenty rows of a long table, evenly spread, for the page.
fn thinned(table: &Table) -> Table {
    let every = table.rows.len().div_ceil(20).max(1);
    let last = table.rows.len().saturating_sub(1);
    let rows = table.rows.iter().enumerate().filter(|(i, _)| i % every == every - 1 || *i == last);
    Table { rows: rows.map(|(_, row)| row.clone()).collect(), ..table.clone() }
}

#[expect(clippy::cast_precision_loss, reason = "counts of people fit a double's 53 bits")]
fn conversions(i: usize, summary: &Summary, table: &Table) -> Option<Figure> {
    let points = || summary.curve.iter().filter_map(|size| Some((size.n_people as f64, size.expected_conversions?)));
    let most = points().next_back()?;
    let highs = summary.curve.iter().filter_map(|size| size.expected_high);
    let y = Axis::holding("expected to move on", points().map(|(_, y)| y).chain(highs).chain([0.0]), words::tick);
    let top = y.high;
    let title = "How large should the list be?";
    let mut chart = Chart::new(
        format!("size-{i}"),
        title,
        "People expected to move on against people contacted; the dashed line is picking at random.",
        Axis::holding("people contacted, best first", points().map(|(x, _)| x).chain([0.0]), words::tick),
        y,
    );
    let range = |size: &read::Size| Some((size.n_people as f64, size.expected_low?, size.expected_high?));
    chart.band(&[(0.0, 0.0, 0.0)].into_iter().chain(summary.curve.iter().filter_map(range)).collect::<Vec<_>>());
    chart.line("random", &[(0.0, 0.0), most]);
    chart.words("start", (0.62 * most.0, 0.5 * most.1), 0.0, "at random");
    chart.line("model", &[(0.0, 0.0)].into_iter().chain(points()).collect::<Vec<_>>());
    if let Some(expected) = summary.expected_conversions {
        let chosen = summary.n_chosen as f64;
        let tip = format!("{} chosen: {} expected", words::people(summary.n_chosen), words::number(expected, 1));
        chart.line("chosen", &[(chosen, 0.0), (chosen, top)]);
        chart.point(Shape::Square, chosen, expected, &tip);
        let anchor = if chosen < 0.6 * most.0 { "start" } else { "end" };
        let aside = if anchor == "start" { 0.02 } else { -0.02 };
        chart.words(
            anchor,
            (chosen + aside * most.0, top),
            -12.0,
            &format!("this list: {}", words::count(summary.n_chosen)),
        );
    }
    let caption =
        "The first people on the list are the likeliest; each further one adds less. The square is the size that \
                   was chosen."
            .into();
    Some(Figure { title: title.into(), caption, drawings: vec![("", chart.finish())], table: thinned(table) })
}

#[expect(clippy::cast_precision_loss, reason = "counts of people fit a double's 53 bits")]
fn profit(i: usize, summary: &Summary, table: &Table) -> Option<Figure> {
    let points = || summary.curve.iter().filter_map(|size| Some((size.n_people as f64, size.expected_profit?)));
    let last = points().next_back()?;
    let title = "What does it earn?";
    let mut chart = Chart::new(
        format!("profit-{i}"),
        title,
        "A curve of the expected profit against the number of people contacted, with a line at zero.",
        Axis::holding("people contacted, best first", points().map(|(x, _)| x).chain([0.0]), words::tick),
        Axis::holding("expected profit", points().map(|(_, y)| y).chain([0.0]), words::tick),
    );
    chart.line("random", &[(0.0, 0.0), (last.0, 0.0)]);
    chart.line("model", &[(0.0, 0.0)].into_iter().chain(points()).collect::<Vec<_>>());
    let caption =
        "Value of the expected conversions less the cost of contacting. It pays to go on while the curve rises.".into();
    Some(Figure { title: title.into(), caption, drawings: vec![("", chart.finish())], table: thinned(table) })
}

fn files(name: &str, summary: &Summary) -> Vec<File> {
    let file = |export: &read::Export| File {
        destination: export.destination.clone(),
        path: format!("expand/{name}/{}", export.path),
        kept: words::people(export.kept),
        rejected: export
            .rejected
            .iter()
            .filter_map(|(reason, n)| Some(format!("{} left out ({reason})", words::count(n.as_u64()?))))
            .collect(),
    };
    summary.exports.iter().map(file).collect()
}
