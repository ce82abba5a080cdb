//! How fast a tree is hashed, in GB/s per core, beside the raw rate of the `sha1` crate over memory in the same run.
//!
//! Run with `cargo bench -p swarmlab-net --bench hashing`. The content lies in the page cache, once in the temporary
//! directory (`TMPDIR`) and once in memory (`/dev/shm`, where there is one). Rounds alternate so that noise of the
//! machine meets all alike; each tree's time is divided by the raw time of its own round, and the medians are told.
#![allow(clippy::print_stdout)]

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use sha1::{Digest as _, Sha1};
use swarmlab_metainfo::Layout;
use swarmlab_net::tree::{Work, hash, walk};

const SIZE: usize = 512 << 20;
const PIECES: [usize; 2] = [256 << 10, 1 << 20];
const ROUNDS: usize = 9;

fn main() {
    let content: Vec<u8> =
        (0..SIZE / 8).flat_map(|i| (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()).collect();
    for dir in [std::env::temp_dir(), PathBuf::from("/dev/shm")] {
        if dir.is_dir() {
            for piece in PIECES {
                compare(&content, piece, &dir);
            }
        }
    }
}

/// Hashes the content from memory, and from a file in `dir` on one thread and on all.
fn compare(content: &[u8], piece: usize, dir: &Path) {
    let tree_dir = tempfile::tempdir_in(dir).expect("a temporary directory");
    std::fs::write(tree_dir.path().join("content"), content).expect("room for the content");
    let tree = walk(tree_dir.path(), None).expect("a tree");
    let layout = Layout::new(SIZE as u64, piece as u64, Layout::BLOCK_LEN).expect("a layout");
    let all = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let threads = if all.get() == 1 { vec![all] } else { vec![NonZeroUsize::MIN, all] };

    let mut raws = Vec::new();
    let mut trees = vec![Vec::new(); threads.len()];
    for _ in 0..ROUNDS {
        let (raw, expected) =
            measure(1, || content.chunks(piece).flat_map(Sha1::digest).collect::<Vec<u8>>());
        raws.push(raw);
        for (threads, rates) in threads.iter().zip(&mut trees) {
            let stop = AtomicBool::new(false);
            let work = Work { threads: *threads, progress: &|_| (), stop: &stop };
            let (rate, hashes) =
                measure(threads.get(), || hash(&tree, &layout, work).expect("the tree does not change"));
            assert_eq!(hashes, expected);
            rates.push((rate, raw));
        }
    }
    println!("{} KiB pieces, content in {}", piece >> 10, dir.display());
    println!("  raw sha1         {:.2} GB/s per core", median(raws.iter().map(|rate| rate.wall)));
    for (threads, rates) in threads.iter().zip(trees) {
        println!(
            "  tree, {threads} threads  {:.2} GB/s per core, {:.2} of raw; {:.2} of raw per CPU second",
            median(rates.iter().map(|(rate, _)| rate.wall)),
            median(rates.iter().map(|(rate, raw)| rate.wall / raw.wall)),
            median(rates.iter().map(|(rate, raw)| rate.cpu / raw.cpu)),
        );
    }
}

/// GB/s over the content: by the clock for each core, and for each second of CPU time, which other programs take less of.
#[derive(Clone, Copy)]
struct Rate {
    wall: f64,
    cpu: f64,
}

/// The rate of some work, and its result.
fn measure<T>(cores: usize, work: impl FnOnce() -> T) -> (Rate, T) {
    let (start, cpu_start) = (Instant::now(), cpu_time());
    let result = work();
    let gigabytes = SIZE as f64 / 1e9;
    let wall = gigabytes / start.elapsed().as_secs_f64() / cores as f64;
    (Rate { wall, cpu: gigabytes / (cpu_time() - cpu_start).as_secs_f64() }, result)
}

/// CPU time of all threads of this process so far.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
