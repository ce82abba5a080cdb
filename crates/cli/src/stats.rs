//! `--stats FILE`: what an endpoint does, as lines of JSON that another program can follow.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use swarmlab_net::endpoint::Snapshot;

use crate::env::Env;
use crate::error::Error;

/// Between two lines where nothing has come to an end.
const EVERY: Duration = Duration::from_secs(1);

/// The file that lines go to; with none, nothing happens.
#[derive(Default)]
pub(crate) struct Stats {
    file: Option<File>,
    next: Duration,
    complete: bool,
}

/// A line. Times are in milliseconds.
#[derive(Debug, Serialize)]
struct Line {
    /// Since 1970-01-01 UTC.
    unix_ms: u128,
    /// Since the start of the endpoint.
    elapsed_ms: u128,
    /// From the start to the last piece, once it is here; 0 if nothing was lacking.
    completed_after_ms: Option<u128>,
    uploaded: u64,
    downloaded: u64,
    wasted: u64,
    left: u64,
    /// Open links.
    peers: usize,
}

impl Stats {
    /// Opens the file, if one is named.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn open(env: &Env, path: Option<&Path>) -> Result<Stats, Error> {
        let open = |path: &Path| {
            File::create(env.resolve(path))
                .map_err(|error| Error::failed(format!("cannot write {}", path.display())).because(error))
        };
        Ok(Stats { file: path.map(open).transpose()?, next: Duration::ZERO, complete: false })
    }

    /// Writes a line if it is time for one, or if the last piece has come. A reader that has gone away is no trouble of the
    /// transfer.
    pub(crate) fn tell(&mut self, now: &Snapshot) {
        let complete = now.completed_after.is_some();
        if now.elapsed >= self.next || complete != self.complete {
            self.next = now.elapsed + EVERY;
            self.complete = complete;
            let _ = self.write(now);
        }
    }

    /// Writes a last line.
    pub(crate) fn end(&mut self, last: &Snapshot) {
        let _ = self.write(last);
    }

    fn write(&mut self, now: &Snapshot) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let line = Line {
            unix_ms: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis(),
            elapsed_ms: now.elapsed.as_millis(),
            completed_after_ms: now.completed_after.map(|time| time.as_millis()),
            uploaded: now.totals.uploaded,
            downloaded: now.totals.downloaded,
            wasted: now.totals.wasted,
            left: now.totals.left,
            peers: now.links.len(),
        };
        let mut text = serde_json::to_string(&line).map_err(io::Error::from)?;
        text.push('\n');
        file.write_all(text.as_bytes())
    }
}
