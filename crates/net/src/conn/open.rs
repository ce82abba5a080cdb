//! Opening a link: connecting or accepting, and the two handshakes, all within a time limit.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::BytesMut;
use swarmlab_protocol::{Direction, Opened};
use swarmlab_protocol::{Handshake, HandshakeError, Handshaking, PeerId, Reserved, Step};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

/// How long connecting may take. libtorrent waits 15 s, rqbit 10 s.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a remote may take for its handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A link on which both handshakes have passed.
#[derive(Debug)]
pub(crate) struct Fresh {
    pub(crate) socket: TcpStream,
    /// What came behind the handshake.
    pub(crate) rest: BytesMut,
    pub(crate) peer: Opened,
}

/// What came of a link that was to be opened.
#[derive(Debug)]
pub(crate) enum Opening {
    /// It stands.
    Done(Box<Fresh>),
    /// We could not connect to this address.
    Failed { addr: SocketAddr, why: OpenError },
}

/// Why a link did not come to be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("cannot connect: {0}")]
    Connect(io::Error),
    #[error("nobody answers")]
    NoAnswer,
    #[error("no handshake within {} s", HANDSHAKE.as_secs())]
    Slow,
    #[error("the remote closed the connection in the handshake")]
    Closed,
    #[error("the handshake failed: {0}")]
    Io(io::Error),
    #[error(transparent)]
    Refused(#[from] HandshakeError),
}

/// Connects to `addr`, from `from` if that is of the same family, and shakes hands.
pub(crate) async fn dial(
    addr: SocketAddr,
    from: Option<IpAddr>,
    ours: Handshake,
) -> Result<Fresh, OpenError> {
    let socket = match addr {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    };
    let socket = socket.map_err(OpenError::Connect)?;
    if let Some(from) = from.filter(|from| from.is_ipv4() == addr.is_ipv4()) {
        socket.bind(SocketAddr::new(from, 0)).map_err(OpenError::Connect)?;
    }
    let connected = timeout(CONNECT, socket.connect(addr)).await.map_err(|_| OpenError::NoAnswer)?;
    let mut socket = connected.map_err(OpenError::Connect)?;
    let handshaking = Handshaking::outgoing(ours, None);
    let hands = async {
        socket.write_all(&ours.to_bytes()).await.map_err(OpenError::Io)?;
        shake(&mut socket, handshaking, ours).await
    };
    let (remote, rest) = timeout(HANDSHAKE, hands).await.map_err(|_| OpenError::Slow)??;
    Ok(fresh(socket, rest, addr, Direction::Outgoing, remote))
}

/// Shakes hands with a remote that connected from `addr`.
pub(crate) async fn accept(
    mut socket: TcpStream,
    addr: SocketAddr,
    ours: Handshake,
) -> Result<Fresh, OpenError> {
    let hands = shake(&mut socket, Handshaking::incoming(ours), ours);
    let (remote, rest) = timeout(HANDSHAKE, hands).await.map_err(|_| OpenError::Slow)??;
    Ok(fresh(socket, rest, addr, Direction::Incoming, remote))
}

fn fresh(
    socket: TcpStream,
    rest: BytesMut,
    addr: SocketAddr,
    direction: Direction,
    remote: (PeerId, Reserved),
) -> Fresh {
    // Requests are small and wait for answers: they must not wait for each other in the kernel as well.
    _ = socket.set_nodelay(true);
    let (peer_id, reserved) = remote;
    Fresh { socket, rest, peer: Opened { addr, direction, peer_id, reserved } }
}

async fn shake(
    socket: &mut TcpStream,
    mut handshaking: Handshaking,
    ours: Handshake,
) -> Result<((PeerId, Reserved), BytesMut), OpenError> {
    let mut received = BytesMut::with_capacity(1024);
    loop {
        if socket.read_buf(&mut received).await.map_err(OpenError::Io)? == 0 {
            return Err(OpenError::Closed);
        }
        while !received.is_empty() {
            let (taken, step) = handshaking.read(&received)?;
            bytes::Buf::advance(&mut received, taken);
            match step {
                Step::More => {}
                Step::Answer => socket.write_all(&ours.to_bytes()).await.map_err(OpenError::Io)?,
                Step::Done(remote) => return Ok(((remote.peer_id, remote.reserved), received)),
            }
        }
    }
}
