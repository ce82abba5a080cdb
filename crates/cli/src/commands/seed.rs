//! `swarmlab seed`: uploads content that is here; its files are opened read-only.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueHint};
use serde::Serialize;
use swarmlab_net::disk::Content;
use swarmlab_net::endpoint::{EndpointConfig, Phase, Snapshot};

use super::download::{finish, tell_trouble};
use swarmlab_experiments::units::{show_duration, show_rate, show_size};

use crate::env::Env;
use crate::error::Error;
use crate::exit::Exit;
use crate::join::{self, Join};
use crate::stats::Stats;
use crate::torrent;
use crate::trace::RealTrace;

/// A status line is printed this often where something has changed.
const STATUS: Duration = Duration::from_secs(10);

/// Upload the content of a torrent
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  swarmlab seed film.torrent                    the content is here, under its name
  swarmlab seed film.torrent /media/film.mkv --max-up '10 Mbit/s'
  swarmlab seed film.torrent --listen 192.0.2.7:6881 --announce http://192.0.2.7:6969/announce

The content is hashed first; what does not verify is not uploaded. Ctrl-C stops.")]
pub struct Seed {
    /// The torrent
    #[arg(value_name = "TORRENT", value_hint = ValueHint::FilePath)]
    torrent: PathBuf,
    /// The content, or the directory that holds it [default: the current directory]
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    path: Option<PathBuf>,
    #[command(flatten)]
    join: Join,
    /// Print one JSON document at the end (schema seed/1)
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Document {
    info_hash: String,
    length: u64,
    pieces_ok: u32,
    piece_count: u32,
    uploaded: u64,
    seconds: f64,
    path: PathBuf,
}

impl Seed {
    pub(super) fn run(self, env: &Env) -> Result<Exit, Error> {
        let torrent = torrent::load(env, &self.torrent)?;
        let path = torrent::locate(env, &torrent, self.path.as_deref());
        let content = Arc::new(Content::at(Arc::new(torrent), &path));
        let Some(have) = join::check(env, &content)? else {
            return Ok(env.stop().exit().unwrap_or(Exit::Failed));
        };
        if have.is_empty() && content.layout().length() > 0 {
            let what = format!("no piece of {} is at {}", self.torrent.display(), path.display());
            let help = format!("swarmlab verify {} shows what is there", self.torrent.display());
            return Err(Error::unverified(what).help(help));
        }
        if !have.is_full() {
            env.warn(format_args!(
                "only {} of {} pieces verify; the others are not uploaded",
                have.count(),
                have.len()
            ));
        }
        let mut config = EndpointConfig::seed(Arc::clone(&content), have);
        self.join.apply(&mut config);
        let stats = Stats::open(env, self.join.stats.as_deref())?;
        let torrent = (&**content.torrent(), self.torrent.as_path());
        let trace = self.join.record(env, torrent, ("seed", "seed"), &mut config)?;
        let last = env.block_on(upload(env, config, stats));
        RealTrace::finish(trace, env)?;
        let last = last??;
        if self.json {
            let document = Document {
                info_hash: content.info_hash().to_string(),
                length: content.layout().length(),
                pieces_ok: last.have.count(),
                piece_count: last.have.len(),
                uploaded: last.totals.uploaded,
                seconds: last.elapsed.as_secs_f64(),
                path,
            };
            env.json("seed/1", &document)?;
        } else {
            let (sent, time) = (show_size(last.totals.uploaded), show_duration(last.elapsed));
            env.out().line(format_args!("{sent} sent in {time}"))?;
        }
        Ok(env.stop().exit().unwrap_or(Exit::Done))
    }
}

/// Uploads until the request to stop.
pub(super) async fn upload(
    env: &Env,
    config: EndpointConfig,
    mut stats: Stats,
) -> Result<Arc<Snapshot>, Error> {
    let endpoint = join::start(config).await?;
    env.note(format_args!("seeding on {}; Ctrl-C stops", endpoint.local_addr()));
    let mut watch = endpoint.watch();
    let (mut told, mut next, mut last) = (None, STATUS, String::new());
    loop {
        let now = Arc::clone(&watch.borrow_and_update());
        if now.phase != Phase::Running {
            break;
        }
        tell_trouble(env, &now, &mut told);
        stats.tell(&now);
        if now.elapsed >= next {
            next = now.elapsed + STATUS;
            let sent = show_size(now.totals.uploaded);
            let line = format!("{}, {sent} sent, {}", join::peers(&now), show_rate(now.rate_up));
            if line != last {
                env.note(&line);
                last = line;
            }
        }
        tokio::select! {
            changed = watch.changed() => if changed.is_err() { break },
            _ = env.stop().requested() => break,
        }
    }
    let last = finish(env, endpoint).await?;
    stats.end(&last);
    Ok(last)
}
