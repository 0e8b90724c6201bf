//! The cells of a person in a destination's file: normalised, hashed, and of the column's grammar or not there.

use sha2::{Digest as _, Sha256};

use super::rules::{Column, Field, HASH_OF_NOTHING, Known};
use crate::expand::Expanded;
use crate::expand::contact::Role;
use crate::expand::normalise::{self, Step, Unfit};
use crate::expand::suppression::hex;

/// The values that a person has for a column: normalised, hashed, each once, never outside the grammar.
pub(super) fn values(column: &Column, expanded: &Expanded, row: usize, unfit: &mut Vec<Unfit>) -> Vec<String> {
    match column.field {
        Field::Contact(role) => contact_values(column, role, expanded, row, unfit),
        Field::Known(known) => known_value(column, known, expanded, row).into_iter().collect(),
    }
}

fn contact_values(column: &Column, role: Role, expanded: &Expanded, row: usize, unfit: &mut Vec<Unfit>) -> Vec<String> {
    let country = expanded.contacts.country(row);
    let mut values: Vec<String> = Vec::new();
    for contact in expanded.contacts.with_role(role) {
        let Some(text) = contact.values.get(row) else { continue };
        let number = || expanded.contacts.e164(contact, row);
        match cell(column, text, country, &number) {
            Ok(Some(value)) if !values.contains(&value) && values.len() < column.at_most => values.push(value),
            Ok(_) => {}
            Err(why) => unfit.push(why),
        }
    }
    values
}

fn known_value(column: &Column, known: Known, expanded: &Expanded, row: usize) -> Option<String> {
    let (chosen, campaign) = (&expanded.chosen, expanded.campaign.as_ref());
    let value = match known {
        Known::Constant => return Some(column.constant.clone()),
        Known::Id => {
            let others = expanded.contacts.with_role(Role::Other).filter_map(|column| column.values.get(row));
            let mut ids = std::iter::once(&chosen.person[row]).chain(others).map(normalise::cleaned);
            return ids.find(|id| column.grammar.holds(id));
        }
        Known::Person => chosen.person[row].to_owned(),
        Known::Rank => chosen.rank[row].to_string(),
        Known::Value => format!("{:.6}", chosen.score[row].max(0.0)),
        Known::Audience => expanded.summary.audience.clone(),
        Known::Campaign => campaign?.id.clone(),
        Known::CampaignStatus => campaign?.status.clone(),
    };
    Some(value).filter(|value| column.grammar.holds(value))
}

type Outcome<T> = std::result::Result<T, Unfit>;

/// The cell of a text; `number` is what it is as a telephone number.
fn cell(
    column: &Column,
    text: &str,
    country: Option<&str>,
    number: &dyn Fn() -> Outcome<String>,
) -> Outcome<Option<String>> {
    let hashed_already = Some(text).filter(|text| column.hash && text.len() >= 64).map(normalise::cleaned);
    let value = if let Some(hash) = hashed_already.filter(|text| is_hash(text)) {
        Some(hash.to_lowercase()).filter(|hash| hash != HASH_OF_NOTHING)
    } else {
        let value = match column.steps.split_first() {
            Some((Step::E164, _)) if normalise::is_nothing(&normalise::cleaned(text)) => None,
            Some((Step::E164, others)) => normalise::apply(others, &number()?, country)?,
            _ => normalise::apply(&column.steps, text, country)?,
        };
        value.map(|value| if column.hash { hex(&Sha256::digest(value.as_bytes())) } else { value })
    };
    match value {
        Some(value) if !column.grammar.holds(&value) => Err("a value is not of the destination's form"),
        Some(value) if column.most_bytes.is_some_and(|most| value.len() > most) => {
            Err("a value is longer than the destination takes")
        }
        value => Ok(value),
    }
}

/// The whole text, not a part of it: a text that only contains 64 hexadecimal digits is no hash.
fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expand::export::rules;
    use crate::expand::phone::e164;
    use crate::spec::Destination;

    fn cell(column: &Column, text: &str, country: Option<&str>) -> Outcome<Option<String>> {
        super::cell(column, text, country, &|| e164(text, country))
    }

    fn given(destination: Destination, header: &str, text: &str, country: Option<&str>) -> Option<String> {
        let rules = rules::of(destination).expect("rules");
        let column = rules.columns.iter().find(|column| column.header == header).expect("a column");
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
        Some(hex(&Sha256::digest(text.as_bytes())))
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
    fn mistakes_of_other_connectors_are_not_made() {
        // Google's Python sample does not lower-case when it removes blanks; Segment takes the first dot alone, and gmailx.com for gmail.
        assert_eq!(google("Email", " J. A.Doe @GoogleMail.com", None), sha("jadoe@googlemail.com"));
        assert_eq!(google("Email", "j.doe@gmailx.com", None), sha("j.doe@gmailx.com"));
        assert_eq!(google("Email", "jane+shop@gmail.com", None), sha("jane+shop@gmail.com"));
        // Segment hashes names as they are; Meta's old kit drops what is not a–z.
        assert_eq!(google("First Name", " ZOË ", None), sha("zoë"));
        assert_eq!(meta("ln", "Pérez", None), sha("pérez"));
        // Only a text that is a hash as a whole is taken for one.
        let hash = sha("jane@x.co").unwrap();
        assert_eq!(google("Email", &hash.to_uppercase(), None).as_deref(), Some(hash.as_str()));
        assert_eq!(google("Email", &format!("{hash}@x.co"), None), sha(&format!("{hash}@x.co")));
    }

    #[test]
    fn each_destination_gets_its_own_form() {
        let of = |destination, header, text| given(destination, header, text, Some("us"));
        let tiktok = |header, text| of(Destination::TiktokCustomAudience, header, text);
        assert_eq!(tiktok("Email_SHA256", " Jane.Doe+x@Gmail.com"), sha("jane.doe+x@gmail.com"));
        assert_eq!(tiktok("Phone_SHA256", "(657) 777-0000"), sha("+16577770000"));
        let rules = rules::of(Destination::TiktokCustomAudience).unwrap();
        let second = |header: &str, text| {
            let column = rules.columns.iter().filter(|column| column.header == header).nth(1).unwrap();
            cell(column, text, Some("us")).unwrap()
        };
        // The pages' worked examples: digits alone, and the address without dots and tag.
        assert_eq!(second("Phone_SHA256", "+374 93 828222"), sha("37493828222"));
        assert_eq!(second("Email_SHA256", "Jane.Doe+x@Gmail.com"), sha("janedoe@gmail.com"));
        let linkedin = |header, text| of(Destination::LinkedinMatchedAudience, header, text);
        // Segment hashes LinkedIn's e-mails without trimming or lowering them.
        assert_eq!(linkedin("email", " Jane@X.co "), sha("jane@x.co"));
        assert_eq!(linkedin("firstname", "Anne-Marie").as_deref(), Some("Anne-Marie"));
        assert_eq!(linkedin("firstname", "=1+1"), None);
        assert_eq!(linkedin("lastname", "Wolfeschlegelsteinhausenbergerdorff-Smith"), None);
        assert_eq!(linkedin("country", "Germany").as_deref(), Some("DE"));
        assert_eq!(of(Destination::MicrosoftCustomerMatch, "Text", " Jane@X.co "), sha("jane@x.co"));
        let device = "4B61639E-47CC-4056-A16A-C8217E029462";
        assert_eq!(of(Destination::XCustomAudience, "device_id", device), sha(&device.to_lowercase()));
        assert_eq!(tiktok("MAID", device).as_deref(), Some(device.to_lowercase().as_str()));
        assert_eq!(of(Destination::Mailchimp, "Email Address", "zoë@x.co"), None);
        assert_eq!(of(Destination::Klaviyo, "Phone Number", "(800) 555-0100").as_deref(), Some("+18005550100"));
        assert_eq!(of(Destination::Hubspot, "Email", "Zoë@X.co").as_deref(), Some("zoë@x.co"));
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
                HASH_OF_NOTHING,
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
