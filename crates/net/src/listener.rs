//! The listening socket, and the links that are not through their handshake yet.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use swarmlab_protocol::Handshake;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::mpsc::Sender;
use tokio::task::{AbortHandle, JoinSet};

use crate::conn::{Opening, accept};

/// Ports tried where none is given: the customary ones (BEP 3).
const CUSTOMARY: std::ops::RangeInclusive<u16> = 6881..=6889;

/// Connections the kernel keeps until they are accepted.
const BACKLOG: u32 = 128;

/// Incoming links that may be in their handshake at a time. With one more the oldest has to go: an honest handshake
/// takes a round trip, so whoever opens very many hurts his own.
const HALF_OPEN: usize = 64;

/// Opens the listening socket. Without an address: a customary port, or any free one, on every address of the machine.
///
/// # Errors
/// When the address cannot be had.
pub(crate) fn bind(addr: Option<SocketAddr>) -> io::Result<TcpListener> {
    if let Some(addr) = addr {
        return listen(addr);
    }
    // A socket on `::` takes IPv4 as well, where the machine has IPv6.
    let hosts = [IpAddr::from(Ipv6Addr::UNSPECIFIED), IpAddr::from(Ipv4Addr::UNSPECIFIED)];
    let mut error = io::ErrorKind::AddrNotAvailable.into();
    for host in hosts {
        for port in CUSTOMARY.chain([0]) {
            match listen(SocketAddr::new(host, port)) {
                Ok(listener) => return Ok(listener),
                Err(refused) => error = refused,
            }
        }
    }
    Err(error)
}

fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A port whose last owner has just ended can be taken at once.
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// Accepts links and hands on those that are through their handshake, until dropped.
pub(crate) async fn run(listener: TcpListener, ours: Handshake, opened: Sender<Opening>) {
    let mut half_open = JoinSet::new();
    let mut oldest: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let (socket, addr) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(_) => {
                // No descriptor is free, or the remote is gone already: the next try may do better.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        while half_open.try_join_next().is_some() {}
        oldest.retain(|task| !task.is_finished());
        if oldest.len() >= HALF_OPEN
            && let Some(task) = oldest.pop_front()
        {
            task.abort();
        }
        let opened = opened.clone();
        let addr = SocketAddr::new(addr.ip().to_canonical(), addr.port());
        oldest.push_back(half_open.spawn(async move {
            // A remote that fails its handshake is nobody's concern.
            if let Ok(fresh) = accept(socket, addr, ours).await {
                _ = opened.send(Opening::Done(Box::new(fresh))).await;
            }
        }));
    }
}

#[cfg(test)]
mod tests {
    use swarmlab_protocol::{InfoHash, PeerId, Reserved};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::sync::mpsc::channel;

    use super::*;

    fn hands(id: u8) -> Handshake {
        Handshake { reserved: Reserved::OURS, info_hash: InfoHash([7; 20]), peer_id: PeerId([id; 20]) }
    }

    #[tokio::test]
    async fn without_an_address_some_port_is_found_for_everyone() {
        let (one, other) = (bind(None).unwrap(), bind(None).unwrap());
        assert_ne!(one.local_addr().unwrap().port(), other.local_addr().unwrap().port());
        let port = one.local_addr().unwrap().port();
        TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        assert!(bind(Some(SocketAddr::from(([127, 0, 0, 1], 0)))).is_ok());
        let taken = bind(Some(other.local_addr().unwrap()));
        assert_eq!(taken.unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }

    #[tokio::test]
    async fn an_honest_remote_gets_through_a_crowd_of_silent_ones() {
        let listener = bind(Some(SocketAddr::from(([127, 0, 0, 1], 0)))).unwrap();
        let addr = listener.local_addr().unwrap();
        let (opened, mut fresh) = channel(1);
        let listening = tokio::spawn(run(listener, hands(1), opened));
        let mut crowd = Vec::new();
        for _ in 0..3 * HALF_OPEN {
            crowd.push(TcpStream::connect(addr).await.unwrap());
        }
        let mut honest = TcpStream::connect(addr).await.unwrap();
        honest.write_all(&hands(2).to_bytes()).await.unwrap();
        let Some(Opening::Done(fresh)) = fresh.recv().await else { panic!("the honest one") };
        assert_eq!(fresh.peer.peer_id, PeerId([2; 20]));
        // The first of the crowd had to go for it.
        assert_eq!(crowd[0].read(&mut [0]).await.unwrap_or(0), 0);
        listening.abort();
    }
}
