//! From the target of a GET to the bytes of the answer, without a socket.

use std::net::SocketAddr;

use swarmlab_protocol::tracker::{
    Admission, AnnounceQuery, AnnounceResponse, Answer, Attendance, Counts, Failure, PeerList, QueryError,
    ScrapeQuery, ScrapeResponse, TableFull,
};
use swarmlab_protocol::{AnnounceEvent, InfoHash};

use super::{Tracker, locked, stats};

/// An answer: what HTTP makes of it is the server's business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Bencode, for clients.
    Bencode(Vec<u8>),
    /// A page for people.
    Html(String),
    /// Numbers for programs.
    Json(String),
    /// There is nothing at this path.
    NotFound,
}

/// Why an announce or a scrape is refused; the words become the `failure reason`.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error("this tracker does not serve this torrent")]
    NotAllowed,
    #[error(transparent)]
    Full(#[from] TableFull),
    #[error("a scrape must name a torrent: this tracker does not list all of them")]
    FullScrape,
}

impl Tracker {
    /// Answers a GET for this path and query from this address.
    pub fn respond(&self, path: &str, query: Option<&str>, from: SocketAddr) -> Reply {
        let query = query.unwrap_or_default().as_bytes();
        let outcome = match path {
            "/announce" => self.announce(query, from),
            "/scrape" => self.scrape(query),
            "/stats" => return Reply::Html(stats::page(self)),
            "/stats.json" => return Reply::Json(stats::json(self)),
            _ => {
                self.counters.not_found.add();
                return Reply::NotFound;
            }
        };
        Reply::Bencode(outcome.unwrap_or_else(|refusal| {
            self.counters.failures.add();
            Failure::new(refusal).encode()
        }))
    }

    fn announce(&self, query: &[u8], from: SocketAddr) -> Result<Vec<u8>, Refusal> {
        let query = AnnounceQuery::parse(query)?;
        let claimed = if self.trusts(from.ip()) { query.claimed_ip()? } else { None };
        if !self.allows(&query.info_hash) {
            return Err(Refusal::NotAllowed);
        }
        let said = Attendance {
            info_hash: query.info_hash,
            addr: SocketAddr::new(claimed.unwrap_or(from.ip()), query.port),
            peer_id: query.peer_id,
            seed: query.left == 0,
            event: query.event,
            numwant: query.numwant.unwrap_or(self.config.numwant).min(self.config.max_numwant),
        };
        let now = self.now();
        let response =
            self.table(&said.info_hash).announce(now, &said).map(|answer| self.answer(&query, &answer));
        self.count(query.event);
        Ok(response?.encode())
    }

    /// The reply, copied out of the table so that the lock is held no longer than that.
    fn answer(&self, query: &AnnounceQuery, answer: &Answer<'_>) -> AnnounceResponse {
        let Counts { complete, incomplete, downloaded } = answer.counts;
        let peers = if query.compact == Some(false) {
            let id = |id| (!query.no_peer_id).then_some(id);
            PeerList::Dictionaries(answer.peers.iter().map(|(addr, peer)| (addr, id(peer))).collect())
        } else {
            let mut contacts = Vec::new();
            answer.peers.compact(&mut contacts);
            if answer.peers.is_v6() {
                PeerList::Compact { v4: Vec::new(), v6: contacts }
            } else {
                PeerList::Compact { v4: contacts, v6: Vec::new() }
            }
        };
        let full = "the tracker is full: other peers will not be told of this one";
        AnnounceResponse {
            min_interval: Some(self.config.min_interval),
            complete: Some(complete),
            incomplete: Some(incomplete),
            downloaded: Some(downloaded),
            warning: (answer.admission == Admission::Full).then(|| full.to_owned()),
            peers,
            ..AnnounceResponse::new(self.config.interval)
        }
    }

    fn count(&self, event: AnnounceEvent) {
        self.counters.announces.add();
        match event {
            AnnounceEvent::None => {}
            AnnounceEvent::Started => self.counters.started.add(),
            AnnounceEvent::Completed => self.counters.completed.add(),
            AnnounceEvent::Stopped => self.counters.stopped.add(),
        }
    }

    fn scrape(&self, query: &[u8]) -> Result<Vec<u8>, Refusal> {
        let ScrapeQuery { info_hashes } = ScrapeQuery::parse(query)?;
        let files = if info_hashes.is_empty() {
            if !self.config.full_scrape {
                return Err(Refusal::FullScrape);
            }
            self.torrents()
        } else {
            let now = self.now();
            let counts = |hash: &InfoHash| self.table(hash).scrape(now, hash).map(|counts| (*hash, counts));
            info_hashes.iter().filter(|hash| self.allows(hash)).filter_map(counts).collect()
        };
        self.counters.scrapes.add();
        Ok(ScrapeResponse { files, min_request_interval: Some(self.config.min_interval) }.encode())
    }

    /// Every torrent with its numbers.
    pub(super) fn torrents(&self) -> Vec<(InfoHash, Counts)> {
        self.tables.iter().flat_map(|table| locked(table).torrents().collect::<Vec<_>>()).collect()
    }
}
