//! The header of a trace: what run it is of, as JSON.

use serde::{Deserialize, Serialize};
use swarmlab_protocol::Layout;

/// The schema that is written and read here.
const SCHEMA: &str = "trace/1";

/// What run a trace is of. Fields that others add are passed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// `trace/1`.
    pub schema: String,
    /// The program that wrote it, with its version.
    pub program: String,
    /// `simulated` or `real`.
    pub world: String,
    /// What the run is called.
    pub name: String,
    /// The seed of a simulated run.
    #[serde(default)]
    pub seed: Option<u64>,
    /// What is shared; nothing where no torrent is known.
    #[serde(default)]
    pub content: Option<Content>,
    /// The groups that nodes belong to, in the order of their numbers.
    pub groups: Vec<GroupHead>,
    /// Nodes of a simulated run; of a real one those that were known when it began.
    pub nodes: u64,
    /// How many of them are recorded at which level; all zero for a real run.
    pub recorded: Recorded,
    /// Microseconds between samples.
    pub sample_us: u64,
    /// The one-way latency of a simulated network in microseconds, if it is the same for all.
    #[serde(default)]
    pub latency_us: Option<u64>,
    /// The text of the scenario.
    #[serde(default)]
    pub scenario: Option<String>,
    /// The torrent file in base64 (RFC 4648).
    #[serde(default)]
    pub torrent: Option<String>,
}

/// What is shared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// 40 hexadecimal digits.
    pub info_hash: String,
    /// What it is called.
    pub name: String,
    /// Its length in bytes.
    pub length: u64,
    /// Bytes of a piece.
    pub piece_length: u32,
    /// How many pieces there are.
    pub piece_count: u32,
    /// Bytes of a block.
    pub block_length: u32,
}

/// A group of nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupHead {
    /// What it is called.
    pub name: String,
    /// `seed`, `leecher`, `partial`; `tracker` or `other` in a real run.
    pub role: String,
    /// How its nodes behave, as in scenarios.
    pub behaviour: String,
    /// The client its nodes are set up as.
    pub preset: String,
    /// How many nodes it has.
    pub count: u64,
    /// The uplink of each in bytes per second; 0 where unlimited or unknown.
    pub up: u64,
    /// The downlink of each in bytes per second; 0 where unlimited or unknown.
    pub down: u64,
}

/// How many nodes are recorded at which level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Everything.
    pub messages: u64,
    /// Their life and pieces.
    pub pieces: u64,
    /// That they join, complete and leave.
    pub life: u64,
}

impl Header {
    /// The header of a run about which nothing else is known yet. `world` is `simulated` or `real`.
    pub fn new(name: &str, world: &str) -> Self {
        Header {
            schema: SCHEMA.to_owned(),
            program: concat!("swarmlab ", env!("CARGO_PKG_VERSION")).to_owned(),
            world: world.to_owned(),
            name: name.to_owned(),
            seed: None,
            content: None,
            groups: Vec::new(),
            nodes: 0,
            recorded: Recorded::default(),
            sample_us: 0,
            latency_us: None,
            scenario: None,
            torrent: None,
        }
    }

    /// How many pieces the content has; none where no torrent is known.
    pub fn piece_count(&self) -> u32 {
        self.content.as_ref().map_or(0, |content| content.piece_count)
    }

    /// Its JSON.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and numbers have a JSON form")
    }

    /// Reads it, and gives what is wrong with it in words.
    pub(crate) fn from_json(json: &[u8]) -> Result<Self, String> {
        let header: Header = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        if header.schema != SCHEMA {
            return Err(format!("its schema is `{}`, not `{SCHEMA}`", header.schema.escape_debug()));
        }
        if let Some(content) = &header.content {
            content.check()?;
        }
        Ok(header)
    }
}

impl Content {
    fn check(&self) -> Result<(), String> {
        let layout = Layout::new(self.length, self.piece_length.into(), self.block_length)
            .map_err(|error| error.to_string())?;
        if layout.piece_count() != self.piece_count {
            return Err(format!("it has {} pieces, and says {}", layout.piece_count(), self.piece_count));
        }
        Ok(())
    }
}
