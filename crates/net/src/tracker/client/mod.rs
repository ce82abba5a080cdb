//! The tracker client: one announce or scrape over http or https.
//!
//! A [`TrackerClient`] asks once and tells what came of it, within bounds on time, size and redirects, whatever the
//! other side does. Which tracker is asked when, and what follows from a failure, is the engine's business. Each
//! exchange has a connection of its own: announces are half an hour apart.

mod connect;
mod error;
mod exchange;
mod url;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use swarmlab_protocol::tracker::{AnnounceQuery, AnnounceResponse, ReplyError, ScrapeQuery, ScrapeResponse};
use tokio::sync::OnceCell;
use tokio_rustls::rustls;

pub use error::{Cause, ClientError, UrlError};
pub use rustls::pki_types::CertificateDer;

use connect::{Stream, connect};
use exchange::{Fetched, get};
use url::HttpUrl;

/// Bounds and settings of a client.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Longest wait for a connection, all addresses of the host together.
    pub connect_timeout: Duration,
    /// Longest wait for the whole answer, redirects included.
    pub timeout: Duration,
    /// Largest answer, in bytes.
    pub max_reply: usize,
    /// Most redirects followed.
    pub max_redirects: usize,
    /// The local address to ask from; the system chooses if there is none.
    pub bind: Option<IpAddr>,
    /// Whom to trust over https.
    pub roots: Roots,
}

/// The root certificates trusted over https.
#[derive(Clone, Debug, Default)]
pub enum Roots {
    /// Those of the system, or of the file that `SSL_CERT_FILE` names.
    #[default]
    System,
    /// These and no others.
    Only(Vec<CertificateDer<'static>>),
}

impl Default for ClientConfig {
    /// 10 s to connect and 30 s in all (libtorrent: 20 s and 40 s), 1 MiB, 5 redirects.
    fn default() -> Self {
        ClientConfig {
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
            max_reply: 1 << 20,
            max_redirects: 5,
            bind: None,
            roots: Roots::default(),
        }
    }
}

/// Asks trackers.
#[derive(Debug, Default)]
pub struct TrackerClient {
    config: ClientConfig,
    /// Made when https is first spoken: reading the system's certificates takes some milliseconds.
    tls: OnceCell<Arc<rustls::ClientConfig>>,
}

impl TrackerClient {
    /// A client with these settings.
    pub fn new(config: ClientConfig) -> Self {
        TrackerClient { config, tls: OnceCell::new() }
    }

    /// Announces to the tracker at this URL. Dropping the future breaks the connection.
    ///
    /// # Errors
    /// When there is no answer that can be read, or the tracker refuses.
    pub async fn announce(&self, url: &str, query: &AnnounceQuery) -> Result<AnnounceResponse, ClientError> {
        self.announce_keeping(url, query, &mut Vec::new()).await
    }

    /// The same, and keeps the body of the answer, if there was one.
    pub(crate) async fn announce_keeping(
        &self,
        url: &str,
        query: &AnnounceQuery,
        body: &mut Vec<u8>,
    ) -> Result<AnnounceResponse, ClientError> {
        let asked = self.ask(query.url(url), AnnounceResponse::decode, body).await;
        asked.map_err(|cause| named(url, cause))
    }

    /// The bytes that an announce sends, before any redirect; none for a URL that cannot be asked.
    pub(crate) fn request(url: &str, query: &AnnounceQuery) -> Vec<u8> {
        HttpUrl::parse(&query.url(url)).map_or_else(|_| Vec::new(), |url| exchange::request(&url))
    }

    /// Asks the tracker with this announce URL for the numbers of torrents.
    ///
    /// # Errors
    /// When there is no answer that can be read, the tracker refuses, or has no scrape URL.
    pub async fn scrape(&self, url: &str, query: &ScrapeQuery) -> Result<ScrapeResponse, ClientError> {
        let outcome = match query.url(url) {
            Some(url) => self.ask(url, ScrapeResponse::decode, &mut Vec::new()).await,
            None => Err(Cause::NoScrape),
        };
        outcome.map_err(|cause| named(url, cause))
    }

    async fn ask<T>(
        &self,
        url: String,
        read: fn(&[u8]) -> Result<T, ReplyError>,
        body: &mut Vec<u8>,
    ) -> Result<T, Cause> {
        let limit = self.config.timeout;
        let fetched =
            tokio::time::timeout(limit, self.fetch(&url)).await.map_err(|_| Cause::Timeout(limit))??;
        *body = fetched.body;
        match (read(body), fetched.status) {
            (Ok(response), 200..=299) => Ok(response),
            // Some trackers give their failure reason with a status that says the same.
            (Err(ReplyError::Refused(failure)), _) => Err(Cause::Refused(failure)),
            (Err(source), 200..=299) => Err(Cause::Reply { page: is_page(body), source }),
            (_, status) => Err(Cause::Status(status)),
        }
    }

    /// Gets the URL, following redirects.
    async fn fetch(&self, url: &str) -> Result<Fetched, Cause> {
        let mut asked = vec![HttpUrl::parse(url)?];
        while let Some(url) = asked.last() {
            let fetched = match connect(url, &self.config, &self.tls).await? {
                Stream::Plain(stream) => get(stream, url, self.config.max_reply).await?,
                Stream::Secure(stream) => get(*stream, url, self.config.max_reply).await?,
            };
            if !matches!(fetched.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(fetched);
            }
            let location = fetched.location.ok_or(Cause::Location(fetched.status))?;
            let next = url.join(&location)?;
            if asked.contains(&next) {
                return Err(Cause::RedirectLoop);
            }
            if asked.len() > self.config.max_redirects {
                break;
            }
            asked.push(next);
        }
        Err(Cause::Redirects(self.config.max_redirects))
    }
}

fn is_page(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<")
}

fn named(url: &str, cause: Cause) -> ClientError {
    ClientError { url: url.split(['?', '#']).next().unwrap_or_default().to_owned(), cause }
}

#[cfg(test)]
mod tests;
