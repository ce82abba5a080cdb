//! Numbers for whoever is met: by peer id where it is known, else by address.

use std::collections::HashMap;
use std::net::SocketAddr;

use swarmlab_protocol::{PeerId, Reserved};
use swarmlab_trace::{Join, Level, NodeId, Pieces};

/// What is known of a remote.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// Where it was seen.
    pub(super) addr: SocketAddr,
    /// What it calls itself, once that is known.
    pub(super) peer_id: Option<PeerId>,
    /// The extensions it speaks, once that is known.
    pub(super) reserved: Option<Reserved>,
    /// Whether it listens at that address: of an incoming link the port is a passing one.
    pub(super) listens: bool,
}

/// Who has which number.
#[derive(Debug)]
pub(super) struct Book {
    /// The group of those who are met.
    others: u32,
    rows: Vec<Row>,
    by_id: HashMap<PeerId, NodeId>,
    by_addr: HashMap<SocketAddr, NodeId>,
}

#[derive(Debug)]
struct Row {
    ours: bool,
    peer_id: Option<PeerId>,
    reserved: Option<Reserved>,
    /// Whether the trace has all of this.
    told: bool,
}

impl Book {
    pub(super) fn new(others: u32) -> Self {
        Book { others, rows: Vec::new(), by_id: HashMap::new(), by_addr: HashMap::new() }
    }

    /// An endpoint of this process, whose join the trace has.
    pub(super) fn enter(&mut self, peer_id: PeerId, addr: SocketAddr) -> NodeId {
        let node = self.add(Row { ours: true, peer_id: Some(peer_id), reserved: None, told: true });
        self.by_id.insert(peer_id, node);
        self.by_addr.insert(addr, node);
        node
    }

    /// Whether that is an endpoint of this process.
    pub(super) fn is_ours(&self, peer_id: &PeerId) -> bool {
        self.by_id.get(peer_id).is_some_and(|node| self.rows[*node as usize].ours)
    }

    /// The number of a remote, and how it joins if the trace lacks something of it.
    pub(super) fn number(&mut self, known: &Known) -> (NodeId, Option<Join>) {
        let by_id = known.peer_id.and_then(|peer_id| self.by_id.get(&peer_id).copied());
        let by_addr = || self.by_addr.get(&known.addr).copied().filter(|_| known.listens);
        let found = by_id.or_else(by_addr);
        let node = found
            .unwrap_or_else(|| self.add(Row { ours: false, peer_id: None, reserved: None, told: false }));
        let row = &mut self.rows[node as usize];
        if !row.ours {
            let more = known.peer_id.is_some() && known.peer_id != row.peer_id
                || known.reserved.is_some() && known.reserved != row.reserved;
            row.told &= !more;
            row.peer_id = known.peer_id.or(row.peer_id);
            row.reserved = known.reserved.or(row.reserved);
        }
        if known.listens {
            self.by_addr.entry(known.addr).or_insert(node);
        }
        if let Some(peer_id) = known.peer_id {
            self.by_id.insert(peer_id, node);
        }
        let row = &self.rows[node as usize];
        let join = (!row.told).then(|| Join {
            node,
            group: self.others,
            level: Level::Seen,
            peer_id: row.peer_id.unwrap_or(PeerId([0; 20])),
            reserved: row.reserved.unwrap_or_default(),
            addr: known.addr,
            up: 0,
            down: 0,
            pieces: Pieces::None,
        });
        (node, join)
    }

    /// The trace has the join of this node.
    pub(super) fn told(&mut self, node: NodeId) {
        self.rows[node as usize].told = true;
    }

    fn add(&mut self, row: Row) -> NodeId {
        self.rows.push(row);
        self.rows.len() as NodeId - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 7], port))
    }

    fn known(port: u16, peer_id: Option<u8>, listens: bool) -> Known {
        let peer_id = peer_id.map(|byte| PeerId([byte; 20]));
        Known { addr: addr(port), peer_id, reserved: peer_id.map(|_| Reserved::OURS), listens }
    }

    #[test]
    fn a_remote_is_one_node_by_whatever_it_is_known() {
        let mut book = Book::new(5);
        assert_eq!(book.enter(PeerId([1; 20]), addr(1)), 0);
        // Ours, by both.
        assert!(matches!(book.number(&known(1, None, true)), (0, None)));
        assert!(matches!(book.number(&known(60_000, Some(1), false)), (0, None)));
        // Another one: called, then met; then it calls us.
        let (node, join) = book.number(&known(2, None, true));
        let join = join.expect("it is new");
        assert_eq!((node, join.group, join.level, join.peer_id), (1, 5, Level::Seen, PeerId([0; 20])));
        book.told(1);
        let join = book.number(&known(2, Some(2), true)).1.expect("more is known");
        assert_eq!((join.node, join.peer_id, join.reserved), (1, PeerId([2; 20]), Reserved::OURS));
        book.told(1);
        assert!(matches!(book.number(&known(60_001, Some(2), false)), (1, None)));
        // A passing port is nobody's address.
        assert!(matches!(book.number(&known(60_001, Some(3), false)), (2, Some(_))));
        assert!(matches!(book.number(&known(60_001, None, true)), (3, Some(_))));
    }

    #[test]
    fn a_join_that_was_lost_is_told_again() {
        let mut book = Book::new(0);
        assert!(book.number(&known(2, Some(2), true)).1.is_some());
        assert!(book.number(&known(2, Some(2), true)).1.is_some());
        book.told(0);
        assert!(book.number(&known(2, Some(2), true)).1.is_none());
    }
}
