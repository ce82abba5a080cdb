//! From a URL to a stream: names, addresses in turn, the local address, TLS.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout};
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsConnector, rustls};

use super::url::HttpUrl;
use super::{Cause, ClientConfig, Roots, UrlError};

/// A connection to a tracker.
pub(super) enum Stream {
    Plain(TcpStream),
    Secure(Box<TlsStream<TcpStream>>),
}

/// Connects to the host of the URL; the TLS settings are made when first needed.
pub(super) async fn connect(
    url: &HttpUrl,
    config: &ClientConfig,
    tls: &OnceCell<Arc<rustls::ClientConfig>>,
) -> Result<Stream, Cause> {
    let stream = tcp(url, config).await?;
    if !url.https {
        return Ok(Stream::Plain(stream));
    }
    let tls = tls.get_or_try_init(|| settings(&config.roots)).await?;
    let name = ServerName::try_from(url.host.clone()).map_err(|_| UrlError::Host(url.host.clone()))?;
    let stream = TlsConnector::from(tls.clone()).connect(name, stream).await.map_err(Cause::Tls)?;
    Ok(Stream::Secure(Box::new(stream)))
}

/// Tries the host's addresses one after the other; each may take its share of the time that is left.
async fn tcp(url: &HttpUrl, config: &ClientConfig) -> Result<TcpStream, Cause> {
    let deadline = Instant::now() + config.connect_timeout;
    let found = match timeout(config.connect_timeout, lookup_host((url.host.as_str(), url.port))).await {
        Ok(found) => found.map_err(|source| Cause::Resolve { host: url.host.clone(), source })?,
        Err(_) => {
            return Err(Cause::Resolve { host: url.host.clone(), source: io::ErrorKind::TimedOut.into() });
        }
    };
    let reachable = |addr: &SocketAddr| config.bind.is_none_or(|ip| ip.is_ipv4() == addr.is_ipv4());
    let addrs: Vec<SocketAddr> = found.filter(reachable).collect();
    let mut failed = Cause::NoRoute(url.host.clone());
    for (number, &addr) in addrs.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        match dial(addr, config, left / (addrs.len() - number) as u32).await {
            Ok(stream) => return Ok(stream),
            Err(source) => failed = Cause::Connect { addr, source },
        }
    }
    Err(failed)
}

async fn dial(addr: SocketAddr, config: &ClientConfig, limit: Duration) -> io::Result<TcpStream> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(ip) = config.bind {
        socket.bind(SocketAddr::new(ip, 0))?;
    }
    timeout(limit, socket.connect(addr)).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn settings(roots: &Roots) -> Result<Arc<rustls::ClientConfig>, Cause> {
    let certificates = match roots {
        Roots::Only(certificates) => certificates.clone(),
        // Reads files. What cannot be read is left out; if that is all of them, `NoRoots` says so.
        Roots::System => tokio::task::spawn_blocking(|| rustls_native_certs::load_native_certs().certs)
            .await
            .unwrap_or_default(),
    };
    let mut store = RootCertStore::empty();
    let (added, _) = store.add_parsable_certificates(certificates);
    if added == 0 {
        return Err(Cause::NoRoots);
    }
    let builder = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Cause::Tls(io::Error::other(error)))?;
    Ok(Arc::new(builder.with_root_certificates(store).with_no_client_auth()))
}
