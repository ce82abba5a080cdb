//! Texts with numbers of a run in them. `{leechers.time.mean}` is replaced by what stands there in the result (`sim/1`), with its
//! unit; `{random.leechers.time.mean}` by that of the run called `random`; `{a / b}` by how many times the one is the other. Behind a
//! bar stands what to say where there is nothing: `{leechers.time.max|nobody finished}`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value as Json;

use crate::numbers::{Decimal, significant};
use crate::scenario::{Measure, billionths, measure, value};
use crate::units::{grouped, show_duration, show_size};

const BILLION: u128 = 1_000_000_000;

/// What is said where there is nothing and the text has no word for it.
const NOTHING: &str = "none";

/// Parts of paths whose numbers are shares, said as per cent.
const SHARES: [&str; 5] = ["efficiency", "utilisation", "protocol_overhead", "link_overhead", "wasted_share"];

/// Where the numbers come from.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    /// The result of the run one watches.
    pub(super) run: Json,
    /// Those of the others, by name.
    pub(super) others: BTreeMap<String, Json>,
    /// Words for this text alone.
    pub(super) words: BTreeMap<String, String>,
}

/// A place in a text that says nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// A brace that is not closed.
    #[error("a brace is not closed: {0}")]
    Open(String),
    /// A path to nowhere.
    #[error("{{{0}}} leads to nothing in the results of the lesson")]
    Path(String),
}

impl Numbers {
    /// The text with everything in braces replaced.
    pub(super) fn fill(&self, text: &str) -> Result<String, AnswerError> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (inside, behind) =
                after.split_once('}').ok_or_else(|| AnswerError::Open(after.chars().take(40).collect()))?;
            filled.push_str(before);
            filled.push_str(&self.say(inside)?);
            rest = behind;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn say(&self, inside: &str) -> Result<String, AnswerError> {
        let (wanted, nothing) = inside.split_once('|').unwrap_or((inside, NOTHING));
        if let Some(word) = self.words.get(wanted.trim()) {
            return Ok(word.clone());
        }
        let said = match wanted.split_once(" / ") {
            Some((one, other)) => {
                let (one, other) = (self.find(one)?.1, self.find(other)?.1);
                number(one)
                    .zip(number(other))
                    .and_then(|(one, other)| Decimal::ratio(one, other))
                    .map(significant)
            }
            None => {
                let (path, found) = self.find(wanted)?;
                show(path, found)
            }
        };
        Ok(said.unwrap_or_else(|| nothing.to_owned()))
    }

    /// The path without the name of a run, and the value it leads to.
    fn find<'a>(&'a self, path: &'a str) -> Result<(&'a str, &'a Json), AnswerError> {
        let path = path.trim();
        let other = path.split_once('.').and_then(|(name, rest)| Some((self.others.get(name)?, rest)));
        let (run, path) = other.unwrap_or((&self.run, path));
        let found = value(path, run).or_else(|| is_known(path, run).then_some(&Json::Null));
        found.map(|found| (path, found)).ok_or_else(|| AnswerError::Path(path.to_owned()))
    }
}

/// Whether this run could have had something there: a group of whom nobody is done has no times.
fn is_known(path: &str, run: &Json) -> bool {
    let count = path.split_once('.').map(|(group, _)| format!("{group}.count"));
    measure(path).is_some() && count.is_none_or(|count| value(&count, run).is_some())
}

/// A number in billionths.
fn number(found: &Json) -> Option<u128> {
    let number = found.as_number()?;
    billionths(&number.to_string()).and_then(|billionths| u128::try_from(billionths).ok())
}

/// A value in words; nothing if there is none.
fn show(path: &str, found: &Json) -> Option<String> {
    let number = match found {
        Json::Bool(flag) => return Some(if *flag { "yes" } else { "no" }.to_owned()),
        Json::String(text) => return Some(text.clone()),
        _ => number(found)?,
    };
    let decimal = Decimal::ratio(number, BILLION)?;
    let whole = u64::try_from(number / BILLION).ok()?;
    Some(match measure(path) {
        Some(Measure::Seconds) => show_duration(Duration::from_nanos(u64::try_from(number).ok()?)),
        Some(Measure::Bytes) => show_size(whole),
        _ if path.split('.').any(|part| SHARES.contains(&part)) => decimal.percent(),
        _ if number.is_multiple_of(BILLION) => grouped(whole),
        _ => significant(decimal),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn numbers() -> Numbers {
        let run = json!({
            "complete": true,
            "efficiency": 0.934,
            "makespan_seconds": null,
            "end": "piece-lost",
            "groups": [{
                "name": "leechers", "count": 1200, "completed": 30, "uploaded": 1_572_864, "share_ratio": 0.5,
                "utilisation": 0.25, "time": { "mean": 42.5, "max": null },
            }],
        });
        let random =
            json!({ "complete": false, "groups": [{ "name": "leechers", "time": { "mean": 85.0 } }] });
        Numbers {
            run,
            others: BTreeMap::from([("random".to_owned(), random)]),
            words: BTreeMap::from([("node".to_owned(), "3".to_owned())]),
        }
    }

    #[test]
    fn numbers_come_with_their_units() {
        let table = [
            ("no braces", "no braces"),
            ("{leechers.time.mean}, {random.leechers.time.mean}", "42.5 s, 1 min 25 s"),
            ("{leechers.count} and {leechers.share_ratio}", "1,200 and 0.50"),
            ("{efficiency} of the limit, {leechers.utilisation}", "93.4 % of the limit, 25.0 %"),
            ("{leechers.uploaded}", "1.5 MiB"),
            ("{complete}, {random.complete}: {end}", "yes, no: piece-lost"),
            ("{leechers.time.max|nobody finished}", "nobody finished"),
            ("{makespan_seconds}", "none"),
            ("{leechers.time.p50|nobody}, {leechers.gave_up}", "nobody, none"),
            ("{random.leechers.time.mean / leechers.time.mean} times", "2.00 times"),
            ("{leechers.time.max / leechers.time.mean|not to be said}", "not to be said"),
            ("peer {node}", "peer 3"),
        ];
        for (text, expected) in table {
            assert_eq!(numbers().fill(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_path_to_nowhere_is_an_error() {
        for path in ["leechers.tyme", "seeds.time.mean", "other.complete", "random.tracker.announces"] {
            assert!(matches!(numbers().fill(&format!("a {{{path}}}")), Err(AnswerError::Path(_))), "{path}");
        }
        assert_eq!(numbers().fill("a {b"), Err(AnswerError::Open("b".to_owned())));
    }
}
