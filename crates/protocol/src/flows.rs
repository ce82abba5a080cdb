//! How much content has passed of late, each way, for the links where any has: in a swarm most links are quiet.

use alloc::vec::Vec;

use crate::ConnId;
use crate::conn::{Conn, Flag};
use crate::conns::Conns;
use crate::pipeline::Pace;
use crate::torrent::place;

/// Bytes in this choke round and the one before: at the end of a round, a window of 20 s (Cohen 2003).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Window {
    current: u32,
    last: u32,
}

impl Window {
    pub(crate) fn add(&mut self, bytes: u32) {
        self.current = self.current.saturating_add(bytes);
    }

    pub(crate) fn bytes(self) -> u32 {
        self.current.saturating_add(self.last)
    }

    fn turn(&mut self) {
        self.last = core::mem::take(&mut self.current);
    }

    /// How long the window has lasted, with so much of this round gone: a round in which nothing came does not count.
    pub(crate) fn millis(self, gone: u32, round: u32) -> u32 {
        if self.last > 0 { gone.saturating_add(round) } else { gone }
    }
}

/// What has passed on one link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    pub(crate) down: Window,
    pub(crate) up: Window,
    /// Bytes sent since we last unchoked it; forgotten with the rest some time after it was choked.
    pub(crate) sent_since_unchoke: u32,
    /// What the rule of the pipeline remembers.
    pub(crate) pace: Pace,
    conn: ConnId,
}

impl Flow {
    const QUIET: Flow = Flow {
        down: Window { current: 0, last: 0 },
        up: Window { current: 0, last: 0 },
        sent_since_unchoke: 0,
        pace: Pace::NEW,
        conn: ConnId(0),
    };
}

/// The flows of all links, close together; a link names its own by number.
#[derive(Debug)]
pub(crate) struct Flows(Vec<Flow>);

impl Flows {
    /// The number of a link on which nothing passes.
    pub(crate) const NONE: u16 = u16::MAX;

    pub(crate) const fn new() -> Self {
        Flows(Vec::new())
    }

    /// What has passed on a link.
    #[inline]
    pub(crate) fn get(&self, conn: &Conn) -> &Flow {
        self.0.get(usize::from(conn.flow)).unwrap_or(&Flow::QUIET)
    }

    /// The same, to be changed.
    #[inline]
    pub(crate) fn get_mut(&mut self, id: ConnId, conn: &mut Conn) -> &mut Flow {
        if conn.flow == Self::NONE {
            self.begin(id, conn);
        }
        &mut self.0[usize::from(conn.flow)]
    }

    #[cold]
    fn begin(&mut self, id: ConnId, conn: &mut Conn) {
        let quiet = Flow { conn: id, ..Flow::QUIET };
        if self.0.len() == self.0.capacity() {
            self.0.reserve_exact(4);
        }
        conn.flow = self.0.len() as u16;
        self.0.push(quiet);
    }

    /// The end of a choke round.
    pub(crate) fn turn(&mut self, conns: &mut Conns) {
        for at in (0..self.0.len() as u16).rev() {
            let flow = &mut self.0[usize::from(at)];
            flow.down.turn();
            flow.up.turn();
            let (silent, sent) = (flow.down.bytes() == 0 && flow.up.bytes() == 0, flow.sent_since_unchoke);
            if !silent {
                continue;
            }
            let of_link = conns.get_mut(flow.conn).filter(|conn| sent == 0 || conn.is(Flag::WeChoking));
            if let Some(conn) = of_link {
                conn.flow = Self::NONE;
                self.forget(at, conns);
            }
        }
        if self.0.capacity() > 2 * self.0.len() + 4 {
            self.0.shrink_to_fit();
        }
    }

    /// Forgets the flow of a link that is gone or silent.
    pub(crate) fn forget(&mut self, at: u16, conns: &mut Conns) {
        if at == Self::NONE {
            return;
        }
        self.0.swap_remove(usize::from(at));
        if let Some(conn) = self.0.get(usize::from(at)).and_then(|moved| conns.get_mut(moved.conn)) {
            conn.flow = at;
        }
    }

    /// Where a flow lies, for [`crate::Torrent::queue_places`].
    pub(crate) fn place(&self, at: u16) -> *const u8 {
        place(&self.0, usize::from(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conn::Work;
    use crate::{Direction, Instant, Random};

    #[test]
    fn each_link_keeps_its_own_flow_whoever_leaves() {
        let mut random = Random::new(1);
        let (mut conns, mut flows) = (Conns::default(), Flows::new());
        let mut expected = [None; 8];
        let now = Instant::START;
        for step in 1..10_000 {
            let at = random.below(8) as usize;
            let id = ConnId(at as u16);
            match (random.below(8), expected[at]) {
                (0, Some(_)) => {
                    let (conn, _) = conns.remove(id).unwrap();
                    flows.forget(conn.flow, &mut conns);
                    expected[at] = None;
                }
                (_, None) => {
                    conns.insert(id, Conn::new(Direction::Incoming, true, now), Work::new(1, 1, now), 8);
                    conns.get_mut(id).unwrap().set(Flag::WeChoking, random.below(2) == 0);
                    expected[at] = Some((0, 0));
                }
                (1, _) => {
                    flows.turn(&mut conns);
                    expected.iter_mut().flatten().for_each(|(now, last)| (*now, *last) = (0, *now));
                }
                (_, Some((now, last))) => {
                    flows.get_mut(id, conns.get_mut(id).unwrap()).up.add(step);
                    expected[at] = Some((now + step, last));
                }
            }
            for (id, conn) in conns.iter() {
                let (now, last) = expected[usize::from(id.0)].unwrap();
                assert_eq!(flows.get(conn).up.bytes(), now + last, "step {step}");
            }
            assert!(flows.0.len() <= usize::from(conns.len()));
        }
        (0..2).for_each(|_| flows.turn(&mut conns));
        assert!(flows.0.is_empty(), "nothing was counted as sent, and the links are silent");
    }
}
