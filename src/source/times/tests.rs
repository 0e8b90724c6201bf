//! Times in every form that is read, and those that are refused; round trips with many times at random.

use polars::prelude::Column;
use proptest::prelude::*;

use super::*;

fn told(reading: TimeReading, zone: Option<&str>) -> TimeColumn {
    TimeColumn { column: "at".into(), reading, zone: zone.map(Into::into) }
}

fn read(column: &TimeColumn, values: &[&str]) -> Result<Vec<i64>> {
    Clock::new(column)?.read(&Column::new("at".into(), values))
}

fn time(text: &str) -> i64 {
    text.parse::<Time>().expect("a time of the test").0
}

proptest! {
    /// The hand-written reader agrees with jiff on every instant that jiff prints.
    #[test]
    fn iso_times_read_as_jiff_reads_them(micros in SANE, zone in 0_usize..3) {
        let instant = Timestamp::from_microsecond(micros).unwrap();
        let zoned = instant.to_zoned(TimeZone::get(["UTC", "Europe/Berlin", "America/New_York"][zone]).unwrap());
        let civil = zoned.datetime();
        let offset = zoned.strftime("%Y-%m-%d %H:%M:%S%.f%:z").to_string();
        // Offsets of long ago have seconds, which ISO 8601 does not.
        prop_assume!(zoned.offset().seconds() % 60 == 0);
        prop_assert_eq!(iso(offset.as_bytes()), Some((micros, Form::Zoned)));
        prop_assert_eq!(iso(civil.to_string().as_bytes()), Some((civil_micros(civil), Form::Naive)));
        prop_assert_eq!(iso(civil.date().to_string().as_bytes()), Some((civil_micros(civil.date().into()), Form::Date)));
    }

    #[test]
    fn local_times_become_the_instants_that_jiff_gives(civil in SANE) {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let shown = Time(civil).civil().unwrap();
        prop_assert_eq!(Local::of(Some(&berlin)).instant(civil), berlin.to_timestamp(shown).unwrap().as_microsecond());
    }
}

#[test]
fn what_cannot_be_mistaken_is_read() {
    let column = told(TimeReading::Unmistakable, None);
    let values = ["2017-02-12", "20170212", "2017-02-12 10:30", "2017-02-30", "soon", "", "1850-01-01", "9999-12-31"];
    let noon = time("2017-02-12T10:30");
    assert_eq!(
        read(&column, &values).unwrap(),
        [time("2017-02-12"), time("2017-02-12"), noon, UNREADABLE, UNREADABLE, MISSING, OUT_OF_RANGE, OUT_OF_RANGE]
    );
    let numbers = Column::new("at".into(), [20_170_212_i64, 20_171_332]);
    assert_eq!(Clock::new(&column).unwrap().read(&numbers).unwrap(), [time("2017-02-12"), UNREADABLE]);
    let epoch = Column::new("at".into(), [1_500_000_000_i64]);
    assert!(Clock::new(&column).unwrap().read(&epoch).unwrap_err().to_string().contains("unit"));
}

#[test]
fn days_and_months_are_never_guessed() {
    let error = read(&told(TimeReading::Unmistakable, None), &["01/02/2017"]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "error: column `at` has `01/02/2017`, which can be day 1 of month 2 or day 2 of month 1\n\
         help: write { column = \"at\", format = \"%d/%m/%Y\" } if the day stands first\n\
         help: write { column = \"at\", format = \"%m/%d/%Y\" } if the month does"
    );
    let error = read(&told(TimeReading::Unmistakable, None), &["01-02-2018 10:00", "26-02-2018 19:58"]).unwrap_err();
    assert_eq!(
        error.hints(),
        ["`26-02-2018 19:58` can only be day first: write { column = \"at\", format = \"%d-%m-%Y %H:%M\" }"]
    );
    let format = told(TimeReading::Format("%d-%m-%Y %H:%M".into()), None);
    assert_eq!(read(&format, &["26-02-2018 19:58", "x"]).unwrap(), [time("2018-02-26T19:58"), UNREADABLE]);
}

#[test]
fn zones_are_told_and_mixed_ones_refused() {
    let berlin = told(TimeReading::Unmistakable, Some("Europe/Berlin"));
    let values = ["2018-07-01 12:00", "2018-01-01 12:00", "2018-01-01T12:00Z"];
    let instants = [time("2018-07-01T10:00"), time("2018-01-01T11:00"), time("2018-01-01T12:00")];
    assert_eq!(read(&berlin, &values).unwrap(), instants);
    let error = read(&told(TimeReading::Unmistakable, None), &values).unwrap_err();
    assert!(error.message().contains("with a zone and times without"), "{error}");
    assert!(Clock::new(&told(TimeReading::Unmistakable, Some("Mars/Base"))).is_err());
}

#[test]
fn numbers_count_from_their_origin() {
    let hours = TimeReading::Number { unit_micros: DAY / 24, origin: time_of("2013-07-29") };
    let column = told(hours, None);
    let values = Column::new("at".into(), [Some(24.0), Some(0.5), None, Some(-1.0), Some(1e300)]);
    assert_eq!(
        Clock::new(&column).unwrap().read(&values).unwrap(),
        [time("2013-07-30"), time("2013-07-29T00:30"), MISSING, time("2013-07-28T23:00"), OUT_OF_RANGE]
    );
}

fn time_of(text: &str) -> Time {
    Time(time(text))
}
