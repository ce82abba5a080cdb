//! Why a tracker gave no answer, in words for people.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use swarmlab_protocol::AnnounceFailure;
use swarmlab_protocol::tracker::{Failure, ReplyError};

pub use super::url::UrlError;

/// A tracker gave no answer.
#[derive(Debug, thiserror::Error)]
#[error("tracker {url}: {cause}")]
pub struct ClientError {
    /// The announce URL as it was given, without its query, which may hold a passkey.
    pub url: String,
    /// What went wrong.
    #[source]
    pub cause: Cause,
}

/// What went wrong in asking a tracker.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The URL, or one it redirects to, cannot be asked.
    #[error("{0}")]
    Url(#[from] UrlError),
    /// The URL does not follow the convention by which its scrape URL is found (BEP 48).
    #[error("it cannot be scraped: the last part of its path does not begin with \"announce\"")]
    NoScrape,
    /// The host name has no address.
    #[error("{host} has no address")]
    Resolve {
        /// The host.
        host: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The host has no address of the family that the local address has.
    #[error("{0} has no address that can be reached from the local address")]
    NoRoute(String),
    /// No address took the connection; this is the last one tried.
    #[error("{addr} cannot be reached")]
    Connect {
        /// The address.
        addr: SocketAddr,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// No root certificates are installed.
    #[error("there are no root certificates to check https with; SSL_CERT_FILE can name a file of them")]
    NoRoots,
    /// The secure connection failed, most often for its certificate.
    #[error("no secure connection")]
    Tls(#[source] io::Error),
    /// The connection broke or what came over it is not HTTP.
    #[error("the connection broke before the answer was complete")]
    Http(#[source] hyper::Error),
    /// The whole exchange took too long.
    #[error("no answer within {} s", .0.as_secs_f32())]
    Timeout(Duration),
    /// Redirected to a URL that was asked before.
    #[error("it redirects in a loop")]
    RedirectLoop,
    /// Redirected too often.
    #[error("it redirects more than {0} times")]
    Redirects(usize),
    /// A redirect that does not say where to.
    #[error("it redirects (HTTP status {0}) without saying where to")]
    Location(u16),
    /// The body is larger than any reply.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// The body is compressed, which was not asked for.
    #[error("the answer is compressed ({0}), which was not asked for")]
    Compressed(String),
    /// An HTTP status that is not success, without a failure reason in the body.
    #[error("it answers with HTTP status {0}")]
    Status(u16),
    /// The body is not a tracker's reply.
    #[error("{}", if *.page { "it answers with a web page" } else { "its answer cannot be read" })]
    Reply {
        /// It looks like a web page.
        page: bool,
        /// What is wrong with it.
        #[source]
        source: ReplyError,
    },
    /// The tracker refuses.
    #[error("it refuses: {0}")]
    Refused(Failure),
}

impl ClientError {
    /// What the engine needs to know of it.
    pub fn failure(&self) -> AnnounceFailure {
        match self.cause {
            Cause::Refused(_) => AnnounceFailure::Refused,
            _ => AnnounceFailure::Unreachable,
        }
    }

    /// The tracker's refusal, if that is what the error is.
    pub fn refusal(&self) -> Option<&Failure> {
        match &self.cause {
            Cause::Refused(failure) => Some(failure),
            _ => None,
        }
    }
}
