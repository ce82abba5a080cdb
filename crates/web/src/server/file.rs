//! A file as the body of an answer, read a part at a time: a trace may be larger than memory.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use http_body_util::StreamBody;
use hyper::body::Frame;
use tokio::task::spawn_blocking;

/// Bytes read at once.
const PART: u64 = 256 << 10;

/// A file that is about to be sent.
pub(super) struct Streamed<B> {
    /// Its length in bytes, or as much of it as is sent.
    pub(super) length: u64,
    /// The rest.
    pub(super) body: B,
}

/// Opens a file to send at most so many bytes of it. What it grows by meanwhile is not sent.
pub(super) fn open(
    path: &Path,
    most: u64,
) -> io::Result<Streamed<StreamBody<impl Stream<Item = io::Result<Frame<Bytes>>> + use<>>>> {
    let file = File::open(path)?;
    let length = file.metadata()?.len().min(most);
    let parts = stream::unfold((file, length), |(file, left)| async move {
        // After an error nothing more is read, and the answer is shorter than it said: the page can tell.
        let (bytes, file) = spawn_blocking(move || part(file, left)).await.ok()?.ok()?;
        let left = left - bytes.len() as u64;
        (!bytes.is_empty()).then(|| (Ok(Frame::data(bytes)), (file, left)))
    });
    Ok(Streamed { length, body: StreamBody::new(parts) })
}

fn part(file: File, left: u64) -> io::Result<(Bytes, File)> {
    let mut bytes = Vec::new();
    (&file).take(left.min(PART)).read_to_end(&mut bytes)?;
    Ok((bytes.into(), file))
}
