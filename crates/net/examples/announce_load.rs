//! A load of announces for a tracker on this machine: `announce_load close|keepalive IP:PORT [PEERS] [SECONDS] [once]`.
//!
//! One thread, 64 announces under way at a time, each for a random one of 1,000 torrents and one of PEERS peers (their
//! ports and peer ids), 3 in 10 of them seeds. With `close` each announce has a connection of its own; with `once`
//! every peer announces once and that is all. Prints one line of JSON. It shares nothing with the client in this
//! crate, so that what it measures and what measures it do not have the same faults. Info hash number N is N in 20
//! decimal digits. Used by `scripts/bench/tracker.py`.

use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use swarmlab_protocol::Random;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

const TORRENTS: u32 = 1_000;
const UNDER_WAY: usize = 64;

#[derive(Clone, Copy)]
struct Load {
    addr: SocketAddr,
    close: bool,
    once: bool,
    peers: u32,
    end: Instant,
}

#[derive(Default)]
struct Tally {
    sent: u32,
    micros: Vec<u32>,
    /// Announces without an answer, or with one that is not a reply with peers.
    bad: u32,
    peers: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (Some(mode), Some(Ok(addr))) = (words.first(), words.get(1).map(|addr| addr.parse::<SocketAddr>()))
    else {
        panic!("usage: announce_load close|keepalive IP:PORT [PEERS] [SECONDS] [once]");
    };
    let is_here = match addr.ip() {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
        IpAddr::V6(ip) => ip.is_loopback(),
    };
    assert!(is_here, "{addr} is not on this machine or in a private network");
    let number =
        |at: usize, default: u32| words.get(at).map_or(default, |word| word.parse().expect("a number"));
    let seconds = number(3, 5);
    let start = Instant::now();
    let load = Load {
        addr,
        close: mode == "close",
        once: words.get(4).is_some_and(|word| word == "once"),
        peers: number(2, 100_000),
        end: start + Duration::from_secs(seconds.into()),
    };
    let tally = Rc::new(RefCell::new(Tally::default()));
    let tasks = tokio::task::LocalSet::new();
    for _ in 0..UNDER_WAY {
        tasks.spawn_local(one_by_one(load, tally.clone()));
    }
    tasks.await;
    print(&mut tally.borrow_mut(), start.elapsed());
}

/// Announces again and again, one at a time.
async fn one_by_one(load: Load, tally: Rc<RefCell<Tally>>) {
    let mut kept = None;
    let mut answer = Vec::with_capacity(4096);
    while Instant::now() < load.end {
        let number = tally.borrow().sent;
        if load.once && number == load.peers {
            return;
        }
        tally.borrow_mut().sent += 1;
        let request = request(load, number % load.peers);
        let begin = Instant::now();
        answer.clear();
        let stream = exchange(load, kept.take(), request.as_bytes(), &mut answer).await;
        let mut tally = tally.borrow_mut();
        tally.micros.push(begin.elapsed().as_micros() as u32);
        match peers_in(&answer) {
            Some(peers) if stream.is_ok() => tally.peers += peers,
            _ => tally.bad += 1,
        }
        kept = stream.ok().flatten();
    }
}

/// Sends a request and reads the answer; gives the connection if it can be used again.
async fn exchange(
    load: Load,
    kept: Option<TcpStream>,
    request: &[u8],
    answer: &mut Vec<u8>,
) -> std::io::Result<Option<TcpStream>> {
    let mut stream = match kept {
        Some(stream) => stream,
        None => {
            if load.addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?
                .connect(load.addr)
                .await?
        }
    };
    stream.write_all(request).await?;
    loop {
        let read = stream.read_buf(answer).await?;
        if load.close && read == 0 {
            return Ok(None);
        }
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if !load.close && is_whole(answer) {
            return Ok(Some(stream));
        }
    }
}

/// The announce of one peer; the same peer always announces the same.
fn request(load: Load, peer: u32) -> String {
    let mut random = Random::new(peer.into());
    let torrent: String =
        format!("{:020}", random.below(TORRENTS)).bytes().map(|byte| format!("%{byte:02X}")).collect();
    let left = if random.below(10) < 3 { 0 } else { 1 + random.below(1 << 31) };
    let port = 1024 + peer % 64_000;
    let close = if load.close { "Connection: close\r\n" } else { "" };
    format!(
        "GET /announce?info_hash={torrent}&peer_id=-XX0001-{peer:012}&port={port}&uploaded=0&downloaded=0&left={left}\
         &compact=1&numwant=50 HTTP/1.1\r\nHost: {}\r\n{close}\r\n",
        load.addr
    )
}

fn find(bytes: &[u8], word: &[u8]) -> Option<usize> {
    bytes.windows(word.len()).position(|window| window.eq_ignore_ascii_case(word)).map(|at| at + word.len())
}

fn number_at(bytes: &[u8]) -> u64 {
    let digits = bytes.iter().skip_while(|&&byte| byte == b' ').take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
}

/// Whether the answer has as many bytes as its head says.
fn is_whole(answer: &[u8]) -> bool {
    let Some(body) = find(answer, b"\r\n\r\n") else { return false };
    let length = find(&answer[..body], b"content-length:").map_or(0, |at| number_at(&answer[at..]));
    (answer.len() - body) as u64 >= length
}

/// How many peers the answer names; `None` if it is no reply with peers.
fn peers_in(answer: &[u8]) -> Option<u64> {
    let at = find(answer, b"5:peers")?;
    answer.starts_with(b"HTTP/1.").then(|| number_at(&answer[at..]) / 6)
}

#[allow(clippy::print_stdout)] // its result
fn print(tally: &mut Tally, took: Duration) {
    tally.micros.sort_unstable();
    let count = tally.micros.len();
    let quantile = |percent: usize| tally.micros.get(count * percent / 100).copied().unwrap_or(0);
    println!(
        "{{\"announces\":{count},\"seconds\":{:.3},\"p50_us\":{},\"p99_us\":{},\"bad\":{},\"peers_per_answer\":{:.1}}}",
        took.as_secs_f64(),
        quantile(50),
        quantile(99),
        tally.bad,
        tally.peers as f64 / count.max(1) as f64
    );
}
