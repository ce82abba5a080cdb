//! The server on loopback: it answers with its own files, with what is shown, and with a WebSocket to a run that goes on; with
//! nothing else, and to nobody else ([`crate::guard`]). Connections, pages, heads of requests and messages of pages are
//! bounded.

mod answer;
mod file;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use crate::shows::Shows;
use answer::answer;

/// Most connections at a time; more wait in the system's queue. A browser opens six for a page.
const MOST_CONNECTIONS: usize = 64;
/// Most pages that follow a run at a time.
const MOST_PAGES: usize = 16;
/// Most bytes of a request's head. Browsers send about 1 KiB.
const MOST_HEAD: usize = 16 << 10;
/// A connection without a whole request for so long is closed.
const IDLE: Duration = Duration::from_secs(30);
/// How long answers under way may take when the server stops.
const GRACE: Duration = Duration::from_millis(200);
/// Pause after a failed accept: the usual reason is too many open files, and those are not freed by trying again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is not of loopback. What is shown is for this machine only: there are no passwords and no encryption.
    #[error("{0} is not an address of loopback, such as 127.0.0.1:8000 or [::1]:8000")]
    NotLoopback(SocketAddr),
    /// The system refuses the address.
    #[error("cannot listen on {0}")]
    Listen(SocketAddr, #[source] io::Error),
}

/// A server that listens, and answers once it [serves](Server::serve).
#[derive(Debug)]
pub struct Server {
    listener: std::net::TcpListener,
    addr: SocketAddr,
}

/// What connections share.
struct Shared {
    shows: Arc<Shows>,
    port: u16,
    pages: Arc<Semaphore>,
    stopped: watch::Receiver<()>,
}

impl Server {
    /// Listens on an address of loopback; port 0 is any that is free.
    ///
    /// # Errors
    /// When the address is another, or in use.
    pub fn bind(addr: SocketAddr) -> Result<Server, ServerError> {
        if !addr.ip().is_loopback() {
            return Err(ServerError::NotLoopback(addr));
        }
        let listen = || {
            let listener = std::net::TcpListener::bind(addr)?;
            listener.set_nonblocking(true)?;
            let addr = listener.local_addr()?;
            Ok(Server { listener, addr })
        };
        listen().map_err(|error| ServerError::Listen(addr, error))
    }

    /// Where the page is.
    pub fn url(&self) -> String {
        format!("http://{}/", self.addr)
    }

    /// Answers until `stop` is done. Runs on a tokio runtime with I/O and time.
    ///
    /// # Errors
    /// When the runtime refuses the socket.
    pub async fn serve(self, shows: Arc<Shows>, stop: impl Future<Output = ()>) -> io::Result<()> {
        let listener = TcpListener::from_std(self.listener)?;
        let (stopping, stopped) = watch::channel(());
        let shared = Arc::new(Shared {
            shows,
            port: self.addr.port(),
            pages: Arc::new(Semaphore::new(MOST_PAGES)),
            stopped,
        });
        let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        let mut stop = pin!(stop);
        loop {
            let accepted = async {
                // The semaphore is never closed.
                let place = room.clone().acquire_owned().await.ok();
                (place, listener.accept().await)
            };
            tokio::select! {
                biased;
                () = &mut stop => break,
                (place, accepted) = accepted => match accepted {
                    Ok((stream, _)) => {
                        let shared = shared.clone();
                        tokio::spawn(async move {
                            connection(shared, stream).await;
                            drop(place);
                        });
                    }
                    Err(_) => sleep(ACCEPT_PAUSE).await,
                }
            }
        }
        drop(stopping);
        let _ = timeout(GRACE, room.acquire_many(MOST_CONNECTIONS as u32)).await;
        Ok(())
    }
}

async fn connection(shared: Arc<Shared>, stream: TcpStream) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(IDLE).max_buf_size(MOST_HEAD).auto_date_header(false);
    let mut stopped = shared.stopped.clone();
    let service = service_fn(|request: Request<Incoming>| {
        let shared = shared.clone();
        async move { Ok::<_, Infallible>(answer(&shared, request).await) }
    });
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service).with_upgrades());
    // A connection ends in an error when the page goes away or sends what is not HTTP: nothing to do in either case.
    tokio::select! {
        _ = &mut connection => return,
        _ = stopped.changed() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(GRACE, connection).await;
}

#[cfg(test)]
mod tests;
