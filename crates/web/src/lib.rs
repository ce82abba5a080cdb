//! The page that shows a swarm, served from the program itself, and the same page as one file.
//!
//! A run records what happens as a trace (`docs/trace.md`). This crate brings a trace to a browser: from a file, or while it is
//! written. [`Shows`] is what there is to see; [`Server`] answers on loopback, and on loopback only; [`Feed`] hands the
//! frames of a run to any number of pages and waits for none; [`Pace`] lets a page pause a simulation. [`alone`] puts page and trace
//! into one file that needs no server.
//!
//! It knows neither sockets of a swarm nor the simulator: bytes of a trace come in, pages go out.
#![forbid(unsafe_code)]

pub mod alone;
mod assets;
pub mod base64;
mod feed;
mod guard;
mod pace;
mod page;
mod server;
mod shows;

pub use feed::{Feed, FeedWriter};
pub use pace::{Pace, Speed};
pub use server::{Server, ServerError};
pub use shows::{Entry, Kind, Show, Shows, Source};
