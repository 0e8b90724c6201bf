//! What a suspicion means and what to do about it, in words.

use super::findings::{Finding, Severity};
use crate::rate::grouped;
use crate::source::Suspicion;

/// A suspicion, weighed.
pub(super) fn issue(suspicion: &Suspicion) -> Finding {
    let (severity, advice) = words(suspicion);
    Finding {
        severity,
        code: suspicion.code.to_owned(),
        table: suspicion.table.clone(),
        column: suspicion.column.clone(),
        rows: suspicion.rows,
        example: suspicion.example.clone(),
        advice,
    }
}

fn words(suspicion: &Suspicion) -> (Severity, String) {
    let Suspicion { code, rows, of, detail, is_estimate, .. } = suspicion;
    let about = if *is_estimate { "about " } else { "" };
    let share = 100.0 * *rows as f64 / (*of).max(1) as f64;
    let share = if share >= 1.0 { format!("{share:.0} %") } else { format!("{share:.2} %") };
    let n = format!("{about}{} {}", grouped(*rows), if *rows == 1 { "row" } else { "rows" });
    let part = format!("{n} ({share})");
    match *code {
        "rows-repeated" if detail == "chance" => (
            Severity::Info,
            format!("{part} equal an earlier one in every column; no column is an id or a time, so they may well be different people"),
        ),
        "rows-repeated" => (
            Severity::Warning,
            format!("{part} equal an earlier one in every column: if a file was loaded twice, counts and sums are too high; drop them with sql = \"SELECT DISTINCT …\""),
        ),
        "ids-repeated" => (
            Severity::Warning,
            format!("nearly every row has an id of its own here, but {n} repeat one: joins on it multiply rows; keep one row per id, or find the id that is whole"),
        ),
        "rows-shifted" => (
            Severity::Error,
            format!("{n} hold their values a column to the side: a delimiter in a text without quotes; mend the export"),
        ),
        "excel-round-trip" => (Severity::Error, excel(detail, &part)),
        "spreadsheet-times" => (
            Severity::Info,
            "times stand without seconds and with the day and month as a spreadsheet writes them: if the file went through one, other columns may be damaged; take the export itself".to_owned(),
        ),
        "local-dates" => (
            Severity::Info,
            "dates are written as people of one country write them: clo needs to be told their format to use them".to_owned(),
        ),
        "mixed-date-orders" => (
            Severity::Error,
            "some dates can only be day first and others only month first: the rest cannot be told; ask for ISO dates (2018-09-01)".to_owned(),
        ),
        "mixed-date-forms" => (
            Severity::Warning,
            format!("{part} are written in another form than the other dates: two systems or a spreadsheet wrote this column; ask for ISO dates (2018-09-01)"),
        ),
        "mixed-encodings" => (
            Severity::Warning,
            format!("{n} hold UTF-8 that was read as another encoding (`Ã©` for `é`): names and addresses are wrong there; mend the export, or read it with the right `encoding`"),
        ),
        "characters-lost" => (
            Severity::Warning,
            format!("{n} hold the mark for a character that was lost (�): an earlier program read the file in the wrong encoding; export it again"),
        ),
        "decimal-comma" => (
            Severity::Warning,
            format!("{part} are numbers with a comma, which are read as text: replace it, CAST(REPLACE(x, ',', '.') AS DOUBLE)"),
        ),
        "currency-in-numbers" => (
            Severity::Warning,
            "amounts stand with a currency sign and are read as text: take the sign off in sql, or export plain numbers".to_owned(),
        ),
        "numbers-as-text" if !detail.is_empty() => (
            Severity::Warning,
            format!("{part} are no numbers, most of them `{detail}`, so that the whole column is text: tell the table null_values = [\"{detail}\"]"),
        ),
        "numbers-as-text" => (
            Severity::Warning,
            format!("{part} are no numbers, so that the whole column is text: mend those, or tell types = {{ … = \"f64\" }} to reject them"),
        ),
        "no-value-words" => (
            Severity::Info,
            format!("{part} say `{detail}`, which counts as a value: if it means that nothing is known, tell the table null_values = [\"{detail}\"]"),
        ),
        "levels-alike" => (
            Severity::Warning,
            format!("{n} hold values that differ from others in capitals, blanks or marks alone: they count as different; write them alike in sql (LOWER, TRIM)"),
        ),
        "placeholder-value" => (
            Severity::Warning,
            format!("{part} hold {detail}, far from all others: it seems to stand for \"unknown\" or \"never\"; tell the table null_values = [\"{detail}\"], or keep it knowingly"),
        ),
        "negative-values" => (
            Severity::Info,
            format!("{part} are below zero where nearly all are above: returns and corrections? They lower sums, and do not belong to counts of purchases"),
        ),
        "zero-amounts" => (
            Severity::Info,
            format!("{part} are exactly zero: gifts, tests or cancelled? They count as purchases unless the rule or the query leaves them out"),
        ),
        "times-far-off" => (
            Severity::Warning,
            format!("{n} lie far outside of the others ({detail}): slips of a keyboard, or a mark for \"never\"; mend them or leave them out"),
        ),
        "leading-zeros-lost" => (
            Severity::Warning,
            format!("{part} have one digit too few: a program took them for numbers and dropped the leading 0; export the column as text"),
        ),
        _ => contact(suspicion, &n, &part),
    }
}

fn excel(detail: &str, part: &str) -> String {
    match detail {
        "month" => format!(
            "{part} are a month and a number where others are ranges: a spreadsheet turned 5-20 into May-20; take the file that never was in one"
        ),
        "digits" => format!(
            "{part} are long numbers that a spreadsheet cut to six digits (1.23457E+15): as ids they cannot be told apart; take the file that never was in one"
        ),
        _ => format!(
            "{part} are times without seconds, day and month as a spreadsheet writes them: this table went through one; take the file that never was in one"
        ),
    }
}

fn contact(Suspicion { code, detail, rows, of, .. }: &Suspicion, n: &str, part: &str) -> (Severity, String) {
    match *code {
        "email-invalid" => (
            Severity::Warning,
            format!(
                "{part} are no address that a mail could reach (how it is written, or a domain that cannot be): they will bounce; leave them out"
            ),
        ),
        "email-typo" => (
            Severity::Warning,
            format!(
                "{n} have a domain one slip away from a well-known one ({detail}): ask these people, or correct them where they type"
            ),
        ),
        "email-role" => (
            Severity::Info,
            format!(
                "{part} are mailboxes of an office (info@, sales@), not of a person: personal messages and consent do not fit them"
            ),
        ),
        "email-disposable" => {
            (Severity::Info, format!("{part} are throw-away addresses: hardly anybody reads them twice"))
        }
        "test-accounts" if rows * 2 > *of => (
            Severity::Info,
            format!(
                "{part} are made up (domains reserved for examples, test@…): this is no data of real people; no mail will arrive"
            ),
        ),
        "test-accounts" => (
            Severity::Warning,
            format!(
                "{n} look like test accounts (test@…, example.com, asdf): they count as people; leave them out in sql"
            ),
        ),
        "phone-invalid" => (
            Severity::Warning,
            format!("{part} are no numbers of their country's plan: nobody can be called there; leave them out"),
        ),
        "phone-without-country" => (
            Severity::Info,
            format!(
                "{part} have no country code, and no country stands beside them: tell [discover] country = \"…\", or write them with +"
            ),
        ),
        "postcode-invalid" => (
            Severity::Warning,
            format!(
                "{part} are not written as postcodes of their country: post will not arrive, and regions cannot be told"
            ),
        ),
        other => (Severity::Info, format!("{n}: {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_test_accounts_are_a_fault_and_invented_data_is_none() {
        let of_100 = |rows| Suspicion {
            code: "test-accounts",
            table: "customers".into(),
            column: Some("email".into()),
            rows,
            of: 100,
            is_estimate: false,
            example: None,
            detail: String::new(),
        };
        assert_eq!(issue(&of_100(3)).severity, Severity::Warning);
        assert_eq!(issue(&of_100(80)).severity, Severity::Info);
    }
}
