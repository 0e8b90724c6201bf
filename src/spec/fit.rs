//! A document against the JSON Schema of `clo.toml`: unknown keys, wrong types, wrong words, what is missing.
//!
//! Every fault is noted with its line. What does not fit is taken out, or replaced by a blank where the schema wants
//! something, so that serde can read the rest and the checks that follow find their faults in the same go. Only what
//! schemars writes for the types of `written` is understood: `type`, `properties`, `required`, `additionalProperties`,
//! `items`, `minItems`, `maxItems`, `minimum`, `enum`, `const`, `anyOf`, `oneOf`, `$ref`.

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeArray, DeInteger, DeTable, DeValue};

use super::faults::Faults;
use super::places::{Document, join, parent};
use crate::error::{Error, did_you_mean};

/// Notes what in `document` does not fit `schema`, and blanks it.
pub(super) fn fit(document: &mut Document<'_>, schema: &Value, faults: &mut Faults<'_>) {
    Fit { schema, faults }.table(document.get_mut(), schema, "");
}

struct Fit<'s, 'f, 'p> {
    schema: &'s Value,
    faults: &'f mut Faults<'p>,
}

impl<'s> Fit<'s, '_, '_> {
    fn table(&mut self, table: &mut DeTable<'_>, schema: &'s Value, path: &str) {
        let keys: Vec<String> = table.keys().map(|key| key.get_ref().to_string()).collect();
        let mut unknown = Vec::new();
        for key in &keys {
            let Some(of_key) = key_schema(schema, key) else {
                unknown.push(key.as_str());
                continue;
            };
            let at = join(path, key);
            let value = table.get_mut(key.as_str()).expect("the key was just listed");
            if !self.value(value, of_key, &at) && !required(schema).any(|name| name == key) {
                table.remove(key.as_str());
            }
        }
        for key in unknown {
            self.unknown(key, &keys, schema, path);
            table.remove(key);
        }
        for name in required(schema).filter(|name| !keys.iter().any(|key| key == name)) {
            self.missing(name, schema, path);
            let blank = self.blank(&schema["properties"][name]);
            table.insert(Spanned::new(0..0, name.to_owned().into()), Spanned::new(0..0, blank));
        }
    }

    /// Whether `value` fits; if not it is now a blank that does, and the fault is noted.
    fn value(&mut self, value: &mut Spanned<DeValue<'_>>, schema: &'s Value, path: &str) -> bool {
        let options = self.options(schema);
        if let DeValue::Datetime(time) = value.get_ref() {
            let text = time.to_string();
            *value.get_mut() = DeValue::String(text.into());
        }
        let fault = match options.iter().find(|option| takes(option, value.get_ref())) {
            None => Some(wrong_type(path, value.get_ref(), &options)),
            Some(option) => match value.get_mut() {
                DeValue::Table(table) => {
                    self.table(table, option, path);
                    None
                }
                DeValue::Array(items) => self.items(items, option, path),
                DeValue::String(text) => wrong_word(path, text, &options),
                DeValue::Integer(number) => below_minimum(path, number, option),
                _ => None,
            },
        };
        let Some(fault) = fault else { return true };
        self.faults.add_and_blank(path, fault);
        *value.get_mut() = self.blank(schema);
        false
    }

    fn items(&mut self, items: &mut DeArray<'_>, schema: &'s Value, path: &str) -> Option<Error> {
        for (position, item) in items.iter_mut().enumerate() {
            self.value(item, &schema["items"], &format!("{path}[{position}]"));
        }
        let (least, most) = (schema["minItems"].as_u64().unwrap_or(0), schema["maxItems"].as_u64().unwrap_or(u64::MAX));
        let n_items = items.len() as u64;
        (n_items < least || n_items > most).then(|| {
            let wanted = if least == most { format!("exactly {least}") } else { format!("at least {least}") };
            Error::spec(format!("`{}` takes {wanted} values, not {n_items}", key_of(path)))
        })
    }

    /// The forms that a value may have, references followed.
    fn options(&self, schema: &'s Value) -> Vec<&'s Value> {
        if let Some(reference) = schema["$ref"].as_str() {
            let target = reference.strip_prefix('#').and_then(|pointer| self.schema.pointer(pointer));
            return self.options(target.expect("schemars defines what it refers to"));
        }
        let several = schema["anyOf"].as_array().or_else(|| schema["oneOf"].as_array());
        several.map_or_else(|| vec![schema], |several| several.iter().flat_map(|one| self.options(one)).collect())
    }

    /// The emptiest value that fits.
    fn blank(&self, schema: &'s Value) -> DeValue<'static> {
        let options = self.options(schema);
        match type_name(options[0]) {
            "object" => {
                let mut table = DeTable::new();
                for name in required(options[0]) {
                    let blank = self.blank(&options[0]["properties"][name]);
                    table.insert(Spanned::new(0..0, name.to_owned().into()), Spanned::new(0..0, blank));
                }
                DeValue::Table(table)
            }
            "array" => {
                let least = options[0]["minItems"].as_u64().unwrap_or(0);
                DeValue::Array((0..least).map(|_| Spanned::new(0..0, self.blank(&options[0]["items"]))).collect())
            }
            "integer" | "number" => DeValue::Integer(DeInteger::default()),
            "boolean" => DeValue::Boolean(false),
            _ => DeValue::String(words(&options).first().copied().unwrap_or_default().to_owned().into()),
        }
    }

    /// Notes an unknown key. The key that was probably meant is no longer missed.
    fn unknown(&mut self, key: &str, present: &[String], schema: &'s Value, path: &str) {
        let known: Vec<&'s str> = properties(schema).collect();
        let absent = known.iter().copied().filter(|name| !present.iter().any(|key| key == name));
        let absent = did_you_mean(key, absent);
        let error = Error::spec(match path {
            "" => format!("the spec has no section [{key}]"),
            _ => format!("{} has no key `{key}`", label(path)),
        });
        let hint = match absent.or_else(|| did_you_mean(key, known.iter().copied())) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("it takes {}", listed(known, "`", "and")),
        };
        self.faults.add(&join(path, key), error.hint(hint));
        if let Some(absent) = absent {
            self.faults.blank(&join(path, absent));
        }
    }

    fn missing(&mut self, name: &str, schema: &'s Value, path: &str) {
        let what = schema["properties"][name]["description"].as_str().unwrap_or_default();
        let what = what.split("\n\n").next().unwrap_or_default().replace('\n', " ");
        let what = lower_first(what.split(". ").next().unwrap_or_default().trim_end_matches('.'));
        let error = match path {
            "" => Error::spec(format!("the spec has no section [{name}]")).hint(format!("add [{name}]: {what}")),
            _ => Error::spec(format!("{} does not say `{name}`", label(path))).hint(format!("add `{name}`: {what}")),
        };
        self.faults.add_and_blank(&join(path, name), error);
    }
}

fn key_schema<'s>(schema: &'s Value, key: &str) -> Option<&'s Value> {
    schema["properties"].get(key).or_else(|| Some(&schema["additionalProperties"]).filter(|any| any.is_object()))
}

fn properties(schema: &Value) -> impl Iterator<Item = &str> {
    schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str())
}

fn required(schema: &Value) -> impl Iterator<Item = &str> {
    schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn type_name(schema: &Value) -> &str {
    schema["type"].as_str().unwrap_or("string")
}

fn takes(schema: &Value, value: &DeValue<'_>) -> bool {
    match value {
        DeValue::String(_) | DeValue::Datetime(_) => type_name(schema) == "string",
        DeValue::Integer(_) => matches!(type_name(schema), "integer" | "number"),
        DeValue::Float(_) => type_name(schema) == "number",
        DeValue::Boolean(_) => type_name(schema) == "boolean",
        DeValue::Array(_) => type_name(schema) == "array",
        DeValue::Table(_) => type_name(schema) == "object",
    }
}

/// The words that a text may be; empty: any.
fn words<'s>(options: &[&'s Value]) -> Vec<&'s str> {
    let mut words = Vec::new();
    for option in options.iter().filter(|option| type_name(option) == "string") {
        let of_option: Vec<_> = match (option["const"].as_str(), option["enum"].as_array()) {
            (Some(word), _) => vec![word],
            (None, Some(several)) => several.iter().filter_map(Value::as_str).collect(),
            (None, None) => return Vec::new(),
        };
        words.extend(of_option);
    }
    words
}

fn wrong_word(path: &str, found: &str, options: &[&Value]) -> Option<Error> {
    let words = words(options);
    if words.is_empty() || words.contains(&found) {
        return None;
    }
    let error = Error::spec(format!("`{}` cannot be \"{found}\"", key_of(path)));
    let all = listed(words.iter().copied(), "\"", "or");
    Some(match did_you_mean(found, words.iter().copied()) {
        Some(meant) => error.hint(format!("did you mean \"{meant}\"? This version takes {all}")),
        None => error.hint(format!("this version takes {all}")),
    })
}

fn wrong_type(path: &str, value: &DeValue<'_>, options: &[&Value]) -> Error {
    let (found, written) = match value {
        DeValue::String(text) => ("a text", Some(format!("\"{text}\""))),
        DeValue::Integer(number) => ("a number", Some(number.to_string())),
        DeValue::Float(number) => ("a number", Some(number.to_string())),
        DeValue::Boolean(value) => ("true or false", Some(value.to_string())),
        DeValue::Datetime(_) => ("a time", None),
        DeValue::Array(_) => ("a list", None),
        DeValue::Table(_) => ("a table", None),
    };
    let mut wanted: Vec<_> = options.iter().map(|option| type_name(option)).collect();
    wanted.dedup();
    let words = listed(wanted.iter().map(|name| in_words(name)), "", "or");
    let last = key_of(path);
    if let Some(section @ ("people" | "events")) = parent(path) {
        return Error::spec(format!("[{section}] has a key `{last}` of its own"))
            .hint(format!("each source stands under a name of yours: [{section}.NAME]"));
    }
    let error = Error::spec(format!("`{last}` must be {words}, not {found}"));
    match (wanted[0], written, value) {
        ("array", _, DeValue::Table(_)) => {
            error.hint(format!("write {} with two brackets", label(&format!("{path}[0]"))))
        }
        ("array", Some(written), _) => error.hint(format!("write {last} = [{written}]")),
        ("string", Some(written), DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_)) => {
            error.hint(format!("put it in quotes: \"{written}\""))
        }
        ("integer" | "number" | "boolean", _, DeValue::String(text)) => {
            error.hint(format!("write it without quotes, such as {last} = {}", example(wanted[0], text)))
        }
        _ => error,
    }
}

fn example<'t>(wanted: &str, found: &'t str) -> &'t str {
    let fits = match wanted {
        "boolean" => matches!(found, "true" | "false"),
        "integer" => found.parse::<i64>().is_ok(),
        _ => found.parse::<f64>().is_ok(),
    };
    match wanted {
        _ if fits => found,
        "boolean" => "true",
        "integer" => "12",
        _ => "0.5",
    }
}

fn below_minimum(path: &str, number: &DeInteger<'_>, schema: &Value) -> Option<Error> {
    let least = schema["minimum"].as_i64();
    let found = i64::from_str_radix(number.as_str(), number.radix());
    match (found, least) {
        (Err(_), _) => Some(Error::spec(format!("`{}` = {number} is too large a number", key_of(path)))),
        (Ok(found), Some(least)) if found < least => {
            Some(Error::spec(format!("`{}` must be at least {least}, not {found}", key_of(path))))
        }
        _ => None,
    }
}

fn in_words(type_name: &str) -> &'static str {
    match type_name {
        "object" => "a table",
        "array" => "a list in [ ]",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        _ => "a text in quotes",
    }
}

/// The last key of a path, for messages: `stages[2].from[0]` is `from`.
fn key_of(path: &str) -> &str {
    let last = path.rsplit('.').next().unwrap_or(path);
    last.split('[').next().unwrap_or(last)
}

/// What a person calls the table at `path`: `[events.purchase]`, `[[predictions]]`, `[predictions.cutoffs]`.
fn label(path: &str) -> String {
    let mut name = String::new();
    for part in path.split('.') {
        let part = part.split('[').next().unwrap_or(part);
        name = join(&name, part);
    }
    if path.ends_with(']') { format!("[[{name}]]") } else { format!("[{name}]") }
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// `` `a`, `b` and `c` ``.
pub(super) fn listed<'t>(words: impl IntoIterator<Item = &'t str>, quote: &str, last: &str) -> String {
    let mut words: Vec<_> = words.into_iter().map(|word| format!("{quote}{word}{quote}")).collect();
    match words.pop() {
        None => String::new(),
        Some(only) if words.is_empty() => only,
        Some(end) => format!("{} {last} {end}", words.join(", ")),
    }
}
