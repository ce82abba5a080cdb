//! What a network was found to lose against the simulated one: a small file, made by [`crate::calibrate`], that goes into
//! predictions.
//!
//! Two numbers, both measured as the difference between a real run and the simulation of the same scenario. `rate` is the share of
//! the nominal rate that links give (what shapers, TCP and busy hosts take beyond the headers the model counts): all rates of
//! links are multiplied by it. `startup` is the time between a node's start and its taking part (starting a process, announcing,
//! connecting) beyond what the model has: it is added to every time.

use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};
use swarmlab_sim::Model;

use crate::numbers::Decimal;
use crate::units::{exact_time, parse_billionths, parse_time};

/// What it says of its form.
const SCHEMA: &str = "calibration/1";
/// A link that gives less than this share of its rate, or more than that, in millionths, is another link.
const RATES: std::ops::RangeInclusive<u64> = 100_000..=2_000_000;

/// How a real network differs from the simulated one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Calibration {
    /// Share of the nominal rate that links give, in millionths.
    #[serde(serialize_with = "as_share")]
    pub rate: u64,
    /// Added to the time of every node, in microseconds.
    #[serde(rename = "startup_seconds", serialize_with = "as_seconds")]
    pub startup_us: u64,
}

fn as_share<S: Serializer>(millionths: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    Decimal::micros(*millionths).serialize(serializer)
}

fn as_seconds<S: Serializer>(micros: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    Decimal::micros(*micros).serialize(serializer)
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    rate: String,
    startup: String,
}

impl Calibration {
    /// The one that changes nothing.
    pub const NONE: Calibration = Calibration { rate: 1_000_000, startup_us: 0 };

    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Calibration, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        if file.schema != SCHEMA {
            return Err(format!("its schema is '{}'; this program reads {SCHEMA}", file.schema));
        }
        let rate = parse_billionths(&file.rate).map(|rate| rate / 1_000).filter(|rate| RATES.contains(rate));
        let rate = rate.ok_or_else(|| format!("rate is '{}'; it is a number from 0.1 to 2", file.rate))?;
        let startup =
            parse_time(&file.startup).map_err(|error| format!("startup is '{}': {error}", file.startup))?;
        Ok(Calibration { rate, startup_us: crate::numbers::micros(startup) })
    }

    /// The file, with lines of comment before it.
    pub fn toml(&self, comment: &str) -> String {
        let comment: String = comment.lines().map(|line| format!("# {line}\n")).collect();
        let startup = exact_time(Duration::from_micros(self.startup_us));
        let rate = Decimal::micros(self.rate);
        format!("{comment}schema = \"{SCHEMA}\"\nrate = \"{rate}\"\nstartup = \"{startup}\"\n")
    }

    /// A model with links as they were found. The start-up time is not in it: it is added to what comes out.
    pub fn apply(&self, model: &Model) -> Model {
        let mut model = model.clone();
        let rate = |rate: u64| (u128::from(rate) * u128::from(self.rate) / 1_000_000).max(1) as u64;
        for group in &mut model.groups {
            (group.up, group.down) = (rate(group.up), rate(group.down));
        }
        model
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let known = Calibration { rate: 957_000, startup_us: 1_250_000 };
        let text = known.toml("from x\nand y");
        assert_eq!(
            text,
            "# from x\n# and y\nschema = \"calibration/1\"\nrate = \"0.957000\"\nstartup = \"1250 ms\"\n"
        );
        assert_eq!(Calibration::parse(&text), Ok(known));
    }

    #[test]
    fn other_files_are_refused() {
        for (text, told) in [
            ("schema = \"scenario/1\"\nrate = \"1\"\nstartup = \"0 s\"", "scenario/1"),
            ("schema = \"calibration/1\"\nrate = \"0\"\nstartup = \"0 s\"", "from 0.1 to 2"),
            ("schema = \"calibration/1\"\nrate = \"1\"\nstartup = \"1\"", "needs a unit"),
            ("schema = \"calibration/1\"\nrates = \"1\"\nstartup = \"1 s\"", "rates"),
            ("rate", "key"),
        ] {
            let error = Calibration::parse(text).unwrap_err();
            assert!(error.contains(told), "{text:?}: {error}");
        }
    }

    #[test]
    fn links_are_slower() {
        let model = crate::predict::tests::model("1 MiB", 2);
        let slower = Calibration { rate: 900_000, startup_us: 0 }.apply(&model);
        assert_eq!(slower.groups[1].up, model.groups[1].up / 10 * 9);
        assert_eq!(Calibration::NONE.apply(&model).groups[0].down, model.groups[0].down);
    }
}
