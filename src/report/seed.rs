//! The part of an audience's page about its seed: who it is, how its likes were found and how well, and what is odd about it.

use crate::expand::SeedUsed;
use crate::report::read::Summary;
use crate::report::svg::{Axis, Chart};
use crate::report::table::{Cell, Kind, Table};
use crate::report::{Figure, words};

/// What the page says of a seed.
pub(super) struct Seed {
    pub(super) sentences: Vec<String>,
    /// What was found that is not grave: what is stands among the warnings.
    pub(super) findings: Vec<String>,
    pub(super) skew: Table,
}

/// The seed of an audience, where it has one.
pub(super) fn of(summary: &Summary) -> Option<Seed> {
    let seed = summary.seed.as_ref()?;
    let findings = seed.findings.iter().filter(|finding| !finding.grave).map(|finding| finding.message.clone());
    Some(Seed { sentences: sentences(seed), findings: findings.collect(), skew: skew(seed) })
}

fn sentences(seed: &SeedUsed) -> Vec<String> {
    let as_of = match seed.as_of.as_deref() {
        Some("entry") => ", each as of the day on which they entered the stage",
        Some(_) => ", as of the end of the data",
        None => "",
    };
    let mut sentences = vec![format!("{} are in the seed{as_of}.", words::people(seed.n_members))];
    if let Some(hidden) = seed.hidden {
        sentences.push(format!(
            "How well it works: of 100 pairs of a member that was hidden from the model and a candidate, the member ranks higher in {:.0} ({:.0} to {:.0}); 50 is chance. Some candidates belong to the seed by right, so the truth is a little better.",
            100.0 * hidden.roc_auc,
            100.0 * hidden.low,
            100.0 * hidden.high
        ));
    }
    sentences.push(format!("Method: {}. {}", seed.method, seed.chosen_because));
    sentences
}

fn skew(seed: &SeedUsed) -> Table {
    let columns = [
        ("Feature", Kind::Text),
        ("Differs most in", Kind::Text),
        ("Of the seed", Kind::Share),
        ("Of the candidates", Kind::Share),
        ("Of the chosen", Kind::Share),
        ("Exaggerated", Kind::Number(1)),
    ];
    let mut table = Table::new("In what the seed differs from the candidates", &columns);
    for skew in &seed.skew {
        table.push(vec![
            skew.feature.as_str().into(),
            skew.value.as_str().into(),
            Some(skew.seed_share).into(),
            Some(skew.candidate_share).into(),
            Some(skew.chosen_share).into(),
            Some(skew.amplification).into(),
        ]);
    }
    table
}

/// The share of the hidden members that lists of each size would have reached.
pub(super) fn sizes(summary: &Summary) -> Table {
    let columns = [
        ("People", Kind::Count),
        ("Share of all", Kind::Share),
        ("Hidden members reached", Kind::Share),
        ("At least", Kind::Share),
        ("At most", Kind::Share),
        ("Times better than at random", Kind::Number(1)),
        ("Cost", Kind::Number(2)),
    ];
    let mut table = Table::new("Size against hidden members reached", &columns);
    for size in summary.curve.iter().filter(|size| size.seed_reached.is_some()) {
        table.push(vec![
            Cell::count(size.n_people),
            size.share.into(),
            size.seed_reached.into(),
            size.seed_reached_low.into(),
            size.seed_reached_high.into(),
            size.seed_lift.into(),
            size.cost.into(),
        ]);
    }
    table
}

/// [`sizes`] as a chart, with `table` beside it.
pub(super) fn reached(i: usize, summary: &Summary, table: Table) -> Option<Figure> {
    let points = || summary.curve.iter().filter_map(|size| Some((size.n_people as f64, 100.0 * size.seed_reached?)));
    let most = points().next_back()?;
    let title = "How large should the list be?";
    let mut chart = Chart::new(
        format!("reached-{i}"),
        title,
        "The share of hidden members of the seed that a list would reach, against its size; the dashed line is picking at random.",
        Axis::holding("people contacted, best first", points().map(|(x, _)| x).chain([0.0]), words::tick),
        Axis::holding("% of hidden members reached", [0.0, 100.0], words::tick),
    );
    let band = summary.curve.iter().filter_map(|size| {
        Some((size.n_people as f64, 100.0 * size.seed_reached_low?, 100.0 * size.seed_reached_high?))
    });
    chart.band(&[(0.0, 0.0, 0.0)].into_iter().chain(band).collect::<Vec<_>>());
    chart.line("random", &[(0.0, 0.0), most]);
    chart.line("model", &[(0.0, 0.0)].into_iter().chain(points()).collect::<Vec<_>>());
    let chosen = summary.n_chosen as f64;
    if chosen > 0.0 && chosen < most.0 {
        chart.line("chosen", &[(chosen, 0.0), (chosen, 100.0)]);
    }
    let caption =
        "Members of the seed were hidden from the model and then looked for among the candidates: a longer list \
                   reaches more of them, each further person fewer."
            .into();
    Some(Figure { title: title.into(), caption, drawings: vec![("", chart.finish())], table })
}
