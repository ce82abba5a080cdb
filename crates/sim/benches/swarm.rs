//! How fast and how small: blocks per second, nanoseconds per event and per block, and peak memory per peer, for swarms
//! of different sizes.
//!
//! `cargo bench -p swarmlab-sim --bench swarm -- [PEERS MIB THREADS]...` runs the given swarms, each in a process of its
//! own; without arguments, those of the table in the docs that take less than a minute.
#![allow(clippy::print_stdout)]

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use swarmlab_protocol::{Config, Layout};
use swarmlab_sim::{
    Arrive, Behaviour, Client, Content, Framing, Group, Latency, Leave, Model, Network, Role, Run, Stop,
    TrackerModel, run,
};

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
    let outcome = run(model(peers, mib, threads), &mut |_| true).expect("a valid model");
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

/// 256 KiB pieces, at most 50 connections (30 from a million peers on), latency 20 ms, a seed of 20 Mbit/s, leechers of
/// 1 up and 8 down Mbit/s that come within 10 s and stay.
fn model(peers: u32, mib: u32, threads: u16) -> Model {
    let config = if peers < 1_000_000 {
        Config::default()
    } else {
        Config { max_connections: 30, initiate_up_to: 18, ..Config::default() }
    };
    let group = |name: &str, role, count, up: u64, down: u64| Group {
        name: name.into(),
        role,
        count,
        up: up * 125_000,
        down: down * 125_000,
        nat: 0.0,
        arrive: if role == Role::Seed {
            Arrive::At(Duration::ZERO)
        } else {
            Arrive::Together(Duration::from_secs(10))
        },
        leave: Leave::Stay,
        abort: None,
        behaviour: Behaviour::Honest,
        client: Client {
            config: Arc::new(config.clone()),
            send_buffer: 32 * 1024,
            send_ahead: 0,
            pulse: Duration::ZERO,
        },
        region: 0,
    };
    Model {
        seed: 1,
        content: Content {
            layout: Layout::new(u64::from(mib) << 20, 256 << 10, Layout::BLOCK_LEN).expect("a layout"),
            real: None,
        },
        network: Network {
            latency: Latency::Constant(Duration::from_millis(20)),
            framing: Framing::Ethernet,
            queue: Duration::from_millis(100),
            sharing: swarmlab_sim::Sharing::Even,
        },
        tracker: TrackerModel {
            interval: Duration::from_secs(1_800),
            min_interval: None,
            numwant: 50,
            latency: Duration::from_millis(20),
        },
        groups: vec![group("origin", Role::Seed, 1, 20, 100), group("leechers", Role::Leecher, peers, 1, 8)],
        faults: Vec::new(),
        run: Run {
            stop: Stop::LeechersDone,
            max_time: Duration::from_secs(24 * 3_600),
            sample: Duration::from_secs(1),
            threads,
            check: false,
            timeline: false,
        },
    }
}
