//! The estimates against R's `survival` on mgus2 (`testdata/`, made by `make.R`), and by hand.

use super::*;

fn observations(stays: &[(u32, i64, Option<u16>)]) -> Vec<Observation> {
    stays.iter().map(|&(person, micros, exit)| Observation { person, micros, exit }).collect()
}

/// `testdata/mgus2.csv`, months as microseconds, with so many stays in a row to a person.
fn mgus2(per_person: u32) -> Incidence {
    let rows = include_str!("../testdata/mgus2.csv").lines().skip(1).zip(0_u32..);
    let row = |(line, row): (&str, u32)| {
        let (months, exit) = line.split_once(',').unwrap();
        let exit = Some(exit.parse().unwrap()).filter(|&exit| exit > 0);
        Observation { person: row / per_person, micros: months.parse().unwrap(), exit }
    };
    Incidence::new(rows.map(row).collect())
}

#[test]
fn the_incidences_match_r_survival_on_mgus2() {
    let curves = |per_person| mgus2(per_person).curves(&[12, 30, 60, 120, 180, 240, 299]);
    let (alone, in_threes) = (curves(1), curves(3));
    for (at, line) in include_str!("../testdata/mgus2_incidence.csv").lines().skip(1).enumerate() {
        let wanted: Vec<f64> = line.split(',').map(|number| number.trim().parse().unwrap()).collect();
        // The file has no exit first, the curves last.
        for (curve, column) in [(2, 1), (0, 2), (1, 3)] {
            let close = |found: f64, wanted: f64| (found - wanted).abs() < 1e-9;
            let (point, clustered) = (alone[curve].points[at], in_threes[curve].points[at]);
            assert!(close(point.probability, wanted[column]), "{point:?} {line}");
            assert!(close(point.variance.sqrt(), wanted[column + 3]), "{point:?} {line}");
            assert!(close(clustered.variance.sqrt(), wanted[column + 6]), "{clustered:?} {line}");
        }
    }
}

#[test]
fn the_median_and_the_mean_stay_match_r_survival_on_mgus2() {
    // summary(survfit(Surv(months, exit > 0) ~ 1, conf.type = "log-log"), rmean = 240): median 94 (88–100),
    // mean 110.588899420, se 2.347828545
    let incidence = mgus2(1);
    assert_eq!(incidence.median_stay(), (Some(94), Some(88), Some(100)));
    let (mean, influence) = incidence.mean_stay(240);
    assert!((mean - 110.588_899_420).abs() < 1e-8, "{mean}");
    let se = influence.iter().map(|influence| influence * influence).sum::<f64>().sqrt();
    assert!((se - 2.347_828_545).abs() < 2e-3, "{se}");
}

#[test]
fn five_stays_worked_by_hand() {
    // Left by 0 after 1, by 1 after 2, watched until 2, left by 0 after 3, watched until 4.
    // S: 4/5, 4/5·3/4 = 3/5, 3/5·1/2 = 3/10. F0: 1/5, then 1/5 + 3/5·1/2 = 1/2. F1: 4/5·1/4 = 1/5.
    let stays = [(0, 1, Some(0)), (1, 2, Some(1)), (2, 2, None), (3, 3, Some(0)), (4, 4, None)];
    let incidence = Incidence::new(observations(&stays));
    let at = |exit, micros| incidence.probability(exit, micros);
    for (found, wanted) in [
        (at(Some(0), 0), 0.0),
        (at(Some(0), 2), 0.2),
        (at(Some(0), 9), 0.5),
        (at(Some(1), 9), 0.2),
        (at(None, 2), 0.6),
        (at(None, 3), 0.3),
    ] {
        assert!((found - wanted).abs() < 1e-12, "{found} {wanted}");
    }
    assert_eq!(incidence.quantile(0, 0.2), Some(1));
    assert_eq!(incidence.quantile(0, 0.21), Some(3));
    assert_eq!(incidence.quantile(0, 0.51), None);
    // Half of the stays have ended after 3; area under S up to 4: 1 + 0.8 + 0.6 + 0.3.
    assert_eq!(incidence.median_stay().0, Some(3));
    assert!((incidence.mean_stay(4).0 - 2.7).abs() < 1e-12);
}

#[test]
fn without_censoring_the_variance_is_the_binomial_one() {
    let stays: Vec<_> = (0..10).map(|i| (i, i64::from(i), Some(u16::from(i >= 3)))).collect();
    let point = Incidence::new(observations(&stays)).curves(&[100])[0].points[0];
    assert!((point.probability - 0.3).abs() < 1e-12 && (point.variance - 0.3 * 0.7 / 10.0).abs() < 1e-12);
    assert!(point.low < 0.3 && 0.3 < point.high);
}

#[test]
fn twice_the_same_stays_of_the_same_people_tell_no_more() {
    let one: Vec<_> = (0..20).map(|i| (i, i64::from(i * 7 % 13), Some(u16::from(i % 3 == 0)))).collect();
    let two: Vec<_> = one.iter().flat_map(|&stay| [stay, stay]).collect();
    let variance = |stays: &[_]| Incidence::new(observations(stays)).curves(&[6])[0].points[0].variance;
    assert!((variance(&one) - variance(&two)).abs() < 1e-12);
}

#[test]
fn nobody_is_no_fault() {
    let incidence = Incidence::new(Vec::new());
    assert_eq!(incidence.median_stay(), (None, None, None));
    let curves = incidence.curves(&[5]);
    assert!((curves[0].points[0].probability - 1.0).abs() < 1e-12 && curves.len() == 1);
}
