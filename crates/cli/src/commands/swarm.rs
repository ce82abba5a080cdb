//! `swarmlab swarm`: spreads a file or a directory to several directories through a closed swarm on loopback.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueHint};
use serde::Serialize;
use swarmlab_metainfo::Metainfo;

use super::create;
use swarmlab_experiments::units::parse_rate;

use crate::closed::{self, Plan};
use crate::env::Env;
use crate::error::Error;
use crate::exit::Exit;
use crate::trace::RealTrace;
use crate::watching::{WatchFlags, conclude};

/// Run a closed swarm on this machine: tracker, seed and leeches
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  swarmlab swarm film.mkv --leechers 5 -o copies
  swarmlab swarm data/ --leechers 20 --max-up '1 MB/s' --max-down '4 MB/s' --json

The copies lie in DIR/leech-1, DIR/leech-2 and so on. Exits with 4 if not all completed.")]
pub struct Swarm {
    /// File or directory to spread
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    path: PathBuf,
    /// Number of leechers
    #[arg(long, value_name = "N", default_value_t = 8, allow_negative_numbers = true,
        value_parser = clap::value_parser!(u16).range(1..=500))]
    leechers: u16,
    /// Directory for the copies [default: a temporary one, removed at the end]
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    output: Option<PathBuf>,
    /// Most content each endpoint sends
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    max_up: Option<u64>,
    /// Most bytes each endpoint receives
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    max_down: Option<u64>,
    /// Print one JSON document (schema swarm/1)
    #[arg(long)]
    json: bool,
    /// Write what happens to this file, for swarmlab replay
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    trace: Option<PathBuf>,
    #[command(flatten)]
    watch: WatchFlags,
}

#[derive(Serialize)]
struct Document {
    info_hash: String,
    length: u64,
    complete: bool,
    seconds: f64,
    announces: u64,
    peers: Vec<Peer>,
}

#[derive(Serialize)]
struct Peer {
    name: String,
    complete: bool,
    seconds: Option<f64>,
    downloaded: u64,
    uploaded: u64,
    wasted: u64,
    path: PathBuf,
}

impl Swarm {
    pub(super) fn run(self, env: &Env) -> Result<Exit, Error> {
        let failed = |error| Error::failed("cannot make a temporary directory").because(error);
        let temporary = match self.output {
            Some(_) => None,
            None => Some(tempfile::Builder::new().prefix("swarmlab-").tempdir().map_err(failed)?),
        };
        if let Some(dir) = &temporary {
            env.stop().takes_along(dir.path());
        }
        let typed = self.output.as_deref().map(|dir| env.resolve(dir));
        let root = typed.as_deref().or(temporary.as_ref().map(|dir| dir.path())).unwrap_or(Path::new("."));
        let leeches: Vec<PathBuf> =
            (1..=self.leechers).map(|number| root.join(format!("leech-{number}"))).collect();
        if let Some(taken) = leeches.iter().find(|dir| dir.exists()) {
            return Err(Error::invalid(format!("{} is there already", taken.display()))
                .help("nothing was changed; choose another directory with -o"));
        }
        let (socket, url) = closed::tracker_socket()?;
        let made = create::make(env, &self.path, vec![vec![url]], None, Path::new(""))?;
        let Some(bytes) = made else { return Ok(env.stop().exit().unwrap_or(Exit::Failed)) };
        let torrent = Metainfo::from_bytes(&bytes)
            .map_err(|error| Error::failed("cannot read the torrent back").because(error))?;
        let source = env.resolve(&self.path);
        let (max_up, max_down) = (self.max_up, self.max_down);
        let torrent = Arc::new(torrent);
        let name = torrent.name().to_owned();
        let mut plan = Plan { torrent, source, leeches, max_up, max_down, recorder: None };
        let wanted = self.watch.wanted(env, self.trace.as_deref())?;
        let trace = plan.record(env, (&name, &bytes), &wanted)?;
        let watching = wanted.serve(env, trace.as_ref().and_then(|trace| trace.show(&name)))?;
        let report = env.block_on(closed::run(env, &plan, socket));
        RealTrace::finish(trace, env)?;
        let report = report??;
        if self.json {
            env.json("swarm/1", &document(&plan, &report))?;
        } else {
            closed::print(env, &report, plan.torrent.length())?;
        }
        let is_complete = report.is_complete();
        let exit = if is_complete { Exit::Done } else { env.stop().exit().unwrap_or(Exit::Unfinished) };
        conclude(env, watching, Ok(exit))
    }
}

fn document(plan: &Plan, report: &closed::Report) -> Document {
    let peers = report.members.iter().map(|member| Peer {
        name: member.name.clone(),
        complete: member.last.is_complete(),
        seconds: member.last.completed_after.map(|time| time.as_secs_f64()),
        downloaded: member.last.totals.downloaded,
        uploaded: member.last.totals.uploaded,
        wasted: member.last.totals.wasted,
        path: member.content.path().to_owned(),
    });
    Document {
        info_hash: plan.torrent.info_hash().to_string(),
        length: plan.torrent.length(),
        complete: report.is_complete(),
        seconds: report.seconds.as_secs_f64(),
        announces: report.announces,
        peers: peers.collect(),
    }
}
