//! Versions of models: the gate refuses what is worse, what was done is written down, and a way back is kept.

use std::path::Path;
use std::process::{Child, Stdio};

use clo::store::{models, moves};

use crate::support::{LEAVING, clo, code, folder, run, stderr, stdout, write};

/// A snapshot whose outcome the columns tell, or, `blind`, a spec that looks at none of those that do.
fn spec(blind: bool) -> String {
    let exclude = if blind { "exclude = [\"attr.plan\", \"attr.age\"]" } else { "" };
    format!("{LEAVING}{exclude}")
}

fn table() -> String {
    let row = |i: usize| {
        let (age, plan, noise) = (18 + (i * 7) % 60, ["basic", "plus", "family"][i % 3], (i * 7919) % 101);
        let left = (i * 31 + age * 3) % 97 < if plan == "basic" { 60 } else { 12 };
        format!("c{i},{age},{plan},{noise},{}\n", if left { "yes" } else { "no" })
    };
    "id,age,plan,noise,left\n".to_owned() + &(0..1_500).map(row).collect::<String>()
}

#[test]
fn the_gate_refuses_what_is_worse_and_force_is_written_down() {
    let project = folder();
    let path = project.path();
    let at = path.to_str().unwrap();
    write(&path.join("people.csv"), &table());
    for blind in [false, true] {
        write(&path.join("clo.toml"), &spec(blind));
        let output = run(&["predict", "--spec", at]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
    }
    let folder = path.join("models");
    let versions = models::versions(&folder, "leave");
    assert_eq!(versions.len(), 2);
    let current = || models::current(&folder, "leave").unwrap();
    assert_eq!(current(), versions[1]);
    let clo = |arguments: &[&str]| run(&[&["models"], arguments, &["--spec", at]].concat());

    let better = clo(&["promote", "leave", "v1"]);
    assert_eq!(code(&better), 0, "{}", stderr(&better));
    assert!(stdout(&better).contains("not worse than"), "{}", stdout(&better));
    assert_eq!(current(), versions[0]);
    let worse = clo(&["promote", "leave", "v2"]);
    assert_eq!(code(&worse), 5, "{}", stdout(&worse));
    assert!(stderr(&worse).contains("log loss and AUC are worse"), "{}", stderr(&worse));
    assert_eq!(current(), versions[0]);
    let forced = clo(&["promote", "leave", "v2", "--force", "--reason", "to see it fail"]);
    assert_eq!(code(&forced), 0, "{}", stderr(&forced));
    assert_eq!(current(), versions[1]);
    let back = clo(&["rollback", "leave"]);
    assert_eq!(code(&back), 0, "{}", stderr(&back));
    assert_eq!(current(), versions[0]);

    let history = stdout(&clo(&["history", "leave"]));
    for said in ["promoted by force", "rolled back", "to see it fail"] {
        assert!(history.contains(said), "{history}");
    }
    let difference = stdout(&clo(&["diff", "leave", "v2", "v1"]));
    for said in ["features only now: attr.age, attr.plan", "on the same"] {
        assert!(difference.contains(said), "{difference}");
    }
    // The examples there are do not hold what v1 looks at; v2 scores them.
    let same = stdout(&clo(&["diff", "leave", "v2", "v2"]));
    assert!(same.contains("rank correlation 1.000, 100 % of the best tenth kept"), "{same}");
    many_at_once(path);
    // Without what was judged there is nothing honest to compare.
    std::fs::remove_file(folder.join("leave").join(&versions[1]).join("judged.parquet")).unwrap();
    let unknown = clo(&["promote", "leave", "v2"]);
    assert_eq!(code(&unknown), 5, "{}", stdout(&unknown));
    assert!(stderr(&unknown).contains("no example"), "{}", stderr(&unknown));
}

/// Twenty put one version or the other in use at once, and every fifth is killed: what is in use is whole, and what was written down
/// is what happened, one move after the other.
fn many_at_once(project: &Path) {
    let folder = project.join("models");
    let before = moves::read(&folder, "leave").unwrap().len();
    let one = |at: usize| {
        let version = ["v1", "v2"][at % 2];
        let arguments = ["models", "promote", "leave", version, "--force", "--spec", project.to_str().unwrap()];
        clo().args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let all: Vec<Child> = (0..20).map(one).collect();
    let mut killed = 0;
    for (at, mut child) in all.into_iter().enumerate() {
        if at % 5 == 4 {
            child.kill().unwrap();
        }
        match child.wait().unwrap().code() {
            Some(ended) => assert!([0, 7].contains(&ended), "{ended}"),
            None => killed += 1,
        }
    }
    let done = &moves::read(&folder, "leave").unwrap()[before..];
    let broken = done.windows(2).filter(|pair| pair[1].from.as_ref() != Some(&pair[0].to)).count();
    assert!(broken <= killed, "{done:?}");
    let current = models::current(&folder, "leave").unwrap();
    assert!(models::versions(&folder, "leave").contains(&current), "{current}");
    let after = run(&["models", "promote", "leave", "v1", "--force", "--spec", project.to_str().unwrap()]);
    assert_eq!(code(&after), 0, "{}", stderr(&after));
    assert!(models::current(&folder, "leave").unwrap().starts_with("v1-"));
}
