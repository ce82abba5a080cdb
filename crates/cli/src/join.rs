//! Joining a swarm: the flags that commands share, and what can go wrong on the way in.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueHint};
use swarmlab_experiments::units::parse_rate;
use swarmlab_metainfo::Metainfo;
use swarmlab_net::disk::{self, Content, Found, PlaceError};
use swarmlab_net::endpoint::{Endpoint, EndpointConfig, EndpointError, Snapshot};
use swarmlab_net::tree::Work;
use swarmlab_protocol::Bitfield;

use crate::env::Env;
use crate::error::Error;
use crate::torrent;
use crate::trace::{RealTrace, real_header};

/// How an endpoint listens, how fast it may be, and whom it asks.
#[derive(Debug, Args)]
pub struct Join {
    /// Address to listen on; a specific one is used for outgoing connections too [default: a free port from 6881]
    #[arg(long, value_name = "IP:PORT", value_parser = parse_address)]
    pub listen: Option<SocketAddr>,
    /// Peer to connect to; may be given again
    #[arg(long, value_name = "IP:PORT", value_parser = parse_address)]
    pub peer: Vec<SocketAddr>,
    /// Tracker to ask instead of the torrent's own; each is a tier, a comma joins trackers into one
    #[arg(long, value_name = "URL", value_parser = parse_http_tier)]
    pub announce: Vec<Tier>,
    /// Most content sent, such as '2 MB/s' or '10 Mbit/s'
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    pub max_up: Option<u64>,
    /// Most bytes received, such as '2 MB/s' or '10 Mbit/s'
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    pub max_down: Option<u64>,
    /// Most connections at a time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub max_connections: Option<u16>,
    /// Peers uploaded to at a time, the optimistic one among them [default: 2 to 7, by the rate]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub upload_slots: Option<u16>,
    /// Write a line of JSON there each second and when complete: bytes, peers, times
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub stats: Option<PathBuf>,
    /// Write what happens to this file, for swarmlab replay
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub trace: Option<PathBuf>,
}

impl Join {
    /// Begins the trace of an endpoint that is to be started, if there is to be one, in a group of its own of this name and role.
    pub(crate) fn record(
        &self,
        env: &Env,
        torrent: (&Metainfo, &Path),
        (name, role): (&str, &str),
        config: &mut EndpointConfig,
    ) -> Result<Option<RealTrace>, Error> {
        let (torrent, file) = torrent;
        // Without its file, which may have gone meanwhile or have been a pipe, the trace does without.
        let bytes = std::fs::read(env.resolve(file)).unwrap_or_default();
        let own = [(name, role, 1, config.max_up, config.max_down)];
        let header = real_header(torrent.name(), Some((torrent, &bytes)), &own);
        let trace = RealTrace::begin(env, self.trace.as_deref(), &header)?;
        config.record = trace.as_ref().map(|trace| (trace.recorder(), 0));
        Ok(trace)
    }
}

/// Reads the address of a peer, or one to listen on.
pub fn parse_address(text: &str) -> Result<SocketAddr, String> {
    let example = match text.trim_matches(['[', ']']).parse::<IpAddr>() {
        // The first port that clients have always taken (BEP 3).
        Ok(ip) => format!("it lacks a port; did you mean '{}'?", SocketAddr::new(ip, 6881)),
        Err(_) => {
            "an address is an IP and a port, such as '192.0.2.7:6881' or '[2001:db8::7]:6881'".to_owned()
        }
    };
    text.parse().map_err(|_| example)
}

/// Reads a number of threads.
pub fn parse_threads(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "a number of threads is 1 or more".to_owned())
}

/// Trackers that are tried in random order, as one step of a list of steps (BEP 12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier(pub Vec<String>);

/// Reads a tier: URLs with commas between them, of any tracker a torrent may name.
pub fn parse_tier(text: &str) -> Result<Tier, String> {
    tier(text, &["http", "https", "udp"])
}

/// Reads a tier of trackers that this program can ask.
fn parse_http_tier(text: &str) -> Result<Tier, String> {
    tier(text, &["http", "https"])
}

fn tier(text: &str, schemes: &[&str]) -> Result<Tier, String> {
    let urls: Vec<String> = text.split(',').map(|url| url.trim().to_owned()).collect();
    urls.iter().try_for_each(|url| check_url(url, schemes, "/announce"))?;
    Ok(Tier(urls))
}

/// Refuses what is no URL of these schemes, with what it should look like.
pub fn check_url(url: &str, schemes: &[&str], path: &str) -> Result<(), String> {
    match url.split_once("://") {
        Some((_, "")) => Err(format!("'{url}' names no host")),
        Some((scheme, _)) if schemes.contains(&scheme.to_ascii_lowercase().as_str()) => Ok(()),
        Some((scheme, _)) => Err(format!("'{scheme}' is none of {}", schemes.join(", "))),
        None if url.is_empty() => Err("a URL is empty".to_owned()),
        None => {
            let path = if url.contains('/') { "" } else { path };
            Err(format!("'{url}' is no URL; did you mean 'http://{url}{path}'?"))
        }
    }
}

impl Join {
    /// Puts the flags into the settings of an endpoint.
    pub fn apply(&self, config: &mut EndpointConfig) {
        config.listen = self.listen;
        config.peers = self.peer.clone();
        config.max_up = self.max_up;
        config.max_down = self.max_down;
        if !self.announce.is_empty() {
            config.trackers = self.announce.iter().map(|tier| tier.0.clone()).collect();
        }
        if let Some(most) = self.max_connections {
            config.engine.max_connections = most;
            config.engine.initiate_up_to = config.engine.initiate_up_to.min(most.div_ceil(2));
        }
        if let Some(slots) = self.upload_slots {
            (config.engine.unchoke_slots, config.engine.unchoke_most) = (slots, 0);
            config.engine.optimistic_slots = config.engine.optimistic_slots.min(slots);
        }
    }
}

/// Finds what of a download is on disk already; nothing if the user stopped it.
pub fn find(env: &Env, content: &Arc<Content>, recheck: bool) -> Result<Option<Found>, Error> {
    let progress = env.progress("checking", content.layout().length());
    let add = |bytes| progress.add(bytes);
    match disk::find(content, recheck, work(env, &add)) {
        Ok(found) => Ok(Some(found)),
        Err(PlaceError::Stopped(_)) => Ok(None),
        Err(error) => Err(misplaced(error)),
    }
}

/// Hashes content that is to be uploaded; nothing if the user stopped it.
pub fn check(env: &Env, content: &Content) -> Result<Option<Bitfield>, Error> {
    let progress = env.progress("checking", content.layout().length());
    let add = |bytes| progress.add(bytes);
    match content.check(work(env, &add)) {
        Ok(have) => Ok(Some(have)),
        Err(disk::CheckError::Stopped(_)) => Ok(None),
        Err(error) => Err(Error::failed("cannot check the content").because(error)),
    }
}

fn work<'a>(env: &'a Env, progress: &'a (dyn Fn(u64) + Sync)) -> Work<'a> {
    Work { threads: torrent::all_cores(), progress, stop: env.stop().flag() }
}

/// What to say where a download cannot be placed.
pub fn misplaced(error: PlaceError) -> Error {
    let help = match &error {
        PlaceError::TooLong { .. } | PlaceError::NotOurs(_) | PlaceError::NotAFile(_) => {
            Some("nothing was changed; choose another directory with -o, or move the file away")
        }
        PlaceError::Disk(_) | PlaceError::Stopped(_) => None,
    };
    let told = Error::failed("cannot download there").because(error);
    match help {
        Some(help) => told.help(help),
        None => told,
    }
}

/// What to say where an endpoint has failed.
pub fn broken(error: EndpointError) -> Error {
    Error::failed("the transfer failed")
        .because(error)
        .help("what was verified is kept; the same command goes on from there")
}

/// Starts an endpoint.
pub async fn start(config: EndpointConfig) -> Result<Endpoint, Error> {
    Endpoint::start(config).await.map_err(|error| {
        Error::failed("cannot join the swarm")
            .because(error)
            .help("choose another address with --listen, or port 0 for a free one")
    })
}

/// The content of a torrent below a directory the user named.
pub fn below(env: &Env, torrent: Metainfo, dir: &Path) -> Arc<Content> {
    Arc::new(Content::below(Arc::new(torrent), &env.resolve(dir)))
}

/// `12 peers, 3 seeds`-like words on the links of an endpoint.
pub fn peers(snapshot: &Snapshot) -> String {
    let all = snapshot.have.len();
    let seeds = snapshot.links.iter().filter(|link| link.remote_count == all).count();
    format!("{} connected, {seeds} of them seeds", crate::text::count(snapshot.links.len(), "peer"))
}

#[cfg(test)]
mod tests {
    use crate::testing::run;

    #[test]
    fn what_is_no_address_or_number_is_answered_with_one_that_is() {
        for (args, says) in [
            (["download", "a.torrent", "--peer", "192.0.2.7"], "'192.0.2.7:6881'"),
            (["download", "a.torrent", "--peer", "2001:db8::7"], "'[2001:db8::7]:6881'"),
            (["seed", "a.torrent", "--listen", "somewhere"], "'192.0.2.7:6881'"),
            (["share", "a", "--tracker-listen", "6969"], "'192.0.2.7:6881'"),
            (["create", "a", "-j", "0"], "1 or more"),
            (["verify", "a.torrent", "-j", "many"], "1 or more"),
            (["download", "a.torrent", "--seed-ratio", "-1"], "such as 1.5"),
            (["swarm", "a", "--leechers", "-1"], "1..=500"),
        ] {
            let outcome = run(&args);
            assert_eq!(outcome.status, 2, "{outcome:?}");
            assert!(outcome.stderr.contains(says), "{says} is not in {}", outcome.stderr);
        }
    }
}
