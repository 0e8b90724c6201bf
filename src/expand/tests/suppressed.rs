//! Whoever is on a list is in no file, whatever form they are written in there or here, and nobody else is missing.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;
use crate::expand::hashes;

/// Who a person is, apart from how it is written.
#[derive(Debug, Clone)]
struct Identity {
    id: String,
    user: String,
    domain: &'static str,
    /// Country, its code, what is dialled first at home, the digits after it.
    phone: (&'static str, &'static str, &'static str, String),
}

/// Choices of writing, each taken modulo what there is to choose from.
type Way = [Index; 4];

impl Identity {
    fn new(at: usize, domain: &'static str, is_german: bool) -> Self {
        let phone = if is_german {
            ("DE", "49", "0", format!("1512{:07}", 3_000_000 + at))
        } else {
            ("US", "1", "1", format!("800555{:04}", 1_000 + at))
        };
        Self { id: format!("00{at}x"), user: format!("jane.doe{at}.x"), domain, phone }
    }

    /// The address as the provider delivers it, with what changes nothing put in.
    fn email(&self, way: Way) -> String {
        let is_gmail = matches!(self.domain, "gmail.com" | "googlemail.com");
        let domain = if is_gmail { *way[0].get(&["gmail.com", "googlemail.com"]) } else { self.domain };
        let dotless = self.user.replace('.', "");
        let user = if is_gmail { *way[1].get(&[self.user.as_str(), dotless.as_str()]) } else { self.user.as_str() };
        let tag = if is_gmail || domain == "outlook.com" { *way[2].get(&["", "+shop", "+a.b"]) } else { "" };
        let address = format!("{user}{tag}@{domain}");
        way[3]
            .get(&[address.clone(), address.to_uppercase(), format!(" {address}\u{a0}"), address.replacen('j', "J", 1)])
            .clone()
    }

    fn number(&self, way: Way) -> String {
        let (_, code, trunk, digits) = &self.phone;
        let (first, rest) = digits.split_at(3);
        way[0]
            .get(&[
                format!("+{code}{digits}"),
                format!("+{code} ({first}) {rest}"),
                format!("00{code} {first} {rest}"),
                format!("{trunk}{digits}"),
                format!("{trunk}{first}/{rest}"),
                format!("{code}{digits}"),
            ])
            .clone()
    }

    /// A person whose data say this, written one way or another.
    fn someone(&self, email: Way, phone: Way) -> Someone {
        Someone {
            country: Some(self.phone.0.into()),
            ..someone(&self.id, &self.email(email), &self.number(phone), 0.5)
        }
    }

    /// An entry of a list that means the person.
    fn entry(&self, one: &Someone, form: Form, way: Way) -> String {
        let (_, code, trunk, digits) = &self.phone;
        let lower = one.email.as_deref().unwrap().trim().to_lowercase();
        let (user, domain) = lower.split_once('@').unwrap();
        let no_dots = if domain.starts_with('g') { user.replace('.', "") } else { user.to_owned() };
        let hash = |text: &String| {
            let mut hex = String::new();
            hashes::write(&hashes::of(text), &mut hex);
            way[1].get(&[hex.clone(), hex.to_uppercase(), base64(&hashes::of(text))]).clone()
        };
        match form {
            Form::Id => way[0].get(&[self.id.clone(), format!(" {} ", self.id), self.id.to_uppercase()]).clone(),
            Form::Email => {
                let email = self.email(way);
                way[2]
                    .get(&[email.clone(), format!("Jane <{}>", email.trim()), format!("mailto:{}", email.trim())])
                    .clone()
            }
            Form::Phone => self.number(way),
            Form::HashOfEmail => hash(way[0].get(&[lower.clone(), format!("{no_dots}@{domain}")])),
            Form::HashOfPhone => hash(way[0].get(&[
                format!("+{code}{digits}"),
                format!("{code}{digits}"),
                format!("{trunk}{digits}"),
                digits.clone(),
            ])),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Id,
    Email,
    Phone,
    HashOfEmail,
    HashOfPhone,
}

const FORMS: [Form; 5] = [Form::Id, Form::Email, Form::Phone, Form::HashOfEmail, Form::HashOfPhone];

/// RFC 4648, written from its text apart from the reader in `hashes`.
fn base64(hash: &[u8; 32]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: String = hash.iter().map(|byte| format!("{byte:08b}")).collect::<String>() + "00";
    let six = |at: usize| usize::from_str_radix(&bits[at..at + 6], 2).unwrap();
    (0..bits.len()).step_by(6).map(|at| char::from(SIGNS[six(at)])).chain(['=']).collect()
}

fn way() -> impl Strategy<Value = Way> {
    any::<[Index; 4]>()
}

fn everyone() -> impl Strategy<Value = Vec<(Identity, Someone)>> {
    let domains = select(vec!["gmail.com", "x.co", "outlook.com", "example.org"]);
    let one = (domains, any::<bool>(), way(), way());
    prop::collection::vec(one, 8).prop_map(|all| {
        let made = |(at, (domain, is_german, email, phone))| {
            let identity = Identity::new(at, domain, is_german);
            let someone = identity.someone(email, phone);
            (identity, someone)
        };
        all.into_iter().enumerate().map(made).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_form_exactly_those_who_are_listed_are_left_out(
        everyone in everyone(),
        listed in prop::collection::btree_map(0..8_usize, (select(FORMS.to_vec()), way()), 0..4),
        added in (0..8_usize, select(FORMS.to_vec()), way()),
    ) {
        let people: Vec<Someone> = everyone.iter().map(|(_, one)| one.clone()).collect();
        let entry = |at: usize, form: Form, way: Way| {
            let (identity, one) = &everyone[at];
            identity.entry(one, form, way)
        };
        let mut list: Vec<String> = listed.iter().map(|(&at, &(form, way))| entry(at, form, way)).collect();
        let mut wanted: BTreeSet<String> = people.iter().map(|one| one.id.clone()).collect();
        wanted.retain(|id| !listed.keys().any(|&at| people[at].id == *id));
        prop_assert_eq!(chosen_without(&people, &list.join("\n")), wanted.clone(), "{:?}", list);
        let (at, form, way) = added;
        list.push(entry(at, form, way));
        wanted.remove(&people[at].id);
        prop_assert_eq!(chosen_without(&people, &list.join("\n")), wanted, "{:?}", list);
    }

    #[test]
    fn of_a_household_the_best_who_is_not_listed_is_reached(
        people in prop::collection::vec((select(vec!["Doe", "Roe", "Poe", ""]), 0.0..1.0_f64), 12),
        listed in prop::collection::btree_set(0..12_usize, 0..6),
        added in 0..12_usize,
    ) {
        let everyone: Vec<Someone> = (0..).zip(&people).map(|(at, (name, propensity))| Someone {
            name: Some((*name).to_owned()),
            ..someone(&format!("p{at:02}"), &format!("user{at}@x.co"), "", *propensity)
        }).collect();
        let contacting = Contacting { household: vec!["first_name".into()], ..Contacting::default() };
        let audience = Audience { contacting, suppress: vec!["list.csv".into()], ..audience() };
        let folder = tempfile::tempdir().unwrap();
        let chosen = |listed: &BTreeSet<usize>| -> BTreeSet<String> {
            let list: Vec<&str> = listed.iter().map(|&at| everyone[at].id.as_str()).collect();
            std::fs::write(folder.path().join("list.csv"), list.join("\n")).unwrap();
            expanded(&everyone, &audience, folder.path()).unwrap().chosen.person.iter().map(str::to_owned).collect()
        };
        // By hand: the best of each name that is not listed, and everybody who has no name.
        let by_hand = |listed: &BTreeSet<usize>| -> BTreeSet<String> {
            let free = |at: &usize| !listed.contains(at);
            let is_beaten = |at: usize| (0..12).filter(free).any(|other| {
                people[other].0 == people[at].0 && people[other].1.total_cmp(&people[at].1).then(at.cmp(&other)).is_gt()
            });
            let is_chosen = |at: &usize| people[*at].0.is_empty() || !is_beaten(*at);
            (0..12).filter(free).filter(is_chosen).map(|at| everyone[at].id.clone()).collect()
        };
        prop_assert_eq!(chosen(&listed), by_hand(&listed));
        let more: BTreeSet<usize> = listed.into_iter().chain([added]).collect();
        prop_assert_eq!(chosen(&more), by_hand(&more));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn a_hash_that_was_uploaded_takes_its_person_out_of_every_file(everyone in everyone(), at in 0..8_usize) {
        let people: Vec<Someone> = everyone.into_iter().map(|(_, one)| one).collect();
        let ads = vec![
            Destination::Csv,
            Destination::GoogleCustomerMatch,
            Destination::MetaCustomAudience,
            Destination::TiktokCustomAudience,
            Destination::LinkedinMatchedAudience,
            Destination::MicrosoftCustomerMatch,
            Destination::XCustomAudience,
            Destination::HashedCsv,
        ];
        let audience = Audience { export: ads, ..audience() };
        let alone = hashed_contacts(&written(&people[at..=at], &audience));
        prop_assert!(alone.len() >= 3, "{alone:?}");
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout { out: folder.path().join("out"), models: folder.path().join("models") };
        for hash in &alone {
            std::fs::write(folder.path().join("list.csv"), hash).unwrap();
            let audience = Audience { suppress: vec!["list.csv".into()], ..audience.clone() };
            write(&expanded(&people, &audience, folder.path()).unwrap(), &layout).unwrap();
            let files = files(&layout.expand(&audience.name));
            prop_assert!(hashed_contacts(&files).is_disjoint(&alone));
            let others = people.iter().filter(|one| one.id != people[at].id);
            let listed = String::from_utf8_lossy(&files["export/csv/second-purchase.csv"]).into_owned();
            let ids: BTreeSet<&str> = listed.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
            prop_assert_eq!(ids, others.map(|one| one.id.as_str()).collect::<BTreeSet<_>>());
        }
    }
}

/// The hashed addresses and numbers in the files of an export: their columns are named so in each destination's header.
fn hashed_contacts(files: &BTreeMap<String, Vec<u8>>) -> BTreeSet<String> {
    let lists = files.iter().filter(|(name, _)| name.ends_with("second-purchase.csv"));
    let mut hashes = BTreeSet::new();
    for (_, bytes) in lists {
        let mut csv = csv::ReaderBuilder::new().flexible(true).from_reader(bytes.as_slice());
        let header = csv.headers().unwrap().clone();
        let is_contact = |name: &str| ["mail", "phone", "text"].iter().any(|part| name.to_lowercase().contains(part));
        for row in csv.records().map(|row| row.unwrap()) {
            let cells = header.iter().zip(&row).filter(|(name, cell)| is_contact(name) && cell.len() == 64);
            hashes.extend(cells.map(|(_, cell)| cell.to_owned()));
        }
    }
    hashes
}
