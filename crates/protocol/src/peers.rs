//! The addresses we know: where to connect next, when to try again, and whom never to speak to again.

use core::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6};
use core::time::Duration;

use crate::pages::Pages;
use crate::remotes::PeerHash;
use crate::seldom::Seldom;
use crate::{Instant, PeerSource, Random};

/// Addresses kept at most; more are forgotten, so that a tracker cannot fill our memory.
const MOST_KNOWN: usize = 500;
/// Banned ones kept at most; then the oldest is forgotten.
const MOST_BANNED: usize = 1_000;
/// The pause before an address is tried a second time; it doubles with each failure.
const FIRST_PAUSE: Duration = Duration::from_secs(15);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30 * 60);
/// After so many failures in a row an address that the user did not name is forgotten.
const MOST_FAILURES: u8 = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// May be tried.
    Ready,
    /// May be tried again from a moment on.
    Pausing,
    /// Not to be tried any more.
    Useless,
    Connecting,
    Connected,
}

/// The end of a pause in milliseconds since the driver's start, rounded up, wrapping after 4.6 hours. In three bytes, so that
/// an address of IPv4 with all that is known of it takes 10.
#[derive(Clone, Copy, Debug)]
struct Until([u8; 3]);

impl Until {
    fn new(end: Instant) -> Self {
        let [low, middle, high, ..] = end.as_micros().div_ceil(1_000).to_le_bytes();
        Until([low, middle, high])
    }

    /// The moment meant, seen from one at which the pause is not over by more than 2.3 hours: see [`Peers::look`].
    fn from(self, now: Instant) -> Instant {
        let [low, middle, high] = self.0;
        let now = now.as_micros() / 1_000;
        let ahead = u32::from_le_bytes([0, low, middle, high]).wrapping_sub((now as u32) << 8) as i32 >> 8;
        Instant::from_micros(now.saturating_add_signed(ahead.into()).saturating_mul(1_000))
    }
}

/// What is known of an address.
#[derive(Clone, Copy, Debug)]
struct Fate {
    until: Until,
    /// The [`State`] in the low bits, then failures in a row, and [`Fate::OF_USER`].
    record: u8,
}

impl Fate {
    const STATE: u8 = 0b111;
    const FAILURE: u8 = 1 << 3;
    const MOST_FAILURES: u8 = 0b1111;
    /// The user named it: it is never forgotten.
    const OF_USER: u8 = 1 << 7;

    fn new(of_user: bool) -> Self {
        let record = if of_user { Self::OF_USER } else { 0 };
        Fate { until: Until::new(Instant::START), record }
    }

    fn state(self) -> State {
        match self.record & Self::STATE {
            0 => State::Ready,
            1 => State::Pausing,
            2 => State::Useless,
            3 => State::Connecting,
            _ => State::Connected,
        }
    }

    fn set(&mut self, state: State) {
        self.record = self.record & !Self::STATE | state as u8;
    }

    fn of_user(self) -> bool {
        self.record & Self::OF_USER != 0
    }

    fn failures(self) -> u8 {
        (self.record / Self::FAILURE) & Self::MOST_FAILURES
    }

    fn fail(&mut self) {
        self.record += Self::FAILURE * u8::from(self.failures() < Self::MOST_FAILURES);
    }

    fn forgive(&mut self) {
        self.record &= !(Self::FAILURE * Self::MOST_FAILURES);
    }

    /// Not connected nor on the way to it.
    fn is_idle(self) -> bool {
        matches!(self.state(), State::Ready | State::Pausing | State::Useless)
    }
}

#[derive(Clone, Copy, Debug)]
struct Known<A> {
    addr: A,
    fate: Fate,
}

const _: () = assert!(size_of::<Known<SocketAddrV4>>() == 10);
/// Addresses to a page: two of them hold what a tracker gives at once.
const PAGE: usize = 25;

/// A remote that gave bad data: by address and, where many share one (loopback), by port and peer id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Banned {
    addr: SocketAddr,
    peer: PeerHash,
}

/// The addresses we know.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    v4: Pages<Known<SocketAddrV4>, PAGE>,
    v6: Seldom<Known<SocketAddrV6>>,
    banned: Seldom<Banned>,
    connecting: u16,
}

impl Peers {
    /// Adds addresses that are new and can be connected to.
    pub(crate) fn add(&mut self, source: PeerSource, addrs: &[SocketAddr]) {
        let fate = Fate::new(source == PeerSource::User);
        for &addr in addrs {
            let unusable = addr.port() == 0 || addr.ip().is_unspecified() || addr.ip().is_multicast();
            if unusable || self.fate(addr).is_some() {
                continue;
            }
            if self.v4.len() + self.v6.len() >= MOST_KNOWN && !self.forget_idle() {
                return;
            }
            match addr {
                SocketAddr::V4(addr) => self.v4.push(Known { addr, fate }),
                SocketAddr::V6(addr) => self.v6.push(Known { addr, fate }),
            }
        }
    }

    /// Makes room: forgets an address that is of no use, else the idle one that failed most.
    fn forget_idle(&mut self) -> bool {
        let poor = |fate: Fate| match fate.state() {
            _ if fate.of_user() => None,
            State::Useless => Some(u8::MAX),
            State::Ready | State::Pausing => Some(fate.failures()).filter(|&failures| failures > 0),
            State::Connecting | State::Connected => None,
        };
        let worst = self.all().enumerate().filter_map(|(at, (_, fate))| Some((poor(fate)?, at))).max();
        worst.map(|(_, at)| self.forget(at)).is_some()
    }

    fn forget(&mut self, at: usize) {
        match at.checked_sub(self.v4.len()) {
            None => self.v4.swap_remove(at),
            Some(at) => self.v6.swap_remove(at),
        }
    }

    /// Every address with what is known of it.
    fn all(&self) -> impl Iterator<Item = (SocketAddr, Fate)> {
        let v4 = self.v4.iter().map(|known| (SocketAddr::V4(known.addr), known.fate));
        v4.chain(self.v6.iter().map(|known| (SocketAddr::V6(known.addr), known.fate)))
    }

    /// The same, to be changed.
    fn all_mut(&mut self) -> impl Iterator<Item = (SocketAddr, &mut Fate)> {
        let v4 = self.v4.iter_mut().map(|known| (SocketAddr::V4(known.addr), &mut known.fate));
        v4.chain(self.v6.iter_mut().map(|known| (SocketAddr::V6(known.addr), &mut known.fate)))
    }

    fn fate(&mut self, addr: SocketAddr) -> Option<&mut Fate> {
        match addr {
            SocketAddr::V4(addr) => {
                self.v4.iter_mut().find(|known| known.addr == addr).map(|known| &mut known.fate)
            }
            SocketAddr::V6(addr) => {
                self.v6.iter_mut().find(|known| known.addr == addr).map(|known| &mut known.fate)
            }
        }
    }

    /// An address to connect to now, any of those that may be tried. It counts as connecting from now on.
    pub(crate) fn next(&mut self, now: Instant, random: &mut Random) -> Option<SocketAddr> {
        let count = self.look(now);
        if count == 0 {
            return None;
        }
        let chosen = random.below(count) as usize;
        let (addr, fate) = self.all_mut().filter(|(_, fate)| fate.state() == State::Ready).nth(chosen)?;
        fate.set(State::Connecting);
        self.connecting += 1;
        Some(addr)
    }

    /// Ends the pauses that are over; how many addresses may be tried. Needed once in two hours at least.
    pub(crate) fn look(&mut self, now: Instant) -> u32 {
        let mut ready = 0;
        for (_, fate) in self.all_mut() {
            if fate.state() == State::Pausing && fate.until.from(now) <= now {
                fate.set(State::Ready);
            }
            ready += u32::from(fate.state() == State::Ready);
        }
        ready
    }

    /// When the next address that pauses may be tried.
    pub(crate) fn next_at(&self, now: Instant) -> Option<Instant> {
        let pausing = self.all().filter(|(_, fate)| fate.state() == State::Pausing);
        pausing.map(|(_, fate)| fate.until.from(now)).min()
    }

    /// How many connection attempts are under way.
    pub(crate) fn connecting(&self) -> u16 {
        self.connecting
    }

    /// A link we asked for has opened.
    pub(crate) fn opened(&mut self, addr: SocketAddr) {
        self.settle(addr, State::Connected);
    }

    /// A remote has called from an address that we may know as one to call: most call from another port, but where this is the
    /// one they listen at we need not call them.
    pub(crate) fn called(&mut self, addr: SocketAddr) {
        if let Some(fate) = self.fate(addr).filter(|fate| fate.state() != State::Connecting) {
            fate.set(State::Connected);
        }
    }

    /// Whether a link to this address is open.
    pub(crate) fn is_connected(&mut self, addr: SocketAddr) -> bool {
        self.fate(addr).is_some_and(|fate| fate.state() == State::Connected)
    }

    /// A link we asked for did not open: it is tried again after a pause.
    pub(crate) fn failed(&mut self, addr: SocketAddr, now: Instant) {
        self.settle(addr, State::Pausing);
        self.pause(addr, now);
    }

    /// An outgoing link is gone. It is tried again after a pause, shorter if content has passed; never if it is no
    /// use (`never`).
    pub(crate) fn closed(&mut self, addr: SocketAddr, now: Instant, useful: bool, never: bool) {
        let Some(fate) = self.fate(addr) else { return };
        if never {
            return fate.set(State::Useless);
        }
        if useful {
            fate.forgive();
        }
        self.pause(addr, now);
    }

    fn settle(&mut self, addr: SocketAddr, state: State) {
        let Some(fate) = self.fate(addr) else { return };
        let before = fate.state();
        fate.set(state);
        if before == State::Connecting {
            self.connecting -= 1;
        }
    }

    fn pause(&mut self, addr: SocketAddr, now: Instant) {
        let Some(fate) = self.fate(addr) else { return };
        let pause = FIRST_PAUSE * (1 << fate.failures().min(10));
        fate.fail();
        fate.set(State::Pausing);
        fate.until = Until::new(now + pause.min(LONGEST_PAUSE));
        if fate.failures() >= MOST_FAILURES && !fate.of_user() {
            let at = self.all().position(|(other, _)| other == addr);
            at.into_iter().for_each(|at| self.forget(at));
        }
    }

    /// Never speak to this remote again.
    pub(crate) fn ban(&mut self, addr: SocketAddr, peer: PeerHash) {
        if self.banned.len() >= MOST_BANNED {
            let mut oldest = true;
            self.banned.retain(|_| !core::mem::take(&mut oldest));
        }
        self.banned.push(Banned { addr, peer });
        for (known, fate) in self.all_mut() {
            if fate.is_idle() && (known == addr || same_host(known.ip(), addr.ip())) {
                fate.set(State::Useless);
            }
        }
    }

    /// Whether this remote is banned: the whole host, except on loopback, where honest neighbours share it.
    pub(crate) fn is_banned(&self, addr: SocketAddr, peer: PeerHash) -> bool {
        let same = |banned: &Banned| {
            banned.addr == addr
                || same_host(banned.addr.ip(), addr.ip())
                || (banned.addr.ip() == addr.ip() && banned.peer == peer)
        };
        self.banned.iter().any(same)
    }
}

fn same_host(one: IpAddr, other: IpAddr) -> bool {
    one == other && !one.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PeerId;
    use alloc::vec::Vec;
    use core::net::{Ipv4Addr, Ipv6Addr};

    fn addr(host: u8, port: u16) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::new(198, 18, 0, host), port))
    }

    fn at(seconds: u64) -> Instant {
        Instant::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn pauses_double_and_then_the_address_is_forgotten() {
        let (mut peers, mut random) = (Peers::default(), Random::new(1));
        peers.add(PeerSource::Tracker, &[addr(1, 6881), addr(1, 6881), addr(2, 0)]);
        let mut now = 0;
        for pause in [15, 30, 60, 120] {
            assert_eq!(peers.next(at(now), &mut random), Some(addr(1, 6881)));
            assert_eq!((peers.connecting(), peers.next(at(now), &mut random)), (1, None));
            peers.failed(addr(1, 6881), at(now));
            assert_eq!(peers.next_at(at(now)), Some(at(now + pause)));
            assert_eq!(peers.next(at(now + pause - 1), &mut random), None);
            now += pause;
        }
        assert!(peers.next(at(now), &mut random).is_some());
        peers.failed(addr(1, 6881), at(now));
        assert_eq!((peers.next_at(at(now)), peers.connecting()), (None, 0));
    }

    #[test]
    fn an_address_of_the_user_is_never_forgotten() {
        let (mut peers, mut random) = (Peers::default(), Random::new(1));
        peers.add(PeerSource::User, &[addr(1, 1)]);
        for hour in 0..20 {
            assert!(peers.next(at(hour * 3_600), &mut random).is_some());
            peers.failed(addr(1, 1), at(hour * 3_600));
        }
    }

    #[test]
    fn a_ban_holds_for_the_host_but_on_loopback_for_the_endpoint() {
        let mut peers = Peers::default();
        let (bad, other) = (PeerHash::of(PeerId([1; 20])), PeerHash::of(PeerId([2; 20])));
        peers.ban(addr(1, 1), bad);
        assert!(peers.is_banned(addr(1, 2), other) && !peers.is_banned(addr(2, 1), bad));
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        peers.ban(local(1), bad);
        assert!(peers.is_banned(local(1), other) && peers.is_banned(local(2), bad));
        assert!(!peers.is_banned(local(2), other));
    }

    #[test]
    fn memory_stays_bounded() {
        let (mut peers, mut random) = (Peers::default(), Random::new(1));
        let many: Vec<SocketAddr> = (1..=5_000).map(|port| addr(1, port)).collect();
        peers.add(PeerSource::Tracker, &many);
        assert_eq!(peers.v4.len(), MOST_KNOWN);
        let tried = peers.next(at(0), &mut random).unwrap();
        peers.failed(tried, at(0));
        peers.add(PeerSource::Tracker, &[addr(2, 1)]);
        let useless: Vec<SocketAddr> = peers.all().map(|(addr, _)| addr).collect();
        useless.into_iter().for_each(|addr| peers.closed(addr, at(0), false, true));
        peers.add(PeerSource::Tracker, &[addr(3, 1)]);
        assert!(peers.v4.len() <= MOST_KNOWN && peers.next(at(0), &mut random) == Some(addr(3, 1)));
    }

    #[test]
    fn both_families_are_tried() {
        let (mut peers, mut random) = (Peers::default(), Random::new(1));
        let v6 = SocketAddr::from((Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), 6881));
        peers.add(PeerSource::Tracker, &[addr(1, 1), v6, v6]);
        let first = [peers.next(at(0), &mut random), peers.next(at(0), &mut random)];
        assert!(first.contains(&Some(v6)) && first.contains(&Some(addr(1, 1))), "{first:?}");
        peers.failed(v6, at(0));
        assert_eq!(peers.next(at(14), &mut random), None);
        assert_eq!(peers.next(at(15), &mut random), Some(v6));
        peers.closed(v6, at(16), false, true);
        assert_eq!((peers.next_at(at(16)), peers.next(at(9_999), &mut random)), (None, None));
    }

    #[test]
    fn a_pause_ends_also_where_its_clock_wraps() {
        let (mut peers, mut random) = (Peers::default(), Random::new(1));
        let wraps = (1 << 24) / 1_000;
        peers.add(PeerSource::Tracker, &[addr(1, 1)]);
        assert!(peers.next(at(wraps - 5), &mut random).is_some());
        peers.failed(addr(1, 1), at(wraps - 5));
        assert_eq!(peers.next_at(at(wraps - 5)), Some(at(wraps + 10)));
        assert_eq!(peers.next(at(wraps + 9), &mut random), None);
        assert!(peers.next(at(wraps + 10), &mut random).is_some());
    }
}
