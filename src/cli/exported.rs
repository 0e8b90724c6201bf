//! `clo models export`.

use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::json;

use super::answer::Answer;
use crate::error::Result;
use crate::predict::Bundle;
use crate::predict::export::{Dialect, Format, Query, export};
use crate::store::{self, models};

/// Write a model in the words of another program
///
/// ONNX and SQL go from features, as out/discover/<prediction>/examples.parquet holds them, to the propensity; xgboost-json
/// holds the trees of a boosting model or forest, from levels as numbers to the margin before calibration.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A version's folder, or models/<prediction>/current
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// In what words
    #[arg(long)]
    format: Words,
    /// Where the file goes
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// Whose SQL
    #[arg(long, default_value = "duckdb")]
    dialect: Whose,
    /// The table that the SQL reads: a column per feature
    #[arg(long, value_name = "NAME", default_value = "features")]
    table: String,
    /// The column that the SQL tells rows apart by
    #[arg(long, value_name = "NAME", default_value = "person")]
    key: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Words {
    Onnx,
    Sql,
    XgboostJson,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Whose {
    Duckdb,
    Postgres,
}

pub(super) fn run(args: &Args) -> Result<Answer> {
    let folder = models::resolve(&args.model)?;
    let bundle = Bundle::load(&folder)?;
    let dialect = match args.dialect {
        Whose::Duckdb => Dialect::DuckDb,
        Whose::Postgres => Dialect::Postgres,
    };
    let format = match args.format {
        Words::Onnx => Format::Onnx,
        Words::Sql => Format::Sql(Query { dialect, table: args.table.clone(), key: args.key.clone() }),
        Words::XgboostJson => Format::XgboostJson,
    };
    let bytes = export(&bundle, &format)?;
    store::write_bytes(&args.output, &bytes)?;
    let output = args.output.display().to_string();
    let text = format!("{} of {}, {} bytes: {output}\n", bundle.estimator, bundle.prediction, bytes.len());
    Answer::new(
        "models export",
        text,
        &json!({ "model": folder.display().to_string(), "output": output, "bytes": bytes.len() }),
    )
}
