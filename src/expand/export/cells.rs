//! The cells of a person in a destination's file: normalised, hashed, and of the column's grammar or not there.

use std::fmt::Write as _;

use super::rules::{Column, Field, Known, long_id};
use crate::expand::Expanded;
use crate::expand::contact::Role;
use crate::expand::hashes;
use crate::expand::normalise::{self, Step, Unfit};

/// Makes the values that a person has for a column in `value`, one after the other, and gives each to `take`: normalised, hashed,
/// never outside the grammar. Why others were not goes into `unfit`.
pub(super) fn values(
    column: &Column,
    (expanded, row): (&Expanded, usize),
    value: &mut String,
    unfit: &mut Vec<Unfit>,
    take: &mut dyn FnMut(&str),
) {
    let role = match column.field {
        Field::Contact(role) => role,
        Field::Known(known) => {
            if known_value(column, known, expanded, row, value) {
                take(value);
            }
            return;
        }
    };
    let country = expanded.contacts.country(row);
    for contact in expanded.contacts.with_role(role) {
        let Some(text) = expanded.contacts.text(contact, row) else { continue };
        match cell(column, text, country, &|| expanded.contacts.e164(contact, row), value) {
            Ok(true) => take(value),
            Ok(false) => {}
            Err(why) => unfit.push(why),
        }
    }
}

fn known_value(column: &Column, known: Known, expanded: &Expanded, row: usize, value: &mut String) -> bool {
    const MEMORY: &str = "writing to memory does not fail";
    let (chosen, campaign) = (&expanded.chosen, expanded.campaign.as_ref());
    value.clear();
    match known {
        Known::Constant => {
            value.push_str(&column.constant);
            return true;
        }
        Known::Id => {
            let contacts = &expanded.contacts;
            let others = contacts.with_role(Role::Other).filter_map(|column| contacts.text(column, row));
            let mut ids = std::iter::once(&chosen.person[row]).chain(others).map(normalise::cleaned);
            let id = ids.find(|id| column.grammar.holds(id)).unwrap_or_default();
            value.push_str(&if column.grammar.is_salesforce() { long_id(&id).into() } else { id });
        }
        Known::Person => value.push_str(&chosen.person[row]),
        Known::Rank => write!(value, "{}", chosen.rank[row]).expect(MEMORY),
        Known::Value if !chosen.score[row].is_finite() => return false,
        Known::Value => write!(value, "{:.6}", chosen.score[row].max(0.0)).expect(MEMORY),
        Known::Audience => value.push_str(&expanded.summary.audience),
        Known::Campaign => value.push_str(campaign.map_or("", |campaign| &campaign.id)),
        Known::CampaignStatus => value.push_str(campaign.map_or("", |campaign| &campaign.status)),
    }
    column.grammar.holds(value)
}

type Outcome<T> = std::result::Result<T, Unfit>;

/// Makes the cell of a text in `value` and says whether it holds anything; `number` is what the text is as a telephone number.
fn cell(
    column: &Column,
    text: &str,
    country: Option<&str>,
    number: &dyn Fn() -> Outcome<String>,
    value: &mut String,
) -> Outcome<bool> {
    let hashed_already = Some(text).filter(|_| column.hash).and_then(hashes::read);
    let is_there = if let Some(hash) = hashed_already {
        hashes::write(&hash, value);
        value != hashes::OF_NOTHING
    } else {
        let is_there = match column.steps.split_first() {
            Some((Step::E164, _)) if normalise::is_nothing(&normalise::cleaned(text)) => false,
            Some((Step::E164, others)) => normalise::apply(others, &number()?, country, value)?,
            _ => normalise::apply(&column.steps, text, country, value)?,
        };
        if is_there && column.hash {
            hashes::write(&hashes::of(value), value);
        }
        is_there
    };
    if is_there && !column.grammar.holds(value) {
        return Err("a value is not of the destination's form");
    }
    let is_long = column.most_bytes.is_some_and(|most| value.len() > most)
        || column.most_letters.is_some_and(|most| value.chars().count() > most);
    if is_there && is_long {
        return Err("a value is longer than the destination takes");
    }
    Ok(is_there)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expand::export::rules;
    use crate::expand::phone::e164;
    use crate::spec::Destination;

    fn cell(column: &Column, text: &str, country: Option<&str>) -> Outcome<Option<String>> {
        let mut value = String::new();
        let is_there = super::cell(column, text, country, &|| e164(text, country), &mut value)?;
        Ok(is_there.then_some(value))
    }

    fn given(destination: Destination, header: &str, text: &str, country: Option<&str>) -> Option<String> {
        nth_given(destination, (header, 0), text, country)
    }

    /// As `given`, of the nth column of a name.
    fn nth_given(
        destination: Destination,
        (header, nth): (&str, usize),
        text: &str,
        country: Option<&str>,
    ) -> Option<String> {
        let rules = rules::of(destination).expect("rules");
        let column = rules.columns.iter().filter(|column| column.header == header).nth(nth).expect("a column");
        cell(column, text, country).ok().flatten()
    }

    fn google(header: &str, text: &str, country: Option<&str>) -> Option<String> {
        given(Destination::GoogleCustomerMatch, header, text, country)
    }

    fn meta(header: &str, text: &str, country: Option<&str>) -> Option<String> {
        given(Destination::MetaCustomAudience, header, text, country)
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is compared with values that may be absent")]
    fn sha(text: &str) -> Option<String> {
        let mut value = String::new();
        hashes::write(&hashes::of(text), &mut value);
        Some(value)
    }

    #[test]
    fn hashes_are_those_that_vendors_publish() {
        // X's published vector.
        assert!(sha("adsapi").is_some_and(|hash| hash.starts_with("49e0be2a") && hash.ends_with("1470d")));
        // TikTok's worked example is of the digits without the plus sign.
        assert!(sha("37493828222").is_some_and(|hash| hash.starts_with("65b7e6dc")));
        // developers.google.com/data-manager/api/get-started/formatting; Meta wants the digits alone.
        let google_phone = "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30";
        let meta_phone = "92cfdc5fbcd4a20fbe5d3857af6c1aba31762105bba7f21a17155e920653046c";
        for phone in ["(800) 555-0100", "(800)555-0100", "+1 800 555 0100", "1 (800) 555-0100"] {
            assert_eq!(google("Phone", phone, Some("us")).as_deref(), Some(google_phone), "{phone}");
            assert_eq!(meta("phone", phone, Some("us")).as_deref(), Some(meta_phone), "{phone}");
        }
        let google_email = "d6117306485ed0e50afab3ac871e98f81699151f30281527d63ff5f233656c69";
        assert_eq!(google("Email", "Jane.Doe@gmail.com", None).as_deref(), Some(google_email));
        assert_eq!(meta("email", "Jane.Doe@gmail.com", None), sha("jane.doe@gmail.com"));
    }

    #[test]
    fn every_column_of_every_destination_passes_its_vectors() {
        let text = include_str!("../destinations/vectors.csv");
        let mut rows = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
        let mut tested = std::collections::BTreeSet::new();
        for row in rows.records() {
            let row = row.expect("a row of seven cells");
            let some = |at: usize| Some(&row[at]).filter(|text| !text.is_empty());
            let destination = Destination::ALL.into_iter().find(|one| one.name() == &row[0]).expect(&row[0]);
            let nth = row[2].parse().expect("a number");
            let is_hashed = rules::of(destination)
                .and_then(|rules| rules.columns.into_iter().filter(|column| column.header == row[1]).nth(nth))
                .is_some_and(|column| column.hash);
            let wanted = some(5).map(|value| if is_hashed { sha(value).unwrap() } else { value.to_owned() });
            assert_eq!(nth_given(destination, (&row[1], nth), &row[4], some(3)), wanted, "{row:?}");
            assert!(!row[6].is_empty(), "{row:?}");
            tested.insert((row[0].to_owned(), row[1].to_owned()));
        }
        for destination in Destination::ALL {
            let columns = rules::of(destination).into_iter().flat_map(|rules| rules.columns);
            for column in columns.filter(|column| matches!(column.field, Field::Contact(_))) {
                let column = (destination.name().to_owned(), column.header);
                assert!(tested.contains(&column), "{column:?}");
            }
        }
    }

    #[test]
    fn only_a_text_that_is_a_hash_as_a_whole_is_taken_for_one() {
        let hash = sha("jane@x.co").unwrap();
        assert_eq!(google("Email", &hash.to_uppercase(), None).as_deref(), Some(hash.as_str()));
        assert_eq!(google("Email", &format!("{hash}@x.co"), None), sha(&format!("{hash}@x.co")));
    }

    #[test]
    fn nothing_has_no_hash() {
        for header in ["email", "phone", "fn", "ln", "ct", "st", "zip", "country"] {
            for text in [
                "",
                " ",
                "\u{a0}",
                "-",
                "n/a",
                hashes::OF_NOTHING,
                "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
            ] {
                assert_eq!(meta(header, text, Some("us")), None, "{header} {text}");
            }
        }
        assert_eq!(google("Country", "germany", None).as_deref(), Some("DE"));
        assert_eq!(meta("country", "DEU", None), sha("de"));
        assert_eq!(meta("zip", "94303-5300", Some("us")), sha("94303"));
    }
}
