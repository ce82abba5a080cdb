//! `swarmlab verify`: hashes what is on disk against a torrent.

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use serde::Serialize;
use swarmlab_experiments::units::{show_exact, show_size};
use swarmlab_metainfo::Metainfo;
use swarmlab_net::tree::{self, FileCheck, Found, Verified, Work};

use crate::env::Env;
use crate::error::Error;
use crate::exit::Exit;
use crate::join::parse_threads;
use crate::style::Palette;
use crate::text::{count, printable};
use crate::torrent;

/// Check what is on disk against a torrent
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  swarmlab verify film.torrent                  the content is here, under its name
  swarmlab verify film.torrent /media/film.mkv  the content is there
  swarmlab verify --json data.torrent | jq .complete

Exits with 3 if anything is missing or different.")]
pub struct Verify {
    /// The torrent
    #[arg(value_name = "TORRENT", value_hint = ValueHint::FilePath)]
    torrent: PathBuf,
    /// The content, or the directory that holds it [default: the current directory]
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    path: Option<PathBuf>,
    /// Number of threads that hash [default: one per core]
    #[arg(short = 'j', long, value_name = "THREADS", value_parser = parse_threads)]
    threads: Option<NonZeroUsize>,
    /// Print one JSON document (schema verify/1)
    #[arg(long)]
    json: bool,
}

/// Most ranges of bad pieces that are listed for people.
const MOST_RANGES: usize = 12;

/// Most characters of the bar of pieces.
const BAR: usize = 64;

#[derive(Serialize)]
struct Document {
    info_hash: String,
    name: String,
    path: PathBuf,
    piece_count: u32,
    pieces_ok: usize,
    complete: bool,
    bad_pieces: Vec<(u32, u32)>,
    files: Vec<DocumentFile>,
}

#[derive(Serialize)]
struct DocumentFile {
    path: String,
    length: u64,
    ok: bool,
    found: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    found_length: Option<u64>,
    pieces: u32,
    bad_pieces: u32,
}

impl Verify {
    pub(super) fn run(self, env: &Env) -> Result<Exit, Error> {
        let torrent = torrent::load(env, &self.torrent)?;
        let root = torrent::locate(env, &torrent, self.path.as_deref());
        let verified = {
            let progress = env.progress("verifying", torrent.length());
            let work = Work {
                threads: self.threads.unwrap_or_else(torrent::all_cores),
                progress: &|bytes| progress.add(bytes),
                stop: env.stop().flag(),
            };
            let expected = |piece| torrent.piece_hash(piece);
            tree::verify(&tree::sources(&torrent, &root), &torrent.layout(), expected, work)
        };
        let Ok(verified) = verified else {
            env.note("interrupted before the end");
            return Ok(env.stop().exit().unwrap_or(Exit::Failed));
        };
        if self.json {
            env.json("verify/1", &document(&torrent, &verified, root))?;
        } else {
            print(env, &torrent, &verified, &root)?;
        }
        Ok(if verified.is_complete() { Exit::Done } else { Exit::Unverified })
    }
}

fn document(torrent: &Metainfo, verified: &Verified, path: PathBuf) -> Document {
    let files = torrent.files().iter().zip(&verified.files).map(|(file, check)| DocumentFile {
        path: file.display_path(),
        length: file.length,
        ok: check.is_ok(),
        found: found_name(&check.found),
        found_length: match check.found {
            Found::Short(len) | Found::Long(len) => Some(len),
            _ => None,
        },
        pieces: check.pieces,
        bad_pieces: check.bad_pieces,
    });
    Document {
        info_hash: torrent.info_hash().to_string(),
        name: torrent.name().to_owned(),
        path,
        piece_count: torrent.layout().piece_count(),
        pieces_ok: verified.pieces_ok(),
        complete: verified.is_complete(),
        bad_pieces: bad_ranges(&verified.pieces).iter().map(|range| (*range.start(), *range.end())).collect(),
        files: files.collect(),
    }
}

fn found_name(found: &Found) -> &'static str {
    match found {
        Found::Right => "right",
        Found::Missing => "missing",
        Found::Short(_) => "short",
        Found::Long(_) => "long",
        Found::NotAFile => "not-a-file",
        Found::Unreadable(_) => "unreadable",
    }
}

fn print(env: &Env, torrent: &Metainfo, verified: &Verified, root: &Path) -> Result<(), Error> {
    let style = env.out_style();
    let mut out = env.out();
    out.line(format_args!(
        "{} in {}",
        style.bold(printable(torrent.name())),
        printable(&root.to_string_lossy())
    ))?;
    let right = verified.files.iter().filter(|check| check.is_ok()).count();
    for (file, check) in torrent.files().iter().zip(&verified.files) {
        if !check.is_ok() {
            let path = printable(&file.display_path());
            out.line(format_args!("  {} {path}: {}", style.bad("bad"), fault(file.length, check)))?;
        }
    }
    if torrent.is_multi_file() && right > 0 {
        let all = if right == verified.files.len() { "all " } else { "" };
        let verb = if right == 1 { "is" } else { "are" };
        out.line(format_args!("  {}  {all}{} {verb} right", style.good("ok"), count(right, "file")))?;
    }
    out.line(format_args!("  {}", bar(&verified.pieces, style)))?;
    let pieces = count(verified.pieces.len(), "piece");
    if verified.is_complete() {
        return out.line(format_args!(
            "{} {pieces}, {}",
            style.good("complete:"),
            show_exact(torrent.length())
        ));
    }
    let ranges = bad_ranges(&verified.pieces);
    out.line(format_args!(
        "{} {} of {pieces} verify{}",
        style.bad("incomplete:"),
        verified.pieces_ok(),
        listed(&ranges)
    ))
}

fn fault(length: u64, check: &FileCheck) -> String {
    match &check.found {
        Found::Right => format!("{} of {} wrong", check.bad_pieces, count(check.pieces as usize, "piece")),
        Found::Missing => "missing".to_owned(),
        Found::Short(len) => format!("too short, {} of {}", show_size(*len), show_exact(length)),
        Found::Long(len) => format!("too long, {} in place of {}", show_exact(*len), show_exact(length)),
        Found::NotAFile => "not a file".to_owned(),
        Found::Unreadable(error) => format!("cannot be read: {error}"),
    }
}

/// Runs of pieces that do not verify, first and last.
fn bad_ranges(pieces: &[bool]) -> Vec<RangeInclusive<u32>> {
    let mut ranges: Vec<RangeInclusive<u32>> = Vec::new();
    for (piece, _) in (0..).zip(pieces).filter(|(_, ok)| !**ok) {
        match ranges.last_mut() {
            Some(last) if last.end() + 1 == piece => *last = *last.start()..=piece,
            _ => ranges.push(piece..=piece),
        }
    }
    ranges
}

fn listed(ranges: &[RangeInclusive<u32>]) -> String {
    if ranges.is_empty() {
        return String::new();
    }
    let shown = ranges.iter().take(MOST_RANGES).map(|range| match range.start() == range.end() {
        true => range.start().to_string(),
        false => format!("{}-{}", range.start(), range.end()),
    });
    let shown = shown.collect::<Vec<_>>().join(", ");
    let more = ranges.len().saturating_sub(MOST_RANGES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("; bad pieces: {shown}{more}")
}

/// The pieces from first to last, several to a character if there are many: full, partly or not at all right.
fn bar(pieces: &[bool], style: Palette) -> String {
    let cells = pieces.len().min(BAR);
    let cell = |number: usize| {
        let part = &pieces[number * pieces.len() / cells..(number + 1) * pieces.len() / cells];
        match part.iter().filter(|ok| **ok).count() {
            all if all == part.len() => style.good('█').to_string(),
            0 => style.bad('·').to_string(),
            _ => style.warn('▒').to_string(),
        }
    };
    (0..cells).map(cell).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;
    use crate::testing::run_in;

    /// Content `tree` of 4 pieces of 16 KiB (`a` holds 0, 1 and half of 2; `b` the rest), and `tree.torrent`.
    fn case() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("tree")).unwrap();
        fs::write(dir.path().join("tree/a"), [1; 40_960]).unwrap();
        fs::write(dir.path().join("tree/b"), [2; 24_576]).unwrap();
        let outcome = run_in(dir.path(), &["create", "tree", "-l", "16 KiB"]);
        assert_eq!(outcome.status, 0, "{}", outcome.stderr);
        dir
    }

    #[test]
    fn what_is_right_is_complete() {
        let dir = case();
        for path in [&[][..], &["tree"], &["."]] {
            let args = [&["verify", "tree.torrent"], path].concat();
            let outcome = run_in(dir.path(), &args);
            assert_eq!(outcome.status, 0, "{path:?} {outcome:?}");
            let (_, said) = outcome.stdout.split_once('\n').unwrap();
            assert_eq!(
                said,
                "  ok  all 2 files are right\n  ████\ncomplete: 4 pieces, 64 KiB (65,536 bytes)\n"
            );
        }
    }

    #[test]
    fn damage_is_named_by_file_and_piece() {
        let dir = case();
        let mut bytes = [1; 40_960];
        bytes[20_000] = 9;
        fs::write(dir.path().join("tree/a"), bytes).unwrap();
        let outcome = run_in(dir.path(), &["verify", "tree.torrent", "tree"]);
        assert_eq!(outcome.status, 3);
        let (_, said) = outcome.stdout.split_once('\n').unwrap();
        assert_eq!(
            said,
            "  bad a: 1 of 3 pieces wrong\n  ok  1 file is right\n  █·██\nincomplete: 3 of 4 pieces verify; bad pieces: 1\n"
        );
    }

    #[test]
    fn json_tells_the_same() {
        let dir = case();
        fs::write(dir.path().join("tree/b"), [2; 24_000]).unwrap();
        let outcome = run_in(dir.path(), &["verify", "--json", "tree.torrent"]);
        assert_eq!(outcome.status, 3);
        let document = outcome.json();
        assert_eq!(document["schema"], "verify/1");
        assert_eq!(document["piece_count"], 4);
        assert_eq!(document["pieces_ok"], 3);
        assert_eq!(document["complete"], false);
        assert_eq!(document["bad_pieces"], json!([[3, 3]]));
        let files = json!([
            {"path": "a", "length": 40_960, "ok": true, "found": "right", "pieces": 3, "bad_pieces": 0},
            {"path": "b", "length": 24_576, "ok": false, "found": "short", "found_length": 24_000, "pieces": 2,
             "bad_pieces": 1},
        ]);
        assert_eq!(document["files"], files);
    }

    #[test]
    fn what_is_missing_does_not_verify() {
        let dir = case();
        fs::remove_dir_all(dir.path().join("tree")).unwrap();
        let outcome = run_in(dir.path(), &["verify", "tree.torrent"]);
        assert_eq!(outcome.status, 3);
        let (_, said) = outcome.stdout.split_once('\n').unwrap();
        assert_eq!(
            said,
            "  bad a: missing\n  bad b: missing\n  ····\nincomplete: 0 of 4 pieces verify; bad pieces: 0-3\n"
        );
    }

    #[test]
    fn single_file_by_its_path_or_its_directory() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("film"), [5; 50_000]).unwrap();
        assert_eq!(run_in(dir.path(), &["create", "film"]).status, 0);
        fs::create_dir(dir.path().join("there")).unwrap();
        fs::rename(dir.path().join("film"), dir.path().join("there/film")).unwrap();
        assert_eq!(run_in(dir.path(), &["verify", "film.torrent"]).status, 3);
        assert_eq!(run_in(dir.path(), &["verify", "film.torrent", "there"]).status, 0);
        assert_eq!(run_in(dir.path(), &["verify", "film.torrent", "there/film"]).status, 0);
    }

    #[test]
    fn many_ranges_are_cut_short() {
        let pieces: Vec<bool> = (0..100).map(|piece| piece % 2 == 0).collect();
        let text = listed(&bad_ranges(&pieces));
        assert!(text.ends_with("21, 23 and 38 more"), "{text}");
        assert_eq!(bar(&pieces, Palette::new(false)).chars().count(), BAR);
        assert_eq!(bar(&[], Palette::new(false)), "");
    }
}
