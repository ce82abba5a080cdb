//! The two ends of a node's access link: the uplink serves blocks one after the other, the downlink delivers them as
//! its rate allows. Times in a link are nanoseconds, so that small messages on fast links are not rounded away.

use std::collections::VecDeque;

use swarmlab_protocol::Block;

/// The rate of a link as the time a byte takes, in 2^-32 nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate(u64);

impl Rate {
    /// Of so many bytes per second, at least one.
    pub(crate) fn new(bytes_per_second: u64) -> Self {
        Rate(((1_000_000_000u128 << 32) / u128::from(bytes_per_second.max(1))) as u64)
    }

    /// Nanoseconds that so many bytes take.
    #[inline]
    pub(crate) fn nanos(self, bytes: u32) -> u64 {
        ((u128::from(self.0) * u128::from(bytes)) >> 32) as u64
    }
}

/// The microsecond by which so many nanoseconds have passed.
#[inline]
fn micros(nanos: u64) -> u64 {
    nanos.saturating_add(999) / 1_000
}

/// A block that was handed to the uplink.
#[derive(Debug)]
pub(crate) struct Sending<P> {
    pub(crate) conn: u16,
    pub(crate) corrupt: bool,
    pub(crate) block: Block,
    pub(crate) payload: P,
}

/// The way out: a queue of blocks, served in turn, and small messages between them.
#[derive(Debug)]
pub(crate) struct Uplink<P> {
    rate: Rate,
    /// Everything accepted so far will have left at this time.
    free_ns: u64,
    /// The small messages accepted so far will have left at this time. They do not overtake each other: a connection is a
    /// stream.
    small_ns: u64,
    /// The block that is being sent will have left at this time, in microseconds; `u64::MAX` if none is.
    done_us: u64,
    /// The connection of the block that is being sent.
    serving: u16,
    /// Small messages of the node wait for more than the link: see [`crate::node`].
    pub(crate) holds: bool,
    /// The last small message went to this connection: one more at the same time shares its segment.
    last: u16,
    /// When it was sent, in microseconds.
    last_us: u64,
    /// The first one is being sent. Each connection has few blocks here, so first come is taking turns.
    queue: VecDeque<Sending<P>>,
    /// Bytes carried.
    pub(crate) carried: u64,
    /// Content that has left, in bytes, as its caller counts it. An engine counts what it hands over, of which a closed
    /// connection takes some back.
    pub(crate) content: u64,
}

impl<P> Uplink<P> {
    pub(crate) fn new(rate: Rate, holds: bool) -> Self {
        Uplink {
            rate,
            free_ns: 0,
            small_ns: 0,
            done_us: u64::MAX,
            serving: u16::MAX,
            holds,
            last: 0,
            last_us: u64::MAX,
            queue: VecDeque::new(),
            carried: 0,
            content: 0,
        }
    }

    /// Whether a message to this connection travels in one segment with the one before.
    #[inline]
    pub(crate) fn rides(&mut self, conn: u16, now_us: u64) -> bool {
        let rides = self.last == conn && self.last_us == now_us;
        (self.last, self.last_us) = (conn, now_us);
        rides
    }

    /// Sends a small message; gives when it leaves, in microseconds. It waits for the small ones before it, and for
    /// blocks no longer than the buffer of the link holds.
    #[inline]
    pub(crate) fn small(&mut self, now_us: u64, bytes: u32, queue_ns: u64) -> u64 {
        let now = now_us * 1_000;
        let takes = self.rate.nanos(bytes);
        let free = self.free_ns.max(now);
        self.free_ns = free + takes;
        self.small_ns = free.min(now + queue_ns).max(self.small_ns) + takes;
        self.carried += u64::from(bytes);
        micros(self.small_ns)
    }

    /// Has the link carry bytes that nobody waits for.
    #[inline]
    pub(crate) fn charge(&mut self, now_us: u64, bytes: u32) {
        self.free_ns = self.free_ns.max(now_us * 1_000) + self.rate.nanos(bytes);
        self.carried += u64::from(bytes);
    }

    /// Queues a block.
    pub(crate) fn push(&mut self, now_us: u64, sending: Sending<P>, frame: impl Fn(u32) -> u32) {
        if self.queue.len() == self.queue.capacity() {
            // There are about as many blocks here as upload slots ask for, in each of very many nodes.
            self.queue.reserve_exact(4);
        }
        self.queue.push_back(sending);
        if self.done_us == u64::MAX {
            self.serve(now_us, frame);
        }
    }

    fn serve(&mut self, now_us: u64, frame: impl Fn(u32) -> u32) {
        if let Some(first) = self.queue.front() {
            let conn = first.conn;
            self.charge(now_us, frame(first.block.len));
            (self.done_us, self.serving) = (micros(self.free_ns), conn);
        }
    }

    /// The connection of the block that is being sent; `u16::MAX` if none is.
    pub(crate) fn serving(&self) -> u16 {
        self.serving
    }

    /// Where the block that is being sent lies and the next one, and where another one would, to be fetched.
    pub(crate) fn places(&self) -> [*const u8; 3] {
        let place =
            |at| self.queue.get(at).map_or(std::ptr::null(), |sending| std::ptr::from_ref(sending).cast());
        let last: *const u8 = place(self.queue.len().wrapping_sub(1));
        [place(0), place(1), last.wrapping_add(size_of::<Sending<P>>())]
    }

    /// When the block that is being sent will have left, in microseconds.
    #[inline]
    pub(crate) fn due(&self) -> u64 {
        self.done_us
    }

    /// The block that has left now; the next one begins.
    pub(crate) fn finish(&mut self, now_us: u64, frame: impl Fn(u32) -> u32) -> Option<Sending<P>> {
        self.done_us = u64::MAX;
        let sent = self.queue.pop_front();
        self.serve(now_us, frame);
        sent
    }

    /// Blocks of a connection that have not left.
    pub(crate) fn queued(&self, conn: u16) -> u32 {
        self.queue.iter().filter(|sending| sending.conn == conn).count() as u32
    }

    /// Drops what is queued for a connection that is gone. What is being sent goes on and is dropped at its end.
    pub(crate) fn forget(&mut self, conn: u16) -> u32 {
        let before = self.queue.len();
        let mut first = self.done_us != u64::MAX;
        self.queue.retain_mut(|sending| {
            let served = std::mem::take(&mut first);
            if served && sending.conn == conn {
                sending.conn = u16::MAX;
            }
            served || sending.conn != conn
        });
        (before - self.queue.len()) as u32
    }
}

/// A block that has reached the downlink and waits for its turn.
#[derive(Debug)]
pub(crate) struct Waiting<P> {
    pub(crate) at: u64,
    pub(crate) conn: u16,
    pub(crate) from: u32,
    pub(crate) corrupt: bool,
    pub(crate) congested: bool,
    /// `None` is the end of the connection, which comes behind its blocks.
    pub(crate) block: Option<Block>,
    pub(crate) payload: P,
}

/// The way in.
#[derive(Debug)]
pub(crate) struct Downlink<P> {
    rate: Rate,
    /// What has come so far could be through at this time; small messages alone do not hold it up to the present.
    free_ns: u64,
    pub(crate) waiting: VecDeque<Waiting<P>>,
    /// Bytes carried.
    pub(crate) carried: u64,
}

impl<P> Downlink<P> {
    pub(crate) fn new(rate: Rate) -> Self {
        Downlink { rate, free_ns: 0, waiting: VecDeque::new(), carried: 0 }
    }

    /// A small message comes in. It is charged and waits for nothing.
    #[inline]
    pub(crate) fn small(&mut self, bytes: u32) {
        self.carried += u64::from(bytes);
        self.free_ns += self.rate.nanos(bytes);
    }

    /// The last byte of a block would arrive now if the link were idle, and the first did so long before as the sender took
    /// for all of it; gives when the block is through, in microseconds. What the link does not carry of other things in
    /// that time, it carries of this block. Also whether the block found the queue full, in nanoseconds and in blocks of its
    /// length: two of these always fit, as less than that cannot be told apart from the block itself.
    #[inline]
    pub(crate) fn block(
        &mut self,
        now_us: u64,
        bytes: u32,
        sender: Rate,
        (queue_ns, more): (u64, u64),
    ) -> (u64, bool) {
        self.carried += u64::from(bytes);
        let first = (now_us * 1_000).saturating_sub(sender.nanos(bytes));
        let takes = self.rate.nanos(bytes);
        let overflows = self.free_ns.saturating_sub(first) > (queue_ns + more * takes).max(2 * takes);
        self.free_ns = self.free_ns.max(first) + takes;
        (now_us.max(micros(self.free_ns)), overflows)
    }

    /// When the first of the waiting blocks is through, in microseconds.
    pub(crate) fn due(&self) -> u64 {
        self.waiting.front().map_or(u64::MAX, |first| first.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use swarmlab_protocol::PieceIndex;

    fn sending(conn: u16) -> Sending<()> {
        let block = Block { piece: PieceIndex(0), begin: 0, len: 1_000 };
        Sending { conn, corrupt: false, block, payload: () }
    }

    #[test]
    fn blocks_leave_one_after_the_other_at_the_rate() {
        let mut up = Uplink::new(Rate::new(1_000_000), false);
        for conn in [1, 2, 1] {
            up.push(0, sending(conn), |len| len);
        }
        for (due, conn) in [(1_000, 1), (2_000, 2), (3_000, 1)] {
            assert_eq!(up.due(), due);
            assert_eq!(up.finish(due, |len| len).map(|sent| sent.conn), Some(conn));
        }
        assert_eq!((up.due(), up.carried), (u64::MAX, 3_000));
    }

    #[test]
    fn a_small_message_waits_for_what_the_buffer_holds_and_delays_the_next_block() {
        let mut up = Uplink::new(Rate::new(1_000_000), false);
        up.push(0, sending(1), |len| len);
        up.push(0, sending(1), |len| len);
        assert_eq!(up.small(100, 100, 10_000_000), 1_100, "behind the block");
        let mut up = Uplink::new(Rate::new(1_000_000), false);
        up.push(0, sending(1), |len| len);
        up.push(0, sending(1), |len| len);
        assert_eq!(up.small(100, 100, 300_000), 500, "no longer than the buffer");
        up.finish(1_000, |len| len);
        assert_eq!(up.due(), 2_100);
    }

    #[test]
    fn a_short_message_does_not_overtake_a_long_one() {
        let mut up = Uplink::<()>::new(Rate::new(1_000), false);
        assert_eq!(up.small(0, 134, 100_000_000), 134_000);
        assert_eq!(up.small(0, 71, 100_000_000), 205_000);
        assert_eq!(up.small(0, 0, 100_000_000), 205_000);
    }

    #[test]
    fn a_closed_connection_leaves_the_queue_but_not_the_wire() {
        let mut up = Uplink::new(Rate::new(1_000_000), false);
        for conn in [1, 2, 1] {
            up.push(0, sending(conn), |len| len);
        }
        assert_eq!(up.forget(1), 1);
        assert_eq!(up.finish(1_000, |len| len).map(|sent| sent.conn), Some(u16::MAX));
        assert_eq!(up.finish(2_000, |len| len).map(|sent| sent.conn), Some(2));
        assert_eq!(up.due(), u64::MAX);
    }

    #[test]
    fn a_downlink_adds_nothing_while_it_is_faster_than_all_senders() {
        let mut down = Downlink::<()>::new(Rate::new(4_000_000));
        let sender = Rate::new(1_000_000);
        // Three at once, and small things between: 0.75 of its rate.
        for round in 1..=5 {
            (0..3).for_each(|_| {
                assert_eq!(down.block(1_000 * round, 1_000, sender, (0, 0)), (1_000 * round, false))
            });
            down.small(400);
        }
        // The fourth fills it, the fifth is too much by its own 250 us.
        let through: Vec<u64> = (0..5).map(|_| down.block(10_000, 1_000, sender, (0, 0)).0).collect();
        assert_eq!(through, [10_000, 10_000, 10_000, 10_000, 10_250]);
    }

    #[test]
    fn a_fast_sender_waits_for_a_slow_downlink() {
        let mut down = Downlink::<()>::new(Rate::new(1_000_000));
        let sender = Rate::new(10_000_000);
        assert_eq!(down.block(5_100, 1_000, sender, (0, 0)), (6_000, false), "the first byte came at 5,000");
        assert_eq!(down.block(5_200, 1_000, sender, (0, 0)), (7_000, false));
        assert_eq!(down.block(5_300, 1_000, sender, (0, 0)), (8_000, false), "1.8 ms behind others");
        assert_eq!(down.block(5_400, 1_000, sender, (0, 0)), (9_000, true), "2.7 ms");
        assert_eq!(down.block(20_000, 1_000, sender, (0, 0)), (20_900, false));
    }

    #[test]
    fn the_rate_holds_over_a_long_time() {
        let rate = Rate::new(125_000);
        let total: u64 = (0..1_000).map(|_| rate.nanos(16_397)).sum();
        assert!((131_175_000_000..=131_176_000_000).contains(&total), "{total}");
    }
}
