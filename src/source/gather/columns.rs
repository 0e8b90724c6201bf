//! A property of events while it is gathered, and how columns of several sources become one.

use polars::prelude::{Column, DataType};
use rayon::prelude::*;

use crate::error::Result;
use crate::source::batch;
use crate::source::events::{NO_LEVEL, Values};
use crate::source::intern::Interner;
use crate::time::Time;

/// No instant.
const NO_TIME: i64 = i64::MIN;

/// The values of a property so far.
#[derive(Debug)]
pub(crate) enum Gathered {
    /// Numbers; NaN is missing.
    Number(Vec<f64>),
    /// Texts and booleans.
    Category(Vec<u32>, Interner),
    /// Instants.
    Time(Vec<i64>),
}

impl Gathered {
    /// Nothing yet, of the type that holds the column's values.
    pub(crate) fn of(dtype: &DataType) -> Self {
        match dtype {
            DataType::Int64 | DataType::Float64 => Self::Number(Vec::new()),
            DataType::Date | DataType::Datetime(..) => Self::Time(Vec::new()),
            _ => Self::Category(Vec::new(), Interner::default()),
        }
    }

    /// Adds the values of a batch.
    pub(crate) fn push(&mut self, column: &Column) -> Result<()> {
        match self {
            Self::Number(values) => push_numbers(column, values),
            Self::Category(codes, texts) => batch::encode(column, texts, NO_LEVEL, codes),
            Self::Time(values) => {
                values.extend(batch::instants(column)?.into_iter().map(|value| value.unwrap_or(NO_TIME)));
                Ok(())
            }
        }
    }

    /// The values, levels sorted.
    pub(crate) fn finish(self) -> Values {
        match self {
            Self::Number(values) => Values::Number(values),
            Self::Time(values) => Values::Time(values),
            Self::Category(codes, texts) => {
                let (ranks, levels) = ranks(&texts);
                Values::Category { codes: renumber(codes, &ranks), levels }
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a property's whole numbers are amounts and counts, far below 2^53")]
fn push_numbers(column: &Column, values: &mut Vec<f64>) -> Result<()> {
    let series = column.as_materialized_series();
    values.reserve(series.len());
    match series.dtype() {
        DataType::Int64 => {
            values.extend(series.i64()?.iter().map(|value| value.map_or(f64::NAN, |value| value as f64)));
        }
        _ => values.extend(series.f64()?.iter().map(|value| value.unwrap_or(f64::NAN))),
    }
    Ok(())
}

/// The rank of each text among the sorted ones, and those.
pub(crate) fn ranks(texts: &Interner) -> (Vec<u32>, Vec<String>) {
    let n = u32::try_from(texts.len()).expect("codes are 32 bits");
    let mut sorted: Vec<u32> = (0..n).collect();
    sorted.sort_unstable_by_key(|&code| texts.text(code));
    let mut ranks = vec![0; sorted.len()];
    for (rank, &code) in (0..).zip(&sorted) {
        ranks[code as usize] = rank;
    }
    (ranks, sorted.into_iter().map(|code| texts.text(code).to_owned()).collect())
}

fn renumber(mut codes: Vec<u32>, numbers: &[u32]) -> Vec<u32> {
    codes.par_iter_mut().filter(|code| **code != NO_LEVEL).for_each(|code| *code = numbers[*code as usize]);
    codes
}

/// One column of the parts of several sources: `None` is a source without the property, of so many rows. Numbers beside
/// texts become texts; a column without any value takes the type of the others.
pub(crate) fn concatenate(mut parts: Vec<(Option<Values>, usize)>) -> Values {
    if let [(only @ Some(_), _)] = parts.as_mut_slice() {
        return only.take().expect("matched as some");
    }
    for (part, _) in &mut parts {
        if part.as_ref().is_some_and(is_empty) {
            *part = None;
        }
    }
    let all = |is: fn(&Values) -> bool| parts.iter().all(|(part, _)| part.as_ref().is_none_or(is));
    if parts.iter().all(|(part, _)| part.is_none()) {
        let codes = vec![NO_LEVEL; parts.iter().map(|(_, rows)| rows).sum()];
        Values::Category { codes, levels: Vec::new() }
    } else if all(|values| matches!(values, Values::Number(_))) {
        Values::Number(flatten(
            parts,
            f64::NAN,
            |values| if let Values::Number(values) = values { values } else { vec![] },
        ))
    } else if all(|values| matches!(values, Values::Time(_))) {
        Values::Time(flatten(parts, NO_TIME, |values| if let Values::Time(values) = values { values } else { vec![] }))
    } else {
        let mut texts = Interner::default();
        let codes = flatten(parts, NO_LEVEL, |values| as_codes(values, &mut texts));
        Gathered::Category(codes, texts).finish()
    }
}

fn is_empty(values: &Values) -> bool {
    matches!(values, Values::Category { levels, .. } if levels.is_empty())
}

fn flatten<T: Copy>(parts: Vec<(Option<Values>, usize)>, none: T, mut take: impl FnMut(Values) -> Vec<T>) -> Vec<T> {
    let mut all = Vec::with_capacity(parts.iter().map(|(_, rows)| rows).sum());
    for (part, rows) in parts {
        match part {
            Some(values) => all.extend(take(values)),
            None => all.extend(std::iter::repeat_n(none, rows)),
        }
    }
    all
}

fn as_codes(values: Values, texts: &mut Interner) -> Vec<u32> {
    match values {
        Values::Category { codes, levels } => {
            let numbers: Vec<u32> = levels.iter().map(|level| texts.intern(level)).collect();
            renumber(codes, &numbers)
        }
        Values::Number(values) => {
            let code = |value: f64| if value.is_nan() { NO_LEVEL } else { texts.intern(&value.to_string()) };
            values.into_iter().map(code).collect()
        }
        Values::Time(values) => {
            let code = |value: i64| if value == NO_TIME { NO_LEVEL } else { texts.intern(&Time(value).to_string()) };
            values.into_iter().map(code).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn category(texts: &[&str]) -> Values {
        let mut gathered = Gathered::of(&DataType::String);
        gathered.push(&Column::new("x".into(), texts)).unwrap();
        gathered.finish()
    }

    #[test]
    fn levels_are_sorted_and_blanks_are_missing() {
        let codes = vec![1, 0, NO_LEVEL, 1];
        assert_eq!(category(&["b", "a", " ", "b"]), Values::Category { codes, levels: vec!["a".into(), "b".into()] });
    }

    #[test]
    fn columns_of_several_sources_share_one_type() {
        let number = || Some(Values::Number(vec![1.0, f64::NAN]));
        let both = concatenate(vec![(number(), 2), (Some(category(&["x"])), 1), (None, 1)]);
        let levels = vec!["1".into(), "x".into()];
        assert_eq!(both, Values::Category { codes: vec![0, NO_LEVEL, 1, NO_LEVEL], levels });
        let Values::Number(numbers) = concatenate(vec![(number(), 2), (Some(category(&[""])), 1)]) else {
            panic!("a column without values changed the type")
        };
        assert_eq!(numbers.len(), 3);
    }
}
