//! Swarms of real client programs on one machine, from the scenarios of the simulator, measured into the same results.
//!
//! Each peer is a process in a network namespace of its own, at the end of a veth pair whose other end is a port of a bridge;
//! `tc tbf` gives its uplink and its downlink the rates of the scenario. Bytes really move, through the kernel's TCP, from
//! disk to disk. Nodes come and go when the simulator would have them come and go: both follow
//! [`swarmlab_sim::schedule`]. [`run`] gives a [`swarmlab_sim::Outcome`], so everything that is made of a simulated run is
//! made of a real one too.
//!
//! The way of a run: `demand` says what of a scenario can be made here, `ground` makes the network, `swarm` starts clients
//! and follows them, `outcome` makes numbers of what was seen. `client` has a file for each program.
//!
//! Nothing outlives a run. The network hangs on one process that ends with this one; clients die when their parent dies
//! (`setpriv --pdeathsig`); addresses and interfaces exist in namespaces that only these processes hold. Directories that a
//! killed run has left are removed by the next one (`scratch`).
//!
//! Linux, as root (that of a user namespace will do), with iproute2 and util-linux.
#![forbid(unsafe_code)]

mod client;
mod demand;
mod error;
mod ground;
mod layout;
mod load;
mod observe;
mod outcome;
mod process;
mod programs;
mod rpc;
mod scratch;
mod swarm;

pub use client::Client;
pub use demand::{Demand, Unmakable};
pub use error::TestbedError;
pub use programs::{missing, python};
pub use swarm::{Progress, Setup, Taken, run};
