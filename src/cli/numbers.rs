//! Numbers as people read them, with their uncertainty.

use crate::predict::evaluation::Measured;
use crate::rate::grouped;

/// `0.712 (0.690–0.733; n = 3,456)`, or `–` where a metric is not defined.
pub(super) fn measured(measured: Option<&Measured>, digits: usize) -> String {
    measured.map_or_else(
        || "–".to_owned(),
        |m| format!("{:.digits$} ({:.digits$}–{:.digits$}; n = {})", m.value, m.low, m.high, grouped(m.n)),
    )
}

/// `12.3 (8.0–17.1)`.
pub(super) fn expected(value: Option<f64>, low: Option<f64>, high: Option<f64>) -> String {
    match (value, low, high) {
        (Some(value), Some(low), Some(high)) => format!("{value:.1} ({low:.1}–{high:.1})"),
        (Some(value), ..) => format!("{value:.1}"),
        _ => "–".to_owned(),
    }
}
