//! What scripts rely on, tried on the real program: exit statuses, what goes to which stream, the fields of the JSON
//! documents, what is never overwritten, and how a running program stops.
#![cfg(unix)]

mod formats;
mod predicting;
#[allow(dead_code, reason = "each test target uses its part")]
#[path = "../shared/process.rs"]
mod process;
mod program;
mod recovery;
mod running;
#[path = "../shared/scrape.rs"]
mod scrape;
mod sharing;
mod simulating;
mod stopping;
mod teaching;
mod told;
mod transfer;
mod watching;
