//! What `[[consent]]` and an audience say about who may be contacted.

use super::super::{Cap, Consent, Contacting, CoolDown, Shape, written};
use super::{Check, Sql};

/// What an audience says about contacting people, as it is written.
pub(super) struct Said {
    pub(super) purposes: Vec<String>,
    pub(super) household: Vec<String>,
    pub(super) cap: Option<written::Cap>,
    pub(super) cool_down: Vec<written::CoolDown>,
    pub(super) not_in: Vec<String>,
}

impl Check<'_, '_> {
    pub(super) fn consents(&mut self, consents: Vec<written::Consent>) -> Vec<Consent> {
        let mut checked = Vec::with_capacity(consents.len());
        for (position, consent) in consents.into_iter().enumerate() {
            let at = format!("consent[{position}]");
            self.rule(Sql { at: &format!("{at}.needs"), text: &consent.needs });
            if let Some(region) = &consent.region {
                self.rule(Sql { at: &format!("{at}.region"), text: region });
            }
            let purpose = self.name(&format!("{at}.purpose"), consent.purpose);
            checked.push(Consent { purpose, region: consent.region, needs: consent.needs });
        }
        checked
    }

    /// The rules of the audience at `at`; `before` are the names of the audiences declared before it.
    pub(super) fn contacting(&mut self, at: &str, said: Said, consents: &[Consent], before: &[&str]) -> Contacting {
        let Said { purposes, household, cap, cool_down, not_in } = said;
        let known: Vec<&str> = consents.iter().map(|consent| consent.purpose.as_str()).collect();
        for (position, purpose) in purposes.iter().enumerate().filter(|(_, purpose)| !known.contains(&purpose.as_str()))
        {
            let message = format!("there is no [[consent]] of purpose `{purpose}`");
            self.unknown(&format!("{at}.purposes[{position}]"), message, purpose, "[[consent]]", &known);
        }
        for (position, other) in not_in.iter().enumerate().filter(|(_, other)| !before.contains(&other.as_str())) {
            let message = format!("`not_in`: there is no audience `{other}` before this one");
            self.unknown(&format!("{at}.not_in[{position}]"), message, other, "audiences before this one", before);
        }
        let keys = [("cap", cap.is_some()), ("cool_down", !cool_down.is_empty())];
        let has_events = self.shape == Shape::Events;
        for (key, _) in keys.into_iter().filter(|(_, said)| *said && !has_events) {
            let message = format!("`{key}` looks at events, and a snapshot has none");
            self.fault(&format!("{at}.{key}"), message, "leave it out, or declare the [events.*]");
        }
        let cap = cap.and_then(|cap| {
            let within = self.faults.take(&format!("{at}.cap.within"), "within", cap.within.parse())?;
            if cap.times == 0 {
                self.fault(&format!("{at}.cap.times"), "`times` is 0, so everyone is left alone", "write 1 or more");
            }
            Some(Cap { event: cap.event, times: cap.times, within })
        });
        let cool_down = cool_down.into_iter().enumerate().filter_map(|(position, cool)| {
            let span = self.faults.take(&format!("{at}.cool_down[{position}].for"), "for", cool.span.parse())?;
            Some(CoolDown { after: cool.after, span })
        });
        let cool_down = cool_down.collect();
        let consents = consents.iter().filter(|consent| purposes.contains(&consent.purpose)).cloned().collect();
        Contacting { consents, household, cap, cool_down, not_in }
    }
}
