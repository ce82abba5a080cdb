//! One GET over a connection of its own, with a bound on the size of the answer.

use std::pin::pin;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, CONTENT_ENCODING, HOST, LOCATION, USER_AGENT};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::Cause;
use super::url::{HttpUrl, UrlError};

const AGENT: &str = concat!("swarmlab/", env!("CARGO_PKG_VERSION"));

/// The bytes of the request that [`get`] makes.
pub(super) fn request(url: &HttpUrl) -> Vec<u8> {
    let (target, authority) = (&url.target, &url.authority);
    format!("GET {target} HTTP/1.1\r\nhost: {authority}\r\nuser-agent: {AGENT}\r\nconnection: close\r\n\r\n")
        .into_bytes()
}

/// What came back.
pub(super) struct Fetched {
    pub(super) status: u16,
    pub(super) location: Option<String>,
    pub(super) body: Vec<u8>,
}

/// Gets the URL over this stream.
pub(super) async fn get<S>(stream: S, url: &HttpUrl, max_reply: usize) -> Result<Fetched, Cause>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(Cause::Http)?;
    let request = Request::get(url.target.as_str())
        .header(HOST, url.authority.as_str())
        .header(USER_AGENT, AGENT)
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        // The URL is visible ASCII, so this is about its path holding something HTTP does not allow there.
        .map_err(|_| UrlError::Target)?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(Cause::Http)?;
        read(response, max_reply).await
    };
    let (mut connection, mut exchange) = (pin!(connection), pin!(exchange));
    let mut open = true;
    loop {
        // The connection moves the bytes; when it ends, the exchange tells what became of them.
        tokio::select! {
            outcome = &mut exchange => return outcome,
            _ = &mut connection, if open => open = false,
        }
    }
}

async fn read(response: Response<hyper::body::Incoming>, max_reply: usize) -> Result<Fetched, Cause> {
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    if let Some(encoding) = header(CONTENT_ENCODING).filter(|encoding| *encoding != "identity") {
        return Err(Cause::Compressed(encoding.chars().take(40).collect()));
    }
    let (status, location) = (response.status().as_u16(), header(LOCATION).map(str::to_owned));
    let mut incoming = response.into_body();
    let mut body = Vec::new();
    while let Some(frame) = incoming.frame().await {
        if let Ok(part) = frame.map_err(Cause::Http)?.into_data() {
            if body.len() + part.len() > max_reply {
                return Err(Cause::TooLarge(max_reply));
            }
            body.extend_from_slice(&part);
        }
    }
    Ok(Fetched { status, location, body })
}
