//! How much of a connection may be in flight, after TCP: slow start, a halving at each sign of congestion, then a unit more for
//! each round trip.
//!
//! It is counted in units of ten segments ([`crate::Network::window`]). A block is a unit, or several where it stands for that
//! many: what a *long block* does to the window is what its units would do one after the other. The window may be shorter than
//! it; then the block takes several round trips, which [`crate::node`] has it arrive later for.

/// Units before the first acknowledgement: an initial window is ten segments (RFC 6928).
const FIRST: u8 = 1;
/// Units at least after a congestion: with one the link would idle for a round trip after each, where packets in its queue
/// would keep it busy.
const LEAST: u8 = 2;
/// Of [`Window::grown`]: each acknowledged unit makes the window larger.
const SLOW_START: u8 = u8::MAX;

/// The window of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// Most units in flight.
    size: u8,
    /// Units acknowledged since the window last grew, after the first congestion; before it, `SLOW_START`.
    grown: u8,
}

impl Window {
    /// That of a new connection.
    pub(crate) const NEW: Window = Window { size: FIRST, grown: SLOW_START };

    /// Most blocks of so many units that are on their way. Of long blocks one more: while one is in flight the next can
    /// already leave, as its first units would.
    #[inline]
    pub(crate) fn blocks(self, units: u32) -> u8 {
        if units == 1 { self.size } else { 1 + u32::from(self.size).div_ceil(units) as u8 }
    }

    /// Blocks have reached the remote. The window has grown by long ones when they left.
    #[inline]
    pub(crate) fn acknowledged(&mut self, blocks: u8, congested: bool, units: u32) {
        if congested {
            self.size = (self.size >> units.min(7)).max(LEAST);
            self.grown = 0;
        } else if units == 1 {
            self.grow(blocks);
        }
    }

    /// A long block leaves. Gives how long the window takes to carry it, in thousandths of a round trip.
    pub(crate) fn carry(&mut self, units: u32) -> u64 {
        let (mut left, mut taken) = (units, 0);
        loop {
            let size = u32::from(self.size);
            let sent = left.min(size);
            self.grow(sent as u8);
            if left <= size {
                return taken + u64::from(left) * 1_000 / u64::from(size);
            }
            left -= sent;
            taken += 1_000;
        }
    }

    /// No more units than the window has are acknowledged.
    #[inline]
    fn grow(&mut self, units: u8) {
        if self.grown == SLOW_START {
            self.size = self.size.saturating_add(units);
            return;
        }
        let grown = u16::from(self.grown) + u16::from(units);
        let size = u16::from(self.size);
        if grown < size {
            self.grown = grown as u8;
        } else {
            self.grown = (grown - size) as u8;
            self.size = self.size.saturating_add(1).min(SLOW_START - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_start_doubles_and_what_follows_adds() {
        let mut window = Window::NEW;
        let mut round = || {
            (0..window.blocks(1)).for_each(|_| window.acknowledged(1, false, 1));
            window.blocks(1)
        };
        assert_eq!([(); 4].map(|()| round()), [2, 4, 8, 16]);
        window.acknowledged(1, true, 1);
        assert_eq!(window.blocks(1), 8);
        let mut round = || {
            (0..window.blocks(1)).for_each(|_| window.acknowledged(1, false, 1));
            window.blocks(1)
        };
        assert_eq!([(); 3].map(|()| round()), [9, 10, 11]);
        (0..9).for_each(|_| window.acknowledged(1, true, 1));
        assert_eq!(window.blocks(1), LEAST);
        (0..100_000).for_each(|_| window.acknowledged(1, false, 1));
        assert_eq!(window.blocks(1), SLOW_START - 1);
    }

    #[test]
    fn a_long_block_does_what_its_units_would() {
        for (units, congested) in [(2, false), (7, false), (64, false), (64, true), (300, true)] {
            let (mut one, mut each) = (Window::NEW, Window::NEW);
            if congested {
                one.acknowledged(1, true, units);
                (0..units).for_each(|_| each.acknowledged(1, true, 1));
            }
            for block in 0..20 {
                one.carry(units);
                (0..units).for_each(|_| each.acknowledged(1, false, 1));
                // The window grows in the middle of a block; a unit of it may be counted before.
                assert!(one.size.abs_diff(each.size) <= 1, "block {block} of {units}: {one:?} {each:?}");
            }
        }
    }

    #[test]
    fn a_block_longer_than_the_window_takes_round_trips() {
        // 1, 2, 4, 8 and one of the last 16.
        let mut window = Window::NEW;
        assert_eq!((window.carry(16), window.size), (4_000 + 1_000 / 16, 17));
        // 2 to 6 and 5 of the last 7.
        let mut window = Window { size: 2, grown: 0 };
        assert_eq!((window.carry(25), window.size), (5_000 + 5_000 / 7, 7));
        assert_eq!(Window { size: 100, grown: 0 }.carry(25), 250);
    }

    #[test]
    fn the_uplink_has_a_long_block_while_another_is_in_flight() {
        for (size, units, blocks) in [(1, 1, 1), (9, 1, 9), (1, 8, 2), (8, 8, 2), (9, 8, 3), (255, 1_024, 2)]
        {
            assert_eq!(Window { size, grown: 0 }.blocks(units), blocks, "{size} of {units}");
        }
    }
}
