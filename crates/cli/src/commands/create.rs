//! `swarmlab create`: makes a torrent from a file or a directory.

use std::fs::File;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, ValueHint};
use serde::Serialize;
use swarmlab_experiments::units::{parse_size, show_exact, show_size};
use swarmlab_metainfo::{Draft, DraftFile, Layout, Magnet, Metainfo, recommended_piece_length};
use swarmlab_net::tree::{self, HashError, Tree, WalkError, Work};

use crate::env::Env;
use crate::error::Error;
use crate::exit::Exit;
use crate::join::{Tier, check_url, parse_threads, parse_tier};
use crate::text::{count, printable};
use crate::torrent::{self, Summary};

/// Make a torrent from a file or a directory
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  swarmlab create holiday/ -a http://tracker.example/announce
  swarmlab create film.mkv -o /tmp/film.torrent -l '1 MiB' -c 'Summer 2026'
  swarmlab create data/ -a http://a/announce,http://b/announce -a http://backup/announce")]
pub struct Create {
    /// File or directory to share
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    path: PathBuf,
    /// Where to write the torrent [default: NAME.torrent in the current directory]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Tracker; each -a is a tier that is tried after the ones before, a comma joins trackers into one tier
    #[arg(short, long, value_name = "URL", value_parser = parse_tier)]
    announce: Vec<Tier>,
    /// Piece length, a power of two [default: what makes about 1,000 to 2,000 pieces]
    #[arg(short = 'l', long, value_name = "SIZE", value_parser = parse_piece_length)]
    piece_length: Option<u32>,
    /// Name of the content [default: the last part of PATH]
    #[arg(short, long)]
    name: Option<String>,
    /// Tell clients to use these trackers only, no other source of peers (BEP 27)
    #[arg(short, long)]
    private: bool,
    /// Comment for people
    #[arg(short, long, value_name = "TEXT")]
    comment: Option<String>,
    /// Web seed: a URL that serves the content too (BEP 19); may be repeated
    #[arg(short, long, value_name = "URL", value_parser = parse_web_seed)]
    web_seed: Vec<String>,
    /// Overwrite the torrent if it exists
    #[arg(short, long)]
    force: bool,
    /// Leave out the date, so that the same content gives the same bytes
    #[arg(long)]
    no_date: bool,
    /// Number of threads that hash [default: one per core]
    #[arg(short = 'j', long, value_name = "THREADS", value_parser = parse_threads)]
    threads: Option<NonZeroUsize>,
    /// Print one JSON document (schema create/1)
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Created<'a> {
    path: &'a Path,
    #[serde(flatten)]
    torrent: Summary<'a>,
}

/// Makes the torrent that `share`, `swarm` and `demo` spread: nothing but the content and its trackers. Nothing if the
/// user stopped it.
pub(super) fn make(
    env: &Env,
    path: &Path,
    tiers: Vec<Vec<String>>,
    piece_length: Option<u32>,
    output: &Path,
) -> Result<Option<Vec<u8>>, Error> {
    let create = Create {
        path: path.to_owned(),
        output: None,
        announce: tiers.into_iter().map(Tier).collect(),
        piece_length,
        name: None,
        private: false,
        comment: None,
        web_seed: Vec::new(),
        force: false,
        no_date: true,
        threads: None,
        json: false,
    };
    let name = create.torrent_name(env)?;
    let tree = create.walk(env, output)?;
    let Some(draft) = create.draft(env, &tree, name)? else { return Ok(None) };
    draft.to_bytes().map(Some).map_err(|error| Error::invalid("cannot make this torrent").because(error))
}

/// Writes beside the place and moves it there, so that nobody ever finds half a torrent.
pub(super) fn write(env: &Env, output: &Path, bytes: &[u8], force: bool) -> Result<(), Error> {
    let path = env.resolve(output);
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |error| Error::failed(format!("cannot write {}", output.display())).because(error);
    // `tempfile` would put the name of its own file, which nobody has asked for, around the system's error.
    let mut cause = None;
    let mut file = tempfile::Builder::new()
        .prefix(".swarmlab-")
        .suffix(".tmp")
        .make_in(dir, |path| File::create_new(path).inspect_err(|error| cause = error.raw_os_error()))
        .map_err(|error| failed(cause.map_or(error, std::io::Error::from_raw_os_error)))?;
    file.as_file_mut().write_all(bytes).map_err(failed)?;
    let persisted = if force { file.persist(&path) } else { file.persist_noclobber(&path) };
    match persisted {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Err(exists(output)),
        Err(error) => Err(failed(error.error)),
    }
}

impl Create {
    pub(super) fn run(self, env: &Env) -> Result<Exit, Error> {
        let name = self.torrent_name(env)?;
        let output = self.output.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.torrent")));
        self.check_output(env, &output)?;
        let tree = self.walk(env, &output)?;
        let Some(draft) = self.draft(env, &tree, name)? else {
            env.note("interrupted; nothing was written");
            return Ok(env.stop().exit().unwrap_or(Exit::Failed));
        };
        let bytes =
            draft.to_bytes().map_err(|error| Error::invalid("cannot make this torrent").because(error))?;
        let torrent = Metainfo::from_bytes(&bytes)
            .map_err(|error| Error::failed("cannot read it back").because(error))?;
        for warning in torrent.warnings() {
            env.warn(printable(&warning.to_string()));
        }
        write(env, &output, &bytes, self.force)?;
        self.print(env, &output, &torrent)?;
        Ok(Exit::Done)
    }

    fn torrent_name(&self, env: &Env) -> Result<String, Error> {
        if let Some(name) = &self.name {
            if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
                return Err(Error::invalid(format!("'{}' cannot be the name of a torrent", printable(name)))
                    .help("a name is that of a file: not empty, without a slash"));
            }
            return Ok(name.clone());
        }
        // `.` and `a/..` have a name only in full.
        let named = match self.path.file_name() {
            Some(name) => name.to_owned(),
            None => {
                let full =
                    std::fs::canonicalize(env.resolve(&self.path)).map_err(|error| self.unreadable(error))?;
                let name = full.file_name().map(ToOwned::to_owned);
                name.ok_or_else(|| {
                    Error::invalid(format!("{} has no name", self.path.display())).help("give one with -n")
                })?
            }
        };
        named.into_string().map_err(|name| {
            Error::invalid(format!("the name {} is not UTF-8, which a torrent needs", name.display()))
                .help("give another one with -n")
        })
    }

    fn unreadable(&self, error: std::io::Error) -> Error {
        Error::failed(format!("cannot read {}", self.path.display())).because(error)
    }

    fn check_output(&self, env: &Env, output: &Path) -> Result<(), Error> {
        let path = env.resolve(output);
        if path.is_dir() {
            return Err(Error::invalid(format!("{} is a directory", output.display())).help(format!(
                "name the torrent to write, such as -o {}",
                output.join("NAME.torrent").display()
            )));
        }
        if !self.force && path.symlink_metadata().is_ok() {
            return Err(exists(output));
        }
        Ok(())
    }

    fn walk(&self, env: &Env, output: &Path) -> Result<Tree, Error> {
        let tree = tree::walk(&env.resolve(&self.path), Some(&env.resolve(output))).map_err(|error| {
            let help = match &error {
                WalkError::Read { .. } => None,
                WalkError::Name { .. } => Some("rename it, or move it elsewhere"),
                WalkError::Loop { .. } => {
                    Some("remove the link, or share the directory it leads to by itself")
                }
                WalkError::Special { .. } | WalkError::Empty { .. } => {
                    Some("give a file or a directory with files")
                }
            };
            explain(error, help)
        })?;
        for left in &tree.left_out {
            env.warn(format_args!("left out {}: {}", printable(&left.path.to_string_lossy()), left.reason));
        }
        if tree.is_empty() {
            return Err(Error::invalid(format!(
                "there is nothing in {}: all files are empty",
                self.path.display()
            ))
            .help("a torrent needs at least one byte of content"));
        }
        Ok(tree)
    }

    /// What will be in the torrent; nothing if the user stopped it.
    fn draft(&self, env: &Env, tree: &Tree, name: String) -> Result<Option<Draft>, Error> {
        let piece_length = self.piece_length.unwrap_or_else(|| recommended_piece_length(tree.len()));
        let layout = Layout::new(tree.len(), piece_length.into(), Layout::BLOCK_LEN).map_err(|error| {
            Error::invalid("cannot cut this into pieces").because(error).help("give a larger -l")
        })?;
        let hashes = {
            let progress = env.progress("hashing", tree.len());
            let work = Work {
                threads: self.threads.unwrap_or_else(torrent::all_cores),
                progress: &|bytes| progress.add(bytes),
                stop: env.stop().flag(),
            };
            match tree::hash(tree, &layout, work) {
                Ok(hashes) => hashes,
                Err(HashError::Stopped(_)) => return Ok(None),
                Err(error @ HashError::Changed { .. }) => {
                    return Err(explain(error, Some("run it again when nothing writes to the file")));
                }
                Err(error) => return Err(explain(error, None)),
            }
        };
        Ok(Some(Draft {
            name,
            files: tree.files.iter().map(draft_file).collect(),
            piece_length,
            hashes,
            private: self.private,
            tiers: self.announce.iter().map(|tier| tier.0.clone()).collect(),
            web_seeds: self.web_seed.clone(),
            comment: self.comment.clone(),
            created_by: Some(concat!("swarmlab/", env!("CARGO_PKG_VERSION")).to_owned()),
            creation_date: (!self.no_date).then(now),
        }))
    }

    fn print(&self, env: &Env, output: &Path, torrent: &Metainfo) -> Result<(), Error> {
        if self.json {
            return env.json("create/1", &Created { path: output, torrent: Summary::of(torrent) });
        }
        let style = env.out_style();
        let layout = torrent.layout();
        let files =
            if torrent.is_multi_file() { count(torrent.files().len(), "file") + ", " } else { String::new() };
        let mut out = env.out();
        out.line(format_args!(
            "{} {}",
            style.good("wrote"),
            style.bold(printable(&output.display().to_string()))
        ))?;
        let fact = |name: &str| style.dim(format!("{name:<11}"));
        out.line(format_args!("  {} {}", fact("info hash"), style.code(torrent.info_hash())))?;
        out.line(format_args!("  {} {files}{}", fact("content"), show_exact(torrent.length())))?;
        let pieces = layout.piece_count();
        out.line(format_args!(
            "  {} {pieces} of {}",
            fact("pieces"),
            show_size(layout.piece_length().into())
        ))?;
        let magnet = printable(&Magnet::from(torrent).to_string());
        out.line(format_args!("  {} {}", fact("magnet"), style.code(magnet)))?;
        drop(out);
        let seed = format!("swarmlab seed {} {}", quoted(output), quoted(&self.path));
        env.note(format_args!("{} {}", env.err_style().dim("next:"), env.err_style().code(seed)));
        Ok(())
    }
}

fn explain(error: impl std::error::Error + Send + Sync + 'static, help: Option<&str>) -> Error {
    // The error names the file; its own cause says why.
    let told = Error::failed(printable(&error.to_string()));
    let told = match std::error::Error::source(&error) {
        Some(cause) => told.because(cause.to_string()),
        None => told,
    };
    match help {
        Some(help) => told.help(help),
        None => told,
    }
}

fn exists(output: &Path) -> Error {
    Error::failed(format!("{} exists already", output.display()))
        .help("overwrite it with -f, or name another file with -o")
}

fn draft_file(file: &tree::TreeFile) -> DraftFile {
    DraftFile { path: file.components.clone(), length: file.len, ..DraftFile::default() }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// A path as a shell takes it.
pub(super) fn quoted(path: &Path) -> String {
    let text = printable(&path.to_string_lossy());
    let plain = |c: char| c.is_alphanumeric() || "/._-+=:,@%".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

fn parse_web_seed(text: &str) -> Result<String, String> {
    check_url(text, &["http", "https", "ftp"], "/")?;
    Ok(text.to_owned())
}

/// Piece lengths that a torrent may be created with: below, hashes outweigh the content they protect; above, clients refuse.
const PIECE_LENGTHS: std::ops::RangeInclusive<u64> = 16 << 10..=256 << 20;

fn parse_piece_length(text: &str) -> Result<u32, String> {
    let length = parse_size(text).map_err(|error| error.to_string())?;
    if length.is_power_of_two() && PIECE_LENGTHS.contains(&length) {
        return Ok(length as u32);
    }
    let clamped = length.clamp(*PIECE_LENGTHS.start(), *PIECE_LENGTHS.end());
    let above = clamped.next_power_of_two();
    let nearest = if above - clamped > clamped - above / 2 { above / 2 } else { above };
    Err(format!(
        "a piece length is a power of two from 16 KiB to 256 MiB; the nearest is '{}'",
        show_size(nearest)
    ))
}

#[cfg(test)]
#[path = "create_tests.rs"]
mod tests;
