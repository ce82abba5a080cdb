//! Scenario files: what a run simulates, as people write it. TOML in, checked against one set of definitions, out
//! comes a [`Scenario`] in the simulator's own terms.
//!
//! The way of a file: `document` reads TOML into a tree that knows where everything stands, `set` applies `--set`,
//! `check` holds it against the definitions in `keys` and `client`, `read` looks at what concerns several keys and
//! makes the types of `swarmlab_sim`. `write` goes the other way, with every default filled in, and `schema` tells
//! other programs what a scenario may say. What is wrong comes back as [`Diagnostics`], all at once.
//!
//! ```
//! use swarmlab_experiments::scenario::{Options, Origin, Scenario};
//!
//! let text = r#"
//!     schema = "scenario/1"
//!     name = "two"
//!     content = { size = "1 MiB" }
//!     [[group]]
//!     name = "origin"
//!     role = "seed"
//!     up = "10 Mbit/s"
//!     [[group]]
//!     name = "leecher"
//!     role = "leecher"
//!     up = "1 Mbit/s"
//! "#;
//! let scenario = Scenario::parse(text, &Origin::named("two.toml"), &[])?;
//! let model = scenario.model(&Options::default())?;
//! assert_eq!((model.groups.len(), model.content.layout.piece_count()), (2, 64));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod builtin;
mod check;
mod client;
mod content;
mod definition;
mod diagnostic;
mod document;
mod expect;
mod keys;
mod latency;
mod policies;
mod preset;
mod read;
mod record;
mod scalar;
mod schema;
mod set;
#[cfg(test)]
mod tests;
mod trace;
mod write;

use std::path::PathBuf;
use std::time::Duration;

use swarmlab_sim::{Fault, Group, Model, Network, Run, Stop, TrackerModel};

pub use content::{Content, ContentError, ContentKind};
pub use diagnostic::{Diagnostic, Diagnostics, Place};
pub use expect::{Expectation, Unmet, unmet};

pub(crate) use diagnostic::nearest as nearest_name;
pub(crate) use expect::{Measure, billionths, measure, value};

pub use schema::json_schema;

use diagnostic::{Findings, Source};
use record::Record;

/// Longest scenario that is read, in bytes.
pub const LARGEST: u64 = 1 << 20;

/// A scenario that has been found sound, with every quantity resolved and every default filled in.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// What it shows, in one sentence.
    pub about: Option<String>,
    /// The seed it gives.
    pub seed: u64,
    /// What is shared.
    pub content: Content,
    /// What lies between the nodes.
    pub network: Network,
    /// The tracker.
    pub tracker: TrackerModel,
    /// The nodes, by group.
    pub groups: Vec<Group>,
    /// What goes wrong, and when.
    pub faults: Vec<Fault>,
    /// When a run ends.
    pub stop: Stop,
    /// The longest simulated time.
    pub max_time: Duration,
    /// Nodes that arrive earlier are left out of the statistics.
    pub warmup: Duration,
    /// Time between two samples.
    pub sample: Duration,
    /// What must come of it.
    pub expect: Vec<Expectation>,
    /// Every key with its value.
    resolved: Record,
}

/// Where the text of a scenario comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// What messages call it: the path as it was typed, or a name.
    pub name: String,
    /// Where relative paths in it lead from.
    pub dir: PathBuf,
}

impl Origin {
    /// A text with a name, whose relative paths lead from the current directory.
    pub fn named(name: impl Into<String>) -> Origin {
        Origin { name: name.into(), dir: PathBuf::new() }
    }
}

/// What of a run is not the scenario's to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Another seed than the scenario's.
    pub seed: Option<u64>,
    /// Worker threads; changes nothing but the speed.
    pub threads: u16,
    /// Run the checkers.
    pub check: bool,
    /// Keep a sample for each row of the timeline.
    pub timeline: bool,
    /// Move real content: at most 4 GiB in the memory of all nodes.
    pub real_bytes: bool,
}

impl Default for Options {
    /// One thread, nothing observed.
    fn default() -> Options {
        Options { seed: None, threads: 1, check: false, timeline: false, real_bytes: false }
    }
}

impl Scenario {
    /// Reads a scenario. Each of `sets` is a text `PATH=VALUE` that changes it before it is checked. Files that it
    /// names (content, torrents, traces) are looked at.
    ///
    /// # Errors
    /// Everything that is wrong with it, with places and what would be right.
    pub fn parse(text: &str, origin: &Origin, sets: &[String]) -> Result<Scenario, Diagnostics> {
        let file = Source { name: origin.name.clone(), text: text.to_owned() };
        let flags = sets.iter().map(|set| Source { name: "--set".to_owned(), text: set.clone() });
        let sources: Vec<Source> = std::iter::once(file).chain(flags).collect();
        let mut findings = Findings::default();
        if text.len() as u64 > LARGEST {
            findings.say(Place::default(), format!("a scenario has at most 1 MiB, not {} bytes", text.len()));
            return Err(Diagnostics::new(sources, findings));
        }
        let scenario = read_all(text, origin, sets, &mut findings);
        scenario.filter(|_| findings.0.is_empty()).ok_or_else(|| Diagnostics::new(sources, findings))
    }

    /// The model of a run.
    ///
    /// # Errors
    /// When real content is asked for and there is too much of it, or it cannot be read or is not what it should be.
    pub fn model(&self, options: &Options) -> Result<Model, ContentError> {
        let seed = options.seed.unwrap_or(self.seed);
        let real_for = options.real_bytes.then(|| self.node_count());
        let content = self.content.resolve(seed, real_for)?;
        let run = Run {
            stop: self.stop,
            max_time: self.max_time,
            sample: self.sample,
            threads: options.threads,
            check: options.check,
            timeline: options.timeline,
        };
        Ok(Model {
            seed,
            content,
            network: self.network.clone(),
            tracker: self.tracker.clone(),
            groups: self.groups.clone(),
            faults: self.faults.clone(),
            run,
        })
    }

    /// How many nodes there are in all groups.
    pub fn node_count(&self) -> u64 {
        self.groups.iter().map(|group| u64::from(group.count)).sum()
    }

    /// What the clients of a group are to do otherwise than their preset, by key as in the table `[client]`, in the order of the
    /// alphabet; with the name of the preset.
    pub fn client_of(&self, group: usize) -> (String, Vec<(String, serde_json::Value)>) {
        let resolved = self.resolved_json();
        let own = &resolved["group"][group]["client"];
        let client = if own.is_null() { &resolved["client"] } else { own };
        let name = client["preset"].as_str().unwrap_or_default().to_owned();
        let preset = preset_json(&name).unwrap_or_default();
        let keys = client.as_object().into_iter().flatten();
        let changed = keys.filter(|(key, value)| preset.get(key) != Some(value));
        let changed = changed.map(|(key, value)| (key.clone(), value.clone())).collect();
        (name, changed)
    }

    /// The whole scenario as TOML with every default filled in; read again, it is the same scenario.
    pub fn resolved_toml(&self) -> String {
        write::toml(&self.resolved)
    }

    /// The same as a JSON value, quantities as texts with units.
    pub fn resolved_json(&self) -> serde_json::Value {
        write::json(&self.resolved)
    }
}

/// The names of all presets of clients.
pub fn preset_names() -> &'static [&'static str] {
    &preset::NAMES
}

/// The table `[client]` that a preset stands for, as TOML with the meaning of each key; `None` for a name that is not
/// in [`preset_names`].
pub fn preset_toml(name: &str) -> Option<String> {
    let client = preset::client(name)?;
    let description = preset::description(name).unwrap_or_default();
    Some(format!("# {name}: {description}\n{}", write::client_toml(&client.record())))
}

/// The same as a JSON value.
pub fn preset_json(name: &str) -> Option<serde_json::Value> {
    preset::client(name).map(|client| write::json(&client.record()))
}

fn read_all(text: &str, origin: &Origin, sets: &[String], findings: &mut Findings) -> Option<Scenario> {
    let mut root = document::read(text, 0, findings);
    // What follows from a text that is no TOML would only confuse.
    if !findings.0.is_empty() {
        return None;
    }
    for (number, set) in sets.iter().enumerate() {
        set::apply(&mut root, set, number + 1, findings);
    }
    let record = check::scenario(&root, findings)?;
    read::scenario(record, &origin.dir, findings)
}
