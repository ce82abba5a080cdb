//! The file of a trace while it is written: it replaces nothing but another trace.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use swarmlab_trace::{Entry, Header, MAGIC, Writer};
use swarmlab_web::{Feed, FeedWriter, Pace, Show, Source};

use crate::env::Env;
use crate::error::Error;

/// A trace that is being written. The first failure is kept and told at the end.
pub(crate) struct TraceFile {
    path: PathBuf,
    writer: Writer<Out>,
    failure: Option<io::Error>,
    /// Of one that is watched: what pages read, and how they pace the run.
    watched: Option<(Arc<Feed>, Arc<Pace>)>,
}

/// Where the bytes of a trace go.
pub(crate) enum Out {
    /// To a file.
    File(BufWriter<File>),
    /// To a file that pages read meanwhile.
    Pages(FeedWriter),
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Out::File(file) => file.write(bytes),
            Out::Pages(pages) => pages.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Out::File(file) => file.flush(),
            Out::Pages(pages) => pages.flush(),
        }
    }
}

impl TraceFile {
    /// Makes the file.
    ///
    /// # Errors
    /// When there is something else at this path, or it cannot be made.
    pub(crate) fn create(env: &Env, path: &Path, header: &Header) -> Result<TraceFile, Error> {
        let (writer, _) = create(env, path, header, false)?;
        Ok(TraceFile { path: path.to_owned(), writer, failure: None, watched: None })
    }

    /// Makes the file of a run that pages watch, and pace as they like.
    ///
    /// # Errors
    /// When there is something else at this path, or it cannot be made.
    pub(crate) fn watched(env: &Env, path: &Path, header: &Header, pace: Pace) -> Result<TraceFile, Error> {
        let (writer, feed) = create(env, path, header, true)?;
        let watched = feed.map(|feed| (feed, Arc::new(pace)));
        Ok(TraceFile { path: path.to_owned(), writer, failure: None, watched })
    }

    /// The same in a place that is ours.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn watched_at(path: &Path, header: &Header, pace: Pace) -> io::Result<TraceFile> {
        let (feed, writer) = Feed::create(path)?;
        let writer = Writer::new(Out::Pages(writer), header)?;
        Ok(TraceFile { path: path.to_owned(), writer, failure: None, watched: Some((feed, Arc::new(pace))) })
    }

    /// What pages see of it, if they may.
    pub(crate) fn show(&self, name: &str) -> Option<Show> {
        let (feed, pace) = self.watched.clone()?;
        Some(Show { name: name.to_owned(), lesson: Value::Null, source: Source::Live(feed, Some(pace)) })
    }

    /// Adds what has happened up to a time, in order. The run of one that is watched waits here as long as the pages want, and
    /// until `ends` is set.
    pub(crate) fn take(&mut self, at: Duration, entries: &[Entry], ends: &AtomicBool) {
        if self.failure.is_none() {
            let added = entries.iter().try_for_each(|entry| self.writer.push(entry.at, &entry.record));
            let passed_on =
                added.and_then(|()| self.watched.as_ref().map_or(Ok(()), |_| self.writer.flush()));
            self.failure = passed_on.err();
        }
        if let Some((_, pace)) = &self.watched {
            pace.hold(at, &|| ends.load(Ordering::Acquire));
        }
    }

    /// How often it wants to be told what has happened, in simulated time, where samples are so far apart. A file is read when it
    /// is whole; a page that goes as time passes gets ten pictures a second, and a step is this long.
    pub(crate) fn every(&self, sample: Duration) -> Duration {
        if self.watched.is_some() { sample.min(Duration::from_millis(100)) } else { sample }
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

/// Begins a trace, for pages or not.
fn create(
    env: &Env,
    path: &Path,
    header: &Header,
    pages: bool,
) -> Result<(Writer<Out>, Option<Arc<Feed>>), Error> {
    let place = env.resolve(path);
    if !is_free(&place) {
        return Err(Error::failed(format!("{} is there and is no trace", path.display()))
            .help("name another file; nothing but an earlier trace is replaced"));
    }
    let begin = || {
        let (feed, out) = match pages {
            true => Feed::create(&place).map(|(feed, writer)| (Some(feed), Out::Pages(writer)))?,
            false => (None, Out::File(BufWriter::new(File::create(&place)?))),
        };
        Ok((Writer::new(out, header)?, feed))
    };
    begin().map_err(|error| failed(path, error))
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
