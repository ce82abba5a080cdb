//! A look into a tracker's swarm table from outside (BEP 48), by a reader that shares nothing with the tracker.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddrV4, TcpStream};
use std::time::Duration;

/// The counts of one torrent in a scrape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) seeds: u32,
    pub(crate) leechers: u32,
}

/// The tracker's counts for the torrent, zero when it does not list it; `None` while it does not answer.
pub(crate) fn scrape(endpoint: SocketAddrV4, info_hash: &str) -> Option<Counts> {
    let mut query = String::new();
    for byte in 0..info_hash.len() / 2 {
        let _ = write!(query, "%{}", &info_hash[2 * byte..2 * byte + 2]);
    }
    let reply = http_get(endpoint, &format!("/scrape?info_hash={query}")).ok()?;
    let count = |key: &[u8]| -> u32 {
        let Some(at) = reply.windows(key.len()).position(|window| window == key) else { return 0 };
        let digits = reply[at + key.len()..].iter().take_while(|byte| byte.is_ascii_digit());
        digits.fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))
    };
    Some(Counts { seeds: count(b"8:completei"), leechers: count(b"10:incompletei") })
}

/// The whole reply to a GET, headers and all.
pub(crate) fn http_get(endpoint: SocketAddrV4, target: &str) -> std::io::Result<Vec<u8>> {
    let patience = Duration::from_secs(2);
    let mut stream = TcpStream::connect_timeout(&endpoint.into(), patience)?;
    stream.set_read_timeout(Some(patience))?;
    write!(stream, "GET {target} HTTP/1.1\r\nHost: {endpoint}\r\nConnection: close\r\n\r\n")?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply)?;
    Ok(reply)
}
