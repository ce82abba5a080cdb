//! The thread that writes the trace of a real run: what waits in the queue, what was lost, a sample of the swarm now and then.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use swarmlab_trace::{Entry, Outcome, Record, Writer};

/// What was recorded is in the file after this time, for whoever reads it meanwhile or after the program was killed.
const FLUSH: Duration = Duration::from_millis(100);

/// How often the queue is looked at. The thread does not wait at the queue: each record would have to wake it, which costs the task that
/// adds it more than all else.
const TICK: Duration = Duration::from_millis(5);

/// Records that are written before the time is looked at.
const AT_ONCE: u32 = 10_000;

/// Between two samples. What the header says.
pub const SAMPLE: Duration = Duration::from_secs(1);

/// Bits of sets of pieces that may be counted in a second for samples; of more there are fewer samples.
const BITS: u64 = 10_000_000;

/// What comes to the thread.
pub(super) enum Word {
    /// A record.
    Entry(Entry),
    /// The run is over.
    End {
        /// When, in microseconds.
        at: u64,
        /// Whether it came to its end.
        complete: bool,
    },
}

/// Writes until the end comes or nobody is left who could say it. The queue is emptied even when nothing can be written any more.
pub(super) fn write<W: Write>(
    mut writer: Writer<W>,
    words: &Receiver<Word>,
    (start, groups): (Instant, u32),
    lost: &AtomicU64,
) -> io::Result<()> {
    let now = || start.elapsed().as_micros() as u64;
    let (mut flush_at, mut sample_at, mut announces) = (start + FLUSH, start + SAMPLE, 0);
    let mut result = Ok(());
    loop {
        let mut end = None;
        for _ in 0..AT_ONCE {
            match words.try_recv() {
                Ok(Word::Entry(Entry { at, record })) => {
                    announces += u64::from(is_answer(&record));
                    result = result.and_then(|()| writer.push(at, &record));
                    continue;
                }
                Ok(Word::End { at, complete }) => end = Some((at, complete)),
                Err(TryRecvError::Disconnected) => end = Some((now(), false)),
                Err(TryRecvError::Empty) => thread::park_timeout(TICK),
            }
            break;
        }
        let missed = lost.swap(0, Ordering::Relaxed);
        if missed > 0 {
            result = result.and_then(|()| writer.push(now(), &Record::Lost(missed)));
        }
        if end.is_some() || Instant::now() >= sample_at {
            let sample = writer.state().count(groups, announces);
            result = result.and_then(|()| writer.push(now(), &Record::Sample(Box::new(sample))));
            let bits = writer.state().joined() * u64::from(writer.state().piece_count());
            sample_at = Instant::now() + SAMPLE * (1 + bits / BITS) as u32;
        }
        if let Some((at, complete)) = end {
            return result.and_then(|()| writer.finish(at, complete).map(drop));
        }
        if Instant::now() >= flush_at {
            result = result.and_then(|()| writer.flush());
            flush_at = Instant::now() + FLUSH;
        }
    }
}

fn is_answer(record: &Record) -> bool {
    matches!(record, Record::Reply(reply) if reply.outcome == Outcome::Answered)
}
