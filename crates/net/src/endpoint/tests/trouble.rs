//! Bad luck: interruptions, damage, a disk that refuses, trackers that are gone.

use std::fs;
use std::os::unix::fs::symlink;

use super::rig::{Rig, loopback, wait_for, work};
use super::*;
use crate::disk;

const LEN: usize = 600_000;
const PIECE: u64 = 32 * 1024;

/// A leech that was stopped with some pieces, and how many.
async fn half_done(rig: &Rig, stop: bool) -> u32 {
    let seed = rig.seed_with(|config| config.max_up = Some(200_000)).await;
    let leech = rig.leech(|config| config.peers = vec![seed.local_addr()]).await;
    let now = wait_for(&leech, |now| now.have.count() >= 3).await;
    assert!(!now.is_complete());
    let mut kept = now.have.count();
    match stop {
        true => kept = leech.stop().await.unwrap().have.count(),
        // As if the process had been killed: nothing more is written, nobody is told.
        false => drop(leech),
    }
    seed.stop().await.unwrap();
    kept
}

fn found(rig: &Rig) -> disk::Found {
    disk::find(&Arc::new(rig.target()), false, work()).unwrap()
}

fn lacking(rig: &Rig, have: &Bitfield) -> u64 {
    let layout = rig.torrent.layout();
    layout
        .pieces()
        .filter(|&piece| !have.contains(piece))
        .map(|piece| u64::from(layout.piece_len(piece)))
        .sum()
}

/// Fetches the rest; returns how many bytes came.
async fn goes_on(rig: &Rig) -> u64 {
    let seed = rig.seed(loopback()).await;
    let leech = rig.leech(|config| config.peers = vec![seed.local_addr()]).await;
    rig.completes(&leech).await;
    let last = leech.stop().await.unwrap();
    seed.stop().await.unwrap();
    rig.assert_identical();
    assert!(!Resume::path(&rig.target()).exists());
    last.totals.downloaded
}

#[tokio::test]
async fn a_stopped_download_goes_on_without_hashing() {
    let rig = Rig::new(&[("film", LEN)]);
    let kept = half_done(&rig, true).await;
    let found = found(&rig);
    assert_eq!((found.have.count(), found.hashed), (kept, false));
    let lacking = lacking(&rig, &found.have);
    assert_eq!(goes_on(&rig).await, lacking);
}

#[tokio::test]
async fn a_killed_download_finds_every_piece_again() {
    let rig = Rig::new(&[("a", LEN / 2), ("b", LEN / 2)]);
    let kept = half_done(&rig, false).await;
    let found = found(&rig);
    assert!(found.hashed && found.have.count() >= kept, "{found:?} of {kept}");
    let lacking = lacking(&rig, &found.have);
    assert_eq!(goes_on(&rig).await, lacking);
}

#[tokio::test]
async fn only_damaged_pieces_are_fetched_again() {
    let rig = Rig::new(&[("a", LEN / 2), ("b", LEN / 2)]);
    assert_eq!(goes_on(&rig).await, LEN as u64);
    let path = rig.path("leech/many/a");
    let mut bytes = fs::read(&path).unwrap();
    bytes[100_000] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert_eq!(goes_on(&rig).await, PIECE, "modified");
    // 150,000 of its 300,000 bytes are there, with four whole pieces; the last of its pieces is shared with `b`.
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(150_000).unwrap();
    assert_eq!(goes_on(&rig).await, 6 * PIECE, "truncated");
    fs::remove_file(&path).unwrap();
    assert_eq!(goes_on(&rig).await, 10 * PIECE, "gone");
}

#[tokio::test]
async fn a_disk_that_refuses_ends_the_download_with_the_name_of_the_file() {
    let rig = Rig::new(&[("film", LEN)]);
    let content = Arc::new(rig.target());
    let have = Bitfield::empty(content.layout().piece_count());
    let resume = disk::place(&content, &have).unwrap();
    // From now on writing is refused, even to root.
    let path = rig.path("leech/film");
    fs::remove_file(&path).unwrap();
    symlink("/dev/full", &path).unwrap();
    let seed = rig.seed(loopback()).await;
    let mut config = EndpointConfig::download(content, have, resume);
    (config.listen, config.peers) = (Some(loopback()), vec![seed.local_addr()]);
    let leech = Endpoint::start(config).await.unwrap();
    let last = wait_for(&leech, |now| now.phase == Phase::Stopped).await;
    assert!(last.have.is_empty());
    let error = leech.wait().await.unwrap_err().to_string();
    assert!(error.contains(path.to_str().unwrap()), "{error}");
    assert!(Resume::path(&rig.target()).exists(), "the state is kept");
    fs::remove_file(&path).unwrap();
    seed.stop().await.unwrap();
    assert_eq!(goes_on(&rig).await, LEN as u64);
}

#[tokio::test]
async fn a_seed_that_has_lost_a_file_says_so_and_another_one_can_help() {
    let rig = Rig::new(&[("a", LEN / 2), ("b", LEN / 2)]);
    let seed = rig.seed(loopback()).await;
    fs::remove_file(rig.path("seed/many/b")).unwrap();
    let leech = rig.leech(|config| config.peers = vec![seed.local_addr()]).await;
    let now = wait_for(&seed, |now| !now.is_complete() && now.last_error.is_some()).await;
    assert!(now.last_error.as_ref().unwrap().contains("seed/many/b"), "{now:?}");
    fs::write(rig.path("seed/many/b"), &rig.bytes[LEN / 2..]).unwrap();
    seed.stop().await.unwrap();
    let seed = rig.seed(loopback()).await;
    leech.add_peers(vec![seed.local_addr()]).await;
    rig.completes(&leech).await;
    leech.stop().await.unwrap();
    rig.assert_identical();
}

#[tokio::test]
async fn trackers_that_are_gone_do_not_hold_up_the_peers_that_are_here() {
    let rig = Rig::new(&[("film", LEN)]);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = format!("http://{}/announce?passkey=secret", nobody.local_addr().unwrap());
    drop(nobody);
    let seed = rig.seed(loopback()).await;
    let trackers = vec![vec![gone, "udp://127.0.0.1:9/announce".into()], vec!["no URL at all".into()]];
    let leech = rig
        .leech(|config| {
            config.peers = vec![seed.local_addr()];
            config.trackers = trackers;
        })
        .await;
    rig.completes(&leech).await;
    let now = wait_for(&leech, |now| now.announces.len() >= 3).await;
    assert!(now.announces.iter().all(|announce| announce.result.is_err()), "{:?}", now.announces);
    assert!(!format!("{:?}", now.announces).contains("secret"), "a passkey is nobody's concern");
    leech.stop().await.unwrap();
    rig.assert_identical();
}

#[tokio::test]
async fn limits_are_kept() {
    let rig = Rig::new(&[("film", LEN)]);
    let rate = 300_000;
    for (max_up, max_down) in [(Some(rate), None), (None, Some(rate))] {
        let dir = format!("limited-{}", max_up.is_some());
        let seed = rig.seed_with(|config| config.max_up = max_up).await;
        let peers = vec![seed.local_addr()];
        let leech = rig.leech_in(&dir, |config| (config.peers, config.max_down) = (peers, max_down)).await;
        rig.completes(&leech).await;
        let last = leech.stop().await.unwrap();
        seed.stop().await.unwrap();
        rig.assert_identical_in(&dir);
        // What may come at once: a tenth of a second's worth, and blocks already under way.
        let burst = rate / 10 + 3 * 16_384;
        let least = (LEN as u64 - burst) as f64 / rate as f64;
        let took = last.completed_after.unwrap().as_secs_f64();
        assert!(took >= least, "{took} s for what takes {least} s at least ({dir})");
    }
}
