//! `swarmlab demo`: a real swarm on loopback in one command, to be watched, and the same swarm simulated.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueHint};
use swarmlab_metainfo::Metainfo;
use swarmlab_net::disk::Content;
use swarmlab_net::tree::Work;
use swarmlab_protocol::Random;

use super::create;
use swarmlab_experiments::units::{show_duration, show_rate, show_size};

use crate::closed::{self, Plan};
use crate::env::Env;
use crate::error::Error;
use crate::exit::Exit;
use crate::text::count;
use crate::torrent;
use crate::trace::RealTrace;
use crate::twin::Twin;
use crate::watching::{Wanted, WatchFlags, Watching, conclude};

/// Leeches, and the upload limit of every endpoint in bytes per second: the seed alone needs 32 MiB / 2.8 MB/s = 12.0 s
/// to send everything once, so choking and trading can be watched. More content gets as much more, so that it takes no
/// longer, as far as the machine goes.
const LEECHES: usize = 8;
const MAX_UP: u64 = 2_800_000;
/// Length of the content made here, and of its pieces.
const LENGTH: usize = 32 << 20;
const PIECE_LENGTH: u32 = 256 << 10;

/// The project's own sources, as they were when the program was built.
const SOURCES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/sources.rs"));

/// Watch a real file spread through a real swarm on this machine, then the same swarm simulated
#[derive(Debug, Args)]
#[command(after_long_help = "\
Makes a torrent of the program's own sources and some made-up files (or of PATH), starts a tracker,
a seed and 8 leeches on 127.0.0.1, and checks every copy byte for byte. Upload limits make it last
some 15 s, if the machine can. Then it simulates the same swarm, and one of 1,000 leeches, and
prints all three side by side. Everything is written to a temporary directory that is removed at
the end.

Examples:
  swarmlab demo
  swarmlab demo --watch                the real swarm on a page as well, until Ctrl-C
  swarmlab demo ~/pictures")]
pub struct Demo {
    /// Spread this instead
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    path: Option<PathBuf>,
    /// Write what happens in the real swarm to this file, for swarmlab replay
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    trace: Option<PathBuf>,
    #[command(flatten)]
    watch: WatchFlags,
}

impl Demo {
    pub(super) fn run(self, env: &Env) -> Result<Exit, Error> {
        let wanted = self.watch.wanted(env, self.trace.as_deref())?;
        let mut watching = None;
        let ended = self.spread(env, &wanted, &mut watching);
        conclude(env, watching, ended)
    }

    /// The demonstration; a page of it goes to `watching`, if one is wanted.
    fn spread(&self, env: &Env, wanted: &Wanted, watching: &mut Option<Watching>) -> Result<Exit, Error> {
        let failed = |error| Error::failed("cannot make a temporary directory").because(error);
        let dir = tempfile::Builder::new().prefix("swarmlab-demo-").tempdir().map_err(failed)?;
        env.stop().takes_along(dir.path());
        let source = match &self.path {
            Some(path) => env.resolve(path),
            None => {
                let path = dir.path().join("swarmlab-demo");
                make_content(&path).map_err(|error| {
                    Error::failed(format!("cannot write {}", path.display())).because(error)
                })?;
                path
            }
        };
        let (socket, url) = closed::tracker_socket()?;
        let piece_length = self.path.is_none().then_some(PIECE_LENGTH);
        let made = create::make(env, &source, vec![vec![url.clone()]], piece_length, Path::new(""))?;
        let Some(bytes) = made else { return Ok(env.stop().exit().unwrap_or(Exit::Failed)) };
        let torrent = Metainfo::from_bytes(&bytes)
            .map_err(|error| Error::failed("cannot read the torrent back").because(error))?;
        let torrent = Arc::new(torrent);
        let leeches = (1..=LEECHES).map(|number| dir.path().join(format!("leech-{number}"))).collect();
        self.tell(env, &torrent, &url)?;
        let mut plan = Plan {
            torrent: torrent.clone(),
            source,
            leeches,
            max_up: Some(limit(torrent.length())),
            max_down: None,
            recorder: None,
        };
        let trace = plan.record(env, ("demo", &bytes), wanted)?;
        *watching = wanted.serve(env, trace.as_ref().and_then(|trace| trace.show("demo")))?;
        let report = env.block_on(closed::run(env, &plan, socket));
        RealTrace::finish(trace, env)?;
        let report = report??;
        closed::print(env, &report, torrent.length())?;
        if !report.is_complete() {
            return Ok(env.stop().exit().unwrap_or(Exit::Unfinished));
        }
        let identical = compare(env, &plan)?;
        let style = env.out_style();
        let mut out = env.out();
        if identical == LEECHES {
            out.line(format_args!(
                "{} all {LEECHES} copies are identical to the original, byte for byte; {} in all",
                style.good("verified:"),
                show_duration(report.seconds),
            ))?;
            drop(out);
            let twin = Twin { layout: torrent.layout(), leeches: LEECHES as u32, max_up: MAX_UP };
            let done = twin.print_beside(env, &report)?;
            return Ok(if done { Exit::Done } else { env.stop().exit().unwrap_or(Exit::Unfinished) });
        }
        out.line(format_args!(
            "{} only {identical} of {LEECHES} copies are identical",
            style.bad("different:")
        ))?;
        Ok(Exit::Unverified)
    }

    fn tell(&self, env: &Env, torrent: &Metainfo, url: &str) -> Result<(), Error> {
        let style = env.out_style();
        let layout = torrent.layout();
        let mut out = env.out();
        out.line(style.bold("A real swarm on this machine: a tracker, a seed and 8 leeches over TCP"))?;
        out.line(format_args!(
            "  content   {} in {}, {} pieces of {}",
            show_size(layout.length()),
            count(torrent.files().len(), "file"),
            layout.piece_count(),
            show_size(layout.piece_length().into()),
        ))?;
        out.line(format_args!("  info hash {}", torrent.info_hash()))?;
        out.line(format_args!("  tracker   {url}"))?;
        // The larger of two bounds (Kumar and Ross, 2006): the seed must send every byte once. That all must upload what
        // the leeches lack takes 8/9 of that, as all have the same limit.
        let limit = limit(layout.length());
        let bound = layout.length() as f64 / limit as f64;
        out.line(format_args!(
            "  limits    every endpoint uploads at most {}: no swarm can be done before {bound:.1} s\n",
            show_rate(limit)
        ))
    }
}

/// The upload limit of every endpoint for so much content, in bytes per second.
fn limit(length: u64) -> u64 {
    MAX_UP.max((u128::from(length) * u128::from(MAX_UP) / LENGTH as u128) as u64)
}

/// The sources and files of odd lengths, among them an empty one, up to the length in all.
fn make_content(dir: &Path) -> std::io::Result<()> {
    let mut rest = LENGTH;
    for (name, bytes) in SOURCES {
        let path = dir.join("sources").join(name);
        fs::create_dir_all(path.parent().unwrap_or(dir))?;
        fs::write(path, bytes)?;
        rest = rest.saturating_sub(bytes.len());
    }
    fs::create_dir_all(dir.join("made-up"))?;
    fs::write(dir.join("made-up/empty"), b"")?;
    let mut random = Random::new(1);
    for number in 1.. {
        let len = if number < 8 { rest / 3 } else { rest };
        let bytes: Vec<u8> = (0..len.div_ceil(8)).flat_map(|_| random.bits().to_le_bytes()).collect();
        fs::write(dir.join(format!("made-up/{number}.bin")), &bytes[..len])?;
        rest -= len;
        if rest == 0 {
            break;
        }
    }
    Ok(())
}

/// How many leeches hold exactly what the seed holds, file by file, byte by byte, with the hashes of the torrent.
fn compare(env: &Env, plan: &Plan) -> Result<usize, Error> {
    let original = Content::at(plan.torrent.clone(), &plan.source);
    let mut identical = 0;
    for dir in &plan.leeches {
        let copy = Content::below(plan.torrent.clone(), dir);
        let mut same = true;
        for number in 0..plan.torrent.files().len() {
            let (one, other) = (original.path_of(number), copy.path_of(number));
            same &= is_same(&one, &other).map_err(|error| {
                Error::failed(format!("cannot compare {} with {}", one.display(), other.display()))
                    .because(error)
            })?;
        }
        let work = Work { threads: torrent::all_cores(), progress: &|_| {}, stop: env.stop().flag() };
        let hashes_fit = copy.check(work).is_ok_and(|have| have.is_full());
        identical += usize::from(same && hashes_fit);
    }
    Ok(identical)
}

/// Whether two files hold the same bytes. They may be larger than memory.
fn is_same(one: &Path, other: &Path) -> std::io::Result<bool> {
    const PART: u64 = 256 << 10;
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    let (mut left, mut right) = (Vec::new(), Vec::new());
    loop {
        left.clear();
        right.clear();
        one.by_ref().take(PART).read_to_end(&mut left)?;
        other.by_ref().take(PART).read_to_end(&mut right)?;
        if left != right {
            return Ok(false);
        }
        if left.is_empty() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn much_content_takes_no_longer_than_the_one_made_here() {
        assert_eq!(limit(LENGTH as u64), MAX_UP);
        assert_eq!(limit(1), MAX_UP);
        assert_eq!(limit(1 << 30), 32 * MAX_UP);
    }

    #[test]
    fn files_are_the_same_only_to_the_last_byte() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            fs::write(&path, bytes).unwrap();
            path
        };
        let long = vec![7; 600_000];
        let (one, other) = (file("one", &long), file("other", &long));
        assert!(is_same(&one, &other).unwrap());
        let mut changed = long.clone();
        changed[599_999] = 8;
        assert!(!is_same(&one, &file("changed", &changed)).unwrap());
        assert!(!is_same(&one, &file("shorter", &long[..599_999])).unwrap());
        assert!(is_same(&file("empty", b""), &file("empty too", b"")).unwrap());
    }
}
