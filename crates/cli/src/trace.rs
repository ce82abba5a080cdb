//! The file of a trace while it is written, of a simulated run or a real one: it replaces nothing but another trace.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use swarmlab_metainfo::Metainfo;
use swarmlab_net::recorder::{Recorder, SAMPLE};
use swarmlab_trace::{Content, Entry, GroupHead, Header, MAGIC, Writer};
use swarmlab_web::{Feed, FeedWriter, Pace, Show, Source, base64};

use crate::env::Env;
use crate::error::Error;
use crate::watching::Wanted;

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

/// The trace of a real run, which a thread writes.
#[derive(Debug)]
pub(crate) struct RealTrace {
    path: PathBuf,
    recorder: Recorder,
    /// Whether the user has named the file.
    is_named: bool,
    /// What pages read, if they may.
    feed: Option<Arc<Feed>>,
}

impl RealTrace {
    /// Begins it, if there is to be one. The last group of the header is that of those who are met.
    ///
    /// # Errors
    /// When there is something else at this path, or it cannot be made.
    pub(crate) fn begin(env: &Env, path: Option<&Path>, header: &Header) -> Result<Option<RealTrace>, Error> {
        path.map(|path| RealTrace::start(env, path, header, false)).transpose()
    }

    /// The same, for a page too.
    ///
    /// # Errors
    /// When there is something else at this path, or it cannot be made.
    pub(crate) fn wanted(env: &Env, wanted: &Wanted, header: &Header) -> Result<Option<RealTrace>, Error> {
        let Some(path) = &wanted.path else { return Ok(None) };
        let trace = RealTrace::start(env, path, header, wanted.is_watched())?;
        Ok(Some(RealTrace { is_named: wanted.is_named, ..trace }))
    }

    fn start(env: &Env, path: &Path, header: &Header, pages: bool) -> Result<RealTrace, Error> {
        let groups = header.groups.len() as u32;
        let (writer, feed) = create(env, path, header, pages)?;
        let recorder = Recorder::start(writer, groups.saturating_sub(1), groups);
        Ok(RealTrace { path: path.to_owned(), recorder, is_named: true, feed })
    }

    /// What pages see of it, if they may. A real swarm cannot be paused.
    pub(crate) fn show(&self, name: &str) -> Option<Show> {
        let source = Source::Live(self.feed.clone()?, None);
        Some(Show { name: name.to_owned(), lesson: Value::Null, source })
    }

    /// Who records.
    pub(crate) fn recorder(&self) -> Recorder {
        self.recorder.clone()
    }

    /// Ends it, if there is one: after everything that is recorded has ended.
    ///
    /// # Errors
    /// When it could not be written, then or before.
    pub(crate) fn finish(trace: Option<RealTrace>, env: &Env) -> Result<(), Error> {
        let Some(RealTrace { path, recorder, is_named, .. }) = trace else { return Ok(()) };
        recorder.finish(env.stop().exit().is_none()).map_err(|error| failed(&path, error))?;
        if is_named {
            env.note(format_args!("the trace is in {}", path.display()));
        }
        Ok(())
    }
}

/// A group of a real run: its name, role, number of endpoints, and their limits in bytes per second, up and down.
pub(crate) type Own<'a> = (&'a str, &'a str, u64, Option<u64>, Option<u64>);

/// The header of a real run: what is shared, with the bytes of its torrent file, and the groups of its own endpoints by name, role, count
/// and limits. Those who are met are a group more.
pub(crate) fn real_header(name: &str, torrent: Option<(&Metainfo, &[u8])>, own: &[Own<'_>]) -> Header {
    let group = |&(name, role, count, up, down): &Own<'_>| GroupHead {
        name: name.to_owned(),
        role: role.to_owned(),
        behaviour: "honest".to_owned(),
        preset: "swarmlab".to_owned(),
        count,
        up: up.unwrap_or(0),
        down: down.unwrap_or(0),
    };
    let others = GroupHead {
        behaviour: "unknown".to_owned(),
        preset: "unknown".to_owned(),
        ..group(&("others", "other", 0, None, None))
    };
    Header {
        content: torrent.map(|(torrent, _)| content(torrent)),
        groups: own.iter().map(group).chain([others]).collect(),
        nodes: own.iter().map(|(_, _, count, ..)| count).sum(),
        sample_us: SAMPLE.as_micros() as u64,
        torrent: torrent.map(|(_, bytes)| base64::encode(bytes)).filter(|text| !text.is_empty()),
        ..Header::new(name, "real")
    }
}

fn content(torrent: &Metainfo) -> Content {
    let layout = torrent.layout();
    Content {
        info_hash: torrent.info_hash().to_string(),
        name: torrent.name().to_owned(),
        length: layout.length(),
        piece_length: layout.piece_length(),
        piece_count: layout.piece_count(),
        block_length: layout.block_len(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_a_trace_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            fs::write(&path, bytes).unwrap();
            path
        };
        assert!(is_free(&dir.path().join("new")));
        assert!(is_free(&path("empty", b"")));
        assert!(is_free(&path("trace", b"swarmlab trace\x01\x00")));
        assert!(!is_free(&path("short", b"swarmlab")));
        assert!(!is_free(&path("film", b"something else entirely")));
        assert!(!is_free(dir.path()));
    }
}
