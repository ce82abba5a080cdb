//! Endpoints over real sockets on loopback.

mod hostile;
mod remote;
mod rig;
mod trouble;

use rig::{Rig, loopback, loopback6};
use swarmlab_protocol::MessageKind;

use super::*;

#[tokio::test]
async fn a_single_file_comes_over_an_outgoing_link() {
    let rig = Rig::new(&[("film", 300_000)]);
    let seed = rig.seed(loopback()).await;
    let leech = rig.leech(|config| config.peers = vec![seed.local_addr()]).await;
    rig.completes(&leech).await;
    let done = leech.stop().await.unwrap();
    rig.assert_identical();
    assert_eq!((done.totals.downloaded, done.totals.wasted, done.totals.left), (300_000, 0, 0));
    let Exchange { peer_id, addr, sent, received } = done.exchanged[0];
    assert_eq!((peer_id, addr, sent, received), (seed.peer_id(), seed.local_addr(), 0, 300_000));
    let given = seed.stop().await.unwrap();
    assert_eq!((given.totals.uploaded, given.exchanged[0].sent), (300_000, 300_000));
    assert_eq!(given.sent.of(MessageKind::Piece), done.received.of(MessageKind::Piece));
    assert_eq!(given.received.of(MessageKind::Request), done.sent.of(MessageKind::Request));
    assert!(!Resume::path(&rig.target()).exists(), "a complete download needs no resume state");
}

#[tokio::test]
async fn many_files_come_over_an_incoming_link_and_ipv6() {
    let rig =
        Rig::new(&[("a/one", 70_001), ("empty", 0), (".pad", 31), ("b", 1), ("a/c/two", 200_000), ("d", 5)]);
    let leech = rig.leech(|config| config.listen = Some(loopback6())).await;
    let seed = rig.seed(loopback6()).await;
    seed.add_peers(vec![leech.local_addr()]).await;
    rig.completes(&leech).await;
    let done = leech.stop().await.unwrap();
    assert_ne!(done.exchanged[0].addr, seed.local_addr());
    seed.stop().await.unwrap();
    rig.assert_identical();
}

#[tokio::test(flavor = "multi_thread")]
async fn leeches_trade_what_a_slow_seed_gives() {
    let rig = Rig::new(&[("film", 2_000_000)]);
    let seed = rig.seed_with(|config| config.max_up = Some(2_000_000)).await;
    let mut leeches = Vec::new();
    for number in 0..3 {
        let peers: Vec<_> = leeches.iter().map(Endpoint::local_addr).chain([seed.local_addr()]).collect();
        leeches.push(rig.leech_in(&format!("leech{number}"), |config| config.peers = peers).await);
    }
    for leech in &leeches {
        rig.completes(leech).await;
    }
    let given = seed.stop().await.unwrap().totals.uploaded;
    assert!(given < 3 * 2_000_000, "the seed gave {given} bytes: the leeches gave each other nothing");
    for (number, leech) in leeches.into_iter().enumerate() {
        leech.stop().await.unwrap();
        rig.assert_identical_in(&format!("leech{number}"));
    }
}
