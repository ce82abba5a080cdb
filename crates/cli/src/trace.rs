//! The file of a trace while it is written: it replaces nothing but another trace.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _};
use std::path::{Path, PathBuf};

use swarmlab_trace::{Entry, Header, MAGIC, Writer};

use crate::env::Env;
use crate::error::Error;

/// A trace that is being written. The first failure is kept and told at the end.
pub(crate) struct TraceFile {
    path: PathBuf,
    writer: Writer<BufWriter<File>>,
    failure: Option<io::Error>,
}

impl TraceFile {
    /// Makes the file.
    ///
    /// # Errors
    /// When there is something else at this path, or it cannot be made.
    pub(crate) fn create(env: &Env, path: &Path, header: &Header) -> Result<TraceFile, Error> {
        if !is_free(&env.resolve(path)) {
            return Err(Error::failed(format!("{} is there and is no trace", path.display()))
                .help("name another file; nothing but an earlier trace is replaced"));
        }
        let writer =
            File::create(env.resolve(path)).and_then(|file| Writer::new(BufWriter::new(file), header));
        let writer = writer.map_err(|error| failed(path, error))?;
        Ok(TraceFile { path: path.to_owned(), writer, failure: None })
    }

    /// Adds records, in order.
    pub(crate) fn add(&mut self, entries: &[Entry]) {
        if self.failure.is_none() {
            let added = entries.iter().try_for_each(|entry| self.writer.push(entry.at, &entry.record));
            self.failure = added.err();
        }
    }

    /// Whether it can still be written.
    pub(crate) fn is_sound(&self) -> bool {
        self.failure.is_none()
    }

    /// Ends it at a time in microseconds; `complete` if the run came to its end.
    ///
    /// # Errors
    /// When it could not be written, then or before.
    pub(crate) fn finish(self, at: u64, complete: bool) -> Result<(), Error> {
        let ended = match self.failure {
            Some(failure) => Err(failure),
            None => self.writer.finish(at, complete).map(drop),
        };
        ended.map_err(|error| failed(&self.path, error))
    }
}

fn failed(path: &Path, error: io::Error) -> Error {
    Error::failed(format!("cannot write the trace {}", path.display())).because(error)
}

/// Whether a trace may be written there: there is nothing, an empty file, a trace, or what is no file at all (a pipe).
fn is_free(path: &Path) -> bool {
    let Ok(found) = fs::metadata(path) else { return true };
    let mut start = [0; MAGIC.len()];
    !found.is_dir()
        && (!found.is_file()
            || found.len() == 0
            || File::open(path).is_ok_and(|mut file| file.read_exact(&mut start).is_ok() && start == MAGIC))
}
