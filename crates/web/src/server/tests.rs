//! The server over real sockets, as a browser and as others would speak to it.

use std::io::Write as _;
use std::path::Path;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::oneshot;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::*;
use crate::{Feed, FeedWriter, Pace, Show, Source, Speed};

/// Runs `test` beside a server of `shows`.
fn beside<T: Future<Output = ()>>(shows: Shows, test: impl FnOnce(SocketAddr) -> T) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let server = Server::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let addr = server.addr;
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(server.serve(Arc::new(shows), async { _ = stopped.await }));
        test(addr).await;
        drop(stop);
        serving.await.unwrap().unwrap();
    });
}

/// Sends a request with these further lines; gives status, head and body.
async fn request(addr: SocketAddr, line: &str, more: &str) -> (u16, String, Vec<u8>) {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let text = format!("{line} HTTP/1.1\r\nConnection: close\r\n{more}\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    let end = all.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    let head = String::from_utf8(all[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_ascii_lowercase(), all[end..].to_vec())
}

async fn get(addr: SocketAddr, path: &str) -> (u16, String, Vec<u8>) {
    request(addr, &format!("GET {path}"), &format!("Host: {addr}\r\n")).await
}

fn recorded(dir: &Path, bytes: &[u8]) -> Show {
    let path = dir.join("run.swt");
    std::fs::write(&path, bytes).unwrap();
    Show { name: "run".to_owned(), lesson: Value::Null, source: Source::File(path) }
}

/// A frame of events that begin at this time, in microseconds below 128.
fn frame(kind: u8, at: u8) -> Vec<u8> {
    vec![kind, 1, 0, 0, 0, 0, 0, 0, 0, at]
}

fn live(dir: &Path, pace: Option<Arc<Pace>>) -> (Show, FeedWriter) {
    let (feed, writer) = Feed::create(&dir.join("live.swt")).unwrap();
    (Show { name: "live".to_owned(), lesson: Value::Null, source: Source::Live(feed, pace) }, writer)
}

type Socket = WebSocketStream<TcpStream>;

/// Asks for a WebSocket; gives the stream and the head of the answer.
async fn knock(addr: SocketAddr) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let ask = format!(
        "GET /live HTTP/1.1\r\nHost: {addr}\r\nOrigin: http://{addr}\r\nConnection: keep-alive, Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(ask.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    (stream, String::from_utf8(head).unwrap())
}

async fn socket(addr: SocketAddr) -> Socket {
    let (stream, head) = knock(addr).await;
    assert!(head.starts_with("HTTP/1.1 101 ") && head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
    Socket::from_raw_socket(stream, Role::Client, None).await
}

/// The next state that a page is told; what comes before it goes to `bytes`.
async fn state(socket: &mut Socket, bytes: &mut Vec<u8>) -> Value {
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Binary(part) => bytes.extend(part),
            Message::Text(text) => return serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_page_and_its_trace_are_served_with_their_headers() {
    let dir = tempfile::tempdir().unwrap();
    let bytes: Vec<u8> = (0..700_000_u32).map(|at| at as u8).collect();
    beside(Shows::only(recorded(dir.path(), &bytes)), async |addr| {
        for (path, kind) in [
            ("/", "text/html"),
            ("/page.js", "text/javascript"),
            ("/page.css", "text/css"),
            ("/session", "application/json"),
            ("/lessons", "application/json"),
            ("/trace", "application/octet-stream"),
        ] {
            let (status, head, body) = get(addr, path).await;
            assert_eq!(status, 200, "{path}: {head}");
            assert!(head.contains(&format!("content-type: {kind}")), "{path}: {head}");
            assert!(head.contains("content-security-policy: default-src 'none'"), "{path}: {head}");
            assert!(head.contains("x-content-type-options: nosniff"), "{path}: {head}");
            assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{path}: {head}");
        }
        assert!(get(addr, "/trace").await.2 == bytes);
        let session: Value = serde_json::from_slice(&get(addr, "/session").await.2).unwrap();
        assert_eq!(session["mode"], "file");
    });
}

#[test]
fn nothing_else_is_served_and_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    beside(Shows::only(recorded(dir.path(), b"bytes")), async |addr| {
        for path in ["/nothing", "/index.html", "/../Cargo.toml", "/trace/", "/session?open=lesson:none"] {
            assert_eq!(get(addr, path).await.0, 404, "{path}");
        }
        assert_eq!(get(addr, "/live").await.0, 403, "no page asks for it so");
        let host = format!("Host: {addr}\r\n");
        let port = addr.port();
        assert_eq!(request(addr, "POST /session", &host).await.0, 405);
        for path in ["/", "/session", "/trace", "/lessons", "/page.js"] {
            let rebound = format!("Host: rebound.example:{port}\r\n");
            let (status, _, body) = request(addr, &format!("GET {path}"), &rebound).await;
            assert_eq!(status, 403, "{path}");
            assert!(!body.windows(5).any(|five| five == b"bytes"), "{path}");
        }
        let cross = format!("{host}Sec-Fetch-Site: cross-site\r\n");
        assert_eq!(request(addr, "GET /trace", &cross).await.0, 403);
        assert_eq!(request(addr, "GET /", &cross).await.0, 200);
        let foreign = format!("{host}Origin: http://rebound.example\r\nUpgrade: websocket\r\n");
        assert_eq!(request(addr, "GET /live", &foreign).await.0, 403);
        let long = format!("{host}X: {}\r\n", "x".repeat(MOST_HEAD));
        assert_eq!(request(addr, "GET /", &long).await.0, 431);
    });
}

#[test]
fn only_loopback_is_listened_on() {
    for addr in ["0.0.0.0:0", "192.0.2.1:8000", "[::]:0"] {
        let error = Server::bind(addr.parse().unwrap()).unwrap_err();
        assert!(matches!(error, ServerError::NotLoopback(_)), "{error}");
    }
}

#[test]
fn a_page_follows_a_run_from_its_beginning_to_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let (show, mut writer) = live(dir.path(), None);
    let mut written = vec![b'p'; 16];
    written.extend(frame(1, b'{'));
    writer.write_all(&written).unwrap();
    beside(Shows::only(show), async |addr| {
        let mut socket = socket(addr).await;
        let mut seen = Vec::new();
        assert_eq!(state(&mut socket, &mut seen).await["state"], "running");
        assert_eq!(seen, written);
        for part in [frame(3, 5), frame(2, 7)] {
            writer.write_all(&part).unwrap();
            written.extend(part);
        }
        // Half a frame is not sent, nor is it in the file that is served.
        writer.write_all(&frame(2, 9)[..5]).unwrap();
        while seen.len() < written.len() {
            let Message::Binary(part) = socket.next().await.unwrap().unwrap() else {
                panic!("a state without news")
            };
            seen.extend(part);
        }
        assert_eq!(seen, written);
        assert_eq!(get(addr, "/trace").await.2, written);
        drop(writer);
        let told = state(&mut socket, &mut seen).await;
        assert_eq!((&told["state"], told["at_us"].as_u64()), (&"ended".into(), Some(7)), "{told}");
        assert!(matches!(socket.next().await, Some(Ok(Message::Close(_)))), "nothing more comes");
        let session: Value = serde_json::from_slice(&get(addr, "/session").await.2).unwrap();
        assert_eq!(session["mode"], "file");
    });
}

#[test]
fn a_page_paces_a_run() {
    let dir = tempfile::tempdir().unwrap();
    let pace = Arc::new(Pace::new(Speed::REAL, true));
    let (show, writer) = live(dir.path(), Some(pace.clone()));
    beside(Shows::only(show), async |addr| {
        let mut socket = socket(addr).await;
        let mut seen = Vec::new();
        let first = state(&mut socket, &mut seen).await;
        assert_eq!((&first["state"], first["speed"].as_f64()), (&"running".into(), Some(1.0)));
        for (text, state_after, speed) in [
            (r#"{"do":"pause"}"#, "paused", 1.0),
            (r#"{"do":"speed","value":4}"#, "paused", 4.0),
            ("not a wish", "", 0.0),
            (r#"{"do":"play"}"#, "running", 4.0),
        ] {
            socket.send(Message::text(text)).await.unwrap();
            if !state_after.is_empty() {
                let told = state(&mut socket, &mut seen).await;
                assert_eq!((&told["state"], told["speed"].as_f64()), (&state_after.into(), Some(speed)));
            }
        }
        assert!(pace.hold(Duration::ZERO, &|| false), "somebody watches, and nothing is due later");
        // What is longer than any wish ends the page, not the run.
        socket.send(Message::text("x".repeat(5000))).await.unwrap();
        while let Some(Ok(_)) = socket.next().await {}
        drop(writer);
    });
}

#[test]
fn pages_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let (show, writer) = live(dir.path(), None);
    beside(Shows::only(show), async |addr| {
        let mut sockets = Vec::new();
        for _ in 0..MOST_PAGES {
            sockets.push(socket(addr).await);
        }
        let (_, head) = knock(addr).await;
        assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
        drop(writer);
    });
}

#[test]
fn a_page_that_does_not_read_holds_up_no_run() {
    const KEYFRAME: usize = 1 << 20;
    const COUNT: u64 = 64;
    let dir = tempfile::tempdir().unwrap();
    let (show, mut writer) = live(dir.path(), None);
    beside(Shows::only(show), async |addr| {
        let mut socket = socket(addr).await;
        writer.write_all(&[b'p'; 16]).unwrap();
        writer.write_all(&frame(1, b'{')).unwrap();
        // More than all buffers on the way to a page hold.
        for _ in 0..COUNT {
            let mut key = vec![3];
            key.extend((KEYFRAME as u32).to_le_bytes());
            key.resize(9 + KEYFRAME, 0);
            writer.write_all(&key).unwrap();
        }
        let mut seen = Vec::new();
        let mut told = state(&mut socket, &mut seen).await;
        while told["dropped"] == 0 {
            told = state(&mut socket, &mut seen).await;
        }
        assert!(told["dropped"].as_u64().unwrap() < COUNT, "{told}");
        let Message::Binary(next) = socket.next().await.unwrap().unwrap() else { panic!("no keyframe") };
        assert_eq!((next[0], next.len()), (3, 9 + KEYFRAME));
        drop(writer);
        while told["state"] != "ended" {
            told = state(&mut socket, &mut seen).await;
        }
        let whole = get(addr, "/trace").await.2.len();
        assert_eq!(whole, 16 + 10 + COUNT as usize * (9 + KEYFRAME), "the file has what the page has not");
    });
}
