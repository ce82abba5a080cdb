//! How fast a tree is hashed, in GB/s per core, beside the raw rate of the `sha1` crate over memory in the same run.
//!
//! Run with `cargo bench -p swarmlab-net --bench hashing`. The content lies in the temporary directory (`TMPDIR`) and
//! in the page cache; rounds alternate so that noise of the machine meets both, and the best of each is compared.
#![allow(clippy::print_stdout)]

use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use sha1::{Digest as _, Sha1};
use swarmlab_metainfo::Layout;
use swarmlab_net::tree::{Work, hash, walk};

const SIZE: usize = 512 << 20;
const PIECE: usize = 256 << 10;
const ROUNDS: usize = 7;

fn main() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let content: Vec<u8> =
        (0..SIZE / 8).flat_map(|i| (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()).collect();
    std::fs::write(dir.path().join("content"), &content).expect("room for the content");
    let tree = walk(dir.path(), None).expect("a tree");
    let layout = Layout::new(SIZE as u64, PIECE as u64, Layout::BLOCK_LEN).expect("a layout");
    let all = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let [mut raw, mut one, mut every] = [Duration::MAX; 3];
    for _ in 0..ROUNDS {
        let (time, expected) = timed(|| content.chunks(PIECE).flat_map(Sha1::digest).collect::<Vec<u8>>());
        raw = raw.min(time);
        for (best, threads) in [(&mut one, NonZeroUsize::MIN), (&mut every, all)] {
            let stop = AtomicBool::new(false);
            let work = Work { threads, progress: &|_| (), stop: &stop };
            let (time, hashes) = timed(|| hash(&tree, &layout, work).expect("the tree does not change"));
            assert_eq!(hashes, expected);
            *best = (*best).min(time);
        }
    }
    let rate = |time: Duration, cores: usize| SIZE as f64 / 1e9 / time.as_secs_f64() / cores as f64;
    let raw = rate(raw, 1);
    println!("raw sha1         {raw:.2} GB/s per core");
    for (threads, time) in [(1, one), (all.get(), every)] {
        let rate = rate(time, threads);
        println!("tree, {threads} threads  {rate:.2} GB/s per core, {:.2} of raw", rate / raw);
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed(), result)
}
