//! `[[predictions]]` and `[[audiences]]`.

use super::super::written;
use super::super::{
    Audience, Campaign, Consent, Contacting, Cutoffs, Destination, Holdout, Judging, Prediction, Rule, Shape, Size,
    Stage, Stake, Stratify,
};
use super::contacting::Said;
use super::seeds::Known;
use super::{Check, Sql};
use crate::time::Duration;

/// How far features look back when the spec does not say.
const WINDOW_DAYS: [i64; 4] = [7, 30, 90, 365];

/// How many cutoffs there are when the spec does not say.
const N_CUTOFFS: usize = 12;

/// The most days between two cutoffs when the spec does not say.
const CUTOFFS_EVERY: Duration = Duration::days(30);

impl Check<'_, '_> {
    pub(super) fn predictions(&mut self, predictions: Vec<written::Prediction>, stages: &[Stage]) -> Vec<Prediction> {
        let mut checked: Vec<Prediction> = Vec::new();
        for (position, prediction) in predictions.into_iter().enumerate() {
            let at = format!("predictions[{position}]");
            self.once(
                &format!("{at}.name"),
                "prediction",
                &prediction.name,
                checked.iter().map(|other| other.name.as_str()),
            );
            let prediction = self.prediction(&at, prediction, stages);
            checked.push(prediction);
        }
        checked
    }

    pub(super) fn audiences(
        &mut self,
        audiences: Vec<written::Audience>,
        consents: &[Consent],
        known: Known<'_>,
    ) -> Vec<Audience> {
        let mut checked: Vec<Audience> = Vec::new();
        for (position, mut audience) in audiences.into_iter().enumerate() {
            let at = format!("audiences[{position}]");
            self.once(
                &format!("{at}.name"),
                "audience",
                &audience.name,
                checked.iter().map(|other| other.name.as_str()),
            );
            let said = Said {
                purposes: std::mem::take(&mut audience.purposes),
                household: std::mem::take(&mut audience.household),
                cap: audience.cap.take(),
                cool_down: std::mem::take(&mut audience.cool_down),
                not_in: std::mem::take(&mut audience.not_in),
            };
            let before: Vec<&str> = checked.iter().map(|other: &Audience| other.name.as_str()).collect();
            let contacting = self.contacting(&at, said, consents, &before);
            let audience = Audience { contacting, ..self.audience(&at, audience, known) };
            checked.push(audience);
        }
        checked
    }

    fn prediction(&mut self, at: &str, prediction: written::Prediction, stages: &[Stage]) -> Prediction {
        let name = self.folder(&format!("{at}.name"), prediction.name);
        let (from, to) = self.transition(at, &name, &prediction.from, &prediction.to, stages);
        let horizon = prediction.horizon.as_deref();
        let horizon = horizon.and_then(|text| self.faults.take(&format!("{at}.horizon"), "horizon", text.parse()));
        let (said_horizon, said_cutoffs) = (prediction.horizon.is_some(), prediction.cutoffs.is_some());
        match self.shape {
            Shape::Events if !said_horizon => self.fault(
                &format!("{at}.horizon"),
                format!("prediction `{name}` does not say its `horizon`"),
                "add horizon = \"90d\": the span after the cutoff in which the transition counts",
            ),
            Shape::Events => {}
            Shape::Snapshot => {
                let said =
                    [("horizon", said_horizon), ("cutoffs", said_cutoffs), ("windows", prediction.windows.is_some())];
                for (key, _) in said.into_iter().filter(|(_, said)| *said) {
                    let message = format!("prediction `{name}` has `{key}`, and a snapshot knows no times");
                    self.fault(&format!("{at}.{key}"), message, "leave it out, or declare the [events.*]");
                }
            }
        }
        Prediction {
            from,
            to,
            horizon,
            cutoffs: self.cutoffs(&format!("{at}.cutoffs"), &prediction.cutoffs.unwrap_or_default(), horizon),
            windows: self.windows(&format!("{at}.windows"), prediction.windows),
            exclude: prediction.exclude,
            trust: prediction.trust,
            judging: self.judging(at, &name, prediction.cost, prediction.value, prediction.segments),
            model: self.model(&format!("{at}.model"), prediction.model),
            explained: self.explained(at, prediction.protected, prediction.actionable),
            name,
        }
    }

    fn judging(
        &mut self,
        at: &str,
        name: &str,
        cost: Option<f64>,
        value: Option<f64>,
        segments: Option<Vec<String>>,
    ) -> Judging {
        for (key, given) in [("cost", cost), ("value", value)] {
            if given.is_some_and(|given| !given.is_finite() || given <= 0.0) {
                let message = format!("prediction `{name}`: `{key}` must be above 0");
                self.fault(&format!("{at}.{key}"), message, "mend it, or leave both `cost` and `value` out");
            }
        }
        for (said, other, missing) in [("cost", cost, value), ("value", value, cost)].map(|(key, said, other)| {
            (key, if key == "cost" { "value" } else { "cost" }, said.is_some() && other.is_none())
        }) {
            if missing {
                let message = format!("prediction `{name}` has `{said}` and no `{other}`");
                self.fault(
                    &format!("{at}.{said}"),
                    message,
                    "say both: a list is worth what its transitions bring less what reaching it costs",
                );
            }
        }
        Judging { stake: cost.zip(value).map(|(cost, value)| Stake { cost, value }), segments }
    }

    fn transition(
        &mut self,
        at: &str,
        name: &str,
        from: &[String],
        to: &[String],
        stages: &[Stage],
    ) -> (Vec<usize>, Vec<usize>) {
        let names: Vec<&str> = stages.iter().map(|stage| stage.name.as_str()).collect();
        let whose = format!("prediction `{name}`");
        for (key, wanted) in [("from", from), ("to", to)] {
            if wanted.is_empty() {
                self.fault(&format!("{at}.{key}"), format!("{whose}: `{key}` is empty"), "name at least one stage");
            }
        }
        let from_at = format!("{at}.from");
        let to_at = format!("{at}.to");
        let from = self.positions(&from_at, &whose, from, &names);
        let to = self.positions(&to_at, &whose, to, &names);
        for stage in to.iter().map(|to| &stages[*to]) {
            if self.shape == Shape::Events && stage.rule == Rule::Start && !self.faults.has_blanks_in("lifecycle") {
                let message = format!("{whose}: nobody can reach `{}`, it is where everybody starts", stage.name);
                self.fault(&to_at, message, "name a stage with a rule");
            }
        }
        for stage in to.iter().filter(|to| from.contains(to)).map(|to| &stages[*to]) {
            let message = format!("{whose}: `{}` is both in `from` and in `to`", stage.name);
            self.fault(&to_at, message, "people cannot move to where they are: take it out of one");
        }
        (from, to)
    }

    fn cutoffs(&mut self, at: &str, cutoffs: &written::Cutoffs, horizon: Option<Duration>) -> Cutoffs {
        let every = cutoffs.every.as_deref();
        let every = every.and_then(|text| self.faults.take(&format!("{at}.every"), "every", text.parse()));
        let usual = horizon.filter(|horizon| horizon.in_days() < CUTOFFS_EVERY.in_days()).unwrap_or(CUTOFFS_EVERY);
        let count = cutoffs.count.map_or(N_CUTOFFS, |count| count as usize);
        Cutoffs { every: every.unwrap_or(usual), count }
    }

    fn windows(&mut self, at: &str, windows: Option<Vec<String>>) -> Vec<Duration> {
        let Some(windows) = windows else { return WINDOW_DAYS.map(Duration::days).to_vec() };
        let mut checked = Vec::new();
        for (position, text) in windows.iter().enumerate() {
            let at = format!("{at}[{position}]");
            if text == "all" {
                self.fault(&at, "the whole past is always among the windows", "leave \"all\" out");
                continue;
            }
            match self.faults.take(&at, "windows", text.parse()) {
                Some(window) if checked.contains(&window) => {
                    self.fault(&at, format!("the window {window} is there twice"), "once is enough");
                }
                window => checked.extend(window),
            }
        }
        checked
    }

    fn audience(&mut self, at: &str, audience: written::Audience, known: Known<'_>) -> Audience {
        let name = self.folder(&format!("{at}.name"), audience.name);
        let (has_seed, said) = (audience.seed.is_some(), audience.prediction);
        let ranks = has_seed || said.is_some();
        let uplift = audience.uplift.map(|uplift| self.by_uplift(&format!("{at}.uplift"), &name, uplift, ranks, known));
        let seed = audience.seed.and_then(|seed| self.seed(&format!("{at}.seed"), &name, seed, known));
        if let Some(consent) = &audience.consent {
            self.rule(Sql { at: &format!("{at}.consent"), text: consent });
        }
        let stake = of_prediction(said.as_deref(), known.predictions);
        let cost = audience.cost.or(stake.map(|stake| stake.cost));
        let value = audience.value.or(stake.map(|stake| stake.value));
        let tiers = self.tiers(at, &name, &audience.size);
        let size = match tiers.last() {
            Some(&largest) => Size::Share(largest),
            None => self.size(at, &name, &audience.size, cost, value),
        };
        for (key, given) in [("cost", audience.cost), ("value", audience.value)] {
            if given.is_some_and(|given| !given.is_finite() || given < 0.0) {
                self.fault(
                    &format!("{at}.{key}"),
                    format!("audience `{name}`: `{key}` must not be below 0"),
                    "mend it",
                );
            }
        }
        let suppress = audience.suppress.iter().enumerate();
        let export = self.export(at, audience.export);
        if audience.keep_gmail_dots && !export.contains(&Destination::GoogleCustomerMatch) {
            let message = "`keep_gmail_dots` counts only with export \"google-customer-match\"";
            self.fault(&format!("{at}.keep_gmail_dots"), message, "leave it out, or add that export");
        }
        let needs_prediction = said.is_some() || !(has_seed || uplift.is_some());
        let checked = Audience {
            prediction: needs_prediction.then(|| self.ranking(at, &name, said, known.predictions)),
            uplift,
            seed,
            candidates: self.candidates(&format!("{at}.candidates"), audience.candidates, known),
            method: audience.method.unwrap_or_default(),
            exclude: audience.exclude,
            size,
            tiers,
            cost,
            value,
            max_turnover: audience.max_turnover.map(|share| self.turnover(&format!("{at}.max_turnover"), &share)),
            holdout: audience.holdout.map_or(0.0, |share| self.holdout(&format!("{at}.holdout"), &share)),
            stratify: audience.stratify.map(stratify),
            expected_lift: audience.expected_lift.and_then(|lift| self.lift(&format!("{at}.expected_lift"), &lift)),
            suppress: suppress.map(|(position, path)| self.path(&format!("{at}.suppress[{position}]"), path)).collect(),
            consent: audience.consent,
            contacting: Contacting::default(),
            campaign: self.campaign(at, &export, audience.campaign, audience.campaign_status),
            keeps_gmail_dots: audience.keep_gmail_dots,
            export,
            name,
        };
        self.agrees(at, &checked);
        checked
    }

    /// The uplift that ranks an audience, which nothing else `ranks`.
    fn by_uplift(&mut self, at: &str, name: &str, uplift: String, ranks: bool, known: Known<'_>) -> String {
        let names: Vec<&str> = known.uplifts.iter().map(|uplift| uplift.name.as_str()).collect();
        if ranks {
            let message = format!("audience `{name}` is ranked by an uplift and by something else");
            self.fault(at, message, "keep one of `uplift`, `prediction` and `seed`");
        }
        if !names.contains(&uplift.as_str()) && !self.faults.has_blanks_in("uplifts") {
            self.unknown(at, format!("audience `{name}`: there is no uplift `{uplift}`"), &uplift, "uplifts", &names);
        }
        uplift
    }

    /// The prediction whose scores rank an audience.
    fn ranking(&mut self, at: &str, name: &str, prediction: Option<String>, predictions: &[Prediction]) -> String {
        let names: Vec<&str> = predictions.iter().map(|prediction| prediction.name.as_str()).collect();
        let place = format!("{at}.prediction");
        match (prediction, names.as_slice()) {
            (Some(found), _) if names.contains(&found.as_str()) || self.faults.has_blanks_in("predictions") => found,
            (Some(found), _) => {
                let message = format!("audience `{name}`: there is no prediction `{found}`");
                self.unknown(&place, message, &found, "predictions", &names);
                found
            }
            (None, [only]) => (*only).to_owned(),
            (None, _) => {
                let message = format!("audience `{name}` says neither which prediction nor which seed ranks it");
                let hint = match names.first() {
                    Some(first) => format!("add prediction = \"{first}\", or seed = \"…\" (whose likes are sought)"),
                    None => {
                        "add seed = \"…\" (whose likes are sought), or [[predictions]] with name, from, to and horizon"
                            .to_owned()
                    }
                };
                self.fault(&place, message, hint);
                String::new()
            }
        }
    }

    fn size(&mut self, at: &str, name: &str, size: &written::Size, cost: Option<f64>, value: Option<f64>) -> Size {
        let found = match size {
            written::Size::Text(text) if text == "max-profit" => return self.max_profit(at, name, cost, value),
            written::Size::Text(text) => text.trim().to_owned(),
            written::Size::Count(count) => count.to_string(),
            written::Size::Tiers(_) => return Size::Count(1),
        };
        if let Some(least) = similarity(&found) {
            return Size::Similarity(least);
        }
        if let Some(share) = percent(&found).filter(|share| *share > 0.0 && *share <= 1.0) {
            return Size::Share(share);
        }
        if let Some(count) = found.parse().ok().filter(|count| *count > 0) {
            return Size::Count(count);
        }
        self.fault(
            &format!("{at}.size"),
            format!("audience `{name}`: \"{found}\" is not a size"),
            "write a count of at least 1 (500), a share above 0 % and up to 100 % (\"10%\"), { tiers = [\"1%\", \"5%\"] }, \"max-profit\", or \"similarity >= 0.6\"",
        );
        Size::Count(1)
    }

    /// Nested shares, where the size is said so.
    fn tiers(&mut self, at: &str, name: &str, size: &written::Size) -> Vec<f64> {
        let written::Size::Tiers(written::Tiers { tiers }) = size else { return Vec::new() };
        let shares: Vec<f64> = tiers.iter().filter_map(|text| percent(text)).collect();
        let ascend = shares.windows(2).all(|pair| pair[0] < pair[1]);
        let fit = shares.len() == tiers.len() && shares.iter().all(|share| *share > 0.0 && *share <= 1.0);
        if !fit || !ascend || shares.is_empty() {
            self.fault(
                &format!("{at}.size"),
                format!(
                    "audience `{name}`: `tiers` must be shares above 0 % and up to 100 %, each above the one before"
                ),
                "write them as size = { tiers = [\"1%\", \"5%\", \"10%\"] }",
            );
            return vec![1.0];
        }
        shares
    }

    fn turnover(&mut self, at: &str, share: &written::Share) -> f64 {
        let found = match share {
            written::Share::Number(share) => Some(*share),
            written::Share::Text(text) => percent(text),
        };
        found.filter(|share| (0.0..=1.0).contains(share)).unwrap_or_else(|| {
            let message = "`max_turnover` must be a share from 0 % to 100 %";
            self.fault(at, message, "write \"20%\" or 0.2: the part of the list that may change");
            1.0
        })
    }

    fn max_profit(&mut self, at: &str, name: &str, cost: Option<f64>, value: Option<f64>) -> Size {
        let whats =
            [("cost", cost, "what reaching one person costs"), ("value", value, "what one transition is worth")];
        for (key, given, what) in whats {
            let (message, hint) = match given {
                Some(given) if given.is_finite() && given > 0.0 => continue,
                Some(given) => (format!("`{key}` must be above 0, not {given}"), format!("`{key}` is {what}")),
                None => (format!("size = \"max-profit\" needs `{key}`"), format!("add {key} = …: {what}")),
            };
            self.fault(&format!("{at}.{key}"), format!("audience `{name}`: {message}"), hint);
        }
        Size::MaxProfit { cost: cost.unwrap_or(1.0), value: value.unwrap_or(1.0) }
    }

    /// What all holdouts have in common.
    pub(super) fn holdouts(&mut self, holdout: written::Holdout) -> Holdout {
        let universal = holdout.universal.map_or(0.0, |share| self.holdout("holdout.universal", &share));
        Holdout { universal, salt: holdout.salt.map(|salt| self.name("holdout.salt", salt)) }
    }

    fn holdout(&mut self, at: &str, share: &written::Share) -> f64 {
        match number(share) {
            Some(share) if (0.0..1.0).contains(&share) => share,
            _ => {
                let key = at.rsplit('.').next().unwrap_or(at);
                let message = format!("`{key}` must be a share from 0 % to below 100 %");
                self.fault(at, message, "write \"10%\" or 0.1: the part of the audience that is left alone");
                0.0
            }
        }
    }

    fn lift(&mut self, at: &str, lift: &written::Share) -> Option<f64> {
        let found = number(lift).filter(|lift| lift.is_finite() && *lift > 0.0);
        if found.is_none() {
            let hint = "write \"20%\": a fifth more conversions than without contact";
            self.fault(at, "`expected_lift` must be above 0 %", hint);
        }
        found
    }

    fn export(&mut self, at: &str, export: Option<Vec<Destination>>) -> Vec<Destination> {
        let Some(export) = export else { return vec![Destination::Csv] };
        for (position, destination) in export.iter().enumerate() {
            if export[..position].contains(destination) && !self.faults.has_blanks_in(&format!("{at}.export")) {
                let message = format!("`export` names \"{}\" twice", destination.name());
                self.fault(&format!("{at}.export[{position}]"), message, "once is enough");
            }
        }
        export
    }

    /// The campaign of an export that needs one.
    fn campaign(
        &mut self,
        at: &str,
        export: &[Destination],
        id: Option<String>,
        status: Option<String>,
    ) -> Option<Campaign> {
        let place = format!("{at}.campaign");
        match (export.contains(&Destination::SalesforceCampaignMembers), id) {
            (true, Some(id)) => {
                let is_id = id.starts_with("701")
                    && matches!(id.len(), 15 | 18)
                    && id.bytes().all(|b| b.is_ascii_alphanumeric());
                if !is_id {
                    let message = format!("`campaign` \"{id}\" is not the id of a Salesforce campaign");
                    self.fault(&place, message, "it has 15 or 18 letters and digits, and begins with 701");
                }
                Some(Campaign { id, status: status.unwrap_or_else(|| "Sent".to_owned()) })
            }
            (true, None) => {
                let hint = "add campaign = \"701…\", the id in the campaign's address";
                self.fault(&place, "export \"salesforce-campaign-members\" needs `campaign`", hint);
                None
            }
            (false, None) if status.is_none() => None,
            (false, _) => {
                let message = "`campaign` and `campaign_status` count only with export \"salesforce-campaign-members\"";
                self.fault(&place, message, "leave them out, or add that export");
                None
            }
        }
    }

    /// A name that a folder can bear.
    pub(super) fn folder(&mut self, at: &str, name: String) -> String {
        let name = self.name(at, name);
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !name.trim().is_empty() && (name.starts_with('.') || !name.chars().all(fits)) {
            self.fault(
                at,
                format!("`{name}` cannot be the name of a folder, and one is named after it"),
                "use letters, digits, `-`, `_` and `.` only",
            );
        }
        name
    }
}

/// What the prediction of an audience (the only one, if it names none) says is at stake.
fn of_prediction(name: Option<&str>, predictions: &[Prediction]) -> Option<Stake> {
    let prediction = match (name, predictions) {
        (Some(name), predictions) => predictions.iter().find(|prediction| prediction.name == name),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    prediction?.judging.stake
}

fn stratify(by: String) -> Stratify {
    if by == "propensity" { Stratify::Propensity } else { Stratify::Attribute(by) }
}

fn number(share: &written::Share) -> Option<f64> {
    match share {
        written::Share::Number(share) => Some(*share),
        written::Share::Text(text) => percent(text),
    }
}

/// `10%` as 0.1.
pub(super) fn percent(text: &str) -> Option<f64> {
    let number: f64 = text.trim().strip_suffix('%')?.trim().parse().ok()?;
    Some(number / 100.0)
}

/// `similarity >= 0.6` as 0.6.
fn similarity(text: &str) -> Option<f64> {
    let number: f64 = text.strip_prefix("similarity")?.trim_start().strip_prefix(">=")?.trim().parse().ok()?;
    Some(number).filter(|number| *number > 0.0 && *number <= 1.0)
}
