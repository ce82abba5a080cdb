//! The trace of a run: a file of what happened in it, made of the inputs and outputs of engines. `docs/trace.md` is its format.
//!
//! [`tap`] makes records of what passes the boundary of an engine, the same for every driver. A [`Writer`] frames them, and
//! puts a keyframe among them every so often; a [`Reader`] gives them back. A [`State`] is what records make: who is there,
//! who is linked to whom, who has what. Nothing here knows who writes a trace or who reads it.
//!
//! ```
//! use swarmlab_trace::{Header, Item, Reader, Record, State, Writer};
//!
//! let mut file = Vec::new();
//! let mut writer = Writer::new(&mut file, &Header::new("an example", "simulated"))?;
//! writer.push(1_500_000, &Record::Lost(3))?;
//! writer.finish(2_000_000, true)?;
//!
//! let mut reader = Reader::new(&file[..])?;
//! let mut state = State::new(reader.header().piece_count());
//! while let Some(item) = reader.next_item()? {
//!     if let Item::Record(entry) = item {
//!         state.apply(entry.at, &entry.record);
//!     }
//! }
//! assert_eq!(state.at(), 1_500_000);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod bytes;
pub mod code;
mod crc;
mod decode;
mod encode;
mod error;
mod frame;
mod header;
mod index;
mod keyframe;
mod message;
mod reader;
mod record;
mod state;
pub mod tap;
mod writer;

pub use error::ReadError;
pub use frame::{HEAD, MAGIC, MOST_BODY, OPENING, VERSION, kind};
pub use header::{Content, GroupHead, Header, Recorded};
pub use reader::{End, Item, Reader};
pub use record::{
    Announce, Closing, Departure, Entry, Fault, FaultKind, GroupSample, Join, Level, NodeId, Opened, Outcome,
    Phase, Pieces, Record, Reply, Sample,
};
pub use state::{Link, MOST_NODES, Node, State, Word};
pub use writer::Writer;
