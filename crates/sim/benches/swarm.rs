//! How fast and how small: blocks per second, nanoseconds per event and per block, and peak memory per peer, for swarms
//! of different sizes.
//!
//! `cargo bench -p swarmlab-sim --bench swarm -- [PEERS MIB THREADS]...` runs the given swarms, each in a process of its
//! own; without arguments, those of the table in the docs that take less than a minute.
#![allow(clippy::print_stdout)]

mod crowd;

use std::process::Command;
use std::time::Instant;

use swarmlab_sim::run;

/// Peers, MiB of content, threads.
const USUAL: [[u32; 3]; 4] = [[100, 512, 1], [1_000, 64, 1], [10_000, 32, 1], [10_000, 32, 2]];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if let [flag, peers, mib, threads] = &args[..]
        && flag == "--one"
    {
        return one(number(peers), number(mib), number(threads) as u16);
    }
    let rows: Vec<[u32; 3]> = if args.is_empty() {
        USUAL.to_vec()
    } else {
        args.chunks(3).map(|row| [number(&row[0]), number(&row[1]), number(&row[2])]).collect()
    };
    println!(
        "{:>9} {:>5} {:>3} {:>8} {:>9} {:>8} {:>9} {:>9} {:>10} {:>9}  digest",
        "peers", "MiB", "thr", "wall s", "M blk/s", "ns/blk", "ns/event", "evts/blk", "simul. s", "B/peer"
    );
    for row in rows {
        let this = std::env::current_exe().expect("the bench's own path");
        let args = row.map(|number| number.to_string());
        let status = Command::new(this).arg("--one").args(args).status().expect("the bench runs itself");
        assert!(status.success());
    }
}

fn number(text: &str) -> u32 {
    text.parse().unwrap_or_else(|_| panic!("{text}: not a number"))
}

fn one(peers: u32, mib: u32, threads: u16) {
    let begin = Instant::now();
    let outcome = run(crowd::model(peers, mib, threads), &mut |_| true).expect("a valid model");
    let wall = begin.elapsed();
    let done = outcome.peers.iter().filter(|peer| peer.complete.is_some()).count();
    assert_eq!(done, peers as usize + 1, "{:?} at {:?}", outcome.end, outcome.simulated);
    let blocks = outcome.blocks as f64;
    let nanos = wall.as_nanos() as f64 * f64::from(threads);
    let digest: String = outcome.digest[..6].iter().map(|byte| format!("{byte:02x}")).collect();
    println!(
        "{peers:>9} {mib:>5} {threads:>3} {:>8.2} {:>9.3} {:>8.0} {:>9.1} {:>9.2} {:>10.1} {:>9.0}  {digest}",
        wall.as_secs_f64(),
        blocks / wall.as_secs_f64() / 1e6,
        nanos / blocks,
        nanos / outcome.events as f64,
        outcome.events as f64 / blocks,
        outcome.simulated.as_secs_f64(),
        peak_rss() / f64::from(peers),
    );
}

/// Bytes of memory the process held at most.
fn peak_rss() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|kib| kib.parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) * 1024.0
}
