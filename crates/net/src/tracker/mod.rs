//! Trackers over HTTP: the server that keeps swarms, and the client that asks one.
//!
//! What is asked and answered, and the table of the swarms, are [`swarmlab_protocol::tracker`]; here are the sockets.

pub mod client;
pub mod server;
