//! Hashing content piece by piece on all cores.
//!
//! Each thread hashes two pieces side by side ([`Lane`]s). The instructions for SHA-1 wait for each other's results: a
//! core that is given two independent streams by turns works on one while the other waits, and does about 1.7 times as
//! much as with one stream. Memory stays at a buffer and an open file per lane.

use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use swarmlab_metainfo::Layout;

use super::lane::{Lane, side_by_side};
use super::{Stopped, Work};

/// Bytes that a lane claims at a time at least: whoever claims small pieces reads several at once.
const RUN: u32 = 2 << 20;

/// Where a stretch of content comes from. All sources in order, end to end, are the content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file; `None` for zeros that no file holds (a pad file of BEP 47).
    pub path: Option<PathBuf>,
    /// Length in bytes.
    pub len: u64,
}

/// A source could not be read where a piece needed it.
#[derive(Debug)]
pub struct Trouble {
    /// Index of the source.
    pub source: usize,
    /// What happened.
    pub error: ReadError,
}

/// Why a source could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system says so.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It ends before the length it should have.
    #[error("the file ends at byte {0}")]
    Short(u64),
    /// It is a directory, a pipe or something else that holds no content.
    #[error("not a file")]
    NotAFile,
}

/// SHA-1 of a piece.
pub(super) type Hash = [u8; 20];

/// What became of each piece, in order.
pub(super) type Outcomes = Vec<Result<Hash, Trouble>>;

/// Hashes the pieces of the content. A piece that cannot be read is its own outcome; with `give_up` the first one
/// met ends the work and later pieces may be missing from the outcomes.
pub(super) fn hash_pieces(
    sources: &[Source],
    layout: &Layout,
    give_up: bool,
    work: Work<'_>,
) -> Result<Outcomes, Stopped> {
    let queue = Queue {
        layout,
        next: AtomicU32::new(0),
        run: (RUN / layout.piece_length()).max(1),
        starts: starts(sources),
        sources,
        give_up,
        work,
    };
    let helpers = work.threads.get().min(layout.piece_count().max(1) as usize) - 1;
    let mut runs = std::thread::scope(|scope| {
        // A system that refuses a thread gets the work done by the others.
        let threads: Vec<_> = (0..helpers)
            .filter_map(|_| {
                std::thread::Builder::new().name("hash".into()).spawn_scoped(scope, || queue.work()).ok()
            })
            .collect();
        let mut runs = queue.work();
        for thread in threads {
            match thread.join() {
                Ok(more) => runs.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        runs
    });
    if work.stop.load(Ordering::Relaxed) {
        return Err(Stopped);
    }
    runs.sort_unstable_by_key(|(first, _)| *first);
    Ok(runs.into_iter().flat_map(|(_, outcomes)| outcomes).collect())
}

/// Offset of each source in the content.
fn starts(sources: &[Source]) -> Vec<u64> {
    let offsets = sources.iter().scan(0, |end, source| {
        let start = *end;
        *end += source.len;
        Some(start)
    });
    offsets.collect()
}

/// The pieces still to be hashed, shared by all lanes of all threads.
pub(super) struct Queue<'a> {
    pub(super) layout: &'a Layout,
    /// First piece that nobody has claimed; past the end when there is none.
    next: AtomicU32,
    /// Pieces per claim.
    run: u32,
    pub(super) sources: &'a [Source],
    /// Offset of each source in the content.
    pub(super) starts: Vec<u64>,
    give_up: bool,
    work: Work<'a>,
}

impl Queue<'_> {
    /// Hashes on this thread until no piece is left; returns each run's first piece with its outcomes.
    fn work(&self) -> Vec<(u32, Outcomes)> {
        let [mut a, mut b] = [Lane::new(self), Lane::new(self)];
        while !self.work.stop.load(Ordering::Relaxed) {
            match (a.ready(), b.ready()) {
                (true, true) => side_by_side(&mut a, &mut b),
                (true, false) => a.feed(),
                (false, true) => b.feed(),
                (false, false) => break,
            }
        }
        let mut runs = a.into_runs();
        runs.append(&mut b.into_runs());
        runs
    }

    /// The next pieces that nobody has claimed: the first of them and the one behind the last.
    pub(super) fn claim(&self) -> Option<Range<u32>> {
        let count = self.layout.piece_count();
        let claim = |next: u32| (next < count).then(|| next.saturating_add(self.run));
        let first = self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, claim).ok()?;
        Some(first..first.saturating_add(self.run).min(count))
    }

    /// A piece of this length has come to its end, well or not.
    pub(super) fn done(&self, len: u32, well: bool) {
        (self.work.progress)(u64::from(len));
        if !well && self.give_up {
            self.next.store(u32::MAX, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::sync::atomic::AtomicBool;

    use sha1::{Digest as _, Sha1};

    use super::*;

    #[test]
    fn pad_files_are_zeros_between_files_of_any_length() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("content");
        let bytes: Vec<u8> = (0..700_001_u32).map(|i| (i * 31 + i / 251) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let (mut sources, mut content) = (Vec::new(), Vec::new());
        for (from_file, pad) in [(1, 0), (63, 1), (700_001, 300_000), (0, 5), (262_144, 262_144), (65, 127)] {
            sources.push(Source { path: Some(path.clone()), len: from_file as u64 });
            sources.push(Source { path: None, len: pad as u64 });
            content.extend_from_slice(&bytes[..from_file]);
            content.resize(content.len() + pad, 0);
        }
        for piece_length in [1 << 10, 64 << 10, 1 << 20] {
            let layout = Layout::new(content.len() as u64, piece_length, Layout::BLOCK_LEN).unwrap();
            for threads in [1, 3] {
                let stop = AtomicBool::new(false);
                let threads = NonZeroUsize::new(threads).unwrap();
                let work = Work { threads, progress: &|_| (), stop: &stop };
                let outcomes = hash_pieces(&sources, &layout, true, work).unwrap();
                let hashes: Vec<Hash> = outcomes.into_iter().map(Result::unwrap).collect();
                let plainly: Vec<Hash> =
                    content.chunks(piece_length as usize).map(|piece| Sha1::digest(piece).into()).collect();
                assert_eq!(hashes, plainly, "{piece_length} {threads}");
            }
        }
    }
}
