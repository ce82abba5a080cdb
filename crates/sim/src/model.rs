//! What a run simulates: plain data, every quantity resolved to bytes, bytes per second and [`Duration`]s. Names and
//! units are the business of whoever wrote the scenario.

use core::time::Duration;
use std::sync::Arc;

pub use swarmlab_protocol::behaviour::Behaviour;
use swarmlab_protocol::{Config, Layout, PieceIndex};

/// A whole run.
#[derive(Clone, Debug)]
pub struct Model {
    /// Of everything drawn at random.
    pub seed: u64,
    /// What is shared.
    pub content: Content,
    /// What lies between the nodes.
    pub network: Network,
    /// The tracker.
    pub tracker: TrackerModel,
    /// The nodes, by group; nodes are numbered in this order, from 0.
    pub groups: Vec<Group>,
    /// What goes wrong, and when.
    pub faults: Vec<Fault>,
    /// How long, and what is observed.
    pub run: Run,
}

impl Model {
    /// Whether the run waits for the nodes of a group: honest ones that come without everything; where there are none of
    /// these, all that come without everything.
    pub fn awaits(&self, group: &Group) -> bool {
        let honest = |group: &Group| group.behaviour == Behaviour::Honest && group.role != Role::Seed;
        honest(group) || (group.role != Role::Seed && !self.groups.iter().any(honest))
    }
}

/// What is shared.
#[derive(Clone, Debug)]
pub struct Content {
    /// How it is cut.
    pub layout: Layout,
    /// With real bytes: the bytes, and what they must hash to. Nodes then keep and exchange real blocks.
    pub real: Option<RealContent>,
}

/// Content that really moves through the simulated network.
#[derive(Clone, Debug)]
pub struct RealContent {
    /// All of it.
    pub bytes: Arc<[u8]>,
    /// SHA-1 of each piece.
    pub hashes: Arc<[[u8; 20]]>,
}

/// What lies between the nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// From one node to another.
    pub latency: Latency,
    /// What the rate of a link counts.
    pub framing: Framing,
    /// Buffer of a link, as the time it takes to drain at the link's rate.
    pub queue: Duration,
    /// How connections share an uplink.
    pub sharing: Sharing,
    /// Bytes in the window of a new connection, and by which it grows: ten segments (RFC 6928), which is about a block of
    /// 16 KiB. Less where content and rates were divided; a block is a multiple of it.
    pub window: u32,
}

/// One-way latency between two nodes. At least 100 us.
#[derive(Clone, Debug, PartialEq)]
pub enum Latency {
    /// The same for every pair.
    Constant(Duration),
    /// Drawn once for each pair, uniformly, from the seed and the pair; the same in both directions.
    Uniform(Duration, Duration),
    /// By the regions of the two ends: `table[from][to]`.
    Regions(Vec<Vec<Duration>>),
}

/// What the rate of a link counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Ethernet frames: 1,448 bytes of payload cost 1,514 on the link, and acknowledgements are charged to the reverse
    /// link.
    Ethernet,
    /// Bytes of the BitTorrent protocol only.
    None,
}

/// How the connections of a node share its uplink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Evenly, from moment to moment.
    Even,
    /// Evenly in the long run only. A short queue that drops what does not fit takes packets of one connection and then of
    /// another; each loss halves a window of few packets, and a socket's buffer goes with the window. Measured on eight TCP
    /// connections through 4 Mbit/s: the rate of each over 2 s deviates by 30 to 50 %, for some seconds.
    DropTail,
}

/// The tracker: a node with a latency of its own and no limit of rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackerModel {
    /// The `interval` of its replies.
    pub interval: Duration,
    /// The `min interval` of its replies, if it gives one.
    pub min_interval: Option<Duration>,
    /// The most peers it gives.
    pub numwant: u32,
    /// One-way latency from any node.
    pub latency: Duration,
}

/// Nodes of one kind.
#[derive(Clone, Debug)]
pub struct Group {
    /// What it is called.
    pub name: String,
    /// What its nodes have at the start.
    pub role: Role,
    /// How many nodes.
    pub count: u32,
    /// Uplink in bytes per second.
    pub up: u64,
    /// Downlink in bytes per second.
    pub down: u64,
    /// Share of nodes that accept no incoming connection, from 0 to 1.
    pub nat: f64,
    /// When they come.
    pub arrive: Arrive,
    /// When they go.
    pub leave: Leave,
    /// Rate at which an unfinished leecher gives up, per second.
    pub abort: Option<f64>,
    /// How they behave.
    pub behaviour: Behaviour,
    /// What client they run.
    pub client: Client,
    /// Row in the table of [`Latency::Regions`], 0 elsewhere.
    pub region: u32,
}

/// What a node has at the start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Role {
    /// Everything.
    Seed,
    /// Nothing.
    Leecher,
    /// This share of the pieces, from 0 to 1, drawn at random for each node.
    Partial(f64),
    /// All but this piece, which must exist: the "one club" of Hajek and Zhu, where a whole swarm waits for the same
    /// piece.
    AllBut(PieceIndex),
}

/// When the nodes of a group come.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrive {
    /// All within this time, uniformly.
    Together(Duration),
    /// All at this time.
    At(Duration),
    /// One by one with this gap, the first at 0.
    Every(Duration),
    /// As a Poisson process of so many per second.
    Poisson(f64),
    /// As a Poisson process whose rate per second decays as `rate * exp(-t / tau)`.
    Decaying {
        /// At time 0, per second.
        rate: f64,
        /// Time in which it falls to 1/e.
        tau: Duration,
    },
    /// At these times, one for each node.
    Trace(Vec<Duration>),
}

/// When a node that has completed goes; seeds from the start count as complete at their arrival.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Leave {
    /// At once.
    OnComplete,
    /// Never.
    Stay,
    /// This long after completion.
    After {
        /// The time, or its mean.
        time: Duration,
        /// Drawn from an exponential distribution.
        exponential: bool,
    },
    /// When it has uploaded this share of the content's length.
    AtRatio(f64),
}

/// The client a node runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// How the engine behaves.
    pub config: Arc<Config>,
    /// Content a connection holds in its socket's send buffer at most, in bytes.
    pub send_buffer: u32,
    /// Content that the client takes out of a connection's requests ahead of that, in bytes: whatever it says later on the
    /// connection waits behind it. 0 for a client that lets small messages overtake, in a buffer of its own or by keeping
    /// that one short.
    pub send_ahead: u32,
    /// The client does what it has to do on its connections, asking and answering, once in this time only; zero: at once.
    pub pulse: Duration,
    /// The longest it takes to start: a node comes up to this long after its arrival says, each microsecond equally likely.
    /// Programs started at one time are not ready at one time, and whoever is first may have a seed's slots for long.
    pub start_up: Duration,
}

impl Client {
    /// A client that does everything at once: nothing ahead, no pulse, and there when it comes.
    pub fn prompt(config: Arc<Config>, send_buffer: u32) -> Self {
        Client { config, send_buffer, send_ahead: 0, pulse: Duration::ZERO, start_up: Duration::ZERO }
    }
}

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// When.
    pub at: Duration,
    /// For how long; `None` for what happens at one moment or never ends.
    pub length: Option<Duration>,
    /// What.
    pub kind: FaultKind,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum FaultKind {
    /// The tracker answers nobody.
    TrackerDown,
    /// Nothing passes between two groups.
    Partition(u32, u32),
    /// Every connection of the targets breaks.
    Reset(Target),
    /// The targets lose all but what their disk holds; with a length they come back after it.
    Crash(Target),
    /// The targets' disks write so many bytes per second.
    DiskSlow(Target, u64),
    /// The targets' disks take nothing.
    DiskFull(Target),
}

/// Which nodes a fault meets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// The group.
    pub group: u32,
    /// How many of its nodes, drawn at random; all if larger.
    pub count: u32,
}

/// How long, and what is observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// When it ends.
    pub stop: Stop,
    /// The longest simulated time.
    pub max_time: Duration,
    /// Time between two [`crate::Sample`]s; a run ends at a multiple of it.
    pub sample: Duration,
    /// Worker threads; changes nothing but the speed.
    pub threads: u16,
    /// Run the checkers.
    pub check: bool,
    /// Keep the samples.
    pub timeline: bool,
}

/// When a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// When all nodes have arrived and every honest leecher has completed or left.
    LeechersDone,
    /// At `max_time`.
    Never,
}
