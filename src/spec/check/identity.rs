//! `[identity]`: links, matching, and what somebody knows better.

use super::super::written;
use super::super::{ContactLink, IdentityRules, Link, Matching, PeopleSource};
use super::Check;

/// What exports write when they know no id.
const BLOCKED: [&str; 13] =
    ["", "null", "none", "nil", "undefined", "-1", "anonymous", "unknown", "n/a", "na", "nan", "test", "-"];

/// From this probability on two rows are one person, unless the spec says otherwise.
const THRESHOLD: f64 = 0.9;
/// Ids of the second column that an id of the first may have: a person's devices.
const MAX_IDS: usize = 50;
/// Ids of the first column that an id of the second may have: the people at a device.
const MAX_PEOPLE: usize = 5;
/// The most ids that one person has.
const MAX_IDS_OF_A_PERSON: usize = 50;

impl Check<'_, '_> {
    pub(super) fn identity(&mut self, written: written::Identity, people: &[PeopleSource]) -> IdentityRules {
        let names: Vec<&str> = people.iter().map(|people| people.name.as_str()).collect();
        let mut rules = IdentityRules {
            blocked: match written.blocked {
                Some(told) => told.iter().map(|text| text.trim().to_lowercase()).collect(),
                None => BLOCKED.map(str::to_owned).to_vec(),
            },
            always: self.pairs("always", written.always),
            never: self.pairs("never", written.never),
            ..IdentityRules::default()
        };
        for (position, link) in written.links.into_iter().enumerate() {
            self.link(&format!("identity.links[{position}]"), link, &names, &mut rules);
        }
        for (position, pair) in rules.never.iter().enumerate() {
            if rules.always.iter().any(|always| always == pair || always[0] == pair[1] && always[1] == pair[0]) {
                self.fault(
                    &format!("identity.never[{position}]"),
                    "`always` says that these two are one person, and `never` that they are two",
                    "keep one of the two",
                );
            }
        }
        rules.matching = written.matching.map(|matching| self.matching(matching, &names));
        rules
    }

    fn link(&mut self, at: &str, link: written::Link, names: &[&str], rules: &mut IdentityRules) {
        let written::Link { table, columns, contact, people, max_ids, max_people } = link;
        match (table, columns, contact) {
            (Some(table), Some(columns), None) => {
                self.known_table(&format!("{at}.table"), &table);
                if columns[0] == columns[1] {
                    self.fault(
                        &format!("{at}.columns"),
                        format!("a link joins two columns, and both are `{}`", columns[0]),
                        "name the two columns that hold ids of the same person",
                    );
                }
                if people.is_some() {
                    self.fault(
                        &format!("{at}.people"),
                        "`people` goes with `contact`; this link is between the columns of a table",
                        "leave it out",
                    );
                }
                let (max_ids, max_people) = (max_ids.unwrap_or(MAX_IDS), max_people.unwrap_or(MAX_PEOPLE));
                rules.links.push(Link { table, columns, max_ids, max_people });
            }
            (None, None, Some(column)) => {
                let people = people.unwrap_or_default();
                self.known_people(&format!("{at}.people"), &people, names);
                rules.contacts.push(ContactLink { column, people, max_ids: max_ids.unwrap_or(MAX_PEOPLE) });
            }
            // One that did not fit was taken out, and that was said.
            _ if self.faults.has_blanks_in(at) => {}
            _ => self.fault(
                at,
                "a link is between two columns of a table, or by a contact column",
                "write table = \"…\" and columns = [\"…\", \"…\"], or contact = \"email\"",
            ),
        }
    }

    fn matching(&mut self, written: written::Match, names: &[&str]) -> Matching {
        let people = written.people.unwrap_or_default();
        if names.is_empty() {
            self.fault(
                "identity.match",
                "matching compares the rows of people tables, and the spec has none",
                "declare the [people.*] whose rows are to be compared",
            );
        }
        self.known_people("identity.match.people", &people, names);
        let threshold = written.threshold.unwrap_or(THRESHOLD);
        if !(0.5..1.0).contains(&threshold) {
            self.fault(
                "identity.match.threshold",
                format!("a threshold of {threshold} cannot be: it is a probability from 0.5 to just below 1"),
                "0.9 is usual; 0.99 merges fewer people by mistake",
            );
        }
        Matching {
            people,
            compare: written.compare,
            threshold,
            one_to_one: written.one_to_one,
            max_ids: written.max_ids.unwrap_or(MAX_IDS_OF_A_PERSON),
        }
    }

    fn known_people(&mut self, at: &str, people: &[String], names: &[&str]) {
        for (position, name) in people.iter().enumerate() {
            if !names.contains(&name.as_str()) && !self.faults.has_blanks_in("people") {
                let message = format!("the spec has no [people.{name}]");
                self.unknown(&format!("{at}[{position}]"), message, name, "people", names);
            }
        }
    }

    /// Pairs of two different ids.
    fn pairs(&mut self, key: &str, pairs: Vec<[String; 2]>) -> Vec<[String; 2]> {
        let pairs: Vec<[String; 2]> = pairs.into_iter().map(|pair| pair.map(|id| id.trim().to_owned())).collect();
        for (position, [first, second]) in pairs.iter().enumerate() {
            if first == second {
                self.fault(
                    &format!("identity.{key}[{position}]"),
                    "both ids of this pair are the same",
                    "name the two ids",
                );
            }
        }
        pairs
    }
}
