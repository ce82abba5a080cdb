//! Announces: asks the tracker the engine names, remembers what trackers want to hear again.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use swarmlab_protocol::tracker::{AnnounceQuery, AnnounceResponse};
use swarmlab_protocol::{Announce, AnnounceEvent, AnnounceReply, Announced, InfoHash, PeerId, TrackerId};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;

use super::snapshot::AnnounceRecord;
use crate::recorder::Tap;
use crate::tracker::client::{ClientConfig, ClientError, TrackerClient};

/// Announces remembered for those who look.
const REMEMBERED: usize = 32;

/// What is the same in every announce.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) info_hash: InfoHash,
    pub(super) peer_id: PeerId,
    /// The port we listen on.
    pub(super) port: u16,
    /// A secret by which trackers know us again.
    pub(super) key: u32,
    /// The local address to ask from.
    pub(super) bind: Option<IpAddr>,
}

/// Makes announces, each in a task of its own.
#[derive(Debug)]
pub(super) struct Announcer {
    client: Arc<TrackerClient>,
    identity: Identity,
    /// The trackers' URLs by their number.
    urls: Vec<String>,
    /// The `tracker id` each tracker has given.
    ids: HashMap<TrackerId, Vec<u8>>,
    tasks: JoinSet<()>,
    answers: UnboundedSender<Answer>,
    records: VecDeque<AnnounceRecord>,
    made: u64,
    tap: Option<Tap>,
}

/// What came of an announce.
#[derive(Debug)]
pub(super) struct Answer {
    tracker: TrackerId,
    event: AnnounceEvent,
    result: Result<AnnounceResponse, ClientError>,
    /// The body of the reply.
    body: Vec<u8>,
}

impl Announcer {
    pub(super) fn new(
        identity: Identity,
        tiers: &[Vec<String>],
        answers: UnboundedSender<Answer>,
        tap: Option<Tap>,
    ) -> Self {
        let client = TrackerClient::new(ClientConfig { bind: identity.bind, ..ClientConfig::default() });
        Announcer {
            client: Arc::new(client),
            identity,
            urls: tiers.iter().flatten().cloned().collect(),
            ids: HashMap::new(),
            tasks: JoinSet::new(),
            answers,
            records: VecDeque::new(),
            made: 0,
            tap,
        }
    }

    /// Makes an announce; the answer comes by the queue.
    pub(super) fn announce(&mut self, announce: Announce) {
        let Announce { tracker, event, .. } = announce;
        let query = self.query(&announce);
        let url = self.urls.get(usize::from(tracker.0)).cloned().unwrap_or_default();
        if let Some(tap) = &self.tap {
            tap.announce(&announce, TrackerClient::request(&url, &query));
        }
        let (client, answers) = (Arc::clone(&self.client), self.answers.clone());
        self.made += 1;
        while self.tasks.try_join_next().is_some() {}
        self.tasks.spawn(async move {
            let mut body = Vec::new();
            let result = client.announce_keeping(&url, &query, &mut body).await;
            _ = answers.send(Answer { tracker, event, result, body });
        });
    }

    fn query(&self, announce: &Announce) -> AnnounceQuery {
        let Identity { info_hash, peer_id, port, key, .. } = self.identity;
        let tracker_id = self.ids.get(&announce.tracker).cloned();
        AnnounceQuery { tracker_id, ..AnnounceQuery::of(announce, info_hash, peer_id, port, key) }
    }

    /// Takes notice of an answer; returns what the engine is to know of it.
    pub(super) fn answered(&mut self, at: Duration, answer: Answer) -> Announced {
        let Answer { tracker, event, result, body } = answer;
        let told = match &result {
            Ok(response) => Ok(response.peers.len()),
            Err(error) => Err(error.cause.to_string()),
        };
        let warning = result.as_ref().ok().and_then(|response| response.warning.clone());
        // The query of a URL may hold a passkey.
        let url = self.urls.get(usize::from(tracker.0)).and_then(|url| url.split(['?', '#']).next());
        let url = url.unwrap_or_default().to_owned();
        if self.records.len() == REMEMBERED {
            self.records.pop_front();
        }
        self.records.push_back(AnnounceRecord { at, tracker: url, event, result: told, warning });
        let announced = Announced {
            tracker,
            event,
            outcome: result.map_err(|error| error.failure()).map(|ok| self.reply(tracker, ok)),
        };
        if let Some(tap) = &self.tap {
            tap.announced(&announced, body);
        }
        announced
    }

    fn reply(&mut self, tracker: TrackerId, response: AnnounceResponse) -> AnnounceReply {
        let AnnounceResponse { interval, min_interval, tracker_id, peers, .. } = response;
        if let Some(id) = tracker_id {
            self.ids.insert(tracker, id);
        }
        AnnounceReply { interval, min_interval, peers: peers.addrs() }
    }

    /// The last announces, oldest first.
    pub(super) fn records(&self) -> Vec<AnnounceRecord> {
        self.records.iter().cloned().collect()
    }

    /// Announces made in all.
    pub(super) fn made(&self) -> u64 {
        self.made
    }
}
