//! What is done again when something changes, and what is not: the pipeline over phases that only leave a mark.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clo::error::{Error, Result};
use clo::pipeline::advance::{Request, Work, advance};
use clo::pipeline::inputs::inputs;
use clo::pipeline::units::{Task, units, wanted};
use clo::pipeline::{Phase, State};
use clo::spec::{self, Spec};
use clo::store::{Layout, Manifest, manifest, write_bytes};

use crate::support::{ORDERS, SHOP, folder, shop, write};

const ALL: [&str; 12] = [
    "source",
    "map",
    "kpis",
    "lifecycle",
    "discover/second",
    "predict/second",
    "discover/soon",
    "predict/soon",
    "expand/best",
    "expand/soonest",
    "overlap",
    "report",
];

const TARGET: &str = "[[lifecycle.targets]]\nstage = \"customer\"\nkpi = \"conversion\"\nat_least = 0.5\n";
const ORDERED: &str = "[lifecycle.orders]\nmargin = \"40%\"\n";

#[test]
fn everything_is_done_once_and_then_nothing() {
    let project = Project::new();
    assert_eq!(project.run(SHOP), ALL);
    let manifest = std::fs::read(project.layout().file("manifest.json")).unwrap();
    assert_eq!(project.run(SHOP), [""; 0]);
    assert_eq!(std::fs::read(project.layout().file("manifest.json")).unwrap(), manifest);
}

#[test]
fn a_change_reaches_only_what_depends_on_it() {
    let changes: [(&str, &str, &[&str]); 8] = [
        ("seed = 7", "seed = 7 # lucky", &[]),
        (
            "name = \"soonest\"\nprediction = \"soon\"\nsize = 10",
            "name = \"soonest\"\nprediction = \"soon\"\nsize = 9",
            &["expand/soonest", "overlap", "report"],
        ),
        (
            "horizon = \"10d\"",
            "horizon = \"10d\"\nmodel = { estimator = \"logistic\" }",
            &["predict/soon", "expand/soonest", "overlap", "report"],
        ),
        (
            "horizon = \"10d\"",
            "horizon = \"11d\"",
            &["discover/soon", "predict/soon", "expand/soonest", "overlap", "report"],
        ),
        ("nth >= 2", "nth >= 3", &ALL[1..]),
        ("seed = 7", "seed = 8", &ALL[4..]),
        (
            "[[predictions]]\nname = \"soon\"",
            &format!("{TARGET}[[predictions]]\nname = \"soon\""),
            &["lifecycle", "report"],
        ),
        (
            "[[predictions]]\nname = \"soon\"",
            &format!("{ORDERED}[[predictions]]\nname = \"soon\""),
            &["kpis", "lifecycle", "report"],
        ),
    ];
    for (old, new, expected) in changes {
        let project = Project::new();
        project.run(SHOP);
        assert!(SHOP.contains(old));
        assert_eq!(project.run(&SHOP.replace(old, new)), expected, "{old} → {new}");
        assert_eq!(project.run(&SHOP.replace(old, new)), [""; 0], "{new} again");
    }
}

#[test]
fn a_changed_file_reaches_what_was_read_from_it() {
    let project = Project::new();
    project.run(SHOP);
    write(&project.path("no.csv"), "person\nben\nanna\n");
    assert_eq!(project.run(SHOP), ["expand/best", "overlap", "report"]);
    write(&project.path("orders.csv"), &format!("{ORDERS}ben,2024-03-01\n"));
    assert_eq!(project.run(SHOP), ALL);
}

#[test]
fn what_is_lost_or_damaged_is_made_again() {
    let project = Project::new();
    project.run(SHOP);
    std::fs::remove_file(project.path("out/map/stage_history.parquet")).unwrap();
    write(&project.path("out/expand/best/mark"), "someone edited this");
    assert_eq!(project.run(SHOP), ["map", "expand/best"]);
    write(&project.path("out/manifest.json"), "{ half a manif");
    assert_eq!(project.run(SHOP), ALL);
}

#[test]
fn a_phase_takes_what_it_needs_and_no_more() {
    let project = Project::new();
    assert_eq!(project.run_phase(SHOP, Phase::Map, None).unwrap(), ALL[..4]);
    assert_eq!(project.run_phase(SHOP, Phase::Discover, None).unwrap(), ["discover/second", "discover/soon"]);
    assert_eq!(
        project.run(SHOP),
        ["predict/second", "predict/soon", "expand/best", "expand/soonest", "overlap", "report"]
    );
}

#[test]
fn a_run_that_was_stopped_goes_on_where_it_stopped() {
    let project = Project::new();
    assert_eq!(project.run_phase(SHOP, Phase::Report, Some("discover/soon")).unwrap_err().exit_code(), 4);
    assert_eq!(project.run(SHOP), ALL[6..]);
}

#[test]
fn what_a_unit_no_longer_writes_is_removed_but_no_version_of_a_model() {
    let project = Project::new();
    project.run(SHOP);
    write(&project.path("out/expand/best/notes.txt"), "a person's own file");
    let old = std::fs::read_dir(project.path("models/second")).unwrap().count();
    project.run(&SHOP.replace("seed = 7", "seed = 8"));
    assert!(!project.path("out/expand/best/export/7/list.csv").exists());
    assert!(project.path("out/expand/best/export/8/list.csv").exists());
    assert!(project.path("out/expand/best/notes.txt").exists());
    assert_eq!(std::fs::read_dir(project.path("models/second")).unwrap().count(), old + 1);
}

#[test]
fn the_manifest_names_every_input_and_artifact_and_no_place_on_this_machine() {
    let project = Project::new();
    project.run(SHOP);
    let text = std::fs::read_to_string(project.path("out/manifest.json")).unwrap();
    assert!(!text.contains(project.folder.path().to_str().unwrap()), "{text}");
    let manifest: Manifest = serde_json::from_str(&text).unwrap();
    let inputs: Vec<_> = manifest.inputs.iter().map(|input| (input.name.as_str(), input.path.as_str())).collect();
    assert_eq!(inputs, [("audiences.best.suppress", "no.csv"), ("tables.orders", "orders.csv")]);
    let units: BTreeSet<_> = manifest.artifacts.iter().map(|artifact| artifact.unit.as_str()).collect();
    assert_eq!(units, BTreeSet::from(ALL));
    assert_eq!(manifest.seed, 7);
}

struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    fn new() -> Self {
        let folder = folder();
        shop(folder.path());
        Self { folder }
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    fn layout(&self) -> Layout {
        Layout { out: self.path("out"), models: self.path("models") }
    }

    /// Runs everything; returns the units that were done.
    fn run(&self, text: &str) -> Vec<String> {
        self.run_phase(text, Phase::Report, None).unwrap()
    }

    fn run_phase(&self, text: &str, phase: Phase, stop_at: Option<&str>) -> Result<Vec<String>> {
        let spec = spec::parse(text, &self.path("clo.toml"), &|_| None).unwrap();
        let (layout, inputs) = (self.layout(), inputs(&spec));
        let units = units(&spec, &inputs);
        assert_eq!(units.iter().map(|unit| unit.name.as_str()).collect::<Vec<_>>(), ALL);
        let wanted = wanted(&units, phase);
        let head = Manifest { format_version: manifest::FORMAT_VERSION, seed: spec.seed, ..Manifest::read(&layout) };
        let mut manifest = head;
        let mut work = Marks { spec: &spec, layout: &layout, stop_at, inputs: inputs.clone() };
        let request = Request { units: &units, wanted: &wanted, force: false };
        let outcomes = advance(request, &mut manifest, &layout, &mut work, &mut |_| ())?;
        Ok(outcomes.into_iter().filter(|o| o.state == State::Done).map(|o| o.unit).collect())
    }
}

/// Work that only leaves a mark at each place where the real work writes.
struct Marks<'a> {
    spec: &'a Spec,
    layout: &'a Layout,
    stop_at: Option<&'a str>,
    inputs: Vec<clo::pipeline::inputs::InputFile>,
}

impl Marks<'_> {
    fn mark(&self, file: &Path) -> Result<()> {
        write_bytes(file, self.spec.seed.to_string().as_bytes())
    }

    fn read(&self, start: &str) -> Vec<manifest::Input> {
        self.inputs
            .iter()
            .filter(|input| input.name.starts_with(start))
            .filter_map(clo::pipeline::inputs::InputFile::recorded)
            .collect()
    }
}

impl Work for Marks<'_> {
    fn run(&mut self, task: Task, _: &[Task]) -> Result<Vec<manifest::Input>> {
        let seed = self.spec.seed;
        match task {
            Task::Discover(i) if self.stop_at == Some(&format!("discover/{}", self.spec.predictions[i].name)) => {
                return Err(Error::data("stopped"));
            }
            Task::Predict(i) => {
                let name = &self.spec.predictions[i].name;
                self.mark(&self.layout.models.join(name).join(format!("v{seed}-0")).join("model.json"))?;
            }
            Task::Expand(i) => {
                let name = &self.spec.audiences[i].name;
                self.mark(&self.layout.expand(name).join(format!("export/{seed}/list.csv")))?;
                self.mark(&self.layout.expand(name).join("mark"))?;
                return Ok(self.read(&format!("audiences.{name}.")));
            }
            _ => {}
        }
        let place = &self.places(task)[0];
        self.mark(&if place.extension().is_some() { place.clone() } else { place.join("mark") })?;
        Ok(if task == Task::Source { self.read("tables.") } else { Vec::new() })
    }

    fn places(&self, task: Task) -> Vec<PathBuf> {
        clo::pipeline::phases::Phases::new(self.spec, self.layout, Vec::new()).places(task)
    }
}
