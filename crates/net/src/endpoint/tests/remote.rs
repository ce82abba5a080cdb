//! A remote that the test plays itself, byte by byte.

use std::net::SocketAddr;

use swarmlab_protocol::wire::{self, Limits, encode};
use swarmlab_protocol::{Block, Handshake, Message, PeerId, Reserved};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::rig::{PATIENCE, Rig};

/// One connection to an endpoint.
pub(super) struct Remote {
    socket: TcpStream,
    received: Vec<u8>,
    limits: Limits,
}

impl Remote {
    /// Connects and says nothing.
    pub(super) async fn silent(rig: &Rig, to: SocketAddr) -> Remote {
        let socket = TcpStream::connect(to).await.unwrap();
        Remote { socket, received: Vec::new(), limits: Limits::of(&rig.torrent.layout()) }
    }

    /// Connects and shakes hands under this peer id, with the fast extension.
    pub(super) async fn polite(rig: &Rig, to: SocketAddr, id: u32) -> Remote {
        Self::shaken(rig, to, id, Reserved::OURS).await
    }

    /// Connects and shakes hands under this peer id with these reserved bits.
    pub(super) async fn shaken(rig: &Rig, to: SocketAddr, id: u32, reserved: Reserved) -> Remote {
        let mut remote = Self::silent(rig, to).await;
        remote.write(&hands(rig, id, reserved).to_bytes()).await;
        let mut answer = [0; Handshake::LEN];
        within(remote.socket.read_exact(&mut answer)).await.unwrap();
        assert_eq!(Handshake::from_bytes(&answer).unwrap().info_hash, rig.torrent.info_hash());
        remote
    }

    /// Sends bytes; an endpoint that has closed already does not mind.
    pub(super) async fn write(&mut self, bytes: &[u8]) {
        _ = self.socket.write_all(bytes).await;
    }

    /// Sends a message; a `Piece` with these bytes as its block.
    pub(super) async fn say(&mut self, message: Message, block: &[u8]) {
        let mut bytes = Vec::new();
        encode(&message, &mut bytes);
        bytes.extend_from_slice(block);
        self.write(&bytes).await;
    }

    /// The endpoint's next message; `None` once it has closed.
    pub(super) async fn hear(&mut self) -> Option<Message> {
        loop {
            if let Some(frame) = wire::decode(&self.received, &self.limits).unwrap() {
                self.received.drain(..frame.len);
                return Some(frame.message.expect("an endpoint sends no unknown message"));
            }
            if within(self.socket.read_buf(&mut self.received)).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    /// Waits for the endpoint to close, whatever it says before.
    pub(super) async fn is_closed(&mut self) {
        let mut ignored = [0; 4096];
        while within(self.socket.read(&mut ignored)).await.unwrap_or(0) > 0 {}
    }

    /// Acts as a seed: says it has everything, unchokes and answers up to `count` requests with what `answer` makes of
    /// them. Returns how many it answered before the endpoint closed.
    pub(super) async fn serve(&mut self, count: usize, answer: impl Fn(Block) -> Vec<u8>) -> usize {
        self.say(Message::HaveAll, &[]).await;
        self.say(Message::Unchoke, &[]).await;
        let mut served = 0;
        while served < count {
            match self.hear().await {
                Some(Message::Request(block)) => {
                    self.say(Message::Piece(block), &answer(block)).await;
                    served += 1;
                }
                Some(_) => {}
                None => break,
            }
        }
        served
    }
}

/// The handshake of a remote of this number.
pub(super) fn hands(rig: &Rig, id: u32, reserved: Reserved) -> Handshake {
    let mut peer_id = *b"-XX0000-remote00....";
    peer_id[16..].copy_from_slice(&id.to_be_bytes());
    Handshake { reserved, info_hash: rig.torrent.info_hash(), peer_id: PeerId(peer_id) }
}

async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("in time")
}
