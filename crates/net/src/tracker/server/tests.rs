//! The server over real sockets, asked with bytes written by hand.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;

struct Server {
    addr: SocketAddr,
    tracker: Arc<Tracker>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Server {
    async fn start(config: ServerConfig) -> Self {
        Self::at("127.0.0.1:0", config).await
    }

    async fn at(bind: &str, config: ServerConfig) -> Self {
        let listener = TcpListener::bind(bind).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let tracker = Arc::new(Tracker::new(config));
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(serve(tracker.clone(), listener, async { drop(stopped.await) }));
        Server { addr, tracker, stop, serving }
    }

    /// The head and the body of the answer to a request, sent from a local address.
    async fn send(&self, from: &str, request: &str) -> (String, Vec<u8>) {
        let socket = if self.addr.is_ipv4() {
            tokio::net::TcpSocket::new_v4()
        } else {
            tokio::net::TcpSocket::new_v6()
        }
        .unwrap();
        socket.bind(SocketAddr::new(from.parse().unwrap(), 0)).unwrap();
        let mut stream = socket.connect(self.addr).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
        (String::from_utf8(answer[..end].to_vec()).unwrap(), answer[end + 4..].to_vec())
    }

    async fn get_from(&self, from: &str, target: &str) -> (String, Vec<u8>) {
        self.send(from, &format!("GET {target} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")).await
    }

    /// The body of the answer to a GET, which must have status 200.
    async fn get(&self, target: &str) -> String {
        let from = if self.addr.is_ipv4() { "127.0.0.1" } else { "::1" };
        let (head, body) = self.get_from(from, target).await;
        assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
        String::from_utf8_lossy(&body).into_owned()
    }

    async fn announce(&self, torrent: char, port: u16, more: &str) -> String {
        self.get(&announce(torrent, port, more)).await
    }

    async fn stop(self) {
        drop(self.stop);
        self.serving.await.unwrap();
    }
}

fn announce(torrent: char, port: u16, more: &str) -> String {
    let hash = torrent.to_string().repeat(20);
    let left = if more.contains("left=") { "" } else { "&left=5" };
    format!("/announce?info_hash={hash}&peer_id=-XX0001-{port:012}&port={port}{left}{more}")
}

#[tokio::test]
async fn peers_learn_of_each_other_in_every_form() {
    let server = Server::start(ServerConfig::default()).await;
    let alone =
        server.announce('a', 10001, "&uploaded=0&downloaded=0&event=started&key=ab&trackerid=x").await;
    assert_eq!(
        alone,
        "d8:completei0e10:downloadedi0e10:incompletei1e8:intervali1800e12:min intervali30e5:peers0:e"
    );
    let second = server.announce('a', 10002, "&left=0&event=completed&compact=1").await;
    assert!(second.contains("8:completei1e10:downloadedi1e10:incompletei1e"), "{second}");
    assert!(second.ends_with("5:peers6:\x7f\0\0\x01'\x11e"), "{second:?}");
    let dictionaries = server.announce('a', 10003, "&compact=0").await;
    assert!(dictionaries.contains("d2:ip9:127.0.0.17:peer id20:-XX0001-00000001000"), "{dictionaries}");
    let without = server.announce('a', 10003, "&compact=0&no_peer_id=1").await;
    assert!(without.contains("d2:ip9:127.0.0.14:porti1000"), "{without}");
    assert!(server.announce('a', 10004, "&numwant=0").await.contains("5:peers0:"));
    assert!(server.announce('a', 10004, "&numwant=2").await.contains("5:peers12:"));
    let stopped = server.announce('a', 10001, "&event=stopped").await;
    assert!(stopped.contains("10:incompletei2e") && stopped.contains("5:peers0:"), "{stopped}");
    assert_eq!(server.tracker.totals().peers(), 3);
    let stats = server.tracker.counters().read();
    assert_eq!((stats.announces, stats.started, stats.completed, stats.stopped), (7, 1, 1, 1));
    server.stop().await;
}

#[tokio::test]
async fn ipv6_peers_have_their_own_key() {
    let server = Server::at("[::1]:0", ServerConfig::default()).await;
    server.announce('a', 10001, "").await;
    let second = server.announce('a', 10002, "").await;
    let expected = format!("5:peers0:6:peers618:{}\x01'\x11e", "\0".repeat(15));
    assert!(second.ends_with(&expected), "{second:?}");
    server.stop().await;
}

#[tokio::test]
async fn an_ipv4_client_of_a_dual_stack_socket_is_an_ipv4_peer() {
    let mut server = Server::at("[::]:0", ServerConfig::default()).await;
    server.addr = SocketAddr::from(([127, 0, 0, 1], server.addr.port()));
    server.announce('a', 10001, "").await;
    assert!(server.announce('a', 10002, "").await.ends_with("5:peers6:\x7f\0\0\x01'\x11e"));
    server.stop().await;
}

#[tokio::test]
async fn every_bad_announce_gets_its_reason() {
    let allow = Some(HashSet::from([InfoHash([b'a'; 20])]));
    let server = Server::start(ServerConfig { allow, ..ServerConfig::default() }).await;
    for (target, reason) in [
        ("/announce".to_owned(), "info_hash is missing"),
        ("/announce?info_hash=abc".to_owned(), "info_hash has 3 bytes; it must have 20"),
        (announce('a', 0, ""), "port must be from 1 to 65535"),
        (announce('a', 10001, "&port=1"), "port is given more than once"),
        (announce('a', 10001, "&event=begun"), "event must be started, completed, stopped or empty"),
        (announce('a', 10001, "&left=many"), "left is not a number"),
        (announce('a', 10001, "&numwant=-5"), "numwant is not a number"),
        (announce('a', 10001, "&compact=2"), "compact must be 0 or 1"),
        (announce('a', 10001, "&key=%zz"), "key has a % that is not followed by two hexadecimal digits"),
        (announce('a', 10001, "&ip=example.org"), "ip is not an IP address"),
        (announce('b', 10001, ""), "this tracker does not serve this torrent"),
        ("/scrape".to_owned(), "a scrape must name a torrent: this tracker does not list all of them"),
        ("/scrape?info_hash=%61".to_owned(), "info_hash has 1 bytes; it must have 20"),
    ] {
        let body = server.get(&target).await;
        assert_eq!(body, format!("d14:failure reason{}:{reason}e", reason.len()), "{target}");
    }
    assert_eq!(server.tracker.counters().read().failures, 13);
    assert_eq!(server.tracker.totals().torrents, 0);
    assert!(server.announce('a', 10001, "").await.contains("incompletei1e"));
    server.stop().await;
}

#[tokio::test]
async fn only_the_trusted_may_speak_for_others() {
    let config = ServerConfig { trusted: vec!["::1/128".parse().unwrap()], ..ServerConfig::default() };
    let tracker = Tracker::new(config);
    let ask = |from: &str, port, more: &str| {
        let target = announce('a', port, more);
        let (path, query) = target.split_once('?').unwrap();
        match tracker.respond(path, Some(query), from.parse().unwrap()) {
            Reply::Bencode(body) => body,
            other => panic!("{other:?}"),
        }
    };
    // An outsider's claim is ignored, even one that is no address.
    ask("192.0.2.1:5", 10001, "&ip=10.0.0.1");
    ask("192.0.2.1:5", 10001, "&ip=nonsense");
    ask("127.0.0.1:5", 10002, "&ip=10.0.0.2");
    ask("[::ffff:127.0.0.1]:5", 10003, "&ip=10.0.0.3");
    ask("[::1]:5", 10004, "&ip=2001:db8::1");
    let Reply::Bencode(told) = tracker.respond(
        "/announce",
        announce('a', 10009, "&compact=0&no_peer_id=1").split('?').nth(1),
        "192.0.2.9:1".parse().unwrap(),
    ) else {
        panic!("no reply")
    };
    let told = String::from_utf8(told).unwrap();
    for ip in ["192.0.2.1", "10.0.0.2", "10.0.0.3"] {
        assert!(told.contains(ip), "{ip} in {told}");
    }
    assert!(!told.contains("10.0.0.1"), "{told}");
    assert_eq!(tracker.totals().peers_v6, 1);
}

#[tokio::test]
async fn scrapes_name_many_torrents_or_all() {
    let server = Server::start(ServerConfig { full_scrape: true, ..ServerConfig::default() }).await;
    server.announce('a', 10001, "&left=0").await;
    server.announce('b', 10001, "").await;
    let (a, b, c) = ("a".repeat(20), "b".repeat(20), "c".repeat(20));
    let counts = |seeds, leechers| format!("d8:completei{seeds}e10:downloadedi0e10:incompletei{leechers}ee");
    let one = format!("20:{a}{}", counts(1, 0));
    let both = format!("{one}20:{b}{}", counts(0, 1));
    let flags = "5:flagsd20:min_request_intervali30ee";
    let scraped = server.get(&format!("/scrape?info_hash={a}")).await;
    assert_eq!(scraped, format!("d5:filesd{one}e{flags}e"));
    let many = server.get(&format!("/scrape?info_hash={b}&info_hash={a}&info_hash={c}&info_hash={a}")).await;
    assert_eq!(many, format!("d5:filesd{both}e{flags}e"));
    assert_eq!(server.get("/scrape").await, format!("d5:filesd{both}e{flags}e"));
    server.stop().await;
}

#[tokio::test]
async fn other_requests_get_their_status() {
    let server = Server::start(ServerConfig { full_scrape: true, ..ServerConfig::default() }).await;
    server.announce('a', 10001, "&left=0").await;
    let (head, body) = server.get_from("127.0.0.1", "/").await;
    assert!(head.starts_with("HTTP/1.1 404 ") && body.starts_with(b"nothing here"), "{head}");
    let request = "POST /announce HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let (head, _) = server.send("127.0.0.1", request).await;
    assert!(head.starts_with("HTTP/1.1 405 ") && head.to_lowercase().contains("\r\nallow: get"), "{head}");
    let (head, _) = server.send("127.0.0.1", "nonsense\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
    let huge = format!("GET /announce?x={} HTTP/1.1\r\nHost: t\r\n\r\n", "x".repeat(1 << 17));
    let (head, _) = server.send("127.0.0.1", &huge).await;
    assert!(head.starts_with("HTTP/1.1 431 ") || head.starts_with("HTTP/1.1 414 "), "{head}");
    let (head, page) = server.get_from("127.0.0.1", "/stats").await;
    assert!(head.to_lowercase().contains("content-type: text/html"), "{head}");
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains("<tr><td>peers<td class=n>1") && page.contains(&"61".repeat(20)), "{page}");
    let json = server.get("/stats.json").await;
    assert!(json.starts_with("{\"schema\":\"tracker-stats/1\",\"uptime_seconds\":"), "{json}");
    assert!(
        json.contains("\"peers\":1,") && json.contains("\"seeds\":1,\"leechers\":0,\"announces\":1,"),
        "{json}"
    );
    server.stop().await;
}

#[tokio::test]
async fn connections_are_kept_alive_and_end_in_order() {
    let server = Server::start(ServerConfig::default()).await;
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    for round in 1..=3 {
        let target = announce('a', 10001, "");
        stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: t\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"5:peers0:e") {
            answer.push(stream.read_u8().await.unwrap());
        }
        assert_eq!(server.tracker.counters().read().announces, round);
    }
    assert_eq!(server.tracker.counters().read().connections, 1);
    server.stop().await;
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test]
async fn idle_connections_are_closed_and_make_room() {
    let config = ServerConfig {
        idle_timeout: Duration::from_millis(50),
        max_connections: 1,
        ..ServerConfig::default()
    };
    let server = Server::start(config).await;
    let mut silent = TcpStream::connect(server.addr).await.unwrap();
    let mut slow = TcpStream::connect(server.addr).await.unwrap();
    slow.write_all(b"GET /announce HTTP/1.1\r\n").await.unwrap();
    assert!(server.announce('a', 10001, "").await.contains("incompletei1e"));
    // Whatever they got before the end, they were let go.
    for stream in [&mut silent, &mut slow] {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn a_full_tracker_says_so() {
    let config = ServerConfig { max_torrents: TABLES as u32, max_peers: 0, ..ServerConfig::default() };
    let server = Server::start(config).await;
    let body = server.announce('a', 10001, "").await;
    assert!(
        body.contains("15:warning message61:the tracker is full: other peers will not be told of this one"),
        "{body}"
    );
    let mut refused = false;
    for torrent in 'a'..='z' {
        let body = server.announce(torrent, 10001, "").await;
        refused |= body.starts_with("d14:failure reason44:this tracker has no room for another torrent");
    }
    assert!(refused);
    server.stop().await;
}

#[test]
fn overdue_peers_are_forgotten() {
    let tracker = Tracker::new(ServerConfig { interval: Duration::from_secs(20), ..ServerConfig::default() });
    assert_eq!(tracker.config().lifetime(), Duration::from_secs(70));
    assert_eq!(ServerConfig::default().lifetime(), Duration::from_secs(67 * 60 + 30));
    tracker.expire();
    assert_eq!(tracker.totals(), Totals::default());
}
