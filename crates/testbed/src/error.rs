//! What can go wrong in a testbed.

use std::io;
use std::path::PathBuf;

use swarmlab_experiments::scenario::ContentError;

/// Why a real swarm could not be made or measured.
#[derive(Debug, thiserror::Error)]
pub enum TestbedError {
    /// The system is none in which networks can be made.
    #[error("a testbed needs Linux and root: {0}")]
    NoGround(String),
    /// The scenario asks for what cannot be made here.
    #[error("the scenario asks for what no testbed can make: {0}")]
    Unmakable(#[from] crate::Unmakable),
    /// The content is not there, or there is too much of it.
    #[error("there is no content to share")]
    Content(#[from] ContentError),
    /// A file of the run cannot be made or read.
    #[error("cannot write {}", .0.display())]
    File(PathBuf, #[source] io::Error),
    /// A program cannot be started.
    #[error("cannot start {0}")]
    Start(String, #[source] io::Error),
    /// A program that sets something up has failed.
    #[error("{program} failed: {said}")]
    Failed {
        /// Which, with what it was to do.
        program: String,
        /// What it said.
        said: String,
    },
    /// A client or the tracker has ended although it should not, or never got ready.
    #[error("{who} {what}\n{words}")]
    Lost {
        /// Which peer.
        who: String,
        /// What it did.
        what: String,
        /// Its last words.
        words: String,
    },
}
