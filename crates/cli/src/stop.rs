//! Stopping on request: the first Ctrl-C or SIGTERM asks, the second ends the process at once.
//!
//! Commands see one [`Stop`] in their `Env`: threads poll [`Stop::flag`], tasks await [`Stop::requested`]. What a
//! clean stop is (announce `stopped`, save resume state, mark a result incomplete) is the command's business.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;
use tokio::sync::watch;

use crate::exit::Exit;

/// How often a directory is removed before it is left behind.
const CLEARINGS: usize = 5;

/// A signal that asks the program to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT, which Ctrl-C sends.
    Interrupt,
    /// SIGTERM, which `kill` sends.
    Terminate,
}

impl Signal {
    /// 128 + the number of the signal, as shells report it.
    pub const fn exit_code(self) -> u8 {
        match self {
            Signal::Interrupt => 130,
            Signal::Terminate => 143,
        }
    }
}

/// A request to stop, shared by everything that runs. Clones are the same request.
#[derive(Clone, Debug)]
pub struct Stop {
    flag: Arc<AtomicBool>,
    scratch: Arc<Mutex<Vec<PathBuf>>>,
    signal: watch::Sender<Option<Signal>>,
}

impl Default for Stop {
    fn default() -> Stop {
        Stop { flag: Arc::default(), scratch: Arc::default(), signal: watch::Sender::new(None) }
    }
}

impl Stop {
    /// Asks everything that holds a clone to stop.
    pub fn request(&self, signal: Signal) {
        self.signal.send_replace(Some(signal));
        self.flag.store(true, Ordering::Release);
    }

    /// True from the request on: for threads that poll.
    pub fn flag(&self) -> &Arc<AtomicBool> {
        &self.flag
    }

    /// The exit status of an interrupted command; `None` while nobody has asked to stop.
    pub fn exit(&self) -> Option<Exit> {
        self.signal.borrow().map(Exit::Interrupted)
    }

    /// Makes a second signal remove this directory before it ends the process: nobody else can then.
    pub fn takes_along(&self, dir: &Path) {
        self.scratch.lock().unwrap_or_else(PoisonError::into_inner).push(dir.to_owned());
    }

    /// Removes what is to be taken along. Threads that still run may write there meanwhile, so it is tried again.
    fn clear(&self) {
        for dir in self.scratch.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            for _ in 0..CLEARINGS {
                let _ = std::fs::remove_dir_all(dir);
                if !dir.exists() {
                    break;
                }
            }
        }
    }

    /// Waits until somebody asks to stop: for tasks. Cancel safe.
    pub async fn requested(&self) -> Signal {
        let mut receiver = self.signal.subscribe();
        loop {
            if let Some(signal) = *receiver.borrow_and_update() {
                return signal;
            }
            // `self` holds a sender, so the channel cannot close while this waits.
            let _ = receiver.changed().await;
        }
    }

    /// Makes SIGINT and SIGTERM request a stop, and end the process at once when one arrives again.
    ///
    /// # Errors
    /// When the system refuses a handler or a thread.
    pub fn on_signals(&self) -> io::Result<()> {
        // SIGXFSZ is only caught: a write beyond the limit on file sizes then fails and names its file, where the signal
        // would end the process without a word.
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGXFSZ])?;
        let stop = self.clone();
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            for number in signals.forever().filter(|&number| number != SIGXFSZ) {
                let signal = if number == SIGTERM { Signal::Terminate } else { Signal::Interrupt };
                if stop.flag.load(Ordering::Acquire) {
                    stop.clear();
                    signal_hook::low_level::exit(i32::from(signal.exit_code()));
                }
                stop.request(signal);
            }
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_and_tasks_see_the_request() {
        let stop = Stop::default();
        assert_eq!(stop.exit(), None);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let waiting = {
            let stop = stop.clone();
            runtime.spawn(async move { stop.requested().await })
        };
        stop.request(Signal::Terminate);
        assert_eq!(runtime.block_on(waiting).unwrap(), Signal::Terminate);
        assert!(stop.flag().load(Ordering::Acquire));
        assert_eq!(stop.exit(), Some(Exit::Interrupted(Signal::Terminate)));
    }
}
