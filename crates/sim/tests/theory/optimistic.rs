//! V-03: libtorrent's optimistic unchoke gives everybody the same time.
//!
//! 20 remotes that want something and never ask for it, one slot, and that one optimistic: in 20 x 90 s each is unchoked
//! for 90 s, give or take 1.5 s (libtorrent, `simulation/test_optimistic_unchoke.cpp`, 069017e; there as here it is the
//! torrent that is looked at, not a swarm). Preset `libtorrent-2`.
//!
//! libtorrent's rounds are those of its session, and go on before anybody comes. Ours begin with the first link, and who
//! wants something first takes a free slot at once, so the links come a round before the remotes want anything.

use std::sync::Arc;
use std::time::Duration;

use swarmlab_protocol::{
    Bitfield, Config, ConnId, Direction, InfoHash, Input, Instant, Message, Opened, Output, PeerId,
    PieceIndex, Reserved, Setup, Torrent, preset,
};

use super::Line;
use super::swarm::layout;

const REMOTES: u16 = 20;
const LENGTH: Duration = Duration::from_secs(1_800);
/// The first round of decisions (libtorrent: every 15 s).
const FIRST: Duration = Duration::from_secs(15);
/// Remotes say that they are alive so often.
const ALIVE: Duration = Duration::from_secs(60);

/// A torrent whose remotes are idle, and how long each was unchoked.
struct Idle {
    torrent: Torrent,
    out: Vec<Output>,
    /// By remote: since when it is unchoked, and for how long it was before.
    unchoked: Vec<(Option<Instant>, Duration)>,
}

impl Idle {
    fn new(seed: u64) -> Self {
        let config = preset::by_name("libtorrent-2").expect("a name of the list");
        let layout = Arc::new(layout(8, 1));
        let mut have = Bitfield::empty(8);
        have.insert(PieceIndex(0));
        let torrent = Torrent::new(Setup {
            layout,
            config: Arc::new(Config { unchoke_slots: 1, optimistic_slots: 1, ..config }),
            peer_id: PeerId([b'a'; 20]),
            have,
            tiers: vec![],
            info_hash: InfoHash([0; 20]),
            seed,
        });
        let unchoked = vec![(None, Duration::ZERO); usize::from(REMOTES)];
        Idle { torrent, out: Vec::new(), unchoked }
    }

    fn hand(&mut self, now: Instant, input: Input) {
        self.torrent.handle(now, input, &mut self.out);
        for output in self.out.drain(..) {
            match output {
                Output::Send { conn, message: Message::Unchoke } => {
                    self.unchoked[usize::from(conn.0)].0 = Some(now);
                }
                Output::Send { conn, message: Message::Choke } => {
                    let (since, time) = &mut self.unchoked[usize::from(conn.0)];
                    *time += since.take().map_or(Duration::ZERO, |since| now.since(since));
                }
                Output::Close { conn, reason } => panic!("{conn:?} closed at {now:?}: {reason:?}"),
                _ => {}
            }
        }
    }

    fn meet(&mut self, remote: u16) {
        let conn = ConnId(remote);
        let mut peer_id = PeerId([b'b'; 20]);
        peer_id.0[19] = remote as u8;
        let peer = Opened {
            addr: ([10, 0, 0, remote as u8], 6_881).into(),
            direction: Direction::Incoming,
            peer_id,
            reserved: Reserved::default(),
        };
        self.hand(Instant::START, Input::Opened { conn, peer: Box::new(peer) });
    }

    /// How long each remote was unchoked in all.
    fn run(mut self) -> Vec<Duration> {
        let end = Instant::START + FIRST + LENGTH;
        (0..REMOTES).for_each(|remote| self.meet(remote));
        let just_before = Instant::from_micros(FIRST.as_micros() as u64 - 1);
        for conn in (0..REMOTES).map(ConnId) {
            self.hand(just_before, Input::Message { conn, message: Message::Interested });
        }
        let mut alive = Instant::START + ALIVE;
        loop {
            let now = self.torrent.deadline().unwrap_or(Instant::NEVER).min(alive);
            if now >= end {
                break;
            }
            if now == alive {
                alive = now + ALIVE;
                for conn in (0..REMOTES).map(ConnId) {
                    self.hand(now, Input::Message { conn, message: Message::KeepAlive });
                }
            } else {
                self.hand(now, Input::Deadline);
            }
        }
        let total = |(since, time): (Option<Instant>, Duration)| {
            time + since.map_or(Duration::ZERO, |since| end.since(since))
        };
        self.unchoked.into_iter().map(total).collect()
    }
}

pub(crate) fn lines() -> Vec<Line> {
    let of_seed = |seed| {
        let times = Idle::new(seed).run();
        let line = |time: &Duration| (time.as_secs_f64() - 90.0).abs();
        let worst = times.iter().map(line).fold(0.0, f64::max);
        Line::within(
            format!("seed {seed}: most by which a remote's time differs from 90 s"),
            0.0,
            worst,
            0.0..=1.5,
        )
    };
    (1..=10).map(of_seed).collect()
}

#[test]
fn everybody_is_unchoked_for_as_long() {
    super::hold(&lines());
}
