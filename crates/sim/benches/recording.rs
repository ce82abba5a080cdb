//! What recording costs: the same swarm with and without, in turn, and the bytes it makes.
//!
//! `cargo bench -p swarmlab-sim --bench recording -- [PEERS MIB FULL]...`: so many peers, of which so many are recorded in full; without
//! arguments, the rows of the table in the docs. The least of several runs counts.
#![allow(clippy::print_stdout)]

mod crowd;

use std::io::{self, Write};
use std::time::{Duration, Instant};

use swarmlab_sim::{Levels, Model, Outcome, Recording, run, run_recorded};
use swarmlab_trace::{Content as Shared, Header, Writer};

/// Peers, MiB of content, peers in full.
const USUAL: [[u32; 3]; 3] = [[30, 64, 31], [300, 32, 100], [10_000, 8, 100]];
/// Runs of each kind.
const ROUNDS: usize = 5;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let number = |text: &String| text.parse().unwrap_or_else(|_| panic!("{text}: not a number"));
    let numbers: Vec<u32> = args.iter().map(number).collect();
    let rows = if args.is_empty() { USUAL.to_vec() } else { numbers.as_chunks().0.to_vec() };
    println!(
        "{:>7} {:>4} {:>6} {:>9} {:>9} {:>9} {:>6} {:>10} {:>7} {:>7} {:>8}",
        "peers",
        "MiB",
        "full",
        "without",
        "passed on",
        "written",
        "ratio",
        "records",
        "MB",
        "B/blk",
        "ns/rec"
    );
    rows.into_iter().for_each(row);
}

/// Counts what is written.
struct Count(u64);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn row([peers, mib, full]: [u32; 3]) {
    let model = crowd::model(peers, mib, 1);
    let levels = Levels::choose(&model, Some(full));
    let [mut without, mut passed_on, mut written] = [Duration::MAX; 3];
    let (mut records, mut bytes, mut blocks) = (0, 0, 0);
    for _ in 0..ROUNDS {
        let (time, plain) = timed(|| run(model.clone(), &mut |_| true).expect("a valid model"));
        without = without.min(time);
        let (time, outcome) = timed(|| recorded(&model, &levels, &mut |_| {}));
        passed_on = passed_on.min(time);
        assert_eq!(outcome.digest, plain.digest);
        let mut writer = Writer::new(Count(0), &header(&model)).expect("a counter takes everything");
        let (time, outcome) = timed(|| {
            recorded(&model, &levels, &mut |entries| {
                for entry in entries {
                    writer.push(entry.at, &entry.record).expect("a counter takes everything");
                }
            })
        });
        written = written.min(time);
        (records, blocks) = (writer.records(), outcome.blocks);
        bytes = writer.finish(0, true).expect("a counter takes everything").0;
    }
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "{peers:>7} {mib:>4} {full:>6} {:>6.0} ms {:>6.0} ms {:>6.0} ms {:>6.3} {records:>10} {:>7.1} {:>7.1} {:>8.1}",
        millis(without),
        millis(passed_on),
        millis(written),
        millis(written) / millis(without),
        bytes as f64 / 1e6,
        bytes as f64 / blocks as f64,
        (millis(written) - millis(without)) * 1e6 / records as f64,
    );
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let begin = Instant::now();
    let result = work();
    (begin.elapsed(), result)
}

fn recorded(model: &Model, levels: &Levels, sink: &mut dyn FnMut(&[swarmlab_trace::Entry])) -> Outcome {
    let recording = Recording {
        levels: levels.clone(),
        every: Duration::from_secs(1),
        sink: &mut |_, entries| sink(entries),
    };
    run_recorded(model.clone(), Some(recording), &mut |_| true).expect("a valid model")
}

fn header(model: &Model) -> Header {
    let layout = model.content.layout;
    let content = Shared {
        info_hash: String::new(),
        name: String::new(),
        length: layout.length(),
        piece_length: layout.piece_length(),
        piece_count: layout.piece_count(),
        block_length: layout.block_len(),
    };
    Header { content: Some(content), ..Header::new("a bench", "simulated") }
}
