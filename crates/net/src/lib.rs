//! The real network: peers over TCP, files on disk, trackers; walking and hashing trees.
//!
//! This crate moves bytes. Every decision of a swarm is taken by the engine in `swarmlab-protocol`; here its inputs
//! are made from what sockets and disks say, and its outputs are carried out.
#![forbid(unsafe_code)]

mod conn;
pub mod disk;
pub mod endpoint;
mod listener;
mod rate;
pub mod recorder;
pub mod tracker;
pub mod tree;
mod valve;
