//! Keys of an audience that say nothing without another one.

use super::{SHOP, read};

#[test]
fn a_key_that_says_nothing_without_another_is_a_fault() {
    let held_out = "holdout = \"10%\"";
    let by_seed = |lines: &str| {
        let text = SHOP.replacen("prediction = \"second-purchase\"", "seed = \"state = 'SP'\"", 1);
        text.replacen(held_out, lines, 1)
    };
    let by_prediction = |lines: &str| SHOP.replacen(held_out, lines, 1);
    for (text, wanted) in [
        (by_prediction("stratify = \"state\""), "`stratify` is about the holdout, and nobody is held out"),
        (by_prediction("expected_lift = \"20%\""), "`expected_lift` is about the holdout, and nobody is held out"),
        (by_prediction("holdout = 0.1\nexpected_rate = \"2%\""), "`expected_rate` is what its prediction tells"),
        (by_prediction("exclude = [\"attr.state\"]"), "`exclude` is about likeness, and there is no `seed`"),
        (by_prediction("trust = [\"attr.state\"]"), "`trust` is about likeness, and there is no `seed`"),
        (by_seed("holdout = 0.1\nexpected_lift = \"20%\""), "add expected_rate = \"2%\""),
        (by_seed("holdout = 0.1\nexpected_rate = 2"), "`expected_rate` must be a share above 0 % and below 100 %"),
    ] {
        let said = read(&text).expect_err(wanted).to_string();
        assert!(said.contains(wanted), "{said}");
    }
    let said = read(&SHOP.replacen("size = \"10%\"\n", "", 1)).unwrap_err().to_string();
    let wanted = "add `size`: how many people: a count, a share";
    assert!(said.contains(wanted) && said.ends_with("or \"similarity >= 0.6\""), "the whole sentence: {said}");
    let whole = by_seed("holdout = 0.1\nexpected_rate = \"2%\"\nexpected_lift = \"20%\"\ntrust = [\"attr.state\"]");
    let checked = read(&whole).map_err(|error| error.to_string()).unwrap();
    assert_eq!((checked.audiences[0].expected_rate, checked.audiences[0].trust.len()), (Some(0.02), 1));
}
