//! `swarmlab testbed`: runs a scenario with real programs, each in a network namespace of its own.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Args;
use swarmlab_experiments::results::{Measured, Results, RunInfo};
use swarmlab_experiments::scenario::Scenario;
use swarmlab_experiments::units::{show_duration, show_size};
use swarmlab_sim::End;
use swarmlab_testbed::{Client, Demand, Progress, Setup, Taken, TestbedError, missing};

use crate::env::Env;
use crate::error::Error;
use crate::exit::Exit;
use crate::repeat::{Chosen, Ran};

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
    #[command(flatten)]
    chosen: Chosen,
    /// The program that all peers run: swarmlab, libtorrent, transmission or aria2
    #[arg(long, value_name = "CLIENT")]
    client: Client,
}

impl Testbed {
    pub(super) fn run(self, env: &Env) -> Result<Exit, Error> {
        let found = self.chosen.find(env)?;
        Demand::of(&found.1, self.client).map_err(|error| refused(TestbedError::from(error)))?;
        let missing = missing(self.client);
        if !missing.is_empty() {
            let what = format!("a testbed of {} needs {}", self.client.name(), missing.join(", "));
            return Err(Error::failed(what));
        }
        let mut once = |scenario: &Scenario| {
            let Taken { model, outcome, measured, wall } = self.measure(env, scenario)?;
            Ok(Ran { model, outcome, info: info(measured, wall) })
        };
        self.chosen.run(env, &found, &mut once, &verdict)
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

fn info(measured: Measured, wall: Duration) -> RunInfo {
    RunInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: option_env!("SWARMLAB_COMMIT").map(str::to_owned),
        platform: RunInfo::this_platform(),
        wall,
        threads: 1,
        measured: Some(measured),
        ..RunInfo::default()
    }
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

fn verdict(env: &Env, _: &Scenario, results: &Results<'_>) -> Result<Exit, Error> {
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
