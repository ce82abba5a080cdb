//! libtorrent: a small script over its Python binding, which says `ready`, waits for a line, and writes what it does as lines
//! of JSON.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use serde_json::{Map, Value};

use super::{PORT, Part, arguments, write};
use crate::programs::python;

const SCRIPT: &str = include_str!("libtorrent_peer.py");

pub(super) fn command(part: &Part<'_>) -> io::Result<(PathBuf, Vec<OsString>)> {
    let python =
        python().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no python3 with libtorrent"))?;
    let script = write(part.state, "libtorrent_peer.py", SCRIPT)?;
    let mut settings = Map::new();
    // libtorrent counts the optimistic slot among its slots, as scenarios do.
    for (key, value) in [
        ("connections_limit", part.settings.max_connections),
        ("unchoke_slots_limit", part.settings.upload_slots),
    ] {
        value.into_iter().for_each(|value| _ = settings.insert(key.to_owned(), value.into()));
    }
    let settings = Value::Object(settings).to_string();
    let list = arguments(&[
        &script,
        &part.torrent,
        &part.folder,
        &part.address.to_string(),
        &PORT.to_string(),
        &settings,
    ]);
    Ok((PathBuf::from(python), list))
}
