//! What came of a run: plain numbers. Statistics and pictures are made of them elsewhere.

use core::time::Duration;

use swarmlab_protocol::MessageKind;

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// SHA-256 over the running hashes of all nodes: the same for the same model, whatever the threads.
    pub digest: [u8; 32],
    /// Why it ended.
    pub end: End,
    /// Simulated time at the end: of the last completion if the leechers were done, else of the last sample.
    pub simulated: Duration,
    /// Events handled: messages and timers.
    pub events: u64,
    /// Blocks delivered.
    pub blocks: u64,
    /// A row for each node, in the order of their numbers.
    pub peers: Vec<PeerOutcome>,
    /// A row for each sample, if they were kept.
    pub timeline: Vec<Sample>,
    /// Messages sent, by kind, in the order of [`MessageKind::ALL`].
    pub messages: [MessageCount; MessageKind::ALL.len()],
    /// What the tracker had to do.
    pub tracker: TrackerLoad,
    /// Content in bytes that group `from` sent to group `to`: `flows[from][to]`.
    pub flows: Vec<Vec<u64>>,
    /// Nodes whose bytes were those of the content when they completed; `None` of a run without real content. It is as
    /// many as completed, or pieces were taken for good that are not.
    pub true_copies: Option<u64>,
    /// What the checkers say; empty if they did not run.
    pub checks: Vec<Check>,
}

/// Why a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Every honest leecher has completed or left.
    LeechersDone,
    /// The longest simulated time has passed.
    MaxTime,
    /// No node holds this piece, and nobody who might is to come.
    PieceLost(u32),
    /// The caller asked for it.
    Interrupted,
}

/// Messages of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageCount {
    /// How many.
    pub count: u64,
    /// Their bytes on the wire, content and length prefix included, without packet headers.
    pub bytes: u64,
}

/// What became of one node. Times are since the start of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerOutcome {
    /// Index in [`crate::Model::groups`].
    pub group: u32,
    /// When it came; `None` if it did not before the end.
    pub join: Option<Duration>,
    /// When it had everything; for a seed when it came.
    pub complete: Option<Duration>,
    /// When it left or crashed for good.
    pub leave: Option<Duration>,
    /// Content it lacked at the start, in bytes.
    pub lacked: u64,
    /// Content sent, in bytes.
    pub uploaded: u64,
    /// Content received, in bytes, the wasted part included.
    pub downloaded: u64,
    /// Content received for nothing, in bytes.
    pub wasted: u64,
    /// Bytes its uplink carried, with all headers its framing counts.
    pub up_wire: u64,
    /// Bytes its downlink carried, likewise.
    pub down_wire: u64,
    /// Time it was present, in microseconds.
    pub present_us: u64,
    /// Hash failures it met.
    pub bad_pieces: u32,
    /// Accepts no incoming connection.
    pub nat: bool,
    /// Running hash of the events it handled.
    pub hash: u64,
}

/// The swarm at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// When.
    pub at: Duration,
    /// Who is present, by group.
    pub groups: Vec<Presence>,
    /// Content sent by present and past nodes so far, in bytes.
    pub uploaded: u64,
    /// Content received so far, in bytes.
    pub downloaded: u64,
    /// How many present nodes have the rarest piece.
    pub rarest: u32,
    /// Uplinks of the present nodes together, in bytes per second.
    pub up_capacity: u64,
    /// Announces the tracker has had so far.
    pub announces: u64,
}

/// A group at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    /// Present nodes that lack something.
    pub leechers: u32,
    /// Present nodes that have everything.
    pub seeds: u32,
    /// Nodes that have completed so far (seeds from the start not counted).
    pub completed: u32,
    /// Content sent so far, in bytes.
    pub uploaded: u64,
    /// Content received so far, in bytes.
    pub downloaded: u64,
}

/// What the tracker had to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrackerLoad {
    /// Announces answered.
    pub announces: u64,
    /// Announces that came while it was down.
    pub unanswered: u64,
    /// Peers it gave in all.
    pub peers_given: u64,
}

/// One property that must hold in every run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// What was wrong first, if anything: when, where and what.
    pub failure: Option<String>,
    /// How often it was wrong.
    pub failures: u64,
}
