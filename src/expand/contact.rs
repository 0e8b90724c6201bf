//! What reaches a person: the contact columns, and what each holds as its name says.

use std::collections::HashSet;
use std::sync::OnceLock;

use polars::prelude::{IdxCa, StringChunked};
use rayon::prelude::*;
use serde::Deserialize;

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
    /// A name or a street: of several people perhaps, so it says who someone is only together with others.
    Shared,
    /// Something else that is one person's: a handle, a device, an account.
    Other,
}

/// Words that tell a role: anywhere in the name, or as the whole of it.
const ROLES: [(Role, &[&str], &[&str]); 12] = [
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
    (Role::Shared, &["name", "street", "address", "birth", "gender"], &["dob", "age", "sex"]),
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

/// The contact columns, one value per row of whatever they were taken from.
#[derive(Debug, Clone)]
pub(super) struct Contacts {
    pub columns: Vec<ContactColumn>,
    /// The country of each row, when a column tells it.
    country: Option<StringChunked>,
}

/// One contact column, in one piece.
#[derive(Debug, Clone)]
pub(super) struct ContactColumn {
    pub name: String,
    pub role: Role,
    pub values: StringChunked,
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
        Ok(Self { columns, country: told.or(attribute) })
    }

    /// The given attribute rows, in that order; a row that is not there has no values.
    pub(super) fn take(&self, rows: &[Option<usize>]) -> Self {
        let rows: IdxCa = rows
            .iter()
            .map(|row| row.map(|row| u32::try_from(row).expect("attribute rows are counted in 32 bits")))
            .collect();
        let columns = self.columns.iter();
        let columns = columns.map(|column| ContactColumn {
            name: column.name.clone(),
            role: column.role,
            values: taken(&column.values, &rows),
            numbers: column.numbers.get().map_or_else(OnceLock::new, |numbers| numbers.take(&rows).into()),
        });
        Self { columns: columns.collect(), country: self.country.as_ref().map(|values| taken(values, &rows)) }
    }

    /// The country of a row: ISO 3166-1 alpha-2, lower case.
    pub(super) fn country(&self, row: usize) -> Option<&'static str> {
        self.country.as_ref().and_then(|values| values.get(row)).and_then(places::country)
    }

    /// Reads all telephone numbers, so that [`Self::e164`] need not read one again and again: several destinations ask for
    /// them, and so do suppression lists of hashes. To be called before threads ask, not by them.
    pub(super) fn read_numbers(&self) {
        for column in self.with_role(Role::Phone) {
            column.numbers.get_or_init(|| Numbers::read(&column.values, |row| self.country(row)));
        }
    }

    /// The telephone number of a row in `column` as E.164, or why there is none.
    pub(super) fn e164(&self, column: &ContactColumn, row: usize) -> std::result::Result<String, Unfit> {
        match column.numbers.get() {
            Some(numbers) => numbers.get(row),
            None => e164(column.values.get(row).unwrap_or_default(), self.country(row)),
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
        let mut keys = vec![None; rows.len() * n_columns];
        keys.par_chunks_mut(n_columns).zip(rows).with_min_len(1024).for_each(|(keys, row)| {
            let own = row.iter().flat_map(|&row| self.mailboxes(row));
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
        keys.chunks(n_columns).map(is_repeated).collect()
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
        self.with_role(Role::Email).filter_map(|column| column.values.get(row)).filter_map(mailbox).collect()
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

fn taken(values: &StringChunked, rows: &IdxCa) -> StringChunked {
    use polars::prelude::ChunkTake as _;
    values.take(rows).expect("rows were counted from the same table").rechunk().into_owned()
}

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
        ] {
            assert_eq!(Role::of(name), role, "{name}");
        }
    }
}
