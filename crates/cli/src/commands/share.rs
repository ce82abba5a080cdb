//! `swarmlab share`: torrent, tracker and seed in one; prints what the other side types.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueHint};
use swarmlab_metainfo::Metainfo;
use swarmlab_net::disk::Content;
use swarmlab_net::endpoint::EndpointConfig;
use swarmlab_net::tracker::server::{ServerConfig, Tracker, serve};
use swarmlab_protocol::Bitfield;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::create::{self, quoted};
use super::seed::upload;
use super::tracker::reachable;
use swarmlab_experiments::units::{parse_rate, show_size};

use crate::env::Env;
use crate::error::Error;
use crate::exit::Exit;
use crate::join::parse_address;
use crate::stats::Stats;
use crate::text::printable;
use crate::trace::{RealTrace, real_header};

/// Share a file or a directory: makes the torrent, runs the tracker and the seed
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  swarmlab share film.mkv                    then the other side: swarmlab download film.mkv.torrent
  swarmlab share data/ --tracker-listen 192.0.2.7:6969 -o /tmp/data.torrent

Send the torrent to whoever is to have the content. Ctrl-C stops.")]
pub struct Share {
    /// File or directory to share
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    path: PathBuf,
    /// Address of the seed
    #[arg(long, value_name = "IP:PORT", value_parser = parse_address, default_value = "0.0.0.0:6881")]
    listen: SocketAddr,
    /// Address of the tracker
    #[arg(long, value_name = "IP:PORT", value_parser = parse_address, default_value = "0.0.0.0:6969")]
    tracker_listen: SocketAddr,
    /// Where to write the torrent [default: NAME.torrent in the current directory]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Most content sent, such as '2 MB/s' or '10 Mbit/s'
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    max_up: Option<u64>,
    /// Write what happens to this file, for swarmlab replay
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    trace: Option<PathBuf>,
}

impl Share {
    pub(super) fn run(self, env: &Env) -> Result<Exit, Error> {
        let cannot = |error| {
            Error::failed(format!("cannot listen on {}", self.tracker_listen))
                .because(error)
                .help("choose another address with --tracker-listen, or port 0 for a free one")
        };
        let socket = std::net::TcpListener::bind(self.tracker_listen).map_err(cannot)?;
        socket.set_nonblocking(true).map_err(cannot)?;
        let addr = reachable(socket.local_addr().map_err(cannot)?);
        let url = format!("http://{addr}/announce");
        let name =
            self.path.file_name().map_or_else(|| "shared".into(), |name| name.to_string_lossy().into_owned());
        let output = self.output.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.torrent")));
        let Some(bytes) = create::make(env, &self.path, vec![vec![url]], None, &output)? else {
            env.note("interrupted; nothing was written");
            return Ok(env.stop().exit().unwrap_or(Exit::Failed));
        };
        let torrent = Metainfo::from_bytes(&bytes)
            .map_err(|error| Error::failed("cannot read the torrent back").because(error))?;
        let earlier = is_there(env, &output, &torrent)?;
        create::write(env, &output, &bytes, earlier)?;
        let content = Arc::new(Content::at(Arc::new(torrent), &env.resolve(&self.path)));
        let style = env.out_style();
        let mut out = env.out();
        let written = printable(&output.display().to_string());
        out.line(format_args!("shared: {} as {written}", printable(&self.path.display().to_string())))?;
        out.line(format_args!("on the other side, with a copy of {written}:"))?;
        out.line(format_args!("  {}", style.code(format!("swarmlab download {}", quoted(&output)))))?;
        drop(out);
        let have = Bitfield::full(content.layout().piece_count());
        let mut config = EndpointConfig::seed(content, have);
        (config.listen, config.max_up) = (Some(self.listen), self.max_up);
        let own = [("seed", "seed", 1, self.max_up, None)];
        let header = real_header(&name, Some((config.content.torrent(), &bytes)), &own);
        let trace = RealTrace::begin(env, self.trace.as_deref(), &header)?;
        config.record = trace.as_ref().map(|trace| (trace.recorder(), 0));
        let tracker = Tracker::new(ServerConfig::default());
        let tracker = Arc::new(match &trace {
            Some(trace) => tracker.recorded(trace.recorder()),
            None => tracker,
        });
        let last = env.block_on(async move {
            let listener = TcpListener::from_std(socket)
                .map_err(|error| Error::failed("cannot run the tracker").because(error))?;
            let (stop, stopped) = oneshot::channel::<()>();
            let serving = tokio::spawn(serve(tracker, listener, async move { _ = stopped.await }));
            let last = upload(env, config, Stats::default()).await;
            drop(stop);
            _ = serving.await;
            last
        });
        RealTrace::finish(trace, env)?;
        let last = last??;
        env.out().line(format_args!("{} sent", show_size(last.totals.uploaded)))?;
        Ok(env.stop().exit().unwrap_or(Exit::Done))
    }
}

/// Whether the torrent of this content is there already, as an earlier `share` has left it; its tracker may have been
/// another one. Anything else in its place is refused.
fn is_there(env: &Env, output: &Path, torrent: &Metainfo) -> Result<bool, Error> {
    let path = env.resolve(output);
    if path.symlink_metadata().is_err() {
        return Ok(false);
    }
    let old = std::fs::read(&path).ok().and_then(|bytes| Metainfo::from_bytes(&bytes).ok());
    if old.is_some_and(|old| old.info_hash() == torrent.info_hash()) {
        return Ok(true);
    }
    let what = format!("{} exists already, and is not the torrent of this content", output.display());
    Err(Error::failed(what).help("name another file with -o, or move it away"))
}
