//! The page beside a command: a server on a thread of its own, the address for the user, and the wait for Ctrl-C at the end.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
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
use crate::exit::Exit;

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
    /// What is wanted, with the file that the user has named for the trace, if any.
    ///
    /// # Errors
    /// When a page is wanted and there is no place for its trace.
    pub(crate) fn wanted(&self, env: &Env, trace: Option<&Path>) -> Result<Wanted, Error> {
        let place = self.watch.map(|listen| Place { listen, opens: !self.no_open });
        let dir = if trace.is_none() && place.is_some() { Some(scratch(env)?) } else { None };
        let kept = dir.as_ref().map(|dir| dir.path().join("run.swt"));
        Ok(Wanted { path: trace.map(Path::to_owned).or(kept), is_named: trace.is_some(), place, _dir: dir })
    }
}

/// What is wanted of a run besides its result: a trace, a page beside it, or both.
pub(crate) struct Wanted {
    /// Where the trace goes, if there is to be one.
    pub(crate) path: Option<PathBuf>,
    /// Whether the user has named that file; else it goes with the program.
    pub(crate) is_named: bool,
    place: Option<Place>,
    _dir: Option<TempDir>,
}

impl Wanted {
    /// Whether there is to be a page.
    pub(crate) fn is_watched(&self) -> bool {
        self.place.is_some()
    }

    /// Serves the page, if there is to be one, and says where.
    ///
    /// # Errors
    /// As for [`Watching::start`].
    pub(crate) fn serve(&self, env: &Env, show: Option<Show>) -> Result<Option<Watching>, Error> {
        let Some((place, show)) = self.place.zip(show) else { return Ok(None) };
        let watching = Watching::start(env, place, Shows::only(show))?;
        env.note(format_args!("watch it at {}", watching.url));
        Ok(Some(watching))
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

/// The end of a command that may have a page: what has come of it is told, and the page stays until Ctrl-C.
///
/// # Errors
/// That of the command, if there is no page; that of the server.
pub(crate) fn conclude(
    env: &Env,
    watching: Option<Watching>,
    ended: Result<Exit, Error>,
) -> Result<Exit, Error> {
    let Some(watching) = watching else { return ended };
    let exit = ended.unwrap_or_else(|error| {
        env.report(&error);
        error.exit()
    });
    env.flush()?;
    watching.stay(env)?;
    Ok(exit)
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
