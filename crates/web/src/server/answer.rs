//! What a request is answered with. All paths are here.

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName,
    HeaderValue, ORIGIN, REFERRER_POLICY, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION,
    UPGRADE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};
use sha1::{Digest as _, Sha1};
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::Shared;
use super::file::{self, Streamed};
use crate::guard::{self, Ask, Thing};
use crate::shows::{Session, Show, Source};
use crate::{assets, base64, page};

/// Only what the page is made of may run or load in it, and only from here. The blob is the script's own worker.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
                      connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";
/// Every answer has these.
const HEADERS: [(HeaderName, &str); 4] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    // The next run of the program may be another program.
    (CACHE_CONTROL, "no-store"),
];
/// What the key of a WebSocket is hashed with (RFC 6455, section 1.3).
const WEBSOCKET: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

pub(super) type Answer = Response<UnsyncBoxBody<Bytes, std::io::Error>>;

/// Answers a request.
pub(super) async fn answer(shared: &Shared, request: Request<Incoming>) -> Answer {
    let mut answer = route(shared, request).await;
    for (name, value) in HEADERS {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

async fn route(shared: &Shared, request: Request<Incoming>) -> Answer {
    let uri = request.uri().clone();
    let asset = assets::find(uri.path());
    let thing = match (asset, uri.path()) {
        (Some(_), _) => Thing::Asset,
        (None, "/live") => Thing::Socket,
        (None, _) => Thing::Data,
    };
    if let Some(refusal) = guard::refusal(&ask(&request, thing), shared.port) {
        return refused(StatusCode::FORBIDDEN, refusal);
    }
    if request.method() != Method::GET {
        return refused(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered here");
    }
    if let Some(asset) = asset {
        return whole(StatusCode::OK, asset.kind, Bytes::from_static(asset.bytes));
    }
    if uri.path() == "/lessons" {
        let menu = serde_json::to_vec(shared.shows.menu()).unwrap_or_default();
        return whole(StatusCode::OK, JSON, menu.into());
    }
    if !["/session", "/trace", "/live"].contains(&uri.path()) {
        return refused(StatusCode::NOT_FOUND, "there is nothing here");
    }
    let shows = shared.shows.clone();
    let open = uri.query().and_then(opened);
    let show = spawn_blocking(move || shows.find(open.as_deref())).await;
    let show = match show.unwrap_or_else(|_| Err("this cannot be opened: its run has crashed".to_owned())) {
        Ok(show) => show,
        Err(sentence) => return refused(StatusCode::NOT_FOUND, &sentence),
    };
    match uri.path() {
        "/session" => whole(StatusCode::OK, JSON, Session::of(show.as_deref()).json().into()),
        "/trace" => trace(show.as_deref()).await,
        _ => live(shared, show.as_deref(), request),
    }
}

fn ask(request: &Request<Incoming>, thing: Thing) -> Ask<'_> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    Ask {
        host: header(HOST.as_str()),
        origin: header(ORIGIN.as_str()),
        site: header("sec-fetch-site"),
        thing,
    }
}

/// What a query asks to open. Names need no escapes but for the colon.
fn opened(query: &str) -> Option<String> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix("open="))?;
    Some(value.replace("%3A", ":").replace("%3a", ":"))
}

/// The trace as far as it is there.
async fn trace(show: Option<&Show>) -> Answer {
    let (path, most) = match show.map(|show| &show.source) {
        Some(Source::File(path)) => (path.clone(), u64::MAX),
        Some(Source::Live(feed, _)) => (feed.path().to_owned(), feed.written().borrow().whole.offset),
        Some(Source::None) | None => return refused(StatusCode::NOT_FOUND, "this shows no run"),
    };
    match spawn_blocking(move || file::open(&path, most)).await {
        Ok(Ok(Streamed { length, body })) => {
            let mut answer = Response::new(body.boxed_unsync());
            answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
            answer.headers_mut().insert(CONTENT_LENGTH, length.into());
            answer
        }
        _ => refused(StatusCode::NOT_FOUND, "the file of this run cannot be read any more"),
    }
}

/// Turns the connection into a WebSocket that follows a run.
fn live(shared: &Shared, show: Option<&Show>, mut request: Request<Incoming>) -> Answer {
    let Some(Source::Live(feed, pace)) = show.map(|show| &show.source) else {
        return refused(StatusCode::NOT_FOUND, "no run goes on here");
    };
    let Some(key) = websocket_key(&request) else {
        return refused(StatusCode::BAD_REQUEST, "this is for WebSockets, of version 13");
    };
    let Ok(place) = shared.pages.clone().try_acquire_owned() else {
        return refused(StatusCode::SERVICE_UNAVAILABLE, "too many pages watch this already; close one");
    };
    let (feed, pace, mut stopped) = (feed.clone(), pace.clone(), shared.stopped.clone());
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        if let Ok(io) = upgrade.await {
            tokio::select! {
                () = page::serve(io, feed, pace) => {}
                _ = ended(&mut stopped) => {}
            }
        }
        drop(place);
    });
    let mut answer = whole(StatusCode::SWITCHING_PROTOCOLS, TEXT, Bytes::new());
    let headers = answer.headers_mut();
    headers.remove(CONTENT_TYPE);
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(&key) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    answer
}

async fn ended(stopped: &mut watch::Receiver<()>) {
    while stopped.changed().await.is_ok() {}
}

/// The answer to a WebSocket's key (RFC 6455, section 4.2); nothing if the request is for something else.
fn websocket_key(request: &Request<Incoming>) -> Option<String> {
    let header = |name: HeaderName| request.headers().get(name)?.to_str().ok();
    let wants = header(UPGRADE)?.eq_ignore_ascii_case("websocket")
        && header(CONNECTION)?.split(',').any(|word| word.trim().eq_ignore_ascii_case("upgrade"))
        && header(SEC_WEBSOCKET_VERSION)? == "13";
    wants.then(|| header(SEC_WEBSOCKET_KEY)).flatten().map(accept)
}

fn accept(key: &str) -> String {
    base64::encode(&Sha1::new().chain_update(key).chain_update(WEBSOCKET).finalize())
}

fn refused(status: StatusCode, sentence: &str) -> Answer {
    whole(status, TEXT, format!("{sentence}\n").into())
}

fn whole(status: StatusCode, kind: &'static str, bytes: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(bytes).map_err(|never| match never {}).boxed_unsync());
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_rfc_6455() {
        assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn what_to_open_is_read_from_the_query() {
        let table = [
            ("open=lesson:choke", Some("lesson:choke")),
            ("x=1&open=lesson%3Achoke&y", Some("lesson:choke")),
            ("reopen=x", None),
            ("", None),
        ];
        for (query, expected) in table {
            assert_eq!(opened(query).as_deref(), expected, "{query}");
        }
    }
}
