//! Remotes that mean ill or are broken: the link ends, memory stays bounded, the honest part of the swarm finishes.

use swarmlab_protocol::{Block, Message, PieceIndex, Reserved};

use super::remote::{Remote, hands};
use super::rig::{Rig, loopback, wait_for};
use super::*;

const LEN: usize = 300_000;

fn rig() -> Rig {
    Rig::new(&[("film", LEN)])
}

fn block(piece: u32, begin: u32, len: u32) -> Block {
    Block { piece: PieceIndex(piece), begin, len }
}

/// The honest seed comes; the leech completes with the right bytes and gives the whole story.
async fn finishes(rig: &Rig, leech: Endpoint) -> std::sync::Arc<Snapshot> {
    let seed = rig.seed(loopback()).await;
    leech.add_peers(vec![seed.local_addr()]).await;
    rig.completes(&leech).await;
    let last = leech.stop().await.unwrap();
    seed.stop().await.unwrap();
    rig.assert_identical();
    last
}

#[tokio::test]
async fn what_is_no_handshake_for_this_torrent_ends_the_link() {
    let rig = rig();
    let leech = rig.leech(|_| {}).await;
    let right = hands(&rig, 1, Reserved::OURS).to_bytes();
    let mut other_torrent = right;
    other_torrent[30] ^= 1;
    let mut other_protocol = right;
    other_protocol[5] ^= 1;
    let mut ourselves = right;
    ourselves[48..].copy_from_slice(&leech.peer_id().0);
    let openings: [&[u8]; 6] =
        [b"GET / HTTP/1.1\r\n\r\n", &[0xff; 500], &other_torrent, &other_protocol, &ourselves, b"\x12"];
    for opening in openings {
        let mut remote = Remote::silent(&rig, leech.local_addr()).await;
        remote.write(opening).await;
        remote.is_closed().await;
    }
    assert!(leech.snapshot().links.is_empty());
    finishes(&rig, leech).await;
}

#[tokio::test]
async fn messages_that_break_the_rules_end_the_link() {
    let rig = rig();
    let leech = rig.leech(|_| {}).await;
    let bytes = |prefix: u32, rest: &[u8]| [&prefix.to_be_bytes()[..], rest].concat();
    // Ten pieces: a bitfield has two bytes with six spare bits.
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("length of 4 GiB", bytes(u32::MAX, b"")),
        ("length of 1 MiB", bytes(1 << 20, &[7; 64])),
        ("choke of two bytes", bytes(2, &[0, 0])),
        ("bitfield too short", bytes(2, &[5, 0xff])),
        ("bitfield too long", bytes(4, &[5, 0xff, 0xc0, 0])),
        ("bitfield with spare bits", bytes(3, &[5, 0xff, 0xff])),
        ("piece without index", bytes(5, &[7, 0, 0, 0, 0])),
        ("have of no piece", bytes(5, &[4, 0, 0, 0, 10])),
        ("have of the last index", bytes(5, &[4, 0xff, 0xff, 0xff, 0xff])),
        ("request of no piece", bytes(13, &[6, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0x40, 0])),
        ("request past the piece", bytes(13, &[6, 0, 0, 0, 0, 0, 0, 0x7f, 0xff, 0, 0, 0x40, 0])),
        ("request of everything", bytes(13, &[6, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff])),
        ("request of nothing", bytes(13, &[6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
    ];
    for (number, (name, case)) in cases.into_iter().enumerate() {
        let mut remote = Remote::polite(&rig, leech.local_addr(), number as u32).await;
        remote.write(&case).await;
        remote.is_closed().await;
        wait_for(&leech, |now| now.links.is_empty()).await;
        assert_eq!(leech.snapshot().totals.downloaded, 0, "{name}");
    }
    let mut plain = Remote::shaken(&rig, leech.local_addr(), 99, Reserved::default()).await;
    plain.say(Message::HaveAll, &[]).await;
    plain.is_closed().await;
    finishes(&rig, leech).await;
}

#[tokio::test]
async fn unknown_messages_are_passed_over() {
    let rig = rig();
    let leech = rig.leech(|_| {}).await;
    let mut remote = Remote::polite(&rig, leech.local_addr(), 1).await;
    remote.write(&[0, 0, 0, 3, 77, 1, 2]).await;
    remote.serve(LEN.div_ceil(16_384), |asked| rig.block(asked)).await;
    rig.completes(&leech).await;
    leech.stop().await.unwrap();
    rig.assert_identical();
}

#[tokio::test]
async fn a_remote_that_gives_bad_blocks_is_banned() {
    let rig = rig();
    let leech = rig.leech(|_| {}).await;
    let mut corrupter = Remote::polite(&rig, leech.local_addr(), 1).await;
    corrupter.serve(usize::MAX, |asked| vec![0xbb; asked.len as usize]).await;
    let now = wait_for(&leech, |now| now.totals.bad_pieces > 0 && now.links.is_empty()).await;
    assert!(now.have.is_empty());
    let mut again = Remote::polite(&rig, leech.local_addr(), 1).await;
    again.is_closed().await;
    let last = finishes(&rig, leech).await;
    assert!(last.totals.wasted > 0 && last.totals.left == 0);
}

#[tokio::test]
async fn blocks_nobody_asked_for_are_not_kept() {
    let rig = rig();
    let leech = rig.leech(|_| {}).await;
    let mut pusher = Remote::polite(&rig, leech.local_addr(), 1).await;
    for number in 0..2_000 {
        let pushed = match number % 4 {
            0 => block(0, 0, 16_384),
            1 => block(u32::MAX, u32::MAX, 16_384),
            2 => block(9, 0, 1),
            _ => block(3, 5, 100),
        };
        pusher.say(Message::Piece(pushed), &vec![0xbb; pushed.len as usize]).await;
    }
    pusher.is_closed().await;
    let now = wait_for(&leech, |now| now.links.is_empty()).await;
    assert!(now.exchanged.is_empty(), "nothing of it was kept");
    let on_disk = std::fs::read(rig.path("leech/film")).unwrap();
    assert!(on_disk.iter().all(|&byte| byte == 0));
    finishes(&rig, leech).await;
}

#[tokio::test]
async fn a_remote_that_stalls_in_the_middle_of_a_block_holds_nobody_up() {
    let rig = rig();
    for gives_bad_blocks in [false, true] {
        let dir = format!("stalled-{gives_bad_blocks}");
        let fast = |config: &mut EndpointConfig| {
            config.engine.request_timeout = std::time::Duration::from_secs(1);
            config.engine.rechoke_interval = std::time::Duration::from_secs(1);
        };
        let leech = rig.leech_in(&dir, fast).await;
        let mut staller = Remote::polite(&rig, leech.local_addr(), 1).await;
        let answer = |asked| if gives_bad_blocks { vec![0xbb; 16_384] } else { rig.block(asked) };
        staller.serve(1, answer).await;
        staller.write(&[0, 0, 0x40, 9, 7, 0, 0, 0, 0, 0]).await;
        let seed = rig.seed(loopback()).await;
        leech.add_peers(vec![seed.local_addr()]).await;
        rig.completes(&leech).await;
        leech.stop().await.unwrap();
        rig.assert_identical_in(&dir);
    }
}

#[tokio::test]
async fn a_flood_of_requests_is_bounded_and_the_others_are_served() {
    let rig = rig();
    let seed = rig.seed(loopback()).await;
    // It asks for everything a thousand times over and reads nothing.
    let mut flooder = Remote::polite(&rig, seed.local_addr(), 1).await;
    flooder.say(Message::Interested, &[]).await;
    let mut requests = Vec::new();
    for piece in 0..9 {
        for begin in [0, 16_384] {
            swarmlab_protocol::wire::encode(&Message::Request(block(piece, begin, 16_384)), &mut requests);
        }
    }
    let flooding = tokio::spawn(async move {
        for _ in 0..10_000 {
            flooder.write(&requests).await;
        }
        flooder.is_closed().await;
    });
    wait_for(&seed, |now| now.received.of(MessageKind::Request) > 10_000).await;
    let leech = rig.leech(|config| config.peers = vec![seed.local_addr()]).await;
    rig.completes(&leech).await;
    let now = seed.snapshot();
    assert!(now.links.iter().all(|link| link.queued <= 2_000), "{now:?}");
    flooding.await.unwrap();
    leech.stop().await.unwrap();
    seed.stop().await.unwrap();
    rig.assert_identical();
}

#[tokio::test]
async fn a_thousand_connections_of_one_address_leave_room_for_others() {
    const WAVES: u32 = 5;
    const WAVE: u32 = 200;
    let rig = rig();
    let leech = rig.leech(|_| {}).await;
    let most = usize::from(
        EndpointConfig::seed(rig.target().into(), leech.snapshot().have.clone()).engine.max_connections,
    );
    for wave in 0..WAVES {
        let mut crowd = Vec::new();
        for number in 0..WAVE {
            // Some say nothing, the others shake hands and say nothing then.
            crowd.push(match number % 2 {
                0 => Remote::silent(&rig, leech.local_addr()).await,
                _ => {
                    let mut remote = Remote::silent(&rig, leech.local_addr()).await;
                    remote.write(&hands(&rig, wave * WAVE + number, Reserved::OURS).to_bytes()).await;
                    remote
                }
            });
        }
        let now = wait_for(&leech, |now| !now.links.is_empty()).await;
        assert!(now.links.len() <= most / 2, "{} links from one address", now.links.len());
        if wave == WAVES - 1 {
            finishes(&rig, leech).await;
            return;
        }
        drop(crowd);
        wait_for(&leech, |now| now.links.is_empty()).await;
    }
}
