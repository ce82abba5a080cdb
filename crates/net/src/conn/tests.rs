use std::time::Duration;

use swarmlab_protocol::wire::encode;
use swarmlab_protocol::{
    Direction, Handshake, HandshakeError, InfoHash, Layout, PeerId, PieceIndex, Reserved,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc::channel;

use super::testing::key;
use super::*;

const BLOCK: u32 = 16_384;

fn hands(id: u8) -> Handshake {
    Handshake { reserved: Reserved::OURS, info_hash: InfoHash([7; 20]), peer_id: PeerId([id; 20]) }
}

/// Two ends of a TCP connection over loopback.
async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (client, accepted) =
        tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    (client.unwrap(), accepted.unwrap().0)
}

/// A link of which the test is the remote.
async fn link(budget: usize) -> (Link, LinkEvents, TcpStream, Arc<Semaphore>) {
    let (ours, theirs) = pair().await;
    let (events, told) = channel(8);
    let budget = Arc::new(Semaphore::new(budget));
    let limits = Limits::of(&Layout::new(1 << 30, 1 << 18, BLOCK).unwrap());
    let shared = Shared { limits, events, budget: Arc::clone(&budget), valve: None };
    (Link::start(ours, bytes::BytesMut::new(), key(3), &shared), told, theirs, budget)
}

fn block(number: u32) -> (Block, Vec<u8>) {
    let block = Block { piece: PieceIndex(number / 16), begin: number % 16 * BLOCK, len: BLOCK };
    (block, (0..BLOCK).map(|at| (at / 5 + number) as u8).collect())
}

#[tokio::test]
async fn blocks_arrive_as_they_were_sent() {
    const COUNT: u32 = 600;
    let (_link, mut told, mut remote, budget) = link(4 << 20).await;
    let sending = tokio::spawn(async move {
        for number in 0..COUNT {
            let (block, bytes) = block(number);
            let mut wire = Vec::new();
            encode(&Message::Have(block.piece), &mut wire);
            encode(&Message::Piece(block), &mut wire);
            wire.extend(bytes);
            remote.write_all(&wire).await.unwrap();
        }
    });
    let mut number = 0;
    while number < COUNT {
        let Some(LinkEvent::Received { key: from, batch }) = told.recv().await else { panic!("a batch") };
        assert_eq!(from, key(3));
        let held: usize = batch.payloads.iter().map(Bytes::len).sum();
        assert_eq!(batch.permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits), held);
        let mut payloads = batch.payloads.into_iter();
        for message in batch.messages {
            match message {
                Message::Piece(named) => {
                    assert_eq!(
                        (named, &payloads.next().unwrap()[..]),
                        (block(number).0, &block(number).1[..])
                    );
                    number += 1;
                }
                other => assert_eq!(other, Message::Have(block(number).0.piece)),
            }
        }
    }
    sending.await.unwrap();
    assert!(matches!(told.recv().await, Some(LinkEvent::Broken { why, .. }) if why.contains("closed")));
    assert_eq!(budget.available_permits(), 4 << 20);
}

#[tokio::test]
async fn reading_waits_for_the_budget() {
    let (_link, mut told, mut remote, budget) = link(2 * BLOCK as usize).await;
    let mut wire = Vec::new();
    for number in 0..2 {
        encode(&Message::Piece(block(number).0), &mut wire);
        wire.extend(block(number).1);
        remote.write_all(&wire).await.unwrap();
        wire.clear();
        let Some(LinkEvent::Received { batch, .. }) = told.recv().await else { panic!("a batch") };
        assert_eq!(batch.messages.len(), 1);
        std::mem::forget(batch.permit);
    }
    encode(&Message::Piece(block(2).0), &mut wire);
    wire.extend(block(2).1);
    remote.write_all(&wire).await.unwrap();
    let waiting = tokio::time::timeout(Duration::from_millis(20), told.recv()).await;
    assert!(waiting.is_err(), "the disk has not given anything back");
    budget.add_permits(BLOCK as usize);
    assert!(matches!(told.recv().await, Some(LinkEvent::Received { .. })));
}

#[tokio::test]
async fn garbage_breaks_the_link_after_what_came_before_it() {
    let (_link, mut told, mut remote, _) = link(1 << 20).await;
    let mut wire = Vec::new();
    encode(&Message::Unchoke, &mut wire);
    wire.extend([0, 0, 0, 2, 99, 1]);
    wire.extend([0xff; 5]);
    remote.write_all(&wire).await.unwrap();
    let Some(LinkEvent::Received { batch, .. }) = told.recv().await else { panic!("a batch") };
    assert_eq!((batch.messages, batch.skipped), (vec![Message::Unchoke], 1));
    assert!(matches!(told.recv().await, Some(LinkEvent::Broken { why, .. }) if why.contains("4294967295")));
}

#[tokio::test]
async fn blocks_and_messages_go_out_and_are_counted() {
    let (link, mut told, mut remote, _) = link(1 << 20).await;
    let mut wire = Vec::new();
    encode(&Message::Choke, &mut wire);
    assert!(link.send(wire, 40));
    link.writer().send(Outgoing::Blocks((0..40).map(|n| (block(n).0, block(n).1.into())).collect()));
    let mut expected = Vec::new();
    for number in 0..40 {
        encode(&Message::Piece(block(number).0), &mut expected);
        expected.extend(block(number).1);
    }
    encode(&Message::Choke, &mut expected);
    let mut received = vec![0; expected.len()];
    remote.read_exact(&mut received).await.unwrap();
    assert!(received == expected);
    let (mut blocks, mut bytes) = (0, 0);
    while blocks < 40 {
        let Some(LinkEvent::Wrote { blocks: more, bytes: of, .. }) = told.recv().await else {
            panic!("wrote")
        };
        blocks += more;
        bytes += of;
    }
    assert_eq!((blocks, bytes), (40, 40 * u64::from(BLOCK)));
    drop(link);
    assert_eq!(remote.read(&mut [0]).await.unwrap(), 0, "letting go closes the connection");
}

#[tokio::test]
async fn a_remote_that_does_not_read_is_found_out() {
    let (link, _told, _remote, _) = link(1 << 20).await;
    let fits = (0..1_000).map(|_| link.send(vec![0; 100_000], 0)).take_while(|&fits| fits).count();
    assert!(fits < 1_000, "what waits is bounded");
}

#[tokio::test]
async fn both_ends_shake_hands() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let loopback = Some(addr.ip());
    let accepting = async {
        let (socket, from) = listener.accept().await.unwrap();
        accept(socket, from, hands(2)).await
    };
    let (dialled, accepted) = tokio::join!(dial(addr, loopback, hands(1)), accepting);
    let (dialled, accepted) = (dialled.unwrap().peer, accepted.unwrap().peer);
    assert_eq!(
        (dialled.peer_id, dialled.direction, dialled.addr),
        (PeerId([2; 20]), Direction::Outgoing, addr)
    );
    assert_eq!((accepted.peer_id, accepted.direction), (PeerId([1; 20]), Direction::Incoming));
    assert!(accepted.reserved.fast());

    let accepting = async {
        let (socket, from) = listener.accept().await.unwrap();
        accept(socket, from, hands(1)).await
    };
    let (dialled, accepted) = tokio::join!(dial(addr, loopback, hands(1)), accepting);
    assert!(matches!(dialled, Err(OpenError::Refused(HandshakeError::Ourselves))));
    assert!(matches!(accepted, Err(OpenError::Refused(HandshakeError::Ourselves))));
}

#[tokio::test]
async fn messages_behind_a_handshake_are_kept() {
    let (mut remote, ours) = pair().await;
    let from = ours.peer_addr().unwrap();
    remote.write_all(&[&hands(2).to_bytes()[..], b"behind"].concat()).await.unwrap();
    let fresh = accept(ours, from, hands(1)).await.unwrap();
    assert_eq!(&fresh.rest[..], b"behind");
    let mut answer = [0; Handshake::LEN];
    remote.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, hands(1).to_bytes());
}

#[tokio::test(start_paused = true)]
async fn a_silent_remote_is_given_up() {
    let (remote, ours) = pair().await;
    let from = ours.peer_addr().unwrap();
    assert!(matches!(accept(ours, from, hands(1)).await, Err(OpenError::Slow)));
    drop(remote);
}
