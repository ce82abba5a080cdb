//! A simulation that is watched while it runs: its records go to a trace that pages read behind, and the pages pace it.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use swarmlab_experiments::recorded;
use swarmlab_experiments::scenario::{Options, Scenario};
use swarmlab_sim::{End, Levels, Model, Outcome, Recording, Role, run_recorded};
use swarmlab_trace::{Entry, Header, Writer};
use swarmlab_web::{Feed, FeedWriter, Pace, Show, Source, Speed};

use crate::simulate::threads_for;

/// Records are passed on so often, in simulated time: a page that goes as time passes gets ten pictures a second, and a step
/// is this long.
const EVERY: Duration = Duration::from_millis(100);

/// How long a run is to last for who watches, in seconds: time to see what happens, and to see the end.
const WATCHED: u64 = 20;

/// The trace of a run that is watched.
pub(crate) struct Live {
    writer: Writer<FeedWriter>,
    feed: Arc<Feed>,
    pace: Arc<Pace>,
    failure: Option<io::Error>,
}

impl Live {
    /// Begins it in this file. With `for_pages` the run stands still while nobody watches.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn create(path: &Path, header: &Header, speed: Speed, for_pages: bool) -> io::Result<Live> {
        let (feed, writer) = Feed::create(path)?;
        let writer = Writer::new(writer, header)?;
        Ok(Live { writer, feed, pace: Arc::new(Pace::new(speed, for_pages)), failure: None })
    }

    /// What pages see of it.
    pub(crate) fn show(&self, name: &str) -> Show {
        let source = Source::Live(self.feed.clone(), Some(self.pace.clone()));
        Show { name: name.to_owned(), lesson: Value::Null, source }
    }

    /// Takes what has happened up to a time, and makes the run wait as long as the pages want.
    pub(crate) fn take(&mut self, at: Duration, entries: &[Entry], ends: &AtomicBool) {
        if self.failure.is_none() {
            let added = entries.iter().try_for_each(|entry| self.writer.push(entry.at, &entry.record));
            self.failure = added.and_then(|()| self.writer.flush()).err();
        }
        self.pace.hold(at, &|| ends.load(Ordering::Acquire));
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it could not be written, then or before.
    pub(crate) fn finish(self, outcome: &Outcome) -> io::Result<()> {
        let at = outcome.simulated.as_micros() as u64;
        match self.failure {
            Some(failure) => Err(failure),
            None => self.writer.finish(at, outcome.end != End::Interrupted).map(drop),
        }
    }
}

/// Starts a scenario on a thread of its own, to run while somebody watches; it goes on until `ends` is set. The error is a
/// sentence.
pub(crate) fn start(
    scenario: &Scenario,
    text: &str,
    path: &Path,
    speed: Option<Speed>,
    ends: Arc<AtomicBool>,
) -> Result<Show, String> {
    let options = Options { threads: threads_for(scenario.node_count()), ..Options::default() };
    let model = scenario.model(&options).map_err(|error| error.to_string())?;
    let levels = Levels::choose(&model, None);
    let header = recorded::header(&scenario.name, &model, &levels, Some((scenario, text)));
    let speed = speed.unwrap_or_else(|| watchable(&model));
    let failed = |error| format!("the trace of {} cannot be written: {error}", scenario.name);
    let mut live = Live::create(path, &header, speed, true).map_err(failed)?;
    let show = live.show(&scenario.name);
    let simulation = move || {
        let sink = &mut |at, entries: &[Entry]| live.take(at, entries, &ends);
        let recording = Recording { levels, every: EVERY, sink };
        // What is wrong with the run or its file ends the trace, and the page says where.
        if let Ok(outcome) = run_recorded(model, Some(recording), &mut |_| !ends.load(Ordering::Acquire)) {
            let _ = live.finish(&outcome);
        }
    };
    thread::Builder::new().name("simulation".into()).spawn(simulation).map_err(|error| error.to_string())?;
    Ok(show)
}

/// The speed at which a run lasts about [`WATCHED`] seconds, if it does as well as its uplinks allow: one of 1, 2, 5, 10, 20 and so on.
fn watchable(model: &Model) -> Speed {
    let length = model.content.layout.length();
    let up = |seeds: bool| {
        let groups = model.groups.iter().filter(|group| !seeds || group.role == Role::Seed);
        groups.map(|group| u64::from(group.count).saturating_mul(group.up)).sum::<u64>().max(1)
    };
    let leechers: u64 = model
        .groups
        .iter()
        .filter(|group| group.role != Role::Seed)
        .map(|group| u64::from(group.count))
        .sum();
    let seconds = (length.saturating_mul(leechers) / up(false)).max(length / up(true));
    Speed(1000 * round(seconds.min(model.run.max_time.as_secs()) / WATCHED))
}

/// The largest of 1, 2, 5, 10, 20, 50 and so on that is not above the number; 1 for less.
fn round(number: u64) -> u64 {
    let mut rounded = 1;
    for power in (0..10).map(|power| 10_u64.pow(power)) {
        for digit in [1, 2, 5] {
            if digit * power <= number {
                rounded = digit * power;
            }
        }
    }
    rounded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_round() {
        let table = [(0, 1), (1, 1), (4, 2), (5, 5), (19, 10), (20, 20), (999, 500), (1000, 1000)];
        for (number, expected) in table {
            assert_eq!(round(number), expected, "{number}");
        }
    }
}
