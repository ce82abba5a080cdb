//! The pure part of an HTTP tracker: what is asked, what is answered, and the table of who is in which swarm.
//!
//! [`query`] reads and writes the query strings of announce and scrape as bytes, [`reply`] the bencoded answers, and
//! [`Table`] keeps the swarms. They are used by the tracker server, by the tracker client and by the simulator.
//! Nothing here knows HTTP, sockets or clocks: the time is handed in, randomness comes from a seed.

pub mod query;
pub mod reply;
mod sample;
mod swarm;
mod table;

pub use query::{AnnounceQuery, QueryError, ScrapeQuery};
pub use reply::{AnnounceResponse, Failure, PeerList, ReplyError, Retry, ScrapeResponse};
pub use table::{Admission, Answer, Attendance, Counts, Limits, Peers, Table, TableFull, Totals};
