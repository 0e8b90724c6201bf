//! Which columns reach a person.
//!
//! Columns named exactly as people name contact data (in any case) are contact columns unless the spec tells others:
//! kept out of features, given to exports. City, state, region and country are not among them: they describe as much as
//! they reach, and stay attributes.

use polars::prelude::Column;

use crate::error::Result;

const NAMES: [&str; 48] = [
    "email",
    "e_mail",
    "e-mail",
    "email_address",
    "mail",
    "phone",
    "phone_number",
    "telephone",
    "telephone_number",
    "mobile",
    "mobile_number",
    "mobile_phone",
    "first_name",
    "firstname",
    "given_name",
    "middle_name",
    "last_name",
    "lastname",
    "surname",
    "family_name",
    "name",
    "full_name",
    "customer_name",
    "street",
    "street_address",
    "street_name",
    "street_number",
    "house_number",
    "address",
    "address1",
    "address2",
    "address_1",
    "address_2",
    "address_line1",
    "address_line2",
    "address_line_1",
    "address_line_2",
    "postcode",
    "post_code",
    "postal_code",
    "zip",
    "zip_code",
    "zipcode",
    "maid",
    "mobile_advertising_id",
    "advertising_id",
    "idfa",
    "gaid",
];

/// Of so many people or more, contact data has more than [`FEW_VALUES`] different values.
const MANY_PEOPLE: usize = 1000;
const FEW_VALUES: usize = 20;

/// Whether a column of that name holds contact data.
pub(crate) fn is_contact_name(name: &str) -> bool {
    NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether a column holds contact data: its name says so, and its values tell people apart (a `zip_code` of "urban" and
/// "rural" does not).
pub(crate) fn reaches(column: &Column) -> Result<bool> {
    let has_many = |column: &Column| -> Result<bool> { Ok(column.n_unique()? > FEW_VALUES) };
    let is_few_people = column.len() < MANY_PEOPLE;
    // The first rows mostly tell.
    Ok(is_contact_name(column.name())
        && (is_few_people || has_many(&column.head(Some(MANY_PEOPLE)))? || has_many(column)?))
}
