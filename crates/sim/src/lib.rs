//! The simulated network: whole swarms of the engine in `swarmlab_protocol`, with virtual time, from two peers to a
//! million.
//!
//! [`Model`] says what there is: content, links, groups of nodes, faults. [`Outcome`] is what came of it. The same model
//! gives the same outcome on every machine and for any number of threads.
#![forbid(unsafe_code)]

mod model;
mod outcome;

pub use model::{
    Arrive, Behaviour, Client, Content, Fault, FaultKind, Framing, Group, Latency, Leave, Model, Network,
    RealContent, Role, Run, Stop, Target, TrackerModel,
};
pub use outcome::{Check, End, MessageCount, Outcome, PeerOutcome, Presence, Sample, TrackerLoad};
