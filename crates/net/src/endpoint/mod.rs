//! An endpoint: one torrent in one swarm, from its listening socket to its files.
//!
//! [`Endpoint::start`] joins the swarm; from then on one task owns the engine and everything else speaks with it by
//! queues. The handle shows a [`Snapshot`] a few times a second, takes new addresses, and stops the endpoint. Several
//! endpoints run in one process without knowing of each other.
//!
//! ```no_run
//! # async fn example(torrent: std::sync::Arc<swarmlab_metainfo::Metainfo>) -> Result<(), Box<dyn std::error::Error>> {
//! use std::{path::Path, sync::Arc, sync::atomic::AtomicBool};
//! use swarmlab_net::{disk::{self, Content}, endpoint::{Endpoint, EndpointConfig}, tree::Work};
//!
//! let content = Arc::new(Content::below(torrent, Path::new("downloads")));
//! let work = Work { threads: std::thread::available_parallelism()?, progress: &|_| {}, stop: &AtomicBool::new(false) };
//! let found = disk::find(&content, false, work)?;
//! let resume = disk::place(&content, &found.have)?;
//! let endpoint = Endpoint::start(EndpointConfig::download(content, found.have, resume)).await?;
//! endpoint.watch().wait_for(|snapshot| snapshot.is_complete()).await?;
//! let last = endpoint.stop().await?;
//! assert!(last.is_complete());
//! # Ok(())
//! # }
//! ```

mod announcer;
mod carry;
mod keeper;
mod run;
mod slots;
mod snapshot;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use swarmlab_protocol::{Bitfield, Config, Handshake, PeerId, Random, Reserved};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

pub use run::blocks_at_once;
pub use snapshot::{AnnounceRecord, Counts, Exchange, Phase, Snapshot};

use crate::disk::{Content, DiskError, Resume};
use crate::listener;
use crate::recorder::Recorder;

/// What an endpoint is to do.
#[derive(Debug)]
pub struct EndpointConfig {
    /// The torrent's content and where it lies.
    pub content: Arc<Content>,
    /// The pieces that are here and checked.
    pub have: Bitfield,
    /// Where a download's progress is kept; `None` opens every file read-only and requests nothing.
    pub resume: Option<Resume>,
    /// How the engine behaves.
    pub engine: Config,
    /// Where to listen; `None` takes a customary port (6881 to 6889), or any, on every address. If the address is a
    /// specific one, connections to others are made from it as well.
    pub listen: Option<SocketAddr>,
    /// Peers to connect to.
    pub peers: Vec<SocketAddr>,
    /// URLs of trackers in tiers (BEP 12).
    pub trackers: Vec<Vec<String>>,
    /// Most content sent per second, in bytes.
    pub max_up: Option<u64>,
    /// Most bytes received per second.
    pub max_down: Option<u64>,
    /// Of everything drawn at random; two endpoints must not have the same.
    pub seed: u64,
    /// Who records what it sees, and the group it belongs to there.
    pub record: Option<(Recorder, u32)>,
}

impl EndpointConfig {
    /// A download with the torrent's own trackers and without limits.
    pub fn download(content: Arc<Content>, have: Bitfield, resume: Resume) -> Self {
        EndpointConfig { resume: Some(resume), ..Self::seed(content, have) }
    }

    /// An endpoint that only uploads what it has, with the torrent's own trackers and without limits.
    pub fn seed(content: Arc<Content>, have: Bitfield) -> Self {
        EndpointConfig {
            trackers: content.torrent().tiers(),
            content,
            have,
            resume: None,
            engine: Config::default(),
            listen: None,
            peers: Vec::new(),
            max_up: None,
            max_down: None,
            seed: entropy(),
            record: None,
        }
    }
}

/// Random bits that differ with every call: the standard library seeds its hash maps from the system.
fn entropy() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}

/// The endpoint could not begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address to listen on cannot be had.
    #[error("cannot listen on {}: {source}", .addr.map_or("any port".to_owned(), |addr| addr.to_string()))]
    Listen {
        /// The address that was asked for.
        addr: Option<SocketAddr>,
        /// Why.
        source: io::Error,
    },
}

/// The endpoint ended before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// Content cannot be written, or the state of the download cannot be kept.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A task of the endpoint has panicked: a mistake of this program.
    #[error("the endpoint has crashed: {0}")]
    Crashed(String),
}

/// A running endpoint. Dropping it ends it at once, without a word to trackers; see [`Endpoint::stop`].
#[derive(Debug)]
pub struct Endpoint {
    local: SocketAddr,
    peer_id: PeerId,
    commands: mpsc::Sender<Command>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    task: JoinHandle<Result<(), DiskError>>,
}

/// What the handle tells the task.
#[derive(Debug)]
enum Command {
    AddPeers(Vec<SocketAddr>),
    Stop,
}

impl Endpoint {
    /// Begins to listen and joins the swarm. Must be called on a tokio runtime with I/O and time.
    ///
    /// # Errors
    /// When the address to listen on cannot be had.
    pub async fn start(config: EndpointConfig) -> Result<Endpoint, StartError> {
        let addr = config.listen;
        let failed = |source| StartError::Listen { addr, source };
        let listener = listener::bind(addr).map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        let peer_id = PeerId::random(&mut Random::stream(config.seed, 0x1d));
        let reserved = if config.engine.fast_extension { Reserved::OURS } else { Reserved::default() };
        let ours = Handshake { reserved, info_hash: config.content.info_hash(), peer_id };
        let (commands, receiver) = mpsc::channel(16);
        let (publish, snapshots) = watch::channel(Arc::new(run::first_snapshot(&config)));
        let task = tokio::spawn(run::run(config, listener, local, ours, receiver, publish));
        Ok(Endpoint { local, peer_id, commands, snapshots, task })
    }

    /// The address it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// What it calls itself.
    pub fn peer_id(&self) -> PeerId {
        self.peer_id
    }

    /// Its state of late.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshots.borrow())
    }

    /// Its states as they change: four times a second, and at once on completion, failure and end. Closed when the
    /// endpoint has ended.
    pub fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    /// Names more peers to connect to.
    pub async fn add_peers(&self, peers: Vec<SocketAddr>) {
        _ = self.commands.send(Command::AddPeers(peers)).await;
    }

    /// Leaves the swarm: announces `stopped` (within two seconds), closes every link, keeps the resume state. Returns
    /// the last state.
    ///
    /// # Errors
    /// When the endpoint had failed, or the state could not be kept.
    pub async fn stop(self) -> Result<Arc<Snapshot>, EndpointError> {
        _ = self.commands.send(Command::Stop).await;
        self.wait().await
    }

    /// Waits until it ends by itself, which only a failure makes it do, or has been dropped elsewhere. Cancel by
    /// waiting on [`Endpoint::watch`] instead.
    ///
    /// # Errors
    /// The failure.
    pub async fn wait(mut self) -> Result<Arc<Snapshot>, EndpointError> {
        let ended = (&mut self.task).await;
        ended.map_err(|crash| EndpointError::Crashed(crash.to_string()))??;
        Ok(self.snapshot())
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests;
