//! `swarmlab calibrate`: what a real network loses against the simulated one.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use swarmlab_experiments::calibrate::{Case, CaseError, FitError, fit};
use swarmlab_experiments::predict::{Coarsening, Job, Plan, Times};
use swarmlab_sim::Model;

use crate::crew::{Crew, Kind};
use crate::env::Env;
use crate::error::Error;
use crate::exit::Exit;
use crate::scenario;
use crate::torrent;

/// Fit what a network loses from small real runs, for predict --calibration
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  sudo swarmlab testbed small.toml --runs 3 -o small
  sudo swarmlab testbed long.toml --runs 3 -o long      the same with a larger content
  swarmlab calibrate small long -o network.toml
  swarmlab predict --size '20 GB' --nodes 500 --up '1 Gbit/s' --calibration network.toml

Two numbers are fitted: the share of their nominal rate that links give, and the time every start
takes beyond the model. One length of content tells only the first. What the runs do not tell is
refused, and what remains of the errors is printed.")]
pub struct Calibrate {
    /// Directories of real runs of one scenario each, as testbed and sim write them with -o
    #[arg(value_name = "DIR", value_hint = ValueHint::AnyPath, required = true)]
    real: Vec<PathBuf>,
    /// What was run, where the results do not say it: a scenario, for all directories
    #[arg(long, value_name = "SCENARIO", value_hint = ValueHint::FilePath)]
    scenario: Option<String>,
    /// Write what was found to this new file
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Runs simulated at a time [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Print one JSON document (schema calibrate/1)
    #[arg(long)]
    json: bool,
}

impl Calibrate {
    pub(super) fn run(self, env: &Env) -> Result<Exit, Error> {
        let said = self.scenario.as_deref().map(|typed| {
            let source = scenario::find(env, typed)?;
            source.parse(&[]).map_err(|error| scenario::refuse(typed, &error))
        });
        let said = said.transpose()?;
        let cases: Vec<Case> = self
            .real
            .iter()
            .map(|dir| {
                let case =
                    Case::read(&env.resolve(dir), said.as_ref()).map_err(|error| unreadable(dir, error))?;
                Ok(Case { name: dir.display().to_string(), ..case })
            })
            .collect::<Result<_, Error>>()?;
        let threads = self.threads.map_or_else(|| torrent::all_cores().get(), usize::from);
        let crew = Crew { env, what: "calibrate", threads, budget: None };
        let found = fit(&cases, &|models| simulate(&crew, models));
        let found = match found {
            Ok(found) => found,
            Err(FitError::Stopped) => return Ok(env.stop().exit().unwrap_or(Exit::Failed)),
            Err(error) => return Err(Error::failed("these runs do not calibrate the model").because(error)),
        };
        if let Some(file) = &self.output {
            let written = std::fs::File::create_new(env.resolve(file))
                .and_then(|mut out| out.write_all(found.file().as_bytes()));
            written
                .map_err(|error| Error::failed(format!("cannot write {}", file.display())).because(error))?;
        }
        let text = if self.json { found.json() } else { found.summary() };
        env.print(text.as_bytes())?;
        Ok(Exit::Done)
    }
}

/// Runs models on all threads.
fn simulate(crew: &Crew<'_>, models: Vec<Model>) -> Option<Vec<Option<Times>>> {
    let plans: Vec<Plan> = models
        .into_iter()
        .map(|model| Plan::new("calibration", model, None, Some(Coarsening::NONE)))
        .collect();
    let jobs: Vec<usize> = (0..plans.len()).collect();
    let kind = |_| Kind { kind: (0, 0), needed: true };
    let worked = crew.work(&jobs, kind, |at, goes_on| {
        let plan = plans.get(at)?;
        let outcome = swarmlab_sim::run(plan.model(Job::Base(0)), &mut |_| goes_on()).ok()?;
        Some(plan.record(Job::Base(0), &outcome).times)
    });
    if worked.stopped {
        return None;
    }
    let mut times = vec![None; plans.len()];
    worked.done.into_iter().for_each(|(at, found)| times[at] = found);
    Some(times)
}

fn unreadable(dir: &std::path::Path, error: CaseError) -> Error {
    use swarmlab_experiments::accuracy::read::ReadError;
    match error {
        CaseError::Read(ReadError::Unreadable(..)) => {
            Error::failed(format!("cannot read {}", dir.display())).because(error)
        }
        CaseError::NoScenario(_) => Error::invalid(format!("{} cannot be fitted", dir.display()))
            .because(error)
            .help("say what was run with --scenario"),
        CaseError::Scenario(_, diagnostics) => {
            Error::invalid(format!("the scenario in {} is not valid", dir.display()))
                .shown_by(&diagnostics.to_string())
        }
        error => Error::invalid(format!("{} cannot be fitted", dir.display())).because(error),
    }
}
