//! The files of this phase: what they hold, and the history read back.

use polars::prelude::{
    Column, DataFrame, DataType, IdxCa, IntoColumn as _, IntoSeries as _, NamedFrom as _, NewChunkedArray as _, Series,
    StringChunked, TimeUnit,
};

use super::history::{BY_SILENCE, BY_SPAN, BY_START, Stays};
use super::incidence::days;
use super::transitions::{Transition, n_people};
use super::{Lifecycle, Lint, Measured};
use crate::error::{Error, Result};
use crate::source::{Data, People};
use crate::spec::{Cause, Rule, Spec};
use crate::store::{Layout, read_frame, read_json, write_frame, write_json};
use crate::time::Time;

const HISTORY: &str = "map/stage_history.parquet";
const KPIS: &str = "map/kpis.json";
/// What stands as the trigger of a stay that silence began.
const SILENCE: &str = "silence";
/// What stands as the trigger of a stay that began when the span of the one before was over.
const SPAN: &str = "span";

/// Writes `map/stage_history.parquet` and `map/lint.json`. Times are microseconds, UTC, without a zone; `entered_at` is null
/// in a snapshot, `left_at` for who is still there, `trigger` when an attribute or the start brought the person there.
///
/// # Errors
/// When a file cannot be written.
pub fn write_stages(stays: &Stays, lint: &Lint, data: &Data, spec: &Spec, layout: &Layout) -> Result<()> {
    let history = || write_frame(&layout.file(HISTORY), &mut history_frame(stays, data, spec)?);
    let (history, lint) = rayon::join(history, || write_json(&layout.file("map/lint.json"), lint));
    history.and(lint)
}

/// Writes `map/transitions.parquet`, the tables of [`super::Statistics`], and `map/kpis.json`: the lifecycle table before
/// its KPIs are held to targets.
///
/// # Errors
/// When a file cannot be written.
pub fn write_measured(measured: &Measured, data: &Data, spec: &Spec, layout: &Layout) -> Result<()> {
    let transitions = layout.file("map/transitions.parquet");
    let transitions = || write_frame(&transitions, &mut transitions_frame(&measured.transitions, spec)?);
    let kpis = || write_json(&layout.file(KPIS), &measured.lifecycle);
    let ((transitions, kpis), statistics) =
        rayon::join(|| rayon::join(transitions, kpis), || measured.statistics.write(data, spec, layout));
    transitions.and(kpis).and(statistics)
}

/// Writes `map/lifecycle.json`: the KPIs of `map/kpis.json` held to the targets of the spec.
///
/// # Errors
/// When a file cannot be read or written.
pub fn write_lifecycle(spec: &Spec, layout: &Layout) -> Result<()> {
    let mut lifecycle: Lifecycle = read_json(&layout.file(KPIS))?;
    lifecycle.hold_to(&spec.measures.targets);
    write_json(&layout.file("map/lifecycle.json"), &lifecycle)
}

/// Reads the stage history back. `kinds` are those of the events.
///
/// # Errors
/// When the file is missing, or was written for other people, stages or events.
pub fn read_history(layout: &Layout, people: &People, spec: &Spec, kinds: &[String]) -> Result<Stays> {
    let path = layout.file(HISTORY);
    let frame = read_frame(&path)?;
    let damaged = |what: &str| {
        Error::data(format!("{}: {what}", path.display())).hint("it was written for other data; run `clo map` again")
    };
    let texts = |name: &str| frame.column(name).and_then(|column| column.str().cloned());
    let columns =
        (texts("person"), texts("stage"), micros(&frame, "entered_at"), micros(&frame, "left_at"), texts("trigger"));
    let (Ok(ids), Ok(stages), Ok(entered), Ok(left), Ok(triggers)) = columns else {
        return Err(damaged("a column is missing or of another type"));
    };
    let mut stays = Stays { offsets: vec![0], ..Stays::default() };
    for (row, (id, stage)) in ids.iter().zip(stages.iter()).enumerate() {
        let id = id.ok_or_else(|| damaged("a row names no person"))?;
        while people.ids.get(n_people(&stays)).is_some_and(|person| person.as_str() < id) {
            stays.next_person();
        }
        if people.ids.get(n_people(&stays)).is_none_or(|person| person != id) {
            return Err(damaged("it names a person who is not in the data"));
        }
        let stage = stage.and_then(|name| spec.stage(name)).ok_or_else(|| damaged("it names an unknown stage"))?;
        let before = stays.stage.last().filter(|_| stays.len() > stays.offsets[n_people(&stays)] as usize);
        let trigger = trigger(triggers.get(row), before.map(|&stage| usize::from(stage)), stage, spec, kinds)
            .ok_or_else(|| damaged("it names an unknown event"))?;
        let stage = u16::try_from(stage).expect("stages are counted in 16 bits");
        stays.enter(stage, entered[row].unwrap_or(i64::MIN), trigger);
        let last = stays.len() - 1;
        stays.left[last] = left[row].unwrap_or(Time::NEVER.0);
    }
    while n_people(&stays) < people.len() {
        stays.next_person();
    }
    Ok(stays)
}

/// What brought a person from the stage before to `stage`.
fn trigger(name: Option<&str>, before: Option<usize>, stage: usize, spec: &Spec, kinds: &[String]) -> Option<u16> {
    let span_leads_here = || {
        let exits = before.map(|before| spec.stages[before].exits.as_slice()).unwrap_or_default();
        exits.iter().any(|exit| exit.to == stage && matches!(exit.cause, Cause::After(_)))
    };
    match (name, &spec.stages[stage].rule) {
        (None, _) => Some(BY_START),
        (Some(SILENCE), Rule::Silence(_)) => Some(BY_SILENCE),
        (Some(SPAN), _) if span_leads_here() => Some(BY_SPAN),
        (Some(name), _) => kinds.iter().position(|kind| kind == name).and_then(|kind| u16::try_from(kind).ok()),
    }
}

fn micros(frame: &DataFrame, name: &str) -> Result<Vec<Option<i64>>> {
    let micros = frame.column(name)?.cast(&DataType::Int64)?;
    Ok(micros.i64()?.iter().collect())
}

fn history_frame(stays: &Stays, data: &Data, spec: &Spec) -> Result<DataFrame> {
    let mut people = Vec::with_capacity(stays.len());
    for person in 0..n_people(stays) {
        people.resize(people.len() + stays.of(person).len(), u32::try_from(person).expect("people fit 32 bits"));
    }
    let n_kinds = u32::try_from(data.events.kinds.len()).expect("kinds are counted in 16 bits");
    let triggers = stays.trigger.iter().map(|&trigger| match trigger {
        BY_START => None,
        BY_SILENCE => Some(n_kinds),
        BY_SPAN => Some(n_kinds + 1),
        kind => Some(u32::from(kind)),
    });
    let kinds = data.events.kinds.iter().map(String::as_str).chain([SILENCE, SPAN]).collect::<Vec<_>>();
    let left = stays.left.iter().map(|&left| Some(left).filter(|&left| left != Time::NEVER.0));
    let entered = stays.entered.iter().map(|&entered| Some(entered).filter(|&entered| entered != i64::MIN));
    let columns = vec![
        looked_up("person", data.people.ids.iter().map(String::as_str), people.iter().map(|&row| Some(row)))?,
        looked_up("stage", stage_names(spec), stays.stage.iter().map(|&stage| Some(u32::from(stage))))?,
        times("entered_at", entered)?,
        times("left_at", left)?,
        looked_up("trigger", kinds.into_iter(), triggers)?,
    ];
    Ok(DataFrame::new(stays.len(), columns)?)
}

fn transitions_frame(transitions: &[Transition], spec: &Spec) -> Result<DataFrame> {
    let stages: Vec<&str> = stage_names(spec).collect();
    let names = |name: &str, of: fn(&Transition) -> usize| {
        let names: Vec<&str> = transitions.iter().map(|transition| stages[of(transition)]).collect();
        Series::new(name.into(), names).into_column()
    };
    let counts = |name: &str, of: fn(&Transition) -> u64| {
        let counts: Vec<u64> = transitions.iter().map(of).collect();
        Series::new(name.into(), counts).into_column()
    };
    let numbers = |name: &str, of: fn(&Transition) -> Option<f64>| {
        let numbers: Vec<Option<f64>> = transitions.iter().map(of).collect();
        Series::new(name.into(), numbers).into_column()
    };
    let columns = vec![
        names("from", |transition| transition.from),
        names("to", |transition| transition.to),
        counts("people", |transition| transition.people.n_attained),
        counts("eligible", |transition| transition.people.n_eligible),
        numbers("probability", |transition| Some(transition.at.probability)),
        numbers("probability_low", |transition| Some(transition.at.low)),
        numbers("probability_high", |transition| Some(transition.at.high)),
        numbers("median_days", |transition| transition.median_days),
        numbers("horizon_days", |transition| Some(days(transition.at.micros))),
    ];
    Ok(DataFrame::new(transitions.len(), columns)?)
}

fn stage_names(spec: &Spec) -> impl Iterator<Item = &str> {
    spec.stages.iter().map(|stage| stage.name.as_str())
}

fn looked_up<'a>(
    name: &str,
    texts: impl Iterator<Item = &'a str>,
    rows: impl Iterator<Item = Option<u32>>,
) -> Result<Column> {
    let texts: StringChunked = texts.map(Some).collect();
    let rows = IdxCa::from_iter_options(name.into(), rows);
    let column = texts.into_series().into_column().take(&rows)?;
    Ok(column.with_name(name.into()))
}

fn times(name: &str, micros: impl Iterator<Item = Option<i64>>) -> Result<Column> {
    let micros: Vec<Option<i64>> = micros.collect();
    let times = Series::new(name.into(), micros).cast(&DataType::Datetime(TimeUnit::Microseconds, None))?;
    Ok(times.into_column())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::testing::{data, silence, spec, stage, start};
    use crate::spec::{Exit, Stage};
    use crate::time::Duration;

    #[test]
    fn the_history_reads_back_as_it_was_written() {
        let rows = [("a", 0, "visit"), ("a", 1, "purchase"), ("c", 2, "visit")];
        let mut data = data(&rows, 100);
        data.people.ids.insert(1, "b".into());
        data.people.offsets.push(0);
        data.events.offsets = vec![0, 2, 2, 3];
        data.events.person = vec![0, 0, 2];
        let expires = vec![Exit { cause: Cause::After(Duration::days(9)), to: 0 }];
        for stages in [
            vec![start("visitor"), stage("customer", "event = 'purchase'"), silence("lapsed", &[1], 30)],
            vec![stage("customer", "event = 'purchase'"), silence("lapsed", &[0], 30)],
            vec![start("visitor"), Stage { exits: expires, ..stage("customer", "event = 'purchase'") }],
        ] {
            let spec = spec(stages);
            let mapped = crate::map::map(&data, &spec).unwrap();
            let folder = tempfile::tempdir().unwrap();
            let layout = Layout { out: folder.path().into(), models: folder.path().into() };
            write_stages(&mapped.stays, &mapped.lint, &data, &spec, &layout).unwrap();
            write_measured(&mapped.measured, &data, &spec, &layout).unwrap();
            write_lifecycle(&spec, &layout).unwrap();
            let read = read_history(&layout, &data.people, &spec, &data.events.kinds).unwrap();
            assert_eq!(read, mapped.stays);
            let lifecycle: crate::map::Lifecycle = crate::store::read_json(&layout.file("map/lifecycle.json")).unwrap();
            assert_eq!(lifecycle, mapped.measured.lifecycle);
        }
    }
}
