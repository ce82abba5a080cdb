//! `swarmlab fuzz`: scenarios that nobody wrote, under the checkers.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clap::{Args, ValueHint};
use serde::Serialize;
use swarmlab_experiments::fuzz::{self, Draft, Finding, Trial};

use crate::env::Env;
use crate::error::Error;
use crate::exit::Exit;
use crate::text::count;

/// Most smaller drafts that are tried for one failure.
const TRIES: usize = 400;
/// Time between two lines that say how far it is.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// Look for faults: simulate random scenarios under the checkers
#[derive(Debug, Args)]
#[command(after_long_help = "\
Each run draws a scenario from a seed (content, links, groups, clients, odd peers, faults),
simulates it with and without the checkers and with one to three threads, and looks at what must
hold in every run. What fails is made as small as it gets and printed as a scenario.

Examples:
  swarmlab fuzz                              a hundred scenarios, seeds 1 to 100
  swarmlab fuzz --runs 5000 --seed 1000      five thousand others
  swarmlab fuzz --seed 4711 --runs 1         one of them again
  swarmlab fuzz -o failures                  write what fails to failures/fuzz-SEED.toml

Exits with 1 if anything failed.")]
pub struct Fuzz {
    /// How many scenarios to draw
    #[arg(long, value_name = "N", default_value_t = 100)]
    runs: u64,
    /// The seed of the first one; the next ones count up from it
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Write the scenarios that failed to this directory
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    output: Option<PathBuf>,
    /// Print one JSON document (schema fuzz/1)
    #[arg(long)]
    json: bool,
}

#[derive(Default, Serialize)]
struct Document {
    seed: u64,
    runs: u64,
    failed: usize,
    /// Whether all runs that were asked for were made.
    complete: bool,
    nodes: u64,
    blocks: u64,
    events: u64,
    simulated_seconds: u64,
    failures: Vec<Failure>,
}

#[derive(Serialize)]
struct Failure {
    seed: u64,
    rule: String,
    found: String,
    /// What draws it again.
    command: String,
    /// As small as it got, as TOML.
    scenario: String,
    /// What is found there.
    found_there: String,
}

impl Fuzz {
    pub(super) fn run(self, env: &Env) -> Result<Exit, Error> {
        if let Some(dir) = &self.output {
            std::fs::create_dir_all(env.resolve(dir))
                .map_err(|error| Error::failed(format!("cannot make {}", dir.display())).because(error))?;
        }
        let goes_on = || !env.stop().flag().load(Ordering::Acquire);
        let mut document = Document { seed: self.seed, ..Document::default() };
        let mut simulated = Duration::ZERO;
        let mut told = Instant::now();
        for number in 0..self.runs {
            let draft = fuzz::draw(self.seed.wrapping_add(number));
            let trial = Trial::of(&draft, &[], &goes_on);
            if trial.interrupted {
                break;
            }
            document.runs += 1;
            document.nodes += trial.nodes;
            document.blocks += trial.blocks;
            document.events += trial.events;
            simulated += trial.simulated;
            if let Some(finding) = trial.findings.first() {
                let failure = shrunk(&draft, finding, &goes_on);
                self.tell(env, &failure)?;
                document.failures.push(failure);
            }
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                let (done, failed) = (document.runs, document.failures.len());
                env.note(format_args!("fuzz: {done} of {} runs, {failed} failed", self.runs));
            }
        }
        document.failed = document.failures.len();
        document.complete = document.runs == self.runs;
        document.simulated_seconds = simulated.as_secs();
        if self.json {
            env.json("fuzz/1", &document)?;
        } else {
            conclude(env, &document)?;
        }
        Ok(match env.stop().exit() {
            Some(interrupted) => interrupted,
            None if document.failed > 0 => Exit::Failed,
            None => Exit::Done,
        })
    }

    /// Prints a failure and writes its scenario.
    fn tell(&self, env: &Env, failure: &Failure) -> Result<(), Error> {
        let file = format!("fuzz-{}.toml", failure.seed);
        if let Some(dir) = &self.output {
            let path = dir.join(&file);
            std::fs::write(env.resolve(&path), &failure.scenario)
                .map_err(|error| Error::failed(format!("cannot write {}", path.display())).because(error))?;
        }
        if self.json {
            return Ok(());
        }
        let style = env.out_style();
        let mut out = env.out();
        out.line(format_args!(
            "{} seed {} breaks {}",
            style.bad("failed:"),
            failure.seed,
            style.bold(&failure.rule)
        ))?;
        out.line(format_args!("  {}", failure.found))?;
        out.line(format_args!("  again: {}", style.code(&failure.command)))?;
        out.line(format_args!("  as small as it gets ({}):\n", failure.found_there))?;
        out.line(&failure.scenario)
    }
}

/// Makes a draft that broke a rule as small as it gets.
fn shrunk(draft: &Draft, finding: &Finding, goes_on: &dyn Fn() -> bool) -> Failure {
    let mut found_there = finding.found.clone();
    let small = fuzz::shrink(draft, TRIES, &mut |smaller| {
        // Once interrupted nothing counts as failing, so this ends soon.
        let trial = Trial::of(smaller, &[], goes_on);
        let again = trial.findings.into_iter().find(|other| other.rule == finding.rule && !trial.interrupted);
        again.map(|again| found_there = again.found).is_some()
    });
    Failure {
        seed: draft.seed,
        rule: finding.rule.clone(),
        found: finding.found.clone(),
        command: format!("swarmlab fuzz --seed {} --runs 1", draft.seed),
        scenario: small.to_string(),
        found_there,
    }
}

fn conclude(env: &Env, document: &Document) -> Result<(), Error> {
    let style = env.out_style();
    let runs = count(usize::try_from(document.runs).unwrap_or(usize::MAX), "scenario");
    let Document { nodes, blocks, events, simulated_seconds, .. } = document;
    let hours = simulated_seconds / 3_600;
    let text = format!("{runs}: {nodes} nodes, {blocks} blocks, {events} events, {hours} simulated hours");
    let verdict = match document.failed {
        0 => style.good("every rule held").to_string(),
        failed => style.bad(format!("{failed} failed")).to_string(),
    };
    env.out().line(format_args!("{text}; {verdict}"))?;
    if !document.complete {
        env.note("interrupted before the end");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::run;

    #[test]
    fn a_few_runs_hold_and_are_counted() {
        let outcome = run(&["fuzz", "--runs", "3", "--seed", "1", "--json"]);
        assert_eq!(outcome.status, 0, "{outcome:?}");
        let document = outcome.json();
        assert_eq!(document["schema"], "fuzz/1");
        assert_eq!(
            (&document["runs"], &document["failed"], &document["complete"]),
            (&3.into(), &0.into(), &true.into())
        );
        assert!(document["blocks"].as_u64() > Some(0) && document["failures"].as_array().unwrap().is_empty());
    }

    #[test]
    fn people_read_a_line() {
        let outcome = run(&["fuzz", "--runs", "1", "--seed", "2"]);
        assert_eq!(outcome.status, 0, "{outcome:?}");
        assert!(
            outcome.stdout.starts_with("1 scenario: ") && outcome.stdout.contains("every rule held"),
            "{outcome:?}"
        );
    }
}
