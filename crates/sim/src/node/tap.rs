//! What is recorded of a node: the boundary of its engine through the taps that the real driver uses too, and what an engine
//! does not know of: how nodes come and go, the bytes of announces.
//!
//! Where nothing is recorded this costs a comparison. It changes nothing: records are only added to a list.

use core::net::SocketAddr;

use swarmlab_protocol::{Bitfield, Input, Output, Reserved};
use swarmlab_trace::{Departure, Entry, Join, Level, Pieces, Record, tap};

use super::Node;
use crate::event::{Answer, NodeId};
use crate::http;
use crate::network::{addr_of, node_at, peer_id_of};
use crate::post::Post;
use crate::store::Store;
use crate::world::World;

/// Whether anything that passes the boundary of an engine is recorded.
#[inline]
pub(super) fn is_wanted(level: Level) -> bool {
    level >= Level::Pieces
}

/// Records an input that is about to be handed in.
#[inline]
pub(super) fn input(level: Level, node: NodeId, at: u64, input: &Input, records: &mut Vec<Entry>) {
    let wanted = match level {
        Level::Seen | Level::Life => false,
        Level::Pieces => matches!(input, Input::Verified { .. }),
        Level::Messages => true,
    };
    if wanted && let Some(record) = tap::of_input(node, input, &mut number) {
        records.push(Entry { at, record });
    }
}

/// The node at an address: nodes are at no other ones.
fn number(addr: SocketAddr, _: Option<&swarmlab_protocol::Opened>) -> NodeId {
    node_at(addr).unwrap_or_default()
}

impl<S: Store> Node<S> {
    /// Records what the engine asks, before it is carried out.
    #[inline(always)]
    pub(super) fn record_outputs(
        &self,
        at: u64,
        outputs: &[Output],
        records: &mut Vec<Entry>,
        world: &World,
    ) {
        if self.level == Level::Messages {
            self.record_each(at, outputs, records, world);
        }
    }

    #[cold]
    fn record_each(&self, at: u64, outputs: &[Output], records: &mut Vec<Entry>, world: &World) {
        let tracker = world.tracker();
        let new = outputs.iter().filter_map(|output| match output {
            Output::Announce(announce) => {
                Some(tap::announce(self.id, announce, http::request(self.id, tracker, announce)))
            }
            output => tap::of_output(self.id, output, &mut number),
        });
        records.extend(new.map(|record| Entry { at, record }));
    }

    /// An announce was answered, or was not.
    pub(super) fn replied(&mut self, now: u64, answer: Answer, post: &mut Post<'_, S::Payload>) {
        if self.seat.is_empty() {
            return;
        }
        let Answer { announced, bytes } = answer;
        if self.level == Level::Messages {
            post.records.push(Entry { at: now, record: tap::reply(self.id, &announced, bytes) });
        }
        self.hand(now, Input::Announced(Box::new(announced)), post);
    }

    /// Records that the node comes, with these pieces.
    pub(super) fn record_join(&self, at: u64, have: &Bitfield, post: &mut Post<'_, S::Payload>) {
        if self.level == Level::Seen {
            return;
        }
        let world = post.world;
        let group = &world.model.groups[usize::from(self.group)];
        let fast = world.configs[usize::from(self.group)].fast_extension;
        let join = Join {
            node: self.id,
            group: self.group.into(),
            level: self.level,
            peer_id: peer_id_of(self.id),
            reserved: if fast { Reserved::OURS } else { Reserved::default() },
            addr: addr_of(self.id),
            up: group.up,
            down: group.down,
            pieces: Pieces::of(have),
        };
        post.records.push(Entry { at, record: Record::Join(Box::new(join)) });
    }

    /// Records that the node has everything, unless that is among what its engine says.
    pub(super) fn record_completion(&self, at: u64, post: &mut Post<'_, S::Payload>) {
        if matches!(self.level, Level::Life | Level::Pieces) {
            post.records.push(Entry { at, record: Record::Completed { node: self.id } });
        }
    }

    /// Records that the node has gone.
    pub(super) fn record_leave(&self, at: u64, why: Departure, post: &mut Post<'_, S::Payload>) {
        if self.level != Level::Seen {
            post.records.push(Entry { at, record: Record::Leave { node: self.id, why } });
        }
    }
}
