//! What is wrong with the data, how much of it, and what to do: `issues.json`, and the ledger of rows not used.

use std::collections::BTreeMap;
use std::path::Path;

use polars::prelude::{
    BooleanChunked, DataFrame, Int32Chunked, IntoColumn as _, NamedFrom as _, NewChunkedArray as _, Series,
    StringChunked, UInt64Chunked,
};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::calendar::{Days, rows};
use super::chronology::chronology;
use super::issues;
use super::units::unit_changes;
use crate::error::{Error, Kind, Result};
use crate::rate::grouped;
use crate::source::{Data, JOINED, is_later};
use crate::spec::{FailOn, Rows, Shape, Spec};
use crate::store;
use crate::time::Time;

/// So many findings are told when they end a run.
const TOLD: usize = 5;
/// Above this share of missing values a column is named.
const MOSTLY_MISSING: f64 = 0.9;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Results would be wrong.
    Error,
    /// Results may be wrong.
    Warning,
    /// Good to know.
    Info,
}

/// Something about the data that a person can act on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// What kind of finding it is.
    pub code: String,
    /// The table or file.
    pub table: String,
    /// The column, if one is at fault.
    pub column: Option<String>,
    /// How many rows.
    pub rows: u64,
    /// Where to look, without personal data.
    pub example: Option<String>,
    /// What to do.
    pub advice: String,
}

/// `issues.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// Version of this format.
    pub format_version: u32,
    /// The gravest first.
    pub findings: Vec<Finding>,
}

/// Everything found in the data as it was read; `days` is the calendar of its events.
///
/// # Errors
/// When a column of the people table is not of the type that its profile says.
pub fn findings(data: &Data, spec: &Spec, days: &[Days]) -> Result<Findings> {
    let mut findings = rejections(data, spec);
    findings.extend(orphans(data, spec));
    findings.extend(end_after_data(data, spec));
    findings.extend(columns(data));
    findings.extend(identities(data));
    findings.extend(data.suspicions.iter().map(issues::issue));
    findings.extend(chronology(data, spec, days)?);
    findings.extend(unit_changes(data));
    drop_echoes(&mut findings, spec);
    findings
        .sort_by(|a, b| (a.severity, &a.code, &a.table, &a.column).cmp(&(b.severity, &b.code, &b.table, &b.column)));
    Ok(Findings { format_version: 1, findings })
}

/// Drops what another finding says better: a time column's far-off values where the events themselves are found far off,
/// rows of a people table that were rejected because they name a person again.
fn drop_echoes(findings: &mut Vec<Finding>, spec: &Spec) {
    let is_known = findings.iter().any(|finding| ["future-times", "ancient-times"].contains(&finding.code.as_str()));
    let is_event_time =
        |column: Option<&str>| spec.events.iter().any(|events| Some(events.time.column.as_str()) == column);
    findings
        .retain(|finding| !(is_known && finding.code == "times-far-off" && is_event_time(finding.column.as_deref())));
    let is_people = |table: &str| {
        spec.people
            .iter()
            .any(|people| people.person.is_some() && matches!(&people.rows, Rows::Table(name) if name == table))
    };
    let is_repeat = |code: &str| ["rows-repeated", "ids-repeated"].contains(&code);
    findings.retain(|finding| !(is_repeat(&finding.code) && is_people(&finding.table)));
}

/// Refuses to build on data with a finding as grave as the spec's `fail_on`.
///
/// # Errors
/// Exit code 5, with the findings that failed.
pub fn gate(findings: &Findings, spec: &Spec) -> Result<()> {
    let Some(fail_on) = spec.discover.fail_on else { return Ok(()) };
    let least = match fail_on {
        FailOn::Error => Severity::Error,
        FailOn::Warning => Severity::Warning,
    };
    let failed: Vec<&Finding> = findings.findings.iter().filter(|finding| finding.severity <= least).collect();
    let issues =
        if failed.len() == 1 { "1 data issue is".to_owned() } else { format!("{} data issues are", failed.len()) };
    let message = format!("{issues} as grave as [discover] fail_on allows none to be");
    let error = Error::new(Kind::Quality, message).at(spec.excerpt("discover.fail_on"));
    let told = failed.iter().take(TOLD).fold(error, |error, finding| {
        let column = finding.column.as_ref().map(|column| format!(", column {column}")).unwrap_or_default();
        error.hint(format!("{} ({}{column}): {}", finding.code, finding.table, finding.advice))
    });
    let told =
        told.hint("all of them stand in discover/issues.json; mend the data, or leave out fail_on to go on knowingly");
    if failed.is_empty() { Ok(()) } else { Err(told) }
}

/// Rows not used, by file, column and reason.
fn rejections(data: &Data, spec: &Spec) -> Vec<Finding> {
    let mut groups: BTreeMap<(&str, Option<&str>, &str), (u64, u64)> = BTreeMap::new();
    for row in &data.rejected {
        let group = groups.entry((&row.file, row.column.as_deref(), &row.reason)).or_insert((0, row.row));
        *group = (group.0 + 1, group.1.min(row.row));
    }
    let finding = |((file, column, reason), (rows, first)): ((&str, Option<&str>, &str), (u64, u64))| Finding {
        // Two rows that were joined to one person are what was asked for, as is what is later than the instant one goes back to.
        severity: if reason == JOINED || spec.as_of.is_some() && is_later(reason) {
            Severity::Info
        } else {
            Severity::Warning
        },
        code: "rows-rejected".into(),
        table: file.into(),
        column: column.map(ToOwned::to_owned),
        rows,
        example: Some(format!("row {first}")),
        advice: match rows {
            1 => format!("1 row is not used, row {first}: {reason} (see discover/rejected.parquet)"),
            _ => format!(
                "{} rows are not used, the first is row {first}: {reason} (see discover/rejected.parquet)",
                grouped(rows)
            ),
        },
    };
    groups.into_iter().map(finding).collect()
}

/// People who have events and no attributes.
fn orphans(data: &Data, spec: &Spec) -> Option<Finding> {
    if spec.people.is_empty() || spec.shape() == Shape::Snapshot {
        return None;
    }
    let orphaned = |person: &usize| data.people.offsets[*person] == data.people.offsets[*person + 1];
    let n_events: usize = (0..data.people.len()).filter(orphaned).map(|person| data.events.of(person).len()).sum();
    let n_people = (0..data.people.len()).filter(orphaned).count();
    (n_people > 0).then(|| Finding {
        severity: Severity::Warning,
        code: "orphan-events".into(),
        table: "events".into(),
        column: None,
        rows: n_events as u64,
        example: None,
        advice: format!(
            "{} people have {} events and no row in a people table; their attributes are missing: check how the ids are written on both sides",
            grouped(n_people as u64),
            grouped(n_events as u64)
        ),
    })
}

/// An end of observation that lies so far after the last event that whole horizons are empty.
fn end_after_data(data: &Data, spec: &Spec) -> Option<Finding> {
    let last = Time(*data.events.time.iter().max()?);
    let shortest =
        spec.predictions.iter().filter_map(|prediction| prediction.horizon).map(|horizon| last.plus(horizon)).min()?;
    (shortest <= data.end).then(|| Finding {
        severity: Severity::Warning,
        code: "end-after-data".into(),
        table: "lifecycle.end".into(),
        column: None,
        rows: 0,
        example: None,
        advice: format!(
            "it lies {:.0} days after the last event: whoever moved since counts as if they had not; set it to where the data ends",
            data.end.days_since(last)
        ),
    })
}

/// Links that were not made.
fn identities(data: &Data) -> Vec<Finding> {
    let finding = |note: &crate::source::identity::Note| Finding {
        severity: Severity::Warning,
        code: note.code.into(),
        table: note.table.clone(),
        column: note.column.clone(),
        rows: note.rows,
        example: None,
        advice: note.advice.clone(),
    };
    data.resolved.notes.iter().map(finding).collect()
}

/// Columns that say nothing.
fn columns(data: &Data) -> Vec<Finding> {
    let finding = |profile: &crate::source::ColumnProfile| {
        let (code, rows, advice) = if profile.rows > 0 && profile.nulls == profile.rows {
            ("column-empty", profile.nulls, "the column holds nothing: check the export that made the file".to_owned())
        } else if profile.nulls as f64 > MOSTLY_MISSING * profile.rows as f64 {
            let share = 100.0 * profile.nulls as f64 / profile.rows as f64;
            (
                "column-mostly-missing",
                profile.nulls,
                format!("{share:.0} % of its values are missing: is it filled in for a few people only, and why?"),
            )
        } else if profile.distinct == 1 && profile.nulls == 0 {
            ("column-constant", profile.rows, "every row holds the same value: it cannot tell people apart".to_owned())
        } else {
            return None;
        };
        Some(Finding {
            severity: Severity::Info,
            code: code.into(),
            table: profile.table.clone(),
            column: Some(profile.column.clone()),
            rows,
            example: None,
            advice,
        })
    };
    data.profiles.iter().filter_map(finding).collect()
}

/// Writes what was found in the data: `profile.parquet`, `calendar.parquet`, `identities.parquet`, `rejected.parquet`,
/// `issues.json`.
///
/// # Errors
/// When a file cannot be written.
pub fn write_findings(folder: &Path, data: &Data, findings: &Findings, days: &[Days]) -> Result<()> {
    // Most of the time of a small file is waiting until the disk has it: they wait together.
    let files: [&(dyn Fn() -> Result<()> + Sync); 5] = [
        &|| store::write_frame(&folder.join("rejected.parquet"), &mut rejected_frame(data)?),
        &|| data.resolved.write(folder),
        &|| store::write_frame(&folder.join("profile.parquet"), &mut profile_frame(data)?),
        &|| store::write_frame(&folder.join("calendar.parquet"), &mut calendar_frame(days)?),
        &|| store::write_json(&folder.join("issues.json"), findings),
    ];
    let written: Vec<Result<()>> = files.into_par_iter().map(|write| write()).collect();
    written.into_iter().collect()
}

/// A row per kind and day, or week where the kind is rare: how many events, and whether there should have been some.
fn calendar_frame(days: &[Days]) -> Result<DataFrame> {
    let (mut kinds, mut firsts, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
    let (mut counts, mut gaps) = (Vec::new(), Vec::new());
    for kind in days {
        let (length, rows) = rows(kind);
        for (first, count) in rows {
            let is_silent = |gap: &super::calendar::Gap| gap.first < first + length && first <= gap.last;
            kinds.push(kind.kind.as_str());
            firsts.push(i32::try_from(first).expect("a day of three centuries"));
            lengths.push(u64::try_from(length).expect("a day or a week"));
            counts.push(count);
            gaps.push(kind.gaps.iter().any(is_silent));
        }
    }
    let columns = vec![
        StringChunked::from_iter_values("event".into(), kinds.into_iter()).into_column(),
        Int32Chunked::from_vec("first_day".into(), firsts).into_date().into_column(),
        UInt64Chunked::from_vec("days".into(), lengths).into_column(),
        UInt64Chunked::from_vec("events".into(), counts).into_column(),
        BooleanChunked::from_iter_values("gap".into(), gaps.into_iter()).into_column(),
    ];
    Ok(DataFrame::new(columns[0].len(), columns)?)
}

fn rejected_frame(data: &Data) -> Result<DataFrame> {
    let rows = &data.rejected;
    let columns = vec![
        StringChunked::from_iter_values("file".into(), rows.iter().map(|row| row.file.as_str())).into_column(),
        UInt64Chunked::from_iter_values("row".into(), rows.iter().map(|row| row.row)).into_column(),
        StringChunked::from_iter_options("column".into(), rows.iter().map(|row| row.column.as_deref())).into_column(),
        StringChunked::from_iter_values("reason".into(), rows.iter().map(|row| row.reason.as_str())).into_column(),
    ];
    Ok(DataFrame::new(rows.len(), columns)?)
}

/// `a (3); b (1)`.
fn counted(values: &[(String, u64)]) -> Option<String> {
    let values: Vec<String> = values.iter().map(|(value, count)| format!("{value} ({count})")).collect();
    (!values.is_empty()).then(|| values.join("; "))
}

fn profile_frame(data: &Data) -> Result<DataFrame> {
    type Profile = crate::source::ColumnProfile;
    let profiles = &data.profiles;
    let text = |name: &str, of: &dyn Fn(&Profile) -> Option<String>| {
        StringChunked::from_iter_options(name.into(), profiles.iter().map(of)).into_column()
    };
    let count = |name: &str, of: &dyn Fn(&Profile) -> Option<u64>| {
        UInt64Chunked::from_iter_options(name.into(), profiles.iter().map(of)).into_column()
    };
    let means: Vec<Option<f64>> = profiles.iter().map(|profile| profile.mean).collect();
    let columns = vec![
        text("table", &|profile| Some(profile.table.clone())),
        text("column", &|profile| Some(profile.column.clone())),
        text("type", &|profile| Some(profile.column_type.clone())),
        count("rows", &|profile| Some(profile.rows)),
        count("nulls", &|profile| Some(profile.nulls)),
        count("distinct", &|profile| Some(profile.distinct)),
        text("min", &|profile| profile.min.clone()),
        text("max", &|profile| profile.max.clone()),
        Series::new("mean".into(), means).into_column(),
        text("top_values", &|profile| counted(&profile.top_values)),
        text("semantic_type", &|profile| Some(profile.semantic_type.name().to_owned())),
        BooleanChunked::from_iter_values("distinct_is_exact".into(), profiles.iter().map(|p| p.distinct_is_exact))
            .into_column(),
        text("p05", &|profile| profile.quantiles.first().cloned()),
        text("p25", &|profile| profile.quantiles.get(1).cloned()),
        text("median", &|profile| profile.quantiles.get(2).cloned()),
        text("p75", &|profile| profile.quantiles.get(3).cloned()),
        text("p95", &|profile| profile.quantiles.get(4).cloned()),
        count("outliers", &|profile| profile.outliers),
        text("patterns", &|profile| counted(&profile.patterns)),
        count("rows_sampled", &|profile| Some(profile.rows_sampled)),
    ];
    Ok(DataFrame::new(profiles.len(), columns)?)
}
