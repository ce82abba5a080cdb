//! `swarmlab download`: fetches a torrent's content, verifies it, and goes on where an earlier run ended.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueHint};
use serde::Serialize;
use swarmlab_experiments::units::{parse_time, rate_of, show_duration, show_rate, show_size};
use swarmlab_net::disk;
use swarmlab_net::endpoint::{Endpoint, EndpointConfig, Phase, Snapshot};

use crate::env::Env;
use crate::error::Error;
use crate::exit::Exit;
use crate::join::{self, Join};
use crate::progress::Progress;
use crate::stats::Stats;
use crate::text::printable;
use crate::torrent;
use crate::trace::RealTrace;

/// Fetch the content of a torrent
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  swarmlab download film.torrent                 into the current directory
  swarmlab download film.torrent -o ~/films --max-down '4 MB/s'
  swarmlab download film.torrent --peer 192.0.2.7:6881 --seed-ratio 1.5

Run it again after an interruption: it goes on from what is there and verified.
Exits with 0 at 100 %, 4 if it ended before, 130 on Ctrl-C.")]
pub struct Download {
    /// The torrent
    #[arg(value_name = "TORRENT", value_hint = ValueHint::FilePath)]
    torrent: PathBuf,
    /// Directory to put the content in
    #[arg(short, long, value_name = "DIR", default_value = ".", value_hint = ValueHint::DirPath)]
    output: PathBuf,
    #[command(flatten)]
    join: Join,
    /// Hash everything that is on disk, even if nothing seems to have changed
    #[arg(long)]
    recheck: bool,
    /// Go on uploading when complete, until Ctrl-C
    #[arg(long)]
    keep_seeding: bool,
    /// Go on uploading when complete until so many times the content was sent
    #[arg(long, value_name = "R", value_parser = parse_ratio, allow_negative_numbers = true)]
    seed_ratio: Option<f64>,
    /// Go on uploading when complete, for so long at most
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    seed_time: Option<Duration>,
    /// Print one JSON document (schema download/1)
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Document {
    info_hash: String,
    length: u64,
    downloaded: u64,
    uploaded: u64,
    wasted: u64,
    seconds: f64,
    complete: bool,
    path: PathBuf,
}

fn parse_ratio(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(ratio) if ratio.is_finite() && ratio >= 0.0 => Ok(ratio),
        _ => Err("a ratio is a number from 0 on, such as 1.5".into()),
    }
}

impl Download {
    pub(super) fn run(self, env: &Env) -> Result<Exit, Error> {
        let torrent = torrent::load(env, &self.torrent)?;
        let shown = self.output.join(torrent.name());
        let content = join::below(env, torrent, &self.output);
        let Some(found) = join::find(env, &content, self.recheck)? else {
            env.note("interrupted; nothing was changed");
            return Ok(env.stop().exit().unwrap_or(Exit::Failed));
        };
        let resume = disk::place(&content, &found.have).map_err(|error| join::misplaced(error.into()))?;
        let (here, all) = (found.have.count(), found.have.len());
        if here > 0 {
            env.note(format_args!("{here} of {all} pieces are here already"));
        }
        let mut config = EndpointConfig::download(Arc::clone(&content), found.have, resume);
        self.join.apply(&mut config);
        if config.trackers.iter().all(Vec::is_empty) && config.peers.is_empty() && here < all {
            env.warn("the torrent names no tracker and no --peer was given: others must connect here");
        }
        let torrent = (&**content.torrent(), self.torrent.as_path());
        let trace = self.join.record(env, torrent, ("leechers", "leecher"), &mut config)?;
        let last = env.block_on(self.transfer(env, config));
        RealTrace::finish(trace, env)?;
        let last = last??;
        let complete = last.is_complete();
        if self.json {
            env.json("download/1", &self.document(&content, &last))?;
        } else {
            self.print(env, &last, &shown)?;
        }
        // Interrupted while it only uploaded: the download itself is done.
        Ok(match env.stop().exit() {
            Some(interrupted) if !complete => interrupted,
            Some(interrupted) if !self.seeds_on() => interrupted,
            _ if complete => Exit::Done,
            _ => Exit::Unfinished,
        })
    }

    fn seeds_on(&self) -> bool {
        self.keep_seeding || self.seed_ratio.is_some() || self.seed_time.is_some()
    }

    /// Runs the endpoint until it is done or told to stop.
    async fn transfer(&self, env: &Env, config: EndpointConfig) -> Result<Arc<Snapshot>, Error> {
        let length = config.content.layout().length();
        let endpoint = join::start(config).await?;
        env.note(format_args!("listening on {}", endpoint.local_addr()));
        let progress = env.progress("downloading", length);
        let mut shown = length - endpoint.snapshot().totals.left;
        progress.already(shown);
        let mut told = None;
        let mut stats = Stats::open(env, self.join.stats.as_deref())?;
        let mut watch = endpoint.watch();
        loop {
            let now = Arc::clone(&watch.borrow_and_update());
            advance(&progress, &mut shown, &now, length);
            stats.tell(&now);
            if now.phase != Phase::Running || self.is_done(&now, length) {
                break;
            }
            tell_trouble(env, &now, &mut told);
            tokio::select! {
                changed = watch.changed() => if changed.is_err() { break },
                _ = env.stop().requested() => break,
            }
        }
        drop(progress);
        let last = finish(env, endpoint).await?;
        stats.end(&last);
        Ok(last)
    }

    fn is_done(&self, now: &Snapshot, length: u64) -> bool {
        let Some(completed) = now.completed_after else { return false };
        let ratio = self.seed_ratio.map(|ratio| now.totals.uploaded as f64 >= ratio * length as f64);
        let time = self.seed_time.map(|time| now.elapsed >= completed + time);
        if self.keep_seeding && ratio.is_none() && time.is_none() {
            return false;
        }
        ratio.is_none_or(|done| done) && time.is_none_or(|done| done) || time == Some(true)
    }

    fn document(&self, content: &disk::Content, last: &Snapshot) -> Document {
        Document {
            info_hash: content.info_hash().to_string(),
            length: content.layout().length(),
            downloaded: last.totals.downloaded,
            uploaded: last.totals.uploaded,
            wasted: last.totals.wasted,
            seconds: last.completed_after.unwrap_or(last.elapsed).as_secs_f64(),
            complete: last.is_complete(),
            path: content.path().to_owned(),
        }
    }

    fn print(&self, env: &Env, last: &Snapshot, path: &std::path::Path) -> Result<(), Error> {
        let style = env.out_style();
        let time = last.completed_after.unwrap_or(last.elapsed);
        let totals = last.totals;
        let mut out = env.out();
        if last.is_complete() {
            out.line(format_args!("{} {}", style.good("complete:"), printable(&path.display().to_string())))?;
        } else {
            let (here, all) = (last.have.count(), last.have.len());
            out.line(format_args!("{} {here} of {all} pieces are here", style.warn("unfinished:")))?;
        }
        out.line(format_args!(
            "  {} received in {} ({}), {} sent, {} wasted",
            show_size(totals.downloaded),
            show_duration(time),
            show_rate(rate_of(totals.downloaded, time)),
            show_size(totals.uploaded),
            show_size(totals.wasted),
        ))
    }
}

/// Moves the bar to what is here now.
fn advance(progress: &Progress<'_>, shown: &mut u64, now: &Snapshot, length: u64) {
    let here = length - now.totals.left;
    progress.add(here.saturating_sub(*shown));
    *shown = here.max(*shown);
    progress.message(format!("{}, up {}", join::peers(now), show_rate(now.rate_up)));
}

/// Warns of the newest trouble, once.
pub(super) fn tell_trouble(env: &Env, now: &Snapshot, told: &mut Option<String>) {
    let tracker = now.announces.last().and_then(|announce| match (&announce.result, &announce.warning) {
        (Err(why), _) => Some(format!("no answer from {}: {}", announce.tracker, printable(why))),
        (Ok(_), Some(words)) => Some(format!("{} says: {}", announce.tracker, printable(words))),
        (Ok(_), None) => None,
    });
    let trouble = now.last_error.clone().or(tracker);
    if trouble != *told {
        if let Some(trouble) = &trouble {
            env.warn(trouble);
        }
        *told = trouble;
    }
}

/// Leaves the swarm and gives the last state, or why the endpoint had failed.
pub(super) async fn finish(env: &Env, endpoint: Endpoint) -> Result<Arc<Snapshot>, Error> {
    if env.stop().exit().is_some() {
        env.note("stopping; Ctrl-C again ends at once");
    }
    endpoint.stop().await.map_err(join::broken)
}
