//! The pure part of an HTTP tracker: what is asked, and the table of who is in which swarm.
//!
//! [`query`] reads and writes the query strings of announce and scrape as bytes, and [`Table`] keeps the swarms. Both
//! are used by the tracker server, by the tracker client and by the simulator. Nothing here knows HTTP, sockets or
//! clocks: the time is handed in, randomness comes from a seed.

pub mod query;
mod sample;
mod swarm;
mod table;

pub use query::{AnnounceQuery, QueryError, ScrapeQuery};
pub use table::{Admission, Answer, Attendance, Counts, Limits, Peers, Table, TableFull, Totals};
