//! `[[uplifts]]`.

use super::super::{Uplift, written};
use super::{Check, Sql};

/// How many random halves there are when the spec does not say.
const N_HALVES: usize = 10;

impl Check<'_, '_> {
    pub(super) fn uplifts(&mut self, uplifts: Vec<written::Uplift>) -> Vec<Uplift> {
        let mut checked: Vec<Uplift> = Vec::new();
        for (position, uplift) in uplifts.into_iter().enumerate() {
            let at = format!("uplifts[{position}]");
            let place = format!("{at}.name");
            self.once(&place, "uplift", &uplift.name, checked.iter().map(|other| other.name.as_str()));
            for (key, text) in
                [("treatment", &uplift.treatment), ("control", &uplift.control), ("outcome", &uplift.outcome)]
            {
                self.rule(Sql { at: &format!("{at}.{key}"), text });
            }
            checked.push(Uplift {
                name: self.folder(&place, uplift.name),
                treatment: uplift.treatment,
                control: uplift.control,
                outcome: uplift.outcome,
                after: uplift.after,
                exclude: uplift.exclude,
                learner: uplift.learner,
                model: self.model(&format!("{at}.model"), uplift.model),
                halves: uplift.halves.map_or(N_HALVES, |halves| halves as usize),
            });
        }
        checked
    }
}
