//! What holds for any people and any lists.

use proptest::prelude::*;

use super::*;
use crate::spec::Stratify;

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_rows_changes_nothing(everyone in Just(many(60)).prop_shuffle(), holdout in 0.0..1.0_f64) {
        let audience = Audience { holdout, size: Size::Share(0.7), ..audience() };
        prop_assert_eq!(written(&many(60), &audience), written(&everyone, &audience));
    }

    #[test]
    fn a_refresh_keeps_everyone_in_their_group(shift in 0.0..0.5_f64, gone in 0..60_usize) {
        let folder = tempfile::tempdir().unwrap();
        let audience = Audience { holdout: 0.4, ..audience() };
        let groups = |everyone: &[Someone]| -> BTreeMap<String, &'static str> {
            let done = expanded(everyone, &audience, folder.path()).unwrap();
            done.chosen.person.iter().map(str::to_owned).zip(done.chosen.group.iter().map(|group| group.name())).collect()
        };
        let before = groups(&many(60));
        let mut later = many(80);
        for one in &mut later {
            one.propensity = (one.propensity * 0.5 + shift).clamp(0.0, 1.0);
        }
        later.remove(gone);
        for (person, group) in groups(&later) {
            prop_assert!(before.get(&person).is_none_or(|before| *before == group));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn in_strata_too_a_refresh_moves_nobody_and_one_more_person_moves_nobody_else(
        everyone in Just(many(90)).prop_shuffle(),
        by_country in any::<bool>(),
        holdout in 0.05..0.6_f64,
        shift in 0.0..0.5_f64,
    ) {
        let by = if by_country { Stratify::Attribute("country".into()) } else { Stratify::Propensity };
        let audience = Audience { holdout, stratify: Some(by), consent: None, ..audience() };
        let spec = spec(Path::new(""));
        let groups = |everyone: &[Someone], earlier: &Earlier| -> Earlier {
            let beside = Beside { earlier: earlier.clone(), ..Beside::default() };
            let done = made(&audience, &scores(everyone), &people(everyone), &context(&spec, &beside)).unwrap();
            done.groups.unwrap()
        };
        let first = groups(&everyone[..60], &Earlier::new());
        // In one stratum or in ten of six people each, the share is as near as whole people come.
        let n_held = first.values().filter(|group| **group == Group::Holdout).count();
        let exact = if by_country { (60.0 * holdout).round() } else { 10.0 * (6.0 * holdout).round() };
        prop_assert!((n_held as f64 - exact).abs() < 1e-9, "{n_held} {exact}");
        prop_assert_eq!(&first, &groups(&many(90).into_iter().filter(|one| first.contains_key(&one.id)).collect::<Vec<_>>(), &Earlier::new()));
        let mut later = everyone[1..].to_vec();
        for one in &mut later {
            one.propensity = (one.propensity * 0.5 + shift).clamp(0.0, 1.0);
        }
        let second = groups(&later, &first);
        prop_assert!(first.iter().all(|(person, group)| second.get(person) == Some(group)));
        let third = groups(&everyone[..61], &first);
        prop_assert!(first.iter().all(|(person, group)| third.get(person) == Some(group)) && third.len() == 61);
    }
}
