//! The pure part of an HTTP tracker: the table of who is in which swarm.
//!
//! It is used by the tracker server and by the simulator. Nothing here knows HTTP, sockets or clocks: the time is
//! handed in, randomness comes from a seed.

mod sample;
mod swarm;
mod table;

pub use table::{Admission, Answer, Attendance, Counts, Limits, Peers, Table, TableFull, Totals};
