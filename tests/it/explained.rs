//! What a model looks at, one person explained, and groups compared: the files and the command.

use std::path::Path;

use clo::store;
use polars::prelude::{AnyValue, DataFrame};
use serde_json::Value;

use crate::support::{code, folder, run, stderr, stdout, write};

const OFFERS: &str = r#"
[project]
name = "offers"
seed = 7
[tables]
offers = "offers.csv"
[people.asked]
table = "offers"
person = "id"
[[lifecycle.stages]]
name = "asked"
[[lifecycle.stages]]
name = "sold"
when = "sold = 'yes'"
[[predictions]]
name = "sale"
from = ["asked"]
to = ["sold"]
model = { estimator = "boosting" }
actionable = { "attr.price" = { direction = "down", step = 5 }, "attr.channel" = { to = ["phone"], cost = 0.5 } }
[fairness]
protected = ["sex", "age"]
"#;

/// 1,500 offers: whoever is called by phone and offered a low price buys more often, women are called more often, and men of a
/// town are known by it.
fn offers() -> String {
    // Knuth's multiplicative hash.
    let mixed = |i: usize, by: usize| (i * by % (1 << 32)) >> 16;
    let row = |i: usize| {
        let woman = mixed(i, 2_654_435_761).is_multiple_of(2);
        let phone = mixed(i, 2_246_822_519) % 10 < if woman { 7 } else { 3 };
        let price = 50 + 5 * (mixed(i, 3_266_489_917) % 11);
        let chance = if phone { 45 } else { 15 } + if price < 75 { 20 } else { 0 };
        let sold = mixed(i, 668_265_263) % 100 < chance;
        let town = if woman == (mixed(i, 374_761_393) % 10 > 0) { "Aach" } else { "Berg" };
        format!(
            "k{i:04},{},{},{price},{},{town},{}\n",
            if woman { "f" } else { "m" },
            20 + mixed(i, 40_503) % 60,
            if phone { "phone" } else { "post" },
            if sold { "yes" } else { "no" }
        )
    };
    format!("id,sex,age,price,channel,town,sold\n{}", (0..1500).map(row).collect::<String>())
}

fn texts(frame: &DataFrame, column: &str) -> Vec<String> {
    frame.column(column).unwrap().str().unwrap().iter().map(|text| text.unwrap_or_default().to_owned()).collect()
}

fn json(path: &Path) -> Value {
    store::read_json(path).unwrap()
}

#[test]
fn a_person_is_explained_and_groups_are_compared() {
    let project = folder();
    write(&project.path().join("clo.toml"), OFFERS);
    write(&project.path().join("offers.csv"), &offers());
    let path = project.path().to_str().unwrap();
    let done = run(&["run", "--spec", path]);
    assert_eq!(code(&done), 0, "{}", stderr(&done));
    let out = project.path().join("out/predict/sale");

    // What it looks at.
    let importance = store::read_frame(&out.join("importance.parquet")).unwrap();
    let strongest = &texts(&importance, "feature")[..2];
    assert!(
        strongest.contains(&"attr.channel".to_owned()) && strongest.contains(&"attr.price".to_owned()),
        "{strongest:?}"
    );
    assert!(
        matches!(importance.column("permutation_low").unwrap().get(0).unwrap(), AnyValue::Float64(low) if low > 0.0)
    );
    assert!(texts(&store::read_frame(&out.join("dependence.parquet")).unwrap(), "part").contains(&"phone".to_owned()));
    assert!(out.join("interactions.parquet").is_file());

    // Groups: every person of the test stands in one, at every size; women are selected more often, and told by their town.
    let fairness = json(&out.join("fairness.json"));
    let sex = &fairness["attributes"][0];
    assert_eq!(sex["attribute"], "sex");
    let n: u64 =
        sex["groups"].as_array().unwrap().iter().map(|group| group["observed"]["n_eligible"].as_u64().unwrap()).sum();
    assert_eq!(Some(n), fairness["n_examples"].as_u64());
    let half = |group: &Value| group["sizes"][5]["selection_rate"]["n_attained"].as_u64().unwrap();
    let selected: u64 = sex["groups"].as_array().unwrap().iter().map(half).sum();
    assert!(selected.abs_diff(n / 2) <= 1, "half of {n}, not {selected}");
    assert!(half(&sex["groups"][0]) > half(&sex["groups"][1]), "women are called more often");
    assert_eq!(sex["proxies"]["features"][0]["feature"], "attr.town");
    let metrics = texts(&store::read_frame(&out.join("fairness.parquet")).unwrap(), "metric");
    for metric in [
        "selection_rate",
        "selection_ratio",
        "true_positive_rate",
        "false_positive_rate",
        "precision",
        "mean_propensity",
    ] {
        assert!(metrics.iter().any(|known| known == metric), "{metric}");
    }
    let card = run(&["models", "show", "sale", "--spec", path]);
    assert!(stdout(&card).contains("**sex** (f, m)"), "{}", stdout(&card));
    let page = std::fs::read_to_string(project.path().join("out/report.html")).unwrap();
    assert!(page.contains("Groups by sex") && page.contains("What goes together") && page.contains("What price does"));

    // One person who is not called, and is asked a high price.
    let offers = offers();
    let person = offers.lines().find(|line| line.contains(",100,post,")).unwrap().split(',').next().unwrap();
    let explained = run(&["explain", "--spec", path, "--person", person, "--to", "40%", "--json"]);
    assert_eq!(code(&explained), 0, "{}", stderr(&explained));
    let explained: Value = serde_json::from_str(&stdout(&explained)).unwrap();
    let moved = explained["contributions"].as_array().unwrap().iter();
    let sum: f64 = moved.map(|one| one["contribution"].as_f64().unwrap()).sum();
    let (average, margin) = (explained["average"].as_f64().unwrap(), explained["margin"].as_f64().unwrap());
    assert!((average + sum - margin).abs() < 1e-9);
    let change = &explained["counterfactual"];
    assert_eq!(change["reached"], true, "{change}");
    assert!(change["propensity"].as_f64().unwrap() >= 0.4);
    assert!(
        change["changes"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["feature"] == "attr.channel" && one["to"] == "phone")
    );
    let told = stdout(&run(&["explain", "--spec", path, "--person", person, "--to", "0.999"]));
    assert!(told.contains("No change of the actionable features was found"), "{told}");
    assert!(told.contains("not what causes what"), "{told}");
}

#[test]
fn what_is_protected_can_be_kept_out_of_models_and_must_exist() {
    let project = folder();
    let path = project.path().to_str().unwrap();
    write(&project.path().join("clo.toml"), &format!("{OFFERS}learn_from = false\n"));
    write(&project.path().join("offers.csv"), &offers());
    let done = run(&["discover", "--spec", path]);
    assert_eq!(code(&done), 0, "{}", stderr(&done));
    let out = project.path().join("out/discover/sale");
    let names = |file: &str| -> Vec<String> {
        let frame = store::read_frame(&out.join(file)).unwrap();
        frame.columns().iter().map(|column| column.name().to_string()).collect()
    };
    let features = names("examples.parquet");
    assert!(
        features.contains(&"attr.town".to_owned())
            && !features.iter().any(|name| name == "attr.sex" || name == "attr.age")
    );
    assert_eq!(names("protected.parquet"), ["person", "cutoff", "attr.sex", "attr.age"]);

    write(&project.path().join("clo.toml"), &OFFERS.replace("\"sex\"", "\"sexx\""));
    let refused = run(&["discover", "--spec", path]);
    assert_eq!(code(&refused), 4);
    assert!(stderr(&refused).contains("is it `sex`?"), "{}", stderr(&refused));
    let nobody = run(&["explain", "--spec", path, "--person", "nobody"]);
    assert_ne!(code(&nobody), 0);
}
