//! What is outstanding each way, and how much has passed of late, for the links where anything does: in a swarm most are quiet.

use alloc::vec::Vec;

use crate::ConnId;
use crate::conn::{Conn, Flag};
use crate::conns::Conns;
use crate::pipeline::Pace;
use crate::pool::Queue;
use crate::seldom::Seldom;
use crate::time::Coarse;
use crate::torrent::ends;

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

/// What is kept of a link for the blocks and requests that pass on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    /// Requests made of the remote.
    pub(crate) asked: Queue,
    /// Blocks the remote has asked for.
    pub(crate) queued: Queue,
    pub(crate) down: Window,
    pub(crate) up: Window,
    /// Bytes sent since we last unchoked it; forgotten some time after it was choked.
    pub(crate) sent_since_unchoke: u32,
    /// The active piece it is working on, a guess.
    pub(crate) working: u16,
    /// When it last gave a block, or when it began to owe us one.
    pub(crate) block_at: Coarse,
    /// Requests withdrawn whose blocks may still arrive.
    pub(crate) excused: u16,
    conn: ConnId,
    /// Blocks that nobody asked for.
    pub(crate) strikes: u8,
}

const _: () = assert!(size_of::<Flow>() == 44);

impl Flow {
    const QUIET: Flow = Flow {
        asked: Queue::EMPTY,
        queued: Queue::EMPTY,
        down: Window { current: 0, last: 0 },
        up: Window { current: 0, last: 0 },
        sent_since_unchoke: 0,
        working: u16::MAX,
        block_at: Coarse::START,
        excused: 0,
        conn: ConnId(0),
        strikes: 0,
    };

    /// Nobody owes the other anything, nor has anything to explain.
    fn is_settled(&self) -> bool {
        self.asked.is_empty() && self.queued.is_empty() && self.excused == 0 && self.strikes == 0
    }
}

/// The flows of all links, close together; a link names its own by number.
#[derive(Debug, Default)]
pub(crate) struct Flows {
    rows: Vec<Flow>,
    /// What the rule of the pipeline remembers of each, in the same order; nothing where no rule asks.
    paces: Seldom<Pace>,
}

impl Flows {
    /// The number of a link on which nothing passes.
    pub(crate) const NONE: u16 = u16::MAX;

    /// What passes on a link.
    #[inline]
    pub(crate) fn get(&self, conn: &Conn) -> &Flow {
        static QUIET: Flow = Flow::QUIET;
        self.rows.get(usize::from(conn.flow)).unwrap_or(&QUIET)
    }

    /// The same, to be changed, if anything passes.
    #[inline]
    pub(crate) fn get_mut(&mut self, conn: &Conn) -> Option<&mut Flow> {
        self.rows.get_mut(usize::from(conn.flow))
    }

    /// What passes on a link from now on, if nothing has yet.
    #[inline]
    pub(crate) fn of(&mut self, id: ConnId, conn: &mut Conn) -> &mut Flow {
        if conn.flow == Self::NONE {
            self.begin(id, conn);
        }
        &mut self.rows[usize::from(conn.flow)]
    }

    #[cold]
    fn begin(&mut self, id: ConnId, conn: &mut Conn) {
        if self.rows.len() == self.rows.capacity() {
            self.rows.reserve_exact(4);
        }
        conn.flow = self.rows.len() as u16;
        self.rows.push(Flow { conn: id, ..Flow::QUIET });
        if !self.paces.is_empty() {
            self.paces.push(Pace::NEW);
        }
    }

    /// What the rule of the pipeline remembers of a link.
    pub(crate) fn pace(&self, conn: &Conn) -> Pace {
        self.paces.get(usize::from(conn.flow)).copied().unwrap_or(Pace::NEW)
    }

    /// The same, to be changed. Something must have passed.
    pub(crate) fn pace_mut(&mut self, conn: &Conn) -> &mut Pace {
        if self.paces.is_empty() {
            self.rows.iter().for_each(|_| self.paces.push(Pace::NEW));
        }
        &mut self.paces[usize::from(conn.flow)]
    }

    /// The end of a choke round.
    pub(crate) fn turn(&mut self, conns: &mut Conns) {
        for at in (0..self.rows.len() as u16).rev() {
            let flow = &mut self.rows[usize::from(at)];
            flow.down.turn();
            flow.up.turn();
            let Some(conn) = conns.get_mut(flow.conn) else { continue };
            let silent = flow.down.bytes() == 0 && flow.up.bytes() == 0;
            if !silent || (flow.sent_since_unchoke > 0 && !conn.is(Flag::WeChoking)) {
                continue;
            }
            flow.sent_since_unchoke = 0;
            if flow.is_settled() {
                let quiet = core::mem::replace(&mut conn.flow, Self::NONE);
                self.forget(quiet, conns);
            } else if let Some(pace) = self.paces.get_mut(usize::from(at)) {
                *pace = Pace::NEW;
            }
        }
        if self.rows.capacity() > self.rows.len() + self.rows.len() / 4 + 2 {
            self.rows.shrink_to_fit();
        }
    }

    /// Forgets the flow of a link that is gone or silent, and gives what it was.
    pub(crate) fn forget(&mut self, at: u16, conns: &mut Conns) -> Flow {
        if at == Self::NONE {
            return Flow::QUIET;
        }
        if !self.paces.is_empty() {
            self.paces.swap_remove(usize::from(at));
        }
        let forgotten = self.rows.swap_remove(usize::from(at));
        if let Some(conn) = self.rows.get(usize::from(at)).and_then(|moved| conns.get_mut(moved.conn)) {
            conn.flow = at;
        }
        forgotten
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Flow> {
        self.rows.iter_mut()
    }

    /// Where a flow lies, for [`crate::Torrent::queue_places`].
    pub(crate) fn places(&self, at: u16, stored: &mut impl FnMut(*const u8)) {
        ends(&self.rows, usize::from(at), 1).into_iter().for_each(stored);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{Arrival, Depth};
    use crate::{Config, Direction, Instant, PipelineRule, Random};

    #[test]
    fn each_link_keeps_its_own_flow_whoever_leaves() {
        let mut random = Random::new(1);
        let (mut conns, mut flows) = (Conns::default(), Flows::default());
        let mut expected = [None; 8];
        let now = Instant::START;
        for step in 1..10_000 {
            let at = random.below(8) as usize;
            let id = ConnId(at as u16);
            match (random.below(8), expected[at]) {
                (0, Some(_)) => {
                    let conn = conns.remove(id).unwrap();
                    flows.forget(conn.flow, &mut conns);
                    expected[at] = None;
                }
                (_, None) => {
                    conns.insert(id, Conn::new(1, 1, Direction::Incoming, true, now), 8);
                    conns.get_mut(id).unwrap().set(Flag::WeChoking, random.below(2) == 0);
                    expected[at] = Some((0, 0));
                }
                (1, _) => {
                    flows.turn(&mut conns);
                    expected.iter_mut().flatten().for_each(|(now, last)| (*now, *last) = (0, *now));
                }
                (_, Some((now, last))) => {
                    flows.of(id, conns.get_mut(id).unwrap()).up.add(step);
                    expected[at] = Some((now + step, last));
                }
            }
            for (id, conn) in conns.iter() {
                let (now, last) = expected[usize::from(id.0)].unwrap();
                assert_eq!(flows.get(conn).up.bytes(), now + last, "step {step}");
            }
            assert!(flows.rows.len() <= usize::from(conns.len()));
        }
        (0..2).for_each(|_| flows.turn(&mut conns));
        assert!(flows.rows.is_empty(), "nothing was counted as sent, and the links are silent");
    }

    #[test]
    fn what_is_owed_outlasts_silence_and_what_a_rule_remembers_goes_with_its_link() {
        let (mut conns, mut flows) = (Conns::default(), Flows::default());
        let delay = Arrival { delay: 1, len: 1, millis: 0, window_bytes: 0, window_ms: 0, block_len: 1 };
        for id in (0..3).map(ConnId) {
            conns.insert(id, Conn::new(id.0 + 1, 1, Direction::Incoming, true, Instant::START), 3);
            let conn = conns.get_mut(id).unwrap();
            flows.of(id, conn).excused = id.0;
            let config = Config { pipeline_rule: PipelineRule::Doubling, ..Config::default() };
            (0..id.0).for_each(|_| {
                Depth { limit: 8, pace: flows.pace_mut(conn) }.block(&config, delay);
            });
        }
        let paces = |conns: &Conns, flows: &Flows| {
            [0, 1, 2].map(|id| conns.get(ConnId(id)).map(|conn| flows.pace(conn)))
        };
        let before = paces(&conns, &flows);
        assert!(before[1] != before[2] && before[2] != Some(Pace::NEW));
        let first = conns.remove(ConnId(0)).unwrap();
        assert_eq!(flows.forget(first.flow, &mut conns).excused, 0);
        assert_eq!(paces(&conns, &flows), [None, before[1], before[2]]);
        flows.turn(&mut conns);
        assert_eq!(paces(&conns, &flows), [None, Some(Pace::NEW), Some(Pace::NEW)]);
        assert_eq!([1, 2].map(|id| flows.get(conns.get(ConnId(id)).unwrap()).excused), [1, 2]);
        flows.iter_mut().for_each(|flow| flow.excused = 0);
        flows.turn(&mut conns);
        assert!(flows.rows.is_empty() && conns.iter().all(|(_, conn)| conn.flow == Flows::NONE));
    }
}
