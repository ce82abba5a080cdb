//! The client against trackers that behave and trackers that do not, all real sockets on loopback.

use std::error::Error as _;
use std::net::SocketAddr;
use std::sync::Arc;

use swarmlab_protocol::tracker::Retry;
use swarmlab_protocol::{AnnounceEvent, AnnounceFailure, InfoHash, PeerId};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig as TlsServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::*;
use crate::tracker::server::{ServerConfig, Tracker, serve};

fn query() -> AnnounceQuery {
    AnnounceQuery {
        info_hash: InfoHash([0xab; 20]),
        peer_id: PeerId(*b"-SL0001-abcdefghijkl"),
        port: 6881,
        uploaded: 0,
        downloaded: 0,
        left: 10,
        event: AnnounceEvent::Started,
        numwant: Some(50),
        compact: Some(true),
        no_peer_id: false,
        ip: None,
        key: Some(b"k".to_vec()),
        tracker_id: None,
    }
}

/// Reads the head of a request.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { break };
        head.push(byte);
    }
    String::from_utf8(head).unwrap()
}

/// A tracker that answers every request with these bytes, given the head of the request, and closes.
async fn tracker(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let head = head(&mut stream).await;
            // The client may have had enough before the end.
            let _ = stream.write_all(&answer(&head)).await;
        }
    });
    addr
}

fn ok(body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

async fn cause(client: &TrackerClient, addr: SocketAddr) -> Cause {
    let url = format!("http://{addr}/announce?passkey=secret");
    let error = client.announce(&url, &query()).await.unwrap_err();
    assert_eq!(error.url, format!("http://{addr}/announce"));
    error.cause
}

async fn cause_of(answer: &'static [u8]) -> Cause {
    cause(&TrackerClient::default(), tracker(|_| answer.to_vec()).await).await
}

#[tokio::test]
async fn announces_and_reads_either_form() {
    let addr = tracker(|head| {
        assert!(
            head.starts_with(
                "GET /announce?passkey=1&info_hash=%AB%AB%AB%AB%AB%AB%AB%AB%AB%AB%AB%AB%AB%AB%AB%AB%AB%AB%AB%AB\
                 &peer_id=-SL0001-abcdefghijkl&port=6881&uploaded=0&downloaded=0&left=10&event=started&numwant=50\
                 &compact=1&key=k HTTP/1.1\r\n"
            ),
            "{head}"
        );
        let lower = head.to_lowercase();
        assert!(lower.contains("\r\nhost: 127.0.0.1:") && lower.contains("\r\nuser-agent: swarmlab/"), "{head}");
        assert!(!lower.contains("accept-encoding"), "{head}");
        ok(b"d8:intervali60e5:peers6:\x01\x02\x03\x04\x00\x05e")
    })
    .await;
    let client = TrackerClient::default();
    let response = client.announce(&format!("http://{addr}/announce?passkey=1"), &query()).await.unwrap();
    assert_eq!(response.interval, Duration::from_secs(60));
    assert_eq!(response.peers.addrs(), ["1.2.3.4:5".parse().unwrap()]);

    let addr = tracker(|_| ok(b"d8:intervali60e5:peersld2:ip7:1.2.3.44:porti5eeee")).await;
    let response = client.announce(&format!("http://{addr}/"), &query()).await.unwrap();
    assert_eq!(response.peers.addrs(), ["1.2.3.4:5".parse().unwrap()]);
}

#[tokio::test]
async fn answers_in_chunks_or_until_the_end_are_read() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nd8:in\r\nc\r\ntervali60ee\n\r\n0\r\n\r\n"[..],
        b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nd8:intervali60ee",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nd8:intervali60ee",
    ] {
        let addr = tracker(|_| answer.to_vec()).await;
        let response = TrackerClient::default().announce(&format!("http://{addr}/a"), &query()).await;
        assert_eq!(response.unwrap().interval, Duration::from_secs(60));
    }
}

#[tokio::test]
async fn asks_our_own_server_over_both_families() {
    for bind in ["127.0.0.1:0", "[::1]:0"] {
        let listener = TcpListener::bind(bind).await.unwrap();
        let url = format!("http://{}/announce", listener.local_addr().unwrap());
        let server = Arc::new(Tracker::new(ServerConfig::default()));
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let serving = tokio::spawn(serve(server.clone(), listener, async { drop(stopped.await) }));
        let client = TrackerClient::default();
        client.announce(&url, &query()).await.unwrap();
        let seed = AnnounceQuery { port: 7000, left: 0, ..query() };
        let response = client.announce(&url, &seed).await.unwrap();
        let ip = bind.parse::<SocketAddr>().unwrap().ip();
        assert_eq!(response.peers.addrs(), [SocketAddr::new(ip, 6881)]);
        let scrape = ScrapeQuery { info_hashes: vec![query().info_hash] };
        let (_, counts) = client.scrape(&url, &scrape).await.unwrap().files[0];
        assert_eq!((counts.complete, counts.incomplete), (1, 1));
        drop(stop);
        serving.await.unwrap();
        let error = client.announce(&url, &seed).await.unwrap_err();
        assert!(matches!(error.cause, Cause::Connect { .. }), "{error}");
    }
}

#[tokio::test]
async fn the_request_that_is_told_is_the_one_that_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/announce?passkey=a%20b", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = head(&mut stream).await;
        stream.write_all(&ok(b"d8:intervali60e5:peers0:e")).await.unwrap();
        head
    });
    let mut body = Vec::new();
    TrackerClient::default().announce_keeping(&url, &query(), &mut body).await.unwrap();
    assert_eq!(server.await.unwrap().into_bytes(), TrackerClient::request(&url, &query()));
    assert_eq!(body, b"d8:intervali60e5:peers0:e");
}

#[tokio::test]
async fn refusals_come_with_the_trackers_words() {
    let Cause::Refused(failure) =
        cause_of(b"HTTP/1.1 200 OK\r\n\r\nd14:failure reason7:go away8:retry ini2ee").await
    else {
        panic!("not refused")
    };
    assert_eq!(failure.reason, "go away");
    assert_eq!(failure.retry, Some(Retry::After(Duration::from_secs(120))));
    let with_status = cause_of(b"HTTP/1.1 403 Forbidden\r\n\r\nd14:failure reason7:go awaye").await;
    assert!(matches!(with_status, Cause::Refused(_)));
    let refused = ClientError { url: "u".into(), cause: with_status };
    assert_eq!(refused.failure(), AnnounceFailure::Refused);
    assert_eq!(refused.to_string(), "tracker u: it refuses: go away");
}

#[tokio::test]
async fn a_tracker_that_never_answers_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let limit = Duration::from_millis(50);
    let client = TrackerClient::new(ClientConfig { timeout: limit, ..ClientConfig::default() });
    // The system accepts for it; nobody reads.
    assert!(matches!(cause(&client, addr).await, Cause::Timeout(after) if after == limit));
}

#[tokio::test]
async fn redirects_are_followed_within_bounds() {
    let target = tracker(|head| {
        assert!(head.starts_with("GET /moved?x=1 "), "{head}");
        ok(b"d8:intervali60ee")
    })
    .await;
    let first = tracker(move |_| {
        format!("HTTP/1.1 302 Found\r\nLocation: http://{target}/moved?x=1\r\n\r\n").into_bytes()
    })
    .await;
    let client = TrackerClient::default();
    client.announce(&format!("http://{first}/announce"), &query()).await.unwrap();

    let to_itself = tracker(|head| {
        let target = head.split(' ').nth(1).unwrap();
        format!("HTTP/1.1 301 Moved\r\nLocation: {target}\r\n\r\n").into_bytes()
    })
    .await;
    assert!(matches!(cause(&client, to_itself).await, Cause::RedirectLoop));

    let ever_longer = tracker(|head| {
        let target = head.split(' ').nth(1).unwrap();
        format!("HTTP/1.1 307 Moved\r\nLocation: {target}x\r\n\r\n").into_bytes()
    })
    .await;
    assert!(matches!(cause(&client, ever_longer).await, Cause::Redirects(5)));
    assert!(matches!(cause_of(b"HTTP/1.1 302 Found\r\n\r\n").await, Cause::Location(302)));
    let elsewhere = cause_of(b"HTTP/1.1 302 Found\r\nLocation: udp://t:1/\r\n\r\n").await;
    assert!(matches!(elsewhere, Cause::Url(UrlError::Scheme(_))));
}

#[tokio::test]
async fn pages_errors_and_bad_lists_are_told_apart() {
    let page = cause_of(b"HTTP/1.1 200 OK\r\n\r\n<!doctype html><p>Welcome").await;
    assert_eq!(page.to_string(), "it answers with a web page");
    assert!(page.source().is_some());
    let status = cause_of(b"HTTP/1.1 500 Oops\r\n\r\n<h1>Oops</h1>").await;
    assert_eq!(status.to_string(), "it answers with HTTP status 500");
    let bad_list = cause_of(b"HTTP/1.1 200 OK\r\n\r\nd8:intervali60e5:peers5:abcdee").await;
    assert_eq!(bad_list.to_string(), "its answer cannot be read");
    assert!(bad_list.source().unwrap().to_string().contains("peers is a string of 5 bytes"));
    let compressed = cause_of(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b").await;
    assert_eq!(compressed.to_string(), "the answer is compressed (gzip), which was not asked for");
    assert!(matches!(cause_of(b"SSH-2.0-OpenSSH_9.2\r\n").await, Cause::Http(_)));
    assert!(matches!(cause_of(b"").await, Cause::Http(_)));
}

#[tokio::test]
async fn an_oversized_answer_is_not_kept() {
    let endless =
        tracker(|_| [&b"HTTP/1.1 200 OK\r\n\r\nd5:peers9999999:"[..], &vec![b'x'; 3 << 20]].concat()).await;
    assert!(
        matches!(cause(&TrackerClient::default(), endless).await, Cause::TooLarge(limit) if limit == 1 << 20)
    );
}

#[tokio::test]
async fn an_answer_cut_short_is_an_error() {
    let cut = cause_of(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nd8:intervali60e").await;
    assert!(matches!(cut, Cause::Http(_)), "{cut}");
    let in_chunks = cause_of(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nd8:in\r\n").await;
    assert!(matches!(in_chunks, Cause::Http(_)), "{in_chunks}");
    let in_head = cause_of(b"HTTP/1.1 200 OK\r\nContent-Le").await;
    assert!(matches!(in_head, Cause::Http(_)), "{in_head}");
}

#[tokio::test]
async fn a_tracker_that_is_gone_is_named() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let client = TrackerClient::default();
    let error = client.announce(&format!("http://{gone}/announce"), &query()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("tracker http://{gone}/announce: {gone} cannot be reached"));
    assert_eq!(error.failure(), AnnounceFailure::Unreachable);
    assert!(error.refusal().is_none());
    let error = client.announce("udp://t/announce", &query()).await.unwrap_err();
    assert!(error.to_string().ends_with("not over udp"), "{error}");
    let error = client.scrape("http://t/x", &ScrapeQuery::default()).await.unwrap_err();
    assert!(matches!(error.cause, Cause::NoScrape));
}

#[tokio::test]
async fn the_local_address_can_be_chosen() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let client = |bind: &str| {
        TrackerClient::new(ClientConfig { bind: Some(bind.parse().unwrap()), ..ClientConfig::default() })
    };
    let accepted = tokio::spawn(async move {
        let (mut stream, from) = listener.accept().await.unwrap();
        head(&mut stream).await;
        stream.write_all(&ok(b"de")).await.unwrap();
        from
    });
    client("127.0.0.9").announce(&format!("http://{addr}/announce"), &query()).await.unwrap();
    assert_eq!(accepted.await.unwrap().ip(), "127.0.0.9".parse::<IpAddr>().unwrap());
    assert!(matches!(cause(&client("::1"), addr).await, Cause::NoRoute(_)));
}

/// A tracker over TLS with a certificate of its own for `localhost`, and that certificate.
async fn secure_tracker() -> (SocketAddr, CertificateDer<'static>) {
    let (addr, made) = certified_tracker().await;
    (addr, made.der().clone())
}

async fn certified_tracker() -> (SocketAddr, rcgen::Certificate) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let settings = TlsServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(settings));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            if let Ok(mut stream) = acceptor.accept(stream).await {
                answer_once(&mut stream).await;
            }
        }
    });
    (addr, made.cert)
}

async fn answer_once(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    head(stream).await;
    stream.write_all(&ok(b"d8:intervali77ee")).await.unwrap();
    let _ = stream.shutdown().await;
}

#[tokio::test]
async fn https_is_spoken_with_whom_the_roots_vouch_for() {
    let (addr, certificate) = secure_tracker().await;
    let client =
        |roots| TrackerClient::new(ClientConfig { roots: Roots::Only(roots), ..ClientConfig::default() });
    let url = format!("https://localhost:{}/announce", addr.port());
    let response = client(vec![certificate.clone()]).announce(&url, &query()).await.unwrap();
    assert_eq!(response.interval, Duration::from_secs(77));

    let by_address = format!("https://{addr}/announce");
    let error = client(vec![certificate]).announce(&by_address, &query()).await.unwrap_err();
    assert!(matches!(error.cause, Cause::Tls(_)), "{error}");
    let (_, stranger) = secure_tracker().await;
    let error = client(vec![stranger]).announce(&url, &query()).await.unwrap_err();
    assert!(matches!(error.cause, Cause::Tls(_)), "{error}");
    let error = client(vec![]).announce(&url, &query()).await.unwrap_err();
    assert!(matches!(error.cause, Cause::NoRoots), "{error}");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plain = listener.local_addr().unwrap();
    let speaking = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(&ok(b"de")).await.unwrap();
    });
    let trusting = client(vec![secure_tracker().await.1]);
    let error = trusting.announce(&format!("https://{plain}/announce"), &query()).await.unwrap_err();
    assert!(matches!(error.cause, Cause::Tls(_)), "{error}");
    speaking.await.unwrap();
}

/// The system's roots are read once a process and their place is told by its environment, so this test is also run
/// by itself in a process of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_roots_can_be_named() {
    const ADDRESS: &str = "SWARMLAB_TEST_TRACKER";
    if let Ok(url) = std::env::var(ADDRESS) {
        let response = TrackerClient::default().announce(&url, &query()).await.unwrap();
        assert_eq!(response.interval, Duration::from_secs(77));
        return;
    }
    let (addr, certificate) = certified_tracker().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("roots.pem");
    std::fs::write(&file, certificate.pem()).unwrap();
    let run = move |roots: &std::path::Path| {
        std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tracker::client::tests::a_file_of_roots_can_be_named"])
            .env(ADDRESS, format!("https://localhost:{}/announce", addr.port()))
            .env("SSL_CERT_FILE", roots)
            .env_remove("SSL_CERT_DIR")
            .output()
            .unwrap()
    };
    assert!(run(&file).status.success());
    std::fs::write(&file, "").unwrap();
    let output = run(&file);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("NoRoots"), "{output:?}");
}
