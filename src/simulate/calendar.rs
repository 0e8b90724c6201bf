//! The shop's calendar: two years of days, the seasons of week and year, and the hours at which people shop.
//!
//! Times are whole seconds since the first midnight ([`START`]). A hazard or a rate holds for a day; within the day the
//! time is drawn from [`HOURS`], the same for everybody, so that the share of a day before any instant is known.

use rand::{Rng, RngExt as _};

use crate::time::Time;

/// Seconds in a day.
pub(super) const DAY: i64 = 86_400;
/// The first midnight, 2022-10-01 (a Saturday), in seconds since the Unix epoch.
pub(super) const START: i64 = 1_664_582_400;
/// Days of observation: it ends at 2024-10-01.
pub(super) const N_DAYS: usize = 731;
/// Days between two cutoffs, and the horizon of both predictions.
pub(super) const HORIZON: usize = 30;
/// Cutoffs with an outcome; one more stands at the end.
pub(super) const N_CUTOFFS: usize = 12;
/// The day of the campaign, 2023-09-04. Its effect lasts [`HORIZON`] days and is over before the first cutoff.
pub(super) const CAMPAIGN: usize = 338;

/// Percent of a day's events per hour. None in the first four: a cart half an hour before a purchase is on its day.
const HOURS: [u32; 24] = [0, 0, 0, 0, 1, 1, 2, 3, 5, 6, 6, 6, 6, 5, 5, 5, 5, 6, 7, 8, 9, 8, 4, 2];
/// Monday to Sunday; the mean is 1.
const WEEK: [f64; 7] = [0.90, 0.90, 0.95, 1.00, 1.10, 1.10, 1.05];
/// Days of the year: the height of Christmas shopping, and of the lull that follows it.
const PEAK: (f64, f64) = (342.0, 27.0);
/// What Christmas adds and the lull takes, at its height.
const SWING: f64 = 0.4;

/// What every day of the shop has in common, worked out once.
pub(super) struct Calendar {
    /// The season's factor of each day, and of the horizon beyond the end.
    pub(super) season: Vec<f64>,
    /// Each day as `2022-10-01`.
    dates: Vec<String>,
}

impl Calendar {
    pub(super) fn new() -> Self {
        let days = 0..N_DAYS + 2 * HORIZON;
        let date = |day: usize| micros(seconds(day)).to_string();
        Self { season: days.clone().map(season).collect(), dates: days.map(date).collect() }
    }

    /// ISO 8601 without a zone: `2022-10-01T12:30:00`.
    pub(super) fn iso(&self, at: i64) -> String {
        let (hour, minute, second) = clock(at);
        format!("{}T{hour:02}:{minute:02}:{second:02}", self.dates[day(at)])
    }

    /// Day first, as a help desk's export has it: `01/10/2022 12:30:00`.
    pub(super) fn day_first(&self, at: i64) -> String {
        let (date, (hour, minute, second)) = (&self.dates[day(at)], clock(at));
        format!("{}/{}/{} {hour:02}:{minute:02}:{second:02}", &date[8..10], &date[5..7], &date[0..4])
    }
}

/// The season's factor: week × year. Christmas and the lull have equal areas, so a year's mean is 1.
#[expect(clippy::cast_precision_loss, reason = "days are counted in hundreds")]
fn season(day: usize) -> f64 {
    let bump = |middle: f64| {
        let apart = (day as f64 + 273.0 - middle).rem_euclid(365.25);
        let apart = apart.min(365.25 - apart) / 20.0;
        libm::exp(-0.5 * apart * apart)
    };
    WEEK[(day + 5) % 7] * (1.0 + SWING * (bump(PEAK.0) - bump(PEAK.1)))
}

/// The day's number of the cutoff before which cutoff `k` looks; `k = N_CUTOFFS` is the end.
pub(super) const fn cutoff(k: usize) -> usize {
    if k == N_CUTOFFS { N_DAYS } else { N_DAYS - HORIZON * (N_CUTOFFS - k) }
}

/// The position of the cutoff at the start of a day.
pub(super) fn cutoff_at(day: usize) -> Option<usize> {
    (0..=N_CUTOFFS).find(|&k| cutoff(k) == day)
}

/// The first second of a day.
pub(super) fn seconds(day: usize) -> i64 {
    i64::try_from(day).expect("days are counted in hundreds") * DAY
}

/// The day of an instant.
pub(super) fn day(at: i64) -> usize {
    usize::try_from(at / DAY).expect("nothing happens before the start")
}

/// An instant in clo's unit.
pub(super) fn micros(at: i64) -> Time {
    Time((START + at) * 1_000_000)
}

/// A time of a day, drawn from [`HOURS`].
pub(super) fn moment(day: usize, rng: &mut impl Rng) -> i64 {
    let mut percent = rng.random_range(0..100_u32);
    let mut hour = 0;
    while percent >= HOURS[hour] {
        percent -= HOURS[hour];
        hour += 1;
    }
    seconds(day) + i64::try_from(hour).expect("24 hours") * 3600 + rng.random_range(0..3600_i64)
}

/// The share of a day's events that happen before an instant of it: the distribution that [`moment`] draws from.
#[expect(clippy::cast_precision_loss, reason = "seconds of an hour are exact")]
pub(super) fn share_before(at: i64) -> f64 {
    let second = at % DAY;
    let hour = usize::try_from(second / 3600).expect("24 hours");
    let whole: u32 = HOURS[..hour].iter().sum();
    (f64::from(whole) + f64::from(HOURS[hour]) * (second % 3600) as f64 / 3600.0) / 100.0
}

fn clock(at: i64) -> (i64, i64, i64) {
    (at % DAY / 3600, at % 3600 / 60, at % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_is_the_one_the_spec_names() {
        assert_eq!(micros(0).to_string(), "2022-10-01");
        assert_eq!(micros(seconds(N_DAYS)).to_string(), "2024-10-01");
        assert_eq!(micros(seconds(cutoff(0))).to_string(), "2023-10-07");
        assert_eq!(micros(seconds(CAMPAIGN)).to_string(), "2023-09-04");
        assert!(CAMPAIGN + HORIZON <= cutoff(0), "the campaign's effect would reach into a horizon");
        let calendar = Calendar::new();
        assert_eq!(calendar.iso(DAY + 3661), "2022-10-02T01:01:01");
        assert_eq!(calendar.day_first(DAY + 3661), "02/10/2022 01:01:01");
    }

    #[test]
    fn seasons_move_purchases_but_neither_add_nor_take() {
        let season = Calendar::new().season;
        let mean = season[..N_DAYS].iter().sum::<f64>() / 731.0;
        assert!((mean - 1.0).abs() < 0.01, "{mean}");
        assert!(season[69] > 1.3, "9 December 2022, a Friday: {}", season[69]);
        assert!(season[118] < 0.7 * 1.1, "27 January 2023: {}", season[118]);
    }

    #[test]
    fn the_share_of_a_day_is_a_distribution() {
        assert!(share_before(4 * 3600).abs() < 1e-12);
        assert!((share_before(DAY - 1) - 1.0).abs() < 1e-4);
        assert!((share_before(12 * 3600) - 0.30).abs() < 1e-12);
    }
}
