//! The simulated network: whole swarms of the engine in `swarmlab_protocol`, with virtual time, from two peers to a
//! million.
//!
//! [`Model`] says what there is: content, links, groups of nodes, faults. [`Outcome`] is what came of it. The same model
//! gives the same outcome on every machine and for any number of threads.
#![deny(unsafe_code)]

mod barrier;
mod calendar;
mod check;
mod draw;
mod event;
mod hash;
mod http;
mod link;
mod model;
mod network;
mod node;
mod order;
mod outcome;
mod pile;
mod plan;
mod post;
mod prefetch;
mod recording;
mod run;
mod schedule;
mod store;
mod tracker;
mod window;
mod worker;
mod world;

pub use model::{
    Arrive, Behaviour, Client, Content, Fault, FaultKind, Framing, Group, Latency, Leave, Model, Network,
    RealContent, Role, Run, Sharing, Stop, Target, TrackerModel,
};
pub use outcome::{Check, End, MessageCount, Outcome, PeerOutcome, Presence, Sample, TrackerLoad};
pub use recording::{Levels, Recording};
pub use run::{ModelError, Progress, run, run_recorded};
pub use schedule::{CrashPlan, NodePlan, schedule};
pub use tracker::TORRENT;
