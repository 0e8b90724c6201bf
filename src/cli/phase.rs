//! What the commands of the phases share: run up to a phase, then say what it came to.

use serde::Serialize;

use super::answer::Answer;
use super::table::{Align, Table, printable};
use super::ui::{Ui, bold};
use super::{Global, numbers, project};
use crate::discover::{Enough, Severity};
use crate::error::Result;
use crate::pipeline::summary::{Finding, Lifecycle, Predicted, Reached, Signals, Summary};
use crate::pipeline::{self, Outcome, Phase, State};
use crate::predict::evaluation::Measured;
use crate::predict::uplift::Evaluation;
use crate::rate::grouped;
use crate::time::Time;

/// The options of every phase's command.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Options {
    /// Do everything again, whether or not something has changed
    #[arg(long)]
    pub(super) force: bool,
}

#[derive(Debug, Serialize)]
struct Document {
    units: Vec<Outcome>,
    #[serde(flatten)]
    summary: Summary,
}

/// Runs `phase` for `command`, and answers with what it came to.
pub(super) fn run(command: &str, phase: Phase, options: Options, global: &Global, ui: &Ui) -> Result<Answer> {
    let project = project::open(global)?;
    let mut progress = ui.progress();
    let units = pipeline::run(&project, phase, options.force, &mut |step| progress.follow(step))?;
    drop(progress);
    let summary = Summary::read(&project, phase)?;
    let text = [done(&units), body(&summary)].concat();
    Answer::new(command, text, &Document { units, summary })
}

/// Which units were done and which were fresh.
fn done(units: &[Outcome]) -> String {
    let names = |state: State| -> Vec<&str> {
        units.iter().filter(|unit| unit.state == state).map(|unit| unit.unit.as_str()).collect()
    };
    let (done, fresh) = (names(State::Done), names(State::Fresh));
    match (done.len(), fresh.len()) {
        (0, _) => "Nothing to do: nothing has changed since the last run.\n".to_owned(),
        (_, 0) => format!("Done: {}.\n", done.join(", ")),
        _ => format!("Done: {}. Fresh, and left as they were: {}.\n", done.join(", "), fresh.join(", ")),
    }
}

fn body(summary: &Summary) -> String {
    let mut parts = Vec::new();
    parts.extend(summary.lifecycle.as_ref().map(stages));
    parts.extend((!summary.findings.is_empty()).then(|| findings(&summary.findings)));
    parts.extend(summary.signals.iter().map(signals));
    parts.extend((!summary.predictions.is_empty()).then(|| predictions(&summary.predictions)));
    parts.extend((!summary.uplifts.is_empty()).then(|| uplifts(&summary.uplifts)));
    parts.extend((!summary.audiences.is_empty()).then(|| audiences(&summary.audiences)));
    parts.extend(summary.report.as_ref().map(|path| format!("Report: {path}\n")));
    parts.iter().map(|part| format!("\n{part}")).collect()
}

/// Who stands in which stage.
pub(super) fn stages(lifecycle: &Lifecycle) -> String {
    let Lifecycle { end, n_people, n_events, stages } = lifecycle;
    let mut table = Table::new([("stage", Align::Left), ("people now", Align::Right), ("ever", Align::Right)]);
    for stage in stages {
        table.row([stage.stage.clone(), grouped(stage.n_people_now), grouped(stage.n_people_ever)]);
    }
    let events = if *n_events > 0 { format!(", {} events", grouped(*n_events)) } else { String::new() };
    let end = end.as_ref().filter(|_| *n_events > 0).map(|end| format!(", until {}", last(end))).unwrap_or_default();
    let table = if stages.is_empty() { String::new() } else { table.render() };
    format!("{} people{events}{end}\n{table}", grouped(*n_people))
}

/// The end as people read it: what is a microsecond after the last event, as the last event.
fn last(end: &str) -> String {
    match end.parse::<Time>() {
        Ok(Time(micros)) if micros % 1_000_000 == 1 => Time(micros - 1).to_string(),
        _ => end.to_owned(),
    }
}

/// What is wrong with data or stages, the gravest first; what is only good to know is counted.
pub(super) fn findings(findings: &[Finding]) -> String {
    const SHOWN: usize = 10;
    let grave = findings.iter().filter(|finding| finding.severity != Severity::Info);
    let mut text: String = grave.take(SHOWN).map(finding).collect();
    let n_more = findings.len() - text.lines().count();
    if n_more > 0 {
        text += &format!("{n_more} more to know: map/lint.json and discover/issues.json in the output folder\n");
    }
    text
}

fn finding(finding: &Finding) -> String {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    };
    let parts = [
        finding.place.as_ref().map(|place| format!("{place}:")),
        finding.message.clone(),
        Some(finding.advice.clone()),
        (!finding.people.is_empty()).then(|| format!("See {}.", finding.people.join(", "))),
    ];
    format!("{severity}: {}\n", printable(&parts.into_iter().flatten().collect::<Vec<_>>().join(" ")))
}

fn signals(signals: &Signals) -> String {
    let mut table = Table::new([("strongest alone", Align::Left), ("AUC", Align::Right), ("leak?", Align::Left)]);
    for signal in &signals.strongest {
        let leak = if signal.leak.is_some() { "see below".to_owned() } else { String::new() };
        table.row([signal.feature.clone(), format!("{:.3}", signal.auc), leak]);
    }
    let told = signals.told.iter().map(|sentence| format!("- {}\n", printable(sentence)));
    let leaks = signals.leaks.iter().map(|leak| format!("warning: {}\n", printable(leak)));
    let said: String = told.chain(leaks).collect();
    format!("{}\n{}{said}{}", bold(&printable(&signals.prediction)), table.render(), enough(&signals.enough))
}

/// Whether there is enough data, and what would help.
fn enough(enough: &Enough) -> String {
    let part = |name: &str| enough.parts.get(name).copied().unwrap_or_default();
    let (train, test) = (part("train"), part("test"));
    let mut text = format!(
        "data: {} of {} people moved in training, {} of {} in the test",
        grouped(train.people_attained),
        grouped(train.people),
        grouped(test.people_attained),
        grouped(test.people)
    );
    if let Some(exactness) = &enough.exactness {
        text += &format!("; an AUC will be known to ± {:.2}", exactness.half_width);
    }
    text += &format!("\nlearning curve: {}\n", enough.learning.verdict);
    text.extend(enough.horizon.iter().map(|horizon| format!("horizon: {}\n", printable(&horizon.says))));
    text.extend(enough.shortfalls.iter().map(|short| format!("warning: {}\n", printable(&short.advice))));
    text
}

fn predictions(predictions: &[Predicted]) -> String {
    let mut table = Table::new([
        ("prediction", Align::Left),
        ("model", Align::Left),
        ("test AUC", Align::Left),
        ("lift in best tenth", Align::Left),
        ("base rate", Align::Left),
    ]);
    for p in predictions {
        let auc = numbers::measured(p.roc_auc.as_ref(), 3);
        let lift = numbers::measured(p.lift_10.as_ref(), 1);
        table.row([p.prediction.clone(), p.estimator.clone(), auc, lift, p.base_rate.to_string()]);
    }
    let said = predictions.iter().flat_map(|p| {
        let reason = (!p.chosen_because.is_empty())
            .then(|| format!("{}: {}\n", printable(&p.prediction), printable(&p.chosen_because)));
        let warnings =
            p.warnings.iter().map(|warning| format!("warning: {}: {}\n", printable(&p.prediction), printable(warning)));
        reason.into_iter().chain(warnings).collect::<Vec<_>>()
    });
    table.render() + &said.collect::<String>()
}

fn uplifts(uplifts: &[Evaluation]) -> String {
    let mut table = Table::new([
        ("uplift", Align::Left),
        ("learner", Align::Left),
        ("effect, points", Align::Left),
        ("of the best 30 %", Align::Left),
        ("area over random", Align::Left),
    ]);
    for uplift in uplifts {
        let points = |measured: &Measured| {
            let [value, low, high] = [measured.value, measured.low, measured.high].map(|share| 100.0 * share);
            format!("{value:.2} ({low:.2}–{high:.2})")
        };
        for learner in &uplift.learners {
            let area = numbers::measured(learner.area_over_random.as_ref(), 3);
            let name = printable(&uplift.uplift);
            table.row([
                name,
                learner.learner.name().to_owned(),
                points(&uplift.effect),
                points(&learner.uplift_best[2]),
                area,
            ]);
        }
    }
    let said = uplifts.iter().map(|uplift| format!("{}: {}\n", printable(&uplift.uplift), uplift.sentence));
    table.render() + &said.collect::<String>()
}

fn audiences(audiences: &[Reached]) -> String {
    let mut table = Table::new([
        ("audience", Align::Left),
        ("candidates", Align::Right),
        ("target", Align::Right),
        ("holdout", Align::Right),
        ("expected conversions", Align::Left),
        ("files", Align::Left),
    ]);
    for a in audiences {
        let (candidates, target, holdout) = (grouped(a.n_candidates), grouped(a.n_target), grouped(a.n_holdout));
        let expected = match (a.expected_conversions, a.expected_low, a.expected_high) {
            (Some(expected), Some(low), Some(high)) => format!("{expected:.1} ({low:.1}–{high:.1})"),
            _ => "not known".to_owned(),
        };
        table.row([a.audience.clone(), candidates, target, holdout, expected, a.folder.clone()]);
    }
    let powers = audiences.iter().filter_map(|a| {
        // What is not enough is a warning already.
        let power = a.power.as_ref().filter(|power| power.warning().is_none())?;
        Some(format!("{}: {}\n", printable(&a.audience), power.sentence()))
    });
    let warnings = audiences.iter().flat_map(|a| {
        a.warnings.iter().map(|warning| format!("warning: {}: {}\n", printable(&a.audience), printable(warning)))
    });
    table.render() + &powers.chain(warnings).collect::<String>()
}
