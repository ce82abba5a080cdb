//! What a policy remembers of each remote from round to round; kept only while such a policy is on.

use alloc::vec::Vec;

use super::{ChokeView, Choker};
use crate::ConnId;

/// Everything that is remembered.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// By slot.
    links: Vec<Past>,
    /// The most bytes sent in one round.
    pub(super) most_sent: u32,
}

/// One remote, as it was at the end of the last round.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Past {
    /// Bytes it sent us in that round alone.
    pub(super) received: u32,
    /// Bytes we sent it in that round alone.
    pub(super) sent: u32,
    /// Rounds, one more than the number, in which it last got an optimistic turn; 0 if never.
    pub(super) turn: u32,
    /// What BitTyrant thinks it must be sent in a round so that it gives in return, in bytes; 0 before it was thought of.
    pub(super) price: u32,
    /// What BitTyrant thinks it gives in a round in return, in bytes.
    pub(super) gift: u32,
    /// Rounds on end in which it sent us nothing.
    pub(super) quiet: u8,
    /// Rounds on end in which it was unchoked and gave in return.
    pub(super) streak: u8,
}

impl Choker {
    /// Takes the end of a round into account. A view's window is this round and the one before, so what came in this round
    /// is the window less what came in the last.
    pub(super) fn look(&mut self, views: &[ChokeView]) {
        let slots = views.iter().map(|view| usize::from(view.conn.0) + 1).max().unwrap_or(0);
        let memory = self.memory.get_or_insert_default();
        if memory.links.len() < slots {
            memory.links.resize(slots, Past::default());
        }
        let mut sent: u32 = 0;
        for view in views {
            let past = &mut memory.links[usize::from(view.conn.0)];
            past.received = view.received.saturating_sub(past.received);
            past.sent = view.sent.saturating_sub(past.sent);
            past.quiet = if past.received > 0 { 0 } else { past.quiet.saturating_add(1) };
            sent = sent.saturating_add(past.sent);
        }
        memory.most_sent = memory.most_sent.max(sent);
    }

    /// What is remembered of a remote: nothing where nothing looks back.
    pub(super) fn past(&self, conn: ConnId) -> Past {
        let links = self.memory.as_ref().map_or(&[][..], |memory| &memory.links);
        links.get(usize::from(conn.0)).copied().unwrap_or_default()
    }

    pub(super) fn past_mut(&mut self, conn: ConnId) -> Option<&mut Past> {
        self.memory.as_mut()?.links.get_mut(usize::from(conn.0))
    }
}
