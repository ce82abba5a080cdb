//! T-08: what the protocol costs beside the content, to the byte.
//!
//! Per block of 16 KiB a `piece` message has 13 bytes of its own (0.0793 %) and a `request` takes 17 (0.1038 %, the other
//! way); a `have` takes 9 bytes for each neighbour and piece, with pieces of 256 KiB and 40 neighbours 0.137 % (BEP 3;
//! Cohen, 2003, claims less than 0.1 % for the announcements, which is true up to 29 neighbours).
//!
//! For the counts to be exact every link must be there from the first piece to the last: the origin lacks one piece, so
//! nobody completes and nobody parts; it comes last, and the leechers one by one, so that no two call each other at once; everybody is unchoked, so no request is refused; and nothing is asked for twice.
//! Redundant HAVEs are on.

use std::time::Duration;

use swarmlab_protocol::{Config, LeechChoker, MessageKind, PieceIndex, SeedChoker};
use swarmlab_sim::{Arrive, Outcome, Role, Stop};

use super::Line;
use super::swarm::{KBIT, client, full_mesh, group, layout, model, run, seconds};

const PIECES: u64 = 32;
const BLOCKS_PER_PIECE: u64 = 16;

/// So many leechers and an origin, each connected to each.
fn swarm(leechers: u16) -> Outcome {
    let config = Config {
        choker: LeechChoker::Everybody,
        seed_choker: SeedChoker::Everybody,
        unchoke_slots: u16::MAX,
        optimistic_slots: 0,
        endgame_askers: 1,
        request_timeout: Duration::MAX,
        redundant_have: true,
        // Nobody announces again and calls those who have called it.
        min_connections: 0,
        ..full_mesh(leechers + 1)
    };
    let everyone = |name: &str, role, count| {
        let mut group = group(name, role, count, 2_000 * KBIT, 20_000 * KBIT);
        group.client = client(config.clone());
        group
    };
    let all_but_the_last = Role::AllBut(PieceIndex(PIECES as u32 - 1));
    // Somebody is to come after the end, or the run would end for want of the last piece.
    let mut later = everyone("later", Role::Seed, 1);
    later.arrive = Arrive::At(seconds(100_000));
    let mut groups = vec![
        everyone("origin", all_but_the_last, 1),
        everyone("leechers", Role::Leecher, leechers.into()),
        later,
    ];
    groups[0].arrive = Arrive::At(seconds(20));
    groups[1].arrive = Arrive::Every(Duration::from_millis(200));
    let mut model = model(layout(PIECES, BLOCKS_PER_PIECE), groups);
    (model.run.stop, model.run.max_time) = (Stop::Never, seconds(900));
    model.tracker.numwant = u32::from(leechers);
    run(model)
}

pub(crate) fn lines(leechers: u16) -> Vec<Line> {
    let outcome = swarm(leechers);
    let sent = |kind: MessageKind| outcome.messages[kind as usize];
    let n = u64::from(leechers);
    let pieces = n * (PIECES - 1);
    let blocks = pieces * BLOCKS_PER_PIECE;
    let content = blocks * 16 * 1024;
    let what = |text: &str| format!("{leechers} neighbours: {text}");
    let share = |bytes: u64| 100.0 * bytes as f64 / content as f64;
    let have = sent(MessageKind::Have);
    let percent = |text: &str, predicted: f64, bytes| {
        Line::within(what(text), predicted, share(bytes), predicted - 0.000_05..=predicted + 0.000_05)
    };
    vec![
        Line::exact(what("bytes of content"), content, outcome.flows.iter().flatten().sum()),
        Line::exact(what("bytes of piece messages"), content + 13 * blocks, sent(MessageKind::Piece).bytes),
        Line::exact(what("bytes of requests"), 17 * blocks, sent(MessageKind::Request).bytes),
        Line::exact(what("bytes of haves"), 9 * n * pieces, have.bytes),
        percent("headers of blocks in %", 1_300.0 / 16_384.0, sent(MessageKind::Piece).bytes - content),
        percent("requests in %", 1_700.0 / 16_384.0, sent(MessageKind::Request).bytes),
        percent("haves in %", 900.0 * n as f64 / 262_144.0, have.bytes),
        Line::exact(
            what("bytes that all uplinks carried, to those of messages, handshakes and announces"),
            charged(&outcome, n),
            outcome.peers.iter().map(|peer| peer.up_wire).sum(),
        ),
    ]
}

/// What all uplinks must have carried: every message, 68 bytes of a handshake at both ends of a link, 350 of an announce.
fn charged(outcome: &Outcome, leechers: u64) -> u64 {
    let messages: u64 = outcome.messages.iter().map(|messages| messages.bytes).sum();
    let links = leechers * (leechers + 1) / 2;
    messages + 2 * 68 * links + 350 * outcome.tracker.announces
}

#[test]
fn the_protocol_costs_what_it_must() {
    for leechers in [5, 29, 40] {
        super::hold(&lines(leechers));
    }
}
