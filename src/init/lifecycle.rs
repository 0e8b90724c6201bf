//! Stages, a prediction and a list, from the events as they were read.
//!
//! In: the people and events that the drafted sources give. The event that matters most is found by its name (a purchase, an
//! order, a completed offer) or, where names say nothing, by being reached late and by some; what comes before it becomes
//! stages, coming again makes `repeat`, and a silence twice as long as nearly all gaps makes `lapsed`. A horizon is taken from
//! the times that the transition took, and cutoffs so that training, validation and test each see some outcomes.

use std::path::Path;

use super::draft::{Draft, slug, sql_text, toml};
use super::goal::{Kind, goal, goal_word, kinds};
use super::plan::{Asked, LEAST_OUTCOMES, Plan, ROUND_DAYS, span};
use crate::error::{Error, Result};
use crate::map;
use crate::source::Data;
use crate::spec;
use crate::time::{Duration, Time};

/// A step that fewer people take is none of the lifecycle.
const LEAST_SHARE: f64 = 0.03;

const STEPS: [(&str, &[&str]); 4] = [
    (
        "lead",
        &[
            "signup",
            "register",
            "registered",
            "registration",
            "lead",
            "contact",
            "trial",
            "install",
            "subscribe",
            "newsletter",
            "quote",
        ],
    ),
    (
        "engaged",
        &[
            "view", "viewed", "search", "product", "click", "clicked", "browse", "wishlist", "compare", "open",
            "opened", "download", "page",
        ],
    ),
    ("cart", &["cart", "basket", "checkout", "shipping", "payment"]),
    ("visitor", &[]),
];

/// A stage to be written.
pub(super) struct Stage {
    pub(super) name: String,
    enter: Option<String>,
    from: Vec<String>,
    silence: Option<Duration>,
    comment: String,
}

impl Stage {
    /// Whether everybody starts here who is nowhere else.
    fn is_start(&self) -> bool {
        self.enter.is_none() && self.silence.is_none()
    }
}

/// Adds lifecycle, predictions and audiences.
pub(super) fn lifecycle(folder: &Path, draft: &mut Draft) -> Result<()> {
    let read = |text: &str| spec::parse(text, &folder.join("clo.toml"), &|_| None);
    let data = crate::source::read(&read(&draft.readable())?)?;
    let kinds = kinds(&data);
    let n_people = (0..data.people.len()).filter(|&person| !data.events.of(person).is_empty()).count();
    let Some(goal) = goal(&kinds, n_people) else {
        return Err(Error::data("no event was found that people could reach").hint("give a file of what people did"));
    };
    let mut stages = stages(&kinds, goal, n_people, &data);
    draft.notes.push(format!(
        "the event that matters: `{}` ({} of {n_people} people)",
        kinds[goal].name, kinds[goal].n_people
    ));
    let sources = draft.readable().replace("\n[[lifecycle.stages]]\nname = \"known\"\n", "");
    let history = |stages: &[Stage]| map::history(&data, &read(&[sources.clone(), written(stages)].concat())?);
    let mut stays = history(&stages)?;
    let is_needed = stays.stage.contains(&0) || stages.iter().any(|stage| stage.from.contains(&stages[0].name));
    if stages[0].is_start() && !is_needed {
        // Everybody begins further on.
        stages.remove(0);
        stays = history(&stages)?;
    }
    let goal_stage = stages.iter().position(|stage| stage.comment.contains("(goal)")).unwrap_or_default();
    let mut questions = Vec::new();
    let before: Vec<usize> = (0..goal_stage).collect();
    if !before.is_empty() {
        let first = if stages.iter().any(|stage| stage.name == "repeat") { "first-" } else { "" };
        let name = format!("{first}{}", kinds[goal].name.replace('_', "-"));
        questions.push((name, before, goal_stage));
    }
    if let Some(repeat) = stages.iter().position(|stage| stage.name == "repeat") {
        questions.push((format!("second-{}", kinds[goal].name.replace('_', "-")), vec![goal_stage], repeat));
        if let Some(loyal) = stages.iter().position(|stage| stage.name == "loyal") {
            questions.push(("loyalty".into(), vec![repeat], loyal));
        }
    }
    let asked = Asked { data: &data, stays: &stays };
    let plans: Vec<(String, Plan)> = questions
        .into_iter()
        .filter_map(|(name, from, to)| asked.plan(&from, to).map(|plan| (name, plan)))
        .take(2)
        .collect();
    draft.rest.push(format!("# Where people stand: everybody is in exactly one stage at any time. Rules are SQL over `event`, `nth` and properties.\n{}", written(&stages).trim_start()));
    if plans.is_empty() {
        draft
            .notes
            .push("no prediction: no transition has enough outcomes within the data; bring a longer history".into());
    }
    for (name, plan) in &plans {
        draft.rest.push(plan.written(name, &stages));
        draft.notes.push(format!(
            "prediction `{name}`: {} transitions over {} cutoffs within {} (a guess)",
            plan.n_attained, plan.count, plan.horizon
        ));
        draft.rest.push(audience(name, consent(&data)));
    }
    Ok(())
}

fn stages(kinds: &[Kind], goal: usize, n_people: usize, data: &Data) -> Vec<Stage> {
    let the_goal = &kinds[goal];
    let is_event = |names: &[&str]| match names {
        [only] => format!("event = {}", sql_text(only)),
        many => format!("event IN ({})", many.iter().map(|name| sql_text(name)).collect::<Vec<_>>().join(", ")),
    };
    let mut stages = Vec::new();
    let begins_with_goal =
        the_goal.n_first as f64 >= 0.9 * the_goal.n_people as f64 && the_goal.n_people as f64 >= 0.9 * n_people as f64;
    let goal_name = goal_word(&the_goal.name).map_or_else(|| slug(&[&the_goal.name]), |(_, stage)| stage.to_owned());
    let again = repeats(data, goal);
    if !begins_with_goal {
        let start = Stage {
            name: "visitor".into(),
            enter: None,
            from: Vec::new(),
            silence: None,
            comment: "no rule: where everybody starts".into(),
        };
        stages.push(start);
        let (steps, are_named) = steps(kinds, goal, n_people, &is_event);
        stages.extend(steps);
        if let [_, step] = stages.as_mut_slice()
            && again > 0.3
            && !are_named
        {
            // What can be reached again is offered again.
            step.from = vec!["visitor".into(), goal_name.clone()];
        }
    }
    let is_round = !stages.is_empty() && stages.len() == 2 && !stages[1].from.is_empty();
    stages.push(Stage {
        name: goal_name.clone(),
        enter: Some(is_event(&[&the_goal.name])),
        from: Vec::new(),
        silence: None,
        comment: "(goal)".into(),
    });
    let mut bought = vec![goal_name];
    for (name, nth, least) in [("repeat", 2, 0.02), ("loyal", 5, 0.05)] {
        let n_such = (0..data.people.len()).filter(|&person| n_of(data, person, goal) >= nth).count();
        if n_such as f64 >= least * the_goal.n_people as f64 && n_such >= 20 && !is_round {
            stages.push(Stage {
                name: name.into(),
                enter: Some(format!("{} AND nth >= {nth}", is_event(&[&the_goal.name]))),
                from: Vec::new(),
                silence: None,
                comment: format!("nth: this person's nth `{}`", the_goal.name),
            });
            bought.push(name.into());
        }
    }
    if let Some((silence, share)) = silence(data, goal).filter(|_| !is_round) {
        stages.push(Stage {
            name: "lapsed".into(),
            enter: None,
            from: bought,
            silence: Some(silence),
            comment: format!("{share:.0} % of those who come again do so within this time"),
        });
    }
    stages
}

/// Stages before the goal: those that names speak of (true), else one for each frequent kind.
fn steps(kinds: &[Kind], goal: usize, n_people: usize, is_event: &dyn Fn(&[&str]) -> String) -> (Vec<Stage>, bool) {
    let is_taken = |kind: &Kind| kind.n_people as f64 >= LEAST_SHARE * n_people as f64 && kind.name != kinds[goal].name;
    let is_before = |kind: &Kind| kind.place <= kinds[goal].place + 0.2 && goal_word(&kind.name).is_none();
    let usual: Vec<&Kind> = kinds.iter().filter(|kind| is_taken(kind) && is_before(kind)).collect();
    let stage = |name: String, names: &[&str]| Stage {
        name,
        enter: Some(is_event(names)),
        from: Vec::new(),
        silence: None,
        comment: "a step on the way (a guess)".into(),
    };
    let mut taken: Vec<&str> = Vec::new();
    let mut stages: Vec<(f64, Stage)> = Vec::new();
    // A cart first: `payment_details` speaks of a cart more than of anything else.
    for (name, known) in STEPS.iter().rev().filter(|(_, known)| !known.is_empty()) {
        let mut of_step: Vec<&Kind> = usual
            .iter()
            .copied()
            .filter(|kind| !taken.contains(&kind.name.as_str()))
            .filter(|kind| super::look::words(&kind.name).iter().any(|word| known.contains(&word.as_str())))
            .collect();
        of_step.sort_by(|a, b| a.name.cmp(&b.name));
        let names: Vec<&str> = of_step.iter().map(|kind| kind.name.as_str()).collect();
        let n_most = of_step.iter().map(|kind| kind.n_people).max().unwrap_or(0);
        if !names.is_empty() && (n_most as f64) < 0.98 * n_people as f64 {
            let place = of_step.iter().map(|kind| kind.place).fold(f64::INFINITY, f64::min);
            stages.push((place, stage((*name).to_owned(), &names)));
        }
        taken.extend(names);
    }
    let are_named = !stages.is_empty();
    if !are_named {
        let mut others = usual;
        others.sort_by(|a, b| a.place.total_cmp(&b.place).then_with(|| a.name.cmp(&b.name)));
        stages.extend(others.into_iter().take(3).map(|kind| (kind.place, stage(slug(&[&kind.name]), &[&kind.name]))));
    }
    stages.sort_by(|a, b| a.0.total_cmp(&b.0));
    (stages.into_iter().map(|(_, stage)| stage).collect(), are_named)
}

fn n_of(data: &Data, person: usize, kind: usize) -> usize {
    data.events.kind[data.events.of(person)].iter().filter(|of| usize::from(**of) == kind).count()
}

/// The share of those who reached the goal who reached it again.
fn repeats(data: &Data, goal: usize) -> f64 {
    let (mut once, mut again) = (0.0, 0.0);
    for person in 0..data.people.len() {
        let n = n_of(data, person, goal);
        once += f64::from(u8::from(n > 0));
        again += f64::from(u8::from(n > 1));
    }
    again / f64::max(once, 1.0)
}

/// A round span that nearly all gaps between two goals fall within, twice, and the share of them that do.
fn silence(data: &Data, goal: usize) -> Option<(Duration, f64)> {
    let mut gaps = Vec::new();
    for person in 0..data.people.len() {
        let rows = data.events.of(person);
        let times = rows.filter(|&row| usize::from(data.events.kind[row]) == goal).map(|row| data.events.time[row]);
        let times: Vec<i64> = times.collect();
        gaps.extend(times.windows(2).map(|pair| Time(pair[1]).days_since(Time(pair[0]))).filter(|days| *days > 0.0));
    }
    if gaps.len() < LEAST_OUTCOMES {
        return None;
    }
    gaps.sort_unstable_by(f64::total_cmp);
    let usual = gaps[gaps.len() * 9 / 10];
    let longest = span(data)? / 3.0;
    let days = ROUND_DAYS.into_iter().find(|&days| days as f64 >= usual).filter(|&days| days as f64 <= longest)?;
    let within = gaps.partition_point(|gap| *gap <= days as f64);
    Some((Duration::days(days), 100.0 * within as f64 / gaps.len() as f64))
}

fn written(stages: &[Stage]) -> String {
    let mut text = String::new();
    for stage in stages {
        let start = if stage.is_start() { format!("    # {}", stage.comment) } else { String::new() };
        text += &format!("\n[[lifecycle.stages]]\nname = {}{start}\n", toml(&stage.name));
        let comment = if stage.comment.is_empty() || stage.comment == "(goal)" {
            String::new()
        } else {
            format!("    # {}", stage.comment)
        };
        let names = |names: &[String]| names.iter().map(|name| toml(name)).collect::<Vec<_>>().join(", ");
        if !stage.from.is_empty() {
            text += &format!("from = [{}]\n", names(&stage.from));
        }
        match (&stage.enter, stage.silence) {
            (Some(enter), _) => text += &format!("enter = {}{comment}\n", toml(enter)),
            (None, Some(silence)) => text += &format!("silence = \"{silence}\"{comment}\n"),
            (None, None) => {}
        }
    }
    text
}

/// An attribute that says who agreed to be contacted.
fn consent(data: &Data) -> Option<String> {
    let columns = data.people.attributes.columns().iter();
    let names = columns.filter(|column| column.dtype().is_bool()).map(|column| column.name().to_string());
    names.into_iter().find(|name| {
        let words = super::look::words(name);
        words.iter().any(|word| word == "consent" || word == "optin")
            || (words.iter().any(|word| word == "opt") && words.iter().any(|word| word == "in"))
    })
}

/// The list that a prediction ranks.
pub(super) fn audience(prediction: &str, consent: Option<String>) -> String {
    let consent = consent.map(|column| {
        format!("consent = {}    # who agreed (likely)\n", toml(&format!("{} = true", super::look::quoted(&column))))
    });
    format!(
        "# Whom to reach: the tenth most likely; a tenth of them is left alone, to measure what the campaign changed.\n[[audiences]]\nname = {}\nprediction = {}\nsize = \"10%\"\nholdout = \"10%\"\n{}# suppress = [\"unsubscribed.csv\"]    # who must not be contacted\nexport = [\"csv\", \"xlsx\"]",
        toml(&format!("{prediction}-list")),
        toml(prediction),
        consent.unwrap_or_default()
    )
}
