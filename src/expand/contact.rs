//! What reaches a person: the contact columns, and what each holds as its name says.

use std::collections::HashSet;
use std::sync::OnceLock;

use polars::prelude::StringChunked;
use rayon::prelude::*;
use serde::Deserialize;

use super::hashes;
use super::normalise::{Unfit, mailbox};
use super::phone::{Numbers, e164};
use super::scores::as_text;
use crate::error::Result;
use crate::source::People;
use crate::source::places;

/// What a contact column holds, as its name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Role {
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    FirstName,
    LastName,
    Country,
    Zip,
    City,
    State,
    /// An advertising id of a device.
    Device,
    JobTitle,
    Company,
    BirthDate,
    Gender,
    /// A name on X.
    Handle,
    /// A name or a street: of several people perhaps, so it says who someone is only together with others.
    Shared,
    /// Something else that is one person's: a handle, a device, an account.
    Other,
}

/// Words that tell a role: anywhere in the name, or as the whole of it.
const ROLES: [(Role, &[&str], &[&str]); 15] = [
    (Role::Email, &["mail"], &[]),
    (Role::Phone, &["phone", "mobile", "msisdn", "telefon", "whatsapp"], &["tel", "cell", "sms", "mobil", "handy"]),
    (Role::FirstName, &["firstname", "givenname", "forename", "vorname"], &["fn", "fname", "first", "given", "prenom"]),
    (Role::LastName, &["lastname", "surname", "familyname", "nachname"], &["ln", "lname", "last", "family"]),
    (Role::Country, &["country"], &["land", "pays", "nation"]),
    (Role::Zip, &["zip", "postcode", "postal"], &["plz", "cep", "pincode"]),
    (Role::City, &["city", "town"], &["ct", "ort", "ville"]),
    (Role::State, &["state", "region", "province"], &["st"]),
    (Role::Device, &["idfa", "gaid", "googleaid", "advertisingid"], &["maid", "aaid", "adid"]),
    (Role::JobTitle, &["jobtitle", "position"], &["job", "occupation"]),
    (Role::Company, &["company", "employer", "organisation", "organization"], &["firm", "firma"]),
    (Role::BirthDate, &["birthdate", "birthday", "dateofbirth"], &["dob"]),
    (Role::Gender, &["gender"], &["sex"]),
    (Role::Handle, &["twitter"], &["xhandle", "xname", "xusername"]),
    (Role::Shared, &["name", "street", "address", "birth"], &["age"]),
];

impl Role {
    /// What a column of this name holds.
    pub(super) fn of(column: &str) -> Self {
        let name: String = column.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        let told = ROLES
            .iter()
            .find(|(_, parts, wholes)| wholes.contains(&name.as_str()) || parts.iter().any(|part| name.contains(part)));
        told.map_or(Self::Other, |(role, ..)| *role)
    }
}

/// The contact columns, one value per attribute row, or per row of those that were taken.
#[derive(Debug, Clone)]
pub(super) struct Contacts {
    pub columns: Vec<ContactColumn>,
    /// The attribute row of each row that was taken.
    taken: Option<Vec<u32>>,
    /// The country of each row, alpha-2 in lower case; nothing when no column tells it.
    countries: Vec<Option<&'static str>>,
}

/// One contact column, in one piece.
#[derive(Debug, Clone)]
pub(super) struct ContactColumn {
    pub name: String,
    pub role: Role,
    values: StringChunked,
    /// What [`Contacts::read_numbers`] has read.
    numbers: OnceLock<Numbers>,
}

impl Contacts {
    /// The contact columns over all attribute rows. The country may stand in any attribute, as it is no secret alone.
    pub(super) fn of(people: &People) -> Result<Self> {
        let mut columns = Vec::with_capacity(people.contact.len());
        for name in &people.contact {
            if let Ok(column) = people.attributes.column(name) {
                columns.push(ContactColumn {
                    name: name.clone(),
                    role: Role::of(name),
                    values: as_text(column)?,
                    numbers: OnceLock::new(),
                });
            }
        }
        let told = columns.iter().find(|column| column.role == Role::Country).map(|column| column.values.clone());
        let mut names = people.attributes.get_column_names().into_iter();
        let attribute = names.find(|name| told.is_none() && Role::of(name) == Role::Country);
        let attribute = attribute.map(|name| as_text(people.attributes.column(name)?)).transpose()?;
        let countries = told.or(attribute).map_or_else(Vec::new, |told| {
            let country = |row| places::country(told.get(row)?);
            (0..told.len()).into_par_iter().with_min_len(1024).map(country).collect()
        });
        Ok(Self { columns, taken: None, countries })
    }

    /// The given attribute rows, in that order; a row that is not there has no values.
    pub(super) fn take(self, rows: &[Option<usize>]) -> Self {
        let row = |row: usize| u32::try_from(row).expect("attribute rows are counted in 32 bits");
        Self { taken: Some(rows.iter().map(|at| at.map_or(NO_ROW, row)).collect()), ..self }
    }

    /// Where the values of a row stand in memory; what is read in that order is read fast.
    pub(super) fn place(&self, row: usize) -> usize {
        self.taken.as_ref().map_or(row, |taken| taken[row] as usize)
    }

    /// The value of a row in `column`.
    pub(super) fn text<'a>(&self, column: &'a ContactColumn, row: usize) -> Option<&'a str> {
        column.values.get(Some(self.place(row)).filter(|&place| place < column.values.len())?)
    }

    /// The country of a row: ISO 3166-1 alpha-2, lower case.
    pub(super) fn country(&self, row: usize) -> Option<&'static str> {
        self.countries.get(self.place(row)).copied().flatten()
    }

    /// Reads all telephone numbers, so that [`Self::e164`] need not read one again and again: several destinations ask for
    /// them, and so do suppression lists of hashes. To be called before threads ask, not by them.
    pub(super) fn read_numbers(&self) {
        for column in self.with_role(Role::Phone) {
            column.numbers.get_or_init(|| {
                let mut is_wanted = vec![self.taken.is_none(); column.values.len()];
                for &place in self.taken.iter().flatten().filter(|&&place| place != NO_ROW) {
                    is_wanted[place as usize] = true;
                }
                let text = |place: usize| column.values.get(place).filter(|_| is_wanted[place]).unwrap_or_default();
                let country = |place: usize| self.countries.get(place).copied().flatten();
                Numbers::read(column.values.len(), |place| (text(place), country(place)))
            });
        }
    }

    /// The telephone number of a row in `column` as E.164, or why there is none.
    pub(super) fn e164(&self, column: &ContactColumn, row: usize) -> std::result::Result<String, Unfit> {
        match column.numbers.get() {
            Some(numbers) => numbers.get(self.place(row)),
            None => e164(self.text(column, row).unwrap_or_default(), self.country(row)),
        }
    }

    /// The columns of a role, in the order of the spec.
    pub(super) fn with_role(&self, role: Role) -> impl Iterator<Item = &ContactColumn> {
        self.columns.iter().filter(move |column| column.role == role)
    }

    /// Who shares a mailbox with someone before them: `rows` are attribute rows in the order of rank.
    pub(super) fn repeated(&self, rows: &[Option<usize>]) -> Vec<bool> {
        let n_columns = self.with_role(Role::Email).count();
        if n_columns == 0 {
            return vec![false; rows.len()];
        }
        let n_rows = self.with_role(Role::Email).map(|column| column.values.len()).max().unwrap_or_default();
        let mut keys = vec![None; n_rows * n_columns];
        keys.par_chunks_mut(n_columns).with_min_len(1024).enumerate().for_each(|(row, keys)| {
            let own = self.mailboxes(row);
            keys.iter_mut().zip(own).for_each(|(key, mailbox)| *key = Some(short(&mailbox)));
        });
        let mut taken: HashSet<u128> = HashSet::with_capacity(rows.len());
        let is_repeated = |own: &[Option<u128>]| {
            let is_repeated = own.iter().flatten().any(|mailbox| taken.contains(mailbox));
            if !is_repeated {
                taken.extend(own.iter().flatten());
            }
            is_repeated
        };
        let keys = |row: &Option<usize>| row.map_or(&[][..], |row| &keys[row * n_columns..][..n_columns]);
        rows.iter().map(keys).map(is_repeated).collect()
    }

    /// Who has a mailbox that one of `others` has: both are attribute rows.
    pub(super) fn shared_with(&self, others: &[Option<usize>], rows: &[Option<usize>]) -> Vec<bool> {
        let taken: HashSet<String> = others.iter().flatten().flat_map(|&row| self.mailboxes(row)).collect();
        let is_shared =
            |row: &Option<usize>| row.is_some_and(|row| self.mailboxes(row).iter().any(|own| taken.contains(own)));
        if taken.is_empty() {
            return vec![false; rows.len()];
        }
        rows.par_iter().with_min_len(1024).map(is_shared).collect()
    }

    fn mailboxes(&self, row: usize) -> Vec<String> {
        self.with_role(Role::Email).filter_map(|column| self.text(column, row)).filter_map(mailbox).collect()
    }

    /// Whether any contact could be a hash of one.
    pub(super) fn may_be_hashed(&self) -> bool {
        let is_long = |text: Option<&str>| text.is_some_and(|text| text.len() >= hashes::SHORTEST);
        self.columns.iter().any(|column| column.values.iter().any(is_long))
    }

    /// Whether a column of a role is there.
    pub(super) fn has(&self, role: Role) -> bool {
        self.with_role(role).next().is_some()
    }
}

/// 128 bits of a text's hash: no two of ten million are the same by chance.
fn short(text: &str) -> u128 {
    u128::from_le_bytes(*blake3::hash(text.as_bytes()).as_bytes().first_chunk().expect("a hash has 32 bytes"))
}

/// No attribute row: there are never as many.
const NO_ROW: u32 = u32::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_tells_its_role_by_its_name() {
        for (name, role) in [
            ("Email", Role::Email),
            ("work_e-mail", Role::Email),
            ("email_address", Role::Email),
            ("MobilePhone", Role::Phone),
            ("tel", Role::Phone),
            ("First Name", Role::FirstName),
            ("surname", Role::LastName),
            ("country_code", Role::Country),
            ("zip_code", Role::Zip),
            ("customer_city", Role::City),
            ("full_name", Role::Shared),
            ("instagram", Role::Other),
            ("idfa", Role::Device),
            ("maiden_name", Role::Shared),
            ("Job Title", Role::JobTitle),
            ("company_name", Role::Company),
            ("date_of_birth", Role::BirthDate),
            ("birth_place", Role::Shared),
            ("Sex", Role::Gender),
            ("twitter_name", Role::Handle),
        ] {
            assert_eq!(Role::of(name), role, "{name}");
        }
    }
}
