//! `swarmlab sim`: runs a scenario in the simulated network.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{ArgGroup, Args, ValueHint};
use swarmlab_experiments::recorded;
use swarmlab_experiments::repeats;
use swarmlab_experiments::results::{
    Results, RunInfo, WriteError, check_directory, check_run_directories, run_directory,
};
use swarmlab_experiments::scenario::{ContentError, Options, Scenario, Unmet, unmet};
use swarmlab_experiments::units::{grouped, show_size};
use swarmlab_sim::{End, Levels, Model};
use swarmlab_web::{Pace, Speed};

use crate::env::Env;
use crate::error::Error;
use crate::exit::Exit;
use crate::memory;
use crate::scenario::{self, Source};
use crate::simulate::{Simulated, simulate, simulate_recorded, threads_for};
use crate::trace::TraceFile;
use crate::watching::{Wanted, WatchFlags, Watching, conclude, page_of};

/// Simulate a swarm: the same engine, virtual time, up to a million peers
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("recorded").args(["trace", "watch"]).multiple(true)), after_long_help = "\
Examples:
  swarmlab sim quickstart
  swarmlab sim flash-crowd --set group.leechers.count=200 --set client.picker=random
  swarmlab sim mine.toml --seed 7 -o results    then open results/report.html
  swarmlab sim hostile --real-bytes --check
  swarmlab sim quickstart --runs 10 -o many      ten seeds: many/run-1, many/run-2 and so on
  swarmlab sim quickstart --json | jq .efficiency
  swarmlab sim slow-seed --watch                 the run on a page, and its summary here
  swarmlab sim slow-seed -o results --trace run.swt    also results/watch.html

The same scenario, seed and version give the same digest on every machine and for any number of
threads. Exits with 4 if the run ends unfinished (the longest time has passed, or nobody holds
some piece), with 5 if an expectation of the scenario is not met.

swarmlab scenario list shows the scenarios that come with the program.")]
pub struct Sim {
    /// Name of a scenario that comes with the program, or a file
    #[arg(value_name = "SCENARIO", value_hint = ValueHint::FilePath)]
    scenario: String,
    /// Seed of everything drawn at random [default: the scenario's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: Option<u64>,
    /// Run it so many times, each with the next seed; results go to DIR/run-1, DIR/run-2 and so on
    #[arg(long, value_name = "N", conflicts_with = "recorded",
        value_parser = clap::value_parser!(u64).range(1..=10_000))]
    runs: Option<u64>,
    /// Threads that simulate; the result does not depend on it [default: one per core, one for small swarms]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Change a value of the scenario before (repeat), such as client.unchoke_slots=6 or group.leechers.count=500
    #[arg(long = "set", value_name = "PATH=VALUE")]
    sets: Vec<String>,
    /// Write manifest.json, results.json, peers.csv, timeline.csv and report.html here; of a recorded run also watch.html
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    output: Option<PathBuf>,
    /// Print one JSON document (schema sim/1; with --runs, all of them in one of runs/1)
    #[arg(long)]
    json: bool,
    /// Check what must hold in every run: conservation of bytes, causality, honesty, progress and more
    #[arg(long)]
    check: bool,
    /// Move real content and hash it; every node keeps its copy in memory
    #[arg(long)]
    real_bytes: bool,
    /// Write what happens to this file, for swarmlab replay; it may be watched later
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    trace: Option<PathBuf>,
    /// Peers to record in full [default: as many as make about 200,000 blocks]
    #[arg(long, value_name = "N", requires = "recorded")]
    trace_peers: Option<u32>,
    #[command(flatten)]
    watch: WatchFlags,
}

impl Sim {
    pub(super) fn run(self, env: &Env) -> Result<Exit, Error> {
        let source = scenario::find(env, &self.scenario)?;
        let scenario = self.parse(&source, self.seed)?;
        match self.runs {
            None => self.one(env, &source, &scenario),
            Some(runs) => self.several(env, &source, scenario.seed, runs),
        }
    }

    fn parse(&self, source: &Source, seed: Option<u64>) -> Result<Scenario, Error> {
        let seed = seed.map(|seed| format!("seed={seed}"));
        let sets: Vec<String> = self.sets.iter().cloned().chain(seed).collect();
        source.parse(&sets).map_err(|error| scenario::refuse(&self.scenario, &error))
    }

    fn one(&self, env: &Env, source: &Source, scenario: &Scenario) -> Result<Exit, Error> {
        let dir = self.output.as_deref().map(|dir| env.resolve(dir));
        // Before a long run rather than after it.
        dir.as_deref().map(check_directory).transpose().map_err(unwritten)?;
        let ran = self.simulate(env, source, scenario, dir.as_deref())?;
        let results = ran.results();
        let text = if self.json { results.json() } else { results.summary() };
        env.print(text.as_bytes())?;
        if let Some(dir) = &self.output {
            env.note(format_args!("results are in {}; open {}", dir.display(), report(dir).display()));
        }
        let verdict = verdict(env, scenario, &ran.simulated, &results);
        conclude(env, ran.watching, verdict)
    }

    /// Runs with one seed after the other. All are made, whatever comes of one; the first that is not as it should be decides
    /// how it ends.
    fn several(&self, env: &Env, source: &Source, first: u64, runs: u64) -> Result<Exit, Error> {
        let dir = self.output.as_deref().map(|dir| env.resolve(dir));
        dir.as_deref().map(|dir| check_run_directories(dir, runs)).transpose().map_err(unwritten)?;
        let (mut documents, mut outcome) = (Vec::new(), Ok(Exit::Done));
        for (seed, number) in (first..=i64::MAX as u64).zip(1..=runs) {
            let scenario = self.parse(source, Some(seed))?;
            let place = dir.as_deref().map(|dir| run_directory(dir, number));
            let ran = self.simulate(env, source, &scenario, place.as_deref())?;
            let results = ran.results();
            documents.push(results.document().clone());
            let verdict = verdict(env, &scenario, &ran.simulated, &results);
            if outcome.as_ref().is_ok_and(|exit| *exit == Exit::Done) {
                outcome = verdict;
            }
            if ran.simulated.outcome.end == End::Interrupted {
                break;
            }
        }
        let text = if self.json { repeats::json(&documents) } else { repeats::summary(&documents) };
        env.print(text.as_bytes())?;
        if let Some(dir) = &self.output {
            env.note(format_args!("results are in {}", dir.join("run-1").display()));
        }
        outcome
    }

    /// Runs it once and writes the results, if they are wanted.
    fn simulate(
        &self,
        env: &Env,
        source: &Source,
        scenario: &Scenario,
        dir: Option<&Path>,
    ) -> Result<Ran, Error> {
        let wanted = self.watch.wanted(env, self.trace.as_deref())?;
        let Seen { simulated, page, watching } = self.watch(env, scenario, &source.text, &wanted)?;
        let info = RunInfo {
            scenario_name: scenario.name.clone(),
            scenario_text: source.text.clone(),
            resolved: scenario.resolved_json(),
            warmup: scenario.warmup,
            page,
            ..simulated.info()
        };
        let ran = Ran { simulated, info, watching, _wanted: wanted };
        dir.map(|dir| ran.results().write(dir)).transpose().map_err(unwritten)?;
        Ok(ran)
    }

    /// Runs it, with a trace and a page if they are wanted.
    fn watch(&self, env: &Env, scenario: &Scenario, text: &str, wanted: &Wanted) -> Result<Seen, Error> {
        let model = self.model(env, scenario)?;
        let Some(path) = &wanted.path else {
            let simulated = simulate(env, &scenario.name, model)?;
            return Ok(Seen { simulated, page: None, watching: None });
        };
        if let Some(dir) = self.output.as_ref().filter(|dir| path.parent() == Some(dir)) {
            fs::create_dir_all(env.resolve(dir))
                .map_err(|error| Error::failed(format!("cannot make {}", dir.display())).because(error))?;
        }
        let levels = Levels::choose(&model, self.trace_peers);
        let header = recorded::header(&scenario.name, &model, &levels, Some((scenario, text)));
        let mut file = match wanted.is_watched() {
            // As fast as it goes, whoever watches: it is the result that was asked for.
            true => TraceFile::watched(env, path, &header, Pace::new(Speed::FULL, false))?,
            false => TraceFile::create(env, path, &header)?,
        };
        let watching = wanted.serve(env, file.show(&scenario.name))?;
        let simulated = simulate_recorded(env, &scenario.name, model, Some((&mut file, levels)))?;
        let outcome = &simulated.outcome;
        file.finish(outcome.simulated.as_micros() as u64, outcome.end != End::Interrupted)?;
        if wanted.is_named {
            env.note(format_args!("the trace is in {}", path.display()));
        }
        let page = self.output.as_ref().and_then(|_| page_of(&scenario.name, &env.resolve(path)));
        Ok(Seen { simulated, page, watching })
    }

    fn model(&self, env: &Env, scenario: &Scenario) -> Result<Model, Error> {
        let nodes = scenario.node_count();
        let options = Options {
            threads: self.threads.unwrap_or_else(|| threads_for(nodes)),
            check: self.check,
            timeline: self.output.is_some(),
            real_bytes: self.real_bytes,
            ..Options::default()
        };
        tell_memory(env, scenario, self.real_bytes);
        scenario.model(&options).map_err(|error| self.no_content(error))
    }

    fn no_content(&self, error: ContentError) -> Error {
        match error {
            ContentError::TooLarge { .. } => Error::invalid(error.to_string()).help(
                "simulate fewer nodes or less content (--set content.size='1 MiB'), or leave --real-bytes out: \
                 then blocks are counted, and corrupt ones marked, without their bytes",
            ),
            ContentError::Wrong(_) => Error::unverified("the content is not what the torrent says").because(error),
            _ => Error::failed(format!("the content of {} cannot move", self.scenario)).because(error),
        }
    }
}

/// A run with what is known of it.
struct Ran {
    simulated: Simulated,
    info: RunInfo,
    watching: Option<Watching>,
    _wanted: Wanted,
}

/// A run, and how it can be seen.
struct Seen {
    simulated: Simulated,
    /// The page that goes beside the report.
    page: Option<Arc<str>>,
    /// The page that is being served.
    watching: Option<Watching>,
}

impl Ran {
    fn results(&self) -> Results<'_> {
        Results::new(&self.simulated.model, &self.simulated.outcome, self.info.clone())
    }
}

fn unwritten(error: WriteError) -> Error {
    Error::failed("cannot write results").because(error)
}

fn report(dir: &Path) -> PathBuf {
    dir.join("report.html")
}

/// Memory of the program, of a node beside what its connections take, and of a connection beside a bit for each piece, in
/// bytes: what runs of 1,000 to 10,000 nodes took.
const PROGRAM: u64 = 8_000_000;
const NODE: u64 = 2_500;
const CONNECTION: u64 = 130;

/// With `-v`, says what memory the run will take; warns where there is less.
fn tell_memory(env: &Env, scenario: &Scenario, real_bytes: bool) {
    let pieces = u64::from(scenario.content.layout.piece_count());
    let nodes: u64 = scenario
        .groups
        .iter()
        .map(|group| {
            let connections = u64::from(group.client.config.max_connections);
            let connections = connections.min(scenario.node_count());
            u64::from(group.count) * (NODE + connections * (CONNECTION + pieces.div_ceil(8)))
        })
        .sum();
    let copies = if real_bytes { scenario.node_count() + 1 } else { 0 };
    let estimate = PROGRAM + nodes + copies.saturating_mul(scenario.content.layout.length());
    if env.verbose() > 0 {
        env.note(format_args!(
            "{} nodes will take about {} of memory",
            grouped(scenario.node_count()),
            show_size(estimate)
        ));
    }
    if let Some(there) = memory::available().filter(|there| *there < estimate) {
        env.warn(format_args!(
            "this run may need {} of memory; {} are free",
            show_size(estimate),
            show_size(there)
        ));
    }
}

/// The exit status, and for all but 0 the reason. An interrupted run is not judged.
fn verdict(
    env: &Env,
    scenario: &Scenario,
    simulated: &Simulated,
    results: &Results<'_>,
) -> Result<Exit, Error> {
    let document = results.document();
    if simulated.outcome.end == End::Interrupted {
        return Ok(env.stop().exit().unwrap_or(Exit::Unfinished));
    }
    if let Some(check) = document.checks.iter().find(|check| !check.ok) {
        let what = check.first_failure.as_deref().unwrap_or("it failed");
        return Err(Error::failed(format!("the check {} does not hold: {what}", check.name))
            .help("this is a fault of swarmlab: please report the scenario and its seed"));
    }
    let completed: u64 = document.groups.iter().map(|group| group.completed).sum();
    if let Some(copies) = document.true_copies.filter(|copies| *copies < completed) {
        return Err(Error::unverified(format!("only {copies} of {completed} copies are the content")));
    }
    let unmet = unmet(&scenario.expect, &results.value());
    if !document.complete {
        unmet.iter().for_each(|unmet| env.warn(format_args!("not met: {unmet}")));
        return Err(unfinished(results));
    }
    if unmet.is_empty() { Ok(Exit::Done) } else { Err(not_met(&unmet)) }
}

fn unfinished(results: &Results<'_>) -> Error {
    let error = Error::unfinished(results.ending());
    match results.outcome().end {
        End::MaxTime => error.help("give it longer with --set run.max_time='48 h'"),
        _ => error,
    }
}

fn not_met(unmet: &[Unmet]) -> Error {
    match unmet {
        [one] => Error::unmet(format!("an expectation of the scenario is not met: {one}")),
        many => {
            let lines: Vec<String> = many.iter().map(|unmet| format!("  {unmet}")).collect();
            Error::unmet(format!("{} expectations of the scenario are not met:", many.len()))
                .shown_by(&lines.join("\n"))
        }
    }
}
