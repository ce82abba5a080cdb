//! A trace while it is written: the bytes go to a file, and any number of pages read behind. The run waits for no page, memory
//! does not grow with the run, and what a page has missed is still there when it ends.
//!
//! [`FeedWriter`] is handed to whoever writes the trace. It finds the ends of the frames (`docs/trace.md`), so that pages are only
//! told of whole ones, and remembers the last keyframe, where a page that is too far behind goes on. Where it goes on
//! is a pure function, [`next`].

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use swarmlab_trace::{HEAD, OPENING, kind};
use tokio::sync::watch;

/// A page that is further behind is brought to the last keyframe, in bytes: about what a page decodes in half a second.
const MOST_BEHIND: u64 = 16 << 20;
/// Most bytes sent to a page at once, unless one frame has more.
const PART: u64 = 256 << 10;
/// Bytes before the first frame.
const PREFACE: u64 = OPENING as u64;
/// Bytes that a varint may have.
const MOST_OF_A_NUMBER: usize = 10;

/// The reading side of a trace that is being written. Clones of the `Arc` are the same trace.
#[derive(Debug)]
pub struct Feed {
    path: PathBuf,
    written: watch::Sender<Written>,
}

/// A place between two frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Bytes before it.
    pub(crate) offset: u64,
    /// Frames before it.
    pub(crate) frames: u64,
}

/// How far the trace has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// Behind the last whole frame.
    pub(crate) whole: Place,
    /// Behind the header.
    header: Place,
    /// Before the last keyframe.
    keyframe: Option<Place>,
    /// Nothing more comes.
    pub(crate) ended: bool,
}

/// What a page is given next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The frames from here to at most here; they end with a whole one in any case.
    Part(u64, u64),
    /// It is too far behind, and goes on here.
    Skip(Place),
    /// Nothing yet.
    Wait,
}

/// What a page that has everything before `at` is given next.
pub(crate) fn next(at: Place, written: &Written) -> Next {
    if at.offset < written.header.offset {
        return Next::Part(at.offset, written.header.offset);
    }
    let behind = written.whole.offset - at.offset;
    match written.keyframe {
        // After the end nothing runs away any more.
        Some(key) if behind > MOST_BEHIND && key.offset > at.offset && !written.ended => Next::Skip(key),
        _ if behind > 0 && written.header.offset > 0 => Next::Part(at.offset, at.offset + behind.min(PART)),
        _ => Next::Wait,
    }
}

impl Feed {
    /// Begins a trace in a file of this name; whatever was there is replaced.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn create(path: &Path) -> io::Result<(Arc<Feed>, FeedWriter)> {
        let file = File::create(path)?;
        let feed = Arc::new(Feed { path: path.to_owned(), written: watch::Sender::default() });
        let writer =
            FeedWriter { file, feed: feed.clone(), scan: Scan::default(), written: Written::default() };
        Ok((feed, writer))
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How far it has come, and when that changes.
    pub(crate) fn written(&self) -> watch::Receiver<Written> {
        self.written.subscribe()
    }

    /// Whether nothing more comes.
    pub fn has_ended(&self) -> bool {
        self.written.borrow().ended
    }
}

/// Whole frames, as a page is sent them.
#[derive(Debug)]
pub(crate) struct Part {
    /// The bytes of the frames; of the first part also the preface.
    pub(crate) bytes: Vec<u8>,
    /// How many frames they are.
    pub(crate) frames: u64,
    /// The time at which the last of them begins, in microseconds of the run; nothing if it has none.
    pub(crate) at: Option<u64>,
}

/// Reads whole frames from `from` on: all that end before `to`, but at least one.
pub(crate) fn read(file: &File, from: u64, to: u64) -> io::Result<Part> {
    let (mut end, mut frames, mut last) = (if from == 0 { PREFACE } else { from }, 0, 0);
    while end < to {
        let mut head = [0; HEAD];
        file.read_exact_at(&mut head, end)?;
        let after = end + HEAD as u64 + u64::from(length(&head));
        if frames > 0 && after > to {
            break;
        }
        last = (end - from) as usize;
        (end, frames) = (after, frames + 1);
    }
    let mut bytes = vec![0; (end - from) as usize];
    file.read_exact_at(&mut bytes, from)?;
    let at = bytes.get(last..).and_then(time_of);
    Ok(Part { bytes, frames, at })
}

/// The time at which a frame begins: the first number of every body but that of the header.
fn time_of(frame: &[u8]) -> Option<u64> {
    let (head, body) = frame.split_at_checked(HEAD)?;
    let mut time = 0;
    for (at, byte) in body.iter().take(MOST_OF_A_NUMBER).enumerate() {
        time |= u64::from(byte & 0x7f).checked_shl(7 * at as u32)?;
        if byte & 0x80 == 0 {
            return (head[0] != kind::HEADER).then_some(time);
        }
    }
    None
}

fn length(head: &[u8; HEAD]) -> u32 {
    u32::from_le_bytes([head[1], head[2], head[3], head[4]])
}

/// Finds the frames in bytes that come in parts of any size.
#[derive(Debug, Default)]
struct Scan {
    /// Bytes seen.
    seen: u64,
    /// What is there of a head.
    head: Vec<u8>,
    /// Bytes to the end of the body; its head is whole while it is not zero or the head is full.
    body: u64,
}

impl Scan {
    /// Takes more bytes; tells where frames end.
    fn take(&mut self, mut bytes: &[u8], written: &mut Written) {
        let preface = (PREFACE.saturating_sub(self.seen) as usize).min(bytes.len());
        self.seen += preface as u64;
        bytes = &bytes[preface..];
        while !bytes.is_empty() {
            if self.head.len() < HEAD {
                let (some, rest) = bytes.split_at((HEAD - self.head.len()).min(bytes.len()));
                self.head.extend_from_slice(some);
                self.seen += some.len() as u64;
                bytes = rest;
                let Ok(head) = <[u8; HEAD]>::try_from(self.head.as_slice()) else { return };
                self.body = length(&head).into();
            }
            let some = (bytes.len() as u64).min(self.body);
            self.seen += some;
            self.body -= some;
            bytes = &bytes[some as usize..];
            if self.body == 0 {
                self.frame(written);
            }
        }
    }

    /// A frame is whole.
    fn frame(&mut self, written: &mut Written) {
        match self.head[0] {
            kind::KEYFRAME => written.keyframe = Some(written.whole),
            kind::END => written.ended = true,
            _ => {}
        }
        written.whole = Place { offset: self.seen, frames: written.whole.frames + 1 };
        if written.header == Place::default() {
            written.header = written.whole;
        }
        self.head.clear();
    }
}

/// The writing side. When it is dropped, the trace has ended, with or without an end frame.
#[derive(Debug)]
pub struct FeedWriter {
    file: File,
    feed: Arc<Feed>,
    scan: Scan,
    written: Written,
}

impl Write for FeedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = self.file.write(bytes)?;
        let before = self.written;
        self.scan.take(&bytes[..len], &mut self.written);
        if self.written != before {
            self.feed.written.send_replace(self.written);
        }
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for FeedWriter {
    fn drop(&mut self) {
        self.written.ended = true;
        self.feed.written.send_replace(self.written);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A preface and frames of these kinds and lengths of body.
    fn trace(frames: &[(u8, u32)]) -> Vec<u8> {
        let mut bytes = vec![b'p'; PREFACE as usize];
        for &(kind, len) in frames {
            bytes.push(kind);
            bytes.extend(len.to_le_bytes());
            bytes.extend([0; 4]);
            bytes.extend(vec![kind; len as usize]);
        }
        bytes
    }

    fn place(offset: u64, frames: u64) -> Place {
        Place { offset, frames }
    }

    #[test]
    fn frames_are_found_however_they_are_written() {
        let dir = tempfile::tempdir().unwrap();
        let bytes = trace(&[(1, 5), (2, 0), (3, 7), (2, 300), (4, 1)]);
        let key = place(16 + 14 + 9, 2);
        let whole = place(bytes.len() as u64, 5);
        for size in [1, 2, 8, 9, 10, 31, bytes.len()] {
            let (feed, mut writer) = Feed::create(&dir.path().join("trace")).unwrap();
            for part in bytes.chunks(size) {
                writer.write_all(part).unwrap();
            }
            let written = *feed.written().borrow();
            let expected = Written { whole, header: place(30, 1), keyframe: Some(key), ended: true };
            assert_eq!(written, expected, "{size} bytes at a time");
        }
    }

    #[test]
    fn half_a_frame_is_not_told_and_a_dropped_writer_is_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let (feed, mut writer) = Feed::create(&dir.path().join("trace")).unwrap();
        let bytes = trace(&[(1, 5), (2, 8)]);
        writer.write_all(&bytes[..bytes.len() - 1]).unwrap();
        assert_eq!(feed.written().borrow().whole, place(30, 1));
        assert!(!feed.has_ended());
        drop(writer);
        assert!(feed.has_ended());
    }

    #[test]
    fn parts_end_with_whole_frames() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("trace");
        let bytes = trace(&[(1, 5), (2, 100), (2, 100), (2, 1000), (2, 1)]);
        std::fs::write(&path, &bytes).unwrap();
        let file = File::open(&path).unwrap();
        let part = |from, to| {
            let part = read(&file, from, to).unwrap();
            assert_eq!(part.bytes, bytes[from as usize..from as usize + part.bytes.len()]);
            (part.bytes.len(), part.frames)
        };
        assert_eq!(part(0, 30), (30, 1), "preface and header");
        assert_eq!(part(30, 30 + 250), (218, 2));
        assert_eq!(part(30 + 218, 30 + 218 + 250), (1009, 1), "a frame that is larger comes whole");
        assert_eq!(part(30, bytes.len() as u64), (bytes.len() - 30, 4));
    }

    #[test]
    fn a_frame_begins_with_its_time() {
        let frame = |kind, body: &[u8]| [&[kind, 0, 0, 0, 0, 0, 0, 0, 0], body].concat();
        assert_eq!(time_of(&frame(2, &[5, 9])), Some(5));
        assert_eq!(time_of(&frame(3, &[0x80, 0x89, 0x7a, 1])), Some(0x7a << 14 | 9 << 7));
        assert_eq!(time_of(&frame(2, &[0xff; 12])), None);
        assert_eq!(time_of(&frame(1, b"{}")), None);
        assert_eq!(time_of(&frame(2, &[])), None);
    }

    #[test]
    fn who_is_far_behind_goes_on_at_the_last_keyframe() {
        let far = MOST_BEHIND + 1;
        let key = place(far, 900);
        let header = place(100, 1);
        let near = Written { whole: place(1_000, 9), header, keyframe: Some(place(500, 5)), ended: false };
        let ahead = Written { whole: place(far + 200, 1_000), header, keyframe: Some(key), ended: false };
        let table = [
            (place(0, 0), Written::default(), Next::Wait),
            (place(0, 0), near, Next::Part(0, 100)),
            (place(100, 1), near, Next::Part(100, 1_000)),
            (place(1_000, 9), near, Next::Wait),
            (place(0, 0), ahead, Next::Part(0, 100)),
            (place(100, 1), ahead, Next::Skip(key)),
            (place(100, 1), Written { ended: true, ..ahead }, Next::Part(100, 100 + PART)),
            (place(100, 1), Written { keyframe: None, ..ahead }, Next::Part(100, 100 + PART)),
            (key, ahead, Next::Part(far, far + 200)),
        ];
        for (at, written, expected) in table {
            assert_eq!(next(at, &written), expected, "{at:?} of {written:?}");
        }
    }
}
