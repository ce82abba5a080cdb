//! What the commands that run a scenario have in common: the flags that choose it, one run or several, where the results go,
//! what is printed of them.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use swarmlab_experiments::repeats;
use swarmlab_experiments::results::{
    Results, RunInfo, WriteError, check_directory, check_run_directories, run_directory,
};
use swarmlab_experiments::scenario::Scenario;
use swarmlab_sim::{End, Model, Outcome};

use crate::env::Env;
use crate::error::Error;
use crate::exit::Exit;
use crate::scenario::{self, Source};

/// Which scenario is run, how often, and what is made of it.
#[derive(Debug, Args)]
pub(crate) struct Chosen {
    /// Name of a scenario that comes with the program, or a file
    #[arg(value_name = "SCENARIO", value_hint = ValueHint::FilePath)]
    pub(crate) scenario: String,
    /// Seed of everything drawn at random [default: the scenario's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub(crate) seed: Option<u64>,
    /// Run it so many times, each with the next seed; results go to DIR/run-1, DIR/run-2 and so on
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(crate) runs: Option<u64>,
    /// Change a value of the scenario before (repeat), such as client.unchoke_slots=6 or group.leechers.count=500
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub(crate) sets: Vec<String>,
    /// Write manifest.json, results.json, peers.csv, timeline.csv and report.html here
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) output: Option<PathBuf>,
    /// Print one JSON document (schema sim/1; with --runs, all of them in one of runs/1)
    #[arg(long)]
    pub(crate) json: bool,
}

/// A run that has ended, or was ended.
pub(crate) struct Ran {
    /// What was run.
    pub(crate) model: Model,
    /// What came of it.
    pub(crate) outcome: Outcome,
    /// What is known besides. Name, texts and warm-up of the scenario are filled in here.
    pub(crate) info: RunInfo,
}

/// What a run means for the exit status.
pub(crate) type Verdict<'a> = &'a dyn Fn(&Env, &Scenario, &Results<'_>) -> Result<Exit, Error>;

impl Chosen {
    /// Finds the scenario.
    ///
    /// # Errors
    /// When there is none, or something is wrong with it.
    pub(crate) fn find(&self, env: &Env) -> Result<(Source, Scenario), Error> {
        let source = scenario::find(env, &self.scenario)?;
        let scenario = self.parse(&source, self.seed)?;
        Ok((source, scenario))
    }

    fn parse(&self, source: &Source, seed: Option<u64>) -> Result<Scenario, Error> {
        let seed = seed.map(|seed| format!("seed={seed}"));
        let sets: Vec<String> = self.sets.iter().cloned().chain(seed).collect();
        source.parse(&sets).map_err(|error| scenario::refuse(&self.scenario, &error))
    }

    /// Runs it as often as is wanted, writes and prints the results. All runs are made, whatever comes of one; the first that is
    /// not as it should be decides how it ends. An interrupted one is the last.
    ///
    /// # Errors
    /// Those of a run, of its verdict, and of writing.
    pub(crate) fn run(
        &self,
        env: &Env,
        (source, scenario): &(Source, Scenario),
        once: &mut dyn FnMut(&Scenario) -> Result<Ran, Error>,
        verdict: Verdict<'_>,
    ) -> Result<Exit, Error> {
        let dir = self.output.as_deref().map(|dir| env.resolve(dir));
        // Before a long run rather than after it.
        dir.as_deref().map(|dir| self.check(dir)).transpose().map_err(unwritten)?;
        let (mut documents, mut outcome) = (Vec::new(), Ok(Exit::Done));
        for (seed, number) in (scenario.seed..=i64::MAX as u64).zip(1..=self.runs.unwrap_or(1)) {
            let scenario = self.parse(source, Some(seed))?;
            let Ran { model, outcome: came, info } = once(&scenario)?;
            let info = RunInfo {
                scenario_name: scenario.name.clone(),
                scenario_text: source.text.clone(),
                resolved: scenario.resolved_json(),
                warmup: scenario.warmup,
                ..info
            };
            let results = Results::new(&model, &came, info);
            if let Some(dir) = &dir {
                let place = self.runs.map_or_else(|| dir.clone(), |_| run_directory(dir, number));
                results.write(&place).map_err(unwritten)?;
            }
            match self.runs {
                None => self.print(env, &results.json(), &results.summary())?,
                Some(_) => documents.push(results.document().clone()),
            }
            let judged = verdict(env, &scenario, &results);
            if outcome.as_ref().is_ok_and(|exit| *exit == Exit::Done) {
                outcome = judged;
            }
            if came.end == End::Interrupted {
                break;
            }
        }
        if self.runs.is_some() {
            self.print(env, &repeats::json(&documents), &repeats::summary(&documents))?;
        }
        self.tell_where(env);
        outcome
    }

    fn check(&self, dir: &Path) -> Result<(), WriteError> {
        self.runs.map_or_else(|| check_directory(dir), |runs| check_run_directories(dir, runs))
    }

    fn print(&self, env: &Env, json: &str, summary: &str) -> Result<(), Error> {
        env.print(if self.json { json } else { summary }.as_bytes())
    }

    fn tell_where(&self, env: &Env) {
        if let Some(dir) = &self.output {
            let one = if self.runs.is_some() { run_directory(dir, 1) } else { dir.clone() };
            env.note(format_args!(
                "results are in {}; open {}",
                dir.display(),
                one.join("report.html").display()
            ));
        }
    }
}

fn unwritten(error: WriteError) -> Error {
    Error::failed("cannot write results").because(error)
}
