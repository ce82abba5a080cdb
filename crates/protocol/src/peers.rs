//! The addresses we know: where to connect next, when to try again, and whom never to speak to again.

use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use crate::{Instant, PeerId, PeerSource, Random};

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
    /// May be tried from this moment on.
    Idle(Instant),
    Connecting,
    Connected,
}

#[derive(Clone, Debug)]
struct Known {
    addr: SocketAddr,
    state: State,
    failures: u8,
    source: PeerSource,
}

/// A remote that gave bad data: by address and, where many share one (loopback), by port and peer id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Banned {
    addr: SocketAddr,
    peer_id: PeerId,
}

/// The addresses we know.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    known: Vec<Known>,
    banned: Vec<Banned>,
    connecting: u16,
}

impl Peers {
    /// Adds addresses that are new and can be connected to.
    pub(crate) fn add(&mut self, source: PeerSource, addrs: &[SocketAddr]) {
        for &addr in addrs {
            let unusable = addr.port() == 0 || addr.ip().is_unspecified() || addr.ip().is_multicast();
            if unusable || self.known.iter().any(|known| known.addr == addr) {
                continue;
            }
            if self.known.len() >= MOST_KNOWN && !self.forget_idle() {
                return;
            }
            self.known.push(Known { addr, state: State::Idle(Instant::START), failures: 0, source });
        }
    }

    /// Makes room: forgets an address that is of no use, else the idle one that failed most.
    fn forget_idle(&mut self) -> bool {
        let poor = |known: &Known| match known.state {
            _ if known.source == PeerSource::User => None,
            State::Idle(Instant::NEVER) => Some(u8::MAX),
            State::Idle(_) => Some(known.failures).filter(|&failures| failures > 0),
            State::Connecting | State::Connected => None,
        };
        let worst = self.known.iter().enumerate().filter_map(|(at, known)| Some((poor(known)?, at))).max();
        worst.map(|(_, at)| self.known.swap_remove(at)).is_some()
    }

    /// An address to connect to now, any of those that may be tried. It counts as connecting from now on.
    pub(crate) fn next(&mut self, now: Instant, random: &mut Random) -> Option<SocketAddr> {
        let ready = |known: &Known| matches!(known.state, State::Idle(from) if from <= now);
        let count = self.known.iter().filter(|known| ready(known)).count();
        if count == 0 {
            return None;
        }
        let chosen = random.below(count as u32) as usize;
        let known = self.known.iter_mut().filter(|known| ready(known)).nth(chosen)?;
        known.state = State::Connecting;
        self.connecting += 1;
        Some(known.addr)
    }

    /// When the next address that pauses may be tried.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        let idle = self.known.iter().filter_map(|known| match known.state {
            State::Idle(from) if from != Instant::NEVER => Some(from),
            _ => None,
        });
        idle.min()
    }

    /// How many connection attempts are under way.
    pub(crate) fn connecting(&self) -> u16 {
        self.connecting
    }

    /// A link we asked for has opened.
    pub(crate) fn opened(&mut self, addr: SocketAddr) {
        self.settle(addr, State::Connected);
    }

    /// A link we asked for did not open: it is tried again after a pause.
    pub(crate) fn failed(&mut self, addr: SocketAddr, now: Instant) {
        self.settle(addr, State::Idle(now));
        self.pause(addr, now);
    }

    /// An outgoing link is gone. It is tried again after a pause, shorter if content has passed; never if it is no
    /// use (`never`).
    pub(crate) fn closed(&mut self, addr: SocketAddr, now: Instant, useful: bool, never: bool) {
        let Some(known) = self.known.iter_mut().find(|known| known.addr == addr) else { return };
        if never {
            known.state = State::Idle(Instant::NEVER);
            return;
        }
        if useful {
            known.failures = 0;
        }
        self.pause(addr, now);
    }

    fn settle(&mut self, addr: SocketAddr, state: State) {
        let Some(known) = self.known.iter_mut().find(|known| known.addr == addr) else { return };
        if known.state == State::Connecting {
            self.connecting -= 1;
        }
        known.state = state;
    }

    fn pause(&mut self, addr: SocketAddr, now: Instant) {
        let Some(at) = self.known.iter().position(|known| known.addr == addr) else { return };
        let known = &mut self.known[at];
        let pause = FIRST_PAUSE * (1 << known.failures.min(10));
        known.failures = known.failures.saturating_add(1);
        known.state = State::Idle(now + pause.min(LONGEST_PAUSE));
        if known.failures >= MOST_FAILURES && known.source != PeerSource::User {
            self.known.swap_remove(at);
        }
    }

    /// Never speak to this remote again.
    pub(crate) fn ban(&mut self, addr: SocketAddr, peer_id: PeerId) {
        if self.banned.len() >= MOST_BANNED {
            self.banned.remove(0);
        }
        self.banned.push(Banned { addr, peer_id });
        for known in &mut self.known {
            if matches!(known.state, State::Idle(_))
                && (known.addr == addr || same_host(known.addr.ip(), addr.ip()))
            {
                known.state = State::Idle(Instant::NEVER);
            }
        }
    }

    /// Whether this remote is banned: the whole host, except on loopback, where honest neighbours share it.
    pub(crate) fn is_banned(&self, addr: SocketAddr, peer_id: PeerId) -> bool {
        let same = |banned: &Banned| {
            banned.addr == addr
                || same_host(banned.addr.ip(), addr.ip())
                || (banned.addr.ip() == addr.ip() && banned.peer_id == peer_id)
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
    use core::net::Ipv4Addr;

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
            assert_eq!(peers.next_at(), Some(at(now + pause)));
            assert_eq!(peers.next(at(now + pause - 1), &mut random), None);
            now += pause;
        }
        assert!(peers.next(at(now), &mut random).is_some());
        peers.failed(addr(1, 6881), at(now));
        assert_eq!((peers.next_at(), peers.connecting()), (None, 0));
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
        let (bad, other) = (PeerId([1; 20]), PeerId([2; 20]));
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
        assert_eq!(peers.known.len(), MOST_KNOWN);
        let tried = peers.next(at(0), &mut random).unwrap();
        peers.failed(tried, at(0));
        peers.add(PeerSource::Tracker, &[addr(2, 1)]);
        let useless: Vec<SocketAddr> = peers.known.iter().map(|known| known.addr).collect();
        useless.into_iter().for_each(|addr| peers.closed(addr, at(0), false, true));
        peers.add(PeerSource::Tracker, &[addr(3, 1)]);
        assert!(peers.known.len() <= MOST_KNOWN && peers.next(at(0), &mut random) == Some(addr(3, 1)));
    }
}
