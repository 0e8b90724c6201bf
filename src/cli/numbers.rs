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
