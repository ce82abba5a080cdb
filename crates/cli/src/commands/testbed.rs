//! `swarmlab testbed`: runs a scenario with real programs, each in a network namespace of its own.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::{Args, ValueHint};
use swarmlab_experiments::repeats;
use swarmlab_experiments::results::{
    Results, RunInfo, WriteError, check_directory, check_run_directories, run_directory,
};
use swarmlab_experiments::scenario::Scenario;
use swarmlab_experiments::units::{show_duration, show_size};
use swarmlab_sim::End;
use swarmlab_testbed::{Client, Demand, Progress, Setup, Taken, TestbedError, missing};

use crate::env::Env;
use crate::error::Error;
use crate::exit::Exit;
use crate::scenario::{self, Source};

/// Between two lines that say how far it is.
const LINES: Duration = Duration::from_secs(10);

/// Run a scenario with real programs over real TCP, and measure it (Linux, root)
#[derive(Debug, Args)]
#[command(after_long_help = "\
Each peer is a process in a network namespace of its own; tc limits its uplink and downlink to the
rates of the scenario. Peers come and go at the times of sim with the same seed. The results are
the same files, so compare can hold one against the other. What a real network on one machine
cannot make (latency, odd peers, partitions) is refused or noted in the result. A run takes as
long as the swarm takes, two hours at most. Nothing of it is left, however it ends.

Needs iproute2 and util-linux, and the client: transmission-daemon, aria2 or python3-libtorrent.

Examples:
  sudo swarmlab testbed quickstart --client swarmlab --set group.leeches.count=8 -o real
  sudo swarmlab testbed mine.toml --client libtorrent --runs 3 -o real
  swarmlab sim mine.toml --runs 10 -o simulated && swarmlab compare real simulated

Exits with 4 if the longest time of the scenario has passed before all leechers were done.")]
pub struct Testbed {
    /// Name of a scenario that comes with the program, or a file
    #[arg(value_name = "SCENARIO", value_hint = ValueHint::FilePath)]
    scenario: String,
    /// The program that all peers run: swarmlab, libtorrent, transmission or aria2
    #[arg(long, value_name = "CLIENT")]
    client: Client,
    /// Seed of everything drawn at random, such as arrivals [default: the scenario's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: Option<u64>,
    /// Run it so many times, each with the next seed; results go to DIR/run-1, DIR/run-2 and so on
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000))]
    runs: Option<u64>,
    /// Change a value of the scenario before (repeat), such as group.leechers.count=5
    #[arg(long = "set", value_name = "PATH=VALUE")]
    sets: Vec<String>,
    /// Write manifest.json, results.json, peers.csv, timeline.csv and report.html here
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    output: Option<PathBuf>,
    /// Print one JSON document (schema sim/1; with --runs, all of them in one of runs/1)
    #[arg(long)]
    json: bool,
}

impl Testbed {
    pub(super) fn run(self, env: &Env) -> Result<Exit, Error> {
        let source = scenario::find(env, &self.scenario)?;
        let scenario = self.parse(&source, self.seed)?;
        Demand::of(&scenario, self.client).map_err(|error| refused(TestbedError::from(error)))?;
        let missing = missing(self.client);
        if !missing.is_empty() {
            let what = format!("a testbed of {} needs {}", self.client.name(), missing.join(", "));
            return Err(Error::failed(what));
        }
        let dir = self.output.as_deref().map(|dir| env.resolve(dir));
        if let Some(dir) = &dir {
            match self.runs {
                None => check_directory(dir),
                Some(runs) => check_run_directories(dir, runs),
            }
            .map_err(unwritten)?;
        }
        let (mut documents, mut outcome) = (Vec::new(), Ok(Exit::Done));
        for (seed, number) in (scenario.seed..=i64::MAX as u64).zip(1..=self.runs.unwrap_or(1)) {
            let scenario = self.parse(&source, Some(seed))?;
            let taken = self.measure(env, &scenario)?;
            let results = Results::new(&taken.model, &taken.outcome, info(&source, &scenario, &taken));
            if let Some(dir) = &dir {
                let place = self.runs.map_or_else(|| dir.clone(), |_| run_directory(dir, number));
                results.write(&place).map_err(unwritten)?;
            }
            if self.runs.is_none() {
                let text = if self.json { results.json() } else { results.summary() };
                env.print(text.as_bytes())?;
            }
            documents.push(results.document().clone());
            let verdict = verdict(env, &results);
            let interrupted = taken.outcome.end == End::Interrupted;
            if outcome.as_ref().is_ok_and(|exit| *exit == Exit::Done) {
                outcome = verdict;
            }
            if interrupted {
                break;
            }
        }
        if self.runs.is_some() {
            let text = if self.json { repeats::json(&documents) } else { repeats::summary(&documents) };
            env.print(text.as_bytes())?;
        }
        if let Some(dir) = &self.output {
            env.note(format_args!("results are in {}", dir.display()));
        }
        outcome
    }

    fn parse(&self, source: &Source, seed: Option<u64>) -> Result<Scenario, Error> {
        let seed = seed.map(|seed| format!("seed={seed}"));
        let sets: Vec<String> = self.sets.iter().cloned().chain(seed).collect();
        source.parse(&sets).map_err(|error| scenario::refuse(&self.scenario, &error))
    }

    fn measure(&self, env: &Env, scenario: &Scenario) -> Result<Taken, Error> {
        let program = std::env::current_exe()
            .map_err(|error| Error::failed("cannot find this program itself").because(error))?;
        let stop = env.stop().flag();
        let mut next = LINES;
        let mut watch = |progress: &Progress| {
            if progress.at >= next {
                next = progress.at + LINES;
                env.note(line(progress));
            }
            !stop.load(Ordering::Acquire)
        };
        let scratch = |dir: &Path| env.stop().takes_along(dir);
        let setup = Setup { scenario, client: self.client, program: &program, scratch: &scratch };
        env.note(format_args!("{} with {}, seed {}", scenario.name, self.client.name(), scenario.seed));
        swarmlab_testbed::run(&setup, &mut watch).map_err(refused)
    }
}

fn line(progress: &Progress) -> String {
    format!(
        "{}: {} peers have come, {} of {} leechers are complete, {} received",
        show_duration(progress.at),
        progress.joined,
        progress.completed,
        progress.leechers,
        show_size(progress.received),
    )
}

fn info(source: &Source, scenario: &Scenario, taken: &Taken) -> RunInfo {
    RunInfo {
        page: None,
        scenario_name: scenario.name.clone(),
        scenario_text: source.text.clone(),
        resolved: scenario.resolved_json(),
        warmup: scenario.warmup,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: option_env!("SWARMLAB_COMMIT").map(str::to_owned),
        platform: RunInfo::this_platform(),
        wall: taken.wall,
        threads: 1,
        peak_rss: None,
        measured: Some(taken.measured.clone()),
    }
}

fn unwritten(error: WriteError) -> Error {
    Error::failed("cannot write results").because(error)
}

/// The lines a lost program said go below the message, as they are.
fn refused(error: TestbedError) -> Error {
    match error {
        TestbedError::Unmakable(error) => {
            Error::invalid("the scenario asks for what no testbed can make").because(error)
        }
        TestbedError::Lost { who, what, words } => Error::failed(format!("{who} {what}")).shown_by(&words),
        error => Error::failed("the testbed failed").because(error),
    }
}

fn verdict(env: &Env, results: &Results<'_>) -> Result<Exit, Error> {
    match results.outcome().end {
        End::Interrupted => Ok(env.stop().exit().unwrap_or(Exit::Unfinished)),
        _ if results.document().complete => Ok(Exit::Done),
        _ => Err(Error::unfinished(results.ending()).help("give it longer with --set run.max_time='20 min'")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Progress, line};
    use crate::testing::run;

    #[test]
    fn what_no_testbed_can_make_is_refused_before_anything_is_made() {
        for (set, says) in [
            ("network.latency=1 us", "100 us"),
            ("group.leeches.behaviour=liar", "the group leeches behaves as liar"),
            ("group.leeches.count=1000", "at most 250"),
            ("group.leeches.nat=0.5", "NAT"),
        ] {
            let outcome = run(&["testbed", "quickstart", "--client", "swarmlab", "--set", set]);
            assert_eq!(outcome.status, 2, "{outcome:?}");
            assert!(outcome.stderr.contains(says), "{says} is not in {}", outcome.stderr);
        }
        let outcome = run(&["testbed", "quickstart", "--client", "azureus"]);
        assert_eq!(outcome.status, 2);
        assert!(
            outcome.stderr.contains("the clients are swarmlab, libtorrent, transmission, aria2"),
            "{outcome:?}"
        );
    }

    #[test]
    fn progress_in_words() {
        let progress = Progress {
            at: Duration::from_millis(10_020),
            joined: 4,
            completed: 1,
            leechers: 3,
            received: 3 << 20,
        };
        assert_eq!(
            line(&progress),
            "10.0 s: 4 peers have come, 1 of 3 leechers are complete, 3 MiB received"
        );
    }
}
