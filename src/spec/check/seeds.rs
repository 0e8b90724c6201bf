//! What an audience says of its seed, of those among whom its likes are sought, and of how they are found.

use std::path::Path;

use super::super::written;
use super::super::{
    Audience, Candidates, Method, PeopleSource, Prediction, Rows, Seed, SeedTime, Shape, Size, Stage, Told, Uplift,
};
use super::{Check, Sql, sql};

/// Endings of files that could name a seed; of which it can be read from, the reading tells.
const FILES: [&str; 8] = ["csv", "tsv", "txt", "gz", "zst", "xlsx", "xls", "parquet"];

/// What an audience may refer to.
#[derive(Clone, Copy)]
pub(super) struct Known<'k> {
    pub(super) people: &'k [PeopleSource],
    pub(super) stages: &'k [Stage],
    pub(super) predictions: &'k [Prediction],
    pub(super) uplifts: &'k [Uplift],
    pub(super) has_universal_holdout: bool,
}

impl Known<'_> {
    fn stage_names(&self) -> Vec<&str> {
        self.stages.iter().map(|stage| stage.name.as_str()).collect()
    }
}

impl Check<'_, '_> {
    pub(super) fn seed(&mut self, at: &str, name: &str, seed: written::SeedUse, known: Known<'_>) -> Option<Seed> {
        let form = match seed {
            written::SeedUse::Form(form) => form,
            written::SeedUse::Text(text) => told(text, known),
        };
        if form.stage.is_some() && form.as_of.is_some() && self.shape == Shape::Snapshot {
            let message = format!("audience `{name}`: `seed` has `as_of`, and a snapshot knows no times");
            self.fault(&format!("{at}.as_of"), message, "leave it out");
        }
        let source =
            form.table.as_ref().and_then(|table| self.source(&format!("{at}.table"), "seed", table, known.people));
        let told = self.told(at, name, &form, known)?;
        let as_of = form.as_of.unwrap_or(match (&told, self.shape) {
            (Told::Stage(_), Shape::Events) => SeedTime::Entry,
            _ => SeedTime::End,
        });
        if as_of == SeedTime::Entry && !matches!(told, Told::Stage(_)) {
            let message = format!("audience `{name}`: only the members of a stage have a time of entry");
            self.fault(&format!("{at}.as_of"), message, "write as_of = \"end\", or seed = { stage = \"…\" }");
        }
        Some(Seed { source, told, weight: form.weight, as_of })
    }

    fn told(&mut self, at: &str, name: &str, form: &written::SeedForm, known: Known<'_>) -> Option<Told> {
        let told = match (&form.stage, &form.rule, &form.file) {
            (Some(stage), None, None) => {
                let at = if form.weight.is_some() { format!("{at}.stage") } else { at.to_owned() };
                Told::Stage(*self.positions(&at, "seed", std::slice::from_ref(stage), &known.stage_names()).first()?)
            }
            (None, Some(rule), None) => {
                self.over_people(at, "seed", rule, known.stages);
                let stage = sql::rule(rule).ok().and_then(|rule| sql::only_text(&rule, "stage").map(str::to_owned));
                let stage = stage.and_then(|name| known.stages.iter().position(|stage| stage.name == name));
                stage.map_or_else(|| Told::Rule(rule.clone()), Told::Stage)
            }
            (None, None, Some(file)) => Told::File(self.path(at, file)),
            (None, None, None) if form.table.is_some() => Told::Source,
            (stage, rule, file) => {
                let several = [stage, rule, file].into_iter().flatten().count() > 1;
                let message = if several { "several things" } else { "nothing" };
                self.fault(
                    at,
                    format!("audience `{name}`: `seed` names {message} as the people whose likes are sought"),
                    "name one of `stage`, `where` (SQL), `file` (ids or contact data) and `table` (a source of people)",
                );
                return None;
            }
        };
        Some(told)
    }

    pub(super) fn candidates(
        &mut self,
        at: &str,
        candidates: Option<written::CandidatesUse>,
        known: Known<'_>,
    ) -> Candidates {
        let form = match candidates {
            None => return Candidates::default(),
            Some(written::CandidatesUse::Text(rule)) => {
                self.over_people(at, "candidates", &rule, known.stages);
                return Candidates { rule: Some(rule), ..Candidates::default() };
            }
            Some(written::CandidatesUse::Form(form)) => form,
        };
        if let Some(rule) = &form.rule {
            self.over_people(&format!("{at}.where"), "candidates", rule, known.stages);
        }
        let source = form
            .table
            .as_ref()
            .and_then(|table| self.source(&format!("{at}.table"), "candidates", table, known.people));
        Candidates { source, rule: form.rule, shared: form.shared }
    }

    /// The source of people of that name, or over the table of that name.
    fn source(&mut self, at: &str, key: &str, table: &str, people: &[PeopleSource]) -> Option<String> {
        let found = people
            .iter()
            .find(|source| source.name == table)
            .or_else(|| people.iter().find(|source| source.rows == Rows::Table(table.to_owned())));
        if found.is_none() && !self.faults.has_blanks_in("people") {
            let message = format!("`{key}`: no people come from `{table}`");
            if self.table_names.contains(&table) {
                self.fault(at, message, format!("add [people.{table}] with table = \"{table}\" and person = \"…\""));
            } else {
                let names: Vec<&str> = people.iter().map(|source| source.name.as_str()).collect();
                self.unknown(at, message, table, "sources of people", &names);
            }
        }
        found.map(|source| source.name.clone())
    }

    /// A rule over `stage` and the attributes.
    fn over_people(&mut self, at: &str, key: &str, text: &str, stages: &[Stage]) {
        let sql = Sql { at, text };
        let Some(rule) = self.rule(sql) else { return };
        self.double_quotes(sql, &rule, "stage");
        if self.faults.has_blanks_in("lifecycle") {
            return;
        }
        let names: Vec<&str> = stages.iter().map(|stage| stage.name.as_str()).collect();
        for found in sql::texts_compared_with(&rule, "stage").into_iter().filter(|found| !names.contains(found)) {
            self.unknown_in(sql, format!("`{key}`: there is no stage `{found}`"), found, "stages", &names);
        }
    }

    /// Notes what a method or a size asks for that the audience does not have.
    pub(super) fn agrees(&mut self, at: &str, audience: &Audience) {
        let Audience { name, method, .. } = audience;
        let (has_seed, has_prediction) = (audience.seed.is_some(), audience.prediction.is_some());
        let place = format!("{at}.method");
        let whose = format!("audience `{name}`: method = \"{}\"", method.name());
        match method {
            Method::Lookalike | Method::Similarity | Method::Blend if !has_seed => {
                self.fault(&place, format!("{whose} needs a `seed`"), "add seed = \"…\": whose likes are sought");
            }
            Method::Propensity if !has_prediction => {
                self.fault(&place, format!("{whose} needs a `prediction`"), "add prediction = \"…\"");
            }
            _ => {}
        }
        if audience.expected_lift.is_some() && !has_prediction && audience.expected_rate.is_none() {
            let message = format!(
                "audience `{name}`: `expected_lift` is relative to the rate without contact, which no prediction tells"
            );
            self.fault(
                &format!("{at}.expected_lift"),
                message,
                "add expected_rate = \"2%\": what is expected of those who are left alone",
            );
        }
        if audience.expected_rate.is_some() && !has_seed && audience.uplift.is_none() {
            let message = format!("audience `{name}`: `expected_rate` is what its prediction tells");
            self.fault(&format!("{at}.expected_rate"), message, "leave it out");
        }
        for (key, patterns, advice) in [
            ("exclude", &audience.exclude, "leave it out, or write `exclude` on the prediction"),
            ("trust", &audience.trust, "leave it out"),
        ] {
            if !patterns.is_empty() && !has_seed {
                let message = format!("audience `{name}`: `{key}` is about likeness, and there is no `seed`");
                self.fault(&format!("{at}.{key}"), message, advice);
            }
        }
        if matches!(audience.size, Size::Similarity(_)) && (!has_seed || *method == Method::Propensity) {
            let message =
                format!("audience `{name}`: nothing tells how similar people are, so `size` cannot ask for it");
            self.fault(
                &format!("{at}.size"),
                message,
                "add a `seed` and another `method`, or write a count or a share",
            );
        }
        if matches!(audience.size, Size::MaxProfit { .. })
            && (!has_prediction || (has_seed && *method != Method::Propensity))
        {
            let what = if has_seed { "likeness to a seed" } else { "an uplift" };
            let message = format!("audience `{name}`: {what} is no probability, so nobody's profit is known");
            let hint = "rank by a prediction's propensities (prediction = \"…\", with a seed also method = \"propensity\"), or write a count or a share";
            self.fault(&format!("{at}.size"), message, hint);
        }
    }
}

/// What a text names: a stage, a file, else it is SQL.
fn told(text: String, known: Known<'_>) -> written::SeedForm {
    let ending = Path::new(&text).extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let is_file = ending.is_some_and(|ending| FILES.contains(&ending.as_str()));
    if known.stages.iter().any(|stage| stage.name == text) {
        written::SeedForm { stage: Some(text), ..written::SeedForm::default() }
    } else if is_file {
        written::SeedForm { file: Some(text), ..written::SeedForm::default() }
    } else {
        written::SeedForm { rule: Some(text), ..written::SeedForm::default() }
    }
}
