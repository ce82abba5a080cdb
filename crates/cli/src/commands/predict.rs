//! `swarmlab predict`: how long a swarm will take, what holds it up, and what would change it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ArgGroup, Args, ValueHint};
use swarmlab_experiments::numbers::Decimal;
use swarmlab_experiments::predict::{
    Calibration, Class, Coarsening, Done, Job, NoAnswer, Plan, Predicted, Question, QuestionError, Runs,
    Start, answer, nodes,
};
use swarmlab_experiments::scenario::{Options, Scenario};
use swarmlab_experiments::units::{parse_rate, parse_size, parse_time, show_size};
use swarmlab_sim::{ModelError, run};

use crate::crew::{Crew, Kind};
use crate::env::Env;
use crate::error::Error;
use crate::exit::Exit;
use crate::scenario;
use crate::torrent;

/// Most bytes of a file of nodes or of a calibration.
const LARGEST: u64 = 64 << 20;

/// Predict how long a swarm will take: bound, plain HTTP, simulation, and what matters
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("question").required(true).args(["scenario", "size"])))]
#[command(after_long_help = "\
Examples:
  swarmlab predict --size '20 GB' --nodes 500 --up '1 Gbit/s' --origin-up '10 Gbit/s'
  swarmlab predict --size '4 GB' --nodes nodes.csv --origin-up '1 Gbit/s' --start 'within 10 min'
  swarmlab predict fleet-rollout --set content.size='8 GB'
  swarmlab predict --size '2 GB' --nodes 40 --up '100 Mbit/s' --json > plan.json
  swarmlab download big.torrent --compare plan.json

A file of nodes is CSV with a header: columns up, down, count and name in any order, of which only
up must be there. --start is 'together' (the default), 'within TIME', 'every TIME' or
'poisson FREQUENCY'.

The question is simulated with several seeds, on all cores, within --budget; how many runs there is
time for depends on the machine, what each gives does not. With --runs their number is fixed.
Large content is simulated with coarser blocks; what that costs is measured and printed.
Exits with 4 if the swarm does not end.")]
pub struct Predict {
    /// A scenario instead of the flags: name of one that comes with the program, or a file
    #[arg(value_name = "SCENARIO", value_hint = ValueHint::FilePath,
        conflicts_with_all = ["nodes", "up", "down", "origin_up", "latency", "start", "piece_length"])]
    scenario: Option<String>,
    /// Length of the content
    #[arg(long, value_name = "SIZE", value_parser = parse_size, requires = "nodes")]
    size: Option<u64>,
    /// How many nodes want it, or a CSV file that lists them
    #[arg(long, value_name = "N|FILE", requires = "size", value_hint = ValueHint::FilePath)]
    nodes: Option<String>,
    /// Uplink of each node
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    up: Option<u64>,
    /// Downlink of each node [default: the same as the uplink]
    #[arg(long, value_name = "RATE", value_parser = parse_rate, requires = "up")]
    down: Option<u64>,
    /// Uplink of the one seed that has it at the start [default: the fastest uplink of a node]
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    origin_up: Option<u64>,
    /// One-way latency between two nodes [default: 20 ms]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    latency: Option<Duration>,
    /// When nodes start [default: together]
    #[arg(long, value_name = "PATTERN")]
    start: Option<Start>,
    /// Length of a piece [default: at most 2,000 pieces]
    #[arg(short = 'l', long, value_name = "SIZE", value_parser = parse_size)]
    piece_length: Option<u64>,
    /// Change a value of the scenario, or of the one the flags make (repeat), such as client.unchoke_slots=6
    #[arg(long = "set", value_name = "PATH=VALUE")]
    sets: Vec<String>,
    /// What a network was found to lose: a file that calibrate wrote
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    calibration: Option<PathBuf>,
    /// First of the random seeds [default: the scenario's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: Option<u64>,
    /// Simulate the question so many times, whatever the time it takes [default: as --budget allows, at most 10]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000))]
    runs: Option<u64>,
    /// Wall time to spend
    #[arg(long, value_name = "TIME", value_parser = parse_time, default_value = "45 s")]
    budget: Duration,
    /// Simulate blocks at least so long, in powers of two from 16 KiB [default: as the size of the swarm demands]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    block: Option<u64>,
    /// Runs made at a time [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Print one JSON document (schema predict/1)
    #[arg(long)]
    json: bool,
}

impl Predict {
    pub(super) fn run(self, env: &Env) -> Result<Exit, Error> {
        let calibration = self.calibration.as_deref().map(|file| calibration(env, file)).transpose()?;
        let scenario = self.scenario(env)?;
        let options = Options { seed: self.seed, ..Options::default() };
        let model = scenario
            .model(&options)
            .map_err(|error| Error::failed("the content cannot be used").because(error))?;
        let coarsening = self.block.map(|block| Coarsening::to_block(block, &model));
        let plan = Plan::new(&scenario.name, model, calibration, coarsening);
        if let Some(shortest) = self.block.filter(|&block| plan.coarsening.block() < block) {
            env.warn(format_args!(
                "blocks of {} would be longer than a piece: they are {}",
                show_size(shortest),
                show_size(plan.coarsening.block())
            ));
        }
        let jobs = plan.jobs(self.runs);
        let threads = self.threads.map_or_else(|| torrent::all_cores().get(), usize::from);
        let crew = Crew { env, what: "predict", threads, budget: self.runs.is_none().then_some(self.budget) };
        let kind = |job: Job| Kind { kind: job.kind(), needed: job.is_needed() };
        // A model that cannot be run cannot be run with any seed.
        let refused = std::sync::Mutex::new(None::<ModelError>);
        let worked = crew.work(&jobs, kind, |job, goes_on| {
            let mut ended = true;
            let outcome = run(plan.model(job), &mut |_| {
                ended = goes_on();
                ended
            });
            match outcome {
                Ok(outcome) if ended || outcome.end != swarmlab_sim::End::Interrupted => {
                    Some(Done { job, record: plan.record(job, &outcome) })
                }
                Ok(_) => None,
                Err(error) => {
                    if let (Job::Base(_), Ok(mut refused)) = (job, refused.lock()) {
                        *refused = Some(error);
                    }
                    None
                }
            }
        });
        if let Ok(Some(error)) = refused.into_inner() {
            return Err(Error::invalid(format!("{} cannot be simulated", scenario.name)).because(error));
        }
        let done: Vec<Done> = worked.done.into_iter().map(|(_, done)| done).collect();
        let count = |which: fn(Job) -> bool| done.iter().filter(|done| which(done.job)).count() as u64;
        let runs = Runs {
            base: count(|job| matches!(job, Job::Base(_))),
            settings: count(|job| matches!(job, Job::Setting(..))),
            reduced: count(|job| matches!(job, Job::Reduced(..))),
            left_out: worked.left_out,
            threads: threads as u64,
            wall_seconds: Some(Decimal::seconds(worked.wall)),
            complete: !worked.stopped,
        };
        let prediction = match answer(&plan, &done, runs) {
            Ok(prediction) => prediction,
            Err(NoAnswer::NoRun) if worked.stopped => return Ok(env.stop().exit().unwrap_or(Exit::Failed)),
            Err(error) => return Err(Error::unfinished(error.to_string()).help(
                "a prediction is of swarms in which every node completes; look at one run with swarmlab sim",
            )),
        };
        let text = if self.json { prediction.json() } else { prediction.summary() };
        env.print(text.as_bytes())?;
        Ok(env.stop().exit().unwrap_or(Exit::Done))
    }

    fn scenario(&self, env: &Env) -> Result<Scenario, Error> {
        if let Some(typed) = &self.scenario {
            let source = scenario::find(env, typed)?;
            return source.parse(&self.sets).map_err(|error| scenario::refuse(typed, &error));
        }
        let nodes = self.nodes(env)?;
        let fastest = nodes.iter().map(|class| class.up).max().unwrap_or(0);
        let question = Question {
            size: self.size.unwrap_or(0),
            piece_length: self.piece_length,
            origin_up: self.origin_up.unwrap_or(fastest),
            latency: self.latency.unwrap_or(Duration::from_millis(20)),
            start: self.start.unwrap_or(Start::Within(Duration::ZERO)),
            nodes,
        };
        question.scenario(&self.sets).map_err(|error| match error {
            QuestionError::Scenario(diagnostics) => {
                Error::invalid("this question makes no valid scenario").shown_by(&diagnostics.to_string())
            }
            error => Error::invalid(error.to_string()),
        })
    }

    /// The nodes of the flags, or of the file they name.
    fn nodes(&self, env: &Env) -> Result<Vec<Class>, Error> {
        let typed = self.nodes.as_deref().unwrap_or("0");
        if let Ok(count) = typed.parse() {
            let up = self.up.ok_or_else(|| {
                Error::invalid("the nodes need an uplink")
                    .help("such as --up '100 Mbit/s'; or name a file of nodes")
            })?;
            return Ok(vec![Class { name: None, count, up, down: self.down.unwrap_or(up) }]);
        }
        if self.up.is_some() {
            return Err(Error::invalid(format!(
                "--up and --down are for a number of nodes, and '{typed}' is none"
            ))
            .help("a file of nodes has their rates in its columns up and down"));
        }
        let text = text_of(env, Path::new(typed), "the file of nodes")?;
        nodes::read(&text).map_err(|what| Error::invalid(format!("{typed} is no table of nodes: {what}")))
    }
}

/// Reads a calibration.
fn calibration(env: &Env, file: &Path) -> Result<Calibration, Error> {
    let text = text_of(env, file, "the calibration")?;
    Calibration::parse(&text).map_err(|what| {
        Error::invalid(format!("{} is no calibration: {what}", file.display()))
            .help("swarmlab calibrate writes one from results of real runs")
    })
}

/// Reads a prediction that a real swarm is to be held against.
pub(super) fn predicted(env: &Env, file: &Path) -> Result<Predicted, Error> {
    let text = text_of(env, file, "the prediction")?;
    Predicted::parse(&text).map_err(|what| {
        Error::invalid(format!("{} cannot be compared with: {what}", file.display()))
            .help("swarmlab predict --json writes one")
    })
}

/// A short file of text that a flag names.
fn text_of(env: &Env, file: &Path, what: &str) -> Result<String, Error> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(env.resolve(file))
        .and_then(|file| file.take(LARGEST).read_to_string(&mut text))
        .map_err(|error| Error::failed(format!("cannot read {what} {}", file.display())).because(error))?;
    Ok(text)
}

#[cfg(test)]
#[path = "predict_tests.rs"]
mod tests;
