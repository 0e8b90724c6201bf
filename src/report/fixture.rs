//! An output folder as the phases would write it, with plausible figures: what the tests of the report render.

use std::path::Path;

use polars::prelude::{DataFrame, df};
use serde_json::{Value, json};

use crate::spec::{Audience, Model, Prediction, Rule, Size, Spec, Stage, Uplift};
use crate::store::{self, Layout};
use crate::time::Duration;

/// The names that a project chooses.
pub(super) struct Names {
    pub(super) project: &'static str,
    pub(super) stages: [&'static str; 5],
    pub(super) person: &'static str,
    pub(super) value: &'static str,
}

pub(super) const PLAIN: Names = Names {
    project: "Nordwind shop",
    stages: ["visitor", "lead", "customer", "repeat", "lapsed"],
    person: "p-",
    value: "Bavaria",
};

/// Names that would take over a careless page or workbook.
pub(super) const HOSTILE: Names = Names {
    project: "</title><script>alert(1)</script>\"'{{ 7*7 }}{% raw %}\u{202e}\u{0}",
    stages: [
        "<script>alert(2)</script>",
        "\"onload=\"alert(3)",
        "{{lead}}",
        "=HYPERLINK(\"http://x\")",
        "]]><!-- -->&lt;",
    ],
    person: "<img src=x onerror=alert(4)>",
    value: "=1+1",
};

pub(super) fn layout(folder: &Path) -> Layout {
    Layout { out: folder.join("out"), models: folder.join("models") }
}

pub(super) fn spec(names: &Names) -> Spec {
    let stage = |name: &&str| Stage::new(*name, Rule::Start);
    let prediction = |name: &str, from: usize, to: usize, days: i64| Prediction {
        horizon: Some(Duration::days(days)),
        ..Prediction::new(name, vec![from], vec![to])
    };
    let audience =
        |name: &str, prediction: &str| Audience { holdout: 0.1, ..Audience::new(name, prediction, Size::Share(0.1)) };
    Spec {
        root: ".".into(),
        file: "clo.toml".into(),
        name: names.project.into(),
        seed: 7,
        stages: names.stages.iter().map(stage).collect(),
        predictions: vec![prediction("second-purchase", 2, 3, 90), prediction("first-contact", 0, 1, 30)],
        audiences: vec![
            audience("second-purchase-email", "second-purchase"),
            audience("first-contact-ads", "first-contact"),
        ],
        uplifts: vec![uplift()],
        ..Spec::default()
    }
}

/// Everything the phases write, except the second audience, which has not run.
pub(super) fn fill(layout: &Layout, names: &Names) {
    map(layout, names);
    discover(layout, names);
    predict(layout, names, "second-purchase", 2, 3, [0.232, 0.080]);
    predict(layout, names, "first-contact", 0, 1, [0.021, 0.006]);
    expand(layout, names);
    measure(layout, names);
    uplifted(layout, names);
}

fn uplift() -> Uplift {
    Uplift {
        name: "womens-visit".into(),
        treatment: String::new(),
        control: String::new(),
        outcome: String::new(),
        after: Vec::new(),
        exclude: Vec::new(),
        learner: crate::spec::UpliftLearner::Auto,
        model: Model::default(),
        halves: 10,
    }
}

fn measure(layout: &Layout, names: &Names) {
    let estimate = |value: f64, half: f64| json!({"value": value, "low": value - half, "high": value + half, "method": "Newcombe"});
    let rate = |n: u64, of: u64| json!({"n_attained": n, "n_eligible": of});
    let arm = |n: u64, of: u64, expected: f64| {
        json!({"rate": rate(n, of), "rate_low": 0.2, "rate_high": 0.3, "expected": expected, "expected_low": expected - 8.0,
               "expected_high": expected + 8.0, "value_per_person": 7.25})
    };
    let part = |part: &str, lift: f64| json!({"by": "rank", "part": part, "target": rate(14, 43), "holdout": rate(1, 5), "lift": estimate(lift, 0.11)});
    let tiers = ["1–20 %", "21–40 %", "41–60 %", "61–80 %", "81–100 %"].iter().zip([0.12, 0.09, 0.05, 0.01, -0.02]);
    json(
        layout,
        "measure/second-purchase-email/measure.json",
        &json!({"format_version": 1, "audience": "second-purchase-email", "file": {"path": "won.csv", "blake3": "00"},
            "rows": {"n_rows": 80, "n_counted": 71, "n_elsewhere": 9, "n_before": 0, "n_after": 0, "n_not_converted": 0, "person_column": "person", "last": "2018-11-20"},
            "verdict": {"answer": "too-small-to-tell", "sentence": "Too small to tell: the lift is 8.60 points (-10.10 to 21.40; 95 %).", "n_more": 4_100},
            "target": arm(66, 217, 46.8), "holdout": arm(5, 23, 5.0),
            "lift": estimate(0.086, 0.15), "lift_relative": estimate(0.4, 0.9),
            "lift_adjusted": {"lift": estimate(0.081, 0.12), "variance_reduction": 0.11, "covariates": ["propensity"]},
            "value_lift": estimate(1.4, 2.2), "value_lift_adjusted": null,
            "reached": {"match_rate": 0.62, "how": "told", "lift": estimate(0.139, 0.24)},
            "incremental": estimate(18.7, 32.0), "cost_per_incremental": {"value": 11.6, "low": 4.3, "high": null, "method": "Newcombe"},
            "sample_ratio": {"planned": 0.1, "found": 0.096, "p_value": 0.83, "is_off": false},
            "tiers": tiers.map(|(name, lift)| part(name, lift)).collect::<Vec<_>>(),
            "segments": [{"by": "state", "part": names.value, "target": rate(9, 30), "holdout": rate(0, 0), "lift": null}],
            "looks": [{"list": "a", "outcomes": "b", "last": null, "lift": null}, {"list": "a", "outcomes": "c", "last": null, "lift": null}],
            "warnings": [format!("These outcomes were looked at once before {}.", names.value)]}),
    );
}

fn uplifted(layout: &Layout, names: &Names) {
    let learner = |learner: &str, area: f64| {
        let best = [0.09, 0.082, 0.074, 0.068, 0.063, 0.058, 0.054, 0.051, 0.048, 0.045];
        json!({"learner": learner, "area_over_random": measured(area, 0.1, 21_347), "auuc_over_random": measured(0.0079, 0.002, 21_347),
               "qini": measured(0.0078, 0.002, 21_347), "uplift_best": best.map(|uplift| measured(uplift, 0.012, 21_347))})
    };
    let learners = ["auto", "t", "s", "x", "class-transformation"].map(|name| learner(name, 0.35));
    json(
        layout,
        "uplift/womens-visit/evaluation.json",
        &json!({"format_version": 1, "uplift": "womens-visit", "treatment": format!("segment = '{}'", names.value), "control": "segment = 'No E-Mail'",
            "outcome": "visit = 1", "treated_rate": {"n_attained": 3_238, "n_eligible": 21_387}, "control_rate": {"n_attained": 2_262, "n_eligible": 21_306},
            "effect": measured(0.045, 0.007, 42_693), "treatment_auc": measured(0.499, 0.006, 42_693), "scheme": "The mean over 10 random halves of 42,693 people.",
            "learner": "auto", "learners": learners, "beats_random": true,
            "sentence": "The ranking beats random: treating the best 30 % changes them by 7.40 points (6.20 to 8.60), everybody by 4.50 points (3.80 to 5.20).",
            "features": ["attr.history"]}),
    );
}

fn json(layout: &Layout, path: &str, value: &Value) {
    store::write_json(&layout.file(path), value).expect("the fixture's folder can be written");
}

fn frame(layout: &Layout, path: &str, frame: polars::error::PolarsResult<DataFrame>) {
    let mut frame = frame.expect("columns of equal length");
    store::write_frame(&layout.file(path), &mut frame).expect("the fixture's folder can be written");
}

fn map(layout: &Layout, names: &Names) {
    let [visitor, lead, customer, repeat, lapsed] = names.stages;
    let stage = |stage: &str, now: u64, ever: u64, moved: u64, days: Option<f64>| {
        json!({"stage": stage, "n_people_now": now, "n_people_ever": ever, "attributes": [format!("event = '{stage}'")],
               "entry_events": ["purchase", names.value], "exit_events": [], "sources": ["orders"],
               "kpis": [{"name": "conversion", "value": 0.1, "unit": "share", "n_attained": moved, "n_eligible": ever, "low": 0.09, "high": 0.11},
                        {"name": "median_days", "value": days, "unit": "days"}]})
    };
    let stages = json!([
        stage(visitor, 8_120, 24_000, 15_880, Some(3.2)),
        stage(lead, 5_210, 15_880, 10_120, Some(11.0)),
        stage(customer, 2_840, 10_120, 4_310, Some(41.5)),
        stage(repeat, 1_905, 4_310, 2_405, Some(88.0)),
        json!({"stage": lapsed, "n_people_now": 5_925, "n_people_ever": 7_214, "attributes": [], "entry_events": ["silence"],
               "exit_events": ["purchase"], "sources": [], "kpis": [
                   {"name": "won_back", "value": 0.179, "unit": "share", "n_attained": 1_289, "n_eligible": 7_214, "low": 0.17, "high": 0.188}]}),
    ]);
    json(
        layout,
        "map/lifecycle.json",
        &json!({"format_version": 1, "end": "2018-09-01", "n_people": 24_000, "n_events": 412_377, "stages": stages}),
    );
    let from = [visitor, lead, customer, customer, repeat, lapsed, lead];
    let to = [lead, customer, repeat, lapsed, lapsed, repeat, lapsed];
    frame(
        layout,
        "map/transitions.parquet",
        df!["from" => from, "to" => to, "people" => [15_880u32, 9_720, 3_810, 2_970, 2_905, 1_289, 1_340],
            "eligible" => [24_000u32, 15_880, 10_120, 10_120, 4_310, 7_214, 15_880],
            "probability" => [0.662, 0.612, 0.376, 0.293, 0.674, 0.179, 0.084],
            "probability_low" => [0.656, 0.604, 0.367, 0.285, 0.660, 0.170, 0.080],
            "probability_high" => [0.668, 0.620, 0.386, 0.302, 0.688, 0.188, 0.089],
            "median_days" => [Some(3.2), Some(11.0), Some(41.5), Some(180.0), Some(180.0), Some(212.0), None]],
    );
    let finding = json!({"code": "stage-never-left", "severity": "warning", "stage": lapsed,
        "message": format!("5,925 people are in {lapsed} and few leave it."), "advice": "Shorten the silence, or add a stage for people who return.",
        "people": [format!("{}17", names.person), format!("{}204", names.person)]});
    json(layout, "map/lint.json", &json!({"format_version": 1, "findings": [finding]}));
}

fn discover(layout: &Layout, names: &Names) {
    let finding = |severity: &str, code: &str, column: Option<&str>, rows: u64, advice: &str| json!({"severity": severity, "code": code, "table": "orders", "column": column, "rows": rows, "example": names.value, "advice": advice});
    let findings = [
        finding("warning", "duplicate-rows", None, 214, "Check the export: whole rows stand twice and count once."),
        finding("note", "mostly-missing", Some("coupon"), 11_320, "Nine of ten are empty; it will tell little."),
    ];
    json(layout, "discover/issues.json", &json!({"format_version": 1, "findings": findings}));
    let level = format!("visit.region.share.{}", names.value);
    let features = [
        "purchase.amount.sum.90d",
        "visit.count.30d",
        "visit.days_since_last",
        "stage.days_in",
        "email_open.count.trend.30d",
        "attr.state",
        level.as_str(),
        "purchase.category.distinct.all",
        "survey.sent.count.all",
    ];
    let said =
        format!("People whose region is {} move to repeat 2.4× as often: 8.1 % of 1,204 against 3.4 %.", names.value);
    for prediction in ["second-purchase", "first-contact"] {
        frame(
            layout,
            &format!("discover/{prediction}/signals.parquet"),
            df!["feature" => features, "auc" => [0.71, 0.69, 0.33, 0.36, 0.61, 0.57, 0.55, 0.54, 0.98],
                "information_value" => [0.42f32, 0.35, 0.31, 0.22, 0.11, 0.06, 0.04, 0.02, 6.1],
                "stability" => [Some(0.02), Some(0.05), Some(0.12), Some(0.31), Some(0.04), Some(0.01), Some(0.03), None, Some(0.01)],
                "missing" => [0.0, 0.12, 0.12, 0.0, 0.2, 0.003, 0.12, 0.0, 0.0],
                "leak" => [None, None, None, None, None, None, None, None, Some("nearly perfect on its own (AUC 0.98)")],
                "sentence" => [Some(said.as_str()), None, None, None, None, None, None, None, None],
                "told" => [true, false, false, false, false, false, false, false, false]],
        );
        let leak = json!({"feature": "survey.sent.count.all", "grade": "suspected", "left_out": false, "why": "nearly perfect on its own (AUC 0.98)"});
        json(layout, &format!("discover/{prediction}/leaks.json"), &json!({"format_version": 1, "leaks": [leak]}));
        json(layout, &format!("discover/{prediction}/enough.json"), &enough(prediction));
    }
}

fn enough(prediction: &str) -> Value {
    let part = json!({"cutoffs": 2, "examples": 2400, "people": 1900, "outcomes": 81, "people_attained": 80});
    let point = |share: f64, people: u64, auc: f64| json!({"share": share, "people": people, "outcomes": people / 20, "auc": auc, "auc_low": auc - 0.03, "auc_high": auc + 0.03});
    json!({"format_version": 1, "prediction": prediction, "is_enough": false,
           "shortfalls": [{"what": "test outcomes", "have": 81.0, "need": 100.0, "advice": "81 outcomes are in the test part, 100 are advised: add cutoffs"}],
           "parts": {"train": part, "validation": part, "test": part}, "history_days": 700.0, "horizon_days": 30.0,
           "exactness": {"auc": 0.71, "half_width": 0.06, "repeated": 1.2, "wanted": [{"half_width": 0.05, "outcomes_more": 40}]},
           "learning": {"n_features": 6, "points": [point(0.5, 950, 0.68), point(1.0, 1900, 0.71)], "gain": 0.03, "verdict": "still rising"},
           "horizon": null})
}

fn measured(value: f64, half: f64, n: u64) -> Value {
    json!({"value": value, "low": value - half, "high": value + half, "n": n})
}

fn metrics(auc: f64, n: u64, base: f64) -> Value {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "small test counts"
    )]
    let attained = (base * n as f64) as u64;
    json!({"base_rate": {"n_attained": attained, "n_eligible": n}, "roc_auc": measured(auc, 0.02, n), "pr_auc": measured(0.31, 0.03, n),
           "log_loss": measured(0.2412, 0.006, n), "brier": measured(0.0671, 0.002, n), "ece": measured(0.011, 0.003, n),
           "lift_10": measured(2.9, 0.3, n), "capture_10": measured(0.29, 0.03, n)})
}

fn predict(layout: &Layout, names: &Names, prediction: &str, from: usize, to: usize, [best, base]: [f64; 2]) {
    let mut capture = 0.0;
    let shape = [1.0, 0.62, 0.45, 0.33, 0.27, 0.22, 0.18, 0.15, 0.13, 0.10];
    let total: f64 = shape.iter().sum();
    let deciles: Vec<Value> = (1..=10u8)
        .zip(shape)
        .map(|(decile, share)| {
            let rate = best * share;
            capture += share / total;
            let half = 0.12 * rate + 0.02 * base;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small test counts")]
            let attained = (rate * 2_840.0) as u64;
            json!({"decile": decile, "mean_propensity": rate * 0.96, "rate": {"n_attained": attained, "n_eligible": 2_840},
                   "rate_low": rate - half, "rate_high": rate + half, "lift": measured(rate / base, 0.2, 28_400), "capture": measured(capture, 0.02, 28_400)})
        })
        .collect();
    let cutoffs: Vec<Value> = (1..=12u32)
        .map(|i| {
            let split = match i { 1..=8 => "train", 9 | 10 => "validation", _ => "test" };
            let auc = 0.80 - 0.004 * f64::from(i) + if i % 3 == 0 { 0.012 } else { 0.0 };
            json!({"cutoff": format!("2017-{i:02}-01"), "split": split, "metrics": metrics(auc, 2_400 + 40 * u64::from(i), base * (1.0 + 0.03 * f64::from(i % 4)))})
        })
        .collect();
    let candidate = |estimator: &str, auc: f64| {
        json!({"estimator": estimator, "parameters": {"l2": 0.01, "solver": "newton", "note": names.value},
               "validation": metrics(auc, 5_600, base), "test": metrics(auc - 0.01, 5_700, base)})
    };
    json(
        layout,
        &format!("predict/{prediction}/evaluation.json"),
        &json!({"format_version": 1, "prediction": prediction, "from": [names.stages[from]], "to": [names.stages[to]], "horizon": "90d",
            "validation_scheme": "Out of time: the last two of twelve cutoffs are test, the two before them validation, the rest training.",
            "estimator": "logistic",
            "chosen_because": "Boosting was better on validation by 0.004 AUC, within its noise of 0.012; the simpler model stays.",
            "candidates": [candidate("logistic", 0.782), candidate("boosting", 0.786)],
            "calibration": "Platt scaling on validation", "n_features": 84,
            "outcomes": {"attained": 2_310, "stayed": 24_120, "attrited": 1_970, "immature": 2_840},
            "splits": {"train": metrics(0.801, 22_000, base), "validation": metrics(0.782, 5_600, base), "test": metrics(0.771, 5_700, base)},
            "deciles": deciles, "cutoffs": cutoffs,
            "segments": [{"feature": "attr.state", "value": names.value, "metrics": metrics(0.76, 1_200, base)}],
            "importance": [["purchase.amount.sum.90d", 0.412], ["visit.count.30d", 0.33], ["visit.days_since_last", 0.215], ["stage.days_in", 0.1], ["attr.state", 0.04]],
            "warnings": ["The share who move on rose by a third over the last four cutoffs; the percentages may run low."]}),
    );
}

fn expand(layout: &Layout, names: &Names) {
    let curve: Vec<Value> = (1..=50u32)
        .map(|i| {
            let share = f64::from(i) / 50.0;
            let expected = 190.0 * (1.0 - (-3.0 * share).exp()) / (1.0 - (-3.0f64).exp());
            json!({"n_people": i * 48, "share": share, "expected_conversions": expected, "expected_low": expected * 0.85, "expected_high": expected * 1.15, "expected_precision": expected / f64::from(i * 48),
                   "expected_profit": expected * 30.0 - f64::from(i * 48) * 1.5})
        })
        .collect();
    json(
        layout,
        "expand/second-purchase-email/summary.json",
        &json!({"format_version": 1, "audience": "second-purchase-email", "prediction": "second-purchase", "from": [names.stages[2]], "to": [names.stages[3]],
            "horizon": "90d", "n_candidates": 2_840, "dropped": {"suppressed": 37, "no consent": 403, "below size": 2_160}, "n_contactable": 2_400,
            "n_chosen": 240, "n_target": 217, "n_holdout": 23, "expected_conversions": 51.8, "expected_low": 44.0, "expected_high": 60.1, "base_rate_expected": 0.079, "warnings": ["Five people share an e-mail address; one of each is on the list."],
            "curve": curve, "exports": [{"destination": "csv", "path": "export/csv/second-purchase-email.csv", "kept": 217, "rejected": {}},
                                         {"destination": "meta-custom-audience", "path": "export/meta-custom-audience/part-1.csv", "kept": 209, "rejected": {"no valid e-mail": 8}}]}),
    );
    let n = 30u32;
    let person: Vec<String> = (0..n).map(|i| format!("{}{}", names.person, 1000 + i * 7)).collect();
    let propensity: Vec<f64> = (0..n).map(|i| 0.41 - 0.006 * f64::from(i)).collect();
    let group: Vec<&str> = (0..n).map(|i| if i % 9 == 4 { "holdout" } else { "target" }).collect();
    let reason = |text: &str| vec![text.to_owned(); 30];
    frame(
        layout,
        "expand/second-purchase-email/audience.parquet",
        df!["person" => person, "rank" => (1..=n).collect::<Vec<u32>>(), "score" => propensity.clone(), "propensity" => propensity,
            "similarity" => vec![0.5; 30], "group" => group, "reason_1" => reason("spent 212 in the last 90 days"),
            "reason_2" => reason("visited 6 times in the last 30 days"), "reason_3" => reason(names.value)],
    );
}
