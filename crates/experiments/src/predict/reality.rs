//! A prediction held against what came of a real swarm.

use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::numbers::{Decimal, Signed, count};
use crate::statistics::{mean, quantile};
use crate::table::{Align, Table};
use crate::units::{parse_billionths, show_duration, show_size};

/// A prediction, as much of it as is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predicted {
    length: u64,
    nodes: u64,
    origin: [u64; 3],
    /// Mean, median, 95 %, 99 %, last.
    times: [Time; 5],
}

/// A predicted time in microseconds, and how far one run may lie from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Time {
    time: u64,
    half: Option<u64>,
}

/// What came of a real swarm, or of one node of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reality {
    /// Length of the content in bytes.
    pub length: u64,
    /// Nodes that wanted it.
    pub nodes: u64,
    /// From start to last piece of each that is known to have completed, in microseconds.
    pub times: Vec<u64>,
    /// From the first start to the last completion in microseconds, if all completed.
    pub last: Option<u64>,
    /// Content the seeds sent in bytes, if known.
    pub seeds_sent: Option<u64>,
}

/// A real swarm beside its prediction.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// The figures that both have.
    pub figures: Vec<Line>,
    /// Where the real swarm was not the one of the question.
    pub differs: Vec<String>,
}

/// One figure.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// `mean`, `half done`, `95 % done`, `99 % done`, `last done`, `this node`, or `origin sent`.
    pub figure: &'static str,
    /// Predicted, in seconds or bytes.
    pub predicted: Decimal,
    /// Real, likewise.
    pub real: Decimal,
    /// `predicted / real - 1`.
    pub error: Option<Signed>,
    /// Whether the real value lies where one run would, with 95 %; `null` where the prediction does not say.
    pub within: Option<bool>,
}

#[derive(Deserialize)]
struct Document<'a> {
    schema: String,
    length: u64,
    nodes: u64,
    #[serde(borrow)]
    time: Figures<'a>,
    origin: OriginSent,
}

#[derive(Deserialize)]
struct Figures<'a> {
    #[serde(borrow)]
    mean: Figure<'a>,
    #[serde(borrow)]
    p50: Figure<'a>,
    #[serde(borrow)]
    p95: Figure<'a>,
    #[serde(borrow)]
    p99: Figure<'a>,
    #[serde(borrow)]
    last: Figure<'a>,
}

#[derive(Deserialize)]
struct Figure<'a> {
    #[serde(borrow)]
    seconds: &'a RawValue,
    #[serde(borrow)]
    half_of_one: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct OriginSent {
    bytes: u64,
    least: u64,
    most: u64,
}

impl Predicted {
    /// Reads a `predict/1` document.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Predicted, String> {
        let read: Document<'_> =
            serde_json::from_str(text).map_err(|error| format!("it is no prediction: {error}"))?;
        if read.schema != "predict/1" {
            return Err(format!("its schema is '{}', not predict/1", read.schema));
        }
        // Numbers keep their digits: no float is made of them.
        let micros = |number: &RawValue| {
            let billionths = parse_billionths(number.get());
            billionths
                .map(|billionths| billionths / 1_000)
                .ok_or_else(|| format!("'{}' is no time", number.get()))
        };
        let time = |figure: &Figure<'_>| -> Result<Time, String> {
            Ok(Time { time: micros(figure.seconds)?, half: figure.half_of_one.map(micros).transpose()? })
        };
        let times = &read.time;
        Ok(Predicted {
            length: read.length,
            nodes: read.nodes,
            origin: [read.origin.least, read.origin.bytes, read.origin.most],
            times: [
                time(&times.mean)?,
                time(&times.p50)?,
                time(&times.p95)?,
                time(&times.p99)?,
                time(&times.last)?,
            ],
        })
    }

    /// Holds it against reality.
    pub fn judge(&self, real: &Reality) -> Verdict {
        let mut figures = Vec::new();
        let mut sorted = real.times.clone();
        sorted.sort_unstable();
        let at = |per_mille| quantile(&sorted, per_mille);
        let values = match sorted.as_slice() {
            // One node has no distribution: it is held against the median.
            [one] => vec![("this node", self.times[1], Some(*one))],
            _ => vec![
                ("mean", self.times[0], mean(&sorted)),
                ("half done", self.times[1], at(500)),
                ("95 % done", self.times[2], at(950)),
                ("99 % done", self.times[3], at(990)),
            ],
        };
        let last = ("last done", self.times[4], real.last);
        for (figure, predicted, value) in values.into_iter().chain([last]) {
            let Some(value) = value else { continue };
            figures.push(Line {
                figure,
                predicted: Decimal::micros(predicted.time),
                real: Decimal::micros(value),
                error: error(predicted.time, value),
                // A single node may be anywhere in the distribution.
                within: predicted
                    .half
                    .filter(|_| figure != "this node")
                    .map(|half| value.abs_diff(predicted.time) <= half),
            });
        }
        if let Some(sent) = real.seeds_sent {
            let [least, mean, most] = self.origin;
            figures.push(Line {
                figure: "origin sent",
                predicted: Decimal::whole(mean),
                real: Decimal::whole(sent),
                error: error(mean, sent),
                within: Some((least..=most).contains(&sent)),
            });
        }
        Verdict { figures, differs: self.differences(real) }
    }

    fn differences(&self, real: &Reality) -> Vec<String> {
        let mut differs = Vec::new();
        if self.length != real.length {
            let (asked, real) = (show_size(self.length), show_size(real.length));
            differs.push(format!("the prediction is for {asked}, the content has {real}"));
        }
        if real.nodes > 0 && self.nodes != real.nodes {
            let (asked, real) = (count(self.nodes, "node"), count(real.nodes, "node"));
            differs.push(format!("the prediction is for {asked}, there were {real}"));
        }
        differs
    }
}

fn error(predicted: u64, real: u64) -> Option<Signed> {
    Signed::ratio(i128::from(predicted) - i128::from(real), real.into())
}

impl Verdict {
    /// For people, each line with its end.
    pub fn text(&self) -> String {
        let mut table =
            Table::new(["", "predicted", "real", "error", "one run would"]).aligned(4, Align::Left);
        for line in &self.figures {
            let shown = |value: Decimal| match line.figure {
                "origin sent" => show_size((value.millionths() / 1_000_000) as u64),
                _ => show_duration(Duration::from_micros(value.millionths() as u64)),
            };
            table.row([
                line.figure.to_owned(),
                shown(line.predicted),
                shown(line.real),
                line.error.map_or_else(String::new, Signed::percent),
                match line.within {
                    Some(true) => "be here",
                    Some(false) => "not be here",
                    None => "",
                }
                .to_owned(),
            ]);
        }
        let differs = self.differs.iter().map(|what| format!("  but {what}\n"));
        format!("Against the prediction\n{table}{}", differs.collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"{
        "schema": "predict/1", "length": 1000, "nodes": 3, "new": [1.5],
        "time": {
            "mean": {"seconds": 10.000000, "half_of_one": 1.000000, "runs": 5},
            "p50": {"seconds": 10.500000, "half_of_one": null},
            "p95": {"seconds": 12.000000, "half_of_one": 0.500000},
            "p99": {"seconds": 12.000000, "half_of_one": 0.500000},
            "last": {"seconds": 12.250000, "half_of_one": 3.000000}
        },
        "origin": {"bytes": 2000, "least": 1900, "most": 2100, "copies": 2.0}
    }"#;

    #[test]
    fn a_real_swarm_beside_its_prediction() {
        let predicted = Predicted::parse(DOCUMENT).unwrap();
        let real = Reality {
            length: 1_000,
            nodes: 3,
            times: vec![11_000_000, 9_000_000, 13_000_000],
            last: Some(13_000_000),
            seeds_sent: Some(1_800),
        };
        let verdict = predicted.judge(&real);
        let expected = [
            "Against the prediction",
            "               predicted     real    error  one run would",
            "  mean            10.0 s   11.0 s   -9.1 %  be here",
            "  half done       10.5 s   11.0 s   -4.5 %",
            "  95 % done       12.0 s   13.0 s   -7.7 %  not be here",
            "  99 % done       12.0 s   13.0 s   -7.7 %  not be here",
            "  last done       12.3 s   13.0 s   -5.8 %  be here",
            "  origin sent     2 KiB  1.8 KiB  +11.1 %  not be here",
        ];
        let squeezed = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = verdict.text();
        assert_eq!(text.lines().map(squeezed).collect::<Vec<_>>(), expected.map(squeezed), "{text}");
        assert!(verdict.differs.is_empty());
    }

    #[test]
    fn one_node_is_held_against_the_median() {
        let predicted = Predicted::parse(DOCUMENT).unwrap();
        let real = Reality { length: 2_000, times: vec![21_000_000], ..Reality::default() };
        let verdict = predicted.judge(&real);
        let [line] = &verdict.figures[..] else { panic!("{verdict:?}") };
        assert_eq!((line.figure, line.within), ("this node", None));
        assert_eq!(line.error.map(Signed::percent).as_deref(), Some("-50.0 %"));
        assert!(
            verdict.text().ends_with("  but the prediction is for 1000 B, the content has 2 KiB\n"),
            "{verdict:?}"
        );
    }

    #[test]
    fn other_documents_are_refused() {
        let told = |text: &str| Predicted::parse(text).unwrap_err();
        assert!(told("{").contains("no prediction"));
        assert!(told(&DOCUMENT.replace("predict/1", "predict/9")).contains("predict/9"));
        assert!(told(&DOCUMENT.replace("10.500000", "-1")).contains("'-1' is no time"));
    }
}
