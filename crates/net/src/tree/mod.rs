//! Files on disk as the content of a torrent: finding them, hashing them, checking them. Blocking, on threads of
//! its own; no async runtime.
//!
//! Owns the order in which a tree becomes content and what is told of the things a torrent cannot hold. It only ever
//! reads. It refuses to guess: a file that changes while it is read is an error, and nothing is passed over silently.

mod hash;
mod lane;
mod read;
mod verify;
mod walk;

pub use hash::{HashError, hash};
pub use read::{ReadError, Source, Trouble};
pub use verify::{FileCheck, Found, Verified, sources, verify};
pub use walk::{LeftOut, LeftOutReason, Tree, TreeFile, WalkError, walk};

use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;

/// How a long piece of work is done: on how many threads, who hears of its progress, how it is stopped.
#[derive(Clone, Copy)]
pub struct Work<'a> {
    /// Number of threads, the calling one included.
    pub threads: NonZeroUsize,
    /// Is called now and then, from any of the threads, with the number of bytes done since that thread's last call.
    pub progress: &'a (dyn Fn(u64) + Sync),
    /// The work stops soon after this becomes true.
    pub stop: &'a AtomicBool,
}

/// The work was stopped before its end through [`Work::stop`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stopped before the end")]
pub struct Stopped;
