//! Torrent files: made by us and by others from the same content, and what each of them says about one.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::content::{Content, PIECE_LENGTH};
use crate::programs::{SWARMLAB, python, run};
use crate::stage::Stage;

/// A torrent file and its info hash as hex digits.
pub(crate) struct Torrent {
    pub(crate) path: PathBuf,
    pub(crate) info_hash: String,
}

/// Whether the `private` flag (BEP 27) is set, which is part of what is hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Privacy {
    Public,
    Private,
}

/// Programs that make torrents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Maker {
    Mktorrent,
    TransmissionCreate,
    Libtorrent,
}

/// Programs that tell what is in a torrent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    TransmissionShow,
    Aria2,
    Libtorrent,
}

/// Makes a torrent of `content` with `swarmlab create`; the info hash is what `create --json` says.
pub(crate) fn create(
    stage: &Stage,
    content: &Content,
    announce: &str,
    privacy: Privacy,
) -> Result<Torrent, String> {
    let path = stage.root().join("swarmlab.torrent");
    let mut command = Command::new(SWARMLAB);
    command.arg("create").arg(&content.path).arg("-o").arg(&path).args(["-a", announce, "--json"]);
    command.args(["-l", &PIECE_LENGTH.to_string()]);
    if privacy == Privacy::Private {
        command.arg("--private");
    }
    let document = json(&run(&mut command)?)?;
    Ok(Torrent { path, info_hash: text(&document, "info_hash")? })
}

/// What `swarmlab show --json` says of a torrent.
pub(crate) fn show(torrent: &Path) -> Result<Value, String> {
    json(&run(Command::new(SWARMLAB).arg("show").arg(torrent).arg("--json"))?)
}

/// A text field of a JSON document.
pub(crate) fn text(document: &Value, field: &str) -> Result<String, String> {
    let value = document[field].as_str().ok_or_else(|| format!("no text field {field:?} in {document}"))?;
    Ok(value.to_owned())
}

impl Maker {
    /// Makes a torrent of `content` and returns where it lies.
    pub(crate) fn make(self, stage: &Stage, content: &Content, privacy: Privacy) -> Result<PathBuf, String> {
        const ANNOUNCE: &str = "http://198.18.0.1:6969/announce";
        let path = stage.root().join("foreign.torrent");
        let mut command = match self {
            Maker::Mktorrent => {
                let mut command = Command::new("mktorrent");
                command.args(["-a", ANNOUNCE, "-l", &PIECE_LENGTH.ilog2().to_string(), "-o"]).arg(&path);
                command
            }
            Maker::TransmissionCreate => {
                let mut command = Command::new("transmission-create");
                command.args(["-t", ANNOUNCE, "-s", &(PIECE_LENGTH / 1024).to_string(), "-o"]).arg(&path);
                command
            }
            Maker::Libtorrent => {
                let mut command = Command::new(python().ok_or("no python with libtorrent")?);
                command.args(["-c", LIBTORRENT_CREATE, &PIECE_LENGTH.to_string()]).arg(&path);
                command
            }
        };
        if privacy == Privacy::Private {
            command.arg("-p");
        }
        run(command.arg(&content.path))?;
        Ok(path)
    }
}

impl Reader {
    /// The info hash the program finds in a torrent.
    pub(crate) fn info_hash(self, torrent: &Path) -> Result<String, String> {
        let (said, label) = match self {
            Reader::TransmissionShow => (run(Command::new("transmission-show").arg(torrent))?, "Hash: "),
            Reader::Aria2 => (run(Command::new("aria2c").arg("-S").arg(torrent))?, "Info Hash: "),
            Reader::Libtorrent => {
                let python = python().ok_or("no python with libtorrent")?;
                (run(Command::new(python).args(["-c", LIBTORRENT_SHOW]).arg(torrent))?, "Info Hash: ")
            }
        };
        let line = said.lines().find_map(|line| line.trim().strip_prefix(label));
        line.map(str::to_owned).ok_or_else(|| format!("no {label:?} in: {said}"))
    }
}

/// Arguments: piece length, output, `-p` for private (optional), content. Left to itself, libtorrent takes files in the
/// order in which the file system lists them.
const LIBTORRENT_CREATE: &str = "
import os, sys, libtorrent
piece, out, *private, path = sys.argv[1:]
folder = os.path.dirname(path)
found = [os.path.join(where, file) for where, _, names in os.walk(path) for file in names] or [path]
files = libtorrent.file_storage()
for file in sorted(found, key=os.fsencode):
    files.add_file(os.path.relpath(file, folder), os.path.getsize(file))
torrent = libtorrent.create_torrent(files, int(piece), libtorrent.create_torrent.v1_only)
torrent.set_priv(bool(private))
libtorrent.set_piece_hashes(torrent, folder)
open(out, 'wb').write(libtorrent.bencode(torrent.generate()))
";

const LIBTORRENT_SHOW: &str = "
import sys, libtorrent
print('Info Hash:', libtorrent.torrent_info(sys.argv[1]).info_hash())
";

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("not one JSON document: {error}: {text}"))
}
