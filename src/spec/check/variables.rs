//! `${VAR}` and `${VAR:-default}` in paths and addresses.

/// Why a text could not be expanded.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unexpanded {
    /// The variable is not set and has no default.
    Unset(String),
    /// `${` without `}`, or with something between them that is no variable's name.
    Malformed(String),
}

/// `text` with its variables replaced. As in a shell, the default also stands in for an empty variable.
pub(super) fn expand(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, Unexpanded> {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (inner, after) = after.split_once('}').ok_or_else(|| Unexpanded::Malformed(format!("${{{after}")))?;
        let (name, default) = match inner.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inner, None),
        };
        if !is_name(name) {
            return Err(Unexpanded::Malformed(format!("${{{inner}}}")));
        }
        expanded.push_str(before);
        match (variable(name), default) {
            (Some(value), None) => expanded.push_str(&value),
            (Some(value), Some(_)) if !value.is_empty() => expanded.push_str(&value),
            (_, Some(default)) => expanded.push_str(default),
            (None, None) => return Err(Unexpanded::Unset(name.to_owned())),
        }
        rest = after;
    }
    Ok(expanded + rest)
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_expand_as_in_a_shell() {
        let variable = |name: &str| match name {
            "DATA" => Some("/data".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        let expand = |text| expand(text, &variable);
        assert_eq!(expand("${DATA}/a.csv"), Ok("/data/a.csv".to_owned()));
        assert_eq!(expand("${DATA:-x}/${NONE:-b/c}.csv"), Ok("/data/b/c.csv".to_owned()));
        assert_eq!(expand("${EMPTY:-x}${EMPTY}$5"), Ok("x$5".to_owned()));
        assert_eq!(expand("${NONE}"), Err(Unexpanded::Unset("NONE".to_owned())));
        assert_eq!(expand("a${DATA"), Err(Unexpanded::Malformed("${DATA".to_owned())));
        assert_eq!(expand("${not this}"), Err(Unexpanded::Malformed("${not this}".to_owned())));
    }
}
