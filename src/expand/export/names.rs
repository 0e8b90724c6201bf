//! Names of audiences that hint at what nobody may be targeted by: ad platforms flag them, or refuse them.
//!
//! Meta flags audiences that hint at health or financial status since 2025-09-02 (`operation_status` 471); the words
//! here are our own selection of what such a name would hold.

/// Words, as they begin, and what they hint at.
const HINTS: [(&str, &[&str]); 2] = [
    (
        "health",
        &[
            "health",
            "medic",
            "patient",
            "diagnos",
            "disease",
            "disab",
            "illness",
            "cancer",
            "diabet",
            "pregnan",
            "fertil",
            "hiv",
            "therap",
            "depress",
            "anxiet",
            "addict",
            "obes",
            "overweight",
            "surgery",
            "prescri",
            "symptom",
            "dialysis",
            "asthma",
            "allerg",
            "autis",
            "adhd",
        ],
    ),
    (
        "financial status",
        &[
            "debt",
            "bankrupt",
            "insolven",
            "loan",
            "mortgage",
            "credit",
            "income",
            "salary",
            "wealth",
            "poor",
            "rich",
            "arrears",
            "overdraft",
            "unemploy",
            "welfare",
            "payday",
            "foreclos",
            "networth",
            "affluent",
        ],
    ),
];

/// What a name hints at, if it does.
pub(super) fn hint(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    let words: Vec<&str> = name.split(|letter: char| !letter.is_alphanumeric()).collect();
    let hints = |parts: &[&str]| words.iter().any(|word| parts.iter().any(|part| word.starts_with(part)));
    HINTS.iter().find(|(_, parts)| hints(parts)).map(|(what, _)| *what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_hint_at_health_or_money_are_told() {
        assert_eq!(hint("diabetes-newsletter"), Some("health"));
        assert_eq!(hint("Low_Income 2026"), Some("financial status"));
        for name in ["second-purchase-email", "come-back", "enrichment", "win-back-q4"] {
            assert_eq!(hint(name), None, "{name}");
        }
    }
}
