//! What a feature is, as a noun: "total amount of purchase events in the last 90 days".

use super::spelled;

/// What a feature is, in plain words. A name that is not of the catalogue is returned as it stands.
#[must_use]
pub fn feature(name: &str) -> String {
    if let Some(attribute) = name.strip_prefix("attr.") {
        return super::words(attribute);
    }
    match name {
        "stage.current" => return "the stage they are in".into(),
        "stage.days_in" => return "days in the stage they are in".into(),
        "stage.n_visited" => return "number of stages visited".into(),
        "person.tenure_days" => return "days since first seen".into(),
        _ => {}
    }
    if let Some((before, level)) = name.split_once(".share.") {
        let (kind, property) = before.rsplit_once('.').unwrap_or((before, ""));
        return format!("share of {} with {} = {level}", events_of(kind), super::words(property));
    }
    let parts: Vec<&str> = name.split('.').collect();
    match parts.as_slice() {
        [kind, "count", "trend", window] => {
            let span = spelled(window);
            format!("change in the number of {}: last {span} against the {span} before", events_of(kind))
        }
        [kind, "count", window] => format!("number of {} {}", events_of(kind), within(window)),
        [kind, "days_since_first"] => format!("days since the first {}", super::words(kind)),
        [kind, "days_since_last"] => format!("days since the last {}", super::words(kind)),
        [kind, "gap_days", "mean"] => format!("average days between {}", events_of(kind)),
        [kind, property @ .., how, window] if !property.is_empty() => {
            let property = super::words(&property.join("."));
            let what = match *how {
                "sum" => format!("total {property}"),
                "mean" => format!("average {property}"),
                "max" => format!("highest {property}"),
                "distinct" => format!("number of different values of {property}"),
                _ => return name.into(),
            };
            format!("{what} of {} {}", events_of(kind), within(window))
        }
        _ => name.into(),
    }
}

fn events_of(kind: &str) -> String {
    if kind == "event" { "events of any kind".into() } else { format!("{} events", super::words(kind)) }
}

fn within(window: &str) -> String {
    if window == "all" { "so far".into() } else { format!("in the last {}", spelled(window)) }
}

#[cfg(test)]
mod tests {
    use super::feature;

    #[test]
    fn features_read_as_a_marketer_would_say_them() {
        for (name, words) in [
            ("purchase.amount.sum.90d", "total amount of purchase events in the last 90 days"),
            ("purchase.count.all", "number of purchase events so far"),
            ("event.count.7d", "number of events of any kind in the last 7 days"),
            ("visit.count.trend.30d", "change in the number of visit events: last 30 days against the 30 days before"),
            ("contact.days_since_last", "days since the last contact"),
            ("visit.page.share./a.b", "share of visit events with page = /a.b"),
            ("attr.home_state", "home state"),
            ("stage.days_in", "days in the stage they are in"),
            ("something else", "something else"),
        ] {
            assert_eq!(feature(name), words);
        }
    }
}
