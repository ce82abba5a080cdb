//! `swarmlab tracker`: an HTTP tracker until it is told to stop.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, ValueHint};
use serde::Serialize;
use swarmlab_experiments::units::parse_time;
use swarmlab_net::tracker::server::{IpRange, ServerConfig, Tracker as Swarms, serve};
use swarmlab_protocol::InfoHash;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::env::Env;
use crate::error::Error;
use crate::exit::Exit;
use crate::join::parse_address;
use crate::text::count;
use crate::torrent;
use crate::trace::{RealTrace, real_header};

/// The status line is printed this often, if anything has changed.
const STATUS: Duration = Duration::from_secs(10);

/// Intervals a client can be told; clients bring others into a range like this.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Run an HTTP tracker
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  swarmlab tracker                                  for programs on this machine
  swarmlab tracker --listen 0.0.0.0:6969 --listen '[::]:6970'
  swarmlab tracker --allow film.torrent --allow music.torrent
  curl http://127.0.0.1:6969/stats.json

The announce URLs are printed on stdout, one a line. Ctrl-C stops.")]
pub struct Tracker {
    /// Address to listen on; may be given again. Port 0 takes a free one
    #[arg(long, value_name = "IP:PORT", value_parser = parse_address, default_value = "127.0.0.1:6969")]
    listen: Vec<SocketAddr>,
    /// When clients are to announce again
    #[arg(long, value_name = "TIME", value_parser = parse_time, default_value = "30 min")]
    interval: Duration,
    /// The soonest clients may announce again [default: 30 s, at most the interval]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    min_interval: Option<Duration>,
    /// Serve this torrent and no others that are not named too; may be given again
    #[arg(long, value_name = "HASH|TORRENT", value_hint = ValueHint::FilePath)]
    allow: Vec<String>,
    /// Serve the torrents of this file, an info hash a line; # begins a comment
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    allow_file: Vec<PathBuf>,
    /// Believe the `ip` parameter of announces from these addresses (loopback always is); may be given again
    #[arg(long, value_name = "RANGE")]
    trust: Vec<IpRange>,
    /// Most peers named in an answer
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    numwant: u32,
    /// Tell all torrents to a scrape that names none, and on the page /stats
    #[arg(long)]
    full_scrape: bool,
    /// Print one JSON document at the end (schema tracker/1)
    #[arg(long)]
    json: bool,
    /// Write what happens to this file, for swarmlab replay
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    trace: Option<PathBuf>,
}

#[derive(Serialize)]
struct Document {
    announce: Vec<String>,
    seconds: f64,
    torrents: u32,
    peers: u32,
    seeds: u32,
    announces: u64,
    completed: u64,
    scrapes: u64,
    failures: u64,
    connections: u64,
}

impl Tracker {
    pub(super) fn run(self, env: &Env) -> Result<Exit, Error> {
        let swarms = Swarms::new(self.config(env)?);
        let trace = RealTrace::begin(env, self.trace.as_deref(), &real_header("tracker", None, &[]))?;
        let swarms = Arc::new(match &trace {
            Some(trace) => swarms.recorded(trace.recorder()),
            None => swarms,
        });
        let start = Instant::now();
        let announce = env.block_on(self.serve(env, &swarms));
        RealTrace::finish(trace, env)?;
        let announce = announce??;
        if self.json {
            let (totals, stats) = (swarms.totals(), swarms.counters().read());
            let document = Document {
                announce,
                seconds: start.elapsed().as_secs_f64(),
                torrents: totals.torrents,
                peers: totals.peers(),
                seeds: totals.seeds,
                announces: stats.announces,
                completed: stats.completed,
                scrapes: stats.scrapes,
                failures: stats.failures,
                connections: stats.connections,
            };
            env.json("tracker/1", &document)?;
        } else {
            env.note(status(&swarms));
        }
        Ok(env.stop().exit().unwrap_or(Exit::Done))
    }

    fn config(&self, env: &Env) -> Result<ServerConfig, Error> {
        let min_interval = self.min_interval.unwrap_or(Duration::from_secs(30).min(self.interval));
        for (flag, time) in [("--interval", self.interval), ("--min-interval", min_interval)] {
            if !(SHORTEST..=LONGEST).contains(&time) {
                return Err(Error::invalid(format!("{flag} must be from 1 s to 24 h")));
            }
        }
        if min_interval > self.interval {
            return Err(Error::invalid("--min-interval is longer than --interval"));
        }
        let allow = self.allowed(env)?;
        let trusted = self.trust.clone();
        Ok(ServerConfig {
            interval: self.interval,
            min_interval,
            allow,
            trusted,
            full_scrape: self.full_scrape,
            numwant: ServerConfig::default().numwant.min(self.numwant),
            max_numwant: self.numwant,
            ..ServerConfig::default()
        })
    }

    /// The torrents that are served, if they are named.
    fn allowed(&self, env: &Env) -> Result<Option<HashSet<InfoHash>>, Error> {
        if self.allow.is_empty() && self.allow_file.is_empty() {
            return Ok(None);
        }
        let mut allowed = HashSet::new();
        for named in &self.allow {
            allowed.insert(match named.parse() {
                Ok(hash) => hash,
                Err(_) => torrent::load(env, Path::new(named))?.info_hash(),
            });
        }
        for file in &self.allow_file {
            allowed.extend(read_hashes(env, file)?);
        }
        Ok(Some(allowed))
    }

    /// Serves until the request to stop; gives the announce URLs.
    async fn serve(&self, env: &Env, swarms: &Arc<Swarms>) -> Result<Vec<String>, Error> {
        let mut listeners = Vec::new();
        let mut urls = Vec::new();
        for &addr in &self.listen {
            let listener = TcpListener::bind(addr).await.map_err(|error| cannot_listen(addr, error))?;
            let addr = listener.local_addr().map_err(|error| cannot_listen(addr, error))?;
            urls.push(format!("http://{}/announce", reachable(addr)));
            listeners.push(listener);
        }
        for url in &urls {
            if self.json {
                env.note(format_args!("announce URL: {url}"));
            } else {
                env.out().line(url)?;
            }
            env.note(format_args!("statistics:   {}", url.replace("/announce", "/stats")));
        }
        env.note("Ctrl-C stops");
        let (stop, _) = watch::channel(());
        let tasks: Vec<_> = listeners
            .into_iter()
            .map(|listener| {
                let mut stopped = stop.subscribe();
                let stopped = async move { drop(stopped.changed().await) };
                tokio::spawn(serve(swarms.clone(), listener, stopped))
            })
            .collect();
        watch_over(env, swarms).await;
        drop(stop);
        for task in tasks {
            task.await.map_err(|error| Error::failed("the tracker broke").because(error))?;
        }
        Ok(urls)
    }
}

/// Prints a status line now and then until the request to stop.
async fn watch_over(env: &Env, swarms: &Swarms) {
    let mut ticks = interval(STATUS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = status(swarms);
    loop {
        tokio::select! {
            _ = env.stop().requested() => return,
            _ = ticks.tick() => {
                let now = status(swarms);
                if now != last {
                    env.note(&now);
                }
                last = now;
            }
        }
    }
}

/// `2 torrents, 9 peers (1 seed), 34 announces`.
fn status(swarms: &Swarms) -> String {
    let (totals, stats) = (swarms.totals(), swarms.counters().read());
    let mut line = format!(
        "{}, {} ({}), {}",
        count(totals.torrents as usize, "torrent"),
        count(totals.peers() as usize, "peer"),
        count(totals.seeds as usize, "seed"),
        count(stats.announces as usize, "announce"),
    );
    if stats.failures > 0 {
        line.push_str(&format!(", {} refused", stats.failures));
    }
    line
}

fn cannot_listen(addr: SocketAddr, error: std::io::Error) -> Error {
    let told = Error::failed(format!("cannot listen on {addr}"));
    let help = match error.kind() {
        std::io::ErrorKind::AddrInUse => "choose another port with --listen, or 0 for a free one",
        std::io::ErrorKind::PermissionDenied => {
            "ports below 1024 need privileges; choose another with --listen"
        }
        _ => "--listen must name an address of this machine",
    };
    told.because(error).help(help)
}

/// The address others use: for a socket on every address, the one this machine reaches the world from.
pub(super) fn reachable(addr: SocketAddr) -> SocketAddr {
    let (any, far): (SocketAddr, SocketAddr) = match addr.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => (([0; 4], 0).into(), ([192, 0, 2, 1], 9).into()),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => {
            (([0u16; 8], 0).into(), ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 9).into())
        }
        _ => return addr,
    };
    // Connecting a datagram socket sends nothing: it only asks for the route.
    let own = UdpSocket::bind(any).and_then(|socket| {
        socket.connect(far)?;
        socket.local_addr()
    });
    let loopback = if addr.is_ipv4() { IpAddr::from([127, 0, 0, 1]) } else { Ipv6Addr::LOCALHOST.into() };
    SocketAddr::new(own.map_or(loopback, |own| own.ip()), addr.port())
}

/// Reads the info hashes of a file, one a line.
fn read_hashes(env: &Env, file: &Path) -> Result<Vec<InfoHash>, Error> {
    let shown = file.display();
    let text = std::fs::read_to_string(env.resolve(file))
        .map_err(|error| Error::failed(format!("cannot read {shown}")).because(error))?;
    let lines = text.lines().enumerate().map(|(number, line)| (number + 1, line));
    lines
        .map(|(number, line)| (number, line.split('#').next().unwrap_or_default().trim()))
        .filter(|(_, hash)| !hash.is_empty())
        .map(|(number, hash)| {
            hash.parse().map_err(|error| {
                Error::invalid(format!("{shown}:{number}: {hash:?} is not an info hash")).because(error)
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{run, run_in};

    #[test]
    fn wrong_settings_are_refused_with_the_reason() {
        for (args, words) in [
            (&["--interval", "5"][..], "unit"),
            (&["--interval", "0 s"], "--interval must be from 1 s to 24 h"),
            (&["--interval", "25 h"], "--interval must be from 1 s to 24 h"),
            (&["--interval", "1 min", "--min-interval", "2 min"], "--min-interval is longer than --interval"),
            (&["--trust", "10.0.0.0/99"], "not a range of IP addresses"),
            (&["--listen", "somewhere"], "invalid"),
        ] {
            let outcome = run(&[&["tracker"], args].concat());
            assert_eq!(outcome.status, 2, "{outcome:?}");
            assert!(outcome.stderr.contains(words), "{outcome:?}");
        }
        let outcome = run(&["tracker", "--listen", "192.0.2.1:6969"]);
        assert_eq!(outcome.status, 1);
        assert!(outcome.stderr.contains("cannot listen on 192.0.2.1:6969"), "{outcome:?}");
    }

    #[test]
    fn an_allow_list_names_the_wrong_line() {
        let dir = tempfile::tempdir().unwrap();
        let list = format!("# ours\n{}  # first\n\nnonsense\n", "ab".repeat(20));
        std::fs::write(dir.path().join("list"), list).unwrap();
        let outcome = run_in(dir.path(), &["tracker", "--allow-file", "list"]);
        assert_eq!(outcome.status, 2);
        assert!(outcome.stderr.contains("list:4: \"nonsense\" is not an info hash"), "{outcome:?}");
        let outcome = run_in(dir.path(), &["tracker", "--allow", "gone.torrent"]);
        assert_eq!(outcome.status, 1);
        assert!(outcome.stderr.contains("cannot read the torrent gone.torrent"), "{outcome:?}");
    }

    #[test]
    fn a_socket_on_every_address_is_told_by_one_that_can_be_reached() {
        let exact = "127.0.0.5:80".parse().unwrap();
        assert_eq!(reachable(exact), exact);
        for any in ["0.0.0.0:81", "[::]:81"] {
            let told = reachable(any.parse().unwrap());
            assert!(!told.ip().is_unspecified(), "{told}");
            assert_eq!(told.port(), 81);
        }
    }
}
