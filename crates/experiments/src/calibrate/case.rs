//! A scenario that was really run: its model, and what the runs took.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use swarmlab_sim::Model;

use crate::accuracy::Run;
use crate::accuracy::read::{self, ReadError};
use crate::predict::Times;
use crate::scenario::{ContentError, Diagnostics, Options, Origin, Scenario};
use crate::statistics::{mean, quantile};

/// Real runs of one scenario.
#[derive(Clone, Debug)]
pub struct Case {
    /// Where they come from.
    pub name: String,
    /// What was run, as a model.
    pub model: Model,
    /// What each run took.
    pub runs: Vec<Times>,
}

/// Why runs are no case.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// They cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A run says nothing of how long it takes.
    #[error("{0}: not all nodes were complete at the end")]
    Unfinished(String),
    /// The directory does not say what was run.
    #[error("{0} does not say what scenario was run")]
    NoScenario(String),
    /// What it says is not valid.
    #[error("the scenario in {0} is not valid")]
    Scenario(String, #[source] Box<Diagnostics>),
    /// The content of the scenario cannot be used.
    #[error("the content of {0} cannot be used")]
    Content(String, #[source] ContentError),
}

/// The part of a manifest that says what was run.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Manifest {
    resolved: Value,
    scenario_text: String,
}

impl Case {
    /// The case at a path (see [`read::runs`]). The scenario is that of the results, or the one that is given.
    ///
    /// # Errors
    /// When there are no complete runs there, or no valid scenario.
    pub fn read(path: &Path, scenario: Option<&Scenario>) -> Result<Case, CaseError> {
        let name = path.display().to_string();
        let runs = read::runs(path)?;
        let own = if scenario.is_none() { Some(scenario_at(path, &name)?) } else { None };
        let scenario = scenario.or(own.as_ref()).ok_or_else(|| CaseError::NoScenario(name.clone()))?;
        let model =
            scenario.model(&Options::default()).map_err(|error| CaseError::Content(name.clone(), error))?;
        let times =
            runs.iter().map(|run| times(run).ok_or_else(|| CaseError::Unfinished(run.source.clone())));
        Ok(Case { runs: times.collect::<Result<_, _>>()?, name, model })
    }
}

/// The figures of a real run; `None` unless all that lacked something have it.
pub(super) fn times(run: &Run) -> Option<Times> {
    let (mut times, mut first, mut last) = (Vec::new(), u64::MAX, 0);
    for peer in run.peers.iter().filter(|peer| peer.lacks) {
        let (join, complete) = (peer.join?, peer.complete?);
        times.push(complete.saturating_sub(join));
        (first, last) = (first.min(join), last.max(complete));
    }
    times.sort_unstable();
    let at = |per_mille| quantile(&times, per_mille);
    let last = last.saturating_sub(first);
    Some(Times { mean: mean(&times)?, p50: at(500)?, p95: at(950)?, p99: at(990)?, last })
}

fn scenario_at(path: &Path, name: &str) -> Result<Scenario, CaseError> {
    let missing = || CaseError::NoScenario(name.to_owned());
    let manifests = [path.join("manifest.json"), path.join("run-1").join("manifest.json")];
    let text = manifests.iter().find_map(|file| fs::read_to_string(file).ok()).ok_or_else(missing)?;
    let manifest: Manifest = serde_json::from_str(&text).map_err(|_| missing())?;
    // What was resolved is what was run; the text is before any --set.
    let text = match &manifest.resolved {
        Value::Object(keys) if !keys.is_empty() => {
            let line = |(key, value): (&String, &Value)| format!("{} = {}\n", quoted(key), toml(value));
            keys.iter().filter(|(_, value)| !value.is_null()).map(line).collect()
        }
        _ => manifest.scenario_text,
    };
    if text.trim().is_empty() {
        return Err(missing());
    }
    Scenario::parse(&text, &Origin { name: name.to_owned(), dir: path.to_owned() }, &[])
        .map_err(|error| CaseError::Scenario(name.to_owned(), Box::new(error)))
}

/// A JSON value as TOML has it, on one line.
fn toml(value: &Value) -> String {
    let joined = |parts: Vec<String>| parts.join(", ");
    match value {
        Value::Object(keys) => {
            let pair = |(key, value): (&String, &Value)| format!("{} = {}", quoted(key), toml(value));
            format!("{{ {} }}", joined(keys.iter().filter(|(_, value)| !value.is_null()).map(pair).collect()))
        }
        Value::Array(values) => format!("[{}]", joined(values.iter().map(toml).collect())),
        plain => plain.to_string(),
    }
}

/// A key, or a text, in quotes: what JSON escapes TOML reads.
fn quoted(key: &str) -> String {
    Value::from(key).to_string()
}
