//! The tracker server: `/announce`, `/scrape` (BEP 48), `/stats` and `/stats.json` over HTTP/1.
//!
//! [`Tracker`] holds the swarms and answers requests; [`serve`] brings it to a socket. The swarms are split by info
//! hash over tables with a lock each. A table is locked for about a microsecond of the tens an HTTP request costs, so
//! requests of many threads hardly ever meet at one. Every bad announce or scrape gets a `failure reason` (with
//! status 200, as all trackers do); other paths get 404, other methods 405. The server speaks plain HTTP only.

mod range;
mod respond;
mod serve;
mod stats;

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use swarmlab_protocol::tracker::{Limits, Table, Totals};
use swarmlab_protocol::{InfoHash, Instant};

use crate::recorder::Recorder;

pub use range::{IpRange, IpRangeError};
pub use respond::Reply;
pub use serve::serve;
pub use stats::{Counters, Stats};

/// How a tracker behaves.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// When a client is to announce again. Half an hour is customary.
    pub interval: Duration,
    /// The soonest a client may announce again; it is told, not enforced.
    pub min_interval: Duration,
    /// Peers told to a client that names no number. BEP 3's customary 50.
    pub numwant: u32,
    /// Most peers told to one that does. opentracker and libtorrent use 200.
    pub max_numwant: u32,
    /// The torrents that are served; `None` serves all.
    pub allow: Option<HashSet<InfoHash>>,
    /// Who may announce another address than its own with the parameter `ip`. Loopback always may.
    pub trusted: Vec<IpRange>,
    /// Answer a scrape that names no torrent with all of them, and list them in `/stats`.
    pub full_scrape: bool,
    /// Most torrents kept.
    pub max_torrents: u32,
    /// Most peers kept.
    pub max_peers: u32,
    /// Most connections at a time; more wait in the system's queue.
    pub max_connections: u32,
    /// A connection without a (complete) request for so long is closed.
    pub idle_timeout: Duration,
}

impl Default for ServerConfig {
    fn default() -> Self {
        let Limits { torrents, peers, .. } = Limits::default();
        ServerConfig {
            interval: Duration::from_secs(30 * 60),
            min_interval: Duration::from_secs(30),
            numwant: 50,
            max_numwant: 200,
            allow: None,
            trusted: Vec::new(),
            full_scrape: false,
            max_torrents: torrents,
            max_peers: peers,
            max_connections: 10_000,
            idle_timeout: Duration::from_secs(15),
        }
    }
}

impl ServerConfig {
    /// How long a peer that is not heard of stays: two intervals and a margin, so that one lost announce does no harm.
    pub fn lifetime(&self) -> Duration {
        self.interval.saturating_mul(2) + (self.interval / 4).max(Duration::from_secs(30))
    }
}

/// Tables the swarms are split over: enough that threads rarely meet, few enough to cost nothing when empty.
const TABLES: usize = 16;

/// The swarms of a tracker and its numbers, shared by every connection.
#[derive(Debug)]
pub struct Tracker {
    config: ServerConfig,
    tables: [Mutex<Table>; TABLES],
    /// Keyed with the process's own randomness, so that nobody can aim at one table.
    keys: RandomState,
    counters: Counters,
    started: std::time::Instant,
    recorder: Option<Recorder>,
}

impl Tracker {
    /// A tracker without swarms.
    pub fn new(config: ServerConfig) -> Self {
        let keys = RandomState::new();
        let share = |total: u32| total.div_ceil(TABLES as u32);
        let limits = Limits {
            lifetime: config.lifetime(),
            torrents: share(config.max_torrents),
            peers: share(config.max_peers),
        };
        let tables = std::array::from_fn(|number| Mutex::new(Table::new(limits, keys.hash_one(number))));
        let (counters, started) = (Counters::default(), std::time::Instant::now());
        Tracker { config, tables, keys, counters, started, recorder: None }
    }

    /// The same tracker, with everything recorded that it is asked by others than the endpoints of this process.
    #[must_use]
    pub fn recorded(mut self, recorder: Recorder) -> Self {
        self.recorder = Some(recorder);
        self
    }

    /// How it behaves.
    pub fn config(&self) -> &ServerConfig {
        &self.config
    }

    /// What it has been asked so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The numbers over all swarms.
    pub fn totals(&self) -> Totals {
        let each = self.tables.iter().map(|table| locked(table).totals());
        each.fold(Totals::default(), |sum, one| Totals {
            torrents: sum.torrents + one.torrents,
            peers_v4: sum.peers_v4 + one.peers_v4,
            peers_v6: sum.peers_v6 + one.peers_v6,
            seeds: sum.seeds + one.seeds,
        })
    }

    /// Forgets the peers that are overdue. [`serve`] does this once a minute.
    pub fn expire(&self) {
        let now = self.now();
        self.tables.iter().for_each(|table| locked(table).expire(now));
    }

    fn now(&self) -> Instant {
        Instant::START + self.started.elapsed()
    }

    fn table(&self, info_hash: &InfoHash) -> MutexGuard<'_, Table> {
        locked(&self.tables[self.keys.hash_one(info_hash) as usize % TABLES])
    }

    fn allows(&self, info_hash: &InfoHash) -> bool {
        self.config.allow.as_ref().is_none_or(|allowed| allowed.contains(info_hash))
    }

    fn trusts(&self, ip: IpAddr) -> bool {
        ip.to_canonical().is_loopback() || self.config.trusted.iter().any(|range| range.contains(ip))
    }
}

/// A table stays whole even if a thread panicked while it held the lock: every change to it is small and in memory.
fn locked(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
