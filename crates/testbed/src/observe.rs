//! Following a client: a thread for each that hands what it learns to the run, from lines the client writes or from answers
//! it gives.

use std::io::{BufRead as _, BufReader};
use std::process::ChildStdout;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::Deserialize;

use crate::client::{Counts, Remote};
use crate::rpc;

/// Between two questions to a client: how exactly its completion is known.
pub(crate) const ASK: Duration = Duration::from_millis(100);
/// Between two attempts to reach a client that is starting.
const KNOCK: Duration = Duration::from_millis(50);

/// What is learnt of a client.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Seen {
    /// It can be told to begin.
    Ready,
    /// It has done so much so far; complete since then.
    Report { counts: Counts, complete: Option<Instant> },
}

/// What is learnt, of which peer, and of which of its processes: the first, or a later one after a crash.
pub(crate) type Message = (usize, u32, Seen);

/// Where it is handed to.
#[derive(Clone)]
pub(crate) struct Teller {
    pub(crate) peer: usize,
    pub(crate) life: u32,
    pub(crate) to: Sender<Message>,
}

impl Teller {
    /// False once nobody listens any more.
    fn tell(&self, seen: Seen) -> bool {
        self.to.send((self.peer, self.life, seen)).is_ok()
    }
}

/// Follows a client that writes lines, to the end of its output.
pub(crate) fn lines(output: ChildStdout, teller: Teller) {
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let seen = read(&line, Instant::now(), unix);
            if seen.is_some_and(|seen| !teller.tell(seen)) {
                break;
            }
        }
    });
}

/// A line of a client; what is none of ours is passed over.
#[derive(Deserialize)]
struct Line {
    unix_ms: u64,
    elapsed_ms: u64,
    completed_after_ms: Option<u64>,
    uploaded: u64,
    downloaded: u64,
    wasted: u64,
}

/// What a line says that was read now, at `unix` of the clock that the client goes by.
fn read(line: &str, now: Instant, unix: Duration) -> Option<Seen> {
    if line.trim() == "ready" {
        return Some(Seen::Ready);
    }
    let line: Line = serde_json::from_str(line).ok()?;
    let began = line.unix_ms.saturating_sub(line.elapsed_ms);
    let complete = line.completed_after_ms.map(|after| {
        let past = unix.saturating_sub(Duration::from_millis(began + after));
        now.checked_sub(past).unwrap_or(now)
    });
    let counts = Counts {
        uploaded: line.uploaded,
        downloaded: line.downloaded,
        wasted: line.wasted,
        complete: complete.is_some(),
    };
    Some(Seen::Report { counts, complete })
}

/// How the run holds a client that is asked.
pub(crate) struct Reins {
    begin: Sender<()>,
    over: Arc<AtomicBool>,
}

impl Reins {
    /// Tells it to begin.
    pub(crate) fn begin(&self) {
        let _ = self.begin.send(());
    }
}

impl Drop for Reins {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
    }
}

/// Follows a client that is asked, in its network namespace, until the reins are dropped.
pub(crate) fn ask(mut remote: Remote, namespace: String, teller: Teller) -> Reins {
    let (begin, begun) = mpsc::channel();
    let over = Arc::new(AtomicBool::new(false));
    let is_over = Arc::clone(&over);
    thread::spawn(move || {
        let over = || is_over.load(Ordering::Acquire);
        // The process enters its namespace only after it has started.
        let inside = || rpc::enter(&namespace).is_ok();
        let mut reachable = false;
        while !over() && !reachable {
            reachable = inside() && remote.is_ready();
            thread::sleep(KNOCK);
        }
        if reachable && teller.tell(Seen::Ready) && begun.recv().is_ok() {
            follow(&mut remote, &begun, &over, &teller);
        }
    });
    Reins { begin, over }
}

fn follow(remote: &mut Remote, begun: &Receiver<()>, over: &dyn Fn() -> bool, teller: &Teller) {
    // A client that is busy may refuse once; one that is gone is noticed by whoever holds its process.
    while !over() && remote.begin().is_err() {
        thread::sleep(KNOCK);
    }
    let mut complete = None;
    while !over() {
        if let Ok(counts) = remote.counts() {
            if counts.complete {
                complete.get_or_insert_with(Instant::now);
            }
            if !teller.tell(Seen::Report { counts, complete }) {
                return;
            }
        }
        // Nobody says anything more here: it is the end of the reins, which ends the pause.
        if let Err(mpsc::RecvTimeoutError::Disconnected) = begun.recv_timeout(ASK) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_reports() {
        let (now, unix) = (Instant::now() + Duration::from_secs(100), Duration::from_millis(1_000_500));
        let line = |completed: &str| {
            format!(
                "{{\"unix_ms\": 1000400, \"elapsed_ms\": 400, \"completed_after_ms\": {completed}, \"uploaded\": 1, \
                 \"downloaded\": 2, \"wasted\": 3, \"left\": 0, \"peers\": 1}}"
            )
        };
        let counts = Counts { uploaded: 1, downloaded: 2, wasted: 3, complete: false };
        assert_eq!(read(&line("null"), now, unix), Some(Seen::Report { counts, complete: None }));
        // It began at 1,000,000 and was complete 250 ms later, which is 250 ms ago.
        let complete = Some(now - Duration::from_millis(250));
        let counts = Counts { complete: true, ..counts };
        assert_eq!(read(&line("250"), now, unix), Some(Seen::Report { counts, complete }));
        assert_eq!(read("ready\n", now, unix), Some(Seen::Ready));
        assert_eq!(read("complete: content", now, unix), None);
    }
}
