//! `[[audiences]]`, and what their holdouts have in common.

use super::super::written;
use super::super::{Audience, Campaign, Consent, Contacting, Destination, Holdout, Prediction, Size, Stake, Stratify};
use super::contacting::Said;
use super::seeds::Known;
use super::{Check, Sql};

impl Check<'_, '_> {
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
                    "write 0 or more, or leave it out",
                );
            }
        }
        let suppress = audience.suppress.iter().enumerate();
        let export = self.export(at, audience.export);
        if audience.keep_gmail_dots && !export.contains(&Destination::GoogleCustomerMatch) {
            let message = "`keep_gmail_dots` counts only with export \"google-customer-match\"";
            self.fault(&format!("{at}.keep_gmail_dots"), message, "leave it out, or add that export");
        }
        for (key, is_said) in [
            ("stratify", audience.stratify.is_some()),
            ("expected_rate", audience.expected_rate.is_some()),
            ("expected_lift", audience.expected_lift.is_some()),
        ] {
            if is_said && audience.holdout.is_none() && !known.has_universal_holdout {
                let message = format!("audience `{name}`: `{key}` is about the holdout, and nobody is held out");
                self.fault(&format!("{at}.{key}"), message, "add holdout = \"10%\", or leave it out");
            }
        }
        let needs_prediction = said.is_some() || !(has_seed || uplift.is_some());
        let checked = Audience {
            prediction: needs_prediction.then(|| self.ranking(at, &name, said, known.predictions)),
            uplift,
            seed,
            candidates: self.candidates(&format!("{at}.candidates"), audience.candidates, known),
            method: audience.method.unwrap_or_default(),
            exclude: audience.exclude,
            trust: audience.trust,
            size,
            tiers,
            cost,
            value,
            max_turnover: audience.max_turnover.map(|share| self.turnover(&format!("{at}.max_turnover"), &share)),
            holdout: audience.holdout.map_or(0.0, |share| self.holdout(&format!("{at}.holdout"), &share)),
            stratify: audience.stratify.map(stratify),
            expected_rate: audience.expected_rate.and_then(|rate| self.rate(&format!("{at}.expected_rate"), &rate)),
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

    fn rate(&mut self, at: &str, rate: &written::Share) -> Option<f64> {
        let found = number(rate).filter(|rate| *rate > 0.0 && *rate < 1.0);
        if found.is_none() {
            let hint = "write \"2%\" or 0.02: of a hundred who are left alone, two convert all the same";
            self.fault(at, "`expected_rate` must be a share above 0 % and below 100 %", hint);
        }
        found
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
