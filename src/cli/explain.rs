//! `clo explain`.

use super::answer::Answer;
use super::table::{Align, Table, printable};
use super::ui::Ui;
use super::{Global, project};
use crate::discover::words::feature as in_words;
use crate::error::Result;
use crate::pipeline::explain::{Explanation, Job, explain};
use crate::predict::counterfactual::{Counterfactual, Value};

/// Contributions that are shown; the JSON document has all.
const SHOWN: usize = 10;

/// Explain a person's propensity: what moved it, and what would have to change to move it
///
/// With --to, the smallest change of the features that the prediction calls `actionable` is sought that brings the propensity there,
/// up or down. It is about the model: it does not promise that the person would act otherwise.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The prediction [default: the only one]
    #[arg(long, value_name = "NAME")]
    prediction: Option<String>,
    /// The person's id
    #[arg(long, value_name = "ID")]
    person: String,
    /// The propensity to reach: 0.3 or 30%
    #[arg(long, value_name = "SHARE", value_parser = share)]
    to: Option<f64>,
}

pub(super) fn run(args: Args, global: &Global, ui: &Ui) -> Result<Answer> {
    let project = project::open(global)?;
    let job = Job { prediction: args.prediction, person: args.person, to: args.to };
    let progress = ui.progress();
    progress.wait("explaining");
    let explained = explain(&project, &job)?;
    drop(progress);
    Answer::new("explain", text(&explained), &explained)
}

fn share(text: &str) -> std::result::Result<f64, String> {
    let number: Option<f64> = match text.trim().strip_suffix('%') {
        Some(percent) => percent.trim().parse().ok().map(|percent: f64| percent / 100.0),
        None => text.trim().parse().ok(),
    };
    number
        .filter(|share| *share > 0.0 && *share < 1.0)
        .ok_or_else(|| "write a share between 0 and 1, such as 0.3 or 30%".to_owned())
}

fn text(of: &Explanation) -> String {
    let mut text = format!(
        "{}, {}: propensity {:.1} %, above {:.0} % of the people whom the model first scored\n",
        printable(&of.person),
        printable(&of.stage),
        100.0 * of.propensity,
        of.percentile
    );
    if !of.is_eligible_now {
        text += "They could not make the transition now: this is their newest example.\n";
    }
    let reasons: Vec<&str> = of.reasons.iter().flatten().map(String::as_str).collect();
    if !reasons.is_empty() {
        text += &format!("Why so high: {}\n", printable(&reasons.join("; ")));
    }
    let mut table = Table::new([("what is known", Align::Left), ("moves the log odds", Align::Right)]);
    for one in of.contributions.iter().take(SHOWN) {
        table.row([one.told.clone(), format!("{:+.3}", one.contribution)]);
    }
    let rest: f64 = of.contributions.iter().skip(SHOWN).map(|one| one.contribution).sum();
    table.row([format!("{} other features", of.contributions.len().saturating_sub(SHOWN)), format!("{rest:+.3}")]);
    table.row(["the average person".to_owned(), format!("{:+.3}", of.average)]);
    table.row(["together, before calibration".to_owned(), format!("{:+.3}", of.margin)]);
    text += &format!("\n{}", table.render());
    if let Some(counterfactual) = &of.counterfactual {
        text += &format!("\n{}", change(counterfactual));
    }
    text + &format!("\n{}\n", of.caveat)
}

fn change(of: &Counterfactual) -> String {
    let goal = format!("{:.1} %", 100.0 * of.goal);
    let after = format!("{:.1} %", 100.0 * of.propensity);
    if of.changes.is_empty() && of.reached {
        return format!("The propensity is at {goal} already.\n");
    }
    let steps: Vec<String> = of
        .changes
        .iter()
        .map(|change| {
            let from = change.from.as_ref().map_or_else(|| "not known".to_owned(), shown);
            format!(
                "  {}: from {} to {}\n",
                printable(&in_words(&change.feature)),
                printable(&from),
                printable(&shown(&change.to))
            )
        })
        .collect();
    let steps = steps.concat();
    match (of.reached, of.is_smallest) {
        (true, true) => format!("The smallest change that brings it to {goal}: then it is {after}.\n{steps}"),
        (true, false) => format!(
            "No one or two changes bring it to {goal}; these do, and it is {after} then (fewer or smaller ones may do).\n{steps}"
        ),
        (false, _) if of.changes.is_empty() => {
            format!("No change of the actionable features brings it nearer to {goal}.\n")
        }
        (false, _) => format!(
            "No change of the actionable features was found that brings it to {goal}. The nearest comes to {after}.\n{steps}"
        ),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Number(number) => format!("{}", (number * 100.0).round() / 100.0),
        Value::Level(level) => level.clone(),
    }
}
