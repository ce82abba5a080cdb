//! The page beside a command: a server on a thread of its own, the address for the user, and the wait for Ctrl-C at the end.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};

use clap::Args;
use serde_json::Value;
use swarmlab_web::{Server, ServerError, Show, Shows, Source, alone};
use tempfile::TempDir;

use crate::browser;
use crate::env::Env;
use crate::error::Error;

/// Flags of commands that run a swarm and can show it meanwhile.
#[derive(Debug, Args)]
pub(crate) struct WatchFlags {
    /// Show the run on a page while it goes on, and until Ctrl-C [default address: 127.0.0.1:0]
    #[arg(long, value_name = "IP:PORT", num_args = 0..=1, require_equals = true, default_missing_value = "127.0.0.1:0")]
    watch: Option<SocketAddr>,
    /// Do not open a browser
    #[arg(long, requires = "watch")]
    no_open: bool,
}

impl WatchFlags {
    /// Where the page is wanted, if it is.
    pub(crate) fn place(&self) -> Option<Place> {
        self.watch.map(|listen| Place { listen, opens: !self.no_open })
    }
}

/// Where a page is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// An address of loopback; port 0 is any that is free.
    pub(crate) listen: SocketAddr,
    /// Whether a browser is opened.
    pub(crate) opens: bool,
}

/// A page that is being served.
pub(crate) struct Watching {
    url: String,
    server: JoinHandle<std::io::Result<()>>,
}

impl Watching {
    /// Serves what there is to see until the user wants the program to stop, and opens a browser.
    ///
    /// # Errors
    /// When the address cannot be listened on: 2 if it is not of loopback.
    pub(crate) fn start(env: &Env, place: Place, shows: Shows) -> Result<Watching, Error> {
        let server = Server::bind(place.listen).map_err(refused)?;
        let url = server.url();
        let failed = |error| Error::failed("cannot start the server of the page").because(error);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let stop = env.stop().clone();
        let serve = move || {
            let stopped = async move { _ = stop.requested().await };
            let served = runtime.block_on(server.serve(Arc::new(shows), stopped));
            // A lesson or a run that is being opened must not keep the program.
            runtime.shutdown_background();
            served
        };
        let server = thread::Builder::new().name("page".into()).spawn(serve).map_err(failed)?;
        if place.opens {
            browser::open(env, &url);
        }
        Ok(Watching { url, server })
    }

    /// Serves one run while a command makes it, and says where.
    ///
    /// # Errors
    /// As for [`start`](Watching::start).
    pub(crate) fn beside(env: &Env, place: Place, show: Show) -> Result<Watching, Error> {
        let watching = Watching::start(env, place, Shows::only(show))?;
        env.note(format_args!("watch it at {}", watching.url));
        Ok(watching)
    }

    /// Where the page is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Keeps the page until the user wants the program to stop.
    ///
    /// # Errors
    /// When the server has failed.
    pub(crate) fn stay(self, env: &Env) -> Result<(), Error> {
        if !env.stop().flag().load(Ordering::Acquire) {
            env.note(format_args!("the page stays at {} until Ctrl-C", self.url));
        }
        match self.server.join() {
            Ok(served) => {
                served.map_err(|error| Error::failed("the server of the page has failed").because(error))
            }
            Err(_) => Err(Error::failed("the server of the page has crashed")),
        }
    }
}

fn refused(error: ServerError) -> Error {
    match error {
        ServerError::NotLoopback(_) => Error::invalid(error.to_string())
            .help("a page is for this machine only; to see it from another one, forward a port: ssh -L"),
        ServerError::Listen(..) => {
            Error::failed(error.to_string()).because(error).help("choose another port, or 0 for a free one")
        }
    }
}

/// A directory for traces that nobody asked to keep; it goes with the program.
pub(crate) fn scratch(env: &Env) -> Result<TempDir, Error> {
    let made = tempfile::Builder::new().prefix("swarmlab-watch-").tempdir();
    let dir = made.map_err(|error| Error::failed("cannot make a temporary directory").because(error))?;
    env.stop().takes_along(dir.path());
    Ok(dir)
}

/// Of a trace of more bytes, no page is made beside a report: it would be slow to open.
const LARGEST_PAGE: u64 = 32 << 20;

/// The page that shows a recorded run, as one file, if its trace is not too large for one.
pub(crate) fn page_of(name: &str, trace: &Path) -> Option<Arc<str>> {
    let small = fs::metadata(trace).is_ok_and(|found| found.len() <= LARGEST_PAGE);
    let trace = small.then(|| fs::read(trace).ok()).flatten()?;
    let show = Show { name: name.to_owned(), lesson: Value::Null, source: Source::None };
    Some(alone::page(&show, &trace).into())
}

/// What a file is called on the page.
pub(crate) fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
