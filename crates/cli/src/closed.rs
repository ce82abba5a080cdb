//! A closed swarm: a tracker, a seed and leeches as separate endpoints on loopback, watched until all have everything.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use swarmlab_experiments::units::{rate_of, show_duration, show_rate, show_size};
use swarmlab_metainfo::Metainfo;
use swarmlab_net::disk::{self, Content};
use swarmlab_net::endpoint::{Endpoint, EndpointConfig, Phase, Snapshot};
use swarmlab_net::recorder::Recorder;
use swarmlab_net::tracker::server::{ServerConfig, Tracker, serve};
use swarmlab_protocol::{Bitfield, MessageKind, PeerId};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::env::Env;
use crate::error::Error;
use crate::join;
use crate::picture::{Row, picture};
use crate::style::Palette;
use crate::trace::{RealTrace, real_header};
use crate::watching::Wanted;

/// Announces of a closed swarm come often: it is short, and everyone is to know everyone.
pub(crate) const INTERVAL: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(5));
/// Between two pictures of the swarm.
const REDRAW: Duration = Duration::from_millis(150);

/// What is to be spread, and how.
pub(crate) struct Plan {
    pub(crate) torrent: Arc<Metainfo>,
    /// The content of the seed.
    pub(crate) source: PathBuf,
    /// Where each leech writes.
    pub(crate) leeches: Vec<PathBuf>,
    pub(crate) max_up: Option<u64>,
    pub(crate) max_down: Option<u64>,
    /// Who records it: the seed is group 0, the leeches are group 1.
    pub(crate) recorder: Option<Recorder>,
}

impl Plan {
    /// Begins the trace of the swarm, if there is to be one.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn record(
        &mut self,
        env: &Env,
        (name, bytes): (&str, &[u8]),
        wanted: &Wanted,
    ) -> Result<Option<RealTrace>, Error> {
        let (up, down) = (self.max_up, self.max_down);
        let own =
            [("seed", "seed", 1, up, down), ("leechers", "leecher", self.leeches.len() as u64, up, down)];
        let trace = RealTrace::wanted(env, wanted, &real_header(name, Some((&self.torrent, bytes)), &own))?;
        self.recorder = trace.as_ref().map(RealTrace::recorder);
        Ok(trace)
    }
}

/// What has come of it. The seed is the first member.
pub(crate) struct Report {
    pub(crate) members: Vec<Member>,
    pub(crate) announces: u64,
    pub(crate) seconds: Duration,
}

/// One endpoint at the end.
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) peer_id: PeerId,
    pub(crate) last: Arc<Snapshot>,
    pub(crate) content: Arc<Content>,
}

impl Report {
    pub(crate) fn is_complete(&self) -> bool {
        self.members.iter().all(|member| member.last.is_complete())
    }
}

/// A socket for a tracker on a free port of loopback, and its announce URL.
pub(crate) fn tracker_socket() -> Result<(std::net::TcpListener, String), Error> {
    let failed = |error| Error::failed("cannot listen on 127.0.0.1 for the tracker").because(error);
    let socket = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
    socket.set_nonblocking(true).map_err(failed)?;
    let url = format!("http://{}/announce", socket.local_addr().map_err(failed)?);
    Ok((socket, url))
}

/// Runs the swarm until every leech has everything, one fails, or the user stops it.
pub(crate) async fn run(env: &Env, plan: &Plan, socket: std::net::TcpListener) -> Result<Report, Error> {
    let config = ServerConfig { interval: INTERVAL.0, min_interval: INTERVAL.1, ..ServerConfig::default() };
    let tracker = Arc::new(Tracker::new(config));
    let listener = TcpListener::from_std(socket)
        .map_err(|error| Error::failed("cannot listen on 127.0.0.1 for the tracker").because(error))?;
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(serve(tracker.clone(), listener, async move { _ = stopped.await }));
    let began = std::time::Instant::now();
    let members = join_all(plan).await?;
    watch(env, plan, &members).await;
    if env.stop().exit().is_some() {
        env.note("stopping; Ctrl-C again ends at once");
    }
    let seconds = began.elapsed();
    let mut ended = Vec::new();
    let stops = members.into_iter().map(|(name, endpoint, content)| {
        tokio::spawn(async move {
            let peer_id = endpoint.peer_id();
            let last = endpoint.stop().await?;
            Ok(Member { name, peer_id, last, content })
        })
    });
    for stop in stops.collect::<Vec<_>>() {
        let member = stop.await.map_err(|error| Error::failed("an endpoint has crashed").because(error))?;
        ended.push(member.map_err(join::broken)?);
    }
    drop(stop);
    _ = serving.await;
    Ok(Report { members: ended, announces: tracker.counters().read().announces, seconds })
}

type Running = (String, Endpoint, Arc<Content>);

async fn join_all(plan: &Plan) -> Result<Vec<Running>, Error> {
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let pieces = plan.torrent.layout().piece_count();
    let content = Arc::new(Content::at(plan.torrent.clone(), &plan.source));
    let mut configs = vec![("seed".to_owned(), EndpointConfig::seed(content, Bitfield::full(pieces)))];
    for (number, dir) in plan.leeches.iter().enumerate() {
        let content = Arc::new(Content::below(plan.torrent.clone(), dir));
        let have = Bitfield::empty(pieces);
        let resume = disk::place(&content, &have).map_err(|error| join::misplaced(error.into()))?;
        configs.push((format!("leech {}", number + 1), EndpointConfig::download(content, have, resume)));
    }
    let mut members = Vec::new();
    for (number, (name, mut config)) in configs.into_iter().enumerate() {
        config.record = plan.recorder.clone().map(|recorder| (recorder, number.min(1) as u32));
        (config.listen, config.max_up, config.max_down) = (Some(loopback), plan.max_up, plan.max_down);
        let content = config.content.clone();
        members.push((name, join::start(config).await?, content));
    }
    Ok(members)
}

/// Shows the swarm until it is done: a picture on a terminal, else a line for each leech that completes, and one now
/// and then.
async fn watch(env: &Env, plan: &Plan, members: &[Running]) {
    let draws = env.err_is_terminal() && !env.quiet();
    let length = plan.torrent.length();
    let progress = (!draws).then(|| env.progress("spreading", length * plan.leeches.len() as u64));
    let (mut drawn, mut arrived) = (0, 0);
    let mut told = vec![false; members.len()];
    loop {
        let now: Vec<Arc<Snapshot>> = members.iter().map(|(_, endpoint, _)| endpoint.snapshot()).collect();
        if let Some(progress) = &progress {
            for (at, snapshot) in now.iter().enumerate().skip(1) {
                if let (Some(time), false) = (snapshot.completed_after, told[at]) {
                    told[at] = true;
                    env.note(format_args!("{} complete after {}", members[at].0, show_duration(time)));
                }
            }
            let here: u64 = now.iter().skip(1).map(|snapshot| length - snapshot.totals.left).sum();
            progress.add(here.saturating_sub(arrived));
            arrived = here.max(arrived);
        } else {
            let rows: Vec<Row<'_>> =
                members.iter().zip(&now).map(|((name, ..), now)| row(name, now)).collect();
            let picture = picture(env.err_style(), &rows, env.err_size());
            let up = if drawn > 0 { format!("\x1b[{drawn}A\x1b[J") } else { String::new() };
            drawn = picture.lines().count();
            _ = write!(env.err(), "{up}{picture}");
        }
        let over = |snapshot: &Arc<Snapshot>| snapshot.is_complete() || snapshot.phase != Phase::Running;
        if now.iter().all(over) || now.iter().any(|snapshot| snapshot.phase != Phase::Running) {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(REDRAW) => {}
            _ = env.stop().requested() => return,
        }
    }
}

fn row<'a>(name: &'a str, now: &'a Snapshot) -> Row<'a> {
    Row {
        name,
        have: &now.have,
        down: now.rate_down,
        up: now.rate_up,
        // Not those that are unchoked in advance, should they become interested.
        served: now.links.iter().filter(|link| !link.we_choking && link.remote_interested).count(),
        links: now.links.len(),
    }
}

/// Prints what has come of the swarm: times, who gave whom how much, announces, messages.
pub(crate) fn print(env: &Env, report: &Report, length: u64) -> Result<(), Error> {
    let style = env.out_style();
    let mut out = env.out();
    out.line(style.bold(format!(
        "\n{:<9} {:>9} {:>12} {:>12} {:>12} {:>7}",
        "", "complete", "received", "rate", "sent", "ratio"
    )))?;
    for (number, Member { name, last, .. }) in report.members.iter().enumerate() {
        let is_seed = number == 0;
        let time = last.completed_after.filter(|_| !is_seed);
        let shown = time.map_or_else(|| if is_seed { "-".into() } else { "no".into() }, show_duration);
        out.line(format_args!(
            "{name:<9} {shown:>9} {:>12} {:>12} {:>12} {:>7.2}",
            show_size(last.totals.downloaded),
            time.map_or_else(|| "-".into(), |time| show_rate(rate_of(last.totals.downloaded, time))),
            show_size(last.totals.uploaded),
            last.totals.uploaded as f64 / length.max(1) as f64,
        ))?;
    }
    matrix(report, style, &mut out)?;
    let wasted: u64 = report.members.iter().map(|member| member.last.totals.wasted).sum();
    out.line(format_args!(
        "\n{} announces to the tracker, {} received twice",
        report.announces,
        show_size(wasted)
    ))?;
    let mut kinds = Vec::new();
    for kind in MessageKind::ALL {
        let sent: u64 = report.members.iter().map(|member| member.last.sent.of(kind)).sum();
        if sent > 0 {
            kinds.push(format!("{} {sent}", kind.name()));
        }
    }
    out.line(format_args!("messages: {}", kinds.join(", ")))
}

/// Who gave how much to whom, in MiB: a row per giver, a column per taker.
fn matrix(report: &Report, style: Palette, out: &mut crate::env::Guard<'_>) -> Result<(), Error> {
    if report.members.len() > 17 {
        return Ok(());
    }
    out.line(style.bold("\nwho gave whom how much, in MiB"))?;
    let mut head = format!("{:<9}", "from \\ to");
    for number in 1..report.members.len() {
        _ = write!(head, " {number:>6}");
    }
    out.line(head)?;
    for giver in &report.members {
        let mut row = format!("{:<9}", giver.name);
        for taker in &report.members[1..] {
            let given = taker.last.exchanged.iter().find(|exchange| exchange.peer_id == giver.peer_id);
            let mib = given.map_or(0.0, |exchange| exchange.received as f64 / f64::from(1 << 20));
            if giver.peer_id == taker.peer_id {
                _ = write!(row, " {:>6}", "-");
            } else {
                _ = write!(row, " {mib:>6.1}");
            }
        }
        out.line(row)?;
    }
    Ok(())
}
