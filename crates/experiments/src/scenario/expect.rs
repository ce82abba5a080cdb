//! Expectations: what must come of a run, as paths into its result (`sim/1`) with a comparison. All arithmetic is in
//! billionths of a second, of a byte or of one.

use std::cmp::Ordering;
use std::fmt;

use serde_json::Value as Json;

use super::diagnostic::{Findings, Place, alternatives, nearest, quote};
use super::document::{Entry, Node, Value};
use crate::units::{parse_billionths, parse_size, parse_time, show_exact};

/// Most expectations of a scenario.
const MOST: usize = 1_000;
const BILLION: i128 = 1_000_000_000;

/// Something that must come of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// Where in the result, as it was written: `leechers.time.p95`, `tracker.announces`.
    pub path: String,
    /// What is expected, as it was written: `< 45 min`.
    pub wanted: String,
    /// The group the path names, if it names one.
    pub(crate) group: Option<String>,
    /// Where the path stands.
    pub(crate) place: Place,
    measure: Measure,
    comparison: Comparison,
    /// In billionths; a flag is one or nothing.
    value: i128,
}

/// An expectation that was not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// Where in the result.
    pub path: String,
    /// What was expected.
    pub wanted: String,
    /// What was found instead.
    pub found: String,
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found {}", self.path, self.wanted, self.found)
    }
}

/// What a number of the result measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    Seconds,
    Bytes,
    Number,
    Flag,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Less,
    AtMost,
    Equal,
    AtLeast,
    More,
}

/// Longest first, so that `<=` is not taken for `<`.
const COMPARISONS: [(&str, Comparison); 5] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("<", Comparison::Less),
    (">", Comparison::More),
    ("=", Comparison::Equal),
];

/// The numbers of a run that can be expected.
const OF_RUN: &[(&str, Measure)] = &[
    ("simulated_seconds", Measure::Seconds),
    ("wall_seconds", Measure::Seconds),
    ("bound_seconds", Measure::Seconds),
    ("makespan_seconds", Measure::Seconds),
    ("efficiency", Measure::Number),
    ("utilisation.all", Measure::Number),
    ("utilisation.leechers", Measure::Number),
    ("utilisation.seeds", Measure::Number),
    ("seed_copies", Measure::Number),
    ("protocol_overhead", Measure::Number),
    ("link_overhead", Measure::Number),
    ("wasted_share", Measure::Number),
    ("events", Measure::Number),
    ("blocks", Measure::Number),
    ("bytes_per_node", Measure::Bytes),
    ("peak_rss_bytes", Measure::Bytes),
    ("complete", Measure::Flag),
    ("tracker.announces", Measure::Number),
    ("tracker.unanswered", Measure::Number),
];

/// The numbers of a group that can be expected.
const OF_GROUP: &[(&str, Measure)] = &[
    ("count", Measure::Number),
    ("joined", Measure::Number),
    ("completed", Measure::Number),
    ("gave_up", Measure::Number),
    ("time.min", Measure::Seconds),
    ("time.mean", Measure::Seconds),
    ("time.p50", Measure::Seconds),
    ("time.p95", Measure::Seconds),
    ("time.p99", Measure::Seconds),
    ("time.max", Measure::Seconds),
    ("uploaded", Measure::Bytes),
    ("downloaded", Measure::Bytes),
    ("wasted", Measure::Bytes),
    ("share_ratio", Measure::Number),
    ("utilisation", Measure::Number),
    ("bad_pieces", Measure::Number),
];

/// Names a group cannot have, since a path could not tell it from the run's own numbers.
pub(crate) fn is_reserved(name: &str) -> bool {
    let first = |path: &'static str| path.split('.').next();
    ["groups", "checks"].contains(&name) || OF_RUN.iter().any(|(path, _)| first(path) == Some(name))
}

/// The paths into a result: those of the run, and those of a group behind its name.
pub(crate) fn paths() -> [Vec<&'static str>; 2] {
    [OF_RUN, OF_GROUP].map(|table| table.iter().map(|(path, _)| *path).collect())
}

/// What stands at the end of a path, of the run's own or behind the name of a group.
pub(crate) fn measure(path: &str) -> Option<Measure> {
    let found = |table: &[(&str, Measure)], path: &str| {
        table.iter().find(|(known, _)| *known == path).map(|(_, measure)| *measure)
    };
    found(OF_RUN, path).or_else(|| found(OF_GROUP, path.split_once('.')?.1))
}

/// The value a path leads to in a result; of a group where it begins with the name of one.
pub(crate) fn value<'a>(path: &str, result: &'a Json) -> Option<&'a Json> {
    let named = |list: &'a Json, name: &str| list.as_array()?.iter().find(|item| item["name"] == name);
    if let Some(name) = path.strip_prefix("checks.") {
        return named(&result["checks"], name)?.get("ok");
    }
    let group = path.split_once('.').and_then(|(name, rest)| Some((named(&result["groups"], name)?, rest)));
    let (start, path) = group.unwrap_or((result, path));
    path.split('.').try_fold(start, |value, name| value.get(name))
}

/// Compares the result of a run, the document `sim/1`, with what was expected of it.
pub fn unmet(expected: &[Expectation], result: &Json) -> Vec<Unmet> {
    expected.iter().filter_map(|expectation| expectation.unmet(result)).collect()
}

impl Expectation {
    fn unmet(&self, result: &Json) -> Option<Unmet> {
        let found = value(&self.path, result);
        let value = match found {
            Some(Json::Bool(flag)) => Some(i128::from(*flag) * BILLION),
            Some(Json::Number(number)) => billionths(&number.to_string()),
            _ => None,
        };
        if value.is_some_and(|value| self.comparison.holds(value.cmp(&self.value))) {
            return None;
        }
        let found = match (found, value) {
            (None | Some(Json::Null), _) => "nothing".to_owned(),
            (Some(found), Some(value)) => self.measure.show(found, value),
            (Some(found), None) => quote(&found.to_string()),
        };
        Some(Unmet { path: self.path.clone(), wanted: self.wanted.clone(), found })
    }
}

impl Comparison {
    fn holds(self, found_to_wanted: Ordering) -> bool {
        match self {
            Comparison::Less => found_to_wanted.is_lt(),
            Comparison::AtMost => found_to_wanted.is_le(),
            Comparison::Equal => found_to_wanted.is_eq(),
            Comparison::AtLeast => found_to_wanted.is_ge(),
            Comparison::More => found_to_wanted.is_gt(),
        }
    }
}

impl Measure {
    fn show(self, found: &Json, value: i128) -> String {
        match self {
            Measure::Seconds => format!("{found} s"),
            Measure::Bytes => u64::try_from(value / BILLION).map_or_else(|_| found.to_string(), show_exact),
            Measure::Number | Measure::Flag => found.to_string(),
        }
    }

    fn example(self) -> &'static str {
        match self {
            Measure::Seconds => "< 45 min",
            Measure::Bytes => "<= 100 MiB",
            Measure::Number => ">= 30",
            Measure::Flag => "= true",
        }
    }

    /// A value in billionths.
    fn parse(self, text: &str) -> Result<i128, String> {
        match self {
            Measure::Seconds => {
                parse_time(text).map(|time| time.as_nanos() as i128).map_err(|error| error.to_string())
            }
            Measure::Bytes => {
                parse_size(text).map(|size| i128::from(size) * BILLION).map_err(|error| error.to_string())
            }
            Measure::Number => parse_billionths(text)
                .map(i128::from)
                .ok_or_else(|| "a number such as 30 or 1.05, without unit".to_owned()),
            Measure::Flag => match text {
                "true" => Ok(BILLION),
                "false" => Ok(0),
                _ => Err("true or false".to_owned()),
            },
        }
    }
}

/// The table of expectations.
pub(crate) fn read(node: &Node, findings: &mut Findings) -> Option<Vec<Expectation>> {
    let Value::Table(table) = &node.value else {
        super::check::wrong_kind(node, "[expect] is a table of paths with comparisons", findings);
        return None;
    };
    if table.0.len() > MOST {
        findings.say(node.place, format!("at most {MOST} expectations are taken, not {}", table.0.len()));
        return None;
    }
    let list: Vec<Option<Expectation>> = table.0.iter().map(|entry| one(entry, findings)).collect();
    list.into_iter().collect()
}

fn one(entry: &Entry, findings: &mut Findings) -> Option<Expectation> {
    let (group, measure) = of_path(entry, findings)?;
    let text = match &entry.node.value {
        Value::Text(text) => text.trim().to_owned(),
        Value::Flag(flag) if measure == Measure::Flag => format!("= {flag}"),
        other => {
            let help = format!("write \"{}\"", measure.example());
            findings.add(
                entry.node.place,
                format!("an expectation is a comparison in quotes, not {}", other.what()),
                help,
            );
            return None;
        }
    };
    let found =
        COMPARISONS.iter().find_map(|(sign, comparison)| Some((*comparison, text.strip_prefix(sign)?)));
    let Some((comparison, value)) = found else {
        let help = format!("begin with <, <=, =, >= or >, as in \"{}\"", measure.example());
        findings.add(entry.node.place, format!("{} is no comparison", quote(&text)), help);
        return None;
    };
    match measure.parse(value.trim()) {
        Ok(value) => Some(Expectation {
            path: entry.key.clone(),
            wanted: text,
            group,
            place: entry.place,
            measure,
            comparison,
            value,
        }),
        Err(error) => {
            let help = format!("as in \"{}\"", measure.example());
            findings.add(entry.node.place, format!("{}: {error}", quote(&text)), help);
            None
        }
    }
}

/// The group a path names, and what stands at its end.
fn of_path(entry: &Entry, findings: &mut Findings) -> Option<(Option<String>, Measure)> {
    let path = entry.key.as_str();
    if let Value::Table(_) = entry.node.value {
        let help =
            format!("put the path in quotes: \"{path}.time.p95\" = \"{}\"", Measure::Seconds.example());
        findings.add(entry.place, format!("{} is no path into a result", quote(path)), help);
        return None;
    }
    if let Some((_, measure)) = OF_RUN.iter().find(|(known, _)| *known == path) {
        return Some((None, *measure));
    }
    if path.strip_prefix("checks.").is_some_and(|name| !name.is_empty()) {
        return Some((None, Measure::Flag));
    }
    let Some((group, rest)) = path.split_once('.').filter(|(first, _)| !is_reserved(first)) else {
        let help = match nearest(path, OF_RUN.iter().map(|(known, _)| *known)) {
            Some(near) => format!("did you mean '{near}'?"),
            None => format!(
                "a path is GROUP.time.p95 or the like, or {}",
                alternatives(OF_RUN.iter().map(|(known, _)| *known))
            ),
        };
        findings.add(entry.place, format!("{} is no path into a result", quote(path)), help);
        return None;
    };
    if let Some((_, measure)) = OF_GROUP.iter().find(|(known, _)| *known == rest) {
        return Some((Some(group.to_owned()), *measure));
    }
    let known = || OF_GROUP.iter().map(|(known, _)| *known);
    let help = match nearest(rest, known()) {
        Some(near) => format!("did you mean '{group}.{near}'?"),
        None => format!("of a group there are {}", alternatives(known())),
    };
    findings.add(entry.place, format!("a group has no {}", quote(rest)), help);
    None
}

/// A number of JSON in billionths; what is behind the ninth decimal is dropped.
pub(crate) fn billionths(text: &str) -> Option<i128> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    // The point moves behind the ninth decimal.
    let behind = i32::try_from(fraction.len()).ok()?;
    let shift = exponent.checked_add(9)?.checked_sub(behind)?;
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let value = if shift >= 0 {
        digits.checked_mul(10i128.checked_pow(u32::try_from(shift).ok()?)?)?
    } else {
        10i128.checked_pow(shift.unsigned_abs()).map_or(0, |divisor| digits / divisor)
    };
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scenario::document;

    fn expectations(lines: &str) -> Vec<Expectation> {
        let mut findings = Findings::default();
        let node = document::read(lines, 0, &mut findings);
        read(&node, &mut findings).unwrap_or_else(|| panic!("{findings:?}"))
    }

    fn result() -> Json {
        json!({
            "schema": "sim/1",
            "simulated_seconds": 2100.5,
            "bound_seconds": null,
            "complete": true,
            "bytes_per_node": 4096,
            "tracker": {"announces": 2000},
            "groups": [
                {"name": "origin", "count": 1, "completed": 1},
                {"name": "leechers", "count": 30, "completed": 30, "time": {"mean": 1.5e3, "p95": 2066.25, "max": 2100.0},
                 "share_ratio": 0.9993, "uploaded": 104857600},
            ],
            "checks": [{"name": "conservation", "ok": false}],
        })
    }

    #[test]
    fn what_holds_is_met() {
        let lines = r#"
            "leechers.time.p95" = "< 45 min"
            "leechers.time.mean" = "= 25 min"
            "leechers.completed" = ">= 30"
            "leechers.share_ratio" = "> 0.9992"
            "leechers.uploaded" = "<= 100 MiB"
            "simulated_seconds" = "> 35 min"
            "tracker.announces" = "= 2000"
            complete = true
            bytes_per_node = "<= 4 KiB"
        "#;
        assert_eq!(unmet(&expectations(lines), &result()), []);
    }

    #[test]
    fn what_does_not_hold_says_both_values() {
        for (line, said) in [
            ("\"leechers.time.p95\" = \"< 34 min\"", "leechers.time.p95: expected < 34 min, found 2066.25 s"),
            ("\"leechers.time.max\" = \"< 35 min\"", "leechers.time.max: expected < 35 min, found 2100.0 s"),
            ("\"leechers.time.p99\" = \"< 35 min\"", "leechers.time.p99: expected < 35 min, found nothing"),
            ("\"others.count\" = \"> 0\"", "others.count: expected > 0, found nothing"),
            ("bound_seconds = \"> 0 s\"", "bound_seconds: expected > 0 s, found nothing"),
            ("complete = false", "complete: expected = false, found true"),
            ("\"checks.conservation\" = \"= true\"", "checks.conservation: expected = true, found false"),
            (
                "\"leechers.uploaded\" = \"< 100 MB\"",
                "leechers.uploaded: expected < 100 MB, found 100 MiB (104,857,600 bytes)",
            ),
        ] {
            let found = unmet(&expectations(line), &result());
            assert_eq!(found.iter().map(Unmet::to_string).collect::<Vec<_>>(), [said]);
        }
    }

    #[test]
    fn numbers_of_json_are_exact() {
        for (text, value) in [
            ("0", 0),
            ("2066.25", 2_066_250_000_000),
            ("1e3", 1_000_000_000_000),
            ("1.5e-7", 150),
            ("1e-40", 0),
            ("-2.5", -2_500_000_000),
            ("18446744073709551615", 18_446_744_073_709_551_615_000_000_000),
        ] {
            assert_eq!(billionths(text), Some(value), "{text}");
        }
        assert_eq!(billionths("1e300"), None);
    }
}
