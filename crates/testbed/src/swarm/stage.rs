//! What stands before the first peer comes: the content and its torrent, the network, the tracker.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use swarmlab_metainfo::{Draft, DraftFile, sha1};
use swarmlab_sim::Model;

use super::Setup;
use crate::error::TestbedError;
use crate::ground::Ground;
use crate::layout::{HUB, Layout, Link};
use crate::process::Process;
use crate::rpc;
use crate::scratch::Scratch;

/// The name of the content, which the torrent gives.
const CONTENT: &str = "content.bin";
/// Where the tracker listens.
const TRACKER_PORT: u16 = 6969;
/// How long the tracker may take to be there.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks at the tracker's counts.
const LOOK: Duration = Duration::from_millis(500);

/// Everything but the peers.
pub(super) struct Stage {
    // In the order in which it is given up: programs, the network, files.
    tracker: Tracker,
    pub(super) ground: Ground,
    pub(super) scratch: Scratch,
    /// Holds the content, for seeds.
    pub(super) seeds: PathBuf,
    pub(super) content: PathBuf,
    pub(super) torrent: PathBuf,
}

impl Stage {
    /// Makes all of it for the peers of a model, in the order of their numbers.
    pub(super) fn make(setup: &Setup<'_>, model: &Model, groups: &[u32]) -> Result<Stage, TestbedError> {
        let file = |path: PathBuf| move |error| TestbedError::File(path, error);
        let scratch = Scratch::make().map_err(file(std::env::temp_dir()))?;
        (setup.scratch)(scratch.path());
        let seeds = scratch.folder("seeds").map_err(file(scratch.path().to_owned()))?;
        let bytes = setup.scenario.content.bytes(model.seed)?;
        let content = seeds.join(CONTENT);
        fs::write(&content, &bytes).map_err(file(content.clone()))?;
        let torrent = scratch.path().join("content.torrent");
        fs::write(&torrent, torrent_of(&bytes, model)).map_err(file(torrent.clone()))?;
        drop(bytes);
        let link = |group: &u32| {
            let group = &model.groups[*group as usize];
            Link { up: group.up, down: group.down }
        };
        let layout = Layout {
            prefix: format!("swl-{}", std::process::id()),
            links: groups.iter().map(link).collect(),
            queue: model.network.queue,
        };
        let ground = Ground::make(layout)?;
        let tracker = Tracker::start(setup, model, &ground, &scratch)?;
        Ok(Stage { tracker, ground, scratch, seeds, content, torrent })
    }

    /// Announces the tracker has answered so far.
    pub(super) fn announces(&self) -> u64 {
        self.tracker.announces.load(Ordering::Acquire)
    }

    /// Lets the tracker answer, or not.
    pub(super) fn tracker_up(&self, up: bool) {
        self.tracker.process.signal(if up { Signal::CONT } else { Signal::STOP });
    }
}

fn torrent_of(bytes: &[u8], model: &Model) -> Vec<u8> {
    let piece_length = model.content.layout.piece_length();
    let draft = Draft {
        name: CONTENT.to_owned(),
        files: vec![DraftFile::single(bytes.len() as u64)],
        piece_length,
        hashes: bytes.chunks(piece_length as usize).flat_map(sha1).collect(),
        tiers: vec![vec![format!("http://{HUB}:{TRACKER_PORT}/announce")]],
        ..Draft::default()
    };
    draft.to_bytes().expect("a scenario has a layout that torrents can have")
}

/// This program's tracker, beside the bridge.
struct Tracker {
    process: Process,
    announces: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
}

impl Tracker {
    fn start(
        setup: &Setup<'_>,
        model: &Model,
        ground: &Ground,
        scratch: &Scratch,
    ) -> Result<Tracker, TestbedError> {
        let mut command = ground.at_hub(setup.program);
        command.args(["tracker", "--listen", &format!("{HUB}:{TRACKER_PORT}")]);
        command.args(["--interval", &format!("{} s", model.tracker.interval.as_secs().max(1))]);
        command.args(["--numwant", &model.tracker.numwant.to_string()]);
        if let Some(least) = model.tracker.min_interval {
            command.args(["--min-interval", &format!("{} s", least.as_secs().max(1))]);
        }
        let mut process = Process::start("tracker", command, scratch.path(), true)?;
        let output = process.output();
        let (announces, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        // It prints its address when it listens.
        let mut line = String::new();
        let listens = output.map(|output| BufReader::new(output).read_line(&mut line));
        if !matches!(listens, Some(Ok(length)) if length > 0) {
            return Err(process.lost("did not listen"));
        }
        watch(Ground::namespace_of(ground.holder()), Arc::clone(&announces), Arc::clone(&over));
        let tracker = Tracker { process, announces, over };
        Ok(tracker)
    }
}

impl Drop for Tracker {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
    }
}

/// Looks at the tracker's counts now and then, until it is over.
fn watch(namespace: String, announces: Arc<AtomicU64>, over: Arc<AtomicBool>) {
    let server = (HUB, TRACKER_PORT).into();
    thread::spawn(move || {
        let begun = Instant::now();
        let mut inside = false;
        while !over.load(Ordering::Acquire) {
            inside = inside || rpc::enter(&namespace).is_ok();
            let page = inside.then(|| rpc::get(server, "/stats.json").ok()).flatten();
            let stats = page.and_then(|page| serde_json::from_str::<serde_json::Value>(&page.body).ok());
            match stats.and_then(|stats| stats["announces"].as_u64()) {
                Some(count) => announces.store(count, Ordering::Release),
                // It may be stopped on purpose; one that never was there is noticed by the peers.
                None if begun.elapsed() > PATIENCE && announces.load(Ordering::Acquire) == 0 => return,
                None => {}
            }
            thread::sleep(LOOK);
        }
    });
}
