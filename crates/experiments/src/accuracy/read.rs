//! Finds runs on disk: a directory of a result, one that holds several (`run-1`, `run-2`, ..), or a table of measurements.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::csv::Csv;
use super::run::lacks;
use super::{Peer, Run, measured};
use crate::results::{self, MANIFEST};

/// Why runs cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file or directory cannot be read.
    #[error("cannot read {}", .0.display())]
    Unreadable(PathBuf, #[source] io::Error),
    /// A directory has neither a result in it nor runs.
    #[error("{} holds no result: no manifest.json, no run-1, no table of measurements", .0.display())]
    Nothing(PathBuf),
    /// A directory has several tables of measurements.
    #[error("{} holds several tables: name one, such as {}", .0.display(), .1.display())]
    Several(PathBuf, PathBuf),
    /// A run that was interrupted says nothing of how long it takes.
    #[error("{} is the result of a run that was interrupted", .0.display())]
    Interrupted(PathBuf),
    /// A file is not what it should be.
    #[error("{} {what}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

/// The runs at a path: at least one. `path` is a directory of a result, one that holds results as `run-1`, `run-2` and so
/// on, or a table `NAME.csv` with `NAME.config.json` beside it, or a directory with one such table.
///
/// # Errors
/// When there is none, or one of them cannot be read.
pub fn runs(path: &Path) -> Result<Vec<Run>, ReadError> {
    let found = fs::metadata(path).map_err(|error| ReadError::Unreadable(path.to_owned(), error))?;
    if !found.is_dir() {
        return measured_at(path);
    }
    if path.join(MANIFEST).exists() {
        return Ok(vec![result_at(path)?]);
    }
    let unreadable = |error| ReadError::Unreadable(path.to_owned(), error);
    let parts = results::run_directories(path).map_err(unreadable)?;
    if !parts.is_empty() {
        return parts.iter().map(|dir| result_at(dir)).collect();
    }
    let mut tables = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        if file.extension().is_some_and(|ending| ending == "csv") && measured::config_beside(&file).exists() {
            tables.push(file);
        }
    }
    tables.sort_unstable();
    match tables.as_slice() {
        [] => Err(ReadError::Nothing(path.to_owned())),
        [table] => measured_at(table),
        [first, ..] => Err(ReadError::Several(path.to_owned(), first.clone())),
    }
}

/// The part of a manifest that matters here.
#[derive(Deserialize)]
struct Manifest {
    end: String,
    measured: Option<Measured>,
}

/// What it says of how a real run was measured.
#[derive(Deserialize)]
struct Measured {
    notes: Vec<String>,
}

/// The one run of a directory of results.
fn result_at(dir: &Path) -> Result<Run, ReadError> {
    let path = dir.join(MANIFEST);
    let manifest: Manifest = serde_json::from_str(&text_of(&path)?)
        .map_err(|error| ReadError::Wrong { path, what: format!("is no manifest: {error}") })?;
    if manifest.end == "interrupted" {
        return Err(ReadError::Interrupted(dir.to_owned()));
    }
    let path = dir.join("peers.csv");
    let peers = peers(&text_of(&path)?).map_err(|what| ReadError::Wrong { path, what })?;
    let notes = manifest.measured.map_or_else(Vec::new, |measured| measured.notes);
    Ok(Run { source: dir.display().to_string(), peers, notes })
}

fn peers(text: &str) -> Result<Vec<Peer>, String> {
    let table = Csv::read(text);
    let time = |time: Option<i64>| time.map(|time| u64::try_from(time).unwrap_or(0));
    let peer = |row: super::csv::Row<'_>| {
        Ok(Peer {
            group: row.text("group")?.to_owned(),
            lacks: lacks(row.whole("lacked")?, !row.text("join_s")?.is_empty()),
            join: time(row.millionths("join_s")?),
            complete: time(row.millionths("complete_s")?),
            uploaded: row.whole("uploaded")?,
            downloaded: Some(row.whole("downloaded")?),
        })
    };
    table.rows().map(peer).collect()
}

fn measured_at(table: &Path) -> Result<Vec<Run>, ReadError> {
    let name = table.display().to_string();
    let wrong = |what| ReadError::Wrong { path: table.to_owned(), what };
    let runs = measured::runs(&text_of(table)?, &name).map_err(wrong)?;
    if runs.is_empty() { Err(wrong("has no row".to_owned())) } else { Ok(runs) }
}

fn text_of(path: &Path) -> Result<String, ReadError> {
    fs::read_to_string(path).map_err(|error| ReadError::Unreadable(path.to_owned(), error))
}
