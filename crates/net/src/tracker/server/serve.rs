//! HTTP/1 connections over TCP: accepting, limits, and the orderly end.

use std::convert::Infallible;
use std::future::ready;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::{Reply, Tracker};

/// Most bytes of a request's head: a scrape of 200 torrents fits.
const MAX_HEAD: usize = 16 * 1024;

/// A connection is ended, after the request under way, when it is this old: nothing a client does can hold its place
/// for ever, not even a flood of requests whose answers it does not read.
const MAX_AGE: Duration = Duration::from_secs(10 * 60);

/// How long requests under way may take to be answered when the server stops.
const GRACE: Duration = Duration::from_secs(1);

/// Overdue peers are looked for so often.
const EXPIRY: Duration = Duration::from_secs(60);

/// Pause after a failed accept: the usual reason is too many open files, and those are not freed by trying again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Answers on this socket until `stop` is done, then finishes the requests under way (for at most a second). May be
/// called for several sockets with the same tracker.
pub async fn serve(tracker: Arc<Tracker>, listener: TcpListener, stop: impl Future<Output = ()>) {
    let places = tracker.config().max_connections;
    let room = Arc::new(Semaphore::new(places as usize));
    let (stopping, stopped) = watch::channel(());
    let mut stop = pin!(stop);
    let mut expiry = interval(EXPIRY);
    expiry.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let accepted = async {
            // The semaphore is never closed.
            let place = room.clone().acquire_owned().await.ok();
            (place, listener.accept().await)
        };
        tokio::select! {
            biased;
            () = &mut stop => break,
            _ = expiry.tick() => tracker.expire(),
            (place, accepted) = accepted => match accepted {
                Ok((stream, from)) => {
                    tracker.counters().connections.add();
                    let connection = connection(tracker.clone(), stream, from, stopped.clone());
                    tokio::spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
                Err(error) if is_of_the_peer(&error) => {}
                Err(_) => sleep(ACCEPT_PAUSE).await,
            }
        }
    }
    drop(listener);
    drop(stopping);
    let _ = room.acquire_many(places).await;
}

/// Whether accept failed because the client went away, which says nothing about the next one.
fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn connection(
    tracker: Arc<Tracker>,
    stream: TcpStream,
    from: SocketAddr,
    mut stopped: watch::Receiver<()>,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(tracker.config().idle_timeout)
        .max_buf_size(MAX_HEAD)
        .auto_date_header(false);
    let answer = service_fn(|request| ready(Ok::<_, Infallible>(answer(&tracker, &request, from))));
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), answer));
    // A connection ends in an error when the client goes away or sends what is not HTTP: nothing to do in either case.
    tokio::select! {
        _ = &mut connection => return,
        _ = stopped.changed() => {}
        () = sleep(MAX_AGE) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(GRACE, connection).await;
}

fn answer(tracker: &Tracker, request: &Request<Incoming>, from: SocketAddr) -> Response<Full<Bytes>> {
    let uri = request.uri();
    let (status, kind, body) = if request.method() != Method::GET {
        (StatusCode::METHOD_NOT_ALLOWED, "text/plain", b"only GET is answered here\n".to_vec())
    } else {
        match tracker.respond(uri.path(), uri.query(), from) {
            Reply::Bencode(body) => {
                if let Some(recorder) = tracker.recorder.as_ref().filter(|_| uri.path() == "/announce") {
                    let query = uri.query().unwrap_or_default().as_bytes();
                    recorder.served(head_of(request), query, from, &body);
                }
                (StatusCode::OK, "text/plain", body)
            }
            Reply::Html(page) => (StatusCode::OK, "text/html; charset=utf-8", page.into_bytes()),
            Reply::Json(json) => (StatusCode::OK, "application/json", json.into_bytes()),
            Reply::NotFound => {
                let body = b"nothing here; try /announce, /scrape, /stats or /stats.json\n".to_vec();
                (StatusCode::NOT_FOUND, "text/plain", body)
            }
        }
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("GET"));
    }
    response
}

/// The head of a request as it came. Names of headers are in small letters: HTTP does not tell letters apart there.
fn head_of(request: &Request<Incoming>) -> Vec<u8> {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let mut head = format!("{} {target} {:?}\r\n", request.method(), request.version()).into_bytes();
    for (name, value) in request.headers() {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}
