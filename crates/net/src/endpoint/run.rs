//! The task that owns an engine: hands in what happened, carries out what comes out.
//!
//! Everything reaches it by queues and everything leaves it by queues; it never waits for a socket or the disk. What
//! comes in at once is handled at once, then messages and jobs go out in batches.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use swarmlab_protocol::wire::Limits;
use swarmlab_protocol::{
    Block, Handshake, Input, Instant, Output, PeerSource, PieceIndex, Random, Setup, Torrent, Totals,
};
use swarmlab_trace::{Departure, Pieces};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{self, Sender, UnboundedReceiver, channel, unbounded_channel};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Instant as Clock;

use super::announcer::{Announcer, Answer, Identity};
use super::keeper::Keeper;
use super::slots::Slots;
use super::snapshot::{Counts, Meter, Phase, Snapshot};
use super::{Command, EndpointConfig};
use crate::conn::{Key, LinkEvents, Opening, Shared};
use crate::disk::{Disk, DiskError, DiskEvent};
use crate::listener;
use crate::rate::{Bucket, UploadLimit};
use crate::recorder::{Tap, joining};
use crate::valve::{self, Valve};

/// Bytes of blocks between socket and disk at most: enough to keep both busy, little enough to stay in the cache.
const BUDGET: usize = 8 * 1024 * 1024;

/// Blocks a link may have between the engine and its socket where uploads are not limited: 1 MiB fills any pipe that
/// the kernel's own buffer does not.
const CREDIT: u16 = 64;

/// Time between two states shown.
const PUBLISH: Duration = Duration::from_millis(250);

/// How long leaving the swarm may take: trackers that do not answer are left without a word.
const LEAVE: Duration = Duration::from_secs(2);

/// How soon a disk that was behind is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Batches of messages that may wait for the task.
const QUEUE: usize = 64;

/// Runs an endpoint to its end.
pub(super) async fn run(
    config: EndpointConfig,
    listener: TcpListener,
    local: SocketAddr,
    ours: Handshake,
    mut commands: mpsc::Receiver<Command>,
    publish: watch::Sender<Arc<Snapshot>>,
) -> Result<(), DiskError> {
    let (mut driver, mut queues) = Driver::new(config, local, ours, publish);
    driver.helpers.spawn(listener::run(listener, ours, driver.openings.clone()));
    let (mut links, mut disk) = (Vec::new(), Vec::new());
    let timer = tokio::time::sleep(Duration::ZERO);
    tokio::pin!(timer);
    while driver.phase != Phase::Stopped {
        tokio::select! {
            _ = queues.links.recv_many(&mut links, QUEUE) => {
                links.drain(..).for_each(|event| driver.link_event(event));
            }
            _ = queues.disk.recv_many(&mut disk, QUEUE) => {
                disk.drain(..).for_each(|event| driver.disk_event(event));
            }
            Some(opening) = queues.openings.recv() => driver.opening(opening),
            Some(answer) = queues.answers.recv() => driver.answer(answer),
            Some(command) = commands.recv() => driver.command(command),
            () = &mut timer => {}
        }
        driver.keep_time();
        driver.keep_state().await;
        driver.flush();
        let due = driver.due();
        if due != timer.deadline() {
            timer.as_mut().reset(due);
        }
    }
    driver.finish(queues).await
}

/// What an endpoint shows before it has begun.
pub(super) fn first_snapshot(config: &EndpointConfig) -> Snapshot {
    let layout = config.content.layout();
    let here: u64 = config.have.iter().map(|piece| u64::from(layout.piece_len(piece))).sum();
    Snapshot {
        elapsed: Duration::ZERO,
        phase: Phase::Running,
        have: config.have.clone(),
        totals: Totals { left: layout.length() - here, ..Totals::default() },
        completed_after: config.have.is_full().then_some(Duration::ZERO),
        rate_down: 0,
        rate_up: 0,
        links: Vec::new(),
        exchanged: Vec::new(),
        sent: Counts::default(),
        received: Counts::default(),
        announces: Vec::new(),
        announce_count: 0,
        last_error: None,
    }
}

/// Where things reach the task.
struct Queues {
    links: LinkEvents,
    disk: UnboundedReceiver<DiskEvent>,
    openings: mpsc::Receiver<Opening>,
    answers: UnboundedReceiver<Answer>,
}

/// Blocks of `block_len` bytes that a link may have between the engine and its socket under an upload limit in bytes per
/// second.
pub fn blocks_at_once(max_up: Option<u64>, block_len: u32) -> u16 {
    max_up.map_or(CREDIT, |rate| UploadLimit::<Key>::credit(rate, block_len))
}

/// The engine with everything it moves.
pub(super) struct Driver {
    pub(super) torrent: Torrent,
    pub(super) out: Vec<Output>,
    pub(super) clock: Clock,
    pub(super) slots: Slots,
    pub(super) shared: Shared,
    pub(super) disk: Disk,
    pub(super) announcer: Announcer,
    pub(super) openings: Sender<Opening>,
    /// Listening and connecting.
    pub(super) helpers: JoinSet<()>,
    pub(super) ours: Handshake,
    pub(super) from: Option<IpAddr>,
    pub(super) credit: u16,
    /// Links that one address may open: half of all, so that one remote alone cannot fill every place.
    pub(super) most_of_one: usize,
    pub(super) upload: Option<UploadLimit<Key>>,
    pub(super) download: Option<Bucket>,
    /// The block of the message being handed in.
    pub(super) payload: Option<Bytes>,
    pub(super) stores: Vec<(Block, Bytes)>,
    pub(super) verifies: Vec<PieceIndex>,
    pub(super) congested: bool,
    pub(super) keeper: Keeper,
    pub(super) phase: Phase,
    pub(super) failure: Option<DiskError>,
    pub(super) publish: watch::Sender<Arc<Snapshot>>,
    pub(super) meter: Meter,
    pub(super) sent: Counts,
    pub(super) received: Counts,
    pub(super) completed_after: Option<Duration>,
    pub(super) last_error: Option<String>,
    pub(super) publish_at: Instant,
    pub(super) refill_at: Instant,
    pub(super) give_up_at: Instant,
    pub(super) tap: Option<Tap>,
}

impl Driver {
    fn new(
        config: EndpointConfig,
        local: SocketAddr,
        ours: Handshake,
        publish: watch::Sender<Arc<Snapshot>>,
    ) -> (Driver, Queues) {
        let first = Arc::clone(&publish.borrow());
        let limits = (config.max_up, config.max_down);
        let tap = config.record.as_ref().map(|(recorder, group)| {
            let who = (ours.peer_id, ours.reserved, local);
            recorder.endpoint(joining(who, *group, limits, Pieces::of(&config.have)))
        });
        let EndpointConfig { content, have, resume, mut engine, peers, trackers, .. } = config;
        engine.notes |= tap.is_some();
        let writable = resume.is_some();
        engine.upload_only |= !writable;
        let most_of_one = usize::from(engine.max_connections.div_ceil(2));
        let layout = content.layout();
        let (link_sender, links) = channel(QUEUE);
        let (disk_sender, disk_events) = unbounded_channel();
        let (openings, opening_receiver) = channel(32);
        let (answer_sender, answers) = unbounded_channel();
        let from = Some(local.ip()).filter(|ip| !ip.is_unspecified());
        let identity = Identity {
            info_hash: ours.info_hash,
            peer_id: ours.peer_id,
            port: local.port(),
            key: Random::stream(config.seed, 0x2d).bits() as u32,
            bind: from,
        };
        let credit = blocks_at_once(config.max_up, layout.block_len());
        let mut driver = Driver {
            keeper: Keeper::new(resume, have.count()),
            disk: Disk::start(&content, writable, disk_sender),
            announcer: Announcer::new(identity, &trackers, answer_sender, tap.clone()),
            shared: Shared {
                limits: Limits::of(&layout),
                events: link_sender,
                budget: Arc::new(Semaphore::new(BUDGET)),
                valve: config.max_down.map(Valve::new),
            },
            torrent: Torrent::new(Setup {
                layout: Arc::new(layout),
                config: Arc::new(engine),
                peer_id: ours.peer_id,
                have,
                tiers: trackers.iter().map(|tier| tier.len() as u16).collect(),
                info_hash: ours.info_hash,
                seed: config.seed,
            }),
            out: Vec::new(),
            clock: Clock::now(),
            slots: Slots::default(),
            openings,
            helpers: JoinSet::new(),
            ours,
            from,
            credit,
            most_of_one,
            upload: config.max_up.map(|rate| UploadLimit::new(rate, Instant::START)),
            download: config.max_down.map(|rate| Bucket::new(rate, Instant::START)),
            payload: None,
            stores: Vec::new(),
            verifies: Vec::new(),
            congested: false,
            phase: Phase::Running,
            failure: None,
            publish,
            meter: Meter::default(),
            sent: Counts::default(),
            received: Counts::default(),
            completed_after: first.completed_after,
            last_error: None,
            publish_at: Instant::START + PUBLISH,
            refill_at: Instant::START,
            give_up_at: Instant::NEVER,
            tap,
        };
        if !peers.is_empty() {
            driver.hand_in(Input::Peers { source: PeerSource::User, list: peers.into() });
        }
        (driver, Queues { links, disk: disk_events, openings: opening_receiver, answers })
    }
    /// The engine's time: since the start.
    pub(super) fn now(&self) -> Instant {
        Instant::from_micros(self.clock.elapsed().as_micros() as u64)
    }

    /// Does what is due.
    fn keep_time(&mut self) {
        let now = self.now();
        if self.torrent.deadline().is_some_and(|at| at <= now) {
            self.hand_in(Input::Deadline);
        }
        self.release_credit(now);
        if let (Some(valve), Some(bucket)) = (&self.shared.valve, &mut self.download)
            && now >= self.refill_at
        {
            valve.refill(bucket, now);
            self.refill_at = now + valve::REFILL;
        }
        self.look_at_disk();
        if now >= self.give_up_at {
            self.phase = Phase::Stopped;
        }
        if now >= self.publish_at {
            self.show(now);
        }
    }

    /// Gives upload credit back as the limit allows.
    fn release_credit(&mut self, now: Instant) {
        while let Some((key, bytes)) = self.upload.as_mut().and_then(|limit| limit.pop(now)) {
            if self.slots.current(key).is_some() {
                self.hand_in(Input::Writable { conn: key.conn, blocks: 1 });
            } else if let Some(limit) = &mut self.upload {
                limit.refund(bytes);
            }
        }
    }

    /// Tells the engine when the disk falls behind and when it has caught up.
    fn look_at_disk(&mut self) {
        let free = self.shared.budget.available_permits();
        let congested = if self.congested { free < BUDGET * 3 / 4 } else { free < BUDGET / 2 };
        if congested != self.congested {
            self.congested = congested;
            self.hand_in(Input::Congested { disk: congested });
        }
    }

    /// Keeps the resume state.
    async fn keep_state(&mut self) {
        self.keeper.keep(self.now(), self.torrent.have());
        if let Err(error) = self.keeper.collect().await {
            self.fail(error);
        }
    }

    /// When something is due next.
    fn due(&self) -> Clock {
        let valve = self.shared.valve.is_some().then_some(self.refill_at);
        let disk = self.congested.then(|| self.now() + LOOK_AGAIN);
        let upload = self.upload.as_ref().and_then(UploadLimit::due);
        let times = [self.torrent.deadline(), upload, valve, disk, self.keeper.due()];
        let always = self.publish_at.min(self.give_up_at);
        let next = times.into_iter().flatten().fold(always, Instant::min);
        self.clock + Duration::from_micros(next.as_micros())
    }

    /// Ends the endpoint for this reason, as cleanly as can be.
    pub(super) fn fail(&mut self, error: DiskError) {
        self.last_error = Some(error.to_string());
        self.failure.get_or_insert(error);
        self.leave();
    }

    /// Begins to leave the swarm.
    pub(super) fn leave(&mut self) {
        if self.phase == Phase::Running {
            self.phase = Phase::Stopping;
            self.give_up_at = self.now() + LEAVE;
            self.hand_in(Input::Stop);
            self.show(self.now());
        }
    }

    /// Shows the present state.
    pub(super) fn show(&mut self, now: Instant) {
        let elapsed = now.since(Instant::START);
        let totals = self.torrent.totals();
        let (rate_down, rate_up) = self.meter.update(elapsed, totals);
        self.publish_at = now + PUBLISH;
        self.publish.send_replace(Arc::new(Snapshot {
            elapsed,
            phase: self.phase,
            have: self.torrent.have().clone(),
            totals,
            completed_after: self.completed_after,
            rate_down,
            rate_up,
            links: self.torrent.conns().map(|(_, view)| view).collect(),
            exchanged: self.slots.exchanged(),
            sent: self.sent,
            received: self.received,
            announces: self.announcer.records(),
            announce_count: self.announcer.made(),
            last_error: self.last_error.clone(),
        }));
    }

    /// Ends everything the endpoint has started and keeps what the disk has.
    async fn finish(mut self, mut queues: Queues) -> Result<(), DiskError> {
        self.helpers.shutdown().await;
        self.slots.close_all();
        let disk = std::mem::replace(&mut self.disk, Disk::none());
        _ = tokio::task::spawn_blocking(move || disk.finish()).await;
        // What was verified on the way out counts.
        while let Ok(event) = queues.disk.try_recv() {
            self.disk_event(event);
        }
        if let Some(tap) = &self.tap {
            tap.leave(match (&self.failure, self.torrent.is_complete()) {
                (Some(_), _) => Departure::Crashed,
                (None, true) => Departure::Done,
                (None, false) => Departure::GaveUp,
            });
        }
        let have = self.torrent.have().clone();
        let keeper = std::mem::replace(&mut self.keeper, Keeper::new(None, 0));
        let kept = keeper.finish(have).await;
        self.phase = Phase::Stopped;
        self.show(self.now());
        self.failure.map_or(kept, Err)
    }
}
