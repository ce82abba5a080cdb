//! `manifest.json`: what was run and by what, enough to run it again. It also marks a directory as one of ours.

use serde::{Deserialize, Serialize};

use super::{Measured, Results};

/// What it says of the format.
pub(super) const SCHEMA: &str = "manifest/1";
/// Who wrote it.
pub(super) const PROGRAM: &str = "swarmlab";

#[derive(Serialize)]
struct Manifest<'a> {
    schema: &'static str,
    program: &'static str,
    version: &'a str,
    commit: Option<&'a str>,
    platform: &'a str,
    scenario: &'a str,
    seed: u64,
    threads: u16,
    digest: Option<&'a str>,
    complete: bool,
    end: &'a str,
    files: &'a [&'static str],
    resolved: &'a serde_json::Value,
    scenario_text: &'a str,
    measured: Option<&'a Measured>,
}

/// The manifest of a result. `written` says whether all files are there; without that nothing is complete.
pub(super) fn of(results: &Results<'_>, files: &[&'static str], written: bool) -> String {
    let (info, document) = (results.info(), results.document());
    let manifest = Manifest {
        schema: SCHEMA,
        program: PROGRAM,
        version: &info.version,
        commit: info.commit.as_deref(),
        platform: &info.platform,
        scenario: &info.scenario_name,
        seed: document.seed,
        threads: document.threads,
        digest: document.digest.as_deref(),
        complete: written && document.complete,
        end: document.end,
        files,
        resolved: &info.resolved,
        scenario_text: &info.scenario_text,
        measured: info.measured.as_ref(),
    };
    let mut text = serde_json::to_string_pretty(&manifest).expect("plain numbers and texts have a JSON form");
    text.push('\n');
    text
}

/// The files an earlier result says are its own; `None` if the text is no manifest of ours.
pub(super) fn files_of(text: &[u8]) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    struct Mark {
        schema: String,
        program: String,
        files: Vec<String>,
    }
    let mark: Mark = serde_json::from_slice(text).ok()?;
    (mark.schema == SCHEMA && mark.program == PROGRAM).then_some(mark.files)
}
