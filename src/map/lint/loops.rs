//! Loops by silence: people who fall silent and come back again and again, and time that leads in a circle.

use super::{EXAMPLES, Linter, Severity, position};
use crate::map::history::{BY_SILENCE, BY_SPAN};
use crate::map::transitions::n_people;
use crate::rate::grouped;
use crate::spec::{Rule, Shape};
use crate::time::{Duration, Time};

/// Who has fallen silent so often, and come back in between, was never gone.
const OFTEN: usize = 3;
/// From this share of the people of a silence on it is the silence that is wrong, not they.
const LOOPING_SHARE: f64 = 0.1;
/// A silence that would have kept this share of those who came back is worth proposing.
const KEPT_SHARE: f64 = 0.9;

impl Linter<'_> {
    /// A silence that many people leave and enter again and again.
    pub(super) fn silence_loop(&mut self, stage: usize) {
        let Rule::Silence(after) = self.spec.stages[stage].rule else { return };
        let (n_ever, _) = self.counts[stage];
        let often: Vec<u32> =
            (0..n_people(self.stays)).filter(|&person| self.n_times(person, stage) >= OFTEN).map(position).collect();
        #[expect(clippy::cast_precision_loss, reason = "counts of people fit a double's 53 bits")]
        let share = often.len() as f64 / n_ever.max(1) as f64;
        if often.is_empty() || share < LOOPING_SHARE {
            return;
        }
        let message = format!(
            "{} of its {} people ({:.1} %) fell silent {OFTEN} times or more, and came back each time but the last.",
            grouped(often.len() as u64),
            grouped(n_ever as u64),
            100.0 * share,
        );
        let advice = format!(
            "{after} is an ordinary pause for them: {}. Or say with re_entry how soon it may be entered again.",
            self.longer(stage, after)
        );
        self.add("silence-loop", Severity::Warning, stage, message, &advice, &often[..often.len().min(EXAMPLES)]);
    }

    fn n_times(&self, person: usize, stage: usize) -> usize {
        self.stays.of(person).filter(|&row| usize::from(self.stays.stage[row]) == stage).count()
    }

    /// The silence that most of those who came back would not have fallen into.
    fn longer(&self, stage: usize, after: Duration) -> String {
        let ended = (0..self.stays.len())
            .filter(|&row| usize::from(self.stays.stage[row]) == stage && self.stays.left[row] != Time::NEVER.0);
        let mut days: Vec<f64> =
            ended.map(|row| Time(self.stays.left[row]).days_since(Time(self.stays.entered[row]))).collect();
        days.sort_unstable_by(f64::total_cmp);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a position among the stays"
        )]
        let at = ((days.len() as f64 * KEPT_SHARE) as usize).min(days.len() - 1);
        let longer = (after.in_days() + days[at]).ceil();
        format!("silence = \"{longer:.0}d\" would have kept {:.0} of 100 who came back", 100.0 * KEPT_SHARE)
    }

    /// Stages that time alone leads back to. Told of the first of the circle.
    pub(super) fn circle(&mut self, stage: usize) {
        if self.spec.shape() != Shape::Events {
            return;
        }
        let Some(circle) = self.way_back(stage) else { return };
        if circle.iter().any(|&other| other < stage) {
            return;
        }
        let people: Vec<u32> =
            (0..n_people(self.stays)).filter(|&person| self.went_round(person, stage)).map(position).collect();
        let names: Vec<&str> =
            circle.iter().chain([&stage]).map(|&stage| self.spec.stages[stage].name.as_str()).collect();
        let message = format!(
            "Time alone leads in a circle, {}; {} people went round at least once without doing anything.",
            names.join(" → "),
            grouped(people.len() as u64)
        );
        let advice = "Whoever does nothing should come to rest: let an event lead out of one of these, or set re_entry = \"never\".";
        self.add("silence-circle", Severity::Warning, stage, message, advice, &people[..people.len().min(EXAMPLES)]);
    }

    /// The shortest way by time alone from a stage back to it, the stage first.
    fn way_back(&self, stage: usize) -> Option<Vec<usize>> {
        let mut ways = vec![vec![stage]];
        let mut seen = 0_u32;
        while !ways.is_empty() {
            let mut longer = Vec::new();
            for way in ways {
                let next = self.machine.by_time(*way.last().expect("a way begins somewhere"));
                if next & (1 << stage) != 0 {
                    return Some(way);
                }
                let fresh = next & !seen;
                seen |= next;
                for other in (0..self.spec.stages.len()).filter(|other| fresh & (1 << other) != 0) {
                    longer.push([way.as_slice(), &[other]].concat());
                }
            }
            ways = longer;
        }
        None
    }

    /// Whether a person came from a stage back to it with no event in between.
    fn went_round(&self, person: usize, stage: usize) -> bool {
        let mut left = false;
        for row in self.stays.of(person) {
            let by_time = matches!(self.stays.trigger[row], BY_SILENCE | BY_SPAN);
            let is_here = usize::from(self.stays.stage[row]) == stage;
            if is_here && by_time && left {
                return true;
            }
            left = is_here || (left && by_time);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use crate::map::testing::{data, silence, spec, stage};
    use crate::spec::{Cause, Exit, Stage};
    use crate::time::Duration;

    #[test]
    fn a_silence_that_is_an_ordinary_pause_is_told_with_the_silence_that_is_not() {
        // p buys every 12 days, q once: the silence of 10 days catches p five times, for two days each.
        let rows = [0, 12, 24, 36, 48].map(|day| ("p", day, "buy"));
        let data = data(&[&rows[..], &[("q", 0, "buy")]].concat(), 65);
        let mapped =
            crate::map::map(&data, &spec(vec![stage("customer", "event = 'buy'"), silence("lapsed", &[0], 10)]));
        let finding = mapped.unwrap().lint.findings.into_iter().find(|finding| finding.code == "silence-loop").unwrap();
        assert_eq!((finding.stage.as_str(), finding.people.join(" ").as_str()), ("lapsed", "p"));
        assert!(finding.message.starts_with("1 of its 2 people (50.0 %)"), "{}", finding.message);
        assert!(finding.advice.contains("silence = \"12d\""), "{}", finding.advice);
    }

    #[test]
    fn time_that_leads_in_a_circle_is_told_once_with_who_went_round() {
        let rows = [("p", 0, "buy"), ("q", 0, "buy"), ("q", 15, "buy"), ("q", 25, "buy"), ("q", 34, "buy")];
        let back = Exit { cause: Cause::After(Duration::days(20)), to: 0 };
        let stages =
            vec![stage("customer", "event = 'buy'"), Stage { exits: vec![back], ..silence("lapsed", &[0], 10) }];
        let mapped = crate::map::map(&data(&rows, 40), &spec(stages)).unwrap();
        let circles: Vec<_> = mapped.lint.findings.iter().filter(|finding| finding.code == "silence-circle").collect();
        assert_eq!(circles.len(), 1);
        assert!(circles[0].message.contains("customer → lapsed → customer; 1 people"), "{}", circles[0].message);
        assert_eq!(circles[0].people, ["p"]);
    }
}
