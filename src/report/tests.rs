//! The report as a whole: what a reader, a hostile name and a second run find in it. With `CLO_KEEP_REPORT=FOLDER` the
//! reports stay there, to look at.

use std::io::Read as _;

use calamine::{Data, Reader as _, Xlsx};

use super::fixture::{self, HOSTILE, Names, PLAIN};
use super::*;

struct Written {
    html: String,
    xlsx: Vec<u8>,
}

fn report(names: &Names, fill: bool) -> Written {
    let kept = std::env::var_os("CLO_KEEP_REPORT").map(std::path::PathBuf::from);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = kept.unwrap_or_else(|| folder.path().into()).join(if names.project == PLAIN.project {
        "plain"
    } else {
        "hostile"
    });
    let layout = fixture::layout(&root.join(if fill { "full" } else { "empty" }));
    if fill {
        fixture::fill(&layout, names);
    }
    write(&fixture::spec(names), &layout).expect("the report is written");
    let read = |name: &str| {
        let mut bytes = Vec::new();
        std::fs::File::open(layout.file(name))
            .and_then(|mut file| file.read_to_end(&mut bytes))
            .expect("it was written");
        bytes
    };
    Written { html: String::from_utf8(read("report.html")).expect("UTF-8"), xlsx: read("report.xlsx") }
}

fn sheets(xlsx: Vec<u8>) -> Vec<(String, calamine::Range<Data>, calamine::Range<String>)> {
    let mut workbook: Xlsx<_> = Xlsx::new(std::io::Cursor::new(xlsx)).expect("a workbook");
    let names = workbook.sheet_names();
    names
        .into_iter()
        .map(|name| {
            let cells = workbook.worksheet_range(&name).expect("a sheet");
            let formulas = workbook.worksheet_formula(&name).expect("a sheet");
            (name, cells, formulas)
        })
        .collect()
}

#[test]
fn a_marketer_reads_the_result_in_people() {
    let Written { html, .. } = report(&PLAIN, true);
    for said in [
        "Of 100 people picked from the top tenth, about <b>23</b> will reach repeat within 90 days; picked at random, <b class=\"plain\">8</b> would.",
        "24,000 people",
        "Contact <b>217</b> people in the stage customer.",
        "total amount of purchase events in the last 90 days",
        "nearly perfect on its own",
        "move to repeat 2.4× as often: 8.1 % of 1,204 against 3.4 %",
        "81 outcomes are in the test part, 100 are advised",
        "picked from the top tenth, about 21 will",
        "no valid e-mail",
        "What the campaign changed",
        "Too small to tell: the lift is 8.60 points",
        "4.30 to no end",
        "This is look number 2 at the outcomes.",
        "The ranking beats random: treating the best 30 %",
    ] {
        assert!(html.contains(said), "the page does not say: {said}");
    }
    // The second audience has not run.
    assert_eq!(html.matches("Not run yet.").count(), 1);
}

#[test]
fn every_chart_has_a_name_and_a_table_beside_it() {
    let Written { html, .. } = report(&PLAIN, true);
    let count = |what: &str| html.matches(what).count();
    assert!(count("<figure") >= 9, "{}", count("<figure"));
    assert_eq!(count("<figure"), count("<summary>Table</summary>"));
    assert_eq!(count("<svg"), count("role=\"img\" aria-labelledby="));
    let mut ids: Vec<&str> = html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    ids.sort_unstable();
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "an id stands twice: {ids:?}");
    assert!(html.len() < 500_000, "{} bytes", html.len());
}

#[test]
fn the_page_asks_nobody_for_anything() {
    for names in [&PLAIN, &HOSTILE] {
        let Written { html, .. } = report(names, true);
        let lower = html.to_lowercase();
        for wanted in
            ["<script", "<link rel=\"stylesheet", "@import", "url(", "<iframe", "<img", "src=\"", "href=\"http"]
        {
            assert!(!lower.contains(wanted), "the page has {wanted}");
        }
    }
}

#[test]
fn hostile_names_stay_text() {
    let Written { html, xlsx } = report(&HOSTILE, true);
    assert!(html.contains("&lt;script&gt;alert(2)") || html.contains("&#60;script&#62;alert(2)"));
    assert!(html.contains("{{lead}}") && html.contains("{{ 7*7 }}"));
    assert!(!html.contains(['\u{202e}', '\u{0}']));
    // No name opened a tag: the page has as many as with plain names.
    let tags = |html: &str| html.matches('<').count();
    assert_eq!(tags(&html), tags(&report(&PLAIN, true).html));
    let sheets = sheets(xlsx);
    assert!(sheets.iter().all(|(_, _, formulas)| formulas.is_empty()));
    let transitions = &sheets.iter().find(|(name, ..)| name == "Transitions").expect("a sheet").1;
    assert_eq!(transitions.get((3, 1)), Some(&Data::String(HOSTILE.stages[3].into())));
}

#[test]
fn the_workbook_holds_numbers_as_numbers() {
    let sheets = sheets(report(&PLAIN, true).xlsx);
    let names: Vec<&str> = sheets.iter().map(|(name, ..)| name.as_str()).collect();
    assert!(
        names.starts_with(&[
            "Stages",
            "Stage rules",
            "Transitions",
            "Map findings",
            "KPIs",
            "Data issues",
            "Signals",
            "Learning curve",
            "Metrics"
        ]),
        "{names:?}"
    );
    let stages = &sheets[0].1;
    assert_eq!(stages.get((0, 3)), Some(&Data::String("Went on to a later stage".into())));
    assert_eq!((stages.get((1, 1)), stages.get((1, 3))), (Some(&Data::Float(8120.0)), Some(&Data::Float(0.1))));
    // Both predictions stand on one sheet.
    let deciles = &sheets.iter().find(|(name, ..)| name == "Deciles").expect("a sheet").1;
    assert_eq!(deciles.height(), 21);
}

#[test]
fn phases_that_have_not_run_say_so() {
    let Written { html, xlsx } = report(&PLAIN, false);
    assert!(html.matches("Not run yet.").count() >= 4);
    assert_eq!(html.matches("<small>not run yet</small>").count(), 4);
    assert_eq!(sheets(xlsx)[0].0, "Report");
}

#[test]
fn results_without_numbers_are_shown_without_numbers() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let layout = fixture::layout(folder.path());
    let metrics = serde_json::json!({"base_rate": {"n_attained": 0, "n_eligible": 0}, "roc_auc": null});
    let evaluation = serde_json::json!({
        "format_version": 1, "prediction": "second-purchase", "from": [], "to": [], "horizon": null,
        "validation_scheme": "", "estimator": "logistic", "chosen_because": "", "candidates": [], "calibration": "",
        "n_features": 0, "outcomes": {}, "splits": {"test": metrics}, "deciles": [], "cutoffs": [], "segments": [],
        "importance": [], "warnings": []});
    for (path, value) in [
        ("map/lifecycle.json", serde_json::json!({"end": null, "stages": [{"stage": "only"}]})),
        ("predict/second-purchase/evaluation.json", evaluation),
        ("expand/second-purchase-email/summary.json", serde_json::json!({"curve": [{"n_people": 0}]})),
    ] {
        store::write_json(&layout.file(path), &value).expect("written");
    }
    write(&fixture::spec(&PLAIN), &layout).expect("the report is written");
    let html = std::fs::read_to_string(layout.file("report.html")).expect("it was written");
    assert!(html.contains("There was not enough test data"));
    let (_, body) = html.split_once("</style>").unwrap();
    let is_no_number = |word: &str| ["NaN", "inf", "Infinity"].contains(&word);
    let found = body.split(|letter: char| !letter.is_ascii_alphabetic()).find(|&word| is_no_number(word));
    assert_eq!(found, None, "a number that is none reached the page");
}

#[test]
fn the_same_results_make_the_same_bytes() {
    let (first, second) = (report(&PLAIN, true), report(&PLAIN, true));
    assert!(first.html == second.html && first.xlsx == second.xlsx);
}

#[test]
fn a_damaged_file_is_an_error_that_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let layout = fixture::layout(folder.path());
    store::write_bytes(&layout.file("map/lint.json"), b"{").expect("written");
    let error = write(&fixture::spec(&PLAIN), &layout).expect_err("the file is damaged");
    assert!(error.message().contains("lint.json"), "{error}");
}
