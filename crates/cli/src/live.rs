//! A simulation that is watched while it runs: its records go to a trace that pages read behind, and the pages pace it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use swarmlab_experiments::recorded;
use swarmlab_experiments::scenario::{Options, Scenario};
use swarmlab_sim::{End, Levels, Model, Recording, Role, run_recorded};
use swarmlab_trace::Entry;
use swarmlab_web::{Pace, Show, Speed};

use crate::simulate::threads_for;
use crate::trace::TraceFile;

/// How long a run is to last for who watches, in seconds: time to see what happens, and to see the end.
const WATCHED: u64 = 20;

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
    let failed = |error: std::io::Error| format!("the trace of {} cannot be written: {error}", scenario.name);
    let mut file = TraceFile::watched_at(path, &header, Pace::new(speed, true)).map_err(failed)?;
    let show = file.show(&scenario.name).ok_or("this run cannot be watched")?;
    let simulation = move || {
        let every = file.every(model.run.sample);
        let sink = &mut |at, entries: &[Entry]| file.take(at, entries, &ends);
        let recording = Recording { levels, every, sink };
        // What is wrong with the run or its file ends the trace, and the page says where.
        if let Ok(outcome) = run_recorded(model, Some(recording), &mut |_| !ends.load(Ordering::Acquire)) {
            let _ = file.finish(outcome.simulated.as_micros() as u64, outcome.end != End::Interrupted);
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
