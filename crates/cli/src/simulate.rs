//! Running a model in the simulated network for a user who watches: threads, progress, Ctrl-C.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use swarmlab_experiments::results::RunInfo;
use swarmlab_sim::{Levels, Model, Outcome, Recording, run, run_recorded};
use swarmlab_trace::Entry;

use crate::course::Course;
use crate::env::Env;
use crate::error::Error;
use crate::memory;
use crate::torrent;
use crate::trace::TraceFile;

/// A swarm of fewer nodes has too little to do in a window of time for a second thread to be worth the meeting at its
/// end.
const FEWEST_FOR_THREADS: u64 = 2_000;

/// A run that has ended, or was ended.
pub(crate) struct Simulated {
    /// What was run.
    pub(crate) model: Model,
    /// What came of it.
    pub(crate) outcome: Outcome,
    /// How long it took on this machine.
    pub(crate) wall: Duration,
}

/// As many threads as a swarm of so many nodes makes use of here. They change the speed, never the result.
pub(crate) fn threads_for(nodes: u64) -> u16 {
    let cores = if nodes < FEWEST_FOR_THREADS { 1 } else { torrent::all_cores().get() };
    u16::try_from(cores).unwrap_or(u16::MAX)
}

/// Runs a model to its end, or until the user wants it to stop: then the outcome says that it was interrupted. `what` is what
/// the progress calls it.
///
/// # Errors
/// When the model is out of the simulator's bounds (exit status 2).
pub(crate) fn simulate(env: &Env, what: &str, model: Model) -> Result<Simulated, Error> {
    simulate_recorded(env, what, model, None)
}

/// The same, and records it as these levels say.
///
/// # Errors
/// When the model is out of the simulator's bounds (exit status 2).
pub(crate) fn simulate_recorded(
    env: &Env,
    what: &str,
    model: Model,
    trace: Option<(&mut TraceFile, Levels)>,
) -> Result<Simulated, Error> {
    let mut course = Course::new(env, what, &model);
    let stop = env.stop().flag();
    let sound = AtomicBool::new(true);
    let mut watch = |progress| {
        course.show(&progress);
        sound.load(Ordering::Relaxed) && !stop.load(Ordering::Acquire)
    };
    let outcome = match trace {
        None => run(model.clone(), &mut watch),
        Some((file, levels)) => {
            let every = file.every(model.run.sample);
            let sink = &mut |at, entries: &[Entry]| {
                file.take(at, entries, stop);
                sound.store(file.is_sound(), Ordering::Relaxed);
            };
            let recording = Recording { levels, every, sink };
            run_recorded(model.clone(), Some(recording), &mut watch)
        }
    };
    let outcome =
        outcome.map_err(|error| Error::invalid(format!("{what} cannot be simulated")).because(error))?;
    Ok(Simulated { model, outcome, wall: course.wall() })
}

impl Simulated {
    /// What is known of the run besides its outcome. Names and texts of a scenario are left to whoever has one.
    pub(crate) fn info(&self) -> RunInfo {
        RunInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: option_env!("SWARMLAB_COMMIT").map(str::to_owned),
            platform: RunInfo::this_platform(),
            wall: self.wall,
            threads: self.model.run.threads,
            peak_rss: memory::peak(),
            ..RunInfo::default()
        }
    }
}
