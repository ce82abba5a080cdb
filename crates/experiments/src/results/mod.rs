//! What a run gives: the `sim/1` document, the summary, and a directory of files. Everything is computed from plain
//! numbers ([`Model`], [`Outcome`]) and what the caller knows of the run ([`RunInfo`]); nothing here reads a clock.

mod directory;
mod document;
mod groups;
mod manifest;
mod peers;
mod runs;
#[cfg(test)]
pub(crate) mod tests;
mod timeline;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use swarmlab_sim::{Model, Outcome};

pub use directory::{WriteError, check_directory};
pub use document::{
    CheckResult, ContentSize, Document, GroupResult, KindCount, PeerFlow, Times, TrackerResult, Utilisation,
};

pub use runs::{check_run_directories, run_directory};

pub(crate) use directory::{MANIFEST, PAGE};
pub(crate) use document::role_name;
pub(crate) use groups::download_time;
pub(crate) use runs::run_directories;
pub(crate) use timeline::present;

use crate::bound::{self, Bound};
use crate::numbers::Decimal;
use crate::{report, summary};

/// What is known of a run besides its model and its outcome.
#[derive(Clone, Debug, Default)]
pub struct RunInfo {
    /// Name of the scenario.
    pub scenario_name: String,
    /// Its text, as it was read.
    pub scenario_text: String,
    /// Every parameter with its value, defaults filled in; goes into the manifest as it is.
    pub resolved: serde_json::Value,
    /// Nodes that join earlier are left out of the times.
    pub warmup: Duration,
    /// Version of the program.
    pub version: String,
    /// The commit it was built from, if known.
    pub commit: Option<String>,
    /// What it ran on, such as `linux x86_64`.
    pub platform: String,
    /// Wall time from the start to the end of the run.
    pub wall: Duration,
    /// Worker threads.
    pub threads: u16,
    /// Most memory the process held, in bytes, if known.
    pub peak_rss: Option<u64>,
    /// A page that shows the run as it went, in one file: it is put beside the report, which leads to it.
    pub page: Option<Arc<str>>,
    /// How it was measured, if it was no simulation.
    pub measured: Option<Measured>,
}

/// How a swarm of real programs was measured. What only a simulator knows (the digest, events, messages, the rarest piece,
/// who gave to whom) is missing from its results.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Measured {
    /// The client with its version.
    pub client: String,
    /// The tracker with its version.
    pub tracker: String,
    /// The kernel, whose TCP carried it.
    pub kernel: String,
    /// Share of the machine's processors that was busy meanwhile: near 1, the machine was measured and not the swarm.
    pub cpu_busy: Option<Decimal>,
    /// What of the scenario was not brought about, or otherwise, a sentence each.
    pub notes: Vec<String>,
}

impl RunInfo {
    /// This machine, for [`RunInfo::platform`].
    pub fn this_platform() -> String {
        format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)
    }
}

/// What a run gives.
#[derive(Clone, Debug)]
pub struct Results<'a> {
    model: &'a Model,
    outcome: &'a Outcome,
    info: RunInfo,
    bound: Option<Bound>,
    document: Document,
}

impl<'a> Results<'a> {
    /// Computes everything there is to say. Takes time in proportion to the peers, and for the quantiles sorts them.
    pub fn new(model: &'a Model, outcome: &'a Outcome, info: RunInfo) -> Results<'a> {
        let bound = bound::of_run(model, outcome);
        let document = Document::new(model, outcome, &info, bound);
        Results { model, outcome, info, bound, document }
    }

    /// The model that was run.
    pub fn model(&self) -> &'a Model {
        self.model
    }

    /// What came of it.
    pub fn outcome(&self) -> &'a Outcome {
        self.outcome
    }

    /// What the caller said of the run.
    pub fn info(&self) -> &RunInfo {
        &self.info
    }

    /// The physical bound on the last completion, where there is one.
    pub fn bound(&self) -> Option<Bound> {
        self.bound
    }

    /// The numbers of `sim/1`.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The `sim/1` document as JSON text, with a line end.
    pub fn json(&self) -> String {
        let mut text =
            serde_json::to_string_pretty(&self.document).expect("plain numbers and texts have a JSON form");
        text.push('\n');
        text
    }

    /// The same as a value, for who looks numbers up in it. Decimals become floats there.
    pub fn value(&self) -> serde_json::Value {
        serde_json::to_value(&self.document).expect("plain numbers and texts have a JSON form")
    }

    /// Whether the run is complete, and why it ended, in one sentence.
    pub fn ending(&self) -> String {
        summary::ending(self)
    }

    /// The text a person reads, at most 100 columns wide.
    pub fn summary(&self) -> String {
        summary::of(self)
    }

    /// The page with the pictures: one file of HTML that needs nothing else.
    pub fn report(&self) -> String {
        report::of(self)
    }

    /// Writes `peers.csv`: a row for each peer. The same model gives the same bytes on every machine.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_peers(&self, out: impl io::Write) -> io::Result<()> {
        peers::write(self.model, self.outcome, out)
    }

    /// Writes `timeline.csv`: a row for each sample.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_timeline(&self, out: impl io::Write) -> io::Result<()> {
        timeline::write(self.model, self.outcome, self.info.measured.is_none(), out)
    }

    /// Writes `manifest.json`, `results.json`, `peers.csv`, `timeline.csv`, `report.html` and, if there is a page of
    /// the run, `watch.html` into a directory, which is made if it does not exist. Each file appears whole or not at all; until all are there, the manifest says
    /// `"complete": false`.
    ///
    /// # Errors
    /// When the directory holds something that is no earlier result (see [`check_directory`]), or cannot be written.
    pub fn write(&self, dir: &Path) -> Result<(), WriteError> {
        directory::write(self, dir)
    }
}
