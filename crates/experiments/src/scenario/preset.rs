//! Named behaviours of clients, as data of the engine.

pub(crate) use swarmlab_protocol::preset::{NAMES, by_name, description};
