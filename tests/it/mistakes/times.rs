//! Times that can be read in two ways, or in none.

use insta::assert_snapshot;

use super::shop;

#[test]
fn times_with_and_without_a_zone() {
    let mixed =
        shop().times(|number, day| if number % 2 == 0 { day.to_string() } else { format!("{day}T10:00:00+02:00") });
    assert_snapshot!(mixed.said(), @r#"
    exit 4
    error: column `ordered_at` has times with a zone and times without one
      ╭─[clo.toml:16:1]  time = "ordered_at"
    help: tell the zone of the others: { column = "ordered_at", zone = "Europe/Berlin" } (or "UTC")
    "#);
}

#[test]
fn day_first_or_month_first() {
    let slashed = shop().times(|_, day| day.strftime("%d/%m/%Y").to_string().replace("01/01", "01/02"));
    assert_snapshot!(slashed.said(), @r#"
    exit 4
    error: column `ordered_at` has `01/02/2024`, which can be day 1 of month 2 or day 2 of month 1
      ╭─[clo.toml:16:1]  time = "ordered_at"
    help: `15/01/2024` can only be day first: write { column = "ordered_at", format = "%d/%m/%Y" }
    "#);
    let open = shop().times(|number, _| format!("0{}/03/2024", 1 + number % 9));
    assert_snapshot!(open.said(), @r#"
    exit 4
    error: column `ordered_at` has `02/03/2024`, which can be day 2 of month 3 or day 3 of month 2
      ╭─[clo.toml:16:1]  time = "ordered_at"
    help: write { column = "ordered_at", format = "%d/%m/%Y" } if the day stands first
    help: write { column = "ordered_at", format = "%m/%d/%Y" } if the month does
    "#);
}

#[test]
fn a_few_times_that_cannot_be_read_are_rejected_and_told() {
    let few = shop().times(|number, day| if number == 7 { "soon".to_owned() } else { day.to_string() });
    assert_snapshot!(few.said(), @r"
    exit 0
    warning: data/orders.csv, column ordered_at: 1 row is not used, row 7: the time cannot be read (see discover/rejected.parquet)
    ");
}

#[test]
fn times_that_cannot_be_read() {
    assert_snapshot!(shop().times(|_, day| day.strftime("%B %d, %Y").to_string().replace(',', "")).said(), @r#"
    exit 4
    error: 360 of 360 rows of events.purchase cannot be used
      ╭─[clo.toml:13:9]  [events.purchase]
    help: the commonest reason (360 rows): column `ordered_at`: the time cannot be read, first in row 1 of data/orders.csv
    help: tell how it is written: { column = "ordered_at", format = "%d.%m.%Y %H:%M" } for 31.12.2018 23:59
    "#);
}

#[test]
fn times_that_do_not_fit_their_format() {
    let told = "time = { column = \"ordered_at\", format = \"%d.%m.%Y\" }";
    assert_snapshot!(shop().spec("time = \"ordered_at\"", told).said(), @r"
    exit 4
    error: 360 of 360 rows of events.purchase cannot be used
      ╭─[clo.toml:13:9]  [events.purchase]
    help: the commonest reason (360 rows): column `ordered_at`: the time does not fit its `format`, first in row 1 of data/orders.csv
    help: write `format` as the values are written; without it, 2018-12-31 23:59 is read
    ");
}

#[test]
fn a_format_that_is_none() {
    let told = |format| format!("time = {{ column = \"ordered_at\", format = \"{format}\" }}");
    assert_snapshot!(shop().spec("time = \"ordered_at\"", &told("DD.MM.YYYY")).said(), @r#"
    exit 3
    error: "DD.MM.YYYY" is not a time format
      ╭─[clo.toml:16:33]  time = { column = "ordered_at", format = "DD.MM.YYYY" }
    help: write it with % letters: %d-%m-%Y %H:%M for 31-12-2018 23:59
    "#);
    assert_snapshot!(shop().spec("time = \"ordered_at\"", &told("%D.%O.%Y")).said(), @r#"
    exit 3
    error: "%D.%O.%Y" is not a time format: it has a % letter that means nothing
      ╭─[clo.toml:16:33]  time = { column = "ordered_at", format = "%D.%O.%Y" }
    help: %d day, %m month, %Y year, %H hour, %M minute, %S second, %b Dec, %p PM, %z +0100
    "#);
}

#[test]
fn numbers_in_place_of_times() {
    assert_snapshot!(shop().times(|number, _| (number * 1000).to_string()).said(), @r#"
    exit 4
    error: column `ordered_at` holds numbers, and no unit is told
      ╭─[clo.toml:16:1]  time = "ordered_at"
    help: write { column = "ordered_at", unit = "s" } for seconds since 1970, or also `origin`
    "#);
}

#[test]
fn a_time_on_the_command_line() {
    assert_snapshot!(shop().command(&["run", "--as-of", "01/02/2024"]).said(), @r"
    exit 2
    error: invalid value '01/02/2024' for '--as-of <TIME>': `01/02/2024` is not a time; write a date as 2018-09-01 or a time as 2018-09-01T12:30:00Z

    For more information, try '--help'.
    ");
}
