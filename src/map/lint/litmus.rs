//! The litmus test: can a stage be decided from the data? A rule that names a column which is mostly missing decides
//! nothing about most people; one that names an attribute of which only the present value is known says of the past what
//! was not so.

use super::{EXAMPLES, Linter, Severity, position};
use crate::map::claims::Need;
use crate::rate::grouped;
use crate::source::Values;
use crate::source::events::NO_LEVEL;
use crate::spec::Shape;
use crate::time::Time;

/// Known for fewer than this share: the rule decides little.
const FEW: f64 = 0.5;
/// Known for fewer than this share: the rule decides next to nothing.
const VERY_FEW: f64 = 0.1;

/// Of how many rows a column is known, and a few people of whom it is not.
#[derive(Default)]
struct Known {
    n_present: u64,
    n_rows: u64,
    without: Vec<u32>,
}

impl Known {
    fn count(&mut self, person: usize, is_known: bool) {
        self.n_rows += 1;
        self.n_present += u64::from(is_known);
        let person = position(person);
        if !is_known && self.without.len() < EXAMPLES && self.without.last() != Some(&person) {
            self.without.push(person);
        }
    }
}

impl Linter<'_> {
    /// Whether the data hold what the rules of a stage look at.
    pub(super) fn decidable(&mut self, stage: usize) {
        let claims = self.claims;
        let mut told: Vec<&str> = Vec::new();
        for need in claims.needs.iter().filter(|need| need.stage == stage) {
            if told.contains(&need.column.as_str()) {
                continue;
            }
            told.push(&need.column);
            self.known_enough(need);
            self.dated(need);
        }
    }

    fn known_enough(&mut self, need: &Need) {
        let Known { n_present: n_known, n_rows, without } = self.count_known(need);
        #[expect(clippy::cast_precision_loss, reason = "counts of rows fit a double's 53 bits")]
        let share = n_known as f64 / n_rows.max(1) as f64;
        if n_rows == 0 || share >= FEW {
            return;
        }
        let severity = if share < VERY_FEW { Severity::Warning } else { Severity::Info };
        let rows = if need.kinds.is_empty() { "people" } else { "events that it looks at" };
        let column = &need.column;
        let message = match n_known {
            0 => format!(
                "It cannot be decided from the data: its rule asks for `{column}`, which is missing in all {} {rows}.",
                grouped(n_rows)
            ),
            _ => format!(
                "Its rule asks for `{column}`, which is known for {} of the {} {rows} ({:.1} %): the others can never be here by it.",
                grouped(n_known),
                grouped(n_rows),
                100.0 * share
            ),
        };
        let advice = format!(
            "Ask for what is known of everybody; or say what a missing value means: {column} IS NULL, COALESCE({column}, …)."
        );
        self.add("not-decidable", severity, need.stage, message, &advice, &without);
    }

    fn count_known(&self, need: &Need) -> Known {
        let events = &self.data.events;
        if need.kinds.is_empty() {
            return self.count_people(&need.column);
        }
        let mut known = Known::default();
        let property = events.properties.iter().find(|property| property.name == need.column);
        let rows = (0..events.len()).filter(|&row| need.kinds[usize::from(events.kind[row])]);
        match property.map(|property| &property.values) {
            Some(Values::Number(values)) => {
                rows.for_each(|row| known.count(events.person[row] as usize, !values[row].is_nan()));
            }
            Some(Values::Category { codes, .. }) => {
                rows.for_each(|row| known.count(events.person[row] as usize, codes[row] != NO_LEVEL));
            }
            Some(Values::Time(times)) => {
                rows.for_each(|row| known.count(events.person[row] as usize, times[row] != i64::MIN));
            }
            None => return self.count_people(&need.column),
        }
        known
    }

    fn count_people(&self, column: &str) -> Known {
        let people = &self.data.people;
        let mut known = Known::default();
        let Ok(values) = people.attributes.column(column) else { return known };
        let is_known = values.is_not_null();
        for person in 0..people.len() {
            let row = people.row(person, Time::NEVER);
            known.count(person, row.and_then(|row| is_known.get(row)).unwrap_or(false));
        }
        known
    }

    /// An attribute of which only the present value is known, in a rule over the past.
    fn dated(&mut self, need: &Need) {
        let Need { stage, column, .. } = need;
        let is_property = self.data.events.properties.iter().any(|property| property.name == *column);
        if self.spec.shape() == Shape::Snapshot || is_property || self.data.people.valid_from.is_some() {
            return;
        }
        let message =
            format!("Its rule looks at the attribute `{column}`, of which the data hold one value per person.");
        let advice = "If it changes in time, the past is judged by its present value, and a prediction looks into the \
                      future: give rows of people with `valid_from`, or use an event.";
        self.add("attribute-undated", Severity::Info, *stage, message, advice, &[]);
    }
}

#[cfg(test)]
mod tests {
    use polars::df;

    use crate::map::lint::Severity;
    use crate::map::testing::{data, spec, stage};

    #[test]
    fn a_rule_over_what_is_missing_is_told_with_counts_and_with_who_lacks_it() {
        // Only purchases have an amount; only p has a tier; nobody has a score.
        let rows: Vec<(String, i64, &str)> = (0..12).map(|n| (format!("p{n:02}"), 0, "visit")).collect();
        let rows: Vec<(&str, i64, &str)> =
            rows.iter().map(|(person, day, kind)| (person.as_str(), *day, *kind)).collect();
        let mut data = data(&[rows.as_slice(), &[("p00", 1, "purchase")]].concat(), 100);
        let tier: Vec<Option<&str>> = (0..12).map(|n| (n == 0).then_some("gold")).collect();
        data.people.attributes = df!("tier" => tier, "score" => vec![None::<i64>; 12]).unwrap();
        data.people.offsets = (0..=12).collect();
        let spec = spec(vec![
            stage("spender", "event = 'purchase' AND amount > 5"),
            stage("valued", "amount > 5"),
            stage("gold", "tier = 'gold'"),
            stage("unmarked", "tier IS NULL"),
            stage("scored", "event = 'purchase' AND score > 1"),
        ]);
        let mapped = crate::map::map(&data, &spec).unwrap();
        let found: Vec<_> = mapped.lint.findings.iter().filter(|finding| finding.code == "not-decidable").collect();
        let about: Vec<_> = found.iter().map(|found| (found.stage.as_str(), found.severity)).collect();
        assert_eq!(about, [("valued", Severity::Warning), ("gold", Severity::Warning), ("scored", Severity::Warning)]);
        assert!(found[0].message.contains("known for 1 of the 13 events"), "{}", found[0].message);
        assert_eq!(found[1].people, ["p01", "p02", "p03"]);
        assert!(found[2].message.contains("missing in all 12"), "{}", found[2].message);
        let undated = mapped.lint.findings.iter().filter(|finding| finding.code == "attribute-undated");
        assert_eq!(undated.map(|finding| finding.stage.as_str()).collect::<Vec<_>>(), ["gold", "scored"]);
    }
}
