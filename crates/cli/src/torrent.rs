//! A torrent as commands take it: read from a file, found on disk, shown and written as JSON.

use std::fs::File;
use std::io::Read as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use serde::Serialize;
use swarmlab_metainfo::{Magnet, Metainfo, TorrentError};

use crate::env::Env;
use crate::error::Error;
use crate::text::printable;

/// Largest torrent file that is read, in bytes: what the parser takes at most.
const LARGEST: u64 = 64 << 20;

/// Reads a torrent and warns of what is odd about it.
///
/// # Errors
/// When the file cannot be read (exit status 1) or is not a valid torrent (2).
pub fn load(env: &Env, path: &Path) -> Result<Metainfo, Error> {
    let shown = path.display();
    let bytes = read(&env.resolve(path)).map_err(|error| {
        let told = Error::failed(format!("cannot read the torrent {shown}")).because(error);
        match similar(&env.resolve(path)) {
            Some(name) => told.help(format!("did you mean {}?", path.with_file_name(name).display())),
            None => told,
        }
    })?;
    if bytes.len() as u64 > LARGEST {
        return Err(Error::invalid(format!("{shown} is larger than 64 MiB: that is no torrent"))
            .help("give the .torrent file, not the content"));
    }
    let torrent = Metainfo::from_bytes(&bytes).map_err(|error| refuse(path, error))?;
    for warning in torrent.warnings() {
        env.warn(format_args!("{shown}: {}", printable(&warning.to_string())));
    }
    Ok(torrent)
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn refuse(path: &Path, error: TorrentError) -> Error {
    let help = match &error {
        TorrentError::Bencode(_) => format!("swarmlab decode {} shows it up to that byte", path.display()),
        TorrentError::Key { .. } => format!("swarmlab decode {} shows every byte of it", path.display()),
    };
    Error::invalid(format!("{} is not a valid torrent", path.display())).because(error).help(help)
}

/// The name of the torrent in the same directory that is nearest to one that does not exist.
fn similar(path: &Path) -> Option<String> {
    let wanted = path.file_name()?.to_str()?;
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let names = std::fs::read_dir(dir).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let torrents = names.filter(|name| name.ends_with(".torrent") && name != wanted);
    let nearest =
        torrents.min_by_key(|name| (swarmlab_experiments::units::distance(name, wanted), name.clone()))?;
    (swarmlab_experiments::units::distance(&nearest, wanted) <= 1 + wanted.len() / 3).then_some(nearest)
}

/// Where the content of a torrent lies if the user says it is at `path`, or nothing: the file, or the directory of a
/// multi-file torrent. A directory may be the one that holds the content or, of a multi-file torrent, be it.
pub fn locate(env: &Env, torrent: &Metainfo, path: Option<&Path>) -> PathBuf {
    let base = env.resolve(path.unwrap_or(Path::new("")));
    let below =
        [Some(torrent.name()), torrent.literal_name()].into_iter().flatten().map(|name| base.join(name));
    let below: Vec<PathBuf> = below.collect();
    let first = below.iter().find(|below| below.exists()).unwrap_or(&below[0]);
    match path {
        // In the current directory, under its name.
        None => first.clone(),
        Some(_) if !base.is_dir() => base,
        Some(_) if !torrent.is_multi_file() => first.clone(),
        // A directory of files that is not there itself, but is below under its name.
        Some(_) if first.is_dir() && !holds_any(torrent, &base) => first.clone(),
        Some(_) => base,
    }
}

fn holds_any(torrent: &Metainfo, root: &Path) -> bool {
    let on_disk = |file: &swarmlab_metainfo::File| {
        !file.pad && file.path.iter().fold(root.to_owned(), |path, name| path.join(name)).is_file()
    };
    torrent.files().iter().take(100).any(on_disk)
}

/// How many threads to hash with if the user does not say.
pub fn all_cores() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// What `create/1` and `show/1` say of a torrent.
#[derive(Serialize)]
pub struct Summary<'a> {
    info_hash: String,
    name: &'a str,
    length: u64,
    piece_length: u32,
    piece_count: u32,
    private: bool,
    announce: Option<&'a str>,
    announce_list: &'a [Vec<String>],
    files: Vec<SummaryFile>,
    comment: Option<&'a str>,
    created_by: Option<&'a str>,
    creation_date: Option<i64>,
    web_seeds: &'a [String],
    multi_file: bool,
    hybrid: bool,
    magnet: String,
}

#[derive(Serialize)]
struct SummaryFile {
    path: String,
    length: u64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pad: bool,
}

impl<'a> Summary<'a> {
    /// The summary of a torrent.
    pub fn of(torrent: &'a Metainfo) -> Summary<'a> {
        let layout = torrent.layout();
        let files = torrent.files().iter().map(|file| SummaryFile {
            path: file.display_path(),
            length: file.length,
            pad: file.pad,
        });
        Summary {
            info_hash: torrent.info_hash().to_string(),
            name: torrent.name(),
            length: torrent.length(),
            piece_length: layout.piece_length(),
            piece_count: layout.piece_count(),
            private: torrent.is_private(),
            announce: torrent.announce(),
            announce_list: torrent.announce_list(),
            files: files.collect(),
            comment: torrent.comment(),
            created_by: torrent.created_by(),
            creation_date: torrent.creation_date(),
            web_seeds: torrent.web_seeds(),
            multi_file: torrent.is_multi_file(),
            hybrid: torrent.is_hybrid(),
            magnet: Magnet::from(torrent).to_string(),
        }
    }
}
