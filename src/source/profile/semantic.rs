//! What a column means, told by its name and its values together: a column called `mail` that holds yes and no is not
//! one of addresses.

use super::marks::Mark;

/// What a column seems to mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Semantic {
    /// No value.
    Empty,
    /// One value in every row.
    Constant,
    /// E-mail addresses.
    Email,
    /// Telephone numbers.
    Phone,
    /// Postcodes.
    Postcode,
    /// Names of people.
    Name,
    /// Streets and houses.
    Address,
    /// Countries.
    Country,
    /// Codes of currencies.
    Currency,
    /// Ids of people, orders, products …
    Id,
    /// Days and instants.
    Time,
    /// Yes and no.
    Boolean,
    /// Money: prices, values, costs.
    Amount,
    /// Other numbers.
    Number,
    /// A few texts that many rows share.
    Category,
    /// Web addresses.
    Url,
    /// Texts that people wrote.
    FreeText,
}

impl Semantic {
    /// Its name in `profile.parquet`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Constant => "constant",
            Self::Email => "e-mail",
            Self::Phone => "phone",
            Self::Postcode => "postcode",
            Self::Name => "name",
            Self::Address => "address",
            Self::Country => "country",
            Self::Currency => "currency",
            Self::Id => "id",
            Self::Time => "time",
            Self::Boolean => "boolean",
            Self::Amount => "amount",
            Self::Number => "number",
            Self::Category => "category",
            Self::Url => "url",
            Self::FreeText => "free text",
        }
    }

    /// Whether a value says who somebody is, or may: such values are never shown.
    #[must_use]
    pub fn is_personal(self) -> bool {
        use Semantic::{Address, Email, FreeText, Id, Name, Phone, Postcode, Url};
        matches!(self, Email | Phone | Postcode | Name | Address | Id | Url | FreeText)
    }
}

/// What a column's name alone says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Called {
    Email,
    Phone,
    Postcode,
    Name,
    Address,
    Country,
    Currency,
    Id,
    Time,
    Amount,
    Nothing,
}

/// What a column of this name holds, if its values agree.
pub(super) fn called(column: &str) -> Called {
    let words = words(column);
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    let whole = words.join("_");
    let last = words.last().map(String::as_str).unwrap_or_default();
    if ["id", "ids", "uuid", "guid", "no", "nr", "hash"].contains(&last) || last.ends_with("uuid") {
        Called::Id
    } else if has(&["email", "mail", "emailaddress"]) {
        Called::Email
    } else if has(&["phone", "mobile", "telephone", "tel", "cell", "msisdn", "whatsapp", "telefon", "phonenumber"]) {
        Called::Phone
    } else if has(&["zip", "postcode", "postal", "plz", "zipcode", "pincode", "postleitzahl"])
        || whole == "cep"
        || whole == "post_code"
    {
        Called::Postcode
    } else if has(&["country", "nation", "countrycode"]) {
        Called::Country
    } else if has(&["currency", "currencycode"]) {
        Called::Currency
    } else if has(&["firstname", "lastname", "surname", "forename", "fullname", "vorname", "nachname", "givenname"])
        || (last == "name"
            && (words.len() == 1
                || has(&["first", "last", "given", "family", "middle", "full", "customer", "person", "contact"])))
    {
        Called::Name
    } else if has(&["street", "address", "address1", "address2", "addr"]) || whole == "house_number" {
        Called::Address
    } else if has(&["date", "time", "timestamp", "datetime", "birthday", "birth", "dob", "since"])
        || ["at", "on", "day"].contains(&last)
    {
        Called::Time
    } else if has(&[
        "amount",
        "price",
        "revenue",
        "cost",
        "spend",
        "sales",
        "dollar",
        "dollars",
        "eur",
        "usd",
        "gbp",
        "fee",
        "income",
        "charges",
        "charge",
        "value",
        "turnover",
        "profit",
        "salary",
        "balance",
        "total",
        "unitprice",
    ]) && !has(&["idx", "index", "rate", "ratio", "count", "percent", "pct", "share"])
    {
        Called::Amount
    } else {
        Called::Nothing
    }
}

/// The words of a column's name in lower case: parted by what is no letter or digit, and by capitals.
pub(super) fn words(column: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for character in column.chars() {
        if !character.is_alphanumeric() || (character.is_uppercase() && before.is_lowercase()) {
            words.push(String::new());
        }
        if character.is_alphanumeric() {
            words.last_mut().expect("never empty").extend(character.to_lowercase());
        }
        before = character;
    }
    words.retain(|word| !word.is_empty());
    // `e-mail` is one word.
    if let Some(at) = words.windows(2).position(|pair| pair[0] == "e" && pair[1] == "mail") {
        words.splice(at..at + 2, ["email".to_owned()]);
    }
    words
}

/// What is known of the values of a text column.
pub(super) struct TextEvidence<'e> {
    /// Rows with a value.
    pub(super) known: u64,
    /// Different values.
    pub(super) distinct: u64,
    /// Rows with a mark.
    pub(super) rows: &'e dyn Fn(Mark) -> u64,
    /// Mean length of the values in characters.
    pub(super) length: f64,
}

/// What is known of the values of a numeric column.
pub(super) struct NumberEvidence {
    pub(super) known: u64,
    pub(super) distinct: u64,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) is_whole: bool,
    /// All values are days written as `20170212`.
    pub(super) is_day: bool,
}

/// Few rows say little.
const FEW: u64 = 20;

/// What a text column means.
pub(super) fn of_texts(column: &str, evidence: &TextEvidence<'_>) -> Semantic {
    let TextEvidence { known, distinct, rows, length } = *evidence;
    let share = |mark: Mark| rows(mark) as f64 / known.max(1) as f64;
    let is_unique = distinct as f64 >= 0.98 * known as f64;
    let is_varied = known < 1000 || distinct > FEW;
    let called = called(column);
    let is_phone = share(Mark::Phone) - share(Mark::Time).max(share(Mark::LocalTime));
    match called {
        Called::Email if share(Mark::At) > 0.5 => return Semantic::Email,
        Called::Phone if is_phone > 0.5 => return Semantic::Phone,
        Called::Country if share(Mark::Country) > 0.5 => return Semantic::Country,
        Called::Currency if share(Mark::Currency) > 0.5 => return Semantic::Currency,
        Called::Postcode if length <= 10.5 && is_varied => return Semantic::Postcode,
        Called::Name if is_varied => return Semantic::Name,
        Called::Address if is_varied => return Semantic::Address,
        _ => {}
    }
    if share(Mark::Email) > 0.8 {
        return Semantic::Email;
    }
    if called == Called::Id && (distinct > 1 || known == 1) {
        return Semantic::Id;
    }
    if distinct == 1 {
        return Semantic::Constant;
    }
    if share(Mark::Time) + share(Mark::LocalTime) > 0.9 {
        return Semantic::Time;
    }
    if share(Mark::Url) > 0.8 {
        return Semantic::Url;
    }
    if share(Mark::Money) + share(Mark::CommaNumber) + share(Mark::Number) > 0.9 && share(Mark::Money) > 0.5 {
        return Semantic::Amount;
    }
    if share(Mark::YesNo) >= 1.0 && distinct <= 2 {
        return Semantic::Boolean;
    }
    if share(Mark::Currency) > 0.95 && known > FEW {
        return Semantic::Currency;
    }
    if share(Mark::Country) > 0.95 && length > 3.0 {
        return Semantic::Country;
    }
    if share(Mark::Number) + share(Mark::CommaNumber) > 0.9 && distinct > FEW && called != Called::Postcode {
        return if is_unique && known > FEW { Semantic::Id } else { Semantic::Number };
    }
    if is_unique && known > FEW && share(Mark::Words) < 0.1 && share(Mark::Range) < 0.1 {
        return Semantic::Id;
    }
    if (known > FEW && distinct * 2 > known) || (share(Mark::Words) > 0.5 && distinct > 100) {
        return Semantic::FreeText;
    }
    Semantic::Category
}

/// What a column of numbers means.
pub(super) fn of_numbers(column: &str, evidence: &NumberEvidence) -> Semantic {
    let &NumberEvidence { known, distinct, low, high, is_whole, is_day } = evidence;
    let is_unique = distinct as f64 >= 0.98 * known as f64 && known > FEW;
    let is_varied = known < 1000 || distinct > FEW;
    let called = called(column);
    if called == Called::Id && is_whole && (distinct > 1 || known == 1) {
        return Semantic::Id;
    }
    if distinct == 1 {
        return Semantic::Constant;
    }
    match called {
        Called::Phone if is_whole && low >= 1e6 && is_varied => return Semantic::Phone,
        Called::Postcode if is_whole && low > 0.0 && high < 1e10 && is_varied => return Semantic::Postcode,
        // Seconds or milliseconds since 1970, of the years 2001 to 2033.
        Called::Time if is_day || (is_whole && ((low >= 1e9 && high < 2e9) || (low >= 1e12 && high < 2e12))) => {
            return Semantic::Time;
        }
        Called::Amount => return Semantic::Amount,
        _ => {}
    }
    if is_day && known > FEW && distinct > 5 {
        return Semantic::Time;
    }
    if is_unique && is_whole && low >= 0.0 && known > 100 && high - low < 2.0 * known as f64 {
        return Semantic::Id;
    }
    Semantic::Number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_it_says() {
        for (column, wanted) in [
            ("customer_id", Called::Id),
            ("CustomerID", Called::Id),
            ("InvoiceNo", Called::Id),
            ("E-Mail", Called::Email),
            ("workEmail", Called::Email),
            ("mobile_phone", Called::Phone),
            ("zip_code", Called::Postcode),
            ("customer_zip_code_prefix", Called::Postcode),
            ("Country", Called::Country),
            ("product_category_name", Called::Nothing),
            ("first_name", Called::Name),
            ("street_number", Called::Address),
            ("became_member_on", Called::Time),
            ("dollar_value", Called::Amount),
            ("UnitPrice", Called::Amount),
            ("number_of_cds", Called::Nothing),
        ] {
            assert_eq!(called(column), wanted, "{column}");
        }
    }
}
