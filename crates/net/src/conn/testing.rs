//! Ends of links for tests.

use swarmlab_protocol::ConnId;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{Key, Outgoing, ToWriter};

/// The first link of a slot.
pub(crate) fn key(slot: u16) -> Key {
    Key { conn: ConnId(slot), generation: 1 }
}

/// The way to a writer that is the test itself.
pub(crate) fn to_writer() -> (ToWriter, UnboundedReceiver<Outgoing>) {
    let (sender, receiver) = unbounded_channel();
    (ToWriter(sender), receiver)
}
