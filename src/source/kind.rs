//! The types a column can have, and how they are told from text.
//!
//! A column's type is the narrowest that holds *all* its values: [`Kind::of`] says what one value is, [`Kind::join`]
//! what holds two. Numbers that are rather names stay text: those with leading zeros (`00042`, a postcode) and whole
//! numbers of more than 15 digits, which a double would round.

use polars::prelude::{ArrowDataType, ArrowSchema, DataType, TimeUnit, TimeZone};

use super::times::{self, Form};
use crate::spec::ColumnType;

/// The type of a column, as the readers make it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No value at all.
    Empty,
    /// Whole numbers.
    Integer,
    /// Numbers.
    Float,
    /// `true` and `false`.
    Boolean,
    /// Days.
    Date,
    /// Dates and times without a zone.
    Datetime,
    /// Instants: dates and times with a zone.
    Zoned,
    /// Anything else.
    Text,
}

impl Kind {
    /// What a text, trimmed and not empty, can be read as.
    pub(crate) fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        match bytes.first() {
            Some(b'0'..=b'9' | b'-' | b'.') => number(bytes).unwrap_or_else(|| Self::of_time(text)),
            Some(b't' | b'T' | b'f' | b'F') if is_truth(text) => Self::Boolean,
            None => Self::Empty,
            _ => Self::Text,
        }
    }

    /// As [`Kind::of`] for a text that its format calls a text: only times are looked for.
    pub(crate) fn of_time(text: &str) -> Self {
        match times::iso(text.as_bytes()) {
            Some((_, Form::Date)) => Self::Date,
            Some((_, Form::Naive)) => Self::Datetime,
            Some((_, Form::Zoned)) => Self::Zoned,
            None => Self::Text,
        }
    }

    /// The narrowest kind that holds values of both.
    pub(crate) fn join(self, other: Self) -> Self {
        use Kind::{Date, Datetime, Empty, Float, Integer, Text};
        match (self, other) {
            (a, b) if a == b => a,
            (Empty, kind) | (kind, Empty) => kind,
            (Integer, Float) | (Float, Integer) => Float,
            (Date, Datetime) | (Datetime, Date) => Datetime,
            _ => Text,
        }
    }

    /// The type of the polars column.
    pub(crate) fn dtype(self) -> DataType {
        match self {
            Self::Integer => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::Date => DataType::Date,
            Self::Datetime => DataType::Datetime(TimeUnit::Microseconds, None),
            Self::Zoned => DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)),
            Self::Empty | Self::Text => DataType::String,
        }
    }

    /// The word for people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Integer => "integer",
            Self::Float => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Datetime => "datetime",
            Self::Zoned => "datetime with zone",
            Self::Text => "text",
        }
    }
}

impl From<ColumnType> for Kind {
    fn from(told: ColumnType) -> Self {
        match told {
            ColumnType::I64 => Self::Integer,
            ColumnType::F64 => Self::Float,
            ColumnType::Str => Self::Text,
            ColumnType::Bool => Self::Boolean,
            ColumnType::Date => Self::Date,
            ColumnType::Datetime => Self::Datetime,
        }
    }
}

/// The kinds of a Parquet file's columns; `None` for types that clo does not read (lists, structs, decimals …).
pub(crate) fn of_arrow(schema: &ArrowSchema) -> Vec<(String, Option<Kind>)> {
    schema.iter().map(|(name, field)| (name.to_string(), of_arrow_type(&field.dtype))).collect()
}

fn of_arrow_type(dtype: &ArrowDataType) -> Option<Kind> {
    use ArrowDataType as A;
    Some(match dtype {
        A::Int8 | A::Int16 | A::Int32 | A::Int64 | A::UInt8 | A::UInt16 | A::UInt32 | A::UInt64 => Kind::Integer,
        A::Float32 | A::Float64 => Kind::Float,
        A::Boolean => Kind::Boolean,
        A::Date32 | A::Date64 => Kind::Date,
        A::Timestamp(_, None) => Kind::Datetime,
        A::Timestamp(_, Some(_)) => Kind::Zoned,
        A::Utf8 | A::LargeUtf8 | A::Utf8View => Kind::Text,
        A::Dictionary(_, values, _) if of_arrow_type(values) == Some(Kind::Text) => Kind::Text,
        A::Null => Kind::Empty,
        _ => return None,
    })
}

/// `true` or `false`, in any case.
pub(crate) fn is_truth(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
}

/// Whether the bytes are a number: `-12`, `0.5`, `1e-3`; none with leading zeros, no whole one of more than 15 digits.
pub(crate) fn number(bytes: &[u8]) -> Option<Kind> {
    let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let bytes = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let whole = digits(bytes);
    if whole > 1 && bytes[0] == b'0' {
        return None;
    }
    let mut rest = &bytes[whole..];
    if rest.is_empty() {
        return (1..=15).contains(&whole).then_some(Kind::Integer);
    }
    let mut n_digits = whole;
    if let Some(fraction) = rest.strip_prefix(b".") {
        let length = digits(fraction);
        n_digits += length;
        rest = &fraction[length..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = exponent.strip_prefix(b"-").or(exponent.strip_prefix(b"+")).unwrap_or(exponent);
        if exponent.is_empty() || digits(exponent) != exponent.len() {
            return None;
        }
        rest = &[];
    }
    (n_digits > 0 && rest.is_empty()).then_some(Kind::Float)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_what_they_look_like_and_names_of_digits_stay_text() {
        let cases = [
            ("12", Kind::Integer),
            ("-3", Kind::Integer),
            ("0", Kind::Integer),
            ("0.5", Kind::Float),
            (".5", Kind::Float),
            ("1e-3", Kind::Float),
            ("00042", Kind::Text),
            ("00.5", Kind::Text),
            ("1234567890123456", Kind::Text),
            ("+491701234567", Kind::Text),
            ("-", Kind::Text),
            (".", Kind::Text),
            ("1.2.3", Kind::Text),
            ("12e", Kind::Text),
            ("True", Kind::Boolean),
            ("yes", Kind::Text),
            ("2018-02-01", Kind::Date),
            ("2018-02-30", Kind::Text),
            ("2018-02-01 10:00:00", Kind::Datetime),
            ("2018-02-01T10:00:00Z", Kind::Zoned),
            ("01-02-2018", Kind::Text),
        ];
        for (text, kind) in cases {
            assert_eq!(Kind::of(text), kind, "{text}");
        }
    }

    #[test]
    fn a_column_takes_the_narrowest_type_that_holds_all() {
        assert_eq!(Kind::Integer.join(Kind::Float), Kind::Float);
        assert_eq!(Kind::Empty.join(Kind::Date).join(Kind::Datetime), Kind::Datetime);
        assert_eq!(Kind::Datetime.join(Kind::Zoned), Kind::Text);
        assert_eq!(Kind::Integer.join(Kind::Boolean), Kind::Text);
    }
}
